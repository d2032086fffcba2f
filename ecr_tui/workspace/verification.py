"""Verifications: single and parallel, their record, and leftovers of killed ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event as CancelEvent
from typing import TYPE_CHECKING, NamedTuple

from ecr_tui.access.matrix import Proof, ProofKey
from ecr_tui.aws.hosts import parse_host
from ecr_tui.aws.model import Repository, Role
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.config import Consumer
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.policy.actions import Access
from ecr_tui.registry.choose import choose_engine
from ecr_tui.registry.engine import Credentials, Engine
from ecr_tui.verification.accounts import ConsumerParty, OwnerParty
from ecr_tui.verification.batch import POOL, Batch, Result, run_batch
from ecr_tui.verification.isolation import Wanted
from ecr_tui.verification.leftovers import Cleaner
from ecr_tui.verification.ports import Parties, interruptible
from ecr_tui.verification.proofs import proofs, with_changes
from ecr_tui.verification.records import Leftover, Past, Verifications
from ecr_tui.verification.report import Event, EventSink, Report
from ecr_tui.verification.verify import Options, Verification
from ecr_tui.workspace.accounts import Accounts
from ecr_tui.workspace.changes import Changes
from ecr_tui.workspace.listing import Listing
from ecr_tui.workspace.troubleshooter import Troubleshooter

if TYPE_CHECKING:
    from ecr_tui.registry.direct import DirectClient


SETTLE_SECONDS = 20.0
"""Propagation time after a grant during which a denial is not final; AWS documents no value."""


class Cleaned(NamedTuple):
    """Result of a cleanup; ``error`` is None on success, with the ``message``."""

    leftover: Leftover
    message: str
    error: EcrTuiError | None = None


class _Wish(NamedTuple):
    """Options of a verification; see :meth:`VerificationRuns.run`."""

    isolation: Wanted
    access: Access
    image: str
    tag_switch: bool


def _choose(name: str, repository: Repository) -> Engine:
    return choose_engine(name, repository.host)


def _chosen_once(name: str) -> Callable[[Repository], Engine]:
    """Engines for parallel verifications: "auto" is resolved once, because unreachable engines cause timeouts."""
    lock = threading.Lock()
    direct: list[str] = []

    def choose(repository: Repository) -> Engine:
        from ecr_tui.registry.direct import DirectEngine

        with lock:
            if direct:
                return DirectEngine(direct[0])
            engine = _choose(name, repository)
            if engine.name == "direct":
                direct.append(engine.description)
            return engine

    return choose


class _Reaching:
    """A registry check with account B's registry hosts, for other repositories than ``repository``."""

    def __init__(self, check: DirectClient, session: AwsSession, repository: Repository) -> None:
        self._check = check
        self._session = session
        self._repository = repository

    def check(
        self, host: str, repository: str, credentials: Credentials, cancel: CancelEvent | None = None
    ) -> dict[str, str]:
        known = parse_host(host)
        # Another repository may be in another region, but never in another account.
        region = known.region if known is not None else self._repository.region
        beside = replace(self._repository, uri=f"{host}/{repository}", region=region)
        return self._check.check(_host(self._session, beside), repository, credentials, cancel)


def _host(session: AwsSession, repository: Repository) -> str:
    """The host that gets account B's token for ``repository``. Raises EnvironmentFailure if it must not."""
    return session.registry_host(repository.host, repository.account, repository.region, repository.partition)


class VerificationRuns:
    """Thread-safe."""

    def __init__(self, accounts: Accounts, listing: Listing, changes: Changes, troubleshooter: Troubleshooter) -> None:
        self._accounts = accounts
        self._listing = listing
        self._changes = changes
        self._troubleshooter = troubleshooter
        self._lock = threading.Lock()
        self.record = Verifications(accounts.settings.state_folder / "verifications.jsonl")
        self._running: dict[object, tuple[CancelEvent, CancelEvent]] = {}

    def run(
        self,
        repository: Repository,
        *,
        engine: str | None = None,
        isolation: Wanted = "auto",
        access: Access = Access.PUSH_PULL,
        image: str = "",
        tag_switch: bool = False,
        on_event: EventSink,
        cancel: CancelEvent,
    ) -> Report:
        """Run it to the end. Raises only errors that prevent a start: no profile for B, no engine, read-only, or a
        deleted repository.

        ``isolation``: a repository or several, "auto", "all" or "none". ``access`` "pull" pulls ``image`` (a tag; ""
        means the newest) and writes nothing, so that it works read-only too. ``tag_switch`` temporarily removes the tag
        that the grant depends on: ask the user first. For a denial with an authorization id, call :meth:`with_opinion`
        afterwards.
        """
        self._check_verify([repository], access, image, isolation, tag_switch)
        consumer, owner = self._parties([repository])
        name, wish = engine or self._accounts.settings.engine, _Wish(isolation, access, image, tag_switch)
        return self._run(repository, consumer, owner, lambda: _choose(name, repository), wish, on_event, cancel)

    def run_many(
        self,
        repositories: Sequence[Repository],
        *,
        engine: str | None = None,
        isolation: Wanted = "auto",
        access: Access = Access.PUSH_PULL,
        image: str = "",
        tag_switch: bool = False,
        consumer: Consumer | None = None,
        pool: int | None = None,
        on_event: Callable[[Repository, Event], None] = lambda *_: None,
        on_result: Callable[[Result], None] = lambda _: None,
        cancel: CancelEvent,
    ) -> Batch:
        """As :meth:`run`, up to ``pool`` (4) at a time, as ``consumer``, by default the current one. ``on_event`` is
        called from several threads, ``on_result`` from the calling one. An error that prevents one verification is in
        its result and does not stop the others; raises only errors that prevent all. The reports include AWS's
        evaluation of a denial."""
        self._check_verify(repositories, access, image, isolation, tag_switch)
        party, owner = self._parties(repositories, consumer)
        choose, wish = (
            _chosen_once(engine or self._accounts.settings.engine),
            _Wish(isolation, access, image, tag_switch),
        )

        def one(repository: Repository) -> Report:
            return self._run(
                repository,
                party,
                owner,
                lambda: choose(repository),
                wish,
                lambda event: on_event(repository, event),
                cancel,
                ask=True,
            )

        return run_batch(repositories, one, pool=pool or POOL, on_result=on_result, cancel=cancel)

    def _check_verify(
        self,
        repositories: Sequence[Repository],
        access: Access,
        image: str,
        isolation: Wanted,
        tag_switch: bool,
    ) -> None:
        if tag_switch:
            self._accounts.settings.check_writable("a tag switch removes a tag temporarily")
        if access.writes:
            self._accounts.settings.check_writable(
                "a verification pushes a probe image",
                pushing=True,
                hint="Verify an existing image with --access pull.",
            )
        if image and not access.pulls_only:
            raise InputError("an image needs pull access", hint="Add --access pull.")
        if isinstance(isolation, str) and isolation not in ("auto", "all", "none"):
            raise InputError(f"unknown isolation {isolation!r}", hint="Use a repository name, auto, all or none.")
        others = [isolation] if isinstance(isolation, Repository) else isolation
        own = {one.arn for one in repositories}
        if not isinstance(others, str) and len(own) == 1 and {one.arn for one in others} == own:
            raise InputError("the isolation check needs another repository", hint="Name another one with --isolation.")

    def _parties(
        self, repositories: Sequence[Repository], consumer: Consumer | None = None
    ) -> tuple[ConsumerParty, OwnerParty]:
        apart = [one.arn for one in repositories]
        return ConsumerParty(self._accounts.consumer_session(consumer)), OwnerParty(
            self._accounts.session(Role.OWNER), self._listing.known, apart
        )

    def _run(
        self,
        repository: Repository,
        consumer: ConsumerParty,
        owner: OwnerParty,
        choose: Callable[[], Engine],
        wish: _Wish,
        on_event: EventSink,
        cancel: CancelEvent,
        *,
        ask: bool = False,
    ) -> Report:
        from ecr_tui.registry.direct import DirectClient, DirectEngine

        key, finished = object(), CancelEvent()
        with self._lock:
            self._running[key] = (cancel, finished)
        chosen: Engine | None = None
        try:
            session = consumer.session
            host = interruptible(lambda: _host(session, repository), cancel)
            repository = replace(repository, uri=f"{host}/{repository.name}")
            chosen = interruptible(choose, cancel)
            if wish.access.writes:
                interruptible(lambda: owner.check_exists(repository), cancel)
            settle = max(0.0, SETTLE_SECONDS - self._changes.since_grant(repository.arn))
            parties = Parties(
                repository,
                consumer,
                owner,
                chosen,
                None if chosen.name == "direct" else DirectEngine,
                _Reaching(DirectClient(), session, repository),
                self.record,
                cancel,
                wait=cancel.wait,
            )
            options = Options(wish.isolation, settle, wish.access, wish.image, wish.tag_switch, SETTLE_SECONDS)
            report = Verification(parties, options, on_event).run()
            if ask or not report.awaits_opinion:
                report = self.with_opinion(report, repository, cancel, session)
            try:
                self.record.add(repository, report.to_json())
            except EcrTuiError as error:
                report = report._replace(notes=(*report.notes, f"The result was not recorded: {error.title}."))
            return report
        finally:
            if chosen is not None:
                chosen.close()
            with self._lock:
                self._running.pop(key, None)
            finished.set()

    def with_opinion(
        self, report: Report, repository: Repository, cancel: CancelEvent, consumer: AwsSession | None = None
    ) -> Report:
        """The report with AWS's evaluation of its denial, requested as the denied side."""
        denied = report.denied
        if denied is None:
            return report
        found = self._troubleshooter.ask(
            denied.detail, denied.side, repository=repository, consumer=consumer, cancel=cancel
        )
        stages = tuple(one._replace(opinion=found) if one is denied else one for one in report.stages)
        return report._replace(stages=stages)

    def busy(self) -> bool:
        """Whether a verification is running, including its cleanup."""
        with self._lock:
            return bool(self._running)

    def close(self, patience: float = 5.0) -> bool:
        """Cancel running verifications and wait up to ``patience`` seconds for their cleanup; False if unfinished."""
        with self._lock:
            running = list(self._running.values())
        for cancel, _ in running:
            cancel.set()
        deadline = time.monotonic() + patience
        return all(done.wait(max(0.0, deadline - time.monotonic())) for _, done in running)

    def history(self, repository: Repository | None = None) -> tuple[Past, ...]:
        """Past verifications of one or all repositories, newest first."""
        return self.record.past(None if repository is None else repository.arn)

    def latest(self, account: str = "") -> dict[str, Past]:
        """The newest verification of each repository, by ARN; with ``account`` of those as that account."""
        last = self.record.last(account).values()
        return {one.arn: one for one in with_changes(last, self._changes.journal.read())}

    def proofs(self) -> dict[ProofKey, Proof]:
        """The last verification of each principal on each repository, from the files only."""
        return proofs(self.record.past(), self._changes.journal.read())

    def leftovers(self) -> tuple[Leftover, ...]:
        """Possible leftovers of killed verifications, oldest first. Makes no AWS calls."""
        return self.record.leftovers()

    def clean_leftovers(
        self,
        leftovers: Sequence[Leftover] | None = None,
        on_cleaned: Callable[[Cleaned], None] = lambda _: None,
    ) -> tuple[Cleaned, ...]:
        """Clean up these, or all: remove the probe image, restore the tag. A failure leaves that one as a leftover and
        does not stop the others. Raises InputError in read-only mode."""
        self._accounts.settings.check_writable("leftovers were not removed")
        cleaner = Cleaner(self._accounts.session(Role.OWNER), self.record)
        found = []
        for leftover in self.leftovers() if leftovers is None else leftovers:
            try:
                cleaned = Cleaned(leftover, cleaner.clean(leftover))
            except EcrTuiError as error:
                cleaned = Cleaned(leftover, error.title, error)
            found.append(cleaned)
            on_cleaned(cleaned)
        return tuple(found)
