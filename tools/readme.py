"""Write what README takes from the code anew, ``make readme``: the keys, and the failures with their remedies."""

from __future__ import annotations

import re
from pathlib import Path

from ecr_tui.diagnosis.catalogue import CATALOGUE
from ecr_tui.diagnosis.diagnose import diagnose
from ecr_tui.ui.keys import markdown_table

README = Path(__file__).resolve().parent.parent / "README.md"
KEYS = re.compile(r"(?<=^## Keys\n)(.*?\n)\|.*?\|\n(?!\|)", re.MULTILINE | re.DOTALL)
FAILURES = re.compile(r"(?<=<!-- failures: written by make readme -->\n).*?(?=<!-- end of failures -->)", re.DOTALL)
_COMMANDS = ("aws ", "curl ", "docker ", "DOCKER_CONFIG=", "ecr-tui ", "export ", "getent ", "kubectl ", "pass ", "{")


def _code(text: str) -> str:
    return "`" + text.replace("`", "'") + "`"


def failures() -> str:
    lines = ["| You see | Stage, side | Cause | Fix |", "| --- | --- | --- | --- |"]
    for row in CATALOGUE:
        found = diagnose(row.seen[0])
        fix = f"`{found.fix}`" if found.fix.startswith(_COMMANDS) else found.fix
        cells = (" or ".join(map(_code, row.seen)), f"{found.stage}, {found.side}", found.cause, fix)
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
