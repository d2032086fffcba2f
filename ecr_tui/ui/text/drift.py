"""Text of the drift screen: a row for each repository, with details."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.desired.planning import words_of
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui.text import MUTED, NO, OK, PENDING, SKIP, UNKNOWN, count, safe
from ecr_tui.ui.text.bulk import REPOSITORIES, RISK
from ecr_tui.ui.text.places import fact_lines, places, title_line
from ecr_tui.ui.text.preview import warnings
from ecr_tui.ui.widgets.columns import Column, Piece

if TYPE_CHECKING:
    from ecr_tui.ui.drift import Comparison, Difference

READING = f"{PENDING} reading the file   Esc stops it"
FEW = 2
"""Maximum shown notes; all of them are copied."""

Said = tuple[str, str]
"""Verb and object: ("grant", "pull of user devusr2 in 222222222222")."""


def title(name: str) -> str:
    return f"Drift from {safe(name)}"


def said(row: Difference, prune: bool) -> list[Said]:
    """Changes to the repository, and grants that are kept."""
    found = row.planned(prune)
    if isinstance(found, EcrTuiError):
        return [("not compared", found.title)]
    words = [("grant", words_of(own)) for own in row.given] + [("change", words_of(own)) for own in row.changed]
    words += [("revoke" if prune else "not in file", words_of(own)) for own in row.unwanted]
    return words + [("revoke" if prune else "ended", words_of(own)) for own in row.over]


def _verbs(row: Difference, prune: bool) -> list[str]:
    return list(dict.fromkeys(verb for verb, _ in said(row, prune)))


def columns(rows: Sequence[Difference], prune: bool) -> list[Column[Difference]]:
    def change(row: Difference) -> list[Piece]:
        return [_change(row, prune)]

    def what(row: Difference) -> list[Piece]:
        return [(safe(_what(row, prune)), "")]

    def risks(row: Difference) -> list[Piece]:
        number = _risks(row, prune)
        return [(f"{RISK} {number}", "warn")] if number else [(SKIP, "dim")]

    return [
        Column("change", "Change", change, lambda row: _rank(row, prune), width=16, keep=8),
        *places(rows),
        Column("risks", "Risks", risks, lambda row: _risks(row, prune), width=6, keep=5, descending=True),
        Column("what", "Difference", what, lambda row: _what(row, prune), width=16, flex=1, keep=7),
    ]


def _rank(row: Difference, prune: bool) -> tuple[int, str]:
    """Sort key: problems first, kept grants last."""
    found = row.planned(prune)
    if isinstance(found, EcrTuiError) or found.refused:
        return 0, ""
    words = ", ".join(_verbs(row, prune))
    return (1 if found.risks else 2 if found.changed else 3), words


def _change(row: Difference, prune: bool) -> Piece:
    found = row.planned(prune)
    if isinstance(found, EcrTuiError):
        return f"{UNKNOWN} not compared", "warn"
    verbs = ", ".join(_verbs(row, prune))
    if not found.changed:
        return f"{SKIP} {verbs}", "dim"
    if found.refused:
        return f"{NO} rejected", "warn"
    return (f"{RISK} {verbs}", "warn") if found.risks else (f"+ {verbs}", "ok")


def _what(row: Difference, prune: bool) -> str:
    words = said(row, prune)
    same = len({verb for verb, _ in words}) == 1
    return "; ".join(what if same else f"{verb} {what}" for verb, what in words)


def _risks(row: Difference, prune: bool) -> int:
    found = row.planned(prune)
    return 0 if isinstance(found, EcrTuiError) else len(found.risks)


def search_text(row: Difference) -> str:
    """The text for the filter, with and without prune."""
    words = dict.fromkeys(f"{verb} {what}" for prune in (False, True) for verb, what in said(row, prune))
    risky = "risk" if _risks(row, False) or _risks(row, True) else ""
    return " ".join([row.repository.name, row.repository.region, *words, risky])


def details(row: Difference, prune: bool) -> Content:
    """Details of the row under the cursor."""
    lines = [title_line(row.repository), *fact_lines(said(row, prune), 13)]
    found = row.planned(prune)
    if isinstance(found, EcrTuiError):
        return Content("\n").join([*lines, *([Content.styled(safe(found.hint), MUTED)] if found.hint else [])])
    lines += warnings(found)
    if not found.changed:
        lines.append(Content.styled("Kept. Press P to revoke grants that are not in the file.", MUTED))
    return Content("\n").join(lines)


def headline(found: Comparison, prune: bool) -> Content:
    """One line, and one for each of the first notes."""
    total, differing = count(found.repositories, *REPOSITORIES), found.differing(prune)
    if differing:
        parts = [Content.styled(f"{differing:,} of {total} {'differs' if differing == 1 else 'differ'}", "bold")]
    elif found.unread:
        parts = [Content.styled(f"{UNKNOWN} No drift in the compared part of {total}", "bold $text-warning")]
    else:
        parts = [Content.styled(f"{OK} No drift: {total} compared", "bold $text-success")]
    extra = sum(bool(row.unwanted or row.over) for row in found.rows)
    if extra and prune:
        parts.append(Content.styled(f"{RISK} prune: {extra:,} lose grants not in the file", "bold $text-warning"))
    elif extra:
        parts.append(Content.styled(f"{extra:,} with grants not in the file", MUTED))
    if found.unread:
        parts.append(Content.styled(f"{NO} {found.unread:,} not compared", "$text-error"))
    lines = [Content(" · ").join(parts)]
    lines += [Content.styled(f"{RISK} {safe(note)}", "$text-warning") for note in found.notes[:FEW]]
    if len(found.notes) > FEW:
        lines.append(Content.styled(f"{RISK} and {len(found.notes) - FEW:,} more grants; y copies all", MUTED))
    return Content("\n").join(lines)


def report(found: Comparison, rows: Iterable[Difference], prune: bool) -> str:
    """As plain text: the notes, and these rows."""
    lines = [title(found.name), headline(found, prune).plain.partition("\n")[0], *map(safe, found.notes), ""]
    for row in rows:
        place = f"{safe(row.repository.name)} ({safe(row.repository.region)})"
        lines += [f"{place}: {verb} {safe(what)}" for verb, what in said(row, prune)]
        planned = row.planned(prune)
        lines += [] if isinstance(planned, EcrTuiError) else [f"{place}: {RISK} {safe(risk)}" for risk in planned.risks]
    return "\n".join(lines) + "\n"


def terms(name: str, prune: bool) -> str:
    """Text for the confirmation."""
    end = ", and other grants of ecr-tui are revoked" if prune else ""
    return f"Access is changed to match {name}{end}."
