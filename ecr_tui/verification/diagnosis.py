"""Diagnose a failed stage: by the catalogue, an engine that shows reasons, AWS, and A's policy."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

from ecr_tui.diagnosis.diagnose import Diagnosis, diagnose
from ecr_tui.diagnosis.failure import DOCKER, NETWORK, UNKNOWN
from ecr_tui.errors import Cancelled, DeniedError, EcrTuiError
from ecr_tui.policy.answer import bounds
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Policies
from ecr_tui.policy.known import before_call
from ecr_tui.policy.principal import without_session
from ecr_tui.registry.engine import Credentials, Engine, Reference, RegistryError
from ecr_tui.registry.probe import ProbeImage
from ecr_tui.verification.ports import Parties
from ecr_tui.verification.report import Stage, StageName, Status

_TEXTLESS = 403
"""A denied HEAD request has a status but no body, so the reason needs another request."""

_FULL = "repository-full"
_VAGUE = frozenset(
    {"head-without-body", "status-403", _FULL, "retrying", "pull-access-denied", "token-invalid", "read-malformed"}
)
"""Catalogue rows for denials without a reason (docker drops the message at login)."""

_ENGINE_ALONE = (
    "The same request succeeds without the container engine: account B has access, and the failure is between "
    "the engine and the registry."
)


class Reasons:
    """Explains the failures of one verification."""

    def __init__(self, parties: Parties) -> None:
        self._parties = parties
        self._repository = parties.repository
        self.principal = ""
        """B's ARN, once known."""
        self.notes: list[str] = []
        self.pushed_again = False
        """The other engine has pushed the probe image, so B can push, and the image must be removed."""
        self.pulled_again = False

    def of_login(self, error: RegistryError, credentials: Credentials) -> RegistryError:
        """The same denial with the registry's message, if the engine hid it; else ``error``."""
        return self._reveal(
            error,
            credentials,
            lambda other: other.login(self._repository.host, credentials, self._parties.cancel),
            "The registry accepts the token without the container engine: the failure is between the engine and the "
            "registry.",
        )

    def of_push(
        self, error: RegistryError, credentials: Credentials, probe: ProbeImage, reference: Reference
    ) -> RegistryError:
        """Find the reason: a push that a container engine reports as "EOF" or an empty 403 is repeated with the direct
        engine; a denied HEAD is followed by the API call that needs the same action."""

        def again(other: Engine) -> None:
            other.tag(probe, reference, self._parties.cancel)
            other.push(reference, credentials, lambda _: None, self._parties.cancel)
            self.pushed_again = True

        return self._reveal(error, credentials, again, _ENGINE_ALONE)

    def of_pull(self, error: RegistryError, credentials: Credentials, reference: Reference) -> RegistryError:
        """As :meth:`of_push`."""

        def again(other: Engine) -> None:
            other.pull(reference, credentials, lambda _: None, self._parties.cancel)
            self.pulled_again = True

        return self._reveal(error, credentials, again, _ENGINE_ALONE)

    def _reveal(
        self, error: RegistryError, credentials: Credentials, again: Callable[[Engine], object], accepted: str
    ) -> RegistryError:
        reason = error if _tells_why(error) else self._asked_again(error, again, accepted)
        if _tells_why(reason) or reason.status != _TEXTLESS or not reason.action:
            return reason
        try:
            text = self._parties.ask(lambda: self._parties.consumer.probe(self._repository, reason.action))
        except EcrTuiError:
            return reason
        if not text:
            # AWS allows it, so the registry may reject the token (expired).
            return self._refusal_of_token(credentials) or reason
        return RegistryError(
            reason.title,
            detail=text,
            hint=reason.hint,
            side=reason.side,
            status=reason.status,
            code="DENIED",
            request=reason.request,
            action=reason.action,
        )

    def _asked_again(self, error: RegistryError, again: Callable[[Engine], object], accepted: str) -> RegistryError:
        if self._parties.second_opinion is None or self._parties.cancel.is_set():
            return error
        try:
            with closing(self._parties.second_opinion()) as other:
                again(other)
        except RegistryError as shown:
            return shown
        except EcrTuiError:
            return error
        self.notes.append(accepted)
        return error

    def _refusal_of_token(self, credentials: Credentials) -> RegistryError | None:
        try:
            if self._parties.second_opinion is None:
                self._parties.engine.login(self._repository.host, credentials, self._parties.cancel)
            else:
                with closing(self._parties.second_opinion()) as other:
                    other.login(self._repository.host, credentials, self._parties.cancel)
        except RegistryError as refusal:
            return refusal
        except EcrTuiError:
            return None
        return None

    def may_settle(self, error: RegistryError) -> bool:
        """Whether the policy may still be propagating: denied, although A's current policy allows it."""
        found = self.diagnose(StageName.PUSH, error)
        if not found.denied or not found.blames_repository_policy or not found.action:
            return False
        try:
            text = self._parties.ask(lambda: self._parties.owner.policy_text(self._repository))
            return text is not None and not self._lacking(PolicyDocument.parse(text), found.action)
        except EcrTuiError:
            # Unknown: waiting a few seconds is better than a wrong verdict.
            return not self._parties.cancel.is_set()

    def diagnose(self, name: StageName, error: EcrTuiError, action: str = "") -> Diagnosis:
        return diagnose(
            error.detail or error.title,
            stage=name.value,
            status=error.status if isinstance(error, RegistryError) else None,
            action=(error.action if isinstance(error, RegistryError) else "") or action,
            known=self._known(),
        )

    def stage(self, name: StageName, error: EcrTuiError, action: str = "") -> Stage:
        """The failed stage for the user; the caller adds the seconds. ``action``: required by the stage."""
        if isinstance(error, Cancelled):
            return Stage(name, Status.FAILED, error.title, cause="Cancelled by the user.")
        diagnosis = self.diagnose(name, error, action)
        if not isinstance(error, RegistryError | DeniedError):
            # Keep the error's own text: it names the profile and the fix.
            return Stage(
                name,
                Status.FAILED,
                error.title,
                action=action,
                side=error.side,
                cause=error.title,
                fix=error.hint,
                detail=error.detail,
                pattern=diagnosis.pattern if diagnosis.known else "",
            )
        cause, fix = diagnosis.cause, diagnosis.fix
        denied = diagnosis.denied or isinstance(error, DeniedError)
        if denied and diagnosis.blames_repository_policy:
            lacking, fix = self._from_the_policy(diagnosis)
            cause = lacking or cause
            # If A's policy allows it, a quota is as likely as a denial, so there is no verdict about access.
            denied = bool(lacking) or diagnosis.pattern != _FULL
        return Stage(
            name,
            Status.DENIED if denied else Status.FAILED,
            diagnosis.title,
            action=diagnosis.action,
            side=diagnosis.side,
            cause=cause,
            fix=fix,
            detail=error.detail or error.title,
            pattern=diagnosis.pattern,
            policy_arn=diagnosis.policy_arn,
            authorization_id=diagnosis.authorization_id,
            details_url=diagnosis.details_url,
        )

    def _known(self) -> dict[str, str]:
        """Values that a fix needs and a text may lack."""
        repository = self._repository
        return {
            "repository": repository.name,
            "host": repository.host,
            "region": repository.region,
            "user": self.principal,
        }

    def _from_the_policy(self, diagnosis: Diagnosis) -> tuple[str, str]:
        """What A's policy lacks ("" if nothing, or unreadable), and the fix."""
        name = self._repository.name
        principal = shlex.quote(without_session(self.principal))
        grant = f"ecr-tui grant {shlex.quote(name)} --to {principal}{self._only_tag()}"
        try:
            text = self._parties.ask(lambda: self._parties.owner.policy_text(self._repository))
            if text is None:
                return f"{name} has no repository policy, so other accounts have no access.", grant
            lacking = self._lacking(PolicyDocument.parse(text), diagnosis.action)
        except EcrTuiError:
            return "", diagnosis.fix
        return lacking, grant if lacking else diagnosis.fix

    def _only_tag(self) -> str:
        """A condition for the suggested grant, if the repository has only one possible tag."""
        own = [(k, v) for k, v in (self._repository.tags or {}).items() if not k.startswith("aws:")]
        return f" --if-tag {shlex.quote('='.join(own[0]))}" if len(own) == 1 else ""

    def _lacking(self, document: PolicyDocument, action: str) -> str:
        """ "" if the policy allows the action: the denial has another cause, or the policy is still propagating."""
        repository = self._repository
        known = before_call(self.principal, repository_arn=repository.arn, tags=repository.tags, now=datetime.now(UTC))
        # Facts that only a live request has (addresses, organization) cannot be named as a reason.
        decision = bounds(Policies(None, document), known, action, repository.arn, repository.account).best
        if "resource" not in decision.missing and "resource" not in decision.denied_by:
            return ""
        why = [r.text for r in decision.reasons if r.where == "resource" and r.kind in ("deny", "near")]
        if why:
            return "; ".join(why[:3]) + "."
        return f"No statement in the policy of {repository.name} allows {action}."


def is_denial(error: EcrTuiError) -> bool:
    """Whether permission was denied. A 403 alone is not enough: expired tokens and full repositories are 403 as
    well."""
    if isinstance(error, RegistryError):
        return diagnose(error.detail or error.title, status=error.status, action=error.action).denied
    return isinstance(error, DeniedError)


def _tells_why(error: RegistryError) -> bool:
    """Whether the error has a reason: the registry's code, or a text in the catalogue. A bare DENIED and an engine's
    "EOF" hide the reason, and an engine's network errors concern its own network."""
    if error.code not in ("", "DENIED"):
        return True
    found = diagnose(error.detail, status=error.status, action=error.action)
    return found.side not in (NETWORK, DOCKER, UNKNOWN) and found.pattern not in _VAGUE
