"""Planning and executing runs."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.changes import apply as apply_module
from ecr_tui.changes.apply import Outcome, PolicyStore, apply, check_account, gate
from ecr_tui.changes.bulk.intent import Intent
from ecr_tui.changes.bulk.left import Unfinished, unfinished
from ecr_tui.changes.bulk.paced_store import PacedStore, Stop
from ecr_tui.changes.bulk.pacing import Pacer
from ecr_tui.changes.bulk.pool import Pool
from ecr_tui.changes.bulk.result import FAILED, REFUSED, UNCHANGED, UNTRIED, WRITTEN, Progress, Result, Summary
from ecr_tui.changes.entries import DISMISSED, DONE, STOPPED, UNDO, Entry, History, Run
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import Plan, with_trust
from ecr_tui.changes.undo import plan_undo_from, repository_of, settle, target, undo_entry
from ecr_tui.errors import Cancelled, CredentialsError, EcrTuiError, EnvironmentFailure, InputError
from ecr_tui.policy.trusted import Trusted

PARALLEL = 8
"""More is not faster: ECR's control calls take some 30 ms, and are limited to some tens per second."""
HOPELESS = 5
"""Consecutive environment failures after which the run stops."""

OnProgress = Callable[[Progress], None]
OnPlanned = Callable[[int, int], None]


class Account(Protocol):
    """Account A as a run needs it. ``store`` and ``fresh`` send each request once."""

    @property
    def account(self) -> str: ...
    @property
    def operator(self) -> str: ...

    def store(self, *, patient: bool) -> PolicyStore:
        """``patient``: wait for a principal that ECR does not know yet."""

    def fresh(self, repository: Repository, /) -> Repository:
        """The repository with its live tags."""

    @property
    def trusted(self) -> Trusted | None: ...

    def registry(self, region: str, /) -> RegistryFacts | None: ...

    def touched(self, repository: Repository, /) -> None:
        """Its policy changed, or may have."""


class _Job(NamedTuple):
    """``entry``: the entry to undo; ``plan`` is then its preview."""

    plan: Plan
    entry: Entry | None = None


class Bulk:
    """The runs of one account. Every method blocks; callbacks run on the calling thread."""

    def __init__(self, account: Account, journal: Journal, *, read_only: str = "", parallel: int = PARALLEL) -> None:
        self._account = account
        self._journal = journal
        self._read_only = read_only
        self._parallel = max(1, parallel)
        self.pacer = Pacer()

    def plan(
        self,
        repositories: Iterable[Repository],
        intent: Intent,
        *,
        texts: Mapping[str, str | None] | None = None,
        listed_tags: bool = False,
        on_progress: OnPlanned | None = None,
        cancel: threading.Event | None = None,
    ) -> list[Plan | EcrTuiError]:
        """A plan or an error for each repository, without duplicates and in order. Raises Cancelled and
        CredentialsError.

        ``texts`` by ARN were just read (``workspace.listing.policies``): such a repository needs no call, and keeps its
        listed tags. For the others, tags and policy are read, two calls each; with ``listed_tags`` the policy
        alone where the listing has tags.
        """
        rows = list({row.arn: row for row in repositories}.values())
        known = texts or {}
        store = self._account.store(patient=False)
        stop = Stop(cancel)

        def made(row: Repository, text: str | None) -> Plan:
            return with_trust(intent.plan(row, text, self._account.registry(row.region)), self._account.trusted)

        def one(row: Repository) -> Plan | EcrTuiError:
            try:
                if row.arn in known:
                    return made(row, known[row.arn])
                paced = PacedStore(store, self.pacer, stop)
                fresh = row if listed_tags and row.tags is not None else paced.ask(lambda: self._account.fresh(row))
                return made(fresh, paced.read(fresh))
            except (Cancelled, CredentialsError):
                raise
            except EcrTuiError as error:
                return error

        found: dict[str, Plan | EcrTuiError] = {}
        with Pool(one, rows, self._parallel, stop) as pool:
            for row, planned in pool:
                found[row.arn] = planned
                if on_progress is not None:
                    on_progress(len(found), len(rows))
        if len(found) < len(rows):
            raise Cancelled
        return [found[row.arn] for row in rows]

    def run(
        self,
        plans: Sequence[Plan],
        intent: Intent,
        *,
        on_progress: OnProgress | None = None,
        pause: threading.Event | None = None,
        cancel: threading.Event | None = None,
        resumes: Run | None = None,
    ) -> Summary:
        """Write the plans exactly as previewed, except those that ECR would reject.

        ``pause`` delays the rest while set, ``cancel`` stops it; writes in progress are finished. Raises InputError in
        read-only mode or for a repository of another account, and EnvironmentFailure if the journal is not writable;
        all other failures are in the summary.
        """
        return self._run([_Job(plan) for plan in plans], intent, on_progress, pause, cancel, resumes)

    def undo(
        self,
        entries: Sequence[Entry],
        *,
        reason: str = "",
        on_progress: OnProgress | None = None,
        pause: threading.Event | None = None,
        cancel: threading.Event | None = None,
    ) -> Summary:
        """Undo these writes (:meth:`last_action`), except where the live policy changed; of undos, redo."""
        previews = undo_preview(entries, reason)
        jobs = [_Job(plan, entry) for plan, entry in zip(previews, entries, strict=True)]
        intent = Intent(
            jobs[0].plan.kind if jobs else UNDO, principals=jobs[0].plan.named if jobs else (), reason=reason
        )
        return self._run(jobs, intent, on_progress, pause, cancel, None)

    def last_action(self, *, redo: bool = False) -> tuple[Entry, ...]:
        """The last write (``redo``: the last undo) or its whole run, as far as still in effect, newest first.

        Calls AWS only for writes with an unknown result.
        """
        account = self._account.account

        def some(history: History) -> bool:
            return bool(history.last_action(account, redo=redo))

        return self._settled(some).last_action(account, redo=redo)

    def of_run(self, run: str, *, redo: bool = False) -> tuple[Entry, ...]:
        """The entries to undo so that nothing of that run is in effect (``redo``: so that all of it is)."""
        history = self._settled(lambda history: any(one.id == run for one in history.runs))
        if not any(one.id == run and one.account == self._account.account for one in history.runs):
            raise InputError(
                f"no run {run!r} of this account in the journal", hint="Run ecr-tui history to list the runs."
            )
        found = []
        for entry in history.run_entries(run):
            with contextlib.suppress(InputError):
                found.append(target(history, entry, redo=redo))
        return tuple(found)

    def _settled(self, enough: Callable[[History], bool]) -> History:
        account = self._account
        with self._journal.writing():
            return settle(
                account.store(patient=False),
                self._journal,
                account=account.account,
                tags_for=lambda entry: account.fresh(repository_of(entry)).tags or {},
                enough=enough,
            )

    # -- after a crash -------------------------------------------------------------------------------------------

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Unfinished runs of this account, newest first. Makes no AWS calls."""
        return unfinished(self._journal, self._account.account)

    def resume(
        self,
        left: Unfinished,
        intent: Intent | None = None,
        *,
        again: bool = False,
        on_progress: OnPlanned | None = None,
        cancel: threading.Event | None = None,
    ) -> list[Plan | EcrTuiError]:
        """Plans for the rest of a run (``again``: and for its failures) on the live policies, for a preview; continue
        with :meth:`run` and ``resumes``. ``intent``: the run's own, read before. Writes that were not journalled show
        as unchanged."""
        self._settled(lambda history: any(one.id == left.run.id for one in history.runs))
        rows = (*left.rest, *(left.failed if again else ()))
        intent = intent or Intent.from_json(left.run.intent)
        return self.plan(rows, intent, on_progress=on_progress, cancel=cancel)

    def dismiss(self, left: Unfinished) -> None:
        """Drop the rest of a run."""
        self._journal.end_run(left.run.id, DISMISSED)

    # -- execution -----------------------------------------------------------------------------------------------

    def _run(
        self,
        jobs: Sequence[_Job],
        intent: Intent,
        on_progress: OnProgress | None,
        pause: threading.Event | None,
        cancel: threading.Event | None,
        resumes: Run | None,
    ) -> Summary:
        self._gate(jobs)
        began = time.monotonic()
        todo = [job for job in jobs if job.plan.changed and not job.plan.refused]
        results = [Result(job.plan.repository, _untouched(job.plan), job.plan) for job in jobs]
        places = {id(job): place for place, job in enumerate(jobs)}
        work = _Work(self._account, self._journal, self.pacer, self._begin(todo, intent, resumes), pause, Stop(cancel))
        calls, refusals = self.pacer.calls, self.pacer.refusals
        done = failed = 0
        try:
            with Pool(work.one, todo, self._parallel, work.stop, pilot=True) as pool:
                for job, result in pool:
                    results[places[id(job)]] = result
                    if result.status == UNTRIED:
                        continue
                    done += 1
                    failed += result.status == FAILED
                    if on_progress is not None:
                        left = (len(todo) - done) * (time.monotonic() - began) / done
                        on_progress(
                            Progress(done, len(todo), failed, result, self.pacer.rate, self.pacer.refusals, left)
                        )
        finally:
            work.look_again()
            for place, result in enumerate(results):
                error = work.overwritten.get(result.repository.arn)
                if error is not None:
                    results[place] = result._replace(status=FAILED, error=error)
            note = self._end(work.run, DONE if done == len(todo) else STOPPED)
        return Summary(
            work.run,
            tuple(results),
            time.monotonic() - began,
            self.pacer.calls - calls,
            self.pacer.refusals - refusals,
            work.fatal,
            note,
        )

    def _end(self, run: str, how: str) -> str:
        """ "", or why the end of the run was not journalled."""
        try:
            if run:
                self._journal.end_run(run, how)
        except EnvironmentFailure as error:
            return f"the journal was not updated with the end of the run: {error.title}"
        return ""

    def _begin(self, todo: Sequence[_Job], intent: Intent, resumes: Run | None) -> str:
        if resumes is not None:
            self._journal.take_over_run(resumes.id)
            return resumes.id
        if len(todo) < 2:
            return ""  # a single write is in the journal as one
        targets = [(one.name, one.arn, one.region) for one in (job.plan.repository for job in todo)]
        account = self._account
        return self._journal.begin_run(intent.kind, account.account, account.operator, intent.to_json(), targets)

    def _gate(self, jobs: Sequence[_Job]) -> None:
        gate(self._read_only)
        for job in jobs:
            check_account(job.plan.repository, self._account.account)


def _untouched(plan: Plan) -> str:
    """The status of a plan that was not written."""
    return UNCHANGED if not plan.changed else REFUSED if plan.refused else UNTRIED


def undo_preview(entries: Sequence[Entry], reason: str = "") -> list[Plan]:
    """Preview of the undo of these writes, if the live policies are unchanged. Makes no AWS calls."""
    return [plan_undo_from(entry, entry.record.after_text, reason=reason) for entry in entries]


class _Work:
    """Writes repositories from several threads."""

    def __init__(
        self,
        account: Account,
        journal: Journal,
        pacer: Pacer,
        run: str,
        pause: threading.Event | None,
        cancel: Stop,
    ) -> None:
        self._account = account
        self._journal = journal
        self._pacer = pacer
        self.run = run
        self._pause = pause
        self._fatal = threading.Event()
        self.stop = Stop(cancel, self._fatal)
        self.fatal: EcrTuiError | None = None
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._patient = True
        self._written: deque[tuple[float, Outcome]] = deque()
        """Due times of the second read (monotonic clock), in order."""
        self.overwritten: dict[str, EcrTuiError] = {}
        """By ARN."""

    def one(self, job: _Job) -> Result:
        """Never raises."""
        row, plan = job.plan.repository, job.plan
        try:
            while self._pause is not None and self._pause.is_set():
                self.stop.wait(0.05)
            self.look_again(time.monotonic())
            outcome = self._write(job)
        except Cancelled:
            return Result(row, UNTRIED, plan)
        except Exception as exc:
            error = exc if isinstance(exc, EcrTuiError) else EcrTuiError(f"{row.name} failed", detail=repr(exc))
            self._heed(error)
            self._account.touched(row)
            return Result(row, FAILED, plan, error=error)
        self._heed(None)
        self._account.touched(row)
        if outcome.written:
            with self._lock:
                self._written.append((time.monotonic() + apply_module.LOOK_AGAIN, outcome))
        return Result(row, WRITTEN if outcome.written else UNCHANGED, outcome.plan, outcome)

    def look_again(self, until: float = math.inf) -> None:
        """Read the written policies again that are due by ``until``, waiting for each."""
        while True:
            with self._lock:
                if not self._written or self._written[0][0] > until:
                    return
                due, outcome = self._written.popleft()
            time.sleep(max(0.0, due - time.monotonic()))
            store = PacedStore(self._account.store(patient=False), self._pacer, Stop())
            error = apply_module.look_again(store, self._journal, outcome)
            if error is not None:
                self.overwritten[outcome.plan.repository.arn] = error
                self._account.touched(outcome.plan.repository)

    def _write(self, job: _Job) -> Outcome:
        with self._lock:
            # Wait once for a new principal, not in every repository.
            patient, self._patient = self._patient, False
        store = PacedStore(self._account.store(patient=patient), self._pacer, self.stop)
        operator = self._account.operator
        if job.entry is not None:
            reason = job.plan.reason
            return undo_entry(
                store, self._journal, job.entry, operator=operator, run=self.run, pace=store, reason=reason
            )
        return apply(store, self._journal, job.plan, operator=operator, run=self.run, pace=store)

    def _heed(self, error: EcrTuiError | None) -> None:
        with self._lock:
            self._in_a_row = self._in_a_row + 1 if isinstance(error, EnvironmentFailure) else 0
            if isinstance(error, CredentialsError) or self._in_a_row >= HOPELESS:
                self.fatal = self.fatal or error
                self._fatal.set()
