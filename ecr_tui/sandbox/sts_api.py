"""STS: who am I, and temporary credentials. Ours as a whole, since moto's know neither trust, MFA nor expiry."""

from __future__ import annotations

import re
import secrets
import string
from datetime import datetime, timedelta
from typing import Any

from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import ALLOWED, Policies, Request, decide
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.aws_http import HttpRequest
from ecr_tui.sandbox.decisions import Decisions, parsed
from ecr_tui.sandbox.principals import Credential, Principal, Session
from ecr_tui.sandbox.world import AwsCall, World

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/(?:.+/)?([\w+=,.@-]+)")
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}")
_ANYTHING = PolicyDocument.parse(
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
)
_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"
_KEY_ALPHABET = string.ascii_uppercase + "234567"


class StsApi:
    """``mfa_code`` is the code of every MFA device until the sandbox stops."""

    def __init__(self, world: World, decisions: Decisions, mfa_code: str) -> None:
        self._world = world
        self._decisions = decisions
        self._mfa_code = mfa_code
        self._temporary: dict[str, Credential] = {}
        self._operations = {
            "GetCallerIdentity": self.caller_identity,
            "AssumeRole": self.assume_role,
            "GetSessionToken": self.session_token,
        }

    def credential(self, access_key: str) -> Credential | None:
        """Temporary credentials by their key, also expired ones."""
        return self._temporary.get(access_key)

    def clear(self) -> None:
        self._temporary.clear()

    def call(self, call: AwsCall, request: HttpRequest) -> dict[str, Any]:
        operation = self._operations.get(call.operation)
        if operation is None:
            raise ServiceError("InvalidAction", f"The sandbox does not offer sts:{call.operation}")
        return operation(call)

    def caller_identity(self, call: AwsCall) -> dict[str, Any]:
        """Always allowed."""
        who = call.principal
        return {"Arn": who.arn, "UserId": who.user_id, "Account": who.account}

    def session_token(self, call: AwsCall) -> dict[str, Any]:
        who = call.principal
        if who.session is not None:
            raise ServiceError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
        session = self._session(call, self._mfa(call), None, 43_200)
        user = self._world.directory.user(who.account, who.name)
        if user is None:
            raise ServiceError("AccessDenied", "Access denied", 403)
        key = _new_key()
        return {"Credentials": self._keep(self._world.directory.user_principal(user, key, session))}

    def assume_role(self, call: AwsCall) -> dict[str, Any]:
        arn, name = str(call.params.get("RoleArn", "")), str(call.params.get("RoleSessionName", ""))
        found = _ROLE.fullmatch(arn)
        if found is None or not _SESSION_NAME.fullmatch(name):
            what = f"{arn} is invalid" if found is None else "Value at 'roleSessionName' is invalid"
            raise ServiceError("ValidationError", what)
        mfa = self._mfa(call)
        role = self._world.directory.role(found[1], found[2])
        trust = role.assume_role_policy_document if role is not None and role.arn == arn else None
        if role is None or trust is None or not self._trusted(call, arn, found[1], trust, mfa):
            raise ServiceError(
                "AccessDenied",
                f"User: {call.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                403,
            )
        session = self._session(call, mfa, call.params.get("Policy"), 3600)
        who = self._world.directory.role_principal(role, name, _new_key(), session)
        return {
            "Credentials": self._keep(who),
            "AssumedRoleUser": {"AssumedRoleId": who.user_id, "Arn": who.arn},
        }

    def _trusted(self, call: AwsCall, arn: str, account: str, trust: str, mfa: bool) -> bool:
        """The role's trust policy must let the caller in; the caller's own policies too, unless it is named there.

        Asked as if the role were another account's, an Allow for the caller's account counts, so that half is the
        trust policy alone (IAM User Guide, "Granting a user permissions to switch roles").
        """
        who = call.principal
        context: dict[str, Any] = {"aws:MultiFactorAuthPresent": "true"} if mfa else {}
        if call.params.get("ExternalId"):
            context["sts:ExternalId"] = str(call.params["ExternalId"])
        if self._decisions.denial(who, "sts:AssumeRole", arn, account=account, policy=trust, context=context):
            return False
        request = Request("sts:AssumeRole", arn, "", who.arn, {**self._decisions.context(who, {}), **context})
        return decide(request, Policies(identity=(_ANYTHING,), resource=parsed(trust))).response == ALLOWED

    def _mfa(self, call: AwsCall) -> bool:
        """Whether a valid code came with the call. Raises ServiceError for a wrong one, or another's device."""
        serial, code = call.params.get("SerialNumber"), call.params.get("TokenCode")
        if not serial and not code:
            return bool(call.principal.session and call.principal.session.mfa)
        who = call.principal
        own = f"arn:aws:iam::{who.account}:mfa/{who.name}"
        if serial != own:
            raise ServiceError("AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.", 403)
        if code != self._mfa_code:
            raise ServiceError(
                "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ", 403
            )
        return True

    def _session(self, call: AwsCall, mfa: bool, policy: object, default: int) -> Session:
        try:
            seconds = int(str(call.params.get("DurationSeconds") or default))
        except ValueError:
            seconds = 0
        if not 900 <= seconds <= 129_600:
            raise ServiceError("ValidationError", "Value at 'durationSeconds' failed to satisfy constraint")
        now: datetime = self._world.clock()
        return Session(
            token=secrets.token_urlsafe(240),
            issued_at=now,
            expires_at=now + timedelta(seconds=seconds),
            policy=str(policy) if policy else None,
            mfa=mfa,
        )

    def _keep(self, principal: Principal) -> dict[str, Any]:
        session = principal.session
        if session is None:
            raise LookupError("temporary credentials have a session")
        secret = "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(40))
        now = self._world.clock()
        self._temporary = {key: one for key, one in self._temporary.items() if _fresh(one, now)}
        self._temporary[principal.access_key] = Credential(principal, secret, session.token, session.expires_at)
        return {
            "AccessKeyId": principal.access_key,
            "SecretAccessKey": secret,
            "SessionToken": session.token,
            "Expiration": session.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def _fresh(credential: Credential, now: datetime) -> bool:
    """Kept for a day after expiry, to distinguish "expired" from "unknown"."""
    return credential.expires_at is None or credential.expires_at + timedelta(days=1) > now


def _new_key() -> str:
    return "ASIA" + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(16))
