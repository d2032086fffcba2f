"""Texts that people really met, with neutral names, and what each means; names, wraps and wrappers change nothing."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest

from ecr_tui.diagnosis.catalogue import CATALOGUE
from ecr_tui.diagnosis.diagnose import Diagnosis, diagnose
from ecr_tui.diagnosis.places import places

TEXTS: list[dict[str, object]] = json.loads((Path(__file__).parent / "texts.json").read_text(encoding="utf-8"))
WORDS = ("pattern", "side", "stage", "action", "denied")
HOSTILE = ("kms/token-expired", "sso/proxy-timeout", "quota-limits/create_on_push", "docker.io-pull/push-denied-403")


class Meaning(NamedTuple):
    pattern: str
    side: str
    stage: str
    action: str
    denied: bool

    @classmethod
    def of(cls, found: Diagnosis) -> Meaning:
        return cls(found.pattern, found.side, found.stage, found.action, found.denied)


def meaning(text: str) -> Meaning:
    return Meaning.of(diagnose(text))


def name_of(entry: dict[str, object]) -> str:
    return re.sub(r"\W+", "-", str(entry["text"]))[:60]


@pytest.fixture(params=TEXTS, ids=name_of)
def entry(request: pytest.FixtureRequest) -> dict[str, object]:
    found: dict[str, object] = request.param
    return found


def test_what_a_text_means(entry: dict[str, object]) -> None:
    assert meaning(str(entry["text"]))._asdict() == {word: entry[word] for word in WORDS}


def test_texts_are_known_rows() -> None:
    assert {str(one["pattern"]) for one in TEXTS} <= {row.id for row in CATALOGUE}


def renamed(text: str, name: str) -> str:
    """``text`` about another repository, and by another caller."""
    repository = places(text).get("repository")
    if repository:
        text = re.sub(rf"(?<![\w.-]){re.escape(repository)}(?![\w-])", name, text)
    last = name.replace("/", "-")
    text = re.sub(r"(:user/)[\w/+=,.@-]+", rf"\g<1>{last}", text)
    return re.sub(r"(:assumed-role/)[\w+=,.@-]+/[\w+=,.@-]+", rf"\g<1>{last}/{last}", text)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_never_decide(entry: dict[str, object], name: str) -> None:
    text = str(entry["text"])
    assert meaning(renamed(text, name)) == meaning(text)


@pytest.mark.parametrize("width", [60, 72, 100])
def test_wrapped_lines_mean_the_same(entry: dict[str, object], width: int) -> None:
    text = str(entry["text"])
    if "\n" in text:
        pytest.skip("wrapping would join messages")
    lines = textwrap.wrap(text, width, break_long_words=False)
    assert meaning("\n".join(lines)) == meaning(text)


def boxed(text: str) -> str:
    lines = [line for one in text.splitlines() for line in textwrap.wrap(one, 76, break_long_words=False) or [""]]
    return "\n".join(["╷", *(f"│ {line}" for line in lines), "╵"])


WRAPPERS = {
    "box": boxed,
    "colour": lambda text: "\n".join(f"\x1b[31m{line}\x1b[0m" for line in text.splitlines()),
    "timestamp": lambda text: "\n".join(f"2026-05-01T12:00:00.1234567Z {line}" for line in text.splitlines()),
    "service": lambda text: "\n".join(f"deploy-1  | {line}" for line in text.splitlines()),
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "json": lambda text: json.dumps({"level": "error", "msg": text}),
    "error": lambda text: f"Error: {text}",
    "exit": lambda text: f"{text}\nError: Process completed with exit code 1.",
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapper_changes_nothing(entry: dict[str, object], wrapper: str) -> None:
    text = str(entry["text"])
    if wrapper == "box" and "\n" in text:
        pytest.skip("a box joins what stands in one paragraph")
    assert meaning(WRAPPERS[wrapper](text)) == meaning(text)
