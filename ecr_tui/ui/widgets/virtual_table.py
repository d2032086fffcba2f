"""A table for very many rows: rows are plain data, and only visible lines are drawn.

Textual's DataTable measures every row and keeps a copy of each cell, which costs seconds and 100 MB for 100,000 rows.
Here a row is any object of the caller, a :class:`~ecr_tui.ui.widgets.columns.Column` is a function of it, and a filter
or sort only creates a new list of rows (``row_model``).

- Rows come by ``set_rows`` (all of them) and ``add_rows`` (a page; a row that is there already is replaced). Cursor,
  marks, filter and sort stay with the rows, which are told apart by ``key``.
- The filter speaks the language of ``ecr_tui.listing.filters``. It sees of a row what ``look`` makes of it: something
  with a name, tags, region and mutability; what is known of its policy it asks of ``policies``. A table of
  other things gives ``search``, a text in which words are looked for.
- Many rows are worked on in a worker, with chances for keys in between (``row_feed``).
- :attr:`VirtualTable.model` has what else is to be known of the rows.
- Messages: ``Moved``, ``Opened``, ``WindowChanged`` (other rows are in view), ``Changed`` (marks, filter, sort, rows),
  ``Loaded``.
- Mouse: a click moves, on the gutter it marks, on a header it sorts; a second click opens. The wheel takes the cursor
  along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ecr_tui.listing.filters import UNREAD, Plain, Policies, Searchable
from ecr_tui.ui.keys import TABLE, bindings
from ecr_tui.ui.messages import Latest
from ecr_tui.ui.widgets.columns import GUTTER, Column, column_at, fit_columns
from ecr_tui.ui.widgets.row_drawing import COMPONENTS, CSS, Pen
from ecr_tui.ui.widgets.row_feed import RowFeed
from ecr_tui.ui.widgets.row_model import RowModel, Sort

T = TypeVar("T")


class VirtualTable(ScrollView, Generic[T], can_focus=True):
    """Cursor and marks are kept by row ``key``, so they survive :meth:`set_rows`, like filter and sort."""

    ALLOW_SELECT = False
    BINDINGS = bindings(*TABLE)
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    DEFAULT_CSS = CSS

    @dataclass(eq=False)
    class Moved(Message):
        """The cursor moved to another row; ``row`` is None if there is none."""

        row: Any

    @dataclass(eq=False)
    class Opened(Message):
        """Enter or a second click on the row under the cursor; ``row`` is None in an empty table."""

        row: Any

    class WindowChanged(Latest):
        """The visible rows changed."""

    class Loaded(Message):
        """The rows of :meth:`set_rows` are in place; the cursor's row may have new data."""

    class Changed(Latest):
        """Marks, filter, sort or the number of rows changed."""

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
        """``look`` returns a row's searchable form. Without it the filter has only words, matched against the text from
        ``search``."""
        super().__init__(id=id)
        plain = look is None
        self.model: RowModel[T] = RowModel(
            key, look or (lambda row: Plain(search(row))), self._changed, plain=plain, policies=policies
        )
        self._feed = RowFeed(self, self.model)
        self._use(columns)
        self._filter = ""
        self._told: str | None = None
        self._hover: int | None = None
        self._layout: list[tuple[Column[T], int]] = []
        self._message: tuple[str, ...] = ()
        self._pen = Pen(self)

    # -- content -------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[T]:
        return self.model.rows

    @property
    def shown(self) -> int:
        return len(self.model.view)

    @property
    def current(self) -> T | None:
        return self.model.current

    def _use(self, columns: Sequence[Column[T]]) -> None:
        """Default order: by the first column, in its own direction."""
        self.columns = tuple(columns)
        first = self.columns[0]
        self.model.set_columns({c.id: c.sort for c in columns}, (first.id, first.descending))

    def set_columns(self, columns: Sequence[Column[T]]) -> None:
        self._use(columns)
        self.sort_by(*self.sort)

    def set_rows(self, rows: Iterable[T], *, partial: bool = False) -> None:
        """Replace all rows, keeping cursor and marks. ``partial``: more follow by :meth:`add_rows`."""
        self._feed.replace(rows, partial, done=lambda: self._report(self.Loaded()))

    def add_rows(self, rows: Iterable[T]) -> None:
        """Add a page of a running listing."""
        self._feed.add(rows)

    @property
    def busy(self) -> bool:
        """Whether rows are still being sorted or prepared for the filter."""
        return self._feed.busy

    def redraw_rows(self) -> None:
        """Redraw after a change of cell values; sorts again if the sort column changed."""
        self.refresh()
        if self.is_running and any(one.live for one in self.columns if one.id == self.sort[0]):
            self._feed.sort_again()

    def set_message(self, *lines: str) -> None:
        """Set the message of an empty table."""
        self._message = lines
        if not self.model.view:
            self.refresh()

    def window(self, ahead: int = 0) -> list[T]:
        """The visible rows, and ``ahead`` more."""
        top = self.scroll_offset.y
        return [entry.row for entry in self.model.view[top : top + self._page + ahead]]

    @property
    def filter(self) -> str:
        return self._filter

    @filter.setter
    def filter(self, text: str) -> None:
        self._filter = text
        self.model.filter(text)

    @property
    def sort(self) -> Sort:
        """Column id and whether it is descending; "" for the order in which the rows were given."""
        return self.model.sort

    def sort_by(self, column: str, descending: bool | None = None) -> None:
        """The same column again reverses the order, unless ``descending`` is given."""
        if descending is None:
            first = next((c.descending for c in self.columns if c.id == column), False)
            descending = not self.sort[1] if self.sort[0] == column else first
        self._feed.work(self.model.sort_by(column, descending))
        self.refit()

    def action_sort_column(self, column: str) -> None:
        if any(one.id == column for one in self.columns):
            self.sort_by(column)
        else:
            self.notify("This list does not show that column.", markup=False)

    @property
    def marks(self) -> int:
        """Number of marked rows, including hidden ones."""
        return len(self.model.marks)

    @property
    def marked(self) -> list[T]:
        """In table order, hidden ones last."""
        return self.model.marked()

    def unmark_all(self) -> None:
        self.model.marks.clear()
        self.refresh()
        self._report(self.Changed())

    def action_unmark(self) -> None:
        self.unmark_all()

    def _toggle_mark(self) -> None:
        self.model.toggle_mark()
        self._refresh_place(self.model.cursor)
        self._report(self.Changed())

    # -- messages -------------------------------------------------------------------------------------------------

    def _report(self, message: Message) -> None:
        """Post a message as this table's own: Textual stops one at the widget whose handler it was made in, and the
        parent that sets the filter is not the only one who listens."""
        self.post_message(message.set_sender(self))

    def _changed(self) -> None:
        """The view changed."""
        self._resize_virtual()
        self._show_cursor()
        self._tell()
        self.refresh()
        self._report(self.Changed())
        self._report(self.WindowChanged())

    def _tell(self) -> None:
        row = self.current
        key = None if row is None else self.model.key(row)
        if key != self._told:
            self._told = key
            self._report(self.Moved(row))

    # -- cursor --------------------------------------------------------------------------------------------------

    @property
    def _page(self) -> int:
        return max(self.size.height - 1, 1)

    def move_to(self, place: int) -> None:
        """Move the cursor to that line of the view."""
        before, top = self.model.cursor, self.scroll_offset.y
        self.model.move_to(place)
        self._show_cursor()
        if self.scroll_offset.y == top:
            # Redraw two lines instead of the viewport, for slow SSH connections.
            self._refresh_place(before)
            self._refresh_place(self.model.cursor)
        self._tell()

    def go_to_key(self, key: str) -> bool:
        """Move the cursor to the row with this key, if it is in the view."""
        place = self.model.place_of(key)
        if place is not None:
            self.move_to(place)
        return place is not None

    def _show_cursor(self) -> None:
        top, cursor = self.scroll_offset.y, self.model.cursor
        if cursor < top:
            self.scroll_to(y=cursor, animate=False, force=True, immediate=True)
        elif cursor >= top + self._page:
            self.scroll_to(y=cursor - self._page + 1, animate=False, force=True, immediate=True)

    def _refresh_place(self, place: int) -> None:
        self.refresh(Region(0, place - self.scroll_offset.y + 1, self.size.width, 1))

    def action_move(self, by: int) -> None:
        self.move_to(self.model.cursor + by)

    def action_page(self, by: int) -> None:
        self.move_to(self.model.cursor + by * self._page)

    def action_half_page(self, by: int) -> None:
        self.move_to(self.model.cursor + by * max(self._page // 2, 1))

    def action_end(self, direction: int) -> None:
        self.move_to(0 if direction < 0 else len(self.model.view) - 1)

    def action_match(self, by: int) -> None:
        """Move to the next match of the current or last filter."""
        place = self.model.next_match(by)
        if place is not None:
            self.move_to(place)
        elif self.model.sought:
            self.notify(f"No match for {self.model.sought.text.strip()}", markup=False)
        else:
            self.notify("No filter yet. Press / to filter.", markup=False)

    def action_mark(self) -> None:
        """Mark or unmark the row and move to the next."""
        if self.model.view:
            self._toggle_mark()
            self.action_move(1)

    def action_mark_shown(self) -> None:
        """Mark all rows of the view, or unmark them if all are marked. Fuzzy matches are not marked."""
        refusal = self.model.refusal
        if refusal:
            self.notify(refusal, severity="warning", markup=False)
            return
        self.model.mark_shown()
        self.refresh()
        self._report(self.Changed())

    def action_open(self) -> None:
        self._report(self.Opened(self.current))

    # -- mouse ---------------------------------------------------------------------------------------------------

    def _place_at(self, y: int) -> int | None:
        place = y - 1 + self.scroll_offset.y
        return place if y > 0 and 0 <= place < len(self.model.view) else None

    def on_click(self, event: events.Click) -> None:
        event.stop()
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            column = column_at(self._layout, offset.x)
            if column is not None:
                self.sort_by(column.id)
            return
        place = self._place_at(offset.y)
        if place is None:
            return
        again = place == self.model.cursor and event.chain > 1
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

    # -- drawing -------------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self.refit()
        self._resize_virtual()
        self._show_cursor()
        self._report(self.WindowChanged())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._report(self.WindowChanged())
            self._take_cursor_along()

    def _take_cursor_along(self) -> None:
        """Move the cursor to the nearest visible row after the wheel or scrollbar."""
        top = self.scroll_offset.y
        cursor = min(max(self.model.cursor, top), top + self._page - 1)
        if cursor != self.model.cursor and self.is_running:
            self.move_to(cursor)

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        self._refresh_place(self.model.cursor)

    def notify_style_update(self) -> None:
        self._pen.forget()
        super().notify_style_update()

    def lay_out(self, width: int) -> list[tuple[Column[T], int]]:
        """The columns to draw into ``width`` cells, and the width of each."""
        return fit_columns(self.columns, width, self.sort[0])

    def refit(self) -> None:
        """Whether the drawn columns or widths changed."""
        self._fit()
        self.refresh()

    def _fit(self) -> None:
        self._layout = self.lay_out(self.size.width)

    def _resize_virtual(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.model.view) + 1)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not self._layout:
            self._fit()
        model, pen = self.model, self._pen
        if y == 0:
            sorted_by, descending = self.sort
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
