"""Which panes are to be seen: all, or one at a time; their sizes; where the focus goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.containers import Horizontal

from ecr_tui.aws.role import Role
from ecr_tui.ui.widgets.bars import PaneBar, StatusBar
from ecr_tui.ui.widgets.keybar import KeyBar
from ecr_tui.ui.widgets.pane_area import PaneArea

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.geometry import Size
    from textual.widget import Widget

    from ecr_tui.ui.screens.main import MainScreen

PANES = ("repositories", "preview", "verification")
WIDE, TALL = 100, 30
"""Columns and rows from which on a terminal has room for all panes."""
HIDEABLE = {"accounts": "accounts", "preview": "policy preview", "verification": "verification"}


class Panes:
    """Belongs to the main screen. Nothing of it is written to disk."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self.current = "repositories"
        self._zoomed = False
        self._small = False
        self._hidden: set[str] = set()
        self._area = PaneArea(screen.repositories, screen.preview, screen.verification)

    def compose(self) -> ComposeResult:
        yield Horizontal(*self._screen.cards.values(), id="accounts")
        yield PaneBar()
        yield self._area
        yield self._screen.banner
        yield StatusBar()
        yield KeyBar()

    @property
    def tabbed(self) -> bool:
        """One pane at a time."""
        return self._small or self._zoomed

    def sees(self, pane: str) -> bool:
        """Whether the pane is on the screen."""
        return self.current == pane if self.tabbed else pane not in self._hidden

    # -- what is shown -------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """After a change of the terminal's size, or of what is wanted."""
        screen = self._screen
        self._tell_styles()
        for card in screen.cards.values():
            card.one_line(self.tabbed)
        self._area.lay_out(alone=self.tabbed, hidden=self._hidden)
        self.show(self.current)
        screen.show_preview()

    def show(self, pane: str) -> None:
        screen = self._screen
        self.current = pane
        self._tell_styles()
        screen.query_one(PaneBar).activate(pane)

    def resized(self, size: Size, *, update: bool = True) -> None:
        """The terminal has this size. ``update`` False: nothing has a style yet."""
        self._small = size.width < WIDE or size.height < TALL
        self._tell_styles(update)

    def _tell_styles(self, update: bool = True) -> None:
        """What style sheets go by; whenever that changes, everything below is styled anew."""
        tabbed = self.tabbed
        classes = {"-tabbed": tabbed, "-tiled": not tabbed}
        classes |= {f"-pane-{name}": tabbed and name == self.current for name in PANES}
        classes |= {f"-no-{pane}": pane in self._hidden for pane in HIDEABLE}
        self._screen.update_classes(classes, update=update)

    def go_to(self, pane: str) -> None:
        """Show it, even where it was hidden, and give it the focus."""
        screen = self._screen
        if pane in self._hidden and (pane == "accounts" or not self.tabbed):
            self._hidden.discard(pane)
            self.fit()
        elif pane == "accounts":
            self._focus(pane)  # it has its room: the next key may be there already
            return
        if pane != "accounts":
            self.show(pane)
        # A pane that has just been given room can take the focus only after the next layout.
        screen.call_after_refresh(self._focus_shown, pane)

    def _focus_shown(self, pane: str) -> None:
        """Unless another pane has been shown meanwhile."""
        if pane in ("accounts", self.current):
            self._focus(pane)

    def _focus(self, pane: str) -> None:
        screen = self._screen
        if pane == "preview":
            screen.preview.focus_body()
        elif pane == "accounts":
            screen.cards[Role.OWNER].focus()
        else:
            (screen.table if pane == "repositories" else screen.verification).focus()

    def focused(self, widget: Widget) -> None:
        screen = self._screen
        for name, pane in zip(PANES, (screen.repositories, screen.preview, screen.verification), strict=True):
            if pane in widget.ancestors_with_self:
                self.show(name)

    # -- what the user changes -----------------------------------------------------------------------------------

    def grow(self, steps: int) -> None:
        if self.tabbed:
            back = "z shows all panes again" if not self._small else "the terminal has room for one pane only"
            self._screen.app.notify(f"There is no border to move: {back}.", markup=False)
        else:
            self._area.grow(self.current, steps)

    def zoom(self, pane: str) -> None:
        """That pane alone on the screen; all again where one is."""
        if self._small and not self._zoomed:
            self._screen.app.notify("The terminal has room for one pane only: it has all of it.", markup=False)
            return
        self._zoomed = not self._zoomed
        self.fit()
        self.go_to(pane)

    def toggle(self, pane: str) -> None:
        self._hidden ^= {pane}
        self.fit()
        if pane in self._hidden and (pane == self.current or pane == "accounts") and not self.tabbed:
            self.go_to("repositories")

    def reset(self) -> None:
        """As at the start."""
        self._hidden.clear()
        self._zoomed = False
        self._area.reset()
        self.fit()

    def commands(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        """For the palette."""
        for pane, words in HIDEABLE.items():
            hidden = pane in self._hidden
            tooltip = "It has been taken off the screen" if hidden else "Until it is gone to, or shown again from here"
            yield f"Move: {'show' if hidden else 'hide'} the {words}", tooltip, partial(self.toggle, pane)
        yield "Move: panes as at the start", "All panes, in their first sizes", self.reset
