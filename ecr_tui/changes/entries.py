"""Records of the journal: writes, runs, and their order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from ecr_tui.changes.json_lines import Damage
from ecr_tui.changes.processes import is_running
from ecr_tui.errors import InputError
from ecr_tui.policy.compare import equivalent
from ecr_tui.policy.document import PolicyDocument

WRITTEN, FAILED, UNKNOWN = "written", "failed", "unknown"
HALF = "half"
"""Result of :func:`found_in` for a partly executed change of tags; not an outcome of an entry."""
DONE, STOPPED, DISMISSED = "done", "stopped", "dismissed"
POLICY, TAGS, TEMPLATE = "policy", "tags", "template"
SUBJECTS = (POLICY, TAGS, TEMPLATE)
NEVER_ARRIVED = "found unchanged afterwards"
"""Detail of a write looked up as not executed."""
FOUND_LIVE, FOUND_BY_NEXT = "found live afterwards", "found by the next write"
"""Details of a write looked up as executed."""
GRANT, REVOKE, REPAIR, EDIT, APPLY = "grant", "revoke", "repair", "edit", "apply"
TAG, UNDO, REDO = "tag", "undo", "redo"
KINDS = (GRANT, REVOKE, REPAIR, EDIT, APPLY, TAG, UNDO, REDO)
_LONGEST_RUN = timedelta(hours=24)


class Record(NamedTuple):
    """A write. Texts are exact; None means no policy. ``principal`` gains or loses access, ``operator`` is the ARN of
    the writer, ``run`` the id of its run.

    ``undoes``: the id of the entry that an undo takes back; a redo takes back an undo. Every entry is taken back at
    most once, by the next link of its chain. ``subject``: POLICY, TEMPLATE (the policy of a creation template), or
    TAGS, whose texts are JSON objects.
    ``reason``: why, in the operator's words.
    """

    kind: str
    repository: str
    arn: str
    region: str
    account: str
    principal: str = ""
    operator: str = ""
    before_text: str | None = None
    after_text: str | None = None
    undoes: str | None = None
    run: str = ""
    subject: str = POLICY
    reason: str = ""


@dataclass(frozen=True)
class Run:
    """A change to many repositories, journalled before its first write.

    ``intent``: the change (``bulk.Intent`` as JSON); ``targets``: (name, ARN, region) of all, in order. ``ended``: ""
    until journalled, DONE, STOPPED (by the user or a fatal failure), or DISMISSED.
    """

    id: str
    at: datetime
    kind: str
    account: str
    operator: str
    intent: dict[str, Any]
    targets: tuple[tuple[str, str, str], ...]
    ended: str = ""
    by: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def at_work(self) -> bool:
        """Whether its process still runs."""
        return not self.ended and is_running(self.by, self.at, _LONGEST_RUN)


class Entry(NamedTuple):
    """A record with its ``outcome``: "written", "failed" (nothing was written) or "unknown"."""

    id: str
    at: datetime
    record: Record
    outcome: str = UNKNOWN
    detail: str = ""
    finished_at: datetime | None = None

    @property
    def in_force_at(self) -> datetime:
        """When it may have taken effect: AWS may execute a request late."""
        return self.finished_at if self.detail == FOUND_LIVE and self.finished_at is not None else self.at


def found_in(record: Record, text: str | None) -> str:
    """The result of the write by a text found later: WRITTEN, FAILED, HALF (tags only), else UNKNOWN. For tags, only
    the changed ones count."""
    if record.subject == TAGS:
        return _found_in_tags(record, text)
    if same_state(record.subject, text, record.after_text):
        return WRITTEN
    return FAILED if same_state(record.subject, text, record.before_text) else UNKNOWN


def _found_in_tags(record: Record, text: str | None) -> str:
    try:
        before, after, live = (dict(json.loads(one or "{}")) for one in (record.before_text, record.after_text, text))
    except (ValueError, TypeError):
        return UNKNOWN
    changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    if all(live.get(key) == after.get(key) for key in changed):
        return WRITTEN
    if all(live.get(key) == before.get(key) for key in changed):
        return FAILED
    return HALF if all(live.get(key) in (before.get(key), after.get(key)) for key in changed) else UNKNOWN


@dataclass(frozen=True)
class History:
    """The entries, oldest first: all, or (``complete`` False) the last ones, independent of earlier ones.

    From ``undo.settle``: ``half`` are the ids of partly executed changes of tags, ``unclear`` the places (ARN and
    subject) whose last write stays unknown.
    """

    entries: tuple[Entry, ...]
    damaged: tuple[Damage, ...] = ()
    runs: tuple[Run, ...] = ()
    complete: bool = True
    half: frozenset[str] = frozenset()
    unclear: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def undone_by(self) -> Mapping[str, Entry]:
        """By the id of an undone entry: its undo or redo."""
        return {
            entry.record.undoes: entry for entry in self.entries if entry.record.undoes and entry.outcome == WRITTEN
        }

    @cached_property
    def _places(self) -> Mapping[str, int]:
        """By id: position of an entry among those of its repository."""
        return {entry.id: place for same in self.of_repository.values() for place, entry in enumerate(same)}

    @cached_property
    def of_repository(self) -> Mapping[tuple[str, str], Sequence[Entry]]:
        """Entries by ARN and subject, oldest first."""
        found: dict[tuple[str, str], list[Entry]] = {}
        for entry in self.entries:
            found.setdefault((entry.record.arn, entry.record.subject), []).append(entry)
        return found

    @property
    def unknown(self) -> tuple[Entry, ...]:
        """The last writes to their places with an unknown result."""
        last = (entries[-1] for entries in self.of_repository.values())
        return tuple(entry for entry in last if entry.outcome == UNKNOWN)

    def undoable(self, account: str | None = None) -> Iterator[Entry]:
        """Written and not undone grants, revokes and redos, newest first, without those known to be overwritten."""
        return self._standing(account, lambda kind: kind != UNDO)

    def redoable(self, account: str | None = None) -> Iterator[Entry]:
        """Undos not redone, newest first, without later writes of ecr-tui."""
        for entry in self._standing(account, lambda kind: kind == UNDO):
            if same_state(entry.record.subject, self.last_known(entry), entry.record.after_text):
                yield entry

    def _standing(self, account: str | None, wanted: Callable[[str], bool]) -> Iterator[Entry]:
        following: dict[tuple[str, str], tuple[Entry, ...]] = {}
        cut = self.half | {one.record.undoes for one in self.entries if one.id in self.half}
        for entry in reversed(self.entries):
            record = entry.record
            place = (record.arn, record.subject)
            after = following.get(place, ())
            # A write known to be in effect, even partly, is what the next ones found.
            known = entry.outcome == WRITTEN or entry.id in self.undone_by
            following[place] = (entry,) if known else (entry, *after)
            if (
                (entry.outcome == WRITTEN or entry.id in self.half)
                and wanted(record.kind)
                and entry.id not in self.undone_by
                and account in (None, record.account)
                and place not in self.unclear
                # A later write found another text, unless this one took effect after it.
                and (
                    entry.id in cut
                    or all(
                        same_state(record.subject, one.record.before_text, record.after_text)
                        for one in after
                        if one.at > entry.in_force_at
                    )
                )
            ):
                yield entry

    def last_action(self, account: str | None = None, *, redo: bool = False) -> tuple[Entry, ...]:
        """The user's last action to undo (``redo``: last undo), newest first: one write, or the rest of a run in
        effect."""
        candidates = self.redoable if redo else self.undoable
        last = next(candidates(account), None)
        if last is None or not last.record.run:
            return () if last is None else (last,)
        return tuple(entry for entry in candidates(account) if entry.record.run == last.record.run)

    def find(self, identifier: str) -> Entry | None:
        """By its id, or the last part of it."""
        wanted = identifier.strip()
        found = [entry for entry in self.entries if entry.id == wanted or entry.id.rpartition("-")[2] == wanted]
        return found[0] if len(found) == 1 else None

    def about_tags(self, identifier: str) -> bool:
        entry = self.find(identifier)
        return entry is not None and entry.record.subject == TAGS

    def run_entries(self, run: str) -> tuple[Entry, ...]:
        """The last written entry of each repository of a run, newest first."""
        last = {e.record.arn: e for e in self.entries if e.record.run == run and e.outcome == WRITTEN}
        return tuple(reversed(last.values()))

    def tip(self, entry: Entry) -> tuple[Entry, bool]:
        """The last link of an entry's chain of undos and redos, and whether the entry is in effect."""
        in_force = True
        while entry.id in self.undone_by:
            entry, in_force = self.undone_by[entry.id], not in_force
        return entry, in_force

    def cut_undo(self, entry: Entry) -> Entry | None:
        """The partly executed undo or redo of a change of tags."""
        return next((one for one in self.entries if one.id in self.half and one.record.undoes == entry.id), None)

    def later(self, entry: Entry) -> tuple[Entry, ...]:
        """Written or unknown entries for the same repository after ``entry``, oldest first."""
        same = self.of_repository[entry.record.arn, entry.record.subject]
        return tuple(one for one in same[self._places[entry.id] + 1 :] if one.outcome != FAILED)

    def last_known(self, entry: Entry) -> str | None:
        """The text after the last write to the entry's repository, by the journal."""
        same = reversed(self.of_repository[entry.record.arn, entry.record.subject])
        last = next((one for one in same if one.outcome == WRITTEN), None)
        return last.record.after_text if last is not None else entry.record.before_text


def same_state(subject: str, one: str | None, other: str | None) -> bool:
    """Whether two texts have the same meaning."""
    if one == other:
        return True
    try:
        if subject == TAGS:
            return bool(json.loads(one or "{}") == json.loads(other or "{}"))
        return equivalent(_document(one), _document(other))
    except (ValueError, InputError):
        return False


@lru_cache(maxsize=1024)
def _document(text: str | None) -> PolicyDocument | None:
    return None if text is None else PolicyDocument.parse(text)
