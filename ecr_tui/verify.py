"""Use case: prove as account B what it may do with one of A's repositories.

identity, token, login, tag, push, pull, digest, isolation, cleanup: one stage each, told as events while it runs
and as a report at the end. The accounts come as protocols (``parties``), so that this module knows neither boto3
nor docker. Isolation and cleanup run whatever happened before them; cleanup runs after a cancel too.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event as CancelEvent

from ecr_tui.aws.model import Identity, Repository
from ecr_tui.errors import Cancelled, EcrTuiError, EnvironmentFailure
from ecr_tui.parties import Consumer, Owner, RegistryCheck
from ecr_tui.reasons import Reasons, is_denial
from ecr_tui.registry.engine import Credentials, Engine, Progress, Reference, RegistryError, Transfer
from ecr_tui.registry.probe import ProbeImage, make_probe
from ecr_tui.report import (
    EventSink,
    Isolation,
    IsolationStatus,
    Report,
    Stage,
    StageEnded,
    StageName,
    StageProgress,
    StageStarted,
    Status,
    Verdict,
)

_ACCESS_STAGES = tuple(n for n in StageName if n not in (StageName.ISOLATION, StageName.CLEANUP))


@dataclass(frozen=True)
class Options:
    """``isolation`` is a repository, "auto" or "none". ``settle``: seconds during which a denied push is tried again.

    A grant needs some seconds to reach the registry (policy and tag changes are eventually consistent), so a
    verification right after one must not call the first denial final.
    """

    isolation: Repository | str = "auto"
    settle: float = 0.0


@dataclass
class _Found:
    """What a verification has found so far."""

    stages: list[Stage] = field(default_factory=list)
    principal: str = ""
    credentials: Credentials | None = None
    probe: ProbeImage | None = None
    reference: Reference | None = None
    failure: EcrTuiError | None = None
    push_attempted: bool = False
    pushed: Transfer | None = None
    isolation: Isolation | None = None
    cleaned_up: bool = True


class _Failed(Exception):
    """The current stage ended the story; its Stage is already recorded."""


class Verification:
    """One verification of one repository; call :meth:`run` once, from a worker thread."""

    def __init__(
        self,
        repository: Repository,
        *,
        consumer: Consumer,
        owner: Owner,
        engine: Engine,
        second_opinion: Callable[[], Engine] | None,
        registry_check: RegistryCheck,
        options: Options,
        on_event: EventSink,
        cancel: CancelEvent,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``second_opinion`` makes an engine that shows reasons, asked when ``engine`` hides why it was refused."""
        self._repository = repository
        self._consumer = consumer
        self._owner = owner
        self._engine = engine
        self._registry_check = registry_check
        self._options = options
        self._emit = on_event
        self._cancel = cancel
        self._now = now
        self._clock = clock
        self._found = _Found()
        self._reasons = Reasons(
            repository, consumer=consumer, owner=owner, second_opinion=second_opinion, cancel=cancel
        )

    def run(self) -> Report:
        """Never raises an :class:`EcrTuiError`: whatever fails is a stage of the report."""
        started = self._now()
        try:
            self._identity()
            credentials = self._token()
            self._login(credentials)
            reference = self._tag()
            pushed = self._push(reference, credentials)
            pulled = self._pull(reference, credentials)
            self._digest(pushed, pulled)
        except _Failed:
            pass
        finally:
            reached = {stage.name for stage in self._found.stages}
            for name in _ACCESS_STAGES:
                if name not in reached:
                    self._record(Stage(name, Status.SKIPPED, "not reached"))
            try:
                self._isolation()
            finally:
                self._cleanup()
        return self._report(started)

    # -- stages --------------------------------------------------------------------------------------------------

    def _identity(self) -> None:
        with self._stage(StageName.IDENTITY) as end:
            identity: Identity = self._consumer.identity()
            self._found.principal = identity.arn
            if identity.partition != self._repository.partition:
                raise EnvironmentFailure(
                    f"account B is in partition {identity.partition}, the repository in {self._repository.partition}",
                    hint="Access never crosses partitions: choose a profile of the repository's partition.",
                    side="account B",
                )
            same = identity.account == self._repository.account
            end(identity.arn + (" (the owner's own account: this proves no cross-account access)" if same else ""))

    def _token(self) -> Credentials:
        with self._stage(StageName.TOKEN, action="ecr:GetAuthorizationToken") as end:
            token = self._consumer.token(self._repository.region)
            end(self._lifetime(token.expires_at))
        self._found.credentials = Credentials(token.username, token.password)
        return self._found.credentials

    def _lifetime(self, expires_at: datetime | None) -> str:
        if expires_at is None:
            return "the answer tells no expiry"
        minutes = max(0, int((expires_at - self._now()).total_seconds()) // 60)
        return f"expires {expires_at:%Y-%m-%d %H:%M} UTC, in {minutes // 60} h {minutes % 60} min"

    def _login(self, credentials: Credentials) -> None:
        with self._stage(StageName.LOGIN) as end:
            self._engine.login(self._repository.host, credentials, self._cancel)
            end(f"{self._repository.host} accepts B's token (identity, not yet access)")

    def _tag(self) -> Reference:
        with self._stage(StageName.TAG) as end:
            probe = make_probe(self._now())
            reference = Reference(self._repository.host, self._repository.name, probe.tag)
            self._found.probe, self._found.reference = probe, reference
            self._engine.tag(probe, reference, self._cancel)
            end(str(reference))
        return reference

    def _push(self, reference: Reference, credentials: Credentials) -> Transfer:
        deadline = self._clock() + self._options.settle
        delay = 0.5
        with self._stage(StageName.PUSH) as end:
            while self._found.pushed is None:
                self._found.push_attempted = True
                try:
                    self._found.pushed = self._engine.push(
                        reference, credentials, self._progress(StageName.PUSH), self._cancel
                    )
                except RegistryError as error:
                    reason = self._reasons.reveal(error, self._found.probe, reference, credentials)
                    if not is_denial(reason) or self._cancel.is_set() or self._clock() + delay > deadline:
                        raise reason from error
                    self._emit(StageProgress(StageName.PUSH, Progress("", "denied: the grant may still be settling")))
                    self._cancel.wait(delay)
                    delay = min(delay * 2, 4.0)
            end(self._found.pushed.digest, size=self._found.pushed.bytes)
        return self._found.pushed

    def _pull(self, reference: Reference, credentials: Credentials) -> Transfer:
        with self._stage(StageName.PULL) as end:
            try:
                pulled = self._engine.pull(reference, credentials, self._progress(StageName.PULL), self._cancel)
            except RegistryError as error:
                raise self._reasons.reveal(error, None, None, credentials) from error
            end(pulled.digest, size=pulled.bytes)
        return pulled

    def _digest(self, pushed: Transfer, pulled: Transfer) -> None:
        with self._stage(StageName.DIGEST) as end:
            if pushed.digest != pulled.digest:
                raise EcrTuiError(
                    "what was pulled is not what was pushed",
                    detail=f"pushed {pushed.digest}\npulled {pulled.digest}",
                    hint="Something rewrote the image between push and pull: look for a proxy or another pusher.",
                    side="repository state",
                )
            end("the pulled digest is the pushed one")

    def _isolation(self) -> None:
        wanted, credentials = self._options.isolation, self._found.credentials
        if wanted == "none":
            self._record(Stage(StageName.ISOLATION, Status.SKIPPED, "not asked for"))
            return
        if credentials is None or self._cancel.is_set():
            self._isolation_skipped("not reached")
            return
        self._emit(StageStarted(StageName.ISOLATION))
        begun = self._clock()
        neighbour: Repository | None = wanted if isinstance(wanted, Repository) else None
        try:
            if neighbour is None:
                neighbour = self._owner.ungranted_neighbour(self._repository, self._found.principal)
            if neighbour is None:
                self._isolation_skipped("no repository in this region that account B has not been granted")
                return
            allowed = self._allowed_on(neighbour, credentials)
        except EcrTuiError as error:
            name = neighbour.name if neighbour else None
            self._found.isolation = Isolation(name, IsolationStatus.FAILED, error.title)
            stage = self._reasons.stage(StageName.ISOLATION, error, principal=self._found.principal)
            self._record(replace(stage, status=Status.FAILED, seconds=self._clock() - begun))
            return
        seconds = self._clock() - begun
        if allowed:
            message = f"account B is ALLOWED {', '.join(allowed)} on {neighbour.name}, which was not granted"
            self._found.isolation = Isolation(neighbour.name, IsolationStatus.LEAKED, message)
            self._record(
                Stage(
                    StageName.ISOLATION,
                    Status.FAILED,
                    message,
                    seconds,
                    action=allowed[0],
                    side="account A",
                    cause="Another statement, the registry policy or a wildcard principal lets B in.",
                    fix=f"aws ecr get-repository-policy --region {neighbour.region} "
                    f"--repository-name {shlex.quote(neighbour.name)}   # as account A; look for '*' and for B",
                )
            )
            return
        message = f"denied on {neighbour.name}, as it must be"
        self._found.isolation = Isolation(neighbour.name, IsolationStatus.DENIED, message)
        self._record(Stage(StageName.ISOLATION, Status.OK, message, seconds))

    def _allowed_on(self, neighbour: Repository, credentials: Credentials) -> list[str]:
        """The ECR actions that B may do there; both checks only read."""
        answers = self._registry_check.check(neighbour.host, neighbour.name, credentials)
        allowed = []
        for action, answer in sorted(answers.items()):
            if answer == "unknown":
                answer = "denied" if self._consumer.probe(neighbour, action) else "allowed"
            if answer == "allowed":
                allowed.append(action)
        return allowed

    def _isolation_skipped(self, why: str) -> None:
        self._found.isolation = Isolation(None, IsolationStatus.SKIPPED, why)
        self._record(Stage(StageName.ISOLATION, Status.SKIPPED, why))

    def _cleanup(self) -> None:
        """Remove the probe image from A's repository and from this machine. No cancel stops it: it undoes our own."""
        found, reference = self._found, self._found.reference
        if reference is None:
            self._record(Stage(StageName.CLEANUP, Status.SKIPPED, "nothing was made"))
            return
        self._emit(StageStarted(StageName.CLEANUP))
        begun = self._clock()
        problems: list[EcrTuiError] = []
        try:
            self._engine.remove_local(reference)
        except EcrTuiError as error:
            problems.append(error)
        # A push refused for want of permission left no image; after any other failure there may be one.
        in_registry = found.pushed is not None or (
            found.push_attempted and not (found.failure is not None and is_denial(found.failure))
        )
        if in_registry or self._reasons.notes:
            try:
                if found.pushed is not None:
                    self._owner.delete_image(self._repository, digest=found.pushed.digest)
                else:
                    self._owner.delete_image(self._repository, tag=reference.tag)
            except EcrTuiError as error:
                problems.append(error)
        seconds = self._clock() - begun
        if not problems:
            message = (
                "probe image and local tag removed" if in_registry else "nothing had been pushed; local tag removed"
            )
            self._record(Stage(StageName.CLEANUP, Status.OK, message, seconds))
            return
        found.cleaned_up = False
        first = problems[0]
        self._record(
            Stage(
                StageName.CLEANUP,
                Status.FAILED,
                f"the probe image may still be there: {first.title}",
                seconds,
                side=first.side,
                cause=first.title,
                fix=f"aws ecr batch-delete-image --region {self._repository.region} --repository-name "
                f"{shlex.quote(self._repository.name)} --image-ids imageTag={reference.tag}   # as account A",
                detail=first.detail,
            )
        )

    # -- bookkeeping ---------------------------------------------------------------------------------------------

    def _progress(self, name: StageName) -> Callable[[Progress], None]:
        return lambda progress: self._emit(StageProgress(name, progress))

    def _record(self, stage: Stage) -> None:
        self._found.stages.append(stage)
        self._emit(StageEnded(stage))

    @contextmanager
    def _stage(self, name: StageName, action: str = "") -> Iterator[Callable[..., None]]:
        """Times one stage and turns what goes wrong in it into its end."""
        self._emit(StageStarted(name))
        begun = self._clock()
        ended: list[Stage] = []

        def end(message: str, *, size: int | None = None) -> None:
            ended.append(Stage(name, Status.OK, message, self._clock() - begun, bytes=size))

        try:
            if self._cancel.is_set():
                raise Cancelled
            yield end
        except EcrTuiError as error:
            self._found.failure = error
            stage = self._reasons.stage(name, error, principal=self._found.principal, action=action)
            self._record(replace(stage, seconds=self._clock() - begun))
            raise _Failed from error
        self._record(ended[0])

    def _report(self, started: datetime) -> Report:
        found = self._found
        failure = next(
            (s for s in found.stages if s.name in _ACCESS_STAGES and s.status in (Status.DENIED, Status.FAILED)), None
        )
        unproved = found.isolation is not None and found.isolation.status in (
            IsolationStatus.LEAKED,
            IsolationStatus.FAILED,
        )
        if failure is None:
            verdict, exit_code = Verdict.ALLOWED, 1 if unproved else 0
        elif failure.status is Status.DENIED:
            verdict, exit_code = Verdict.DENIED, 1
        else:
            verdict = Verdict.ERROR
            exit_code = 3 if isinstance(found.failure, EnvironmentFailure) else 1
        return Report(
            repository=self._repository.name,
            principal=found.principal,
            engine=self._engine.name,
            engine_description=self._engine.description,
            verdict=verdict,
            stages=tuple(found.stages),
            isolation=found.isolation,
            cleaned_up=found.cleaned_up,
            started_at=started,
            digest=found.pushed.digest if found.pushed else "",
            exit_code=exit_code,
            notes=tuple(self._reasons.notes),
        )
