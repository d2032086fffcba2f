"""A transcript: what was asked of AWS, step by step, and what it answered, without anything that names an account."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ecr_tui.secret import redact

FORMAT = 1
ACCOUNT = re.compile(r"(?<![0-9A-Za-z])\d{12}(?![0-9A-Za-z])")
_REQUEST = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}\b")
_UNIQUE = re.compile(r"\b(AIDA|AROA)[A-Z0-9]{8,}\b")
_ENCODED = re.compile(r"(?i)(encoded authorization failure message: )[\w-]+")
_LONG = re.compile(r"[A-Za-z0-9+/=_-]{100,}")


@dataclass(frozen=True)
class Step:
    """One request and its answer. ``outcome``: "ok", AWS's error code, or a status such as "HTTP 403".

    ``seconds``: how long a change took to be seen, where that was the question; None where it was not seen.
    ``facts``: parts of the answer that a question is about.
    """

    question: str
    name: str
    side: str
    call: str
    outcome: str
    message: str = ""
    seconds: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.question}/{self.name}"


class Redaction:
    """Replaces the names of one run. ``names``: what to replace, and by what; the longest goes first."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = sorted(((old, new) for old, new in names.items() if old), key=lambda pair: -len(pair[0]))

    def __call__(self, text: str) -> str:
        for old, new in self._names:
            text = text.replace(old, new)
        text = _ENCODED.sub(r"\1ENCODED", redact(text))
        for pattern, shown in (
            (_REQUEST, "REQUEST-ID"),
            (_KEY, "ACCESS-KEY"),
            (_UNIQUE, r"\1EXAMPLE"),
            (_LONG, "LONG"),
        ):
            text = pattern.sub(shown, text)
        return text

    def value(self, value: Any) -> Any:
        return json.loads(self(json.dumps(value)))


def leaks(text: str) -> list[str]:
    """Account ids and keys that a transcript must not have; the documentation's own account ids are none."""
    told = {"111111111111", "222222222222", "333333333333", "000000000000", "999999999999"}
    return [*(one for one in ACCOUNT.findall(text) if one not in told), *_KEY.findall(text)]


def save(path: Path, about: Mapping[str, Any], steps: Iterable[Step]) -> None:
    """Raises ValueError, and writes nothing, where something that names an account would be in it."""
    text = json.dumps({"format": FORMAT, **about, "steps": [asdict(step) for step in steps]}, indent=1, sort_keys=True)
    found = leaks(text)
    if found:
        raise ValueError(f"the transcript would contain {found[0]}")
    path.write_text(f"{text}\n", encoding="utf-8")


def load(path: Path) -> tuple[dict[str, Any], list[Step]]:
    """What it is about, and its steps. Raises ValueError for another format."""
    told = json.loads(path.read_text(encoding="utf-8"))
    if told.pop("format", None) != FORMAT:
        raise ValueError(f"{path.name} has another format than {FORMAT}")
    return told, [Step(**step) for step in told.pop("steps")]


def differences(observed: Iterable[Step], recorded: Iterable[Step]) -> Iterator[str]:
    """Where ``observed`` is not what a transcript recorded. Delays differ by nature; only whether a change was seen
    counts. What one of the two skipped is no difference."""
    there = {step.place: step for step in recorded}
    for step in observed:
        other = there.get(step.place)
        if other is None or "skipped" in (step.outcome, other.outcome):
            continue
        for what in ("outcome", "message", "facts"):
            here, recorded_value = getattr(step, what), getattr(other, what)
            if here != recorded_value:
                yield f"{step.place} {what}: {here!r}, recorded {recorded_value!r}"
        if (step.seconds is None) != (other.seconds is None):
            yield f"{step.place}: seen after {step.seconds} s, recorded {other.seconds} s"
