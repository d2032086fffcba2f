"""What an error answer of AWS means: its code and message sorted into the errors of this program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecr_tui.aws.model import Role
from ecr_tui.errors import CredentialsError, DeniedError, EcrTuiError, EnvironmentFailure, InputError, Throttled

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
    "BlockedByOrganizationPolicyException",
}
_UNKNOWN_KEY = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "AuthFailure",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_SIGNATURE = {"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"}
_SKEWED = {"RequestTimeTooSkewed", "RequestInTheFuture"}
# The service's own code is told apart from botocore's list of throttling codes, where LimitExceededException counts
# as throttling: ECR raises that one for a quota, which waiting does not cure.
_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
}
_SERVER = {"ServerException", "InternalFailure", "InternalError", "InternalServiceException", "ServiceUnavailable"}
_BAD_INPUT = {
    "InvalidParameterException",
    "InvalidParameter",
    "InvalidTagParameterException",
    "ValidationException",
    "ValidationError",
    "MalformedPolicyDocumentException",
    "PaginationTokenExpiredException",
}
_CREDENTIAL_OPERATIONS = {
    "AssumeRole",
    "AssumeRoleWithWebIdentity",
    "AssumeRoleWithSAML",
    "GetRoleCredentials",
    "CreateToken",
    "CreateOAuth2Token",
}
"""Operations which botocore calls on its own to obtain credentials: refused there, the profile is at fault."""

_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)(?: on resource: (\S+))?")

_QUOTED_REQUEST = re.compile(r"\s*The (?:Canonical String|String-to-Sign)\b.*", re.IGNORECASE | re.DOTALL)
"""How AWS goes on after refusing a signature: with the request's headers, the session token among them."""

POLICY_SUSPECTS = (
    "ECR does not say which part it dislikes. Usual suspects: a Resource element (never allowed here); "
    "ecr:GetAuthorizationToken or another registry-level action; a principal that does not exist, or an AIDA…/AROA… id "
    "left behind by a deleted user or role; a malformed ARN; an unknown condition operator."
)


def is_throttling(code: str) -> bool:
    """Whether an error code means that the same request may be sent again, later."""
    return code in _THROTTLED


def service_error(exc: ClientError, role: Role, operation: str, who: str, login_command: str) -> EcrTuiError:
    """The error for an answer of AWS. ``who`` names the profile; the rest as in ``ecr_tui.aws.errors.translate``."""
    error = exc.response.get("Error", {})
    code = str(error.get("Code", ""))
    message = _QUOTED_REQUEST.sub("", str(error.get("Message", "")))
    status = int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    side = str(role)
    if code == str(status) and status < 500:
        # AWS always sends a code of its own; without one somebody else has answered.
        return EnvironmentFailure(
            f"{operation} was answered with HTTP {status}, and not by AWS",
            detail=message,
            hint="A proxy may have answered instead; check the network, the region and endpoint_url.",
            side=side,
        )
    if code in _EXPIRED:
        return CredentialsError(
            f"the credentials of {who} have expired",
            detail=message,
            hint=f"Run: {login_command}" if login_command else "Renew them and try again.",
            side=side,
            login_command=login_command,
        )
    if code in _SKEWED or (code in _SIGNATURE and re.search(r"expired|not yet current|earlier than", message, re.I)):
        return EnvironmentFailure(
            "AWS refused the request's time: this machine's clock is off",
            detail=message,
            hint="Set the clock (for example with NTP) and try again.",
            side=side,
        )
    if is_throttling(code):
        return Throttled(
            f"AWS is throttling {operation}",
            detail=message,
            hint="Wait a little and try again; other tools on this account share its request rate.",
            side=side,
        )
    if exc.operation_name in _CREDENTIAL_OPERATIONS and code in _DENIED | _BAD_INPUT | _UNKNOWN_KEY | _SIGNATURE:
        return CredentialsError(
            f"{who} cannot get its credentials ({exc.operation_name} was refused)",
            detail=message,
            hint="Check the MFA code, the role's trust policy, its external id and the source profile."
            if exc.operation_name == "AssumeRole"
            else "Check the role and the permission set of the profile.",
            side=side,
            login_command=login_command,
        )
    if code in _DENIED or (status == 403 and code not in _UNKNOWN_KEY | _SIGNATURE):
        return _denied(message or code, operation, side)
    if code in _UNKNOWN_KEY:
        return CredentialsError(
            f"AWS does not know the credentials of {who}",
            detail=message,
            hint=(f"Run: {login_command}. " if login_command else "")
            + "The key was deleted or deactivated, belongs to another partition, or the region is not enabled.",
            side=side,
            login_command=login_command,
        )
    if code in _SIGNATURE:
        return CredentialsError(
            f"the secret key of {who} does not belong to its access key",
            detail=message,
            hint="Copy both keys again; check for a cut-off or quoted value in the credentials file.",
            side=side,
        )
    if code in _BAD_INPUT:
        return _bad_input(code, message, operation, side)
    if code == "RepositoryNotFoundException":
        return InputError(
            "there is no such repository" if not message else message.partition("\n")[0],
            detail=message,
            hint="A repository is named without its registry host; check the region, too.",
            side=side,
        )
    if code == "LimitExceededException":
        return EnvironmentFailure(
            f"{operation} hits a quota of the account",
            detail=message,
            hint="See Service Quotas for Amazon ECR in this region.",
            side=side,
        )
    if code in _SERVER or status >= 500:
        return EnvironmentFailure(
            f"AWS failed to answer {operation} ({code or status})",
            detail=message,
            hint="Nothing is wrong with the request; try again in a moment.",
            side=side,
        )
    return EnvironmentFailure(f"{operation} failed: {code or status}", detail=message, side=side)


def _denied(message: str, operation: str, side: str) -> DeniedError:
    found = _ACTION.search(message)
    action = str(found.group(1)) if found else operation
    resource = str(found.group(2) or "") if found else ""
    where = f" on {resource.rpartition(':')[2] or resource}" if resource and resource != "*" else ""
    low = message.lower()
    if "explicit deny" in low:
        hint = "Something denies it explicitly (the message names the kind of policy); an Allow cannot outweigh that."
    elif "no resource-based policy" in low:
        hint = f"The resource's own policy must allow {action} to this caller."
    elif "no identity-based policy" in low:
        hint = f"Add {action} to the identity policy of this caller."
    elif "permissions boundary" in low:
        hint = f"The caller's permissions boundary must allow {action}, too."
    elif "session policy" in low:
        hint = f"The session policy must allow {action}, too."
    elif "service control policy" in low or "organization" in low:
        hint = "A policy of the organization stands in the way; its administrators can change it."
    else:
        hint = f"The caller needs {action}."
    return DeniedError(f"{action}{where} was denied", detail=message, hint=hint, side=side)


def _bad_input(code: str, message: str, operation: str, side: str) -> InputError:
    if "Principal not found" in message:
        return InputError(
            "ECR does not know a principal of the policy",
            detail=message,
            hint="A user or role must exist before it can be named; one made seconds ago needs up to a minute. Also "
            "look for AIDA…/AROA… ids in the document: they stand for deleted principals.",
            side=side,
        )
    if "PolicyText" in message or code == "MalformedPolicyDocumentException":
        return InputError("ECR rejected the policy document", detail=message, hint=POLICY_SUSPECTS, side=side)
    if code == "PaginationTokenExpiredException":
        return InputError("the listing took too long and AWS dropped it", detail=message, hint="Refresh.", side=side)
    return InputError(f"AWS rejected a parameter of {operation}", detail=message, side=side)
