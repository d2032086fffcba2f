"""Model of a table's rows: filter, order, marks and cursor, without drawing.

Slow operations are generators that yield every few thousand rows, so that keys can be handled; until the end the table
shows the previous view. A row keeps its :class:`~ecr_tui.listing.filters.Entry` between listings.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from ecr_tui.listing.filters import RANKED, UNREAD, Entry, Filter, Policies, Result, Searchable, parse, parse_words

T = TypeVar("T")

Sort = tuple[str, bool]
"""Column id and whether it is descending; "" for the given order."""

FEW = 5_000
"""Rows between two yields; up to this number is processed synchronously."""


class RowModel(Generic[T]):
    """``key`` identifies a row across listings; ``look`` returns its searchable form.

    ``rows``: all; ``view``: those that match the filter, in order; ``cursor``: an index in it. ``changed`` is called
    when the view changes.
    """

    def __init__(
        self,
        key: Callable[[T], str],
        look: Callable[[T], Searchable],
        changed: Callable[[], None] = lambda: None,
        *,
        plain: bool = False,
        policies: Policies = UNREAD,
    ) -> None:
        """``plain``: the filter has only words and never changes the order."""
        self.key = key
        self._look = look
        self._changed = changed
        self._plain = plain
        self._policies = policies
        self.rows: list[T] = []
        self.view: Sequence[Entry[T]] = ()
        self.cursor = 0
        self.marks: dict[str, None] = {}
        self.query: Filter = parse("")
        self.sought: Filter = parse("")
        """The last non-empty filter: the current one, or a cleared one."""
        self.result: Result | None = None
        self.best_first = False
        """Whether the view is ordered by match quality instead of the table's order."""
        self.unsorted = False
        """Whether rows were added or changed since the last sort."""
        self._columns: dict[str, Callable[[T], Any]] = {}
        self._base: Sort = ("", False)
        self.sort: Sort = ("", False)
        self._known: dict[str, Entry[T]] = {}  # by key, in listing order
        self._ordered: list[Entry[T]] = []
        self._own: str | None = None  # the key of the cursor's row
        self._home: str | None = None  # the row to return to when a filter is cleared that was not accepted
        self._shown: set[str] | None = None  # the keys of the view, computed on demand

    # -- rows ----------------------------------------------------------------------------------------------------

    @property
    def current(self) -> T | None:
        return self.view[self.cursor].row if self.view else None

    def find(self, key: str) -> T | None:
        entry = self._known.get(key)
        return None if entry is None else entry.row

    def entries(self) -> Iterable[Entry[T]]:
        return self._known.values()

    def set_rows(self, rows: Iterable[T], *, partial: bool) -> Iterator[None]:
        """Replace all rows, keeping the cursor's row and marks by key. Marks of missing rows are dropped, unless
        ``partial``: more rows follow by :meth:`add_rows`."""
        if self._own is None and self.view:
            # The user has not moved, but has seen this row's preview.
            self._own = self._home = self.view[self.cursor].key
        empty = not self._known
        known: dict[str, Entry[T]] = {}
        for page in _pages(rows):
            if known:
                yield
            for row in page:
                key = self.key(row)
                known[key] = self._entry(self._known.get(key), row, key)
            if empty and not self._known:
                # The first rows are shown unsorted; the sorted view follows.
                self._known, self._ordered = known, list(known.values())
                self._show()
        self._known = known
        self.rows = [entry.row for entry in known.values()]
        if not partial:
            self.marks = {key: None for key in self.marks if key in known}
        yield from self.arrange()
        if not partial and self._own not in known:
            self.keep()

    def _entry(self, entry: Entry[T] | None, row: T, key: str) -> Entry[T]:
        if entry is None:
            return Entry(row, key, self._look(row))
        entry.take(row, self._look(row))  # also if equal: its tags may have another source
        return entry

    def add_rows(self, rows: Iterable[T]) -> Iterator[None]:
        """Add a page. Existing rows are replaced, now with their tags."""
        for number, page in enumerate(_pages(rows)):
            if number:
                yield
            fresh: list[Entry[T]] = []
            for row in page:
                key = self.key(row)
                before = self._known.get(key)
                entry = self._known[key] = self._entry(before, row, key)
                if before is None:
                    fresh.append(entry)
            self._ordered += fresh
        self.rows = [entry.row for entry in self._known.values()]
        self.unsorted = True
        self._show()

    # -- order ---------------------------------------------------------------------------------------------------

    def set_columns(self, columns: dict[str, Callable[[T], Any]], base: Sort) -> None:
        """A sort key by column id, None if unknown; such rows come last in either order. ``base`` breaks ties."""
        self._columns = dict(columns)
        self._base = base
        self.sort = self.sort if self.sort[0] in columns else self._base

    def sort_by(self, column: str, descending: bool) -> Iterator[None]:
        self.sort = (column, descending)
        return self.arrange()

    def arrange(self) -> Iterator[None]:
        """Sort all rows."""
        self.unsorted = False
        wanted = self.sort
        entries = list(self._known.values())
        for by in dict.fromkeys((self._base, wanted)) if wanted[0] else ():
            entries = yield from self._sorted(entries, *by)
        self._ordered = entries
        self._show()

    def _sorted(self, entries: list[Entry[T]], column: str, descending: bool) -> Generator[None, None, list[Entry[T]]]:
        value_of = self._columns[column]
        known: list[Entry[T]] = []
        unknown: list[Entry[T]] = []
        values: list[Any] = []
        for at in range(0, len(entries), FEW):
            if at:
                yield
            for entry in entries[at : at + FEW]:
                value = value_of(entry.row)
                if value is None:
                    unknown.append(entry)
                else:
                    known.append(entry)
                    values.append(value)
        places = sorted(range(len(known)), key=values.__getitem__, reverse=descending)
        return [*(known[place] for place in places), *unknown]

    # -- filter --------------------------------------------------------------------------------------------------

    def filter(self, text: str) -> None:
        """Filter in the language of :mod:`ecr_tui.listing.filters`. The cursor moves to the best match; without a
        filter it returns to its previous row, unless :meth:`keep` was called."""
        if self._home is None and not self.query:
            self.keep()
        self.query = parse_words(text) if self._plain else parse(text)
        self.sought = self.query or self.sought
        self._own = None if self.query else self._home
        self._show(self.result)

    def keep(self) -> None:
        """Keep the cursor's row when the filter is cleared."""
        if self.view:
            self._own = self._home = self.view[self.cursor].key

    def _best(self) -> int:
        """Index of the best match in a view of another order."""
        if self._plain or self.result is None or len(self.view) > RANKED:
            return 0
        best = self.result.ranked()[0]
        return next(place for place, entry in enumerate(self.view) if entry is best)

    def look_again(self) -> None:
        """Update after new facts of policies that the filter uses."""
        if self.query.needs_policies:
            self._show()

    @property
    def tags_missing(self) -> bool:
        return any(entry.look.tags is None for entry in self._known.values())

    def candidates(self) -> list[T]:
        """Rows that match all terms of the filter that need no policies."""
        rest = self.query.without_policies()
        found = rest.apply(self._ordered, loose=False).found if rest else self._ordered
        return [entry.row for entry in found]

    def _show(self, previous: Result | None = None) -> None:
        """Rebuild the view. ``previous``: a result on the same rows in the same order."""
        self._shown = None
        self.best_first = False
        if not self.query:
            self.result, self.view = None, self._ordered
        else:
            loose = not self._plain
            self.result = self.query.apply(self._ordered, self._policies, previous, loose=loose)
            # An explicit order is kept; otherwise the best match comes first.
            wanted = loose and bool(self.query.words) and (self.result.loose or self.sort == self._base)
            self.best_first = wanted and 0 < len(self.result.found) <= RANKED
            self.view = self.result.ranked() if self.best_first else self.result.found
        if self._own is None and self.query and self.view:
            self.cursor = 0 if self.best_first else self._best()
            self._own = self.view[self.cursor].key
        else:
            place = self.place_of(self._own)
            self.cursor = min(self.cursor, max(len(self.view) - 1, 0)) if place is None else place
        self._changed()

    # -- cursor and marks ----------------------------------------------------------------------------------------

    def move_to(self, place: int) -> None:
        """Move the cursor to that line of the view, or the nearest one."""
        if self.view:
            self.cursor = min(max(place, 0), len(self.view) - 1)
            self.keep()

    def next_match(self, by: int) -> int | None:
        """Index of the next row (``by`` -1: previous) that matches :attr:`sought`, wrapping around."""
        before, after = self.view[: self.cursor], self.view[self.cursor + 1 :]
        here = self.view[self.cursor : self.cursor + 1]
        rows = [*after, *before, *here] if by > 0 else [*reversed(before), *reversed(after), *here]
        found = self.sought.apply(rows, self._policies, loose=not self._plain).found if self.sought else ()
        return self.view.index(found[0]) if found else None

    def place_of(self, key: str | None) -> int | None:
        """Index in the view of the row with this key."""
        entry = None if key is None else self._known.get(key)
        try:
            return None if entry is None else self.view.index(entry)
        except ValueError:
            return None

    @property
    def refusal(self) -> str:
        """Why the rows of the view cannot be marked together; "" if they can."""
        if self.query.problems:
            return "The filter has an error. Correct it to mark all rows that it shows."
        if self.result is not None and self.result.loose:
            return "Similar rows are not marked together. Press Space to mark one."
        return ""

    def toggle_mark(self) -> None:
        self.keep()
        key = self.view[self.cursor].key
        if key in self.marks:
            del self.marks[key]
        else:
            self.marks[key] = None

    def mark_shown(self) -> None:
        """Mark all rows of the view, or unmark them if all are marked; keeps marks of hidden rows."""
        shown = dict.fromkeys(entry.key for entry in self.view)
        if shown.keys() <= self.marks.keys():
            self.marks = {key: None for key in self.marks if key not in shown}
        else:
            self.marks |= shown

    def marked(self) -> list[T]:
        """In the order of the view, hidden ones last."""
        if not self.marks:
            return []
        return [entry.row for entry in self.view if entry.key in self.marks] + self.marked_hidden()

    def marked_hidden(self) -> list[T]:
        """Marked hidden rows, in table order."""
        hidden = set(self._hidden())
        return [entry.row for entry in self._ordered if entry.key in hidden] if hidden else []

    @property
    def hidden_marks(self) -> int:
        """Number of marked hidden rows."""
        return len(self._hidden())

    def _hidden(self) -> list[str]:
        """The keys of marked hidden rows that are listed already."""
        if self.result is None or not self.marks:
            return []
        if self._shown is None:
            self._shown = {entry.key for entry in self.view}
        return [key for key in self.marks if key in self._known and key not in self._shown]


def _pages(rows: Iterable[T]) -> Iterator[list[T]]:
    """At least one, which may be empty."""
    left = iter(rows)
    page = list(islice(left, FEW))
    while True:
        yield page
        page = list(islice(left, FEW))
        if not page:
            return
