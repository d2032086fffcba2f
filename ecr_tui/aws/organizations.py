"""The organization of an account (Organizations API, DescribeOrganization; available to all members)."""

from __future__ import annotations

from ecr_tui.aws.sessions import AwsSession


def organization_id(session: AwsSession) -> str:
    """Organization id of the session's account, "" if none. Raises EcrTuiError, such as DeniedError."""
    client = session.client("organizations")
    with session.calling("organizations:DescribeOrganization"):
        try:
            return str(client.describe_organization()["Organization"]["Id"])
        except client.exceptions.AWSOrganizationsNotInUseException:
            return ""
