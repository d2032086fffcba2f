"""The report as a sentence, as JSON and as Markdown, whatever a server has put into it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from ecr_tui.policy.actions import Access
from ecr_tui.render import common as render_common
from ecr_tui.ui.text.past import report_text as copied_text
from ecr_tui.verification.report import (
    Isolation,
    IsolationStatus,
    Report,
    Stage,
    StageName,
    Status,
    TagStep,
    TagSwitch,
    Verdict,
    stages_of,
    worst,
)

B = "arn:aws:iam::222222222222:user/devusr2"
DIGEST = "sha256:" + "ab" * 32


def report(**changes: object) -> Report:
    stages = tuple(Stage(name, Status.OK, "fine", 0.25) for name in stages_of(Access.PUSH_PULL))
    made = Report(
        "app", B, "direct", "the registry protocol itself", Verdict.ALLOWED, stages, None, True,
        datetime(2026, 11, 24, 12, 0, tzinfo=UTC), digest=DIGEST, can_push=True, can_pull=True, seconds=1.5,
    )  # fmt: skip
    return made._replace(**changes)  # type: ignore[arg-type]


def denied(name: StageName, action: str) -> tuple[Stage, ...]:
    return (Stage(name, Status.DENIED, "no", 0.1, action=action, side="A's repository policy", cause="c", fix="f"),)


@pytest.mark.parametrize(
    ("changes", "headline", "word"),
    [
        ({}, f"ALLOWED: {B} can push to and pull from app", "allowed"),
        ({"access": "push"}, f"ALLOWED: {B} can push to app", "allowed"),
        ({"access": "pull"}, f"ALLOWED: {B} can pull from app", "allowed"),
        (
            {
                "verdict": Verdict.DENIED,
                "exit_code": 1,
                "stages": denied(StageName.PULL, "ecr:BatchGetImage"),
                "can_pull": False,
            },
            f"DENIED at pull (ecr:BatchGetImage): {B} can push to app, but not pull from it",
            "denied",
        ),
        (
            {
                "verdict": Verdict.DENIED,
                "exit_code": 1,
                "stages": denied(StageName.PUSH, "ecr:PutImage"),
                "can_push": False,
            },
            f"DENIED at push (ecr:PutImage): {B} can pull from app, but not push to it",
            "denied",
        ),
        (
            {
                "verdict": Verdict.DENIED,
                "exit_code": 1,
                "stages": denied(StageName.PUSH, "ecr:PutImage"),
                "can_push": False,
                "can_pull": None,
            },
            f"DENIED at push (ecr:PutImage): {B} on app",
            "denied",
        ),
        (
            {
                "verdict": Verdict.ERROR,
                "exit_code": 3,
                "stages": (Stage(StageName.LOGIN, Status.FAILED, "no network"),),
            },
            "ERROR at login: no network",
            "error",
        ),
        (
            {
                "exit_code": 1,
                "isolation": Isolation("x", IsolationStatus.LEAKED, "m"),
                "isolations": (
                    Isolation("x", IsolationStatus.LEAKED, "m"),
                    Isolation("y", IsolationStatus.LEAKED, "m"),
                ),
            },
            f"LEAK: {B} also has access to x, y, which were not granted",
            "leak",
        ),
        (
            {"exit_code": 1, "isolation": Isolation("x", IsolationStatus.FAILED, "m")},
            f"ALLOWED: {B} can push to and pull from app",
            "isolation unverified",
        ),
        (
            {"exit_code": 1, "tag_switch": TagSwitch(Status.FAILED, "still allowed")},
            "TAG SWITCH FAILED: still allowed",
            "tag switch failed",
        ),
        (
            {"exit_code": 1, "tag_switch": TagSwitch(Status.FAILED, "m", "Team", "Payments", restored=False)},
            "TAG MISSING: Team was not restored on app",
            "tag missing",
        ),
    ],
)
def test_the_loudest_is_said(changes: dict[str, object], headline: str, word: str) -> None:
    made = report(**changes)
    assert (made.headline(), made.word) == (headline, word)
    assert word.upper() in made.to_markdown().splitlines()[0]
    assert made.to_json()["headline"] == headline


def test_the_worst_isolation_stands_for_all() -> None:
    of = {status: Isolation(status.value, status, "") for status in IsolationStatus}
    assert worst(()) is None
    assert worst((of[IsolationStatus.DENIED], of[IsolationStatus.SKIPPED])) == of[IsolationStatus.SKIPPED]
    assert worst((of[IsolationStatus.SKIPPED], of[IsolationStatus.FAILED])) == of[IsolationStatus.FAILED]
    assert worst(tuple(of.values())) == of[IsolationStatus.LEAKED]


def test_json_keeps_the_documented_shape() -> None:
    document = json.loads(json.dumps(report(isolation=Isolation("x", IsolationStatus.DENIED, "m")).to_json()))
    assert {"repository", "principal", "engine", "verdict", "stages", "isolation", "cleaned_up"} <= set(document)
    assert set(document["isolation"]) == {"repository", "status", "message"}
    assert {"name", "status", "action", "seconds", "message", "side", "cause", "fix"} <= set(document["stages"][0])


def test_what_aws_adds_to_a_denial_is_in_every_form() -> None:
    arn, page = "arn:aws:iam::222222222222:policy/limits", "https://console.aws.amazon.com/iam/denied/a-1"
    (stage,) = denied(StageName.PUSH, "ecr:PutImage")
    stage = stage._replace(policy_arn=arn, authorization_id="a-1", details_url=page)
    found = report(verdict=Verdict.DENIED, stages=(stage,), can_push=False)
    shown = found.to_json()["stages"][0]
    assert (shown["policy_arn"], shown["authorization_id"], shown["details_url"]) == (arn, "a-1", page)
    for text in (found.to_markdown(), render_common.report_text(found), copied_text(found)):
        assert all(value in text for value in (arn, "a-1", page))


def test_markdown_is_for_a_ticket() -> None:
    text = report(
        tag_switch=TagSwitch(Status.OK, "ends", "Team", "Payments", (TagStep("remove", Status.OK, "x", 0.1),)),
        isolations=(Isolation("x", IsolationStatus.DENIED, "denied on x"),),
        notes=("a note",),
    ).to_markdown()
    assert text.startswith("# app: ALLOWED\n")
    for part in (B, DIGEST, "2026-11-24 12:00:00 UTC", "push-pull", "| push | ok | 0.25 |", "denied on x", "a note"):
        assert part in text


@pytest.mark.parametrize(
    "hostile", ["`x` | <script>alert(1)</script>\n# heading", "```\nfence\n````\n", "![x](http://y)"]
)
def test_nothing_from_a_server_becomes_markup(hostile: str) -> None:
    stages = (
        Stage(StageName.PUSH, Status.FAILED, hostile, 0.1, side=hostile, cause=hostile, fix=hostile, detail=hostile),
    )
    text = report(verdict=Verdict.ERROR, exit_code=1, stages=stages, notes=(hostile,), engine_description=hostile)
    shown = text.to_markdown()
    in_code, outside = False, []
    fence = ""
    for line in shown.splitlines():
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if not in_code and len(ticks) >= 3:
            in_code, fence = True, ticks
        elif in_code and line == fence:
            in_code = False
        elif not in_code:
            outside.append(line)
    assert not in_code, "every fence is closed by its own"
    plain = "\n".join(outside)
    assert "\n# heading" not in plain
    for line in outside:
        if line.startswith("| push"):
            assert line.replace("\\|", "").count("|") == 6
    spans = re.compile(r"(?<![\\`])(`+)(?!`)(.+?)(?<!`)\1(?!`)")
    without_code = spans.sub("", plain).replace("\\<", "").replace("\\!\\[", "")
    assert "<script>" not in without_code
    assert "![" not in without_code
