"""Text of the matrix screen: columns, a cell on one line, and a cell in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.access.matrix import PARTS, answer_of
from ecr_tui.policy.answer import Verdict
from ecr_tui.policy.principal import account_of
from ecr_tui.render.matrix import SIGNS, UNREADABLE, proof_age, proof_words
from ecr_tui.ui.text import MUTED, NO, PENDING, UNKNOWN, safe
from ecr_tui.ui.text.places import longest
from ecr_tui.ui.text.sides import BothSides, both_sides
from ecr_tui.ui.widgets.columns import Column, Piece

if TYPE_CHECKING:
    from ecr_tui.access.matrix import Grantee
    from ecr_tui.access.two_sided import TwoSided
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.matrix import MatrixReading
    from ecr_tui.ui.widgets.cell_table import CellTable

WIDTH = 15
"""Width of a grantee's column: an account id and its cursor sign."""
LEGEND = "read pull push: ✓ yes – no ? depends · 3d: verified live, ✗3d: denied live, (3d): stale"

_STYLES = {Verdict.YES: "ok", Verdict.NO: "no", Verdict.DEPENDS: "warn"}
_RANKS = {Verdict.NO: 0, Verdict.DEPENDS: 1, Verdict.YES: 2}


def columns(reading: MatrixReading) -> list[Column[Repository]]:
    """The repository, and a column for each grantee, whose id is the principal."""
    wide = max(longest(row.name for row in reading.rows), len("Repository"))
    name: Column[Repository] = Column(
        "name", "Repository", _name, lambda row: row.name, min(wide, 24), search=True, most=max(wide, 24)
    )
    labels = _labels(reading.columns)
    return [name, *(_column(reading, one.principal, labels[one.principal]) for one in reading.columns)]


def _name(row: Repository) -> list[Piece]:
    return [(safe(row.name), "")]


def _labels(grantees: Sequence[Grantee]) -> dict[str, str]:
    """Names without kind and account; with the end of the account if ambiguous."""
    plain = {one.principal: _short(one) for one in grantees}
    found = {}
    for one in grantees:
        label = plain[one.principal]
        if list(plain.values()).count(label) > 1 and one.account is not None:
            label = f"{label[: WIDTH - 8]} ‥{one.account[-4:]}"
        found[one.principal] = safe(label)
    return found


def _short(grantee: Grantee) -> str:
    principal = grantee.principal
    if grantee.kind == "account":
        return account_of(principal) or principal
    if grantee.kind == "everyone":
        return "everyone"
    if grantee.kind == "service":
        return principal.removeprefix("service/").partition(".")[0]
    return principal.removesuffix("/*").rpartition("/")[2]


def _column(reading: MatrixReading, principal: str, label: str) -> Column[Repository]:
    return Column(principal, label, _cell(reading, principal), _rank(reading, principal), WIDTH, descending=True)


def _cell(reading: MatrixReading, principal: str) -> Callable[[Repository], list[Piece]]:
    def pieces(repository: Repository) -> list[Piece]:
        row = reading.cell(repository, principal)
        if row is None:
            return [(PENDING, "dim")] if reading.policy(repository) is None else [(UNREADABLE, "warn")]
        found: list[Piece] = []
        for part in PARTS:
            answer = answer_of(row.cells[part])
            found.append((SIGNS[answer], _STYLES[answer]))
        matrix, proof = reading.matrix, reading.proof(repository, principal)
        if matrix is not None and proof is not None:
            found.append((f" {proof_age(proof, row, matrix.now)}", "dim"))
        return found

    return pieces


def _rank(reading: MatrixReading, principal: str) -> Callable[[Repository], tuple[int, ...] | None]:
    def rank(repository: Repository) -> tuple[int, ...] | None:
        row = reading.cell(repository, principal)
        return None if row is None else tuple(_RANKS[answer_of(row.cells[part])] for part in reversed(PARTS))

    return rank


def one_line(reading: MatrixReading, repository: Repository, grantee: Grantee) -> Content:
    """The cell under the cursor: repository, principal and answers."""
    where = Content.assemble((safe(repository.name), "bold"), (" × ", MUTED), (safe(grantee.title), "bold"))
    return Content.assemble(where, "\n", answers(reading, repository, grantee))


def answers(reading: MatrixReading, repository: Repository, grantee: Grantee) -> Content:
    """ "✓ read · ✓ pull · ? push depends on aws:SourceIp · verified 3d ago"."""
    policy, row = reading.policy(repository), reading.cell(repository, grantee.principal)
    if policy is None:
        return Content.styled(f"{PENDING} its policy is not read yet", MUTED)
    if row is None or reading.matrix is None:
        return Content.styled(f"{UNKNOWN} {safe(policy.unreadable)}", "$text-warning")
    parts = []
    for part in PARTS:
        cell, answer = row.cells[part], answer_of(row.cells[part])
        more = f" depends on {', '.join(cell.depends_on)}" if cell.depends_on else ""
        parts.append(Content.styled(safe(f"{SIGNS[answer]} {part.value}{more}"), _TEXT_STYLES[answer]))
    proof = reading.proof(repository, grantee.principal)
    if proof is not None:
        parts.append(Content.styled(safe(proof_words(proof, row, reading.matrix.now)), MUTED))
    return Content(" · ").join(parts)


_TEXT_STYLES = {Verdict.YES: "$text-success", Verdict.NO: MUTED, Verdict.DEPENDS: "$text-warning"}


def in_full(
    reading: MatrixReading, repository: Repository, grantee: Grantee, sides: TwoSided | None, width: int
) -> Content:
    """Account A's answers with reasons, then both accounts per action. ``sides`` None: the grantee has no identity
    policies."""
    lines = [answers(reading, repository, grantee), Content(""), Content.styled("Account A's policies", "bold")]
    row = reading.cell(repository, grantee.principal)
    for part, cell in ((part, row.cells[part]) for part in PARTS) if row is not None else ():
        answer = answer_of(cell)
        sign = (f"{SIGNS[answer]} {part.value:<5}", _TEXT_STYLES[answer])
        lines.append(Content.assemble(sign, safe(cell.reason)))
    if sides is not None:
        lines += [Content(""), both_sides(BothSides((sides,)), width)]
    elif row is not None:
        who = f"{grantee.title[:1].upper()}{grantee.title[1:]}"
        words = f"{who} has no identity policies; those of its members also apply."
        lines += [Content(""), Content.styled(safe(words), MUTED)]
    return Content("\n").join(lines)


def progress(reading: MatrixReading, table: CellTable[Repository], error: str = "") -> Content:
    """Counts of read, visible and marked items."""
    if error:
        return Content.styled(f"{NO} {safe(error)}", "$text-error")
    rows, columns, seen = len(reading.rows), len(reading.columns), table.in_view
    shown = f" ({table.first + 1:,}–{table.first + seen:,} in view)" if seen < columns else ""
    many = f"{table.shown:,} × {columns:,}{shown} · "
    told = many if reading.over else f"{PENDING} {reading.read:,} of {rows:,} policies read · "
    some = f"{len(table.cells):,} marked · " if table.cells else ""
    return Content.assemble((told, "$text-primary"), (some, "bold $text-accent"), (LEGEND, MUTED))
