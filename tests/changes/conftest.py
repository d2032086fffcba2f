"""A journal, and writes that are tried again at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecr_tui.changes import apply as apply_module
from ecr_tui.changes import attempts
from ecr_tui.changes.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.jsonl")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_module, "READ_BACK_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(attempts, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(apply_module, "LOOK_AGAIN", 0.0)
