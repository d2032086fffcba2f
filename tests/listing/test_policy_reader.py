"""Which repository is read when, and which answers count: every read is held until the test lets it go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecr_tui.aws.model import Repository
from ecr_tui.errors import Cancelled, DeniedError, EcrTuiError
from ecr_tui.listing.policy_reader import TTL, Answer, BackgroundReader, PolicyReader

PATIENCE = 20.0


def repository(number: int) -> Repository:
    return Repository(f"r{number}", f"arn:{number}", f"host/r{number}", "eu-central-1", "111111111111")


class Source:
    """What would be AWS: :meth:`let` answers the oldest read that is under way (or the next one)."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.begun: list[str] = []
        self.running = 0
        self.most = 0
        self.open = False
        self.answers: dict[str, Any] = {}
        self._let: set[str] = set()

    def read(self, row: Repository) -> str | None:
        with self.changed:
            self.begun.append(row.name)
            self.running += 1
            self.most = max(self.most, self.running)
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self.open or row.name in self._let, PATIENCE)
            self._let.discard(row.name)
            self.running -= 1
            self.changed.notify_all()
        answer = self.answers.get(row.name, f"policy of {row.name}")
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    def let(self, *names: str) -> None:
        with self.changed:
            self._let.update(names)
            self.changed.notify_all()

    def let_all(self) -> None:
        with self.changed:
            self.open = True
            self.changed.notify_all()

    def wait_begun(self, count: int) -> list[str]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.begun) >= count, PATIENCE), self.begun
            return list(self.begun)

    def wait_idle(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.running == 0, PATIENCE)


class Heard:
    def __init__(self, reader: BackgroundReader[str | None]) -> None:
        self.answers: list[Answer[str | None]] = []
        self.changed = threading.Condition()
        self.leave = reader.listen(self)

    def __call__(self, answer: Answer[str | None]) -> None:
        with self.changed:
            self.answers.append(answer)
            self.changed.notify_all()

    def wait(self, count: int) -> list[str]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.answers) >= count, PATIENCE)
            return [answer.repository.name for answer in self.answers]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def source() -> Iterator[Source]:
    made = Source()
    yield made
    made.let_all()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(source: Source, clock: Clock) -> Iterator[Callable[..., BackgroundReader[str | None]]]:
    made: list[BackgroundReader[str | None]] = []

    def reader(threads: int = 1) -> BackgroundReader[str | None]:
        made.append(BackgroundReader(source.read, threads=threads, clock=clock))
        return made[-1]

    yield reader
    for one in made:
        one.close()


Make = Callable[..., BackgroundReader[str | None]]


def test_the_row_under_the_cursor_comes_first_then_the_rows_in_view(source: Source, make: Make) -> None:
    reader = make()
    heard = Heard(reader)
    rows = [repository(n) for n in range(5)]
    reader.want(rows, first=rows[3])
    source.let_all()
    heard.wait(5)
    assert source.begun == ["r3", "r0", "r1", "r2", "r4"]
    assert [reader.known(row.arn).value for row in rows] == [f"policy of {row.name}" for row in rows]  # type: ignore[union-attr]


def test_what_has_scrolled_out_of_view_is_not_read_any_more(source: Source, make: Make) -> None:
    reader = make()
    heard = Heard(reader)
    reader.want([repository(n) for n in range(5)])
    source.wait_begun(1)
    reader.want([repository(n) for n in (7, 8)])
    source.let_all()
    assert heard.wait(3) == ["r0", "r7", "r8"]
    source.wait_idle()
    assert source.begun == ["r0", "r7", "r8"]


def test_what_is_needed_now_overtakes(source: Source, make: Make) -> None:
    reader = make()
    heard = Heard(reader)
    reader.want([repository(n) for n in range(4)])
    source.wait_begun(1)
    reader.need(repository(3))
    source.let_all()
    assert heard.wait(4) == ["r0", "r3", "r1", "r2"]


def test_reading_everything_stays_behind_what_is_in_view(source: Source, make: Make) -> None:
    reader = make()
    rows = [repository(n) for n in range(4)]
    progress: list[tuple[int, int]] = []
    done: list[list[Answer[str | None]]] = []
    waiting = threading.Thread(
        target=lambda: done.append(reader.read_all(rows, on_progress=lambda *p: progress.append(p)))
    )
    waiting.start()
    source.wait_begun(1)
    reader.want([repository(8), rows[2]])
    source.let_all()
    waiting.join(PATIENCE)
    assert source.begun == ["r0", "r8", "r2", "r1", "r3"]
    assert [answer.repository for answer in done[0]] == rows
    assert progress[-1] == (4, 4)
    assert sorted(progress) == progress


def test_never_more_at_a_time_than_threads_and_nobody_twice(source: Source, make: Make) -> None:
    reader = make(threads=3)
    rows = [repository(n) for n in range(12)]
    reader.want(rows)
    source.wait_begun(3)
    reader.want(rows)
    reader.need(rows[0])
    results: list[int] = []
    waiting = [threading.Thread(target=lambda: results.append(len(reader.read_all(rows)))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    source.let_all()
    for thread in waiting:
        thread.join(PATIENCE)
    assert results == [12, 12, 12]
    assert sorted(source.begun) == sorted(row.name for row in rows)
    assert source.most == 3


def read(reader: PolicyReader, row: Repository) -> str | None:
    (answer,) = reader.read_all([row])
    return answer.value


def test_an_answer_is_good_for_a_minute(source: Source, make: Make, clock: Clock) -> None:
    reader = make()
    source.let_all()
    row = repository(1)
    assert read(reader, row) == "policy of r1"
    clock.now += TTL - 1
    assert read(reader, row) == "policy of r1"
    assert len(source.begun) == 1
    clock.now += 1
    assert reader.known(row.arn) is None
    assert reader.last(row.arn) is not None
    source.answers["r1"] = None
    assert read(reader, row) is None
    assert len(source.begun) == 2


def test_after_a_write_only_a_new_answer_counts(source: Source, make: Make) -> None:
    reader = make(threads=2)
    heard = Heard(reader)
    row = repository(1)
    reader.want([row])
    source.wait_begun(1)
    reader.invalidate(row.arn)
    reader.need(row)
    source.wait_begun(2)
    source.answers["r1"] = "new"
    source.let_all()
    heard.wait(1)
    source.wait_idle()
    assert [answer.value for answer in heard.answers] == ["new"]
    reader.invalidate(row.arn)
    assert reader.known(row.arn) is None


def test_who_waits_for_an_answer_that_stopped_counting_gets_the_next(source: Source, make: Make) -> None:
    reader = make()
    found: list[Answer[str | None]] = []
    waiting = threading.Thread(target=lambda: found.extend(reader.read_all([repository(1)])))
    waiting.start()
    source.wait_begun(1)
    reader.invalidate("arn:1")
    source.answers["r1"] = "old"
    source.let("r1")
    source.wait_begun(2)
    source.answers["r1"] = "new"
    source.let("r1")
    waiting.join(PATIENCE)
    assert [answer.value for answer in found] == ["new"]


def test_another_account_knows_nothing_of_the_former_one(source: Source, make: Make) -> None:
    reader = make()
    heard = Heard(reader)
    reader.want([repository(1), repository(2)])
    source.wait_begun(1)
    reader.forget()
    reader.need(repository(3))
    source.let_all()
    assert heard.wait(1) == ["r3"]
    source.wait_idle()
    assert source.begun == ["r1", "r3"]
    assert reader.last("arn:1") is None


def test_cancelling_leaves_the_rest_unread(source: Source, make: Make) -> None:
    reader = make()
    cancel = threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            reader.read_all([repository(n) for n in range(50)], cancel=cancel)
        except BaseException as error:
            errors.append(error)

    waiting = threading.Thread(target=run)
    waiting.start()
    source.wait_begun(1)
    cancel.set()
    waiting.join(PATIENCE)
    assert isinstance(errors[0], Cancelled)
    source.let_all()
    assert read(reader, repository(99)) == "policy of r99"
    assert source.begun == ["r0", "r99"]


def test_a_cancelled_reader_leaves_the_others_theirs(source: Source, make: Make) -> None:
    reader = make()
    cancel = threading.Event()
    cancel.set()
    found: list[int] = []
    rows = [repository(n) for n in range(3)]
    waiting = threading.Thread(target=lambda: found.append(len(reader.read_all(rows))))
    waiting.start()
    source.wait_begun(1)
    with pytest.raises(Cancelled):
        reader.read_all(rows, cancel=cancel)
    source.let_all()
    waiting.join(PATIENCE)
    assert found == [3]


def test_a_failure_is_an_answer(source: Source, make: Make) -> None:
    reader = make()
    source.let_all()
    source.answers |= {"r1": DeniedError("no"), "r2": RuntimeError("surprise")}
    answers = reader.read_all([repository(1), repository(2), repository(3)])
    assert isinstance(answers[0].error, DeniedError)
    assert isinstance(answers[1].error, EcrTuiError)
    assert "surprise" in answers[1].error.detail
    assert (answers[2].error, answers[2].value) == (None, "policy of r3")


def test_a_listener_that_fails_is_left_out_and_the_others_go_on(source: Source, make: Make) -> None:
    reader = make()
    calls: list[str] = []

    def fail(answer: Answer[str | None]) -> None:
        calls.append(answer.repository.name)
        raise RuntimeError

    reader.listen(fail)
    heard = Heard(reader)
    source.let_all()
    reader.want([repository(1), repository(2)])
    assert heard.wait(2) == ["r1", "r2"]
    assert calls == ["r1"]
    heard.leave()
    read(reader, repository(3))
    assert [answer.repository.name for answer in heard.answers] == ["r1", "r2"]


def test_equal_texts_are_kept_once(source: Source, make: Make) -> None:
    reader = make()
    source.let_all()
    source.answers |= {"r1": "".join(["same", " text"]), "r2": "".join(["same", " text"])}
    first, second = reader.read_all([repository(1), repository(2)])
    assert first.value is second.value


def test_a_closed_reader_begins_nothing(source: Source, make: Make) -> None:
    reader = make()
    reader.close()
    reader.want([repository(1)])
    with pytest.raises(Cancelled):
        reader.read_all([repository(1)])
    assert source.begun == []
