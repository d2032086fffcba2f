"""Access Troubleshooter: AWS's details of a denial, by the authorization id in its text.

IAM User Guide, "Troubleshoot access denied error messages with authorization ID": a regional API, called in the region
of the denial; details are available for 24 hours, some seconds after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from threading import Event
from typing import Any, Final

from ecr_tui.aws.sessions import AwsSession
from ecr_tui.diagnosis.troubleshooter import Details, read_details
from ecr_tui.errors import Cancelled, EnvironmentFailure

SERVICE: Final = "iam-toolbox"
OPERATION = "GetRequestAuthorizationDetails"
ACTION = f"iam:{OPERATION}"
WAITS = (1.0, 2.0, 3.0)
"""Seconds between two requests for details that are not available yet."""
PAGES = 10


class NotTold(EnvironmentFailure):
    """No details are available; the title says why."""


def details_of(session: AwsSession, identifier: str, region: str, partition: str, cancel: Event) -> Details:
    """The details of a denial in ``region``, which must be in ``partition``, the caller's: a text may name any region.
    Raises NotTold, and other EcrTuiErrors such as DeniedError.
    """
    if not session.offers(SERVICE):
        raise NotTold("the installed botocore does not have IAM Access Troubleshooter")
    if session.partition_of(region) != partition:
        raise NotTold(f"the denial's region {region or '(unknown)'} is not in partition {partition}")
    if not re.fullmatch(r"[0-9A-Za-z]{1,256}", identifier):
        raise NotTold("the authorization id does not have AWS's format")
    client = session.client(SERVICE, region)
    if OPERATION not in client.meta.service_model.operation_names:
        raise NotTold("the installed botocore does not have IAM Access Troubleshooter")
    for wait in (*WAITS, None):
        with session.calling(ACTION):
            pages = _pages(client, identifier)
        if pages is not None:
            return read_details(pages)
        if wait is not None and cancel.wait(wait):
            raise Cancelled
    raise NotTold("no details for this authorization id: AWS keeps them for 24 hours, for the denied account")


def _pages(client: Any, identifier: str) -> list[Mapping[str, Any]] | None:
    """None for an unknown id."""
    from botocore.exceptions import ClientError

    found: list[Mapping[str, Any]] = []
    asked = {"authorizationId": identifier}
    try:
        while len(found) < PAGES:
            found.append(client.get_request_authorization_details(**asked))
            token = found[-1].get("nextToken")
            if not token:
                break
            asked["nextToken"] = str(token)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
            return None
        raise
    return found
