from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecr_tui.aws.model import Repository
from ecr_tui.changes import undo as undo_module
from ecr_tui.changes.apply import Outcome, apply
from ecr_tui.changes.entries import FAILED, FOUND_BY_NEXT, NEVER_ARRIVED, UNKNOWN, WRITTEN, same_state
from ecr_tui.changes.history import LIVE, NOT_KNOWN, NOT_WRITTEN, SUPERSEDED, TAKEN_BACK, PastWrites
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.undo import settle, undo, undo_entry
from ecr_tui.errors import ConflictError, EcrTuiError, InputError
from ecr_tui.policy.actions import Access
from tests.changes.test_apply import FOREIGN, GRANT, OTHER, REPO, USER, A, Store, repo
from tests.support.planning import plan_grant, plan_revoke

SECOND = repo("second", Team="Payments")


class Driver:
    """One instance of the program on a store."""

    def __init__(self, store: Any, journal: Journal) -> None:
        self.store = store
        self.journal = journal

    def grant(self, principal: str = USER, where: Repository = REPO) -> str:
        made = apply(
            self.store,
            self.journal,
            plan_grant(self.store, where, replace(GRANT, principals=(principal,))),
            operator="me",
        )
        return made.entry_id or ""

    def revoke(self, principal: str = USER, where: Repository = REPO) -> str:
        return apply(self.store, self.journal, plan_revoke(self.store, where, (principal,))).entry_id or ""

    def undo(self, identifier: str = "", *, redo: bool = False) -> Outcome:
        if identifier:
            return undo(self.store, self.journal, identifier, account=A, redo=redo, operator="me")
        return undo(self.store, self.journal, account=A, redo=redo, operator="me")

    def redo(self, identifier: str = "") -> Outcome:
        return self.undo(identifier, redo=True)


def test_undo_redo_and_undo_again_are_one_chain(journal: Journal) -> None:
    store = Store(FOREIGN)
    me = Driver(store, journal)
    first, second = me.grant(USER), me.grant(OTHER)
    granted = store.text
    # Not the last one: the later write is named, and what differs.
    with pytest.raises(ConflictError, match="was changed by a later write; nothing was undone") as caught:
        me.undo(first)
    assert second in caught.value.detail
    assert OTHER in caught.value.detail
    assert caught.value.exit_code == 4
    undone = me.undo(second)
    assert me.undo(first).plan.kind == "undo"
    assert store.text == FOREIGN
    with pytest.raises(InputError, match="is already undone, by"):
        me.undo(first)
    # In the order in which they were taken back.
    with pytest.raises(ConflictError, match="nothing was redone"):
        me.redo(second)
    assert me.redo(first).plan.kind == "redo"
    with pytest.raises(InputError, match="is already in effect"):
        me.redo(first)
    # To undo an undo is to redo what it took back; a part of the id will do.
    redone = me.undo((undone.entry_id or "").rpartition("-")[2])
    assert redone.plan.kind == "redo"
    assert store.text == granted
    # u takes back the last write, and that is the redo.
    assert undo(store, journal).plan.kind == "undo"
    assert journal.entries()[-1].record.undoes == redone.entry_id
    assert me.redo().written
    assert store.text == granted
    assert {entry.outcome for entry in journal.entries()} == {WRITTEN}
    with pytest.raises(InputError, match="nothing to redo"):
        me.redo()
    with pytest.raises(InputError, match="no entry"):
        me.undo("20260101T000000-00000000")
    with pytest.raises(InputError, match="was written in account"):
        undo(store, journal, first, account="999999999999")
    with pytest.raises(InputError, match="read-only"):
        undo(store, journal, first, account=A, read_only="why")


def test_what_somebody_else_made_of_it_is_refused_until_it_is_back(journal: Journal) -> None:
    store = Store(FOREIGN)
    me = Driver(store, journal)
    first, second = me.grant(USER), me.grant(OTHER)
    later = store.text
    between = journal.entries()[0].record.after_text
    theirs = json.loads(FOREIGN)
    theirs["Statement"].append({**theirs["Statement"][0], "Sid": "New", "Action": "ecr:ListImages"})
    store.text = json.dumps(theirs)
    with pytest.raises(ConflictError, match="by another writer") as caught:
        me.undo(second)
    assert "not in this journal" in caught.value.detail
    assert "ecr:ListImages" in caught.value.detail
    assert json.loads(store.text) == theirs
    # They put back what the first write left: that one is the live state now, and can be taken back.
    store.text = json.dumps(json.loads(between or ""), indent=1)
    me.undo(first)
    assert store.text == FOREIGN
    # The second was overwritten by somebody, which the journal knows now: u does not stumble over it.
    with pytest.raises(InputError, match="nothing to undo"):
        me.undo()
    assert me.redo(first).written
    assert later != store.text


def test_the_same_state_twice_is_the_later_writes(journal: Journal) -> None:
    store = Store(FOREIGN)
    me = Driver(store, journal)
    first = me.grant()
    me.revoke()
    again = me.grant()
    with pytest.raises(ConflictError, match="a later write") as caught:
        me.undo(first)
    assert again in caught.value.hint
    past = PastWrites(journal.read())
    states = [past.state(row, store.text) for row in past.rows]
    assert states == [LIVE, SUPERSEDED, SUPERSEDED]


def test_rows_tell_who_what_and_what_has_become_of_it(journal: Journal) -> None:
    store = Store(FOREIGN)
    me = Driver(store, journal)
    run = journal.begin_run("grant", A, "me", {}, [])
    pull = replace(GRANT, access=Access.PULL)
    apply(store, journal, plan_grant(store, REPO, pull), operator="arn:op", run=run)
    me.grant(OTHER)
    me.undo()

    def refuse() -> None:
        raise InputError("no")

    store.before_write = refuse
    with pytest.raises(InputError):
        me.grant(OTHER)
    past = PastWrites(journal.read())
    failed, undone, other, first = past.rows
    assert [row.entry.record.kind for row in past.rows] == ["grant", "undo", "grant", "grant"]
    assert [row.access for row in past.rows] == [Access.PUSH_PULL] * 3 + [Access.PULL]
    assert first.who == "user devusr2 in 222222222222"
    assert first.run is not None
    assert [past.known_state(row) for row in past.rows] == [NOT_WRITTEN, NOT_KNOWN, TAKEN_BACK, NOT_KNOWN]
    assert [past.state(row, store.text) for row in past.rows] == [NOT_WRITTEN, LIVE, TAKEN_BACK, LIVE]
    assert [past.state(row, None) for row in past.rows] == [NOT_WRITTEN, SUPERSEDED, TAKEN_BACK, SUPERSEDED]
    told = other.to_json()
    assert told["undone_by"] == undone.id
    assert undone.to_json()["undoes"] == other.id
    assert (failed.to_json()["outcome"], failed.to_json()["detail"]) == ("failed", "no")
    told = first.to_json()
    assert (told["run"], told["operator"], told["principal"], told["before"]) == (
        run,
        "arn:op",
        USER,
        json.loads(FOREIGN),
    )
    assert {(one["op"], one["principal"]) for one in told["diff"]} == {("add", USER)}
    assert any(mark == "+" for mark, _ in first.text_diff)
    assert past.chosen(repository=REPO.name, limit=2) == past.rows[:2]
    assert past.chosen(repository="other") == past.chosen(account="999999999999") == ()


# --- outcomes that were unknown -----------------------------------------------------------------------------------


def lost(journal: Journal, identifier: str) -> None:
    """As a kill leaves it: the last line about this entry is gone."""
    lines = journal.path.read_text().splitlines(keepends=True)
    journal.path.write_text("".join(line for line in lines if not ("finish" in line and identifier in line)))
    assert next(one for one in journal.entries() if one.id == identifier).outcome == UNKNOWN


def test_an_unknown_write_is_told_by_the_next_one(journal: Journal) -> None:
    store = Store(FOREIGN)
    me = Driver(store, journal)
    first = me.grant(USER)
    lost(journal, first)
    me.grant(OTHER)
    entries = journal.entries()
    assert [(one.outcome, one.detail) for one in entries] == [(WRITTEN, FOUND_BY_NEXT), (WRITTEN, "")]
    me.undo()
    me.undo()
    assert store.text == FOREIGN


def test_an_unknown_write_that_the_next_one_did_not_find_was_not_carried_out(journal: Journal) -> None:
    store = Store(FOREIGN)
    me = Driver(store, journal)
    first = me.grant(USER)
    store.text = FOREIGN
    lost(journal, first)
    me.grant(OTHER)
    assert [(one.outcome, one.detail) for one in journal.entries()] == [(FAILED, NEVER_ARRIVED), (WRITTEN, "")]
    me.undo()
    with pytest.raises(InputError, match="nothing to undo"):
        me.undo()


def test_a_killed_undo_does_not_keep_others_from_being_taken_back(journal: Journal) -> None:
    store = Store(FOREIGN)
    me = Driver(store, journal)
    me.grant(USER, SECOND)
    me.grant(USER)
    undone = me.undo().entry_id or ""
    me.grant(OTHER)
    lines = journal.path.read_text().splitlines(keepends=True)
    journal.path.write_text("".join(line for line in lines if not ("finish" in line and undone in line)))
    for expected in (FOREIGN, FOREIGN):
        me.undo()
        assert store.text == expected
    assert store.texts[SECOND.arn] is None


@pytest.mark.parametrize("finished", [False, True])
def test_what_cannot_be_told_is_passed_over_by_undo_and_nobody_is_blamed(journal: Journal, finished: bool) -> None:
    store = Store(FOREIGN)
    me = Driver(store, journal)
    me.grant(USER, SECOND)
    first = me.grant(USER)
    unknown = me.grant(OTHER)
    lost(journal, unknown)
    theirs = json.loads(FOREIGN)
    theirs["Statement"][0]["Action"] = "ecr:ListImages"
    store.text = json.dumps(theirs)
    if finished:
        # Another write upon it found neither side, so it tells nothing.
        me.grant(OTHER)
        me.undo()
    me.undo()
    assert store.texts[SECOND.arn] is None
    with pytest.raises(InputError, match="nothing to undo"):
        me.undo()
    with pytest.raises(ConflictError) as caught:
        me.undo(unknown)
    assert "unknown" in caught.value.title
    with pytest.raises(ConflictError) as caught:
        me.redo(unknown)
    assert "unknown" in caught.value.title
    with pytest.raises(ConflictError) as caught:
        me.undo(first)
    assert "someone else" not in caught.value.text()
    assert f"{unknown}, result unknown" in caught.value.detail
    assert json.loads(store.text) == theirs


def test_a_run_that_meets_an_unknown_write_of_its_own_journal_names_it(journal: Journal) -> None:
    store = Store(FOREIGN)
    me = Driver(store, journal)
    me.grant(USER)
    unknown = me.grant(OTHER)
    lost(journal, unknown)
    with pytest.raises(ConflictError) as caught:
        undo_entry(store, journal, journal.entries()[0])
    assert "someone else" not in caught.value.text()
    assert unknown in caught.value.detail


def test_a_write_that_is_carried_out_late_is_found_and_taken_back(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(FOREIGN)
    me = Driver(store, journal)
    late = me.grant(USER)
    after, store.text = store.text, FOREIGN
    lost(journal, late)
    # It may be on its way: not in force, and not given up.
    for act in (me.undo, me.redo):
        with pytest.raises(ConflictError, match="is not written yet") as caught:
            act(late)
        assert "Retry" in caught.value.hint
    with pytest.raises(InputError, match="nothing to undo"):
        me.undo()
    assert journal.entries()[0].outcome == UNKNOWN
    with monkeypatch.context() as patch:
        patch.setattr(undo_module, "LATE", timedelta(0))
        with pytest.raises(InputError, match="was not written"):
            me.undo(late)
    assert journal.entries()[0].outcome == FAILED
    # Against all expectation it comes.
    store.text = after
    me.undo()
    assert store.text == FOREIGN
    assert [one.outcome for one in journal.entries()] == [WRITTEN, WRITTEN]


def test_taking_back_below_an_unanswered_write_says_what_may_come(journal: Journal) -> None:
    store = Store(FOREIGN)
    me = Driver(store, journal)
    me.grant(USER)
    before = store.text
    late = me.grant(OTHER)
    after, store.text = store.text, before
    lost(journal, late)
    outcome = me.undo()
    assert store.text == FOREIGN
    assert late in outcome.notes[0]
    # It comes, over what was written meanwhile; it is this journal's own, and can be taken back.
    store.text = after
    me.undo()
    assert store.text == before


# --- any sequence -------------------------------------------------------------------------------------------------


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["grant", "revoke"]), st.sampled_from([USER, OTHER]), st.booleans()),
        st.tuples(st.sampled_from(["undo", "redo"])),
        st.tuples(st.sampled_from(["undo", "redo"]), st.integers(0, 12)),
    ),
    max_size=14,
)


@given(STEPS)
@example(
    [
        ("grant", USER, True),
        ("undo",),
        ("grant", OTHER, True),
        ("revoke", OTHER, True),
        ("redo",),
    ]
)
@settings(deadline=None, max_examples=60)
def test_any_sequence_leaves_what_the_journal_says(steps: list[tuple[Any, ...]]) -> None:
    """Without others, undo never meets a conflict, and leads back to the very beginning, and redo to the end again."""
    with tempfile.TemporaryDirectory() as folder:
        journal, store = Journal(Path(folder) / "journal.jsonl"), Store(FOREIGN)
        me = Driver(store, journal)
        model = {REPO.arn: [FOREIGN], SECOND.arn: [None]}
        held: dict[str, set[str]] = {REPO.arn: set(), SECOND.arn: set()}
        for step in steps:
            before = dict(store.texts)
            where = REPO if len(step) == 3 and step[2] else SECOND
            try:
                if step[0] in ("grant", "revoke") and len(step) == 3:
                    (me.grant if step[0] == "grant" else me.revoke)(step[1], where)
                    (held[where.arn].add if step[0] == "grant" else held[where.arn].discard)(step[1])
                elif len(step) == 1:
                    me.undo(redo=step[0] == "redo")
                else:
                    entries = journal.entries()
                    me.undo(entries[step[1] % len(entries)].id if entries else "none", redo=step[0] == "redo")
            except EcrTuiError as error:
                conflicts = isinstance(error, ConflictError)
                assert {arn: text for arn, text in store.texts.items() if text} == {
                    arn: text for arn, text in before.items() if text
                }
                assert len(step) == 2 or not conflicts
                continue
            last = journal.entries()[-1:]
            if step[0] in ("undo", "redo"):
                record = last[0].record
                taken = next(entry for entry in journal.entries() if entry.id == record.undoes)
                assert store.texts.get(record.arn) == taken.record.before_text
                # In meaning: changes that come to nothing may have left another spelling of it.
                assert same_state(taken.record.subject, before.get(record.arn), taken.record.after_text)
                assert record.kind == ("redo" if taken.record.kind == "undo" else "undo")
                held[record.arn] = principals(store.texts.get(record.arn))
            for one in (REPO, SECOND):
                assert principals(store.texts.get(one.arn)) == held[one.arn]
        end, count = dict(store.texts), 0
        while next(journal.read().undoable(A), None) is not None:
            me.undo()
            count += 1
        assert [store.texts.get(arn) for arn in model] == [texts[0] for texts in model.values()]
        for _ in range(count):
            me.redo()
        assert {arn: text for arn, text in store.texts.items() if text} == {
            arn: text for arn, text in end.items() if text
        }


def principals(text: str | None) -> set[str]:
    found = [s["Principal"] for s in json.loads(text or '{"Statement": []}')["Statement"]]
    return {p for one in found if "AWS" in one for p in ([one["AWS"]] if isinstance(one["AWS"], str) else one["AWS"])}


# --- kills and other instances ------------------------------------------------------------------------------------


class FileStore:
    """Policies in a folder, for several processes. ``kill``: "before" or "after" the write."""

    def __init__(self, folder: Path, kill: str = "") -> None:
        self.folder = folder
        self.kill = kill

    def read(self, repository: Repository) -> str | None:
        path = self.folder / repository.name
        return path.read_text() if path.exists() else None

    def write(self, repository: Repository, text: str) -> None:
        if self.kill == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        (self.folder / repository.name).write_text(text)
        if self.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    def delete(self, repository: Repository) -> None:
        (self.folder / repository.name).unlink()


VICTIM = """
import sys
from pathlib import Path
from ecr_tui.changes.journal import Journal
from tests.changes.test_undo import Driver, FileStore
Driver(FileStore(Path(sys.argv[1]), sys.argv[3]), Journal(Path(sys.argv[2]))).redo(sys.argv[4])
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_kill_around_a_redo_leaves_a_true_record(moment: str, journal: Journal, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    me = Driver(FileStore(policies), journal)
    first = me.grant()
    granted = me.store.read(REPO)
    me.undo(first)
    root = Path(__file__).parents[2]
    process = subprocess.run(
        [sys.executable, "-c", VICTIM, str(policies), str(journal.path), moment, first],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    assert [entry.outcome for entry in journal.entries()] == [WRITTEN, WRITTEN, UNKNOWN]
    if moment == "before":
        assert me.redo(first).written
    else:
        with pytest.raises(InputError, match="is already in effect"):
            me.redo(first)
    assert me.store.read(REPO) == granted
    assert journal.entries()[2].outcome == (FAILED if moment == "before" else WRITTEN)
    me.undo()
    assert me.store.read(REPO) is None


def _busy(policies: Path, path: Path, principal: str, where: Repository) -> None:
    me = Driver(FileStore(policies), Journal(path))
    for _ in range(6):
        for step in (lambda: me.grant(principal), lambda: me.grant(principal, where), me.undo, me.redo):
            try:
                step()
            except (ConflictError, InputError):
                continue  # the other one was faster


def test_two_instances_leave_a_sound_journal(journal: Journal, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_busy, args=(policies, journal.path, principal, repo(f"own-{index}")))
        for index, principal in enumerate((USER, OTHER))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    store = FileStore(policies)
    history = settle(store, journal)
    assert history.damaged == ()
    assert {entry.outcome for entry in history.entries} == {WRITTEN}
    # Each found what the one before it had left, and what is there now is what the last one left.
    for entries in history.of_repository.values():
        for one, following in pairwise(entries):
            assert following.record.before_text == one.record.after_text
        last = entries[-1].record
        assert store.read(repo(last.repository)) == last.after_text
    undone = [entry.record.undoes for entry in history.entries if entry.record.undoes]
    assert len(undone) == len(set(undone)) > 0


def test_undo_in_a_long_journal_reads_as_far_back_as_it_must(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecr_tui.changes.journal._RECENT", 2500)
    store = Store(FOREIGN)
    me = Driver(store, journal)
    others = [repo(f"r{number}") for number in range(4)]
    wanted = [me.grant(USER, other) for other in others]
    first = me.grant(USER)
    assert not journal.recent().complete
    me.undo()
    assert store.text == FOREIGN
    me.undo(wanted[0])
    assert store.texts[others[0].arn] is None
    for _ in others[1:]:
        me.undo()
    assert [store.texts[other.arn] for other in others] == [None] * 4
    with pytest.raises(InputError, match="nothing to undo"):
        me.undo()
    me.redo(first)
    assert store.text != FOREIGN
