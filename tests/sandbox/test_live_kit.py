"""The live conformance kit, with the sandbox in AWS's place: it asks, redacts, compares and cleans up."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from tests.live import __main__ as program
from tests.live import kit as kit_module
from tests.live.kit import PREFIX, Kit
from tests.live.questions import QUESTIONS
from tests.live.transcript import Redaction, Step, differences, leaks, load, save

TRANSCRIPTS = Path(program.__file__).with_name("transcripts")


@pytest.fixture
def role(sandbox: Sandbox) -> str:
    return f"arn:aws:iam::{sandbox.account_b}:role/EcrDeveloper"


@pytest.fixture
def environment(sandbox: Sandbox, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PROFILE_A", "account-a"), ("PROFILE_B", "dev-acc"), ("ROLE_B", role)):
        monkeypatch.setenv(f"ECR_LIVE_{name}", value)


def names(owner: Any) -> list[str]:
    found = owner.describe_repositories()["repositories"]
    return [one["repositoryName"] for one in found if one["repositoryName"].startswith(PREFIX)]


def test_a_run_answers_as_the_transcripts_say_and_leaves_nothing(sandbox: Sandbox, role: str, aws: Any) -> None:
    """A contributor's transcript of AWS in the folder is replayed here: the sandbox must answer as AWS did."""
    kit = Kit("account-a", "dev-acc", None, role_b=role)
    assert program.ask(kit, say=lambda _: None) == []
    assert names(aws("account-a", "ecr")) == []
    assert not [one for one in aws("account-a", "iam").list_users()["Users"] if PREFIX in one["UserName"]]
    places = [step.place for step in kit.steps]
    assert len(places) == len(set(places))
    assert {step.question for step in kit.steps} == {one.id for one in QUESTIONS}
    assert {step.place for step in load(TRANSCRIPTS / "sandbox.json")[1]} == set(places)
    for path in TRANSCRIPTS.glob("*.json"):
        about, recorded = load(path)
        found = [line for line in differences(kit.steps, recorded) if line.partition(" ")[0] not in about["accepted"]]
        assert found == [], f'{path.name}; a difference on purpose belongs into its list "accepted"'


def test_the_program_compares_with_the_sandbox_and_writes_a_redacted_transcript(
    environment: None, sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "live.json"
    assert program.main(["--only", "delays", "both-sides", "--yes", "--output", str(output)]) == 0
    text = output.read_text()
    assert "EcrDeveloper" not in text
    assert "devusr2" not in text
    assert sandbox.region not in text
    assert not re.search(r"127\.0\.0\.1|arn:aws:iam::(?!111111111111|222222222222)", text)
    assert "differs" not in capsys.readouterr().out


def test_another_answer_is_told_and_ends_with_1(
    environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    about, steps = load(TRANSCRIPTS / "sandbox.json")
    other = [
        dataclasses.replace(step, outcome="HTTP 405") if step.place == "delays/revoked-registry" else step
        for step in steps
    ]
    save(tmp_path / "sandbox.json", about, other)
    monkeypatch.setattr(program, "SANDBOX", tmp_path / "sandbox.json")
    assert program.main(["--only", "delays", "--yes", "--output", str(tmp_path / "live.json")]) == 1
    assert "delays/revoked-registry outcome: 'HTTP 403', recorded 'HTTP 405'" in capsys.readouterr().out


def test_a_run_that_reaches_its_bound_is_cleaned_up(
    sandbox: Sandbox, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_module, "MOST_CALLS", 40)
    said: list[str] = []
    kit = Kit("account-a", "dev-acc", None)
    assert program.ask(kit, say=said.append) == []
    assert (said[-1], names(owner)) == ("the run has reached its bound of time or calls", [])


def test_nothing_is_asked_without_a_yes_and_what_a_kill_left_is_removed(
    environment: None, owner: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "no")
    assert program.main([]) == 2
    assert names(owner) == []
    kit = Kit("account-a", "dev-acc", None)
    kit.repository("data")
    kit.push("first", "data", "one")
    kit.client("A", "iam").create_user(UserName=f"{PREFIX}-killed")
    assert program.main(["--clean", "--yes"]) == 0
    assert names(owner) == []
    assert not [one for one in kit.client("A", "iam").list_users()["Users"] if PREFIX in one["UserName"]]


def test_a_question_that_needs_a_role_is_skipped_without_one(sandbox: Sandbox) -> None:
    kit = Kit("account-a", "dev-acc", None)
    program.ask(kit, frozenset({"both-sides"}), say=lambda _: None)
    assert [(step.place, step.outcome) for step in kit.steps] == [("both-sides/all", "skipped")]
    assert list(differences(kit.steps, load(TRANSCRIPTS / "sandbox.json")[1])) == []


def test_two_profiles_of_one_account_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="one account"):
        Kit("dev-acc", "no-access", None)


def test_a_transcript_never_names_an_account_or_a_key(tmp_path: Path) -> None:
    hidden = Redaction({"123456789012": "111111111111"})(
        "123456789012 AKIAEXAMPLEEXAMPLE AROAEXAMPLEEXAMPLE 1b4e28ba-2fa1-11d2-883f-0016d3cca427"
    )
    assert hidden == "111111111111 ACCESS-KEY AROAEXAMPLE REQUEST-ID"
    assert leaks(hidden) == []
    with pytest.raises(ValueError, match="123456789012"):
        save(tmp_path / "t.json", {"accepted": []}, [Step("q", "s", "A", "ecr:X", "ok", "account 123456789012")])
    assert not (tmp_path / "t.json").exists()
    (tmp_path / "other.json").write_text(json.dumps({"format": 2, "steps": []}))
    with pytest.raises(ValueError, match="another format"):
        load(tmp_path / "other.json")
