"""Asking Access Analyzer about many plans: bounded, and without an answer a line for each."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ecr_tui.aws.model import Repository
from ecr_tui.errors import EnvironmentFailure
from ecr_tui.workspace.second_opinions import ASKED, SecondOpinions

REGION = "xx-north-1"


def opinions(session: Any, folder: Path) -> SecondOpinions:
    accounts: Any = SimpleNamespace(settings=SimpleNamespace(state_folder=folder, read_only_reason=""), session=session)
    return SecondOpinions(accounts)


def plan(name: str) -> Any:
    arn = f"arn:aws:ecr:{REGION}:111111111111:repository/{name}"
    return SimpleNamespace(repository=Repository(name, arn, f"h/{name}", REGION, "111111111111"))


def test_a_region_without_it_is_told_and_the_first_ones_are_asked(tmp_path: Path) -> None:
    asked: list[object] = []

    def session(role: object) -> Any:
        asked.append(role)
        raise EnvironmentFailure(f"cannot resolve the host of https://access-analyzer.{REGION}.amazonaws.com")

    found = opinions(session, tmp_path).ask_all([plan(str(one)) for one in range(ASKED + 2)])
    assert (len(found), len(asked)) == (ASKED + 2, ASKED)
    assert {one.unavailable[0].rpartition(". ")[2] for one in found[:ASKED]} == {
        f"AWS may not offer Access Analyzer in {REGION}."
    }
    assert found[-1].unavailable == (f"Access Analyzer checks the first {ASKED} repositories only.",)


def test_a_fault_in_a_thread_is_not_waited_for(tmp_path: Path) -> None:
    def session(role: object) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        opinions(session, tmp_path).ask_all([plan("a")])
