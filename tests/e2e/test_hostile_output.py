"""Hostile texts in every field that AWS answers with: no command passes one on to the terminal, or forges a line."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.aws_proxy import Answer, AwsProxy, aws_proxy
from tests.support.cli import ecr_tui
from tests.support.proving import REPOSITORY
from tests.support.terminal import Terminal

EVIL = (
    "\x1b]0;owned\x07\x1b[2J\x1b[31m\x00\x08\x7f\x85\x9b31m\r\nFORGED line\nFORGED: yes"
    "\u202egpj.exe\u2066\u2028FORGED\u2029FORGED\u200b\u200d\ufeff\u061c\U000e0041"
)
HOSTILE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)
TO = ("--to", "user/devusr2")


def policy(value: str) -> str:
    statement = {
        "Sid": f"S{value}",
        "Effect": "Allow",
        "Principal": {"AWS": ["arn:aws:iam::222222222222:root", f"arn:aws:iam::222222222222:user/{value}"]},
        "Action": ["ecr:BatchGetImage", f"ecr:{value}"],
        "Condition": {"StringEquals": {f"aws:ResourceTag/{value}": [value, "x"]}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def changed(found: Answer, change: Any) -> Answer:
    answer = json.loads(found[1])
    change(answer)
    return found[0], json.dumps(answer).encode()


@pytest.fixture
def hostile(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    def repositories(answer: Any) -> None:
        for row in answer.get("repositories", ()):
            row["imageTagMutability"] = f"MUTABLE{EVIL}"
        rows = answer.get("repositories", ())
        if len(rows) > 1:
            rows.append(
                {**rows[0], "repositoryName": f"evil{EVIL}", "repositoryArn": f"{rows[0]['repositoryArn']}{EVIL}"}
            )

    def tags(answer: Any) -> None:
        answer.setdefault("tags", []).append({"Key": f"Key{EVIL}", "Value": EVIL})

    def index(answer: Any) -> None:
        for row in answer.get("ResourceTagMappingList", ()):
            row["Tags"].append({"Key": f"Key{EVIL}", "Value": EVIL})

    with aws_proxy(sandbox.endpoint) as proxy:
        proxy.rewrites["DescribeRepositories"] = lambda found, _: changed(found, repositories)
        proxy.rewrites["ListTagsForResource"] = lambda found, _: changed(found, tags)
        proxy.rewrites["GetResources"] = lambda found, _: changed(found, index)
        proxy.rewrites["GetRepositoryPolicy"] = lambda *_: (200, json.dumps({"policyText": policy(EVIL)}).encode())
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


def clean(text: str, arguments: object) -> None:
    found = HOSTILE.search(text)
    assert found is None, (arguments, text[max(0, found.start() - 60) : found.start() + 20])
    # What another system said may have lines, further in than any of ours.
    forged = [line for line in text.split("\n") if re.match(r" ?[\"']?FORGED", line)]
    assert not forged, (arguments, forged)


READING = [
    ("list",),
    ("list", "--filter", f"tag:{EVIL}"),
    ("list", "--filter", f"tag:Key{EVIL}={EVIL}"),
    ("plan", REPOSITORY, *TO),
    ("plan", REPOSITORY, *TO, "--json"),
    ("list", "--json"),
    ("audit",),
    ("audit", "--json"),
    ("history",),
    ("cleanup", "--yes"),
    ("grant", f"{EVIL}".replace("\x00", ""), *TO, "--yes"),
    ("explain", f"denied: User: {EVIL} is not authorized to perform: ecr:{EVIL}".replace("\x00", "")),
    ("explain", "--json", f"denied: {EVIL}".replace("\x00", "")),
    ("no-such-command-\x1b[31m",),
    ("list", "--no-such-option-\x9b31m"),
    ("--log-calls", "-", "list"),
    *(("export", REPOSITORY, *TO, "--format", form) for form in ("json", "cli", "terraform", "cloudformation")),
]


def test_no_reading_command_passes_it_on(hostile: AwsProxy) -> None:
    for arguments in READING:
        arguments = tuple(one.replace("\x00", "") for one in arguments)
        ran = ecr_tui(*arguments)
        clean(ran.out, arguments)
        clean(ran.err, arguments)
        if "--json" in arguments or arguments[-1] in ("json", "cloudformation"):
            json.loads(ran.out)


def test_no_writing_command_passes_it_on(hostile: AwsProxy) -> None:
    for arguments in (
        ("grant", REPOSITORY, "web-frontend", *TO, "--yes"),
        ("tag", REPOSITORY, "--set", "Stage=x", "--yes"),
        ("history",),
        ("history", "--json"),
        ("undo", "--yes"),
        ("revoke", REPOSITORY, *TO, "--yes"),
        ("verify", REPOSITORY, "--engine", "direct"),
        ("verify", "--history"),
    ):
        ran = ecr_tui(*arguments)
        clean(ran.out, arguments)
        clean(ran.err, arguments)


@pytest.mark.parametrize("operation", ["GetCallerIdentity", "DescribeRepositories", "GetRepositoryPolicy"])
def test_no_refusal_passes_it_on(hostile: AwsProxy, operation: str) -> None:
    message = f"User: x is not authorized to perform: ecr:X{EVIL}\nFix: FORGED"
    refusal = json.dumps({"__type": "AccessDeniedException", "message": message}).encode()
    hostile.body(operation, refusal, 400)
    for arguments in (("list",), ("plan", REPOSITORY, *TO), ("grant", REPOSITORY, *TO, "--yes"), ("audit",)):
        ran = ecr_tui(*arguments)
        for text in (ran.out, ran.err):
            clean(text, arguments)
            assert not any(line.startswith("Fix: FORGED") for line in text.split("\n"))


def test_a_terminal_gets_none_of_it(hostile: AwsProxy, isolated_environment: Path) -> None:
    for arguments in (("list",), ("plan", REPOSITORY, *TO), ("grant", f"x{EVIL}".replace("\x00", ""), *TO)):
        terminal = Terminal([sys.executable, "-m", "ecr_tui", *arguments], dict(os.environ), isolated_environment)
        try:
            terminal.wait(60)
        finally:
            terminal.close()
        # The terminal's own line ends, and the meter's way back to the start of a line.
        clean(terminal.raw.decode().replace("\r\n", "\n").replace("\r", ""), arguments)
