"""`ecr-tui demo` in a real terminal, by keys alone, as a user meets it for the first time."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.served import clean_environment
from tests.support.terminal import Terminal

Start = Callable[..., Terminal]

ALTERNATE_SCREEN, CURSOR = 1049, 25
MOUSE_AND_PASTE = (1000, 1002, 1003, 1006, 1015, 2004)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    opened: list[Terminal] = []

    def run(*arguments: str, columns: int = 120, rows: int = 40) -> Terminal:
        terminal = Terminal(
            [sys.executable, "-m", "ecr_tui", *arguments],
            clean_environment(tmp_path),
            tmp_path,
            columns=columns,
            rows=rows,
        )
        opened.append(terminal)
        return terminal

    yield run
    for terminal in opened:
        terminal.close()


def has(*texts: str) -> Callable[[str], bool]:
    """Whether the texts are on the screen when the frames and line breaks of its panes do not count."""
    return lambda screen: all(text in flat(screen) for text in texts)


def flat(screen: str) -> str:
    return " ".join(screen.replace("│", " ").replace("┃", " ").split())


def row(screen: str, repository: str) -> str:
    """The repository's line in the table."""
    return next((line for line in screen.splitlines() if f" {repository} " in line and "mutable" in line), "")


def assert_left_as_found(terminal: Terminal, tmp_path: Path) -> None:
    modes = terminal.modes
    assert modes[ALTERNATE_SCREEN] is False
    assert modes[CURSOR] is True
    assert [mode for mode in MOUSE_AND_PASTE if modes.get(mode)] == []
    assert terminal.attributes_now == terminal.attributes_before
    assert b"Traceback" not in terminal.raw
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [], "the demo is to leave nothing at all"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_story_by_keys(start: Start, tmp_path: Path) -> None:
    terminal = start("demo", "--engine", "direct")
    terminal.see("my-first-repo", "111111111111", "222222222222")

    terminal.send("/")
    terminal.send("my-first")
    terminal.read_until(lambda screen: "billing/export" not in screen, "filtered table")
    terminal.see("Policy preview · my-first-repo", "creates the policy")
    terminal.send("\r")
    terminal.see("v Verify")  # the footer offers it as soon as letters are keys again
    assert "✗ pull  ✗ push" in row(terminal.text, "my-first-repo")

    terminal.send("v")
    terminal.see("DENIED at push")
    terminal.read_until(has("cleanup"), "whole report")

    terminal.send("g")
    terminal.read_until(lambda screen: "✓ pull  ✓ push" in row(screen, "my-first-repo"), "access in the table")

    terminal.send("v")
    terminal.see("ALLOWED", within=60)
    assert "✗" not in "".join(line for line in terminal.text.splitlines() if "digest" in line or "isolation" in line)

    terminal.send("u")
    terminal.read_until(lambda screen: "✗ pull  ✗ push" in row(screen, "my-first-repo"), "access taken back")

    terminal.send("q")
    assert terminal.wait(within=30) == 0
    assert_left_as_found(terminal, tmp_path)


@pytest.mark.parametrize(("columns", "rows", "sign"), [(80, 24, signal.SIGHUP), (60, 20, signal.SIGTERM)])
def test_in_a_small_terminal_until_it_is_told_to_end(
    start: Start, tmp_path: Path, columns: int, rows: int, sign: signal.Signals
) -> None:
    terminal = start("demo", columns=columns, rows=rows)
    terminal.see("my-first-repo")
    terminal.send("2")
    terminal.read_until(lambda screen: "my-first-repo" not in screen or "EcrTui" in screen, "other pane")
    terminal.process.send_signal(sign)
    assert terminal.wait(within=30) == 0
    assert_left_as_found(terminal, tmp_path)


def test_it_can_be_left_before_the_accounts_are_there(start: Start, tmp_path: Path) -> None:
    terminal = start("demo", "--repositories", "2000")
    terminal.read_until(lambda screen: "Repositories" in screen, "first frame")
    terminal.send("q")
    assert terminal.wait(within=30) == 0
    assert_left_as_found(terminal, tmp_path)


def test_an_unusable_option_is_one_line_and_no_screen(start: Start) -> None:
    terminal = start("--engine", "kubernetes")
    assert terminal.wait(within=30) == 2
    assert ALTERNATE_SCREEN not in terminal.modes
    assert "kubernetes" in terminal.text
