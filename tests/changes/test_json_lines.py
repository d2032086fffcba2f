"""The journal's file where others may touch it: what is no file of ours is refused, and what cannot be read is told."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.aws.model import Repository
from ecr_tui.changes.entries import WRITTEN
from ecr_tui.changes.history import PastWrites
from ecr_tui.changes.journal import Journal
from ecr_tui.errors import EnvironmentFailure
from ecr_tui.verification.records import Verifications
from tests.changes.test_journal import record
from tests.support.cli import ecr_tui


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.jsonl")


def fifo(path: Path) -> None:
    os.mkfifo(path)


def symlink(path: Path) -> None:
    victim = path.parent / "victim"
    victim.write_text("theirs\n")
    path.symlink_to(victim)


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", [fifo, symlink, folder])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    state = tmp_path / "state"
    state.mkdir()
    journal = Journal(state / "journal.jsonl")
    make(journal.path)
    for act in (journal.read, lambda: journal.begin(record())):
        with pytest.raises(EnvironmentFailure, match="is not a regular file") as caught:
            act()
        assert str(journal.path) in caught.value.title
        assert "ECR_TUI_STATE_DIR" in caught.value.hint
    assert journal.heads() == []
    assert not (state / "victim").exists() or (state / "victim").read_text() == "theirs\n"
    assert stat.S_IMODE((state / "victim").stat().st_mode) != 0o600 if (state / "victim").exists() else True


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", [fifo, symlink])
def test_a_lock_that_is_no_regular_file_is_refused(journal: Journal, make: Callable[[Path], None]) -> None:
    journal.path.parent.mkdir()
    make(journal.path.with_name("journal.jsonl.lock"))
    with pytest.raises(EnvironmentFailure, match="is not a regular file"), journal.writing():
        pytest.fail("it was locked")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(journal: Journal) -> None:
    journal.begin(record())
    os.chown(journal.path, 12345, -1)
    for act in (journal.read, lambda: journal.begin(record())):
        with pytest.raises(EnvironmentFailure, match="belongs to another user"):
            act()


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
def test_folders_are_for_the_owner_alone_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    journal = Journal(tmp_path / "new" / "state" / "ecr-tui" / "journal.jsonl")
    old = os.umask(mask)
    try:
        with journal.writing("arn"):
            journal.begin(record())
    finally:
        os.umask(old)
    made = [tmp_path / "new", tmp_path / "new/state", journal.path.parent, journal.path.parent / "locks"]
    assert [stat.S_IMODE(one.stat().st_mode) for one in made] == [0o700] * 4
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


WRONG: list[dict[str, Any]] = [
    *({name: value} for name in ("kind", "repository", "arn", "region", "account") for value in (5, None, [], {})),
    *({name: value} for name in ("before_text", "after_text") for value in (5, [], {"Version": "2012-10-17"}, True)),
    *({name: value} for name in ("principal", "operator", "run", "subject") for value in (None, 5, ["x"])),
    *({"undoes": value} for value in (5, ["x"], {})),
    *({"v": value} for value in (None, "1", 2, 99, [], True)),
    *({"id": value} for value in (5, None, [], "")),
    *({"at": value} for value in (5, None, "yesterday", "2025-01-01", "2025-01-01T00:00:00")),
    {"event": ["begin"]},
    {"kind": "dance"},
    {"subject": "weather"},
    {"before_text": "\ud800"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_a_line_of_another_type_is_told_and_kept(journal: Journal, wrong: dict[str, Any]) -> None:
    first = journal.begin(record())
    line = json.loads(journal.path.read_text())
    journal.finish(first, WRITTEN)
    bad = json.dumps(line | {"id": "20250101T000000-00000000"} | wrong)
    with journal.path.open("a") as file:
        file.write(bad + "\n")
    history = journal.read()
    assert [(entry.id, entry.outcome) for entry in history.entries] == [(first, WRITTEN)]
    assert [damage.line for damage in history.damaged] == [3]
    assert bad in journal.path.read_text()
    assert PastWrites(history).rows[0].to_json()


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "perhaps"},
        {"outcome": ["written"]},
        {"detail": 5},
        {"id": ["x"]},
        {"v": 2},
        {"at": "2025-01-01T00:00:00"},
    ],
    ids=repr,
)
def test_an_end_of_another_type_is_told(journal: Journal, wrong: dict[str, Any]) -> None:
    first = journal.begin(record())
    journal.finish(first, WRITTEN)
    begun, finished = journal.path.read_text().splitlines()
    journal.path.write_text(f"{begun}\n{json.dumps(json.loads(finished) | wrong)}\n")
    history = journal.read()
    assert [entry.outcome for entry in history.entries] == ["unknown"]
    assert len(history.damaged) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"intent": "x"},
        {"intent": [["a", 1]]},
        {"targets": "abc"},
        {"targets": [["a", "b"]]},
        {"targets": [["a", "b", 5]]},
        {"by": [["pid", 1]]},
        {"account": 5},
        {"v": 7},
    ],
    ids=repr,
)
def test_a_run_of_another_type_is_told(journal: Journal, wrong: dict[str, Any]) -> None:
    journal.begin_run("grant", "1", "me", {"kind": "grant"}, [("a", "arn", "r")])
    journal.path.write_text(json.dumps(json.loads(journal.path.read_text()) | wrong) + "\n")
    assert (journal.read().runs, len(journal.read().damaged)) == ((), 1)


def test_a_later_version_says_so(journal: Journal) -> None:
    journal.begin(record())
    journal.path.write_text(json.dumps(json.loads(journal.path.read_text()) | {"v": 2}) + "\n")
    (damage,) = journal.read().damaged
    assert "newer version" in damage.why


def test_commands_live_with_odd_lines(isolated_environment: Path) -> None:
    state = isolated_environment / "state"
    journal = Journal(state / "journal.jsonl")
    journal.begin(record())
    line = json.loads(journal.path.read_text())
    with journal.path.open("a") as file:
        for wrong in WRONG:
            file.write(json.dumps(line | wrong) + "\n")
    told = ecr_tui("history")
    assert told.code == 0
    assert told.err.count("skipped") == len(WRONG)
    assert ecr_tui("history", "--json").code == 0


def test_the_record_of_verifications_checks_its_lines_too(tmp_path: Path) -> None:
    found = Verifications(tmp_path / "verifications.jsonl")
    place = Repository("app", "arn", "host/app", "r", "1")
    found.probe(place, "tag", "direct")
    line = json.loads(found.path.read_text())
    wrongs: list[dict[str, Any]] = [{"v": 2}, {"v": None}, {"at": "2025-01-01T00:00:00"}, {"process": [["pid", 1]]}]
    wrongs += [{"repository": 5}, {"event": ["probe"]}, {"event": "verified", "report": [["a", 1]]}]
    with found.path.open("a") as file:
        for wrong in wrongs:
            file.write(json.dumps(line | wrong) + "\n")
    assert [damage.line for damage in found.read().damaged] == list(range(2, len(wrongs) + 2))
