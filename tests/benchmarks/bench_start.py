"""From the command to the first frame in a real terminal, against plain Textual; and commands that draw nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks.measures import AWS, ROOT, Row, Skipped, in_turn, print_rows, seconds, times
from tests.support.served import clean_environment
from tests.support.terminal import Terminal

ROUNDS = 21
PYTHON = sys.executable
MARK = b"Repositories"


def first_frame(*command: str) -> Callable[[], float]:
    """Until the table's title has come out of the pseudo-terminal."""

    def run() -> float:
        with tempfile.TemporaryDirectory() as home:
            environment = {**clean_environment(Path(home)), "PYTHONPATH": str(ROOT)}
            begun = time.perf_counter()
            terminal = Terminal(command, environment, Path(home))
            try:
                while MARK not in terminal.raw:
                    assert terminal._read(60), terminal.text
                return time.perf_counter() - begun
            finally:
                terminal.close()

    return run


def whole(*command: str | Path) -> Callable[[], float]:
    words: Sequence[str] = [str(word) for word in command]

    def run() -> float:
        begun = time.perf_counter()
        subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        return time.perf_counter() - begun

    return run


def main(rounds: int = ROUNDS) -> list[Row | Skipped]:
    frames = in_turn(
        {
            "plain Textual, the same widgets": first_frame(PYTHON, "-m", "tests.benchmarks.bare"),
            "ecr-tui": first_frame(PYTHON, "-m", "ecr_tui", "--profile-a", "none", "--profile-b", "none"),
            "ecr-tui demo": first_frame(PYTHON, "-m", "ecr_tui", "demo"),
            "ecr-tui demo --repositories 100000": first_frame(
                PYTHON, "-m", "ecr_tui", "demo", "--repositories", "100000"
            ),
        },
        rounds,
    )
    bare = frames["plain Textual, the same widgets"]
    print_rows(
        f"first frame, 120×40 (medians of {rounds})",
        [(name, f"{seconds(value):>8}  {times(value, bare)}") for name, value in frames.items()],
    )
    commands = in_turn(
        {
            "python -c pass": whole(PYTHON, "-c", "pass"),
            "ecr-tui --version": whole(PYTHON, "-m", "ecr_tui", "--version"),
            "ecr-tui --help": whole(PYTHON, "-m", "ecr_tui", "--help"),
            **({"aws --version": whole(AWS, "--version")} if AWS.exists() else {}),
        },
        rounds,
    )
    print_rows(
        f"commands that draw nothing (medians of {rounds})",
        [(name, f"{seconds(value):>8}") for name, value in commands.items()],
    )
    found: list[Row | Skipped] = [
        Row(what, seconds(frames[name]), f"plain Textual, same widgets: {seconds(bare)}", times(frames[name], bare))
        for what, name in (
            ("First frame in a terminal, `ecr-tui`", "ecr-tui"),
            ("First frame in a terminal, `ecr-tui demo`", "ecr-tui demo"),
        )
    ]
    for name in ("ecr-tui --version", "ecr-tui --help"):
        if aws := commands.get("aws --version"):
            ratio = times(aws, commands[name])
            found.append(Row(f"`{name}`", seconds(commands[name]), f"`aws --version`: {seconds(aws)}", ratio))
        else:
            found.append(Skipped(f"`{name}`", "the AWS CLI"))
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
