"""Run the command line as a user does: a process of its own, in the environment of the test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.support import forking


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def ecr_tui(*arguments: str, stdin: str | None = None, timeout: float = 90) -> Ran:
    """Never raises for an exit code; a traceback in what it prints fails the test whatever it looked for."""
    done = forking.run(arguments, stdin=stdin, timeout=timeout)
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)
