"""A table for very many rows: the rows stay plain data, only the lines in view are ever drawn.

Textual's DataTable measures every row it is given and keeps a widget-side copy of each cell; at 100,000 rows that is
seconds and 100 MB. Here a row is whatever object the caller has, a column is a function of it, and a filter or a sort
only makes a new list of row numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ecr_tui.ui.keys import TABLE_BINDINGS
from ecr_tui.ui.text import PENDING

T = TypeVar("T")

Piece = tuple[str, str]
"""Text and the name of a style: "", "dim", "ok", "no", "warn", "strong"."""

GUTTER = 3
"""Cursor sign, mark sign and a blank: readable without colour."""

GAP = 2

_PAGE = 2000
"""Rows up to which work on all of them at once is not noticed."""

_ABSENT = -1
"""The place of a marked row that the listing has not brought yet."""


@dataclass(frozen=True)
class Column(Generic[T]):
    """``cell`` gives the pieces of a row's cell, already safe to print; ``sort`` a key, None where it is unknown.

    ``width`` is the least that is useful; what is left over goes to columns with ``flex``. Where there is too little
    room, the column with the lowest ``keep`` goes first. ``search``: filter matches are highlighted in it.
    """

    id: str
    label: str
    cell: Callable[[T], Sequence[Piece]]
    sort: Callable[[T], Any]
    width: int
    flex: int = 0
    keep: int = 0
    search: bool = False
    right: bool = False


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

    @dataclass
    class Moved(Message):
        """Another row is under the cursor; ``row`` is None when none is."""

        table: VirtualTable[Any]
        row: Any

    @dataclass
    class Opened(Message):
        """Enter or a second click on the row under the cursor; ``row`` is None in an empty table."""

        table: VirtualTable[Any]
        row: Any

    @dataclass
    class WindowChanged(Message):
        """Other rows are in view."""

        table: VirtualTable[Any]

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualTable.WindowChanged)

    @dataclass
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
        search: Callable[[T], str],
        id: str | None = None,
    ) -> None:
        """``search`` is the text that the filter looks at, in any case."""
        super().__init__(id=id)
        self.columns = tuple(columns)
        self._key = key
        self._search = search
        self._rows: list[T] = []
        self._haystacks: list[str] = []
        self._values: list[Any] = []
        self._order: list[int] = []
        self._view: list[int] = []
        self._cursor = 0
        self._anchor: int | None = None
        self._anchor_key: str | None = None
        self._told: str | None = None
        self._marks: dict[str, int] = {}
        self._needles: tuple[str, ...] = ()
        self._filter = ""
        self._sort: tuple[str, bool] = (self.columns[0].id, False)
        self._hover: int | None = None
        self._layout: list[tuple[Column[T], int]] = []
        self._message: tuple[str, ...] = ()
        self._rich: dict[tuple[str, ...], Style] = {}

    def set_columns(self, columns: Sequence[Column[T]]) -> None:
        self.columns = tuple(columns)
        if self._sort[0] not in {c.id for c in self.columns}:
            self._sort = (self.columns[0].id, False)
        self._fit(self.size.width)
        self._rebuild()

    # -- content -------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[T]:
        return self._rows

    @property
    def shown(self) -> int:
        return len(self._view)

    @property
    def current(self) -> T | None:
        return self._rows[self._view[self._cursor]] if self._view else None

    def set_rows(self, rows: Iterable[T], *, partial: bool = False) -> None:
        """Replace all rows; the cursor's row and marks are found again by key.

        Marks of rows that have gone are dropped, unless ``partial`` says that more rows follow by :meth:`add_rows`.
        """
        self._rows = list(rows)
        self._haystacks = []
        self._prepare(0)
        self._anchor = None
        self._marks = dict.fromkeys(self._marks, _ABSENT)
        self._recognize(0)
        if not partial:
            self._marks = {key: at for key, at in self._marks.items() if at != _ABSENT}
        self._rebuild()

    def add_rows(self, rows: Iterable[T]) -> None:
        """A further page of a listing that is still going on."""
        start = len(self._rows)
        self._rows.extend(rows)
        self._recognize(start)
        self._prepare(start)
        self._order_rows()

    def _prepare(self, start: int) -> None:
        """What the filter looks at, page by page while a listing arrives: for all rows at once it would be felt."""
        if len(self._haystacks) == start and len(self._rows) - start <= _PAGE:
            self._haystacks += [self._search(row).casefold() for row in self._rows[start:]]

    def _recognize(self, start: int) -> None:
        """Find the cursor's row and the marked ones among the rows from ``start`` on."""
        lost = self._anchor is None and self._anchor_key is not None
        if not lost and not self._marks:
            return
        key, marks = self._key, self._marks
        for at in range(start, len(self._rows)):
            name = key(self._rows[at])
            if name in marks:
                marks[name] = at
            if lost and name == self._anchor_key:
                self._anchor = at

    def redraw_rows(self) -> None:
        """What the columns say has changed, the rows and their order have not."""
        self.refresh()

    def resort(self) -> None:
        """Sort again when the values that the order depends on have arrived."""
        self._rebuild()

    def set_message(self, *lines: str) -> None:
        """What an empty table says."""
        self._message = lines
        if not self._view:
            self.refresh()

    def window(self, ahead: int = 0) -> list[T]:
        """The rows in view, and ``ahead`` rows beyond them."""
        top = self.scroll_offset.y
        return [self._rows[i] for i in self._view[top : top + self._page + ahead]]

    def _report(self, message: Message) -> None:
        """Post a message as this table's own: Textual stops one at the widget whose handler it was made in, and the
        parent that sets the filter is not the only one who listens."""
        self.post_message(message.set_sender(self))

    # -- filter, sort, marks ---------------------------------------------------------------------------------------

    @property
    def filter(self) -> str:
        return self._filter

    @filter.setter
    def filter(self, text: str) -> None:
        needles = tuple(text.casefold().split())
        narrower = bool(self._needles) and needles[: len(self._needles) - 1] == self._needles[:-1]
        narrower = narrower and len(needles) >= len(self._needles)
        narrower = narrower and needles[len(self._needles) - 1].startswith(self._needles[-1])
        self._filter, self._needles = text, needles
        self._view = self._matching(self._view if narrower else self._order)
        self._settle()

    @property
    def sort(self) -> tuple[str, bool]:
        """Column id and whether it is descending."""
        return self._sort

    def sort_by(self, column: str, descending: bool | None = None) -> None:
        """The same column again turns the order, unless ``descending`` says which."""
        if descending is None:
            descending = not self._sort[1] if self._sort[0] == column else False
        self._sort = (column, descending)
        self._rebuild()

    @property
    def marked(self) -> list[T]:
        """In the order of the table, those that the filter hides last."""
        places = {at: place for place, at in enumerate(self._view)} if self._marks else {}
        last = len(places)
        present = [at for at in self._marks.values() if at != _ABSENT]
        return [self._rows[at] for at in sorted(present, key=lambda at: (places.get(at, last), at))]

    @property
    def marked_hidden(self) -> list[T]:
        """Marked rows that the filter hides."""
        if not self._marks or not self._needles:
            return []
        seen = set(self._view)
        return [self._rows[at] for at in sorted(self._marks.values()) if at != _ABSENT and at not in seen]

    @property
    def marks(self) -> int:
        """How many rows are marked, hidden ones included."""
        return len(self._marks)

    def unmark_all(self) -> None:
        self._marks.clear()
        self.refresh()
        self._report(self.Changed(self))

    def _toggle_mark(self) -> None:
        at = self._view[self._cursor]
        key = self._key(self._rows[at])
        if self._marks.pop(key, None) is None:
            self._marks[key] = at
        self._refresh_place(self._cursor)
        self._report(self.Changed(self))

    def _matching(self, base: Sequence[int]) -> list[int]:
        if not self._needles:
            return list(base)
        if len(self._haystacks) < len(self._rows):
            search = self._search
            self._haystacks += [search(row).casefold() for row in self._rows[len(self._haystacks) :]]
        view, haystacks = base, self._haystacks
        for needle in self._needles:
            view = [i for i in view if needle in haystacks[i]]
        return list(view)

    def _rebuild(self) -> None:
        self._values = []
        self._order = []
        self._order_rows()

    def _order_rows(self) -> None:
        """Sort in what is new; what is sorted already costs a comparison each."""
        column, descending = self._sort
        sort = next(c.sort for c in self.columns if c.id == column)
        start, values = len(self._values), self._values
        values += [sort(row) for row in self._rows[start:]]
        order = [*self._order, *range(start, len(values))]
        known = [i for i in order if values[i] is not None]
        known.sort(key=values.__getitem__, reverse=descending)
        # What is not known yet comes last in either order.
        self._order = known + [i for i in order if values[i] is None]
        self._view = self._matching(self._order)
        self._settle()

    def _settle(self) -> None:
        """After a new view: find the cursor's row again, or the nearest place."""
        try:
            # The anchor outlives a filter that hides it, so that clearing the filter leads back to the row.
            self._cursor = self._view.index(self._anchor)  # type: ignore[arg-type]
        except ValueError:
            # It is hidden or gone: stay at the place where it was.
            self._cursor = min(self._cursor, max(len(self._view) - 1, 0))
        self._resize_virtual()
        self._show_cursor()
        self._tell()
        self.refresh()
        self._report(self.Changed(self))
        self._report(self.WindowChanged(self))

    def _tell(self) -> None:
        row = self.current
        key = None if row is None else self._key(row)
        if key != self._told:
            self._told = key
            self._report(self.Moved(self, row))

    # -- cursor --------------------------------------------------------------------------------------------------

    @property
    def _page(self) -> int:
        return max(self.size.height - 1, 1)

    def move_to(self, place: int) -> None:
        """Put the cursor on that line of the view."""
        if not self._view:
            return
        place = min(max(place, 0), len(self._view) - 1)
        before, self._cursor = self._cursor, place
        self._anchor = self._view[place]
        self._anchor_key = self._key(self._rows[self._anchor])
        top = self.scroll_offset.y
        self._show_cursor()
        if self.scroll_offset.y == top:
            # Two lines instead of the viewport: over a slow SSH the difference is felt.
            self._refresh_place(before)
            self._refresh_place(place)
        self._tell()

    def go_to_key(self, key: str) -> bool:
        """Put the cursor on the row with this key, if it is in view."""
        for place, i in enumerate(self._view):
            if self._key(self._rows[i]) == key:
                self.move_to(place)
                return True
        return False

    def _show_cursor(self) -> None:
        top = self.scroll_offset.y
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True)
        elif self._cursor >= top + self._page:
            self.scroll_to(y=self._cursor - self._page + 1, animate=False, force=True)

    def _refresh_place(self, place: int) -> None:
        self.refresh(Region(0, place - self.scroll_offset.y + 1, self.size.width, 1))

    def action_move(self, by: int) -> None:
        self.move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        self.move_to(self._cursor + by * self._page)

    def action_end(self, direction: int) -> None:
        self.move_to(0 if direction < 0 else len(self._view) - 1)

    def action_mark(self) -> None:
        """Mark or unmark the row and go on to the next."""
        if self._view:
            self._toggle_mark()
            self.action_move(1)

    def action_open(self) -> None:
        self._report(self.Opened(self, self.current))

    # -- mouse ---------------------------------------------------------------------------------------------------

    def _place_at(self, y: int) -> int | None:
        place = y - 1 + self.scroll_offset.y
        return place if y > 0 and 0 <= place < len(self._view) else None

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
        again = place == self._cursor and event.chain > 1
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
        self._fit(event.size.width)
        self._resize_virtual()
        self._show_cursor()
        self._report(self.WindowChanged(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._report(self.WindowChanged(self))

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        self._refresh_place(self._cursor)

    def notify_style_update(self) -> None:
        self._rich.clear()
        super().notify_style_update()

    def _resize_virtual(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._view) + 1)

    def _fit(self, width: int) -> None:
        """Choose the columns that fit and share the rest of the width among the flexible ones."""
        chosen = list(self.columns)
        room = width - GUTTER - 1  # a blank before the scrollbar

        def need() -> int:
            return sum(c.width for c in chosen) + GAP * (len(chosen) - 1)

        while len(chosen) > 1 and need() > room:
            chosen.remove(min(chosen, key=lambda c: c.keep))
        spare = max(room - need(), 0)
        flexible = sum(c.flex for c in chosen)
        widths = {c.id: c.width + (spare * c.flex // flexible if flexible else 0) for c in chosen}
        self._layout = [(c, min(widths[c.id], max(room, 1))) for c in chosen]

    def _style(self, *names: str) -> Style:
        style = self._rich.get(names)
        if style is None:
            style = self._rich[names] = self._combine(names)
        return style

    def _combine(self, names: tuple[str, ...]) -> Style:
        """Each named style over the one before: a cell's colour leaves the cursor's background as it is."""
        _, _, background, color = self.colors
        text_style = Style()
        for name in names:
            styles = self.get_component_styles(f"vt--{name}")
            if styles.has_rule("background"):
                background += styles.background
            if styles.has_rule("color") and (name.startswith("cursor") or "cursor" not in names):
                # On the cursor its own colour only: whatever a theme takes for it, the row stays readable.
                color = background.get_contrast_text(styles.color.a) if styles.auto_color else styles.color
            text_style += styles.text_style
        return Style(color=(background + color).rich_color, bgcolor=background.rich_color) + text_style

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not self._layout:
            self._fit(width)
        if y == 0:
            return self._header(width)
        place = y - 1 + self.scroll_offset.y
        if not self._view:
            return self._message_line(y, width)
        if place >= len(self._view):
            return Strip.blank(width, self.rich_style)
        return self._row(place, width)

    def _header(self, width: int) -> Strip:
        segments = [Segment(" " * GUTTER, self._style("header"))]
        sorted_by, descending = self._sort
        for column, room in self._layout:
            label, style = column.label, self._style("header")
            if column.id == sorted_by:
                label, style = f"{label} {'▼' if descending else '▲'}", self._style("header-sorted")
            text = label.rjust(room) if column.right else label
            segments += [Segment(set_cell_size(text, room), style), Segment(" " * GAP, self._style("header"))]
        return Strip(segments).adjust_cell_length(width, self._style("header"))

    def _message_line(self, y: int, width: int) -> Strip:
        top = max((self.size.height - len(self._message)) // 2, 1)
        text = self._message[y - top] if 0 <= y - top < len(self._message) else ""
        text = text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)) + PENDING
        pad = " " * max((width - cell_len(text)) // 2, 0)
        return Strip([Segment(pad + text, self._style("message"))]).adjust_cell_length(width, self.rich_style)

    def _row(self, place: int, width: int) -> Strip:
        row = self._rows[self._view[place]]
        on_cursor = place == self._cursor
        marked = self._key(row) in self._marks
        line: tuple[str, ...] = ()
        if on_cursor:
            line = ("cursor" if self.has_focus else "cursor-blurred",)
        elif place == self._hover:
            line = ("hover",)
        segments = [
            Segment("›" if on_cursor else " ", self._style(*line)),
            Segment("● " if marked else "  ", self._style(*line, "marked")),
        ]
        for column, room in self._layout:
            pieces = _fit_pieces(column.cell(row), room, column.right)
            for text, name in pieces:
                names = (*line, name) if name else line
                if column.search and self._needles:
                    segments += self._highlight(text, names)
                else:
                    segments.append(Segment(text, self._style(*names)))
            segments.append(Segment(" " * GAP, self._style(*line)))
        return Strip(segments).adjust_cell_length(width, self._style(*line))

    def _highlight(self, text: str, names: tuple[str, ...]) -> list[Segment]:
        folded = text.casefold()
        if len(folded) != len(text):
            # Some letters fold to several: places in one would not be places in the other.
            return [Segment(text, self._style(*names))]
        hit = bytearray(len(text))
        for needle in self._needles:
            at = folded.find(needle)
            while at >= 0:
                hit[at : at + len(needle)] = b"\1" * len(needle)
                at = folded.find(needle, at + 1)
        segments, start = [], 0
        for end in range(1, len(text) + 1):
            if end == len(text) or hit[end] != hit[start]:
                style = self._style(*names, "match") if hit[start] else self._style(*names)
                segments.append(Segment(text[start:end], style))
                start = end
        return segments


def _fit_pieces(pieces: Sequence[Piece], room: int, right: bool) -> list[Piece]:
    """Exactly ``room`` cells: cut with an ellipsis, or padded."""
    total = sum(cell_len(text) for text, _ in pieces)
    if total <= room:
        pad = (" " * (room - total), "")
        return [pad, *pieces] if right else [*pieces, pad]
    fitted: list[Piece] = []
    left = room - 1
    for text, name in pieces:
        width = cell_len(text)
        if width > left:
            fitted.append((set_cell_size(text, left), name))
            break
        fitted.append((text, name))
        left -= width
    return [*fitted, (PENDING, "dim")]
