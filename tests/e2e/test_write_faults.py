"""Writes over a wire that loses answers, refuses, and lets somebody else write in between: nothing of others is lost,
and what the journal says is what happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.changes import apply as apply_module
from ecr_tui.changes import attempts
from ecr_tui.changes.apply import Overwritten
from ecr_tui.changes.entries import FAILED, UNKNOWN, WRITTEN
from ecr_tui.changes.plans import Plan
from ecr_tui.config import Settings
from ecr_tui.errors import ConflictError, EcrTuiError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ACCOUNT_A
from ecr_tui.workspace import Workspace
from tests.support import faulty_wire
from tests.support.cli import ecr_tui
from tests.support.faulty_wire import (
    CUT,
    DENIED,
    EXPIRED,
    INVALID,
    LOST,
    LOST_500,
    LOST_503,
    NO_PRINCIPAL,
    NO_REPOSITORY,
    THROTTLED,
    UNKNOWN_KEY,
    WRITES,
    Fault,
    FaultyWire,
)

REGION = "eu-central-1"
NAME = "my-first-repo"
USER = "arn:aws:iam::222222222222:user/devusr2"
DENY = {"Sid": "Stop", "Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"}
LOSSES = {"reset": LOST, "503": LOST_503, "500": LOST_500}
REFUSALS = {
    "denied": DENIED,
    "expired": EXPIRED,
    "unknown key": UNKNOWN_KEY,
    "invalid": INVALID,
    "no repository": NO_REPOSITORY,
    "no principal": NO_PRINCIPAL,
    "throttled": THROTTLED,
}


@pytest.fixture
def wire(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyWire]:
    monkeypatch.setattr(attempts, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(apply_module, "LOOK_AGAIN", 0.0)
    monkeypatch.setattr(apply_module, "READ_BACK_PAUSES", (0.0, 0.0))
    with faulty_wire.faulty_wire(sandbox, monkeypatch) as found:
        yield found


@pytest.fixture
def space(wire: FaultyWire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr("ecr_tui.aws.policies.PRINCIPAL_WAIT", 0.0)
    return Workspace(Settings("account-a", "dev-acc", state_dir=tmp_path / "state", cache_dir=tmp_path / "cache"))


def record(sandbox: Sandbox, name: str = NAME) -> Any:
    found = sandbox.world.records.find(ACCOUNT_A, REGION, name)
    assert found is not None
    return found


def deny(sandbox: Sandbox) -> None:
    """Somebody else adds a Deny."""
    with sandbox.world.lock:
        document = json.loads(record(sandbox).policy or '{"Version":"2012-10-17","Statement":[]}')
        document["Statement"].append(DENY)
        record(sandbox).policy = json.dumps(document)


def denies(sandbox: Sandbox) -> bool:
    return '"Deny"' in (record(sandbox).policy or "")


def granted(space: Workspace) -> Plan:
    return space.changes.plan(space.listing.repository(NAME), Grant((USER,), Access.PULL))


def run_grant(space: Workspace) -> None:
    """As the command line and a run over many do it."""
    from ecr_tui.changes.bulk import Intent

    intent = Intent.to_grant(Grant((USER,), Access.PULL))
    bulk = space.changes.bulk()
    summary = bulk.run(
        [plan for plan in bulk.plan([space.listing.repository(NAME)], intent) if isinstance(plan, Plan)], intent
    )
    for result in summary.failed:
        assert result.error is not None
        raise result.error


def apply_grant(space: Workspace) -> None:
    space.changes.apply(granted(space))


GRANTS = {"run": run_grant, "single": apply_grant}


# -- a foreign statement that is written between two attempts ----------------------------------------------------------


@pytest.mark.parametrize("how", GRANTS)
@pytest.mark.parametrize(
    "fault", [THROTTLED, CUT, Fault(False, (503, "ServiceUnavailable", "")), NO_PRINCIPAL], ids=str
)
def test_a_statement_that_is_written_between_two_attempts_is_not_lost(
    sandbox: Sandbox, wire: FaultyWire, space: Workspace, how: str, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecr_tui.aws.policies.PRINCIPAL_WAIT", 5.0)
    monkeypatch.setattr(attempts, "FIRST_WAIT", 0.01)

    def script(operation: str, count: int, carry_out: Callable[[], bytes]) -> Fault | None:
        if operation != "SetRepositoryPolicy" or count > 2:
            return None
        if count == 2:
            deny(sandbox)
        return fault

    wire.script = script
    with pytest.raises(ConflictError) as caught:
        GRANTS[how](space)
    assert caught.value.exit_code == 4
    assert denies(sandbox)
    assert granted(space).changed
    assert wire.writes == ["SetRepositoryPolicy"] * 2
    assert [entry.outcome for entry in space.changes.journal.entries()] == [
        FAILED if fault in (THROTTLED, NO_PRINCIPAL) else UNKNOWN
    ]


# -- an answer is lost, and the next attempt is refused ---------------------------------------------------------------


def grant_some(space: Workspace) -> str:
    """A write to be taken back, over a wire without faults; returns its id."""
    outcome = space.changes.apply(granted(space))
    assert outcome.entry_id
    return outcome.entry_id


def tag(space: Workspace, *, unset: tuple[str, ...] = (), **pairs: str) -> None:
    space.changes.apply_tags(space.changes.plan_tags(space.listing.repository(NAME), pairs, unset))


def undone_run(space: Workspace) -> None:
    """As the command line takes back a run."""
    bulk = space.changes.bulk()
    summary = bulk.undo(bulk.last_action())
    for result in summary.failed:
        assert result.error is not None
        raise result.error


ACTIONS: dict[str, tuple[Callable[[Workspace], object], Callable[[Workspace], object]]] = {
    "grant": (lambda space: None, apply_grant),
    "grant in a run": (lambda space: None, run_grant),
    "revoke": (
        grant_some,
        lambda space: space.changes.apply(space.changes.plan_revoke(space.listing.repository(NAME), (USER,))),
    ),
    "undo": (grant_some, lambda space: space.changes.undo()),
    "undo by id": (grant_some, lambda space: space.changes.undo(space.changes.journal.entries()[0].id)),
    "redo": (lambda space: (grant_some(space), space.changes.undo()), lambda space: space.changes.redo()),
    "undo in a run": (grant_some, undone_run),
    "tag": (lambda space: None, lambda space: tag(space, Mood="x")),
    "untag": (lambda space: None, lambda space: tag(space, unset=("Team",))),
}
FAULTS = [
    *((action, "reset", "denied") for action in ACTIONS),
    *(
        (action, loss, refusal)
        for action in ("grant", "undo in a run", "tag")
        for loss, refusal in zip(cycle(LOSSES), REFUSALS, strict=False)
        if refusal != "denied"
    ),
]
"""Each action meets one fault, and each of the three ways to write (a policy, paced in a run, tags) every one."""


def policies_and_tags(sandbox: Sandbox) -> tuple[str | None, dict[str, str]]:
    with sandbox.world.lock:
        return record(sandbox).policy, sandbox.world.records.tags(record(sandbox))


def check_journal(sandbox: Sandbox, space: Workspace, before: tuple[str | None, dict[str, str]]) -> str:
    """The outcome of the last entry, which must be what happened."""
    policy, tags = policies_and_tags(sandbox)
    last = [entry for entry in space.changes.journal.entries() if entry.record.repository == NAME][-1]
    now, then = (json.dumps(tags, sort_keys=True), json.dumps(before[1], sort_keys=True))
    if last.record.subject == "policy":
        now, then = str(policy), str(before[0])
    if last.outcome == FAILED:
        assert now == then, "noted as failed, and something was written"
    elif last.outcome == WRITTEN:
        assert now != then
    return last.outcome


@pytest.mark.parametrize(("action", "loss", "refusal"), FAULTS)
def test_a_lost_answer_and_refusals_after_it_are_a_write(
    sandbox: Sandbox,
    wire: FaultyWire,
    space: Workspace,
    action: str,
    loss: str,
    refusal: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first attempt was carried out, whatever AWS says to those after it."""
    monkeypatch.setattr("ecr_tui.changes.bulk.paced_store.PATIENCE", 0.0)
    prepare, act = ACTIONS[action]
    prepare(space)
    before = policies_and_tags(sandbox)
    wire.queue(LOSSES[loss], *[REFUSALS[refusal]] * 20)
    act(space)
    assert policies_and_tags(sandbox) != before
    assert check_journal(sandbox, space, before) == WRITTEN


@pytest.mark.parametrize(("action", "loss", "refusal"), FAULTS)
def test_an_answer_that_cannot_be_looked_for_is_unknown(
    sandbox: Sandbox,
    wire: FaultyWire,
    space: Workspace,
    action: str,
    loss: str,
    refusal: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the write may have taken away the right to look, too."""
    monkeypatch.setattr("ecr_tui.changes.bulk.paced_store.PATIENCE", 0.0)
    prepare, act = ACTIONS[action]
    prepare(space)
    before = policies_and_tags(sandbox)
    lost: list[bool] = []

    def script(operation: str, count: int, carry_out: Callable[[], bytes]) -> Fault | None:
        if operation in WRITES and not lost:
            lost.append(True)
            return LOSSES[loss]
        return REFUSALS[refusal] if lost and operation != "GetCallerIdentity" else None

    wire.script = script
    with pytest.raises(EcrTuiError) as caught:
        act(space)
    assert caught.value.exit_code == 3
    assert "unknown" in caught.value.text()
    assert check_journal(sandbox, space, before) == UNKNOWN
    # Once it can be looked at, it is settled, and taken back like any other write.
    wire.script = lambda operation, count, carry_out: None
    if action not in ("undo", "undo by id", "undo in a run"):
        last = space.changes.journal.entries()[-1]
        if last.record.subject == "tags":
            space.changes.apply_tags(space.changes.plan_tags_back(last.id))
        else:
            space.changes.undo(last.id)
        assert policies_and_tags(sandbox) == before


@pytest.mark.parametrize(("action", "refusal"), [(action, refusal) for action, _, refusal in FAULTS])
def test_a_first_and_only_attempt_that_is_refused_wrote_nothing(
    sandbox: Sandbox,
    wire: FaultyWire,
    space: Workspace,
    action: str,
    refusal: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ecr_tui.changes.bulk.paced_store.PATIENCE", 0.0)
    prepare, act = ACTIONS[action]
    prepare(space)
    before = policies_and_tags(sandbox)
    wire.queue(*[REFUSALS[refusal]] * 40)
    with pytest.raises(EcrTuiError):
        act(space)
    assert policies_and_tags(sandbox) == before
    assert check_journal(sandbox, space, before) == FAILED


@pytest.mark.parametrize("action", ACTIONS)
def test_an_attempt_that_never_arrived_is_made_again(
    sandbox: Sandbox, wire: FaultyWire, space: Workspace, action: str
) -> None:
    prepare, act = ACTIONS[action]
    prepare(space)
    before = policies_and_tags(sandbox)
    wire.queue(CUT)
    act(space)
    assert check_journal(sandbox, space, before) == WRITTEN


# -- carried out late, and killed in the middle -----------------------------------------------------------------------


@pytest.mark.parametrize("action", ["grant", "tag"])
def test_a_request_that_is_carried_out_after_the_timeout_is_unknown_until_it_shows(
    sandbox: Sandbox, wire: FaultyWire, space: Workspace, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecr_tui.aws.sessions.READ_TIMEOUT", 0.5)
    monkeypatch.setattr(attempts, "LONGEST", 0.1)
    held: list[Callable[[], bytes]] = []
    release = threading.Event()

    def script(operation: str, count: int, carry_out: Callable[[], bytes]) -> Fault | None:
        if operation not in WRITES or held:
            return None
        held.append(carry_out)
        release.wait(30)
        return CUT  # the test has carried it out

    wire.script = script
    before = policies_and_tags(sandbox)
    with pytest.raises(EcrTuiError) as caught:
        ACTIONS[action][1](space)
    assert "unknown" in caught.value.text()
    assert check_journal(sandbox, space, before) == UNKNOWN
    entry = space.changes.journal.entries()[0]
    take_back: Callable[[], object] = lambda: space.changes.undo(entry.id)  # noqa: E731
    if action == "tag":
        take_back = lambda: space.changes.apply_tags(space.changes.plan_tags_back(entry.id))  # noqa: E731
    with pytest.raises(ConflictError, match="not written yet"):
        take_back()
    assert space.changes.journal.entries()[0].outcome == UNKNOWN
    held[0]()
    assert policies_and_tags(sandbox) != before
    take_back()
    assert policies_and_tags(sandbox) == before
    assert [one.outcome for one in space.changes.journal.entries()] == [WRITTEN, WRITTEN]
    release.set()


@pytest.mark.parametrize(("carried_out", "act"), [(False, "undo"), (True, "undo"), (False, "redo")])
def test_a_change_of_tags_that_is_killed_in_the_middle_is_put_back_or_completed(
    sandbox: Sandbox, wire: FaultyWire, carried_out: bool, act: str
) -> None:
    before = policies_and_tags(sandbox)
    accounts = ("--yes", "--profile-a", "account-a", "--region", REGION)
    command = [sys.executable, "-m", "ecr_tui", "tag", NAME, "--set", "Mood=x", "--unset", "Team", *accounts]
    started: list[subprocess.Popen[bytes]] = []

    def script(operation: str, count: int, carry_out: Callable[[], bytes]) -> Fault | None:
        if operation != "TagResource":
            return None
        if carried_out:
            carry_out()
        os.kill(started[0].pid, signal.SIGKILL)
        return CUT

    wire.script = script
    started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
    process = started[0]
    assert process.wait(60) == -signal.SIGKILL, process.communicate()
    wire.script = lambda operation, count, carry_out: None
    assert "Team" not in policies_and_tags(sandbox)[1]
    assert "1 write has an unknown result. Run ecr-tui undo" in ecr_tui("cleanup", *accounts).err
    if act == "redo":
        identifier = ecr_tui("history", "--json").json[0]["id"]
        assert ecr_tui("redo", identifier, *accounts).code == 0
        assert policies_and_tags(sandbox)[1] == {"Mood": "x"}
        return
    done = ecr_tui("undo", *accounts)
    assert done.code == 0, done.err
    assert policies_and_tags(sandbox) == before
    assert ecr_tui("undo", *accounts).code == 2
    assert ecr_tui("cleanup", *accounts).err == ""


# -- somebody else at the same moment ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", GRANTS)
def test_a_write_that_is_replaced_a_moment_later_is_told_and_can_be_restored(
    sandbox: Sandbox, wire: FaultyWire, space: Workspace, how: str
) -> None:
    """Another machine compared before this write, and wrote after it."""
    before = record(sandbox).policy
    reads: list[int] = []

    def script(operation: str, count: int, carry_out: Callable[[], bytes]) -> None:
        if operation == "GetRepositoryPolicy" and "SetRepositoryPolicy" in wire.seen:
            reads.append(count)
            if len(reads) == 2:
                with sandbox.world.lock:
                    record(sandbox).policy = before
                deny(sandbox)

    wire.script = script
    with pytest.raises(Overwritten, match=r"a concurrent write to the policy of .* overwrote this grant") as caught:
        GRANTS[how](space)
    assert caught.value.exit_code == 4
    assert denies(sandbox)
    (entry,) = space.changes.journal.entries()
    assert (entry.outcome, "overwritten concurrently" in entry.detail) == (WRITTEN, True)
    assert caught.value.restore is not None
    space.changes.apply(caught.value.restore)
    assert denies(sandbox)
    assert not granted(space).changed


def test_a_statement_that_this_write_replaced_is_told_where_a_look_shows_it(
    sandbox: Sandbox, wire: FaultyWire, space: Workspace
) -> None:
    """ECR shows for a moment what somebody else wrote between the comparison and the write."""
    theirs = {"Version": "2012-10-17", "Statement": [DENY]}
    shown: list[bytes] = []

    def script(operation: str, count: int, carry_out: Callable[[], bytes]) -> bytes | None:
        if operation == "GetRepositoryPolicy" and "SetRepositoryPolicy" in wire.seen and not shown:
            body = json.dumps({"policyText": json.dumps(theirs), "repositoryName": NAME}).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n\r\n"
            shown.append(head.encode() + body)
            return shown[0]
        return None

    wire.script = script
    with pytest.raises(Overwritten, match="this grant overwrote") as caught:
        apply_grant(space)
    assert '"Stop"' in caught.value.detail
    assert "ecr-tui grant my-first-repo --from FILE" in caught.value.hint
    assert space.changes.journal.entries()[0].outcome == WRITTEN
    assert caught.value.restore is not None
    space.changes.apply(caught.value.restore)
    assert denies(sandbox)
    assert not granted(space).changed


def test_what_is_added_upon_a_write_is_no_loss(sandbox: Sandbox, wire: FaultyWire, space: Workspace) -> None:
    def script(operation: str, count: int, carry_out: Callable[[], bytes]) -> None:
        if operation == "GetRepositoryPolicy" and "SetRepositoryPolicy" in wire.seen and not denies(sandbox):
            deny(sandbox)

    wire.script = script
    apply_grant(space)
    assert "kept its statements" in space.changes.journal.entries()[0].detail
