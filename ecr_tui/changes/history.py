"""The journal as rows: what was written where, when, by which operator, and its state."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ecr_tui.changes.entries import FAILED, TAGS, UNKNOWN, Entry, History, Run, same_state
from ecr_tui.changes.json_lines import Damage
from ecr_tui.changes.tag_plans import tags_of
from ecr_tui.changes.undo import same_again
from ecr_tui.errors import InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Difference, differences, text_diff
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.principal import describe

LIVE, TAKEN_BACK, SUPERSEDED, NOT_KNOWN, NOT_WRITTEN = "in effect", "undone", "superseded", "unknown", "not written"


@dataclass(frozen=True, eq=False)
class PastWrite:
    """One entry. ``undone_by``: its undo or redo; ``run``: its run."""

    entry: Entry
    undone_by: Entry | None = None
    run: Run | None = None

    @property
    def id(self) -> str:
        return self.entry.id

    @property
    def about_tags(self) -> bool:
        return self.entry.record.subject == TAGS

    @cached_property
    def who(self) -> str:
        """The principals whose access changed, in words."""
        principal = self.entry.record.principal
        return ", ".join(describe(one) for one in principal.split(", ")) if principal else ""

    @cached_property
    def before(self) -> PolicyDocument | None:
        """None without a policy, for an invalid one, and for tags."""
        return None if self.about_tags else _document(self.entry.record.before_text)

    @cached_property
    def after(self) -> PolicyDocument | None:
        return None if self.about_tags else _document(self.entry.record.after_text)

    @cached_property
    def diff(self) -> tuple[Difference, ...]:
        return differences(self.before, self.after)

    @cached_property
    def text_diff(self) -> tuple[tuple[str, str], ...]:
        """As ``policy.change.text_diff``."""
        if self.about_tags:
            return _tag_diff(self.entry.record.before_text, self.entry.record.after_text)
        return text_diff(self.before, self.after)

    @cached_property
    def access(self) -> Access | None:
        """The read, push and pull access that it granted or revoked; None if none."""
        return Access.touched(one.action for one in self.diff if one.effect == "Allow")

    @cached_property
    def reversed(self) -> PastWrite:
        """The write of its undo."""
        record = self.entry.record
        back = record._replace(before_text=record.after_text, after_text=record.before_text)
        return PastWrite(self.entry._replace(record=back), run=self.run)

    def to_json(self) -> dict[str, Any]:
        """An element of ``history --json``. ``before`` and ``after`` are documents, null without a policy, and a
        string for an invalid one."""
        entry, record = self.entry, self.entry.record
        return {
            "id": entry.id,
            "at": entry.at.isoformat(),
            "kind": record.kind,
            "repository": record.repository,
            "arn": record.arn,
            "region": record.region,
            "account": record.account,
            "principal": record.principal or None,
            "operator": record.operator or None,
            "reason": record.reason or None,
            "outcome": entry.outcome,
            "detail": entry.detail or None,
            "run": record.run or None,
            "undoes": record.undoes,
            "undone_by": self.undone_by.id if self.undone_by is not None else None,
            "subject": record.subject,
            "before": _json(record.before_text, self.before, self.about_tags),
            "after": _json(record.after_text, self.after, self.about_tags),
            "diff": [one.to_json() for one in self.diff],
        }


class PastWrites:
    """All rows, newest first. Pure: :meth:`state` gets the live policy from its caller."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._known: dict[str, str] = {}
        runs = {run.id: run for run in history.runs}
        self.rows = tuple(
            PastWrite(entry, history.undone_by.get(entry.id), runs.get(entry.record.run))
            for entry in reversed(history.entries)
        )

    @property
    def damaged(self) -> tuple[Damage, ...]:
        return self.history.damaged

    def chosen(self, *, repository: str = "", account: str = "", limit: int | None = None) -> tuple[PastWrite, ...]:
        """``repository``: a name, or an ARN; "" for any."""
        rows: Iterable[PastWrite] = self.rows
        if repository:
            rows = (row for row in rows if repository in (row.entry.record.repository, row.entry.record.arn))
        if account:
            rows = (row for row in rows if row.entry.record.account == account)
        return tuple(rows)[:limit]

    @cached_property
    def _by_id(self) -> Mapping[str, PastWrite]:
        return {row.id: row for row in self.rows}

    def row_of(self, entry: Entry) -> PastWrite:
        return self._by_id[entry.id]

    def known_state(self, row: PastWrite) -> str:
        """The state by the journal alone: NOT_KNOWN if it depends on the live policy.

        ``row`` may be from an earlier reading of the journal; this reading decides its state.
        """
        if row.id not in self._known:
            self._known[row.id] = self._known_state(self._by_id.get(row.id, row))
        return self._known[row.id]

    def _known_state(self, row: PastWrite) -> str:
        entry = row.entry
        if entry.outcome == FAILED:
            return NOT_WRITTEN
        if row.undone_by is not None:
            return TAKEN_BACK
        if entry.outcome == UNKNOWN or same_again(self.history, entry) is None:
            known = self.history.last_known(entry)
            if entry.outcome == UNKNOWN or same_state(entry.record.subject, known, entry.record.after_text):
                return NOT_KNOWN
        return SUPERSEDED

    def state(self, row: PastWrite, live: str | None) -> str:
        """The state by the ``live`` text: LIVE if it is still what the entry wrote."""
        row = self._by_id.get(row.id, row)
        known = self.known_state(row)
        if known in (NOT_WRITTEN, TAKEN_BACK):
            return known
        if not same_state(row.entry.record.subject, live, row.entry.record.after_text):
            return NOT_KNOWN if row.entry.outcome == UNKNOWN else SUPERSEDED
        return SUPERSEDED if same_again(self.history, row.entry) is not None else LIVE


def _document(text: str | None) -> PolicyDocument | None:
    try:
        return None if text is None else PolicyDocument.parse(text)
    except InputError:
        return None


def _json(text: str | None, document: PolicyDocument | None, tags: bool) -> Any:
    if tags:
        with contextlib.suppress(InputError):
            return tags_of(text)
    return document.json if document is not None else text


def _tag_diff(before: str | None, after: str | None) -> tuple[tuple[str, str], ...]:
    try:
        old, new = tags_of(before), tags_of(after)
    except InputError:
        return (("-", before or ""), ("+", after or ""))
    lines = []
    for key in sorted(old.keys() | new.keys()):
        if key in old and old[key] == new.get(key):
            lines.append((" ", f"{key}={old[key]}"))
            continue
        lines += [(op, f"{key}={side[key]}") for op, side in (("-", old), ("+", new)) if key in side]
    return tuple(lines)
