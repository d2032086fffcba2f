"""The walk-throughs of README and docs/, run as they stand there, on the demo's accounts."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.seed_repositories import SEED_DOCUMENT_ACTIONS
from tests.support.cli import ecr_tui
from tests.test_docs import section, shell_lines

pytestmark = pytest.mark.thorough

REPOSITORY = "my-first-repo"
CONSUMER = "arn:aws:iam::222222222222:user/devusr2"
AN_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
TOLD = re.compile(r"# (?:exit (?P<code>\d): )?(?P<verdict>[A-Z]{4,})?")


def commands(title: str) -> list[tuple[list[str], int, str]]:
    """Arguments of each command below a title, the exit code that the page tells, and the verdict that it names."""
    found = []
    for line in shell_lines(title):
        words = shlex.split(line, comments=True)
        if words[:1] == ["ecr-tui"] and words[1:2] != ["demo"]:
            told = TOLD.search(line)
            code, verdict = (told["code"], told["verdict"]) if told else (None, None)
            end = next((place for place, word in enumerate(words) if word in ("|", ">")), None)
            found.append((words[1:end], int(code or 0), verdict or ""))
    return found


def policy(sandbox: Sandbox) -> str | None:
    with sandbox.world.lock:
        record = sandbox.world.records.find(sandbox.account_a, sandbox.region, REPOSITORY)
        assert record is not None
        return record.policy


def test_the_walk_through_on_the_demo(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_TUI_ENGINE", "direct")  # "auto" would take whatever engine the machine has
    before = policy(sandbox)
    told = commands("Command-line walk-through")
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


@pytest.fixture
def examples(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The files that the examples read, in the folder where they are run."""
    (cases,) = re.findall(r"^```json\n(.*?)^```", section("Policy tests"), re.MULTILINE | re.DOTALL)
    (tmp_path / "cases.json").write_text(cases, encoding="utf-8")
    statement = {"Effect": "Allow", "Principal": {"AWS": CONSUMER}, "Action": SEED_DOCUMENT_ACTIONS}
    (tmp_path / "policy.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECR_TUI_ENGINE", "direct")


def answered(words: list[str]) -> list[str]:
    """Nobody is there to answer: --yes stands for the answer. An id is one of this journal."""
    if words[0] in ("grant", "revoke", "undo", "redo", "tag", "apply") and "--yes" not in words:
        words = [*words, "--yes"]
    writes = ecr_tui("history", "--json").json if any(map(AN_ID.fullmatch, words)) else []
    last = next((write["id"] for write in writes if write["kind"] == "grant"), "")
    return [last if AN_ID.fullmatch(word) else word for word in words]


def test_the_walk_through_on_two_accounts(sandbox: Sandbox, examples: None) -> None:
    """The demo's profiles have the names that the examples use."""
    before = policy(sandbox)
    told = [words for words, *_ in commands("Grant on real accounts") if not words[0].startswith("--")]
    assert [words[0] for words in told] == ["list", "plan", "grant", "export", "verify", "undo"]
    for words in told:
        ran = ecr_tui(*answered(words))
        assert ran.code == 0, (words, ran.out, ran.err)
    assert policy(sandbox) == before


def test_the_examples_of_the_command_line(sandbox: Sandbox, examples: None) -> None:
    """In their order, which tells a story, too: what is undone there has been written before."""
    told = [words for words, *_ in commands("Examples")]
    assert len(told) > 20
    for words in told:
        ran = ecr_tui(*answered(words))
        # One of the repositories has a policy that ECR refuses to take again, and the plan says so.
        refused = words[:3] in (["verify", "--tag", "Team=Payments"], ["plan", "--tag", "Team=Payments"])
        refused |= words[:2] == ["audit", "--fail-on"]
        assert ran.code == (1 if refused else 0), (words, ran.out, ran.err)
        assert ran.out.strip(), words


def test_grants_as_code(sandbox: Sandbox, examples: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the guide shows, with the consumers of its configuration."""
    (file,) = re.findall(r"^```toml\n(.*?)^```", section("Grants as code"), re.MULTILINE | re.DOTALL)
    (tmp_path / "grants.toml").write_text(file, encoding="utf-8")
    (tmp_path / "config.toml").write_text('[[consumers]]\nname = "payments-dev"\nprofile = "dev-acc"\n')
    monkeypatch.setenv("ECR_TUI_CONFIG", str(tmp_path / "config.toml"))
    seen = []
    for words, code, _ in commands("Grants as code"):
        ran = ecr_tui(*answered(words))
        assert ran.code == code, (words, ran.out, ran.err)
        seen.append(policy(sandbox))
    assert seen[0] is None
    granted = seen[2]
    assert granted is not None
    assert "EcrTuiPushPull" in granted
    assert [text == granted for text in seen[3:]] == [True, False, False, True, False]
