"""Layout of the panes: all or one at a time, sizes and focus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.widget import Widget

from ecr_tui.aws.model import Repository
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.panes.accounts import AccountsPane
from ecr_tui.ui.panes.bars import PaneBar, PaneTab
from ecr_tui.ui.panes.preview import PreviewPane
from ecr_tui.ui.panes.repositories import RepositoriesPane
from ecr_tui.ui.panes.split import Split
from ecr_tui.ui.panes.verification import VerificationPane
from ecr_tui.ui.plain import is_plain
from ecr_tui.ui.text import safe
from ecr_tui.ui.widgets.virtual_table import VirtualTable

PANES = ("repositories", "preview", "verification")
WIDE, TALL = 110, 32
"""Minimum columns and rows to show all panes."""
HIDEABLE = {"accounts": "accounts", "preview": "policy preview", "verification": "verification"}


class PaneArea(Vertical):
    """The accounts above the three panes. The layout is not stored.

    Classes for style sheets: ``-tabbed`` or ``-tiled``, ``-pane-NAME`` for the one shown, ``-no-NAME``.
    """

    DEFAULT_CSS = """
    PaneArea { height: 1fr; }
    """

    def __init__(
        self,
        accounts: AccountsPane,
        repositories: RepositoriesPane,
        preview: PreviewPane,
        verification: VerificationPane,
    ) -> None:
        super().__init__(id="area")
        self.current = "repositories"
        self._zoomed = False
        self._small = False
        self._hidden: set[str] = set()
        self._accounts = accounts
        self._repositories, self._preview, self._verification = repositories, preview, verification
        self._before: tuple[Widget | None, str] = (None, "repositories")
        self._panes: dict[str, RepositoriesPane | PreviewPane | VerificationPane] = {
            "repositories": repositories,
            "preview": preview,
            "verification": verification,
        }
        self._split = Split(repositories, preview, verification)
        self.bar = PaneBar()

    def compose(self) -> ComposeResult:
        yield self._accounts
        yield self.bar
        yield self._split

    def on_mount(self) -> None:
        self.show("repositories")

    @property
    def tabbed(self) -> bool:
        """One pane at a time."""
        return self._small or self._zoomed

    def sees(self, pane: str) -> bool:
        """Whether the pane is on the screen."""
        return self.current == pane if self.tabbed else pane not in self._hidden

    # -- what is shown -------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """Update after a change of the terminal's size or of the requested panes."""
        self._update_styles()
        self._accounts.one_line(self.tabbed)
        self.bar.say_zoomed(self._zoomed and not self._small)
        self._split.lay_out(alone=self.tabbed, hidden=self._hidden)
        self.show(self.current)

    def show(self, pane: str) -> None:
        self.current = pane
        self._update_styles()
        self.bar.activate(pane)

    def resized(self, size: Size, *, update: bool = True) -> None:
        """Set the terminal's size. ``update`` False: styles are not ready yet."""
        self._small = size.width < WIDE or size.height < TALL or is_plain(self.app)
        self._update_styles(update)

    def _update_styles(self, update: bool = True) -> None:
        """Each change of a class restyles all descendants."""
        tabbed = self.tabbed
        classes = {"-tabbed": tabbed, "-tiled": not tabbed}
        classes |= {f"-pane-{name}": tabbed and name == self.current for name in PANES}
        classes |= {f"-no-{pane}": pane in self._hidden for pane in HIDEABLE}
        self.update_classes(classes, update=update)

    def action_filter(self, name: str = "filter") -> None:
        """``name``: "filter" or "tags"."""
        self.show("repositories")
        self._repositories.open_filter(name)

    def action_go_to(self, pane: str) -> None:
        self.go_to(pane)

    def go_to(self, pane: str) -> None:
        """Show a pane, even if hidden, and focus it."""
        if pane in self._hidden and (pane == "accounts" or not self.tabbed):
            self._hidden.discard(pane)
            self.fit()
        elif pane == "accounts":
            self._accounts.take_focus()  # already laid out: the next key may be waiting
            return
        if pane != "accounts":
            self.show(pane)
        # A newly shown pane can take the focus only after the next layout.
        self.call_after_refresh(self._focus_shown, pane)

    def _focus_shown(self, pane: str) -> None:
        """Unless another pane was shown in between."""
        if pane == "accounts":
            self._accounts.take_focus()
        elif pane == self.current:
            self._panes[pane].take_focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.fit_list()
        for name, pane in self._panes.items():
            if pane in event.widget.ancestors_with_self:
                self.show(name)

    @on(PreviewPane.Wanted)
    def _preview_wanted(self, message: PreviewPane.Wanted) -> None:
        message.stop()
        self.go_to("preview")

    @on(PaneTab.Chosen)
    def _tab_chosen(self, message: PaneTab.Chosen) -> None:
        message.stop()
        self.go_to(message.pane)

    # -- user changes -----------------------------------------------------------------------------------

    def action_grow(self, steps: int) -> None:
        if self.tabbed:
            back = "one pane is shown at a time" if self._small else "z shows all panes again"
            self.app.notify(f"No border to move: {back}.", markup=False)
        else:
            self._split.grow(self.current, steps)

    def action_zoom(self) -> None:
        self.zoom(self.current)

    def zoom(self, pane: str) -> None:
        """Toggle between only this pane and all panes."""
        if self._small and not self._zoomed:
            why = "Plain mode shows one pane" if is_plain(self.app) else "The terminal has room for one pane"
            self.app.notify(f"{why} at a time.", markup=False)
            return
        self._zoomed = not self._zoomed
        self.fit()
        self.go_to(pane)

    @on(Split.Zoomed)
    def _zoom_wanted(self, message: Split.Zoomed) -> None:
        message.stop()
        self.zoom(message.pane)

    def toggle(self, pane: str) -> None:
        self._hidden ^= {pane}
        self.fit()
        if pane in self._hidden and (pane == self.current or pane == "accounts") and not self.tabbed:
            self.go_to("repositories")

    def reset(self) -> None:
        """Reset the layout."""
        self._hidden.clear()
        self._zoomed = False
        self._split.reset()
        self.fit()

    def fit_list(self) -> None:
        """Limit the list to its rows, except while a filter is typed, to keep the panes stable."""
        rows = self._repositories.rows_wanted
        if rows is not None:
            self._split.want_upper(rows)

    def name_tabs(self, repository: Repository | None) -> None:
        """``repository`` is the selected one; a running verification may be of another."""
        run = self._verification.about(repository)
        about = run.repository if run is not None else repository
        self.bar.say("preview", safe(repository.name) if repository else "")
        self.bar.say("verification", safe(about.name) if about else "", self._verification.summary)

    # -- for the keys ----------------------------------------------------------------------------------------------

    @property
    def focused(self) -> str:
        """The focused or last focused pane."""
        return "accounts" if self._accounts.focused is not None else self.current

    def copy_text(self) -> tuple[str, ...]:
        """The focused item as plain text, and its name."""
        card = self._accounts.focused
        return card.copy_text() if card is not None else self._panes[self.current].copy_text()

    def action_copy(self) -> None:
        text, *what = self.copy_text()
        if text:
            self.app.post_message(CopyWanted(text, *what))
        else:
            self.app.notify("Nothing to copy here yet.", markup=False)

    def document(self) -> str:
        """The focused item as text."""
        here = self.focused == "repositories"
        return self._repositories.description() if here else self.copy_text()[0]

    def remember(self) -> None:
        """Remember the focused item for :meth:`go_to_top`."""
        self._before = (self.screen.focused, self.current)

    def go_to_top(self) -> None:
        """Focus the remembered item and its first line."""
        widget, pane = self._before
        if widget is None or not widget.is_attached:
            return
        if self.current != pane:
            self.show(pane)
        self.screen.set_focus(widget)
        if isinstance(widget, VirtualTable):
            widget.action_end(-1)
        else:
            widget.scroll_home(animate=False)

    def commands(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        """For the palette."""
        for pane, words in HIDEABLE.items():
            hidden = pane in self._hidden
            tooltip = "It is hidden now" if hidden else "Until you go to it, or show it again from here"
            yield f"Navigate: {'show' if hidden else 'hide'} the {words}", tooltip, partial(self.toggle, pane)
        yield "Navigate: reset the panes", "All panes, in their first sizes", self.reset
        yield from self._repositories.commands()
        yield from self._preview.commands()
