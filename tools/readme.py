"""Write what README takes from the code anew, ``make readme``: the keys, and the failures with their remedies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from ecr_tui.registry.catalogue import CATALOGUE, Row
from ecr_tui.registry.diagnose import diagnose
from ecr_tui.ui.keys import markdown_table

README = Path(__file__).resolve().parent.parent / "README.md"
KEYS = re.compile(r"(?<=^## Keys\n)(.*?\n)\|.*?\|\n(?!\|)", re.MULTILINE | re.DOTALL)
FAILURES = re.compile(r"(?<=<!-- failures: written by make readme -->\n).*?(?=<!-- end of failures -->)", re.DOTALL)
SHOWN = 2
"""Texts of a row; the catalogue has all of them, and `explain` knows them."""
_COMMANDS = ("aws ", "curl ", "docker ", "DOCKER_CONFIG=", "ecr-tui ", "export ", "getent ", "{")


def example(pattern: str) -> str:
    """A short text in which a pattern of the catalogue is found."""
    return _text(parser.parse(pattern)).strip()


def _text(parsed: Any) -> str:
    return "".join(_one(str(kind), value) for kind, value in parsed)


def _one(kind: str, value: Any) -> str:
    match kind:
        case "LITERAL":
            return chr(value)
        case "ANY":
            return "…"
        case "IN":
            return _one(str(value[0][0]), value[0][1])
        case "CATEGORY":
            return "3" if "DIGIT" in str(value) else "x"
        case "RANGE":
            return chr(value[0])
        case "BRANCH":
            return _text(value[1][0])
        case "SUBPATTERN":
            return _text(value[3])
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, _, repeated = value
            kind, inner = str(repeated[0][0]), repeated[0][1]
            if kind == "IN" and str(inner[0][0]) == "RANGE":
                return "session policy"  # the one place where the catalogue leaves words open
            return _text(repeated) * least or ("…" if kind == "ANY" else "")
    return ""  # places and assertions: nothing is seen of them


def texts(row: Row) -> Iterator[str]:
    """What of the row's alternatives is diagnosed as the row, and as no other that comes before it."""
    for parts in row.patterns:
        text = " … ".join(filter(None, map(example, parts)))
        if diagnose(text).pattern == row.id:
            yield text


def failures() -> str:
    lines = ["| You see | Stage, side | Cause | Fix |", "| --- | --- | --- | --- |"]
    for row in CATALOGUE:
        seen = list(texts(row))[:SHOWN]
        found = diagnose(seen[0])
        fix = f"`{found.fix}`" if found.fix.startswith(_COMMANDS) else found.fix
        cells = (" or ".join(f"`{text}`" for text in seen), f"{row.stage}, {found.side}", found.cause, fix)
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def renewed(text: str) -> str:
    """README's text with all that is made from the code. Raises ValueError where a place for it is missing."""
    for what, place, new in (
        ("table of keys", KEYS, lambda match: f"{match[1]}{markdown_table()}\n"),
        ("table of failures", FAILURES, lambda match: failures()),
    ):
        text, found = place.subn(new, text, count=1)
        if not found:
            raise ValueError(f"README.md has no place for the {what}")
    return text


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
