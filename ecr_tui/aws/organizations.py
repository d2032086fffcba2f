"""The organization of an account, as any of its members may ask for it (Organizations API, DescribeOrganization)."""

from __future__ import annotations

from ecr_tui.aws.sessions import AwsSession


def organization_id(session: AwsSession) -> str:
    """Of the session's account; "" where it is in none. Raises EcrTuiError, such as DeniedError."""
    client = session.client("organizations")
    with session.calling("organizations:DescribeOrganization"):
        try:
            return str(client.describe_organization()["Organization"]["Id"])
        except client.exceptions.AWSOrganizationsNotInUseException:
            return ""
