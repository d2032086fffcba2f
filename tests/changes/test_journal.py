from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.changes import journal as module
from ecr_tui.changes.entries import FAILED, UNKNOWN, WRITTEN, Record
from ecr_tui.changes.journal import Journal
from ecr_tui.errors import EnvironmentFailure


def record(name: str = "app", kind: str = "grant", **more: Any) -> Record:
    return Record(
        kind=kind,
        repository=name,
        arn=f"arn:aws:ecr:eu-central-1:111111111111:repository/{name}",
        region="eu-central-1",
        account=more.pop("account", "111111111111"),
        principal="arn:aws:iam::222222222222:user/devusr2",
        operator="arn:aws:iam::111111111111:user/ops",
        **more,
    )


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.jsonl")


def test_an_entry_has_two_lines_and_exact_texts(journal: Journal) -> None:
    before = '{\n  "Version" : "2008-10-17", "Id": "ümläut \u2028 \\n"\n}'
    identifier = journal.begin(record(before_text=before, after_text=None))
    (begun,) = journal.entries()
    assert (begun.id, begun.outcome, begun.finished_at) == (identifier, UNKNOWN, None)
    journal.finish(identifier, WRITTEN, "read back")
    (entry,) = journal.entries()
    assert entry.record == record(before_text=before, after_text=None)
    assert (entry.outcome, entry.detail) == (WRITTEN, "read back")
    assert entry.at.tzinfo is not None
    assert entry.finished_at is not None
    assert entry.finished_at >= entry.at
    assert len(journal.path.read_bytes().splitlines()) == 2


def test_only_the_owner_may_read_it(journal: Journal) -> None:
    old = os.umask(0)
    try:
        journal.begin(record())
    finally:
        os.umask(old)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_loose_permissions_are_tightened(journal: Journal) -> None:
    journal.begin(record())
    journal.path.chmod(0o644)
    journal.begin(record())
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_reading_creates_nothing(journal: Journal) -> None:
    assert journal.entries() == ()
    assert list(journal.read().undoable()) == []
    assert not journal.path.parent.exists()


def test_lines_are_forced_to_disk_before_begin_returns(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[int, bytes]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        info = os.fstat(descriptor)
        synced.append((info.st_ino, journal.path.read_bytes()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    identifier = journal.begin(record())
    inodes = [inode for inode, _ in synced]
    assert inodes == [journal.path.stat().st_ino, journal.path.parent.stat().st_ino]
    assert identifier.encode() in synced[0][1]


def test_the_first_undoable_is_the_newest_written_and_not_undone(journal: Journal) -> None:
    def add(name: str, outcome: str | None, kind: str = "grant", **more: Any) -> str:
        identifier = journal.begin(record(name, kind, **more))
        if outcome:
            journal.finish(identifier, outcome)
        return identifier

    first = add("a", WRITTEN)
    second = add("b", WRITTEN, "revoke")
    add("c", FAILED)
    add("d", UNKNOWN)
    add("e", None)
    other = add("f", WRITTEN, account="999999999999")

    def last(account: str | None = "111111111111") -> str | None:
        entry = next(journal.read().undoable(account), None)
        return entry.id if entry else None

    assert (last(), last(None), last("999999999999"), last("000000000000")) == (second, other, other, None)
    failed = add("b", FAILED, "undo", undoes=second)
    assert last() == second
    journal.finish(failed, WRITTEN)
    assert last() == first
    assert set(journal.read().undone_by) == {second}
    add("a", WRITTEN, "undo", undoes=first)
    assert last() is None


def test_of_several_outcomes_the_last_counts(journal: Journal) -> None:
    identifier = journal.begin(record())
    journal.finish(identifier, UNKNOWN, "no answer")
    journal.finish(identifier, WRITTEN, "found live")
    (entry,) = journal.entries()
    assert (entry.outcome, entry.detail) == (WRITTEN, "found live")


@pytest.mark.parametrize("cut", [1, 20, -2])
def test_torn_last_line_is_kept_reported_and_not_built_upon(journal: Journal, cut: int) -> None:
    whole = journal.begin(record("whole"))
    journal.begin(record("torn"))
    lines = journal.path.read_bytes().splitlines(keepends=True)
    torn = lines[1][:cut]
    journal.path.write_bytes(lines[0] + torn)
    history = journal.read()
    assert [entry.id for entry in history.entries] == [whole]
    assert [(damage.line, "truncated" in damage.why) for damage in history.damaged] == [(2, True)]
    after = journal.begin(record("after"))
    history = journal.read()
    assert [entry.id for entry in history.entries] == [whole, after]
    assert [damage.line for damage in history.damaged] == [2]
    assert torn in journal.path.read_bytes()


def test_line_that_only_lacks_its_end_still_counts(journal: Journal) -> None:
    identifier = journal.begin(record())
    journal.path.write_bytes(journal.path.read_bytes().rstrip(b"\n"))
    journal.finish(identifier, WRITTEN)
    (entry,) = journal.read().entries
    assert entry.outcome == WRITTEN
    assert journal.read().damaged == ()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\xff",
        b"[]",
        b"null",
        b'{"event":"begin"}',
        b'{"event":"finish","id":"ghost","at":"2025-01-01T00:00:00+00:00","outcome":"written"}',
        b'{"event":"dance","id":"x","at":"2025-01-01T00:00:00+00:00"}',
        b'{"event":"begin","id":"x","at":"yesterday"}',
        b'{"event":"begin","id":"x","at":"2025-01-01T00:00:00+00:00"}',
        b"[" * 100_000,
    ],
    ids=range(9),
)
def test_foreign_lines_are_reported_and_kept(journal: Journal, garbage: bytes) -> None:
    first = journal.begin(record())
    with journal.path.open("ab") as file:
        file.write(garbage + b"\n")
    journal.finish(first, WRITTEN)
    history = journal.read()
    assert [(entry.id, entry.outcome) for entry in history.entries] == [(first, WRITTEN)]
    assert [damage.line for damage in history.damaged] == [2]
    assert garbage in journal.path.read_bytes()


def test_fields_of_a_later_version_are_skipped(journal: Journal) -> None:
    journal.begin(record())
    line = json.loads(journal.path.read_text())
    journal.path.write_text(json.dumps(line | {"weather": "fine"}) + "\n")
    (entry,) = journal.read().entries
    assert entry.record == record()


WRITER = """
import sys
from ecr_tui.changes.entries import Record
from ecr_tui.changes.journal import Journal
from pathlib import Path
journal = Journal(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    entry = journal.begin(Record("grant", "app", "arn", "r", "1", before_text="x" * 5000, after_text="y" * 5000))
    journal.finish(entry, "written")
"""


def test_kill_at_any_point_leaves_a_true_record(journal: Journal) -> None:
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(journal.path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        size = journal.path.stat().st_size if journal.path.exists() else 0
        while not journal.path.exists() or journal.path.stat().st_size < size + 50_000:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        # The next instance goes on where the other one was torn away.
        journal.finish(journal.begin(record()), WRITTEN)
    history = journal.read()
    assert len(history.entries) > 4
    assert all(len(entry.record.before_text or "") in (0, 5000) for entry in history.entries)
    # At most one write was under way at each kill.
    assert sum(entry.outcome == UNKNOWN for entry in history.entries) + len(history.damaged) <= 4


def _append(path: Path, count: int) -> None:
    journal = Journal(path)
    for _ in range(count):
        journal.finish(journal.begin(record(before_text="b" * 20_000)), WRITTEN)


def test_concurrent_instances_do_not_mix_their_lines(journal: Journal) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append, args=(journal.path, 25)) for _ in range(3)]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes):
        # Reading meanwhile never sees half a line.
        assert journal.read().damaged == ()
        for process in processes:
            process.join(0.05)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    history = journal.read()
    assert len(history.entries) == 75
    assert all(entry.outcome == WRITTEN for entry in history.entries)


def test_unusable_folder_is_an_environment_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file" / "journal.jsonl")
    for call in (lambda: journal.begin(record()), lambda: journal.writing().__enter__()):
        with pytest.raises(EnvironmentFailure) as caught:
            call()
        assert str(journal.path) in caught.value.title
        assert "ECR_TUI_STATE_DIR" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EnvironmentFailure, match="Permission"):
        Journal(tmp_path / "journal.jsonl").begin(record())


def test_journal_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure):
        Journal(tmp_path).begin(record())
    with pytest.raises(EnvironmentFailure):
        Journal(tmp_path).read()


def test_full_disk_is_said_and_survived(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.begin(record("before"))
    real = os.write
    left = 30

    def write(descriptor: int, data: Any) -> int:
        nonlocal left
        if left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(descriptor, bytes(data)[:left])
        left -= written
        return written

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(EnvironmentFailure, match="No space left"):
            journal.begin(record("lost"))
    journal.begin(record("after"))
    history = journal.read()
    assert [entry.record.repository for entry in history.entries] == ["before", "after"]
    assert len(history.damaged) == 1


def test_short_writes_are_continued(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:7]))
    journal.begin(record())
    assert len(journal.entries()) == 1


def test_waiting_for_a_lock_is_bounded(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WRITING_WAIT", 0.05)
    with journal.writing():
        with pytest.raises(EnvironmentFailure, match="another instance"), Journal(journal.path).writing():
            pytest.fail("two held it at once")
        # Noting and reading go on meanwhile.
        journal.begin(record())
        assert len(journal.entries()) == 1
    with Journal(journal.path).writing():
        pass


def test_default_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_TUI_STATE_DIR", str(tmp_path / "mine"))
    assert Journal().path == tmp_path / "mine" / "journal.jsonl"
    monkeypatch.delenv("ECR_TUI_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    path = Journal().path
    assert path.name == "journal.jsonl"
    assert path.parent.name == "ecr-tui"


def test_impossible_words_are_refused(journal: Journal) -> None:
    with pytest.raises(ValueError, match="kind"):
        journal.begin(record(kind="dance"))
    identifier = journal.begin(record())
    with pytest.raises(ValueError, match="outcome"):
        journal.finish(identifier, "perhaps")


# --- a long journal -----------------------------------------------------------------------------------------------


def test_what_was_last_is_read_from_the_end(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [journal.begin(record(f"r{number}")) for number in range(50)]
    for identifier in ids:
        journal.finish(identifier, WRITTEN)
    later = journal.begin(record("later"))
    assert journal.recent() == journal.read()
    monkeypatch.setattr(module, "_RECENT", 2000)
    some = journal.recent()
    assert not some.complete
    assert [entry.id for entry in some.entries] == [later]
    assert (some.damaged, some.entries[0].outcome) == ((), UNKNOWN)
    assert journal.read(lambda history: history.find(later) is not None) == some
    assert journal.read(lambda history: history.find(ids[0]) is not None).complete
    assert Journal(journal.path.with_name("none")).recent().complete


def test_a_run_is_read_as_a_whole(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.finish(journal.begin(record("before")), WRITTEN)
    run = journal.begin_run("grant", "111111111111", "me", {}, [])
    for number in range(50):
        journal.finish(journal.begin(record(f"r{number}", run=run)), WRITTEN)
    monkeypatch.setattr(module, "_RECENT", 2000)
    some = journal.recent()
    assert [one.id for one in some.runs] == [run]
    assert len(some.last_action("111111111111")) == 50
