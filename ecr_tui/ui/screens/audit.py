"""The audit of all repositories: read in the background, shown as tables and text, copied as text or JSON."""

from __future__ import annotations

import json
import textwrap
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static, Tab, Tabs

from ecr_tui.access.audit_json import audit_json
from ecr_tui.aws.model import Repository
from ecr_tui.render.audit import audit_pages, audit_text
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.screens.dialog import SCROLLING
from ecr_tui.ui.screens.rows import RowsScreen
from ecr_tui.ui.screens.text import copied_error, error_content
from ecr_tui.ui.text import NO, PENDING, count, safe, safe_block
from ecr_tui.ui.text.audit import Odd, Who, access, access_columns, details, finding_columns, findings, search_text
from ecr_tui.ui.widgets.keyhints import Hint, KeyHints
from ecr_tui.ui.widgets.lines import Line, Lines
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Hanging, Words

if TYPE_CHECKING:
    from ecr_tui.access.audit_result import Audit
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.workspace import Workspace

PAGES = {"findings": "Findings", "access": "Access", "sides": "Both accounts", "report": "Report"}
TEXTS = ("sides", "report")
NOTHING_OF_B = "Account B is unknown, so only account A's side was read."


class Audited(NamedTuple):
    """``pages``: the audit as text, by page; ``findings`` and ``access`` as rows."""

    audit: Audit
    pages: Mapping[str, str]
    findings: Sequence[Odd]
    access: Sequence[Who]


class AuditScreen(RowsScreen[Repository | None]):
    """Starts reading when shown; closing it stops the reading. The result is the repository to go to."""

    DEFAULT_CSS = """
    AuditScreen {
        & ContentSwitcher { height: 1fr; }
        & ContentSwitcher > Vertical { height: 1fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("J", "copy_json", "Copy JSON"),
        Binding("r", "again", "Refresh"),
        Binding("left,left_square_bracket", "turn(-1)", "Previous page"),
        Binding("right,right_square_bracket,tab", "turn(1)", "Next page"),
        Binding("P", "sort('principal')", "Sort by principal", show=False),
        *SCROLLING,
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._cancel = threading.Event()
        self._audit: Audit | None = None
        self._error: EcrTuiError | None = None
        self._pages: Mapping[str, str] = {}
        self._drawn: object = None
        self._tables: dict[str, VirtualTable[Any]] = {
            page: VirtualTable(of(()), key=lambda row: str(row.place), search=search_text, id=f"{page}-rows")
            for page, of in (("findings", finding_columns), ("access", access_columns))
        }
        self.table = self._tables["findings"]

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Audit of account A", classes="title", markup=False)
            yield Words(id="progress", classes="body")
            yield Tabs(*(Tab(Content(label), id=page) for page, label in PAGES.items()))
            yield self.filter_box("repository, principal, severity or words")
            with ContentSwitcher(initial="findings"):
                for page, table in self._tables.items():
                    with Vertical(id=page):
                        yield table
                        with VerticalScroll(classes="detail", can_focus=False):
                            yield Hanging(id=f"{page}-detail", classes="body")
                for page in ("sides", "report"):
                    yield Lines(id=page)
            yield KeyHints(between="  ")

    def on_mount(self) -> None:
        self.query_one(Tabs).can_focus = False
        self._begin()

    def on_unmount(self) -> None:
        self._cancel.set()

    # -- reading -----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.busy, self._audit, self._error = True, None, None
        self._cancel = cancel = threading.Event()
        self.say(f"{PENDING} listing the repositories…   Esc stops it")
        for table in self._tables.values():
            table.set_rows(())
            table.set_message("Reading policies…")

        def work() -> Audited:
            audit = self._workspace.access.audit(
                on_listed=partial(jobs.call, self, self.say_listed),
                on_progress=jobs.teller(self, self.say_read),
                cancel=cancel,
            )
            pages = {"sides": audit_pages(audit)["sides"] or NOTHING_OF_B, "report": audit_text(audit)}
            return Audited(audit, pages, findings(audit), access(audit))

        # After the screen has opened, because it starts with imports.
        self.call_after_refresh(jobs.start, self, work, self._audited, self._failed)

    def _failed(self, error: EcrTuiError) -> None:
        self.busy, self._error = False, error
        self.say(f"{NO} {safe(error.title)}", "$text-error")
        self._pages = {}
        self._fill((), ())
        self.turn_to("report")  # which shows the full error
        self._draw()

    def _audited(self, found: Audited) -> None:
        self.busy = False
        self._audit, self._pages, odd, who = found
        severities = self._audit.severities
        self.say(
            f"{count(len(self._audit.repositories), 'repository', 'repositories')} · "
            f"{count(severities['error'], 'error')} · {count(severities['warning'], 'warning')} · "
            f"{len(self._audit.unknown):,} unknown"
        )
        self._fill(odd, who)
        self._draw()

    def _fill(self, found: Sequence[Odd], who: Sequence[Who]) -> None:
        odd, named = self._tables["findings"], self._tables["access"]
        odd.set_message("No findings.")
        odd.set_columns(finding_columns(found))
        odd.set_rows(found)
        named.set_message("No policy names a principal.")
        named.set_columns(access_columns(who))
        named.set_rows(who)

    # -- pages -------------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Wrap the pages for the width, on a thread, because large audits have very many lines."""
        wanted = (id(self._audit), id(self._error), self._width)
        if self.busy or wanted == self._drawn:
            return
        self._drawn = wanted
        if self._error is not None:
            text = error_content(self._error, self._error.title).plain
            self._show(wanted, dict.fromkeys(TEXTS, page_lines(text, self._width)))
            return
        pages, width = self._pages, self._width

        def work() -> dict[str, list[Line]]:
            return {page: page_lines(pages.get(page, ""), width) for page in TEXTS}

        jobs.start(self, work, partial(self._show, wanted))

    def _show(self, wanted: object, lines: Mapping[str, Sequence[Line]]) -> None:
        if wanted == self._drawn and self.is_mounted:
            for page in TEXTS:
                self.query_one(f"#{page}", Lines).show(lines[page])

    @property
    def _width(self) -> int:
        return max(self.query_one("#dialog").content_size.width - 2, 20)

    def _fit(self) -> None:
        super()._fit()
        self._draw()

    @property
    def page(self) -> str:
        return self.query_one(ContentSwitcher).current or "findings"

    def turn_to(self, page: str) -> None:
        self.query_one(Tabs).active = page
        self.query_one(ContentSwitcher).current = page
        self.focus_rows()

    @on(Tabs.TabActivated)
    def _tab_chosen(self, event: Tabs.TabActivated) -> None:
        if event.tab.id and event.tab.id != self.page:
            self.turn_to(event.tab.id)

    def focus_rows(self) -> None:
        """The keys of the page; text pages use the screen's keys."""
        table = self._tables.get(self.page)
        self.table = table or self.table
        self.set_focus(table)
        self.say_keys()

    @property
    def scrolled(self) -> Widget:
        return self._tables.get(self.page) or self.query_one(f"#{self.page}")

    def hints(self) -> list[Hint]:
        sort = {"findings": [("S D", "sort")], "access": [("S P", "sort")]}.get(self.page, [])
        rows = [("enter", "go to repository"), ("/", "filter"), *sort] if sort else []
        return [*rows, ("← →", "page"), ("y", "copy"), ("J", "copy JSON"), ("r", "refresh"), ("esc", "close")]

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        for page, table in self._tables.items():
            said = Content.empty() if table.current is None else details(table.current)
            self.query_one(f"#{page}-detail", Words).say(said)

    @on(VirtualTable.Opened)
    def _opened(self, event: VirtualTable.Opened) -> None:
        if event.row is not None:
            self.dismiss(event.row.repository)

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        if self.page not in self._tables:
            self.turn_to("findings")
        super().action_filter()

    def action_turn(self, by: int) -> None:
        pages = list(PAGES)
        self.turn_to(pages[(pages.index(self.page) + by) % len(pages)])

    def action_again(self) -> None:
        if not self.busy:
            if self._error is not None:
                self.turn_to("findings")
            self._begin()

    def document(self) -> str:
        if self._error is not None:
            return self._error.text()
        return self._pages.get("sides" if self.page == "sides" else "report", "")

    def action_copy(self) -> None:
        if self._error is not None:
            self.post_message(CopyWanted(copied_error(self._error), "the error"))
        elif self._audit is not None:
            self._copy(self._audit, "the audit", audit_text)
        else:
            self.app.notify("The audit is not finished yet.", markup=False)

    def action_copy_json(self) -> None:
        if self._audit is None:
            self.app.notify("The audit is not finished yet.", markup=False)
            return
        self._copy(self._audit, "the audit as JSON", _as_json)

    def _copy(self, audit: Audit, what: str, write: Callable[[Audit], str]) -> None:
        jobs.start(self, partial(write, audit), lambda text: self.post_message(CopyWanted(text, what)))


def _as_json(audit: Audit) -> str:
    return json.dumps(audit_json(audit), indent=2, ensure_ascii=False)


_STYLES = {"[error]": "error", "[warning]": "warning"}


def page_lines(text: str, width: int) -> list[Line]:
    """A page of the audit, wrapped with hanging indent and styled titles. [] without text."""
    lines: list[Line] = []
    for line in safe_block(text).split("\n") if text else ():
        words = line.lstrip(" ")
        indent = len(line) - len(words)
        style = "title" if words and not indent else _STYLES.get(words.partition(" ")[0], "")
        hanging = " " * min(indent + 4, width // 2)
        wrapped = textwrap.wrap(line, width, subsequent_indent=hanging, break_on_hyphens=False) or [""]
        lines += [(part, style) for part in wrapped]
    return lines
