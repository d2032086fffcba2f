"""Tabs of the panes, for the layout with one pane at a time."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

PANES = (("repositories", "1", "Repositories"), ("preview", "2", "Preview"), ("verification", "3", "Verification"))
SHORT = {"repositories": "List", "verification": "Verify"}
"""Labels for a terminal narrower than ``NARROW`` columns; from ``ROOMY`` on a pane may be zoomed."""
NARROW, ROOMY = 76, 100
TABS_WIDTH, SHORT_WIDTH = 56, 42
"""Columns of all tabs without additions: full labels, and short ones."""
ZOOMED = "zoomed: z restores"


class PaneTab(Static):
    """One pane of the narrow layout."""

    DEFAULT_CSS = """
    PaneTab {
        width: auto;
        padding: 0 2;
        color: $text-muted;
        &:hover { color: $foreground; }
        &.-active { color: $foreground; background: $block-cursor-background; text-style: bold; }
    }
    """

    @dataclass(eq=False)
    class Chosen(Message):
        pane: str

    def __init__(self, pane: str, key: str, label: str) -> None:
        super().__init__(id=f"tab-{pane}")
        self._pane, self._key, self._label = pane, key, label
        self._about = self._extra = ""

    def on_mount(self) -> None:
        self.draw()

    def say(self, name: str, extra: str = "") -> None:
        """``name``: the pane's repository, shown while the tab is active. ``extra`` is always shown."""
        if (name, extra) != (self._about, self._extra):
            self._about, self._extra = name, extra
            self.draw()

    def set_active(self, active: bool) -> None:
        if active != self.has_class("-active"):
            self.set_class(active, "-active")
            self.draw()

    def draw(self) -> None:
        active, width = self.has_class("-active"), self.screen.size.width
        narrow = 0 < width < NARROW
        extra = f" {self._extra}" if self._extra else ""
        name = ""
        if active and self._about:
            others = SHORT_WIDTH if narrow else TABS_WIDTH + len(ZOOMED) + 2 if width >= ROOMY else TABS_WIDTH
            room = max(width - others - len(extra), 8)
            # The end of a name is more informative than its beginning.
            name = " · " + (self._about if len(self._about) <= room else "…" + self._about[1 - room :])
        label = SHORT.get(self._pane, self._label) if narrow else self._label
        self.update(Content.assemble((f"{'▸' if active else ' '}{self._key} ", "$text-accent"), label + name + extra))

    def on_click(self) -> None:
        self.post_message(self.Chosen(self._pane))


class PaneBar(Horizontal):
    """Shown instead of four panes at once."""

    DEFAULT_CSS = """
    PaneBar {
        height: 1;
        display: none;
        & > #zoomed { display: none; width: 1fr; min-width: 20; padding: 0 1; text-align: right; color: $text-accent; }
    }
    """

    def compose(self) -> ComposeResult:
        for pane in PANES:
            yield PaneTab(*pane)
        yield Static(ZOOMED, id="zoomed", markup=False)

    def activate(self, pane: str) -> None:
        for name, _, _ in PANES:
            self.query_one(f"#tab-{name}", PaneTab).set_active(name == pane)

    def say(self, pane: str, name: str, extra: str = "") -> None:
        self.query_one(f"#tab-{pane}", PaneTab).say(name, extra)

    def say_zoomed(self, zoomed: bool) -> None:
        """Whether there is more to show than this pane."""
        self.query_one("#zoomed").display = zoomed

    def on_resize(self) -> None:
        for tab in self.query(PaneTab):
            tab.draw()
