"""Plain Textual with the widgets of ecr-tui's main screen and nothing behind them: what a first frame cannot beat."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import DataTable, Footer, Input, Label, Static, TabbedContent, TabPane

COLUMNS = ("Repository", "Tags", "Access", "Image tags", "Images", "Last push")
TABS = ("Diff", "JSON", "Who", "Findings", "Account B policy")


class Bare(App[None]):
    CSS = """
    #accounts { height: 4; }
    #accounts Static { width: 1fr; border: round gray; }
    #panes, #repositories { height: 1fr; }
    #repositories { border: round gray; }
    .bar { height: 1; display: none; }
    #lower { height: 14; }
    #lower > * { width: 1fr; border: round gray; }
    #status { height: 1; }
    #status Static { width: 1fr; }
    """

    def compose(self) -> ComposeResult:
        with Horizontal(id="accounts"):
            yield Static("account A")
            yield Static("account B")
        with Horizontal(classes="bar"):
            for name in ("Repositories", "Preview", "Verification"):
                yield Static(name)
        with Vertical(id="panes"):
            with Vertical(id="repositories") as pane:
                pane.border_title = "Repositories"
                for name in ("filter", "tags"):
                    with Horizontal(classes="bar"):
                        yield Label(name)
                        yield Input(id=name)
                yield DataTable()
                yield Static(classes="bar")
            with Horizontal(id="lower"):
                with Vertical():
                    yield Static("what would be granted")
                    yield Static("what it would change")
                    with TabbedContent():
                        for name in TABS:
                            with TabPane(name), VerticalScroll():
                                yield Static(name)
                with VerticalScroll():
                    yield Static("not verified")
                    yield Static("")
                    yield Static("stages")
                    yield Vertical()
        with Horizontal(id="status"):
            yield Static("left")
            yield Static("right")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns(*COLUMNS)
        table.focus()


if __name__ == "__main__":
    Bare().run()
