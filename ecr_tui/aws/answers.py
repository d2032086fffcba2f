"""Translate an AWS error response, by code and message, into an error of ecr-tui."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecr_tui.aws.model import Role
from ecr_tui.diagnosis.denial import IDENTITY_BASED, RESOURCE_BASED, Denial, parse_denial, policy_with_article
from ecr_tui.diagnosis.matching import row_of_code
from ecr_tui.errors import CredentialsError, DeniedError, EcrTuiError, EnvironmentFailure, InputError, Throttled

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_CREDENTIAL_OPERATIONS = {
    "AssumeRole",
    "AssumeRoleWithWebIdentity",
    "AssumeRoleWithSAML",
    "GetRoleCredentials",
    "CreateToken",
    "CreateOAuth2Token",
}
"""Operations that botocore calls to get credentials; a denial there is a problem of the profile."""

_BAD_INPUT = frozenset({"parameter-refused", "policy-invalid", "policy-principal-missing"})
_NO_CREDENTIALS = _BAD_INPUT | {"keys-unknown", "signature", "web-identity", "mfa"}
"""Catalogue rows that are a problem of the profile in an operation of :data:`_CREDENTIAL_OPERATIONS`."""

_QUOTED_REQUEST = re.compile(r"\s*The (?:Canonical String|String-to-Sign)\b.*", re.IGNORECASE | re.DOTALL)
"""AWS's text after a rejected signature: the request's headers, including the session token."""

POLICY_SUSPECTS = (
    "Check the usual causes, since ECR does not name the part: a Resource element (never allowed here); "
    "ecr:GetAuthorizationToken or another registry-level action; a principal that does not exist, or the AIDA…/AROA… "
    "id of a deleted user or role; a malformed ARN; an unknown condition operator."
)


def is_throttling(code: str) -> bool:
    """Whether an error code means that the same request may be retried later.

    Uses the catalogue, not botocore's list, which counts LimitExceededException as throttling: ECR raises it for a
    quota, where waiting does not help.
    """
    row = row_of_code(code)
    return row is not None and row.id == "throttled"


def service_error(exc: ClientError, role: Role, operation: str, who: str, login_command: str) -> EcrTuiError:
    """The error for an AWS error response. ``who`` names the profile; other arguments as in
    ``ecr_tui.aws.errors.translate``."""
    error = exc.response.get("Error", {})
    code = str(error.get("Code", ""))
    message = _QUOTED_REQUEST.sub("", str(error.get("Message", "")))
    status = int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    side = str(role)
    if code == str(status) and status < 500:
        # AWS always sends an error code; without one, the response is from another program.
        return EnvironmentFailure(
            f"{operation} got an HTTP {status} response that is not from AWS",
            detail=message,
            hint="Check the network, the region and endpoint_url. A proxy may have answered.",
            side=side,
        )
    row = row_of_code(code, message)
    kind = row.id if row else ""
    denied = row is not None and row.denied
    if kind == "sso-or-keys":
        return CredentialsError(
            f"the credentials of {who} have expired",
            detail=message,
            hint=f"Run: {login_command}" if login_command else "Renew them and retry.",
            side=side,
            login_command=login_command,
        )
    if kind == "clock":
        return EnvironmentFailure(
            "AWS rejected the request time: the clock of this machine is wrong",
            detail=message,
            hint="Set the clock, for example with NTP, and retry.",
            side=side,
        )
    if kind == "throttled":
        return Throttled(
            f"AWS is throttling {operation}",
            detail=message,
            hint="Retry later. Other tools in this account share its rate limit.",
            side=side,
        )
    if exc.operation_name in _CREDENTIAL_OPERATIONS and (denied or kind in _NO_CREDENTIALS):
        return CredentialsError(
            f"{who} cannot get credentials ({exc.operation_name} was denied)",
            detail=message,
            hint="Check the MFA code, the role's trust policy, its external id and the source profile."
            if exc.operation_name == "AssumeRole"
            else "Check the role and the permission set of the profile.",
            side=side,
            login_command=login_command,
        )
    if denied or (status == 403 and kind not in ("keys-unknown", "signature")):
        return _denied(message or code, operation, side)
    if kind == "keys-unknown":
        return CredentialsError(
            f"AWS rejected the credentials of {who}",
            detail=message,
            hint=(f"Run: {login_command}. " if login_command else "")
            + "Check the key, the partition and the region: the key was deleted or deactivated, belongs to another "
            "partition, or the region is not enabled.",
            side=side,
            login_command=login_command,
        )
    if kind == "signature":
        return CredentialsError(
            f"the secret key of {who} does not match its access key",
            detail=message,
            hint="Copy both keys again. Check the credentials file for truncated or quoted values.",
            side=side,
        )
    if kind in _BAD_INPUT:
        return _bad_input(kind, code, message, operation, side)
    if kind == "repository-not-found":
        return InputError(
            "no such repository" if not message else message.partition("\n")[0],
            detail=message,
            hint="Check the name (without the registry host) and the region.",
            side=side,
        )
    if kind == "quota":
        return EnvironmentFailure(
            f"{operation} exceeded a service quota",
            detail=message,
            hint="See Service Quotas for Amazon ECR in this region.",
            side=side,
        )
    if kind == "registry-failure" or status >= 500:
        return EnvironmentFailure(
            f"AWS failed to answer {operation} ({code or status})",
            detail=message,
            hint="Retry later. The request itself is valid.",
            side=side,
        )
    return EnvironmentFailure(f"{operation} failed: {code or status}", detail=message, side=side)


def _denied(message: str, operation: str, side: str) -> DeniedError:
    denial = parse_denial(message) or Denial("", operation, "")
    action, resource = denial.action, denial.resource
    where = f" on {resource.rpartition(':')[2] or resource}" if resource and resource != "*" else ""
    return DeniedError(f"{action}{where} was denied", detail=message, hint=_hint(denial), side=side)


def _hint(denial: Denial) -> str:
    """The fix for a denial, by the policy that AWS names."""
    policy, action = denial.policy_type, denial.action
    found = f" AWS names the policy: {denial.policy_arn}." if denial.policy_arn else ""
    if denial.explicit:
        what = policy_with_article(policy) if policy else "a policy that AWS does not name"
        return f"Remove or limit the Deny in {what}: an explicit Deny overrides every Allow.{found}"
    if policy == RESOURCE_BASED:
        return f"Allow {action} for this caller in the resource's own policy."
    if policy == IDENTITY_BASED:
        return f"Add {action} to the identity policy of this caller."
    if policy:
        whose = " Ask the organization's administrators." if policy.endswith("control policy") else ""
        return f"Allow {action} in every {policy} that applies; one does not.{whose}{found}"
    return f"Allow {action} for the caller."


def _bad_input(kind: str, code: str, message: str, operation: str, side: str) -> InputError:
    if kind == "policy-principal-missing":
        return InputError(
            "ECR does not know a principal in the policy",
            detail=message,
            hint="Check that the user or role exists; a new one needs up to a minute. Remove AIDA…/AROA… ids from the "
            "document: they belong to deleted principals.",
            side=side,
        )
    if kind == "policy-invalid":
        return InputError("ECR rejected the policy document", detail=message, hint=POLICY_SUSPECTS, side=side)
    if code == "PaginationTokenExpiredException":
        return InputError(
            "the listing took too long and expired", detail=message, hint="Refresh to restart it.", side=side
        )
    return InputError(f"AWS rejected a parameter of {operation}", detail=message, side=side)
