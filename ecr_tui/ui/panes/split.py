"""The three panes with movable borders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.containers import Horizontal, Vertical
from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Container

    from textual.app import ComposeResult
    from textual.widget import Widget

UPPER, LEFT = 2 / 5, 1 / 2
"""Default shares: the repositories' of the height, the preview's of the width below."""

ENOUGH_LOWER = 30
"""Rows that suffice for the lower panes: further rows of a tall terminal go to the list."""

LEAST_UPPER, LEAST_LOWER, LEAST_LEFT, LEAST_RIGHT = 6, 8, 30, 26
"""Minimum cells of each pane, including borders."""

ROWS, COLUMNS = 2, 4
"""Cells moved by one key press."""


class Split(Vertical):
    """``repositories`` above; ``preview`` and ``verification`` side by side below.

    Sizes are shares, so that they survive a resize of the terminal. Not used while only one pane is shown.
    """

    DEFAULT_CSS = """
    Split { height: 1fr; }
    """

    @dataclass(eq=False)
    class Zoomed(Message):
        """Double click on a pane's title: toggle zoom."""

        pane: str

    def __init__(self, upper: Widget, left: Widget, right: Widget) -> None:
        super().__init__(id="panes")
        self._upper_pane, self._left_pane, self._right_pane = upper, left, right
        self._lower = Horizontal(left, right, id="lower")
        self._upper, self._left = UPPER, LEFT
        self._moved = False
        """The user moved the border above the lower panes: the list's height no longer depends on its rows."""
        self._wanted: int | None = None
        self._moving = ""
        self._beside = self._below = True
        self.lay_out(alone=False)

    def compose(self) -> ComposeResult:
        yield self._upper_pane
        yield self._lower

    # -- sizes ---------------------------------------------------------------------------------------------------

    def lay_out(self, *, alone: bool, hidden: Container[str] = ()) -> None:
        """``alone``: only one pane is shown. ``hidden``: ids of hidden panes."""
        self._beside = not alone and self._left_pane.id not in hidden and self._right_pane.id not in hidden
        self._below = not alone and (self._left_pane.id not in hidden or self._right_pane.id not in hidden)
        self._fit_upper()
        left = _percent(self._left, self.size.width, LEAST_LEFT, LEAST_RIGHT)
        self._left_pane.styles.width = left if self._beside else None

    def want_upper(self, rows: int) -> None:
        """Limit the upper pane to ``rows``."""
        if rows != self._wanted:
            self._wanted = rows
            self._fit_upper()

    def _fit_upper(self) -> None:
        height = self.size.height
        if not self._moved and height:
            self._upper = max(UPPER * height, height - ENOUGH_LOWER) / height
            if self._wanted is not None:
                self._upper = min(self._upper, max(self._wanted, LEAST_UPPER) / height)
        upper = _percent(self._upper, height, LEAST_UPPER, LEAST_LOWER)
        self._upper_pane.styles.height = upper if self._below else None

    def reset(self) -> None:
        self._upper, self._left = UPPER, LEFT
        self._moved = False

    def grow(self, pane: str, steps: int) -> bool:
        """Resize the pane (negative: smaller); returns whether it was possible."""
        if pane == "repositories" or not self._beside:
            sign = 1 if pane == "repositories" else -1
            return self._move_upper(_cells(self._upper, self.size.height) + sign * steps * ROWS)
        sign = 1 if pane == "preview" else -1
        return self._move_left(_cells(self._left, self.size.width) + sign * steps * COLUMNS)

    def _move_upper(self, rows: int) -> bool:
        share = _share(rows, self.size.height, LEAST_UPPER, LEAST_LOWER) if self._below else None
        if share is None or share == self._upper:
            return False
        self._upper, self._moved = share, True
        self._upper_pane.styles.height = _percent(share, self.size.height, LEAST_UPPER, LEAST_LOWER)
        return True

    def _move_left(self, columns: int) -> bool:
        share = _share(columns, self.size.width, LEAST_LEFT, LEAST_RIGHT) if self._beside else None
        if share is None or share == self._left:
            return False
        self._left = share
        self._left_pane.styles.width = _percent(share, self.size.width, LEAST_LEFT, LEAST_RIGHT)
        return True

    # -- mouse ---------------------------------------------------------------------------------------------------

    def _border_at(self, x: int, y: int) -> str:
        """The borders at a screen position: "upper", "left", both where they meet, or none."""
        upper, lower, left, right = (
            widget.region for widget in (self._upper_pane, self._lower, self._left_pane, self._right_pane)
        )
        if not self._below:
            return ""
        between = y in (upper.bottom - 1, lower.y) and upper.x <= x < upper.right
        beside = self._beside and x in (left.right - 1, right.x) and lower.y <= y < lower.bottom
        return "both" if between and beside else "upper" if between else "left" if beside else ""

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._moving = self._border_at(event.screen_x, event.screen_y)
        if self._moving:
            event.stop()
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if not self._moving:
            return
        event.stop()
        self.screen.clear_selection()
        origin = self.region
        if self._moving != "left":
            self._move_upper(event.screen_y - origin.y + 1)
        if self._moving != "upper":
            self._move_left(event.screen_x - origin.x + 1)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._moving:
            event.stop()
            self._moving = ""
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        if event.chain != 2:
            return
        for pane in (self._upper_pane, self._left_pane, self._right_pane):
            region = pane.region
            if event.screen_y == region.y and region.x <= event.screen_x < region.right:
                event.stop()
                self.post_message(self.Zoomed(str(pane.id)))


def _share(cells: float, of: int, least: int, rest: int) -> float | None:
    """``cells`` as a share, within the minimum sizes; None if there is no room for both."""
    if of < least + rest:
        return None
    return min(max(cells, least), of - rest) / of


def _cells(share: float, of: int) -> int:
    """Cells of a share; the layout may not be updated yet."""
    return int(share * of + 0.01)


def _percent(share: float, of: int, least: int, rest: int) -> str:
    """As a style, slightly increased, so that whole cells are not rounded down."""
    kept = _share(share * of, of, least, rest) or share
    return f"{kept * 100 + 0.0001:.6f}%"
