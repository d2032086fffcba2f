"""Which rows a table shows, in which order, with which marks and cursor: lists of row numbers, no drawing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_PAGE = 2000
"""Rows up to which work on all of them at once is not noticed."""

_ABSENT = -1
"""The place of a marked row that the listing has not brought yet."""


class RowModel(Generic[T]):
    """``key`` names a row across listings; ``search`` is the text that the filter looks at, in any case.

    ``rows`` is what there is; ``view`` the numbers of those that pass the filter, sorted; ``cursor`` a place in it.
    """

    def __init__(self, key: Callable[[T], str], search: Callable[[T], str], sort: Callable[[T], Any]) -> None:
        self.key = key
        self._search = search
        self._sort = sort
        self._descending = False
        self.rows: list[T] = []
        self.view: list[int] = []
        self.cursor = 0
        self.marks: dict[str, int] = {}
        self.needles: tuple[str, ...] = ()
        self._order: list[int] = []
        self._values: list[Any] = []
        self._haystacks: list[str] = []
        self._anchor: int | None = None
        self._anchor_key: str | None = None

    # -- rows ----------------------------------------------------------------------------------------------------

    @property
    def current(self) -> T | None:
        return self.rows[self.view[self.cursor]] if self.view else None

    def set_rows(self, rows: Iterable[T], *, partial: bool) -> None:
        """Replace all; the cursor's row and marks are found again by key. Marks of rows that have gone are dropped,
        unless ``partial`` says that more rows follow by :meth:`add_rows`."""
        current = self.current
        if self._anchor_key is None and current is not None:
            # The user has not moved, but has seen this row and what it would get.
            self._anchor_key = self.key(current)
        self.rows = list(rows)
        self._haystacks = []
        self._prepare(0)
        self._anchor = None
        self.marks = dict.fromkeys(self.marks, _ABSENT)
        self._recognize(0)
        if not partial:
            self.marks = {key: at for key, at in self.marks.items() if at != _ABSENT}
        self.resort()

    def add_rows(self, rows: Iterable[T]) -> None:
        start = len(self.rows)
        self.rows.extend(rows)
        self._recognize(start)
        self._prepare(start)
        self._order_rows()

    def _prepare(self, start: int) -> None:
        """What the filter looks at, page by page while a listing arrives: for all rows at once it would be felt."""
        if len(self._haystacks) == start and len(self.rows) - start <= _PAGE:
            self._haystacks += [self._search(row).casefold() for row in self.rows[start:]]

    def _recognize(self, start: int) -> None:
        """Find the cursor's row and the marked ones among the rows from ``start`` on."""
        lost = self._anchor is None and self._anchor_key is not None
        if not lost and not self.marks:
            return
        key, marks = self.key, self.marks
        for at in range(start, len(self.rows)):
            name = key(self.rows[at])
            if name in marks:
                marks[name] = at
            if lost and name == self._anchor_key:
                self._anchor = at

    # -- order and filter ------------------------------------------------------------------------------------------

    def sort_by(self, sort: Callable[[T], Any], descending: bool) -> None:
        """``sort`` gives None where the value is not known: such rows come last in either order."""
        self._sort, self._descending = sort, descending
        self.resort()

    def resort(self) -> None:
        self._values, self._order = [], []
        self._order_rows()

    def _order_rows(self) -> None:
        """Sort in what is new; what is sorted already costs a comparison each."""
        values, start = self._values, len(self._values)
        values += [self._sort(row) for row in self.rows[start:]]
        order = [*self._order, *range(start, len(values))]
        known = [i for i in order if values[i] is not None]
        known.sort(key=values.__getitem__, reverse=self._descending)
        self._order = known + [i for i in order if values[i] is None]
        self.view = self._matching(self._order)
        self._settle()

    def filter(self, text: str) -> None:
        """Every word must be in the row's text. Typing on narrows the last result instead of beginning again."""
        old, new = self.needles, tuple(text.casefold().split())
        last = len(old) - 1
        narrower = bool(old) and len(new) > last and new[:last] == old[:last] and new[last].startswith(old[last])
        self.needles = new
        self.view = self._matching(self.view if narrower else self._order)
        self._settle()

    def _matching(self, base: Sequence[int]) -> list[int]:
        if not self.needles:
            return list(base)
        if len(self._haystacks) < len(self.rows):
            self._haystacks += [self._search(row).casefold() for row in self.rows[len(self._haystacks) :]]
        view, haystacks = base, self._haystacks
        for needle in self.needles:
            view = [i for i in view if needle in haystacks[i]]
        return list(view)

    def _settle(self) -> None:
        """After a new view: find the cursor's row again, or the nearest place."""
        try:
            # The anchor outlives a filter that hides it, so that clearing the filter leads back to the row.
            self.cursor = self.view.index(self._anchor)  # type: ignore[arg-type]
        except ValueError:
            self.cursor = min(self.cursor, max(len(self.view) - 1, 0))

    # -- cursor and marks --------------------------------------------------------------------------------------------

    def move_to(self, place: int) -> None:
        """Put the cursor on that line of the view, or on the nearest there is."""
        if self.view:
            self.cursor = min(max(place, 0), len(self.view) - 1)
            self._anchor = self.view[self.cursor]
            self._anchor_key = self.key(self.rows[self._anchor])

    def place_of(self, key: str) -> int | None:
        """Where in the view the row with this key is."""
        return next((place for place, at in enumerate(self.view) if self.key(self.rows[at]) == key), None)

    def toggle_mark(self) -> None:
        at = self.view[self.cursor]
        key = self.key(self.rows[at])
        if self.marks.pop(key, None) is None:
            self.marks[key] = at

    def mark_shown(self) -> None:
        """Mark all of the view, or unmark them where all are marked; marks of hidden rows stay."""
        shown = {self.key(self.rows[at]): at for at in self.view}
        if shown.keys() <= self.marks.keys():
            self.marks = {key: at for key, at in self.marks.items() if key not in shown}
        else:
            self.marks.update(shown)

    def marked(self) -> list[T]:
        """In the order of the view, those that the filter hides last."""
        places = {at: place for place, at in enumerate(self.view)} if self.marks else {}
        last = len(places)
        present = [at for at in self.marks.values() if at != _ABSENT]
        return [self.rows[at] for at in sorted(present, key=lambda at: (places.get(at, last), at))]

    def marked_hidden(self) -> list[T]:
        """Marked rows that the filter hides."""
        if not self.marks or not self.needles:
            return []
        seen = set(self.view)
        return [self.rows[at] for at in sorted(self.marks.values()) if at != _ABSENT and at not in seen]
