"""Runs over many repositories: what each of them costs and becomes, what stops a run, and what is left of one."""

from __future__ import annotations

import errno
import heapq
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.access.matrix import grantees_of
from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.changes import apply as apply_module
from ecr_tui.changes.bulk import (
    FAILED,
    UNCHANGED,
    UNTRIED,
    WRITTEN,
    Bulk,
    Intent,
    Pacer,
    Progress,
    Summary,
    undo_preview,
    unfinished,
)
from ecr_tui.changes.bulk.runs import HOPELESS
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import Plan, plan_grant_from
from ecr_tui.config import Settings
from ecr_tui.errors import (
    Cancelled,
    ConflictError,
    CredentialsError,
    DeniedError,
    EcrTuiError,
    EnvironmentFailure,
    InputError,
    Throttled,
)
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant, equivalent
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.trusted import Trusted
from ecr_tui.render.runs import failures_text
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ACCOUNT_A, AwsCall
from ecr_tui.workspace import Workspace

PATIENCE = 30.0
REGION = "eu-central-1"
USER = "arn:aws:iam::222222222222:user/devusr2"
GRANT = Grant((USER,), Access.PULL)
TO_GRANT = Intent.to_grant(GRANT)
FOREIGN = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Theirs",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::333333333333:root"},
                "Action": "ecr:BatchGetImage",
            }
        ],
    }
)


def repository(name: str, account: str = ACCOUNT_A, **tags: str) -> Repository:
    return Repository(name, f"arn:aws:ecr:{REGION}:{account}:repository/{name}", f"h/{name}", REGION, account, tags)


ROWS = [repository(f"r{number:02d}") for number in range(12)]


class Memory:
    """Account A in memory. ``hooks`` by (operation, name) run inside a call and may raise."""

    account, operator = ACCOUNT_A, f"arn:aws:iam::{ACCOUNT_A}:user/ops"

    def __init__(self) -> None:
        self.texts: dict[str, str | None] = {}
        self.calls: Counter[tuple[str, str]] = Counter()
        self.order: list[tuple[str, str]] = []
        self.hooks: dict[tuple[str, str], Callable[[], None]] = {}
        self.always: Callable[[str, str], None] = lambda operation, name: None
        self.told: list[str] = []
        self.patient: list[bool] = []
        self.lock = threading.Lock()
        self.running = self.most = 0

    def _call(self, operation: str, row: Repository) -> None:
        with self.lock:
            self.calls[operation, row.name] += 1
            self.order.append((operation, row.name))
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            self.always(operation, row.name)
            self.hooks.get((operation, row.name), lambda: None)()
        finally:
            with self.lock:
                self.running -= 1

    def store(self, *, patient: bool) -> Memory:
        self.patient.append(patient)
        return self

    def read(self, row: Repository) -> str | None:
        self._call("read", row)
        return self.texts.get(row.arn)

    def write(self, row: Repository, text: str) -> None:
        self._call("write", row)
        self.texts[row.arn] = text

    def delete(self, row: Repository) -> None:
        self._call("delete", row)
        self.texts[row.arn] = None

    def fresh(self, row: Repository) -> Repository:
        self._call("tags", row)
        return replace(row, tags={"Team": "fresh"})

    trusted: Trusted | None = None

    def registry(self, region: str) -> RegistryFacts | None:
        return None

    def touched(self, row: Repository) -> None:
        self.told.append(row.name)

    def granted(self, row: Repository) -> bool:
        text = self.texts.get(row.arn)
        return text is not None and USER in text


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def bulk(memory: Memory, journal: Journal) -> Bulk:
    return Bulk(memory, journal)


def test_access_for_a_stranger_is_a_risk_of_each_plan(memory: Memory, bulk: Bulk) -> None:
    memory.trusted = Trusted()
    found = [one for one in bulk.plan(ROWS[:2], Intent.to_grant(GRANT)) if isinstance(one, Plan)]
    assert [one.risks[-1].partition(":")[0] for one in found] == ["Access for a stranger"] * 2


def plans(memory: Memory, rows: list[Repository] = ROWS) -> list[Plan]:
    return [plan_grant_from(row, memory.texts.get(row.arn), GRANT) for row in rows]


def statuses(summary: Summary) -> dict[str, str]:
    return {result.repository.name: result.status for result in summary.results}


def fail(error: Exception) -> Callable[[], None]:
    def hook() -> None:
        raise error

    return hook


# -- planning ----------------------------------------------------------------------------------------------------


def test_plans_come_in_order_each_repository_once_with_two_calls(bulk: Bulk, memory: Memory) -> None:
    progress: list[tuple[int, int]] = []
    found = bulk.plan([*ROWS, ROWS[0]], TO_GRANT, on_progress=lambda *p: progress.append(p))
    assert [plan.repository.name for plan in found if isinstance(plan, Plan)] == [row.name for row in ROWS]
    assert {plan.repository.tags["Team"] for plan in found if isinstance(plan, Plan) and plan.repository.tags} == {
        "fresh"
    }
    assert set(memory.calls.values()) == {1}
    assert set(memory.calls) == {(kind, row.name) for kind in ("tags", "read") for row in ROWS}
    assert progress == [(done, len(ROWS)) for done in range(1, len(ROWS) + 1)]


def test_texts_that_were_read_before_cost_nothing(bulk: Bulk, memory: Memory) -> None:
    texts = {row.arn: FOREIGN for row in ROWS[:6]} | {ROWS[6].arn: None}
    found = bulk.plan(ROWS[:8], TO_GRANT, texts=texts)
    assert set(memory.calls) == {("tags", "r07"), ("read", "r07")}
    assert [plan.before_text for plan in found if isinstance(plan, Plan)] == [*[FOREIGN] * 6, None, None]


def test_listed_tags_are_enough_where_they_are_known(bulk: Bulk, memory: Memory) -> None:
    bulk.plan([ROWS[0], replace(ROWS[1], tags=None)], TO_GRANT, listed_tags=True)
    assert set(memory.calls) == {("read", "r00"), ("read", "r01"), ("tags", "r01")}


def test_a_repository_that_cannot_be_planned_leaves_the_others(bulk: Bulk, memory: Memory) -> None:
    memory.hooks["tags", "r03"] = fail(DeniedError("no tags"))
    memory.texts[ROWS[4].arn] = "no policy"
    found = bulk.plan(ROWS, TO_GRANT)
    assert isinstance(found[3], DeniedError)
    assert isinstance(found[4], InputError)
    assert sum(isinstance(plan, Plan) for plan in found) == len(ROWS) - 2


def test_without_credentials_planning_ends(bulk: Bulk, memory: Memory) -> None:
    memory.always = lambda operation, name: fail(CredentialsError("gone"))()
    with pytest.raises(CredentialsError):
        bulk.plan(ROWS, TO_GRANT)
    assert len(memory.order) <= 8


def test_planning_can_be_cancelled(memory: Memory, journal: Journal) -> None:
    cancel = threading.Event()
    memory.hooks["read", "r01"] = cancel.set
    with pytest.raises(Cancelled):
        Bulk(memory, journal, parallel=1).plan(ROWS, TO_GRANT, cancel=cancel)
    assert {name for _, name in memory.order} == {"r00", "r01"}
    memory.order.clear()
    with pytest.raises(Cancelled):
        Bulk(memory, journal).plan(ROWS, TO_GRANT, cancel=cancel)
    assert memory.order == []


@pytest.mark.parametrize(
    "intent",
    [
        TO_GRANT,
        Intent.to_grant(Grant((USER,), Access.PUSH, (("Team", "x"), ("Stage", "y")))),
        Intent.to_revoke((USER,)),
        Intent.to_revoke((USER,), Access.PUSH, foreign=True),
        Intent.to_merge(PolicyDocument.parse(FOREIGN)),
    ],
)
def test_an_intent_outlives_the_program(intent: Intent) -> None:
    again = Intent.from_json(json.loads(json.dumps(intent.to_json())))
    assert again == intent
    for text in (None, FOREIGN, plan_grant_from(ROWS[0], FOREIGN, GRANT).after_text):
        one, two = intent.plan(ROWS[0], text), again.plan(ROWS[0], text)
        assert equivalent(one.after, two.after)
        assert one.kind == two.kind
    with pytest.raises(InputError):
        Intent.from_json({"kind": "grant"})


# -- a run -------------------------------------------------------------------------------------------------------


def test_each_repository_is_written_with_four_calls(bulk: Bulk, memory: Memory, journal: Journal) -> None:
    memory.texts[ROWS[1].arn] = FOREIGN
    memory.texts[ROWS[2].arn] = plan_grant_from(ROWS[2], None, GRANT).after_text
    seen: list[Progress] = []
    summary = bulk.run(plans(memory), TO_GRANT, on_progress=seen.append)
    assert statuses(summary) == {row.name: UNCHANGED if row is ROWS[2] else WRITTEN for row in ROWS}
    assert [result.repository for result in summary.results] == ROWS
    assert all(memory.granted(row) for row in ROWS)
    assert "Theirs" in str(memory.texts[ROWS[1].arn])
    for row in ROWS:
        expected = {} if row is ROWS[2] else {"read": 3, "write": 1}
        assert {kind: n for (kind, name), n in memory.calls.items() if name == row.name} == expected
    assert (summary.calls, summary.refusals) == (4 * 11, 0)
    assert [progress.done for progress in seen] == list(range(1, 12))
    assert {progress.total for progress in seen} == {11}
    assert summary.headline() == "Written: 11 of 11; 1 unchanged"
    assert (summary.exit_code, summary.complete) == (0, True)
    assert sorted(memory.told) == [row.name for row in ROWS if row is not ROWS[2]]
    history = journal.read()
    assert {entry.record.run for entry in history.entries} == {summary.run} == {run.id for run in history.runs}
    assert history.runs[0].ended == "done"


def test_several_at_a_time_but_never_more_than_asked_for(memory: Memory, journal: Journal) -> None:
    together = threading.Barrier(3)

    def meet(operation: str, name: str) -> None:
        # The first repository goes alone; of the others three have to be under way at once.
        if operation == "write" and name in ("r01", "r02", "r03"):
            together.wait(PATIENCE)

    memory.always = meet
    summary = Bulk(memory, journal, parallel=3).run(plans(memory), TO_GRANT)
    assert len(summary.written) == len(ROWS)
    assert memory.most == 3
    assert [name for _, name in memory.order[:3]] == ["r00"] * 3


def test_one_failure_stops_no_other(bulk: Bulk, memory: Memory, journal: Journal) -> None:
    memory.hooks["write", "r00"] = fail(DeniedError("not this one", detail="User: x is not authorized"))
    memory.hooks["read", "r05"] = fail(EnvironmentFailure("server fault"))
    changed = plans(memory)
    memory.texts[ROWS[7].arn] = FOREIGN
    summary = bulk.run(changed, TO_GRANT)
    assert {name for name, status in statuses(summary).items() if status == FAILED} == {"r00", "r05", "r07"}
    assert len(summary.written) == 9
    kinds = {result.repository.name: type(result.error) for result in summary.failed}
    assert kinds == {"r00": DeniedError, "r05": EnvironmentFailure, "r07": ConflictError}
    assert memory.texts[ROWS[7].arn] == FOREIGN
    assert summary.exit_code == 3
    assert summary.headline() == "Written: 9 of 12; 3 failed"
    assert "r07" in memory.told
    assert unfinished(journal) == ()


def test_the_exit_code_is_that_of_the_failure(bulk: Bulk, memory: Memory) -> None:
    changed = plans(memory, ROWS[:3])
    memory.texts[ROWS[1].arn] = FOREIGN
    assert bulk.run(changed, TO_GRANT).exit_code == ConflictError.exit_code


def test_without_credentials_nothing_else_is_tried(bulk: Bulk, memory: Memory, journal: Journal) -> None:
    memory.hooks["read", "r00"] = fail(CredentialsError("expired"))
    summary = bulk.run(plans(memory), TO_GRANT)
    assert statuses(summary) == {row.name: FAILED if row is ROWS[0] else UNTRIED for row in ROWS}
    assert memory.order == [("read", "r00")]
    assert isinstance(summary.fatal, CredentialsError)
    assert summary.exit_code == 3
    left = unfinished(journal)[0]
    assert (left.interrupted, [row.name for row in left.rest]) == (False, [row.name for row in ROWS])


def test_where_nothing_answers_it_gives_up_after_some(memory: Memory, journal: Journal) -> None:
    memory.always = lambda operation, name: fail(EnvironmentFailure("no network"))() if name >= "r03" else None
    summary = Bulk(memory, journal, parallel=1).run(plans(memory), TO_GRANT)
    assert Counter(statuses(summary).values()) == {WRITTEN: 3, FAILED: HOPELESS, UNTRIED: 9 - HOPELESS}
    assert isinstance(summary.fatal, EnvironmentFailure)


def test_only_the_first_waits_for_a_principal_that_is_new(bulk: Bulk, memory: Memory) -> None:
    bulk.run(plans(memory), TO_GRANT)
    assert memory.patient.count(True) == 1
    assert memory.patient[0]


def test_what_was_refused_for_its_pace_is_sent_again(bulk: Bulk, memory: Memory) -> None:
    refused: set[tuple[str, str]] = set()

    def refuse_once(operation: str, name: str) -> None:
        if (operation, name) not in refused and name in ("r02", "r03"):
            refused.add((operation, name))
            raise Throttled("too fast")

    memory.always = refuse_once
    summary = bulk.run(plans(memory, ROWS[:5]), TO_GRANT)
    assert len(summary.written) == 5
    assert summary.refusals == 4
    # A look goes with each further attempt at a write, and one more follows each write.
    assert summary.calls == 4 * 5 + 4 + 2


def test_refusals_without_end_are_a_failure(bulk: Bulk, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecr_tui.changes.bulk.paced_store.PATIENCE", 0.0)
    memory.always = lambda operation, name: fail(Throttled("too fast"))() if operation == "write" else None
    summary = bulk.run(plans(memory, ROWS[:2]), TO_GRANT)
    assert {type(result.error) for result in summary.failed} == {Throttled}
    assert not any(memory.granted(row) for row in ROWS)


def test_a_cancelled_run_finishes_what_it_began(bulk: Bulk, memory: Memory, journal: Journal) -> None:
    cancel = threading.Event()
    memory.hooks["write", "r00"] = cancel.set
    summary = bulk.run(plans(memory), TO_GRANT, cancel=cancel)
    assert statuses(summary) == {row.name: WRITTEN if row is ROWS[0] else UNTRIED for row in ROWS}
    assert memory.order == [("read", "r00"), ("write", "r00"), ("read", "r00"), ("read", "r00")]
    assert summary.exit_code == 1
    assert journal.read().runs[0].ended == "stopped"


def test_a_cancel_before_the_write_writes_nothing(bulk: Bulk, memory: Memory, journal: Journal) -> None:
    cancel = threading.Event()
    memory.hooks["read", "r00"] = cancel.set
    summary = bulk.run(plans(memory), TO_GRANT, cancel=cancel)
    assert set(statuses(summary).values()) == {UNTRIED}
    assert memory.order == [("read", "r00")]
    assert [entry.outcome for entry in journal.entries()] == ["failed"]
    assert len(unfinished(journal)[0].rest) == len(ROWS)


def test_a_pause_holds_back_what_has_not_begun(bulk: Bulk, memory: Memory) -> None:
    pause = threading.Event()
    seen: list[Progress] = []
    paused = threading.Event()

    def watch(progress: Progress) -> None:
        seen.append(progress)
        if progress.done == 1:
            pause.set()
            paused.set()

    result: list[Summary] = []
    running = threading.Thread(
        target=lambda: result.append(bulk.run(plans(memory), TO_GRANT, on_progress=watch, pause=pause))
    )
    running.start()
    assert paused.wait(PATIENCE)
    # The first goes alone, so at this point nothing else can have begun.
    assert memory.order == [("read", "r00"), ("write", "r00"), ("read", "r00")]
    pause.clear()
    running.join(PATIENCE)
    assert len(result[0].written) == len(ROWS)


def test_a_paused_run_can_be_cancelled(bulk: Bulk, memory: Memory) -> None:
    pause, cancel = threading.Event(), threading.Event()

    def stop(progress: Progress) -> None:
        pause.set()
        cancel.set()

    summary = bulk.run(plans(memory), TO_GRANT, on_progress=stop, pause=pause, cancel=cancel)
    assert Counter(statuses(summary).values()) == {WRITTEN: 1, UNTRIED: len(ROWS) - 1}


def test_read_only_and_other_accounts_are_refused_before_anything(memory: Memory, journal: Journal) -> None:
    with pytest.raises(InputError, match="read-only"):
        Bulk(memory, journal, read_only="why").run(plans(memory), TO_GRANT)
    stranger = repository("x", account="999999999999")
    with pytest.raises(InputError, match="999999999999"):
        Bulk(memory, journal).run([*plans(memory), plan_grant_from(stranger, None, GRANT)], TO_GRANT)
    assert memory.order == []
    assert journal.read().entries == journal.read().runs == ()


def test_a_single_repository_is_no_run(bulk: Bulk, memory: Memory, journal: Journal) -> None:
    memory.texts[ROWS[1].arn] = plan_grant_from(ROWS[1], None, GRANT).after_text
    summary = bulk.run(plans(memory, ROWS[:2]), TO_GRANT)
    assert (summary.run, len(summary.written)) == ("", 1)
    assert journal.read().runs == ()
    assert "run" not in journal.path.read_text()


def test_a_journal_that_cannot_be_written_stops_everything(memory: Memory, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure):
        Bulk(memory, Journal(tmp_path / "file" / "journal.jsonl")).run(plans(memory), TO_GRANT)
    assert memory.order == []


def test_a_callback_that_fails_ends_the_run_and_says_so(bulk: Bulk, memory: Memory, journal: Journal) -> None:
    def broken(progress: Progress) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        bulk.run(plans(memory), TO_GRANT, on_progress=broken)
    assert journal.read().runs[0].ended == "stopped"
    assert [name for _, name in memory.order] == ["r00"] * 4


def test_other_writes_go_on_during_a_run_but_not_to_the_same_repository(
    bulk: Bulk, memory: Memory, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecr_tui.changes.journal._WRITING_WAIT", 0.05)
    tried: list[str] = []

    def write_another() -> None:
        with Journal(journal.path).writing("arn:of:another"):
            tried.append("another")
        with pytest.raises(EnvironmentFailure), Journal(journal.path).writing(ROWS[0].arn):
            tried.append("the same")
        with pytest.raises(EnvironmentFailure), Journal(journal.path).writing():
            tried.append("all")

    memory.hooks["write", "r00"] = write_another
    summary = bulk.run(plans(memory, ROWS[:2]), TO_GRANT)
    assert len(summary.written) == 2
    assert tried == ["another"]


def test_a_write_of_a_run_that_someone_else_replaced_is_told(bulk: Bulk, memory: Memory, journal: Journal) -> None:
    def replace_others(operation: str, name: str) -> None:
        if operation == "read" and memory.calls["read", name] == 3 and name == "r05":
            memory.texts[ROWS[5].arn] = FOREIGN

    memory.always = replace_others
    summary = bulk.run(plans(memory), TO_GRANT)
    assert [result.repository.name for result in summary.failed] == ["r05"]
    assert isinstance(summary.failed[0].error, apply_module.Overwritten)
    assert summary.exit_code == 4
    assert memory.told.count("r05") == 2


# -- what is left, and taking back ------------------------------------------------------------------------------------


def crash_after(memory: Memory, journal: Journal, count: int, *, unsure: bool = False) -> None:
    """As a kill would leave it: a run by a program that is gone, ``count`` repositories written, one perhaps begun."""
    targets = [(row.name, row.arn, row.region) for row in ROWS]
    run = journal.begin_run("grant", ACCOUNT_A, memory.operator, TO_GRANT.to_json(), targets)
    line = json.loads(journal.path.read_text().splitlines()[0])
    line["by"] |= {"lock": "/nowhere"}
    journal.path.write_text(json.dumps(line) + "\n")
    for plan in plans(memory, ROWS[:count]):
        apply_module.apply(memory, journal, plan, operator=memory.operator, run=run)
    if unsure:
        plan = plans(memory, [ROWS[count]])[0]
        memory.hooks["write", ROWS[count].name] = fail(KeyboardInterrupt())  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt):
            apply_module.apply(memory, journal, plan, operator=memory.operator, run=run)
        del memory.hooks["write", ROWS[count].name]
    memory.order.clear()
    memory.calls.clear()


@pytest.mark.parametrize("arrived", [False, True])
def test_an_interrupted_run_is_found_and_finished(bulk: Bulk, memory: Memory, journal: Journal, arrived: bool) -> None:
    crash_after(memory, journal, 4, unsure=True)
    if arrived:
        memory.texts[ROWS[4].arn] = plan_grant_from(ROWS[4], None, GRANT).after_text
    left = bulk.unfinished()[0]
    assert left.interrupted
    assert (left.written, [row.name for row in left.rest], left.failed) == (4, [row.name for row in ROWS[4:]], ())
    bulk.resume(left)
    rest = bulk.resume(bulk.unfinished()[0])
    summary = bulk.run([plan for plan in rest if isinstance(plan, Plan)], TO_GRANT, resumes=left.run)
    assert len(summary.written) == len(ROWS) - 4 - arrived
    assert summary.run == left.run.id
    assert all(memory.granted(row) for row in ROWS)
    assert {name for operation, name in memory.order if operation == "write"}.isdisjoint({"r00", "r01", "r02", "r03"})
    assert bulk.unfinished() == ()
    # All of it is one action, whoever finished it.
    assert {entry.record.repository for entry in bulk.last_action()} == {row.name for row in ROWS}


def test_a_run_at_work_is_nobody_elses(bulk: Bulk, memory: Memory, journal: Journal) -> None:
    found: list[Any] = []
    memory.hooks["write", "r01"] = lambda: found.append(unfinished(journal))
    bulk.run(plans(memory, ROWS[:2]), TO_GRANT)
    assert found == [()]


def test_what_failed_is_tried_again_only_when_asked(bulk: Bulk, memory: Memory, journal: Journal) -> None:
    cancel = threading.Event()
    memory.hooks["write", "r00"] = fail(DeniedError("no"))
    memory.hooks["write", "r01"] = cancel.set
    summary = Bulk(memory, journal, parallel=1).run(plans(memory, ROWS[:4]), TO_GRANT, cancel=cancel)
    assert list(statuses(summary).values()) == [FAILED, WRITTEN, UNTRIED, UNTRIED]
    left = bulk.unfinished()[0]
    assert [row.name for row in left.failed] == ["r00"]
    names = [plan.repository.name for plan in bulk.resume(left) if isinstance(plan, Plan)]
    assert names == ["r02", "r03"]
    names = [plan.repository.name for plan in bulk.resume(left, again=True) if isinstance(plan, Plan)]
    assert names == ["r02", "r03", "r00"]
    bulk.dismiss(left)
    assert bulk.unfinished() == ()


def test_a_run_of_another_account_is_not_offered(memory: Memory, journal: Journal, bulk: Bulk) -> None:
    crash_after(memory, journal, 1)
    memory.account = "999999999999"  # type: ignore[misc]
    assert bulk.unfinished() == ()
    assert len(unfinished(journal)) == 1


def test_a_run_is_taken_back_as_a_whole(bulk: Bulk, memory: Memory, journal: Journal) -> None:
    memory.texts[ROWS[1].arn] = FOREIGN
    before = dict(memory.texts)
    bulk.run(plans(memory, ROWS[9:10]), TO_GRANT)
    bulk.run(plans(memory, ROWS[:9]), TO_GRANT)
    memory.calls.clear()
    entries = bulk.last_action()
    assert len(entries) == 9
    assert [plan.after_text for plan in undo_preview(entries)].count(FOREIGN) == 1
    assert not memory.calls
    summary = bulk.undo(entries)
    assert len(summary.written) == 9
    assert {row.arn: memory.texts.get(row.arn) for row in ROWS[:9]} == {
        row.arn: before.get(row.arn) for row in ROWS[:9]
    }
    assert max(memory.calls.values()) == 3
    assert sum(memory.calls.values()) == 4 * 9
    assert [entry.record.repository for entry in bulk.last_action()] == ["r09"]
    assert bulk.unfinished() == ()
    bulk.undo(bulk.last_action())
    assert bulk.last_action() == ()


def test_taking_back_leaves_what_someone_else_has_written_since(bulk: Bulk, memory: Memory) -> None:
    bulk.run(plans(memory, ROWS[:4]), TO_GRANT)
    memory.texts[ROWS[2].arn] = FOREIGN
    summary = bulk.undo(bulk.last_action())
    assert [result.repository.name for result in summary.failed] == ["r02"]
    assert isinstance(summary.failed[0].error, ConflictError)
    assert len(summary.written) == 3
    assert memory.texts[ROWS[2].arn] == FOREIGN
    assert [entry.record.repository for entry in bulk.last_action()] == ["r02"]


def test_lines_of_earlier_versions_are_read_as_before(journal: Journal, memory: Memory, bulk: Bulk) -> None:
    old = {
        "v": 1,
        "event": "begin",
        "id": "20240101T000000-00000000",
        "at": "2024-01-01T00:00:00+00:00",
        "kind": "grant",
        "repository": "r00",
        "arn": ROWS[0].arn,
        "region": REGION,
        "account": ACCOUNT_A,
        "principal": USER,
        "operator": "",
        "before_text": None,
        "after_text": plan_grant_from(ROWS[0], None, GRANT).after_text,
        "undoes": None,
    }
    end = {"v": 1, "event": "finish", "id": old["id"], "at": old["at"], "outcome": "written", "detail": ""}
    journal.path.parent.mkdir(exist_ok=True)
    journal.path.write_text(f"{json.dumps(old)}\n{json.dumps(end)}\n")
    history = journal.read()
    assert (history.damaged, history.entries[0].record.run) == ((), "")
    memory.texts[ROWS[0].arn] = str(old["after_text"])
    assert len(bulk.undo(bulk.last_action()).written) == 1
    assert memory.texts[ROWS[0].arn] is None


# -- the pace, in a time of our own ----------------------------------------------------------------------------------


def simulate(rate: float, burst: float, latency: float, total: int, workers: int = 8) -> tuple[float, int]:
    """(the share of what the service would have allowed, refusals) of ``total`` calls by workers that heed a Pacer.

    The service is a token bucket; nothing here takes any real time.
    """
    now = [0.0]
    pacer = Pacer(lambda: now[0])
    tokens, filled, accepted, refused = burst, 0.0, 0, 0
    events: list[tuple[float, int, str]] = [(worker * 1e-6, worker, "ask") for worker in range(workers)]
    while accepted < total:
        now[0], worker, what = heapq.heappop(events)
        if what == "ask":
            heapq.heappush(events, (now[0] + pacer.turn() + latency / 2, worker, "arrives"))
            continue
        if what == "arrives":
            tokens, filled = min(burst, tokens + (now[0] - filled) * rate), now[0]
            granted = tokens >= 1
            tokens -= granted
            heapq.heappush(events, (now[0] + latency / 2, worker, "accepted" if granted else "refused"))
            continue
        if what == "accepted":
            accepted += 1
            pacer.accepted()
        else:
            refused += 1
            pacer.throttled()
        heapq.heappush(events, (now[0], worker, "ask"))
    fastest = max((total - burst) / rate, total * latency / workers)
    return fastest / now[0], refused


@pytest.mark.parametrize("latency", [0.005, 0.03, 0.15])
@pytest.mark.parametrize("burst", [0.5, 1.0, 2.0, 10.0])
@pytest.mark.parametrize("rate", [5, 10, 20, 50, 100, 300])
def test_nine_tenths_of_what_the_service_allows_are_reached(rate: int, burst: float, latency: float) -> None:
    share, refused = simulate(rate, max(2.0, burst * rate), latency, total=max(300, min(3000, 40 * rate)))
    assert share >= 0.9
    assert refused < 0.25 * max(300, min(3000, 40 * rate))


def test_room_is_left_for_the_users_own_action() -> None:
    """In the long run the bucket is not kept empty: refusals are rare."""
    _, early = simulate(20, 20, 0.03, total=400)
    _, late = simulate(20, 20, 0.03, total=4000)
    assert (late - early) / 3600 < 0.06


def test_a_rate_that_rises_is_noticed() -> None:
    now = [0.0]
    pacer = Pacer(lambda: now[0])
    for _ in range(20):
        pacer.turn()
        pacer.accepted()
        now[0] += 0.05
    pacer.turn()
    pacer.throttled()
    pacer.throttled()
    low = pacer.rate
    assert low is not None
    while now[0] < 20 and (pacer.rate or 0) < 4 * low:
        now[0] += pacer.turn()
        pacer.accepted()
    assert (pacer.rate or 0) >= 4 * low


# -- on an ECR that enforces ------------------------------------------------------------------------------------------


@pytest.fixture
def workspace(sandbox: Sandbox, tmp_path: Path) -> Workspace:
    return Workspace(Settings("account-a", "dev-acc", state_dir=tmp_path / "state", cache_dir=tmp_path / "cache"))


def many(sandbox: Sandbox, count: int) -> list[Repository]:
    with sandbox.world.lock:
        for number in range(count):
            sandbox.world.records.create(ACCOUNT_A, REGION, f"many/r{number:03d}", {"Team": "Many"})
    return [repository(f"many/r{number:03d}", Team="Many") for number in range(count)]


def live(sandbox: Sandbox, row: Repository) -> str | None:
    with sandbox.world.lock:
        record = sandbox.world.records.find(ACCOUNT_A, REGION, row.name)
        assert record is not None
        return record.policy


def test_four_calls_each_on_ecr_and_policies_to_look_at_are_read_anew(sandbox: Sandbox, workspace: Workspace) -> None:
    rows = many(sandbox, 25)
    bulk = workspace.changes.bulk()
    assert workspace.listing.policies.read_all([rows[0]])[0].value is None
    planned = [plan for plan in bulk.plan(rows, TO_GRANT) if isinstance(plan, Plan)]
    assert len(planned) == 25
    calls: Counter[tuple[str, str]] = Counter()

    def count(call: AwsCall) -> None:
        calls[call.operation, str(call.params.get("repositoryName"))] += 1

    sandbox.fault = count  # type: ignore[assignment]
    summary = bulk.run(planned, TO_GRANT)
    assert len(summary.written) == 25
    assert calls == {
        **{("GetRepositoryPolicy", row.name): 3 for row in rows},
        **{("SetRepositoryPolicy", row.name): 1 for row in rows},
    }
    assert "devusr2" in str(workspace.listing.policies.read_all([rows[0]])[0].value)
    assert len(bulk.undo(bulk.last_action()).written) == 25
    assert {live(sandbox, row) for row in rows} == {None}


class Bucket:
    """A token bucket at the door of ECR, as AWS has one for each account, region and call."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self.tokens = burst
        self.filled = time.monotonic()
        self.accepted = self.refused = self.refused_writes = 0
        self.lock = threading.Lock()

    def __call__(self, call: AwsCall) -> ServiceError | None:
        if call.service != "ecr":
            return None
        with self.lock:
            now = time.monotonic()
            self.tokens, self.filled = min(self.burst, self.tokens + (now - self.filled) * self.rate), now
            if self.tokens < 1:
                self.refused += 1
                self.refused_writes += call.operation == "SetRepositoryPolicy"
                return ServiceError("ThrottlingException", "Rate exceeded")
            self.tokens -= 1
            self.accepted += 1
            return None


def test_a_throttled_run_loses_nothing_and_looks_again_before_a_write(sandbox: Sandbox, workspace: Workspace) -> None:
    rows = many(sandbox, 40)
    bulk = workspace.changes.bulk()
    planned = bulk.plan(rows, TO_GRANT, texts=dict.fromkeys(row.arn for row in rows))
    sandbox.fault = bucket = Bucket(rate=60, burst=10)
    summary = bulk.run([plan for plan in planned if isinstance(plan, Plan)], TO_GRANT)
    assert len(summary.written) == 40
    assert bucket.accepted == 4 * 40 + bucket.refused_writes
    assert bucket.refused == summary.refusals > 0
    assert all("EcrTui" in str(live(sandbox, row)) for row in rows)


KILLED = """
import sys
from pathlib import Path
from ecr_tui.changes.bulk import Intent
from ecr_tui.config import Settings
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.workspace import Workspace

workspace = Workspace(Settings("account-a", "dev-acc", state_dir=Path(sys.argv[1])))
bulk = workspace.changes.bulk(parallel=4)
rows = [row for row in workspace.listing.repositories() if row.name.startswith("many/")]
intent = Intent.to_grant(Grant((sys.argv[2],), Access.PULL))
bulk.run(bulk.plan(rows, intent), intent)
"""


def test_a_run_that_is_killed_is_resumed(sandbox: Sandbox, workspace: Workspace) -> None:
    rows = many(sandbox, 30)
    reached, hold = threading.Event(), threading.Event()
    writes: Counter[str] = Counter()

    def fault(call: AwsCall) -> None:
        if call.operation != "SetRepositoryPolicy":
            return
        writes[str(call.params["repositoryName"])] += 1
        if len(writes) >= 12:
            reached.set()
            hold.wait(PATIENCE)

    sandbox.fault = fault  # type: ignore[assignment]
    state = workspace.settings.state_folder
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(state), USER], stderr=subprocess.PIPE)
    try:
        assert reached.wait(60), process.communicate()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    hold.set()
    sandbox.fault = None
    bulk = workspace.changes.bulk()
    left = bulk.unfinished()[0]
    assert left.interrupted
    assert 0 < left.written < 30
    assert left.written + len(left.rest) == 30
    assert Intent.from_json(left.run.intent) == TO_GRANT
    written_before = {row.name for row in rows if live(sandbox, row) is not None}
    calls: Counter[str] = Counter()

    def count(call: AwsCall) -> None:
        calls.update([str(call.params.get("repositoryName"))] if call.operation == "SetRepositoryPolicy" else [])

    sandbox.fault = count  # type: ignore[assignment]
    rest = [plan for plan in bulk.resume(left) if isinstance(plan, Plan)]
    summary = bulk.run(rest, TO_GRANT, resumes=left.run)
    assert summary.exit_code == 0
    assert set(calls) == {row.name for row in rows} - written_before
    assert all("EcrTui" in str(live(sandbox, row)) for row in rows)
    assert bulk.unfinished() == ()
    assert len(bulk.undo(bulk.last_action()).written) == 30
    assert {live(sandbox, row) for row in rows} == {None}


def test_failures_of_ecr_itself(sandbox: Sandbox, workspace: Workspace) -> None:
    rows = many(sandbox, 6)
    missing = repository("many/gone")
    bulk = workspace.changes.bulk()
    found = bulk.plan([*rows, missing], TO_GRANT)
    assert isinstance(found[-1], EcrTuiError)
    planned = [plan for plan in found if isinstance(plan, Plan)]

    def fault(call: AwsCall) -> ServiceError | None:
        if call.operation == "SetRepositoryPolicy" and call.params.get("repositoryName") == rows[3].name:
            return ServiceError("AccessDeniedException", "no")
        return None

    sandbox.fault = fault
    summary = bulk.run(planned, TO_GRANT)
    assert [result.repository.name for result in summary.failed] == [rows[3].name]
    assert summary.exit_code == 1


def test_a_run_on_a_full_disk_still_ends_with_its_summary(
    memory: Memory, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = threading.Event()
    memory.hooks["write", "r05"] = full.set
    real = os.write

    def write(descriptor: int, data: Any) -> int:
        if full.is_set() and b'"event"' in bytes(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    summary = Bulk(memory, journal, parallel=1).run(plans(memory), TO_GRANT)
    assert Counter(statuses(summary).values()) == {WRITTEN: 6, FAILED: HOPELESS, UNTRIED: 6 - HOPELESS}
    assert "No space left" in failures_text(summary)
    assert "was not updated" in summary.note
    # Nothing was written that the journal does not know.
    assert sum(memory.granted(row) for row in ROWS) == 6 == len(journal.entries())


def test_principals_that_differ_between_repositories_are_kept_for_the_rest_of_a_run() -> None:
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT_A}:repository/"
    one, two = (Repository(name, arn + name, "", REGION, ACCOUNT_A, {}) for name in ("one", "two"))
    other = "arn:aws:iam::333333333333:role/ci"
    each = {one.arn: (USER,), two.arn: (USER, other)}
    grant = Intent.to_grant(Grant((USER, other), Access.PULL), each=each)
    grant = Intent.from_json(json.loads(json.dumps(grant.to_json())))
    assert [grant.plan(row, None).named for row in (one, two)] == [(USER,), (USER, other)]
    assert "3 pairs" in grant.words()
    after = grant.plan(two, None).after
    assert after is not None
    revoke = Intent.from_json(Intent.to_revoke((USER, other), each=each).to_json())
    assert grantees_of(revoke.plan(one, after.text).after) == (other,)
    assert revoke.plan(two, after.text).after is None
