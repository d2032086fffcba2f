"""Registry credentials from ecr:GetAuthorizationToken."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC

from ecr_tui.aws.model import RegistryToken
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import EnvironmentFailure
from ecr_tui.secret import Secret


def registry_token(session: AwsSession, region: str | None = None) -> RegistryToken:
    """A token of this session's principal. No registryIds: they have no effect, and the host comes from A's URI."""
    client = session.client("ecr", region)
    with session.calling("ecr:GetAuthorizationToken"):
        answer = client.get_authorization_token()["authorizationData"]
        data = answer[0] if answer else {}
        encoded = data["authorizationToken"]
    try:
        username, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        # Do not quote the text: it may be a token.
        raise EnvironmentFailure("the response to ecr:GetAuthorizationToken has no token", side=str(session.role))
    expires = data.get("expiresAt")
    return RegistryToken(username, Secret(password), expires.astimezone(UTC) if expires else None)
