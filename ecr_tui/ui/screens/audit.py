"""The audit of all repositories: read in the background, shown as tables and text, copied as text or JSON."""

from __future__ import annotations

import json
import textwrap
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Input, Static, Tab, Tabs

from ecr_tui.access.audit_json import audit_json
from ecr_tui.aws.model import Repository
from ecr_tui.render.audit import audit_pages, audit_text
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered, CopyWanted
from ecr_tui.ui.screens.dialog import SCROLLING, Dialog
from ecr_tui.ui.screens.text import copied_error, error_content
from ecr_tui.ui.text import NO, PENDING, count, safe, safe_block
from ecr_tui.ui.text.audit import Odd, Who, access, access_columns, details, finding_columns, findings, search_text
from ecr_tui.ui.widgets.inputs import SafeInput
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.lines import Line, Lines
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.access.audit_result import Audit
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.workspace import Workspace

PAGES = {"findings": "Findings", "access": "Access", "sides": "Both accounts", "report": "Report"}
TEXTS = ("sides", "report")
NOTHING_OF_B = "Account B is unknown, so only account A's side was read."


@dataclass(eq=False)
class AuditProgress(Message):
    words: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, AuditProgress)


@dataclass(eq=False)
class Audited(Message):
    """``pages``: the audit in words, by page; ``findings`` and ``access`` as rows."""

    audit: Audit | None
    error: EcrTuiError | None = None
    pages: Mapping[str, str] = field(default_factory=dict)
    findings: Sequence[Odd] = ()
    access: Sequence[Who] = ()


class AuditScreen(Dialog[Repository | None]):
    """Begins when it is shown; leaving it ends the reading. The result is the repository to go to."""

    DEFAULT_CSS = """
    AuditScreen {
        background: $background;  /* it covers nearly all of what is below */
        & > #dialog { width: 98%; max-width: 200; height: 94%; max-height: 94%; padding: 0 1; }
        & .title { margin-bottom: 0; }
        & .keys { margin-top: 0; }
        & #filter { display: none; height: 1; &.-open { display: block; } }
        & ContentSwitcher { height: 1fr; }
        & ContentSwitcher > Vertical { height: 1fr; }
        & .detail { height: auto; max-height: 40%; border-top: solid $border-blurred; scrollbar-size-vertical: 1; }
    }
    """
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("q", "leave", "Close"),
        Binding("slash", "filter", "Filter"),
        Binding("y", "copy_text", "Copy"),
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

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Audit of account A", classes="title", markup=False)
            yield Words(id="progress", classes="body")
            yield Tabs(*(Tab(Content(label), id=page) for page, label in PAGES.items()))
            yield SafeInput(placeholder="repository, principal, severity or words", id="filter", compact=True)
            with ContentSwitcher(initial="findings"):
                for page, table in self._tables.items():
                    with Vertical(id=page):
                        yield table
                        with VerticalScroll(classes="detail", can_focus=False):
                            yield Words(id=f"{page}-detail", classes="body")
                for page in ("sides", "report"):
                    yield Lines(id=page)
            yield KeyHints(between="  ")

    def on_mount(self) -> None:
        self.query_one(Tabs).can_focus = False
        self._begin()
        self._focus_page()

    def on_unmount(self) -> None:
        self._cancel.set()

    @property
    def running(self) -> bool:
        return self._audit is None and self._error is None

    # -- reading -----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._audit = self._error = None
        self._cancel = cancel = threading.Event()
        self._say(f"{PENDING} listing the repositories…   Esc stops it")
        for table in self._tables.values():
            table.set_rows(())
            table.set_message("Reading policies…")

        def listed(number: int) -> None:
            jobs.post(self, AuditProgress(f"{PENDING} {count(number, 'repository', 'repositories')} listed"))

        def progress(done: int, of: int) -> None:
            jobs.post(self, AuditProgress(f"{PENDING} {done:,} of {count(of, 'policy', 'policies')} read"))

        def work() -> Audited:
            audit = self._workspace.access.audit(on_listed=listed, on_progress=progress, cancel=cancel)
            pages = {"sides": audit_pages(audit)["sides"] or NOTHING_OF_B, "report": audit_text(audit)}
            return Audited(audit, pages=pages, findings=findings(audit), access=access(audit))

        # Not beside the opening of this screen: it begins with importing.
        self.call_after_refresh(jobs.start, self, work, failed=lambda error: Audited(None, error), group="audit")

    def _say(self, words: str, style: str = "$text-primary") -> None:
        self.query_one("#progress", Words).say(Content.styled(words, style))

    @on(AuditProgress)
    def _progressed(self, message: AuditProgress) -> None:
        if self.running:
            self._say(f"{message.words}   Esc stops it")

    @on(Audited)
    def _audited(self, message: Audited) -> None:
        self._audit, self._error = message.audit, message.error
        if message.error is not None:
            self._say(f"{NO} {safe(message.error.title)}", "$text-error")
            self._pages = {}
            self._fill((), ())
            self.turn_to("report")  # which says it in full
        elif message.audit is not None:
            found = message.audit.severities
            self._pages = message.pages
            self._say(
                f"{count(len(message.audit.repositories), 'repository', 'repositories')} · "
                f"{count(found['error'], 'error')} · {count(found['warning'], 'warning')} · "
                f"{len(message.audit.unknown):,} unknown"
            )
            self._fill(message.findings, message.access)
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
        """Wrap the pages for the width, on a thread: an audit of a large registry has very many lines."""
        wanted = (id(self._audit), id(self._error), self._width)
        if self.running or wanted == self._drawn:
            return
        self._drawn = wanted
        if self._error is not None:
            text = error_content(self._error, self._error.title).plain
            self._show(wanted, dict.fromkeys(TEXTS, page_lines(text, self._width)))
            return
        pages, width = self._pages, self._width

        def work() -> Answered:
            lines = {page: page_lines(pages.get(page, ""), width) for page in TEXTS}
            return Answered(lambda: self._show(wanted, lines))

        jobs.start(self, work, failed=lambda _: None, group="audit-pages")

    def _show(self, wanted: object, lines: Mapping[str, Sequence[Line]]) -> None:
        if wanted == self._drawn and self.is_mounted:
            for page in TEXTS:
                self.query_one(f"#{page}", Lines).show(lines[page])

    @on(Answered)
    def _answered(self, message: Answered) -> None:
        message.stop()
        message.take()

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
        self._focus_page()

    @on(Tabs.TabActivated)
    def _tab_chosen(self, event: Tabs.TabActivated) -> None:
        event.stop()
        if event.tab.id and event.tab.id != self.page:
            self.turn_to(event.tab.id)

    def _focus_page(self) -> None:
        table = self._tables.get(self.page)
        self.set_focus(table)
        self._say_keys()

    @property
    def scrolled(self) -> Widget:
        return self._tables.get(self.page) or self.query_one(f"#{self.page}")

    @on(events.DescendantFocus)
    def _say_keys(self) -> None:
        if self.query_one("#filter").has_focus:
            keys = [("enter", "accept"), ("↓", "to the rows"), ("esc", "clear")]
        else:
            sort = {"findings": [("S D", "sort")], "access": [("S P", "sort")]}.get(self.page, [])
            rows = [("enter", "go to repository"), ("/", "filter"), *sort] if sort else []
            keys = [*rows, ("← →", "page"), ("y", "copy"), ("J", "copy JSON"), ("r", "refresh"), ("esc", "close")]
        self.query_one(KeyHints).tell(*keys)

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        event.stop()
        page = next(page for page, table in self._tables.items() if table is event.table)
        said = details(event.row) if event.row is not None else Content.empty()
        self.query_one(f"#{page}-detail", Words).say(said)

    @on(VirtualTable.Changed)
    @on(VirtualTable.WindowChanged)
    def _unheeded(self, event: VirtualTable.Changed) -> None:
        event.stop()

    @on(VirtualTable.Opened)
    def _opened(self, event: VirtualTable.Opened) -> None:
        event.stop()
        if event.row is not None:
            self.dismiss(event.row.repository)

    # -- filter ------------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        if self.page not in self._tables:
            self.turn_to("findings")
        box = self.query_one("#filter", SafeInput)
        box.add_class("-open")
        box.focus()

    @on(Input.Changed, "#filter")
    def _filtered(self, event: Input.Changed) -> None:
        event.stop()
        for table in self._tables.values():
            table.filter = event.value
            if table.rows:
                table.set_message("No row matches the filter." if event.value else "")

    @on(Input.Submitted, "#filter")
    def _leave_filter(self) -> None:
        box = self.query_one("#filter", SafeInput)
        box.set_class(bool(box.value), "-open")
        self._focus_page()

    def key_down(self) -> None:
        if self.query_one("#filter").has_focus:
            self._leave_filter()

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_sort(self, column: str) -> None:
        if (table := self._tables.get(self.page)) is not None:
            table.action_sort_column(column)

    def action_turn(self, by: int) -> None:
        pages = list(PAGES)
        self.turn_to(pages[(pages.index(self.page) + by) % len(pages)])

    def action_again(self) -> None:
        if not self.running:
            if self._error is not None:
                self.turn_to("findings")
            self._begin()

    def action_back(self) -> None:
        box = self.query_one("#filter", SafeInput)
        if box.value or box.has_focus:
            box.value = ""
            self._leave_filter()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        self._cancel.set()
        self.dismiss(None)

    def document(self) -> str:
        if self._error is not None:
            return self._error.text()
        return self._pages.get("sides" if self.page == "sides" else "report", "")

    def action_copy_text(self) -> None:
        if self._error is not None:
            self.post_message(CopyWanted(copied_error(self._error), "the error"))
        elif self._audit is not None:
            self._copy(self._audit, "the audit", _as_text)
        else:
            self.app.notify("The audit is not finished yet.", markup=False)

    def action_copy_json(self) -> None:
        if self._audit is None:
            self.app.notify("The audit is not finished yet.", markup=False)
            return
        self._copy(self._audit, "the audit as JSON", _as_json)

    def _copy(self, audit: Audit, what: str, write: Callable[[Audit], str]) -> None:
        jobs.start(self, lambda: CopyWanted(write(audit), what), failed=lambda _: None, group="audit-copy")


def _as_text(audit: Audit) -> str:
    return audit_text(audit)


def _as_json(audit: Audit) -> str:
    return json.dumps(audit_json(audit), indent=2, ensure_ascii=False)


_STYLES = {"[error]": "error", "[warning]": "warning"}


def page_lines(text: str, width: int) -> list[Line]:
    """A page of the audit, wrapped under the beginning of each line; titles stand out. [] for no text."""
    lines: list[Line] = []
    for line in safe_block(text).split("\n") if text else ():
        words = line.lstrip(" ")
        indent = len(line) - len(words)
        style = "title" if words and not indent else _STYLES.get(words.partition(" ")[0], "")
        hanging = " " * min(indent + 4, width // 2)
        wrapped = textwrap.wrap(line, width, subsequent_indent=hanging, break_on_hyphens=False) or [""]
        lines += [(part, style) for part in wrapped]
    return lines
