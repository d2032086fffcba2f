"""README's walk-through, run as it stands there: its commands in their order, on the demo's accounts."""

from __future__ import annotations

import re
import shlex

import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.cli import ecr_tui
from tests.test_readme import section

REPOSITORY = "my-first-repo"
SEEN = re.compile(r"# (?:exit (?P<code>\d): )?(?P<verdict>[A-Z]{4,})?")


def commands(title: str) -> list[tuple[list[str], int, str]]:
    """Arguments of each command below a title, the exit code that README tells, and the verdict that it names."""
    found = []
    for block in re.findall(r"^```sh\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["ecr-tui"] and words[1:2] != ["demo"]:
                told = SEEN.search(line)
                code, verdict = (told["code"], told["verdict"]) if told else (None, None)
                found.append((words[1:], int(code or 0), verdict or ""))
    return found


def policy(sandbox: Sandbox) -> str | None:
    with sandbox.world.lock:
        record = sandbox.world.records.find(sandbox.account_a, sandbox.region, REPOSITORY)
        assert record is not None
        return record.policy


def test_the_walk_through_on_the_demo(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_TUI_ENGINE", "direct")  # "auto" would take whatever engine the machine has
    before = policy(sandbox)
    told = commands("On the demo, as commands")
    assert {words[0] for words, *_ in told} >= {"list", "plan", "grant", "verify", "undo"}
    assert {code for _, code, _ in told} == {0, 1}
    policies = []
    for words, code, verdict in told:
        ran = ecr_tui(*words)
        assert ran.code == code, (words, ran.out, ran.err)
        assert verdict in ran.out, (words, ran.out)
        policies.append((words[0], policy(sandbox)))
    assert any(text and "EcrTui" in text for name, text in policies if name == "grant")
    assert policy(sandbox) == before


def test_the_walk_through_on_two_accounts(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same commands lead through the demo, whose profiles have the names that README uses; nobody is there to
    answer, so --yes stands for the answer."""
    monkeypatch.setenv("ECR_TUI_ENGINE", "direct")
    before = policy(sandbox)
    told = [
        words
        for words, *_ in commands("On two real accounts")
        if words[0] in ("list", "plan", "grant", "verify", "export", "undo")
    ]
    assert [words[0] for words in told] == ["list", "plan", "grant", "verify", "export", "undo"]
    for words in told:
        ran = ecr_tui(*words, *(["--yes"] if words[0] in ("grant", "undo") else []))
        assert ran.code == 0, (words, ran.out, ran.err)
    assert policy(sandbox) == before
