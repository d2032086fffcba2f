"""The record of verifications: what is left over and what is not, whatever happened to the file or to the programs."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.aws.model import Repository
from ecr_tui.changes.processes import this_process
from ecr_tui.errors import EnvironmentFailure
from ecr_tui.verification.records import Verifications

PLACE = Repository(
    "app", "arn:aws:ecr:eu-central-1:111111111111:repository/app", "host:1/app", "eu-central-1", "111111111111"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "verifications.jsonl"


@pytest.fixture
def record(path: Path) -> Verifications:
    return Verifications(path)


def rewrite(path: Path, **changes: Any) -> None:
    """Change what the first line says."""
    first, *rest = path.read_text().splitlines()
    value = json.loads(first)
    for key, change in changes.items():
        value[key] = {**value[key], **change} if isinstance(change, dict) else change
    path.write_text("\n".join([json.dumps(value), *rest]) + "\n")


def noted_by_another_program(path: Path, code: str = "") -> None:
    program = f"""
from pathlib import Path
from ecr_tui.aws.model import Repository
from ecr_tui.verification.records import Verifications
Verifications(Path({str(path)!r})).probe(Repository(**{dataclasses.asdict(PLACE)!r}), "ecr-tui-verify-x", "docker")
{code}
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_nothing_is_written_before_there_is_something(record: Verifications, path: Path) -> None:
    assert record.leftovers() == record.past() == ()
    assert not path.parent.exists()


def test_what_this_program_is_about_is_no_leftover(record: Verifications) -> None:
    note = record.probe(PLACE, "ecr-tui-verify-x", "direct")
    assert record.leftovers() == ()
    record.settle(note)
    assert record.leftovers() == ()


def test_what_a_program_that_ended_has_not_settled_is_left_over(record: Verifications, path: Path) -> None:
    noted_by_another_program(path)
    (left,) = record.leftovers()
    assert (left.kind, left.tag, left.engine, left.place) == ("probe", "ecr-tui-verify-x", "docker", PLACE)
    assert left.what == "the probe image app:ecr-tui-verify-x"
    record.settle(left.id)
    assert record.leftovers() == ()


def test_what_could_not_be_put_right_is_left_over_at_once(record: Verifications) -> None:
    note = record.untagging(PLACE, "Team", "Payments")
    assert record.leftovers() == ()
    record.leave(note, "denied")
    (left,) = record.leftovers()
    assert (left.kind, left.key, left.value, left.what) == ("tag", "Team", "Payments", "the tag Team=Payments of app")


def test_a_note_of_a_killed_process_is_left_over_at_once(record: Verifications, path: Path) -> None:
    """It held its lock until then: a process that starts with the same number takes nothing over."""
    code = (
        "import sys, time; from pathlib import Path; from ecr_tui.changes.processes import this_process\n"
        "print(this_process(Path(sys.argv[1]))['lock'], flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path.parent)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        lock = other.stdout.readline().strip()
        record.probe(PLACE, "t", "direct")
        rewrite(path, process={"host": socket.gethostname(), "lock": lock})
        assert record.leftovers() == ()
        other.kill()
    assert len(record.leftovers()) == 1


def test_the_lock_files_of_ended_processes_are_removed(tmp_path: Path) -> None:
    running = tmp_path / "running"
    running.mkdir()
    for name, age in (("1-old", 120), ("2-new", 0)):
        (running / name).touch()
        os.utime(running / name, (time.time() - age, time.time() - age))
    held = Path(this_process(tmp_path)["lock"])
    os.utime(held, (0, 0))
    this_process(running / "..")  # another spelling is another folder to it, and sweeps again
    assert {path.name for path in running.iterdir()} >= {"2-new", held.name}
    assert not (running / "1-old").exists()


def test_a_note_of_another_machine_is_believed_for_an_hour(record: Verifications, path: Path) -> None:
    record.probe(PLACE, "t", "direct")
    rewrite(path, process={"host": "elsewhere"})
    assert record.leftovers() == ()
    rewrite(path, at=(datetime.now(UTC) - timedelta(hours=2)).isoformat())
    assert len(record.leftovers()) == 1


def test_no_note_hides_behind_a_living_process_for_ever(record: Verifications, path: Path) -> None:
    record.probe(PLACE, "t", "direct")
    rewrite(path, at=(datetime.now(UTC) - timedelta(hours=2)).isoformat())
    assert len(record.leftovers()) == 1


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "{}",
        '{"event":"probe","id":"1","at":"2026-01-01T00:00:00+00:00"}',
        '{"event":"verified","id":"1","at":"yesterday","arn":"x","report":{}}',
        '{"event":"of a later version","id":"1","at":"2026-01-01T00:00:00+00:00"}',
    ],
)
def test_a_damaged_line_hides_no_other(record: Verifications, path: Path, line: str) -> None:
    record.add(PLACE, {"repository": "app", "verdict": "allowed"})
    path.write_text(f"{line}\n{path.read_text()}")
    assert [one.repository for one in record.past()] == ["app"]
    assert [one.line for one in record.read().damaged] == [1]


def test_half_a_line_is_kept_and_the_next_one_is_whole(record: Verifications, path: Path) -> None:
    record.add(PLACE, {"repository": "app"})
    with path.open("a") as file:
        file.write('{"event":"verif')
    record.add(PLACE, {"repository": "later"})
    assert [one.repository for one in record.past()] == ["later", "app"]


def test_what_was_null_is_left_out(record: Verifications, path: Path) -> None:
    record.add(PLACE, {"repository": "app", "digest": None, "stages": [{"name": "push", "fix": None}], "passed": True})
    (past,) = record.past()
    assert past.report == {"repository": "app", "stages": [{"name": "push"}], "passed": True}
    assert past.passed
    assert "null" not in path.read_text()


def test_the_newest_of_each_repository(record: Verifications) -> None:
    other = dataclasses.replace(PLACE, name="b", arn=PLACE.arn + "-b")
    for place, verdict in ((PLACE, "denied"), (other, "error"), (PLACE, "allowed")):
        record.add(place, {"repository": place.name, "verdict": verdict})
    assert {arn: one.verdict for arn, one in record.last().items()} == {PLACE.arn: "allowed", other.arn: "error"}
    assert [one.verdict for one in record.past(PLACE.arn)] == ["allowed", "denied"]


def test_a_file_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    record = Verifications(tmp_path / "file" / "verifications.jsonl")
    with pytest.raises(EnvironmentFailure, match="record of verifications"):
        record.probe(PLACE, "t", "direct")
