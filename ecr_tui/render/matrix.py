"""The matrix of repositories and grantees for the command line: a table, JSON, and CSV for spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ecr_tui.access.matrix import PARTS, AccessMatrix, Grantee, Proof, answer_of
from ecr_tui.aws.model import Repository
from ecr_tui.policy.answer import Verdict
from ecr_tui.policy.who import Capability, Row
from ecr_tui.render.common import table
from ecr_tui.render.spreadsheet import csv_text
from ecr_tui.text import block

SIGNS = {Verdict.YES: "✓", Verdict.NO: "–", Verdict.DEPENDS: "?"}
UNREADABLE = "unknown"
WORDS = "Access by account A's policies; ? depends on the request. Account B's own policies also decide."
LEGEND = "✓ yes, – no, ? depends: read, pull, push by account A's policies. Account B's own policies also decide."
_GAP = 2


def matrix_text(matrix: AccessMatrix, rows: Sequence[Repository], columns: Sequence[Grantee], width: int | None) -> str:
    """Words if all columns fit into ``width`` (None: unlimited), else symbols; columns that do not fit follow in
    further tables."""
    if not rows:
        return "No repositories."
    if not columns:
        return "No policy names a principal."
    head, legend = max(len("REPOSITORY"), *(len(one.name) for one in rows)), WORDS
    cells = [[cell_words(matrix, row, one) for one in columns] for row in rows]
    if width is not None and head + sum(_GAP + wide for wide in _widths(cells)) > width:
        cells, legend = [[cell_signs(matrix, row, one) for one in columns] for row in rows], LEGEND
    lines = [legend, *(f"  {number} {one.title}" for number, one in enumerate(columns, 1))]
    widths, begin = _widths(cells), 0
    while begin < len(columns):
        end, used = begin, head
        while end < len(columns) and (end == begin or width is None or used + _GAP + widths[end] <= width):
            used += _GAP + widths[end]
            end += 1
        heads = ("REPOSITORY", *map(str, range(begin + 1, end + 1)))
        shown = [(one.name, *line[begin:end]) for one, line in zip(rows, cells, strict=True)]
        lines += ["", *table([heads, *shown]).split("\n")]
        begin = end
    return block([*lines, *(f"Note: {note}" for note in matrix.notes)])


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(2, *map(len, column)) for column in zip(*cells, strict=True)]


def cell_words(matrix: AccessMatrix, repository: Repository, grantee: Grantee) -> str:
    """ "read+pull?, verified 3d ago"; "?" marks access that depends."""
    row = matrix.row(repository, grantee.principal)
    if row is None:
        return UNREADABLE
    proof = matrix.proof(repository, grantee.principal)
    return row_words(row) + (f", {proof_words(proof, row, matrix.now)}" if proof is not None else "")


def row_words(row: Row) -> str:
    marks = {True: "", None: "?"}
    parts = [(part.value, row.cells[part].allowed) for part in PARTS]
    return "+".join(f"{name}{marks[allowed]}" for name, allowed in parts if allowed is not False) or "-"


def cell_signs(matrix: AccessMatrix, repository: Repository, grantee: Grantee) -> str:
    """ "✓✓– 3d", with the age of the verification, in brackets if stale."""
    row = matrix.row(repository, grantee.principal)
    if row is None:
        return UNREADABLE
    signs = "".join(SIGNS[answer_of(row.cells[part])] for part in PARTS)
    proof = matrix.proof(repository, grantee.principal)
    return signs if proof is None else f"{signs} {proof_age(proof, row, matrix.now)}"


def age(at: datetime, now: datetime) -> str:
    """A short duration: "5m", "3h", "12d"."""
    minutes = max(int((now - at).total_seconds() // 60), 0)
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes >= size:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def proof_age(proof: Proof, row: Row, now: datetime) -> str:
    """ "3d" if allowed, "✗3d" if denied, in brackets if stale."""
    told = f"{'' if all(proof.can.values()) else '✗'}{age(proof.at, now)}"
    return f"({told})" if proof.stale_by(row) else told


def proof_words(proof: Proof, row: Row, now: datetime) -> str:
    """ "verified 3d ago: push denied, stale since grant at 2030-01-31 18:50 UTC"."""
    denied = [part.value for part in PARTS if proof.can.get(part) is False]
    stale = proof.stale_by(row)
    told = f"verified {age(proof.at, now)} ago"
    return told + (f": {' and '.join(denied)} denied" if denied else "") + (f", stale: {stale}" if stale else "")


def matrix_json(matrix: AccessMatrix, rows: Sequence[Repository], columns: Sequence[Grantee]) -> dict[str, Any]:
    """Access by account A's policies. A repository with an unreadable policy has no cells, but a reason."""
    return {
        "account": matrix.account,
        "at": _time(matrix.now),
        "grantees": [
            {
                "principal": one.principal,
                "title": one.title,
                "kind": one.kind,
                "account": one.account,
                "external": one.external,
                "repositories": matrix.count(one.principal),
            }
            for one in columns
        ],
        "repositories": [_repository(matrix, row, columns) for row in rows],
        "notes": list(matrix.notes),
    }


def _repository(matrix: AccessMatrix, repository: Repository, columns: Sequence[Grantee]) -> dict[str, Any]:
    policy = matrix.policy(repository)
    reason = "not read" if policy is None else policy.unreadable
    exists = "unreadable" if reason else "none" if policy is None or policy.document is None else "yes"
    rows = [] if reason else [(one, matrix.row(repository, one.principal)) for one in columns]
    return {
        "repository": repository.name,
        "arn": repository.arn,
        "region": repository.region,
        "tags": repository.tags,
        "policy": exists,
        "reason": reason or None,
        "cells": [_cell(matrix, repository, one, row) for one, row in rows if row is not None],
    }


def _cell(matrix: AccessMatrix, repository: Repository, grantee: Grantee, row: Row) -> dict[str, Any]:
    proof = matrix.proof(repository, grantee.principal)
    return {
        "principal": grantee.principal,
        **{part.value: answer_of(row.cells[part]).value for part in PARTS},
        "depends_on": list(_depends(row)),
        "proof": None
        if proof is None
        else {
            "at": _time(proof.at),
            "can": {part.value: proof.can.get(part) for part in PARTS},
            "stale": proof.stale_by(row) or None,
        },
    }


def _depends(row: Row) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in PARTS for name in row.cells[part].depends_on))


def matrix_csv(matrix: AccessMatrix, rows: Sequence[Repository], columns: Sequence[Grantee]) -> str:
    """A line for each cell."""
    heads = ("repository", "region", "principal", "title", *PARTS, "depends_on", "verified_at", "verified", "stale")
    return csv_text(heads, (_csv_row(matrix, repository, one) for repository in rows for one in columns))


def _csv_row(matrix: AccessMatrix, repository: Repository, grantee: Grantee) -> tuple[str, ...]:
    row = matrix.row(repository, grantee.principal)
    who = (repository.name, repository.region, grantee.principal, grantee.title)
    if row is None:
        return (*who, *[UNREADABLE] * len(PARTS), "", "", "", "")
    proof = matrix.proof(repository, grantee.principal)
    proved = ("", "", "") if proof is None else (_time(proof.at), _can(proof.can), proof.stale_by(row))
    return (*who, *(answer_of(row.cells[part]).value for part in PARTS), " ".join(_depends(row)), *proved)


def _can(can: Any) -> str:
    words: dict[Capability, bool] = can
    return " ".join(f"{part.value}:{'yes' if words[part] else 'no'}" for part in PARTS if part in words)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
