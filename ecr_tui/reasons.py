"""Why a stage failed: from the catalogue, from an engine that shows reasons, from AWS and from A's own policy."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from threading import Event as CancelEvent

from ecr_tui.aws.model import Repository
from ecr_tui.errors import Cancelled, DeniedError, EcrTuiError
from ecr_tui.parties import Consumer, Owner
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Policies, Request, context_for, decide
from ecr_tui.registry.diagnose import Diagnosis, diagnose
from ecr_tui.registry.engine import Credentials, Engine, Reference, RegistryError
from ecr_tui.registry.probe import ProbeImage
from ecr_tui.report import Stage, StageName, Status

_TEXTLESS = 403
"""A HEAD request's refusal has a status and no body, so the reason must be asked for elsewhere."""


class Reasons:
    """Explains the failures of one verification."""

    def __init__(
        self,
        repository: Repository,
        *,
        consumer: Consumer,
        owner: Owner,
        second_opinion: Callable[[], Engine] | None,
        cancel: CancelEvent,
    ) -> None:
        self._repository = repository
        self._consumer = consumer
        self._owner = owner
        self._second_opinion = second_opinion
        self._cancel = cancel
        self.notes: list[str] = []

    def reveal(
        self, error: RegistryError, probe: ProbeImage | None, reference: Reference | None, credentials: Credentials
    ) -> RegistryError:
        """The same refusal with its reason, where the engine or HTTP hid it; else ``error`` as it is.

        A push that a container engine reports as "EOF" or as an empty 403 is pushed again with the engine that names
        each request; a HEAD without text is followed by the API call that needs the same action.
        """
        reason = error
        if not _tells_why(error) and self._second_opinion and probe and reference and not self._cancel.is_set():
            reason = self._ask_again(error, probe, reference, credentials)
        if _tells_why(reason) or reason.status != _TEXTLESS or not reason.action:
            return reason
        try:
            text = self._consumer.probe(self._repository, reason.action)
        except EcrTuiError:
            return reason
        if not text:
            return reason
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

    def _ask_again(
        self, error: RegistryError, probe: ProbeImage, reference: Reference, credentials: Credentials
    ) -> RegistryError:
        try:
            engine = self._second_opinion() if self._second_opinion else None
        except EcrTuiError:
            return error
        if engine is None:
            return error
        try:
            engine.tag(probe, reference, self._cancel)
            engine.push(reference, credentials, lambda _: None, self._cancel)
        except RegistryError as shown:
            return shown
        except EcrTuiError:
            return error
        finally:
            engine.close()
        self.notes.append(
            "The registry accepted the same push made without the container engine: account B has access, "
            "and the failure is between the engine and the registry."
        )
        return error

    def stage(self, name: StageName, error: EcrTuiError, *, principal: str, action: str = "") -> Stage:
        """The failed stage as the user reads it; the caller adds the seconds."""
        if isinstance(error, Cancelled):
            return Stage(name, Status.FAILED, error.title, cause="You stopped it.")
        if isinstance(error, RegistryError):
            diagnosis = diagnose(
                error.detail or error.title,
                stage=name.value,
                status=error.status,
                action=error.action or action,
                known=self._known(principal),
            )
        elif isinstance(error, DeniedError):
            diagnosis = diagnose(
                error.detail or error.title, stage=name.value, action=action, known=self._known(principal)
            )
        else:
            return Stage(
                name,
                Status.FAILED,
                error.title,
                action=action,
                side=error.side,
                cause=error.title,
                fix=error.hint,
                detail=error.detail,
            )
        cause, fix = diagnosis.cause, diagnosis.fix
        denied = diagnosis.denied or isinstance(error, DeniedError)
        if denied and diagnosis.blames_repository_policy:
            cause, fix = self._from_the_policy(diagnosis, principal)
        return Stage(
            name,
            Status.DENIED if denied else Status.FAILED,
            diagnosis.title,
            action=diagnosis.action,
            side=diagnosis.side,
            cause=cause,
            fix=fix,
            detail=error.detail or error.title,
        )

    def _known(self, principal: str) -> dict[str, str]:
        """What a text may leave out and a fix needs."""
        repository = self._repository
        return {
            "repository": repository.name,
            "host": repository.host,
            "region": repository.region,
            "user": principal,
        }

    def _from_the_policy(self, diagnosis: Diagnosis, principal: str) -> tuple[str, str]:
        """What A's policy lacks, read from the policy itself; the catalogue's words where it can't be read."""
        name = self._repository.name
        grant = f"ecr-tui grant {shlex.quote(name)} --to {shlex.quote(principal)}{self._only_tag()}"
        try:
            text = self._owner.policy_text(self._repository)
            if text is None:
                return f"{name} has no repository policy, so account A lets nobody outside in.", grant
            lacking = self._lacking(PolicyDocument.parse(text), diagnosis.action, principal)
        except EcrTuiError:
            return diagnosis.cause, diagnosis.fix
        return (lacking, grant) if lacking else (diagnosis.cause, diagnosis.fix)

    def _only_tag(self) -> str:
        """A condition for the suggested grant, where the repository's tags leave no choice which."""
        own = [(k, v) for k, v in (self._repository.tags or {}).items() if not k.startswith("aws:")]
        return f" --if-tag {shlex.quote('='.join(own[0]))}" if len(own) == 1 else ""

    def _lacking(self, document: PolicyDocument, action: str, principal: str) -> str:
        """ "" when the policy does allow the action: then the denial has another origin, or has not settled yet."""
        repository = self._repository
        context = context_for(principal, repository.account, repository.tags or {})
        request = Request(action, repository.arn, repository.account, principal, context)
        decision = decide(request, Policies(identity=None, resource=document))
        if "resource" not in decision.missing and "resource" not in decision.denied_by:
            return ""
        why = [r.text for r in decision.reasons if r.where == "resource" and r.kind in ("deny", "near")]
        if why:
            return "; ".join(why[:3]) + "."
        return f"No statement of {repository.name}'s policy allows {action}."


def is_denial(error: EcrTuiError) -> bool:
    """Refused for want of permission. A 403 alone is not enough: stale tokens and full repositories are 403 as well."""
    if isinstance(error, RegistryError):
        return diagnose(error.detail or error.title, status=error.status, action=error.action).denied
    return isinstance(error, DeniedError)


def _tells_why(error: RegistryError) -> bool:
    """AWS's sentence, or the registry's own code; a bare DENIED or an engine's "EOF" hides the reason."""
    return "not authorized to perform" in error.detail.lower() or error.code not in ("", "DENIED")
