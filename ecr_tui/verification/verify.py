"""Use case: prove as account B what it may do with one of A's repositories.

identity, token, login, tag, push, pull, digest, isolation, cleanup: one stage each, with events while it runs and a
report at the end. The accounts are protocols (``ports``), so this module depends on neither boto3 nor docker. Isolation
and cleanup run regardless of previous failures; cleanup also runs after a cancel.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from ecr_tui.errors import DeniedError, EcrTuiError, EnvironmentFailure
from ecr_tui.policy.actions import Access
from ecr_tui.registry.engine import Credentials, RegistryError
from ecr_tui.verification.diagnosis import Reasons
from ecr_tui.verification.isolation import IsolationCheck, Wanted, isolation_stage
from ecr_tui.verification.ports import Parties
from ecr_tui.verification.report import (
    EventSink,
    Isolation,
    IsolationStatus,
    Report,
    Stage,
    StageName,
    StageStarted,
    Status,
    TagStepEnded,
    TagSwitch,
    Verdict,
    stages_of,
    worst,
)
from ecr_tui.verification.stages import StageFailed, StageLog
from ecr_tui.verification.tag_switch import TagSwitcher
from ecr_tui.verification.transfers import Transfers

_ACCESS_STAGES = tuple(n for n in StageName if n not in (StageName.ISOLATION, StageName.CLEANUP))


class Options(NamedTuple):
    """``access``: the access to prove; "pull" pulls ``image`` (a tag, by default the newest) and pushes nothing.

    ``settle``: seconds during which a denial is retried. A grant takes some seconds to propagate to the registry
    (policy and tag changes are eventually consistent), so the first denial right after one is not final.
    ``switch_settle`` is the same for a tag switch, which makes such changes itself.
    """

    isolation: Wanted = "auto"
    settle: float = 0.0
    access: Access = Access.PUSH_PULL
    image: str = ""
    tag_switch: bool = False
    switch_settle: float = 20.0


class Verification:
    """One verification of one repository; call :meth:`run` once, from a worker thread."""

    def __init__(
        self,
        parties: Parties,
        options: Options,
        on_event: EventSink,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._parties = parties
        self._repository = parties.repository
        self._options = options
        self._now = now
        self._reasons = Reasons(parties)
        self._log = StageLog(on_event, parties.cancel, parties.clock, self._reasons.stage)
        self._transfers = Transfers(parties, self._log, self._reasons, options.settle)
        self._principal = ""
        self._credentials: Credentials | None = None
        self._failure: EcrTuiError | None = None
        self._can_read: bool | None = None
        self._isolations: tuple[Isolation, ...] = ()
        self._tag_switch: TagSwitch | None = None

    def run(self) -> Report:
        """Never raises an :class:`EcrTuiError`: failures are stages of the report. A listener's exception is raised
        after cleanup."""
        started, begun = self._now(), self._parties.clock()
        cleaned_up = False
        try:
            self._identity()
            if StageName.TOKEN in self._unasked:
                self._log.skip(StageName.TOKEN, "not requested")
                self._log.skip(StageName.LOGIN, "not requested")
            else:
                self._login(self._token())
            self._read()
            if self._credentials is not None:
                self._prove(self._credentials)
        except StageFailed as failed:
            self._failure = failed.error
        finally:
            for name in stages_of(self._options.access):
                if name in _ACCESS_STAGES and not self._log.reached(name):
                    self._log.skip(name, "not requested" if name in self._unasked else "not reached")
            try:
                self._transfers.look_at_pull()
                self._switch_tag()
                self._isolation()
            finally:
                cleaned_up = self._transfers.clean_up()
        if self._log.fault is not None:
            raise self._log.fault
        return self._report(started, self._parties.clock() - begun, cleaned_up)

    @property
    def _unasked(self) -> tuple[StageName, ...]:
        parts = self._options.access.parts
        if not self._options.access.uses_registry:
            return tuple(name for name in _ACCESS_STAGES if name not in (StageName.IDENTITY, StageName.READ))
        return tuple(name for name in (StageName.PUSH, StageName.PULL) if name.value not in parts)

    # -- stages --------------------------------------------------------------------------------------------------

    def _identity(self) -> None:
        with self._log.running(StageName.IDENTITY) as end:
            identity = self._parties.ask(self._parties.consumer.identity)
            self._principal = self._reasons.principal = identity.arn
            if identity.partition != self._repository.partition:
                raise EnvironmentFailure(
                    f"account B is in partition {identity.partition}, the repository in {self._repository.partition}",
                    hint="Choose a profile in the repository's partition. Access never crosses partitions.",
                    side="account B",
                )
            same = identity.account == self._repository.account
            end(identity.arn + (" (same account as the owner: not a cross-account proof)" if same else ""))

    def _token(self) -> Credentials:
        with self._log.running(StageName.TOKEN, action="ecr:GetAuthorizationToken") as end:
            token = self._parties.ask(lambda: self._parties.consumer.token(self._repository.region))
            end(self._lifetime(token.expires_at))
        self._credentials = Credentials(token.username, token.password)
        return self._credentials

    def _lifetime(self, expires_at: datetime | None) -> str:
        if expires_at is None:
            return "no expiry in the response"
        minutes = max(0, int((expires_at - self._now()).total_seconds()) // 60)
        return f"expires {expires_at:%Y-%m-%d %H:%M} UTC, in {minutes // 60} h {minutes % 60} min"

    def _login(self, credentials: Credentials) -> None:
        with self._log.running(StageName.LOGIN) as end:
            try:
                self._parties.engine.login(self._repository.host, credentials, self._parties.cancel)
            except RegistryError as error:
                raise self._reasons.of_login(error, credentials) from error
            end(f"{self._repository.host} accepts account B's token (identity only, not access)")

    def _read(self) -> None:
        """Read the repository's metadata through ECR's API, which needs no registry token."""
        if "read" not in self._options.access.parts:
            return
        with self._log.running(StageName.READ) as end:
            actions = Access.READ.actions
            for action in actions:
                refusal = self._parties.ask(partial(self._parties.consumer.probe, self._repository, action))
                if refusal is not None:
                    self._can_read = False
                    raise DeniedError(f"{action} was denied", detail=refusal, side="account B")
            self._can_read = True
            end(f"{len(actions)} API calls were allowed")

    def _prove(self, credentials: Credentials) -> None:
        transfers = self._transfers
        if StageName.PUSH in self._unasked:
            transfers.choose(self._options.image)
            self._log.skip(StageName.PUSH, "not requested")
        else:
            transfers.tag(self._now())
            transfers.push(credentials)
        if StageName.PULL in self._unasked:
            self._log.skip(StageName.PULL, "not requested")
        else:
            transfers.pull(credentials)
        transfers.compare()

    def _switch_tag(self) -> None:
        if not self._options.tag_switch:
            return
        if self._failure is not None or self._credentials is None or self._parties.cancel.is_set():
            self._tag_switch = TagSwitch(Status.SKIPPED, "unchanged: access was not verified")
            return
        switcher = TagSwitcher(
            self._parties, self._options.switch_settle, lambda step: self._log.tell(TagStepEnded(step))
        )
        self._tag_switch = switcher.run(self._principal, self._credentials)

    def _isolation(self) -> None:
        wanted, credentials = self._options.isolation, self._credentials
        if wanted == "none":
            self._log.skip(StageName.ISOLATION, "not requested")
            return
        if StageName.TOKEN in self._unasked:
            why = "needs a registry token, which read access alone does not use"
            self._isolations = (Isolation(None, IsolationStatus.SKIPPED, why),)
            self._log.skip(StageName.ISOLATION, why)
            return
        if credentials is None or self._parties.cancel.is_set():
            self._isolations = (Isolation(None, IsolationStatus.SKIPPED, "not reached"),)
            self._log.skip(StageName.ISOLATION, "not reached")
            return
        self._log.tell(StageStarted(StageName.ISOLATION))
        begun = self._parties.clock()
        stage: Stage
        try:
            self._isolations = IsolationCheck(self._parties).run(wanted, self._principal, credentials)
            stage = isolation_stage(self._isolations, self._parties.clock() - begun)
        except EcrTuiError as error:
            self._isolations = (Isolation(None, IsolationStatus.FAILED, error.title),)
            stage = self._reasons.stage(StageName.ISOLATION, error)._replace(
                status=Status.FAILED,
                seconds=self._parties.clock() - begun,
            )
        self._log.record(stage)

    # -- the end -------------------------------------------------------------------------------------------------

    def _report(self, started: datetime, seconds: float, cleaned_up: bool) -> Report:
        stages, isolation = tuple(self._log.stages), worst(self._isolations)
        failure = next(
            (s for s in stages if s.name in _ACCESS_STAGES and s.status in (Status.DENIED, Status.FAILED)), None
        )
        unproved = isolation is not None and isolation.status in (IsolationStatus.LEAKED, IsolationStatus.FAILED)
        if self._tag_switch is not None and self._tag_switch.status is not Status.OK:
            unproved = True
        if failure is None:
            verdict, exit_code = Verdict.ALLOWED, 1 if unproved else 0
        elif failure.status is Status.DENIED:
            verdict, exit_code = Verdict.DENIED, 1
        else:
            verdict = Verdict.ERROR
            exit_code = 3 if isinstance(self._failure, EnvironmentFailure) else 1
        return Report(
            repository=self._repository.name,
            principal=self._principal,
            engine=self._parties.engine.name,
            engine_description=self._parties.engine.description,
            verdict=verdict,
            stages=stages,
            isolation=isolation,
            cleaned_up=cleaned_up,
            started_at=started,
            digest=self._transfers.digest,
            exit_code=exit_code,
            notes=(*self._reasons.notes, *self._transfers.remarks),
            access=self._options.access.value,
            arn=self._repository.arn,
            region=self._repository.region,
            image=str(self._transfers.reference or ""),
            seconds=seconds,
            isolations=self._isolations,
            tag_switch=self._tag_switch,
            can_read=self._can_read,
            can_push=self._transfers.can_push,
            can_pull=self._transfers.can_pull,
            cancelled=self._parties.cancel.is_set(),
        )
