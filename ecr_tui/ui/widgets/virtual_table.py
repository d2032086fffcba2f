"""A table for very many rows: the rows stay plain data, only the lines in view are ever drawn.

Textual's DataTable measures every row it is given and keeps a widget-side copy of each cell; at 100,000 rows that is
seconds and 100 MB. Here a row is whatever object the caller has, a :class:`~ecr_tui.ui.widgets.columns.Column` is a
function of it, and a filter or a sort only makes a new list of rows (``row_model``).

- Rows come by ``set_rows`` (all of them) and ``add_rows`` (a page; a row that is there already is replaced). Cursor,
  marks, filter and sort stay with the rows, which are told apart by ``key``.
- The filter speaks the language of ``ecr_tui.listing.filters``. It sees of a row what ``look`` makes of it: something
  with a name, tags, region and mutability; what is known of its policy it asks of ``policies``. A table of
  other things gives ``search``, a text in which words are looked for.
- Up to :data:`~ecr_tui.ui.widgets.row_model.FEW` rows are worked on at once. More are worked on in a worker, one change
  after the other, with a chance for keys in between.
- Messages: ``Moved``, ``Opened``, ``WindowChanged`` (other rows are in view), ``Changed`` (marks, filter, sort, rows),
  ``Loaded``.
- Mouse: a click moves, on the gutter it marks, on a header it sorts; a second click opens. The wheel takes the cursor
  along.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from ecr_tui.listing.filters import UNREAD, Filter, Plain, Policies, Result, Searchable
from ecr_tui.ui.keys import TABLE_BINDINGS
from ecr_tui.ui.widgets.columns import GAP, GUTTER, Column, fit_columns
from ecr_tui.ui.widgets.row_drawing import Pen
from ecr_tui.ui.widgets.row_model import FEW, RowModel, Sort

T = TypeVar("T")

SOON, LATER = 0.25, 1.0
"""Seconds until pages that have arrived are put in order with the rows before them, where those are many."""


class VirtualTable(ScrollView, Generic[T], can_focus=True):
    """Cursor, marks, filter and sort are kept by ``key`` of a row, so they survive :meth:`set_rows`."""

    ALLOW_SELECT = False
    BINDINGS = TABLE_BINDINGS
    STYLES: ClassVar[tuple[str, ...]] = ("dim", "ok", "no", "warn", "strong")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "vt--header",
        "vt--header-sorted",
        "vt--cursor",
        "vt--cursor-blurred",
        "vt--hover",
        "vt--marked",
        "vt--match",
        "vt--message",
        *(f"vt--{name}" for name in STYLES),
    }
    DEFAULT_CSS = """
    VirtualTable {
        height: 1fr;
        width: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .vt--header { color: $foreground 60%; text-style: none; }
        & > .vt--header-sorted { color: $text-primary; text-style: bold; }
        & > .vt--cursor { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
        & > .vt--cursor-blurred {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
        }
        & > .vt--hover { background: $boost; }
        & > .vt--marked { color: $text-accent; text-style: bold; }
        & > .vt--match { color: $text-accent; text-style: underline bold; }
        & > .vt--message { color: $foreground 60%; }
        & > .vt--dim { color: $foreground 60%; }
        & > .vt--ok { color: $text-success; }
        & > .vt--no { color: $foreground 60%; }
        & > .vt--warn { color: $text-warning; }
        & > .vt--strong { text-style: bold; }
    }
    """

    @dataclass(eq=False)
    class Moved(Message):
        """Another row is under the cursor; ``row`` is None when none is."""

        table: VirtualTable[Any]
        row: Any

    @dataclass(eq=False)
    class Opened(Message):
        """Enter or a second click on the row under the cursor; ``row`` is None in an empty table."""

        table: VirtualTable[Any]
        row: Any

    @dataclass(eq=False)
    class WindowChanged(Message):
        """Other rows are in view."""

        table: VirtualTable[Any]

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualTable.WindowChanged)

    @dataclass(eq=False)
    class Loaded(Message):
        """The rows of :meth:`set_rows` are in place: the one under the cursor may know more than before."""

        table: VirtualTable[Any]

    @dataclass(eq=False)
    class Changed(Message):
        """Marks, filter, sort or the number of rows."""

        table: VirtualTable[Any]

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualTable.Changed)

    def __init__(
        self,
        columns: Sequence[Column[T]],
        *,
        key: Callable[[T], str],
        look: Callable[[T], Searchable] | None = None,
        search: Callable[[T], str] = str,
        policies: Policies = UNREAD,
        id: str | None = None,
    ) -> None:
        """``look`` gives what the filter sees of a row. Without it the filter is words, looked for in the text that
        ``search`` makes of a row."""
        super().__init__(id=id)
        plain = look is None
        self._model: RowModel[T] = RowModel(
            key, look or (lambda row: Plain(search(row))), self._changed, plain=plain, policies=policies
        )
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._arranging: Timer | None = None
        self._use(columns)
        self._filter = ""
        self._sort: Sort = self._base
        self._told: str | None = None
        self._hover: int | None = None
        self._layout: list[tuple[Column[T], int]] = []
        self._message: tuple[str, ...] = ()
        self._pen = Pen(self)

    # -- content -------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[T]:
        return self._model.rows

    @property
    def shown(self) -> int:
        return len(self._model.view)

    @property
    def current(self) -> T | None:
        return self._model.current

    def _use(self, columns: Sequence[Column[T]]) -> None:
        self.columns = tuple(columns)
        self._model.set_columns({c.id: c.sort for c in columns}, self._base)

    @property
    def _base(self) -> Sort:
        """By the first column, in its own direction."""
        return self.columns[0].id, self.columns[0].descending

    def set_columns(self, columns: Sequence[Column[T]]) -> None:
        self._use(columns)
        self._layout = fit_columns(self.columns, self.size.width)
        self.sort_by(*(self._sort if self._sort[0] in {c.id for c in columns} else self._base))

    def set_rows(self, rows: Iterable[T], *, partial: bool = False) -> None:
        """Replace all rows; cursor and marks stay with their rows. ``partial``: more follow by :meth:`add_rows`."""
        self._work(self._load(rows, partial))

    def _work(self, work: Iterator[None]) -> None:
        """Do it now, where it is done at once; else in turn, with chances for keys in between."""
        if not self._waiting:
            for _ in work:
                if self.is_running:
                    break
            else:
                return
        self._waiting += 1
        self.run_worker(self._go_on(work))

    async def _go_on(self, work: Iterator[None]) -> None:
        try:
            async with self._turn:
                for _ in work:
                    await asyncio.sleep(0)
        finally:
            self._waiting -= 1

    def _load(self, rows: Iterable[T], partial: bool) -> Iterator[None]:
        yield from self._model.set_rows(rows, partial=partial)
        self._report(self.Loaded(self))

    def add_rows(self, rows: Iterable[T]) -> None:
        """A further page of a listing that is still going on."""
        self._work(self._model.add_rows(rows))
        if len(self.rows) <= FEW:
            self._arrange()
        else:
            self._arrange_soon()

    def _arrange_soon(self) -> None:
        if self._arranging is None:
            self._arranging = self.set_timer(SOON if len(self.rows) < 4 * FEW else LATER, self._arrange)

    def _arrange(self) -> None:
        if self._arranging is not None:
            self._arranging.stop()
            self._arranging = None
        if self._waiting or self._model.unsorted:
            self._work(self._model.arrange())

    @property
    def busy(self) -> bool:
        """Rows that were given are still being sorted or made ready for the filter."""
        return self._waiting > 0

    def find(self, key: str) -> T | None:
        """The row with that key, hidden or not."""
        return self._model.find(key)

    def look_again(self) -> None:
        """Filter by what is known of the policies now."""
        self._model.look_again()

    @property
    def tags_missing(self) -> bool:
        """The tags of some rows are not known."""
        return self._model.tags_missing

    def candidates(self) -> list[T]:
        """Rows that pass everything in the filter that does not ask for policies."""
        return self._model.candidates()

    def redraw_rows(self) -> None:
        """What the columns say has changed, the rows have not; their order has, where they are sorted by that."""
        self.refresh()
        if self.is_running and any(one.live for one in self.columns if one.id == self._sort[0]):
            self._model.unsorted = True
            self._arrange_soon()

    def set_message(self, *lines: str) -> None:
        """What an empty table says."""
        self._message = lines
        if not self._model.view:
            self.refresh()

    def window(self, ahead: int = 0) -> list[T]:
        """The rows in view, and ``ahead`` rows beyond them."""
        top = self.scroll_offset.y
        return [entry.row for entry in self._model.view[top : top + self._page + ahead]]

    @property
    def filter(self) -> str:
        return self._filter

    @filter.setter
    def filter(self, text: str) -> None:
        self._filter = text
        self._model.filter(text)

    def keep_cursor(self) -> None:
        """The row under the cursor is the chosen one: clearing the filter stays on it."""
        self._model.keep()

    @property
    def parsed(self) -> Filter:
        """The filter as it was understood."""
        return self._model.query

    @property
    def result(self) -> Result | None:
        """What the filter found; None without one."""
        return self._model.result

    @property
    def sort(self) -> Sort:
        """Column id and whether it is descending; "" for the order in which the rows were given."""
        return self._sort

    def sort_by(self, column: str, descending: bool | None = None) -> None:
        """The same column again turns the order, unless ``descending`` says which."""
        if descending is None:
            first = next((c.descending for c in self.columns if c.id == column), False)
            descending = not self._sort[1] if self._sort[0] == column else first
        self._sort = (column, descending)
        self._work(self._model.sort_by(column, descending))
        self.refresh()

    def action_sort_column(self, column: str) -> None:
        if any(one.id == column for one in self.columns):
            self.sort_by(column)

    @property
    def marks(self) -> int:
        """How many rows are marked, hidden ones included."""
        return len(self._model.marks)

    @property
    def marked(self) -> list[T]:
        """In the order of the table, those that the filter hides last."""
        return self._model.marked()

    @property
    def marked_hidden(self) -> list[T]:
        """Marked rows that the filter hides."""
        return self._model.marked_hidden()

    @property
    def hidden_marks(self) -> int:
        """How many marked rows the filter hides."""
        return self._model.hidden_marks

    def unmark_all(self) -> None:
        self._model.marks.clear()
        self.refresh()
        self._report(self.Changed(self))

    def _toggle_mark(self) -> None:
        self._model.toggle_mark()
        self._refresh_place(self._model.cursor)
        self._report(self.Changed(self))

    # -- telling -------------------------------------------------------------------------------------------------

    def _report(self, message: Message) -> None:
        """Post a message as this table's own: Textual stops one at the widget whose handler it was made in, and the
        parent that sets the filter is not the only one who listens."""
        self.post_message(message.set_sender(self))

    def _changed(self) -> None:
        """There is another view."""
        self._resize_virtual()
        self._show_cursor()
        self._tell()
        self.refresh()
        self._report(self.Changed(self))
        self._report(self.WindowChanged(self))

    def _tell(self) -> None:
        row = self.current
        key = None if row is None else self._model.key(row)
        if key != self._told:
            self._told = key
            self._report(self.Moved(self, row))

    # -- cursor --------------------------------------------------------------------------------------------------

    @property
    def _page(self) -> int:
        return max(self.size.height - 1, 1)

    def move_to(self, place: int) -> None:
        """Put the cursor on that line of the view."""
        before, top = self._model.cursor, self.scroll_offset.y
        self._model.move_to(place)
        self._show_cursor()
        if self.scroll_offset.y == top:
            # Two lines instead of the viewport: over a slow SSH the difference is felt.
            self._refresh_place(before)
            self._refresh_place(self._model.cursor)
        self._tell()

    def go_to_key(self, key: str) -> bool:
        """Put the cursor on the row with this key, if it is in view."""
        place = self._model.place_of(key)
        if place is not None:
            self.move_to(place)
        return place is not None

    def _show_cursor(self) -> None:
        top, cursor = self.scroll_offset.y, self._model.cursor
        if cursor < top:
            self.scroll_to(y=cursor, animate=False, force=True, immediate=True)
        elif cursor >= top + self._page:
            self.scroll_to(y=cursor - self._page + 1, animate=False, force=True, immediate=True)

    def _refresh_place(self, place: int) -> None:
        self.refresh(Region(0, place - self.scroll_offset.y + 1, self.size.width, 1))

    def action_move(self, by: int) -> None:
        self.move_to(self._model.cursor + by)

    def action_page(self, by: int) -> None:
        self.move_to(self._model.cursor + by * self._page)

    def action_half_page(self, by: int) -> None:
        self.move_to(self._model.cursor + by * max(self._page // 2, 1))

    def action_end(self, direction: int) -> None:
        self.move_to(0 if direction < 0 else len(self._model.view) - 1)

    def action_mark(self) -> None:
        """Mark or unmark the row and go on to the next."""
        if self._model.view:
            self._toggle_mark()
            self.action_move(1)

    def action_mark_shown(self) -> None:
        """Mark all rows of the view, or unmark them where all are marked. What the filter does not mean exactly is not
        marked."""
        refusal = self._model.refusal
        if refusal:
            self.notify(refusal, severity="warning", markup=False)
            return
        self._model.mark_shown()
        self.refresh()
        self._report(self.Changed(self))

    def action_open(self) -> None:
        self._report(self.Opened(self, self.current))

    # -- mouse ---------------------------------------------------------------------------------------------------

    def _place_at(self, y: int) -> int | None:
        place = y - 1 + self.scroll_offset.y
        return place if y > 0 and 0 <= place < len(self._model.view) else None

    def on_click(self, event: events.Click) -> None:
        event.stop()
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            column = self._column_at(offset.x)
            if column is not None:
                self.sort_by(column.id)
            return
        place = self._place_at(offset.y)
        if place is None:
            return
        again = place == self._model.cursor and event.chain > 1
        self.move_to(place)
        if offset.x < GUTTER:
            self._toggle_mark()
        elif again:
            self.action_open()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._hover_to(self._place_at(event.y))

    def on_leave(self) -> None:
        self._hover_to(None)

    def _hover_to(self, place: int | None) -> None:
        if place == self._hover:
            return
        before, self._hover = self._hover, place
        for line in (before, place):
            if line is not None:
                self._refresh_place(line)

    def _column_at(self, x: int) -> Column[T] | None:
        left = GUTTER
        for column, width in self._layout:
            if left <= x < left + width + GAP:
                return column
            left += width + GAP
        return None

    # -- drawing -------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self._layout = fit_columns(self.columns, event.size.width)
        self._resize_virtual()
        self._show_cursor()
        self._report(self.WindowChanged(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._report(self.WindowChanged(self))
            self._take_cursor_along()

    def _take_cursor_along(self) -> None:
        """Where the wheel or the scrollbar has left the cursor behind, it goes to the nearest row in view."""
        top = self.scroll_offset.y
        cursor = min(max(self._model.cursor, top), top + self._page - 1)
        if cursor != self._model.cursor and self.is_running:
            self.move_to(cursor)

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        self._refresh_place(self._model.cursor)

    def notify_style_update(self) -> None:
        self._pen.forget()
        super().notify_style_update()

    def _resize_virtual(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._model.view) + 1)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not self._layout:
            self._layout = fit_columns(self.columns, width)
        model, pen = self._model, self._pen
        if y == 0:
            sorted_by, descending = self._sort
            order = "≈ best first" if model.best_first else "▼" if descending else "▲"
            return pen.header(self._layout, width, sorted_by, order)
        if not model.view:
            top = max((self.size.height - len(self._message)) // 2, 1)
            return pen.message(self._message[y - top] if 0 <= y - top < len(self._message) else "", width)
        place = y - 1 + self.scroll_offset.y
        if place >= len(model.view):
            return pen.blank(width)
        entry = model.view[place]
        line = ""
        if place == model.cursor:
            line = "cursor" if self.has_focus else "cursor-blurred"
        elif place == self._hover:
            line = "hover"
        return pen.row(entry.row, self._layout, width, line, entry.key in model.marks, model.result)
