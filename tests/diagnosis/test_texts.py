"""Texts that people really met, with neutral names, and what each means; names, wraps and wrappers change nothing."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable
from functools import cache
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


@cache
def meaning(text: str) -> Meaning:
    return Meaning.of(diagnose(text))


TEXT = [str(one["text"]) for one in TEXTS]


def changed(change: Callable[[str], str | None]) -> list[tuple[str, Meaning, Meaning]]:
    """The texts that mean something else after ``change`` (None: it does not apply)."""
    found = []
    for text in TEXT:
        other = change(text)
        if other is not None and meaning(other) != meaning(text):
            found.append((other, meaning(other), meaning(text)))
    return found


def test_what_a_text_means() -> None:
    wrong = [(one, meaning(str(one["text"]))) for one in TEXTS if meaning(str(one["text"]))._asdict() != expected(one)]
    assert wrong == []


def expected(entry: dict[str, object]) -> dict[str, object]:
    return {word: entry[word] for word in WORDS}


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
def test_names_never_decide(name: str) -> None:
    assert changed(lambda text: renamed(text, name)) == []


def wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False)


@pytest.mark.parametrize("width", [60, 72, 100])
def test_wrapped_lines_mean_the_same(width: int) -> None:
    assert changed(lambda text: None if "\n" in text else "\n".join(wrapped(text, width))) == []


def boxed(text: str) -> str | None:
    """A box joins what stands in one paragraph, so it is for one message."""
    return None if "\n" in text else "\n".join(["╷", *(f"│ {line}" for line in wrapped(text, 76)), "╵"])


def each(line: Callable[[str], str]) -> Callable[[str], str | None]:
    return lambda text: "\n".join(map(line, text.splitlines()))


def cut(text: str) -> str | None:
    """As a terminal shows it; two lines alone may have come about by chance."""
    if "\n" in text or len(text) <= 160:
        return None
    return "\n".join(text[start : start + 80] for start in range(0, len(text), 80))


WRAPPERS: dict[str, Callable[[str], str | None]] = {
    "box": boxed,
    "terminal": cut,
    "system log": each(lambda line: f"May 01 12:00:00 ip-10-0-0-1 kubelet[3267]: {line}"),
    "colour": each(lambda line: f"\x1b[31m{line}\x1b[0m"),
    "timestamp": each(lambda line: f"2026-05-01T12:00:00.1234567Z {line}"),
    "service": each(lambda line: f"deploy-1  | {line}"),
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "json": lambda text: json.dumps({"level": "error", "msg": text}),
    "error": lambda text: f"Error: {text}",
    "exit": lambda text: f"{text}\nError: Process completed with exit code 1.",
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapper_changes_nothing(wrapper: str) -> None:
    assert changed(WRAPPERS[wrapper]) == []
