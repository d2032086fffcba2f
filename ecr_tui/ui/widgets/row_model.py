"""Which rows a table shows, in which order, with which marks and cursor: row numbers, no drawing.

Whatever grows with the number of rows is a generator that yields every thousand rows (see ``ui.slices``); until it has
come to its end the table shows what was there before. A new listing is laid over the rows that there are: those that
both have keep their numbers, so that nothing that is known of them is made anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ecr_tui.filters import RANKED, Filter, Index, Order, Result, Searchable, parse, parse_words
from ecr_tui.ui.slices import ROWS
from ecr_tui.ui.widgets.row_sorting import STROKE, ordered

if TYPE_CHECKING:
    from ecr_tui.policy.access import AccessSummary

T = TypeVar("T")

Sort = tuple[str, bool]
"""Column id and whether it is descending."""

FEW = 5_000
"""Up to so many rows, what is done to all of them at a keystroke is not felt."""


class RowModel(Generic[T]):
    """``key`` names a row across listings; ``look`` is what the filter sees of it.

    ``rows`` is what there is; ``view`` the numbers of those that pass the filter, in order; ``cursor`` a place in it.
    ``changed`` is called whenever there is another view.
    """

    def __init__(
        self,
        key: Callable[[T], str],
        look: Callable[[T], Searchable],
        changed: Callable[[], None] = lambda: None,
        *,
        plain: bool = False,
    ) -> None:
        """``plain``: the filter is words and nothing else, and never changes the order."""
        self.key = key
        self._plain = plain
        self._look = look
        self._changed = changed
        self.rows: list[T] = []
        self.view: Sequence[int] = ()
        self.cursor = 0
        self.marks: dict[str, None] = {}
        self.query: Filter = parse("")
        self.result: Result | None = None
        self.best_first = False
        """The view is in the order of how well rows match, not in that of the table."""
        self._columns: dict[str, Callable[[T], Any]] = {}
        self._live: frozenset[str] = frozenset()
        self._base: Sort = ("", False)
        self._sort: Sort = ("", False)
        self._orders: dict[Sort, Order] = {}
        self._order = Order()
        self._unsorted = False
        self._anchor_key: str | None = None
        self._hidden: int | None = None
        self._loosely = True
        self._start_over()

    def _start_over(self) -> None:
        self._numbers: dict[str, int] = {}
        self._index = Index()
        self._given: list[int] | None = None
        """The order in which rows came last, where it is not that of their numbers: it breaks ties."""
        self._orders.clear()
        self._order = Order()
        self.result, self.view = None, ()

    # -- rows ----------------------------------------------------------------------------------------------------

    @property
    def current(self) -> T | None:
        return self.rows[self.view[self.cursor]] if self.view else None

    def set_rows(self, rows: Iterable[T], *, partial: bool) -> Iterator[None]:
        """Replace all; the cursor's row and marks are found again by key. Marks of rows that have gone are dropped,
        unless ``partial`` says that more rows follow by :meth:`add_rows`."""
        current = self.current
        if self._anchor_key is None and current is not None:
            # The user has not moved, but has seen this row and what it would get.
            self._anchor_key = self.key(current)
        new = list(rows)
        if partial or not self.rows or not new:
            yield from self._begin(new)
        else:
            yield from self._lay_over(new)
        if not partial:
            self.marks = {key: None for key in self.marks if key in self._numbers}
        yield from self.arrange()

    def _begin(self, new: list[T]) -> Iterator[None]:
        """In the order in which they came, at once; what is sorted and searched follows."""
        self.rows = []
        self._start_over()
        yield from self._add(new)

    def _add(self, new: list[T]) -> Iterator[None]:
        """Rows that are not there yet."""
        start = len(self.rows)
        self.rows += new
        self._orders.clear()
        if self._given is not None:
            self._given += range(start, len(self.rows))
        self._order.extend(range(start, len(self.rows)))
        self._unsorted = True
        key, look, numbers = self.key, self._look, self._numbers
        for at in range(start, len(self.rows), ROWS):
            page = self.rows[at : at + ROWS]
            numbers.update(zip(map(key, page), range(at, at + len(page)), strict=True))
            self._index.extend(map(look, page))
            if at == start:
                self._show()
            if at + ROWS < len(self.rows):
                yield
        if not new:
            self._show()
        self._hidden = None

    def _lay_over(self, new: list[T]) -> Iterator[None]:
        fresh: list[T] = []
        kept = bytearray(len(self.rows))
        for start in range(0, len(new), ROWS):
            if start:
                yield
            fresh += self._update(new[start : start + ROWS], kept)
        if kept.count(0):
            yield from self._make_anew(new)
            return
        if fresh:
            yield from self._add(fresh)
        given: dict[int, None] = {}
        for start in range(0, len(new), ROWS):
            if start:
                yield
            given |= dict.fromkeys(self._numbers[self.key(row)] for row in new[start : start + ROWS])
        if list(given) != self._given:
            self._given = list(given)
            self._orders.clear()
            self._unsorted = True

    def _update(self, page: Iterable[T], kept: bytearray | None = None) -> list[T]:
        """What is known better now; returns the rows that were not there."""
        rows, key, numbers = self.rows, self.key, self._numbers
        fresh: dict[str, T] = {}
        for row in page:
            name = key(row)
            at = numbers.get(name)
            if at is None:
                fresh[name] = row
                continue
            if kept is not None:
                kept[at] = 1
            old, rows[at] = rows[at], row
            if old is not row and old != row:
                self._index.update(at, self._look(row))
                self._index.set_access(at, None)
                self._orders.clear()
                self._unsorted = True
        return list(fresh.values())

    def _make_anew(self, new: list[T]) -> Iterator[None]:
        """Some rows have gone: the numbers are others. The former rows are shown until this is done."""
        index, numbers = Index(), dict[str, int]()
        key, look, before = self.key, self._look, self._numbers
        rows: list[T] = []
        for start in range(0, len(new), ROWS):
            if start:
                yield
            for row in new[start : start + ROWS]:
                name = key(row)
                if name not in numbers:
                    numbers[name] = len(rows)
                    rows.append(row)
            at = len(index)
            index.extend(map(look, rows[at:]))
            for row in rows[at:]:
                known = before.get(key(row))
                if known is not None:
                    index.access[at] = self._index.access[known]
                at += 1
        # As they are shown now, until they are sorted: nothing jumps.
        order: list[int] = []
        for start in range(0, len(self.rows), ROWS):
            if start:
                yield
            some = [numbers.get(key(self.rows[at])) for at in self._order.rows[start : start + ROWS]]
            order += [at for at in some if at is not None]
        order += [at for at, row in enumerate(rows) if key(row) not in before]
        self.rows = rows
        self._start_over()
        self._index, self._numbers, self._order = index, numbers, Order(order)
        self._unsorted = True
        self._show()

    def add_rows(self, rows: Iterable[T]) -> Iterator[None]:
        """A further page. A row that is there already is replaced: now it knows its tags."""
        fresh: list[T] = []
        page = list(rows)
        for start in range(0, len(page), STROKE):
            if start:
                yield
            fresh += self._update(page[start : start + STROKE])
        yield from self._add(fresh)
        self._show()

    @property
    def unsorted(self) -> bool:
        """Rows were added or changed since they were put in order."""
        return self._unsorted

    # -- order ---------------------------------------------------------------------------------------------------

    def set_columns(self, columns: dict[str, Callable[[T], Any]], live: Iterable[str]) -> None:
        """``columns``: a sort key by column id, None where a row's value is not known; such rows come last in either
        order. The first one breaks ties. The values of ``live`` ones change by themselves."""
        self._columns = dict(columns)
        self._live = frozenset(live)
        self._base = (next(iter(columns)), False)
        self._sort = self._sort if self._sort[0] in columns else self._base
        self._orders.clear()

    def sort_by(self, column: str, descending: bool) -> Iterator[None]:
        self._sort = (column, descending)
        yield from self.arrange()

    def arrange(self) -> Iterator[None]:
        """Put all rows in order."""
        self._unsorted = False
        wanted = self._sort
        base = yield from self._ordered(self._base, None)
        order = base if wanted == self._base else (yield from self._ordered(wanted, base))
        # Its own copy: pages are added to it.
        self._order = order.copy()
        self._show()

    def _ordered(self, by: Sort, base: Order | None) -> Generator[None, None, Order]:
        found = self._orders.get(by)
        if found is not None:
            return found
        column, descending = by
        numbers: Sequence[int] = (self._given or range(len(self.rows))) if base is None else base.rows
        order = yield from ordered(self.rows, numbers, self._columns[column], descending=descending)
        if column not in self._live:
            self._orders[by] = order
        return order

    # -- filter --------------------------------------------------------------------------------------------------

    def filter(self, text: str) -> None:
        """The language of :mod:`ecr_tui.filters`, literally among many rows: :meth:`filter_loosely` may follow."""
        self.query = parse_words(text) if self._plain else parse(text)
        self._loosely = not self._plain and len(self.rows) <= FEW
        self._show()

    @property
    def may_be_loose(self) -> bool:
        """Nothing matches literally, and it was not looked for loosely yet."""
        return bool(self.query) and not (self._plain or self._loosely or self.view)

    def filter_loosely(self) -> None:
        self._loosely = True
        self._show()

    def find(self, key: str) -> T | None:
        at = self._numbers.get(key)
        return None if at is None else self.rows[at]

    def set_access(self, key: str, access: AccessSummary | None) -> None:
        """What is known of a row's access, for ``access:``; seen by the next :meth:`look_again`."""
        at = self._numbers.get(key)
        if at is not None:
            self._index.set_access(at, access)

    def forget_access(self) -> None:
        self._index.forget_access()

    def look_again(self) -> bool:
        """What is known of access has changed: whether the view has, too."""
        if not self.query.needs_access or (self.result is not None and self.result.stands(self._index)):
            return False
        self._show()
        return True

    @property
    def tags_missing(self) -> bool:
        return self._index.without_tags > 0

    def undecided(self) -> list[T]:
        """Rows whose access is not known and that pass everything else that is asked for."""
        rest = self.query.without_access()
        numbers = rest.apply(self._index, loose=False).rows if rest else self._index.all_rows
        access = self._index.access
        return [self.rows[at] for at in numbers if not access[at]]

    def _show(self) -> None:
        """Make the view anew."""
        self._hidden = None
        self.best_first = False
        if not self.query:
            self.result = None
            self.view = self._order.rows
        else:
            self.result = self.query.apply(self._index, self.result, loose=self._loosely)
            # Who has chosen an order wants it; who types a name wants the one that begins with it.
            wanted = not self._plain and bool(self.query.words) and (self.result.loose or self._sort == self._base)
            self.best_first = wanted and 0 < len(self.result.rows) <= RANKED
            arranged = self.result.ranked(self._index, self._order) if self.best_first else None
            self.view = self.result.ordered(self._order) if arranged is None else arranged
        self._settle()
        self._changed()

    def _settle(self) -> None:
        """Find the cursor's row again, or the nearest place."""
        # The anchor outlives a filter that hides it, so that clearing the filter leads back to the row.
        place = None if self._anchor_key is None else self.place_of(self._anchor_key)
        self.cursor = min(self.cursor, max(len(self.view) - 1, 0)) if place is None else place

    # -- cursor and marks ----------------------------------------------------------------------------------------

    def move_to(self, place: int) -> None:
        """Put the cursor on that line of the view, or on the nearest there is."""
        if self.view:
            self.cursor = min(max(place, 0), len(self.view) - 1)
            self._anchor_key = self.key(self.rows[self.view[self.cursor]])

    def place_of(self, key: str) -> int | None:
        """Where in the view the row with this key is."""
        at = self._numbers.get(key)
        if at is None:
            return None
        if self.result is None:
            return self._order.place(at)
        if at not in self.result.rows:
            return None
        if self.best_first or not len(self._order):
            return self.view.index(at)
        return bisect_left(self.view, self._order.place(at), key=self._order.place)

    def toggle_mark(self) -> None:
        key = self.key(self.rows[self.view[self.cursor]])
        if key in self.marks:
            del self.marks[key]
        else:
            self.marks[key] = None
        self._hidden = None

    def unmark_all(self) -> None:
        self.marks.clear()
        self._hidden = None

    def _marked_numbers(self) -> list[int]:
        """Of those that the listing has brought already."""
        return sorted(at for key in self.marks if (at := self._numbers.get(key)) is not None)

    def mark_shown(self) -> None:
        """Mark all of the view, or unmark them where all are marked; marks of hidden rows stay."""
        shown = dict.fromkeys(self.key(self.rows[at]) for at in self.view)
        if shown.keys() <= self.marks.keys():
            self.marks = {key: None for key in self.marks if key not in shown}
        else:
            self.marks |= shown
        self._hidden = None

    def marked(self) -> list[T]:
        """In the order of the view, those that the filter hides last."""
        numbers = self._marked_numbers()
        if self.result is None:
            return [self.rows[at] for at in sorted(numbers, key=self._order.place)]
        wanted = set(numbers)
        seen = [at for at in self.view if at in wanted]
        return [self.rows[at] for at in seen] + self.marked_hidden()

    def marked_hidden(self) -> list[T]:
        """Marked rows that the filter hides."""
        return [self.rows[at] for at in self._hidden_numbers()]

    @property
    def hidden_marks(self) -> int:
        """How many marked rows the filter hides."""
        if self._hidden is None:
            self._hidden = len(self._hidden_numbers())
        return self._hidden

    def _hidden_numbers(self) -> list[int]:
        if self.result is None or not self.marks:
            return []
        seen = self.result.rows
        return [at for at in self._marked_numbers() if at not in seen]
