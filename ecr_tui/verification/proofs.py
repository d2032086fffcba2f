"""Current proofs: the last verification of each principal on each repository, and changes since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC

from ecr_tui.access.matrix import PARTS, Proof, ProofKey, proof_key
from ecr_tui.changes.entries import FAILED, Entry, History
from ecr_tui.verification.records import Past


def with_changes(past: Iterable[Past], history: History) -> list[Past]:
    """Each with what has changed access to its repository since, by the journal (``Past.stale``)."""
    changes: dict[str, Entry] = {}
    for entry in history.entries:
        known = changes.get(entry.record.arn)
        if entry.outcome != FAILED and (known is None or known.in_force_at <= entry.in_force_at):
            changes[entry.record.arn] = entry
    return [replace(one, stale=_since(changes.get(one.arn), one)) for one in past]


def _since(change: Entry | None, past: Past) -> str:
    if change is None or change.in_force_at < past.at:
        return ""
    return f"{change.record.kind} at {change.in_force_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def proofs(past: Iterable[Past], history: History) -> dict[ProofKey, Proof]:
    """``past`` newest first. A verification without a certain result proves nothing."""
    found: dict[ProofKey, Proof] = {}
    for one in with_changes(past, history):
        can, key = one.report.get("can"), proof_key(one.arn, one.principal)
        if key in found or not isinstance(can, Mapping):
            continue
        certain = {part: bool(can[part.value]) for part in PARTS if can.get(part.value) is not None}
        if certain:
            found[key] = Proof(one.at, certain, one.stale)
    return found
