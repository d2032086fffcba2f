"""ecr-tui usage, as a user or a CI job runs it: what the sandbox's CloudTrail recorded, also in parts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ecr_tui.cli.schemas import schema_of
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.backend import Caller
from ecr_tui.sandbox.principals import Principal
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import AwsCall, utc_now
from tests.e2e.test_hostile_output import EVIL, HOSTILE
from tests.support.cli import ecr_tui

A, B, REGION = Sandbox.account_a, Sandbox.account_b, Sandbox.region
USER = f"arn:aws:iam::{B}:user/devusr2"
PULL, PUSH = "ecr:BatchGetImage", "ecr:PutImage"


def happen(sandbox: Sandbox, repository: str, action: str, days: float, times: int = 1, arn: str = USER) -> None:
    """Requests to account A's registry, so many days ago."""
    sandbox.clock = lambda: utc_now() - timedelta(days=days)
    for _ in range(times):
        sandbox.owner_backend().denial(Caller(arn.split(":")[4], arn, ""), action, repository)
    sandbox.clock = utc_now


def lookups(sandbox: Sandbox) -> int:
    with sandbox.world.lock:
        return sum(one.name == "LookupEvents" for one in sandbox.world.trail.of(A, REGION))


def grant(found: Any, repository: str, access: str = "pull") -> dict[str, Any]:
    return next(one for one in found["grants"] if (one["repository"], one["access"]) == (repository, access))


def test_what_happened_and_what_did_not(sandbox: Sandbox) -> None:
    happen(sandbox, "payments/legacy", PULL, 20, 3)
    happen(sandbox, "my-first-repo", PUSH, 2, 2)
    assert ecr_tui("verify", "payments/legacy", "--engine", "direct", "--isolation", "none").code == 0
    ran = ecr_tui("usage", "--json", "--unused", "10")
    assert (ran.code, ran.err) == (0, "")
    found = ran.json
    assert [one.message for one in Draft202012Validator(schema_of("usage")).iter_errors(found)] == []
    (pull,) = [one for one in found["uses"] if one["repository"] == "payments/legacy" and one["kind"] == "pull"]
    assert (pull["principal"], pull["external"]) == (USER, True)
    assert pull["count"] > 3
    assert pull["first"] < pull["last"]
    assert {one["kind"] for one in found["uses"] if one["external"]} >= {"pull", "push"}
    assert grant(found, "payments/legacy")["answer"] == "used"
    assert grant(found, "data/etl")["answer"] == "no event"
    assert grant(found, "payments/invoice-lambda")["answer"] == "unknown"
    (denied,) = found["denied"]
    assert (denied["repository"], denied["action"], denied["count"]) == ("my-first-repo", PUSH, 2)
    assert denied["fix"].startswith("ecr-tui grant my-first-repo --to")
    assert found["regions"][0]["other_accounts"] is True

    shown = ecr_tui("usage", "my-first-repo", "payments/legacy").out
    for words in ("Last use", "user devusr2 in 222222222222", "Denied attempts", "Not in CloudTrail"):
        assert words in shown
    assert "data/etl" not in shown


def test_a_limit_is_said_and_the_next_call_goes_on(sandbox: Sandbox) -> None:
    for days in (60, 40, 20):
        happen(sandbox, "payments/legacy", PULL, days, 40)
    first = ecr_tui("usage", "payments/legacy", "--max-pages", "1", "--json").json
    region = first["regions"][0]
    assert (region["stopped"], region["pages_read"]) == ("limit", 1)
    assert region["complete_from"] > f"{utc_now() - timedelta(days=41):%Y-%m-%d}"
    assert grant(first, "payments/legacy", "push")["whole_period"] is False
    words = ecr_tui("usage", "payments/legacy", "--max-pages", "1").out
    assert "Stopped after 1 pages" in words
    assert "For 1 of them, events of fewer than 90 days are known." in words
    whole = ecr_tui("usage", "payments/legacy", "--json").json
    assert whole["regions"][0]["stopped"] is None
    (pull,) = [one for one in whole["uses"] if one["kind"] == "pull" and one["external"]]
    assert pull["count"] == 120
    before = lookups(sandbox)
    again = ecr_tui("usage", "payments/legacy", "--json").json
    assert lookups(sandbox) == before + 1
    assert [one["count"] for one in again["uses"] if one["external"]] == [120]


def test_ctrl_c_keeps_what_was_read(sandbox: Sandbox, isolated_environment: Path) -> None:
    for days in range(1, 7):
        happen(sandbox, "payments/legacy", PULL, days, 50)
    run = subprocess.Popen(
        [sys.executable, "-m", "ecr_tui", "usage", "payments/legacy"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    deadline = time.monotonic() + 30
    while lookups(sandbox) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=30)
    assert (run.returncode, out) == (130, "")
    assert "the next call continues" in err
    read = lookups(sandbox)
    found = ecr_tui("usage", "payments/legacy", "--json").json
    assert lookups(sandbox) - read <= 6 - read + 2
    assert [one["count"] for one in found["uses"] if one["external"]] == [300]


def test_a_caller_whom_aws_does_not_name_leaves_the_grant_unknown(sandbox: Sandbox) -> None:
    happen(sandbox, "payments/legacy", PULL, 1)
    sandbox.world.trail.names_others = False
    found = ecr_tui("usage", "payments/legacy", "--json").json
    (pull,) = [one for one in found["uses"] if one["external"]]
    assert (pull["principal"], pull["account"]) == (None, B)
    assert pull["title"].startswith(f"account {B} (principal AIDA")
    told = grant(found, "payments/legacy")
    assert (told["answer"], told["reason"]) == (
        "unknown",
        f"used by a principal of account {B} that CloudTrail does not name",
    )


@pytest.mark.parametrize(
    ("code", "message", "exit_code", "words"),
    [
        (
            "AccessDeniedException",
            f"User: arn:aws:iam::{A}:user/ecr-admin is not authorized to perform: cloudtrail:LookupEvents because no "
            "identity-based policy allows the cloudtrail:LookupEvents action",
            1,
            ("cloudtrail:LookupEvents was denied", "Add cloudtrail:LookupEvents to the identity policy"),
        ),
        ("InternalError", "broken", 3, ("AWS failed to answer cloudtrail:LookupEvents",)),
    ],
)
def test_a_trail_that_cannot_be_read_is_one_clear_message(
    sandbox: Sandbox, code: str, message: str, exit_code: int, words: tuple[str, ...]
) -> None:
    def refuse(call: AwsCall) -> ServiceError | None:
        return ServiceError(code, message, 400) if call.service == "cloudtrail" else None

    sandbox.fault = refuse
    ran = ecr_tui("usage")
    assert (ran.code, ran.out) == (exit_code, "")
    assert all(one in ran.err for one in words), ran.err
    assert ran.err.count("Error:") == 1


def test_options_that_contradict_each_other(sandbox: Sandbox) -> None:
    assert ecr_tui("usage", "--days", "10", "--unused", "20").code == 2
    assert ecr_tui("usage", "--days", "91").code == 2
    assert ecr_tui("usage", "my-first-repo", "--tag", "Team=Payments").code == 2
    assert ecr_tui("usage", "no-such-repository").code == 2


def test_hostile_texts_in_events_reach_no_terminal_and_forge_no_line(sandbox: Sandbox) -> None:
    caller = Principal(B, USER + EVIL, "", name=EVIL, iam_arn=USER + EVIL, user_id=EVIL)
    with sandbox.world.lock:
        for code in ("", "AccessDenied"):
            sandbox.world.trail.note(
                "ecr.amazonaws.com",
                f"BatchGetImage{EVIL}" if code else "BatchGetImage",
                REGION,
                caller,
                params={"repositoryName": "my-first-repo", EVIL: EVIL},
                owner=A,
                arn=f"arn:aws:ecr:{REGION}:{A}:repository/my-first-repo",
                code=code,
                message=f"User: {USER}{EVIL} is not authorized to perform: ecr:BatchGetImage{EVIL}" if code else "",
            )
    ran = ecr_tui("usage", "my-first-repo")
    assert ran.code == 0
    assert "Denied attempts" in ran.out
    for text in (ran.out, ran.err, ecr_tui("usage", "my-first-repo", "--json").out):
        assert not HOSTILE.search(text)
        assert not [line for line in text.splitlines() if line.startswith("FORGED")]
