"""The audit of all repositories: read in the background, shown on pages, copied as text or JSON."""

from __future__ import annotations

import json
import textwrap
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static, TabbedContent, TabPane, Tabs

from ecr_tui.access.audit_json import audit_json
from ecr_tui.render.audit import audit_pages, audit_text
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered, Audited, AuditProgress, CopyWanted
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.text import copied_error, error_content
from ecr_tui.ui.text import NO, OK, PENDING, count, safe, safe_block
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.lines import Line, Lines
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.access.audit_result import Audit
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.workspace import Workspace

PAGES = {"odd": "Findings", "who": "Who may what", "sides": "Both sides", "unknown": "Unknown"}
NOTHING = {
    "odd": "",
    "who": "No policy names anybody.",
    "sides": "Account B is not known, so only account A's side was looked at.",
    "unknown": f"{OK} Every policy could be read.",
}


class AuditScreen(Dialog[None]):
    """Begins when it is shown; leaving it ends the reading."""

    DEFAULT_CSS = """
    AuditScreen {
        background: $background;  /* it covers nearly all of what is below */
        & > #dialog { width: 96%; max-width: 140; height: 94%; max-height: 94%; padding: 0 1; }
        & .title { margin-bottom: 0; }
        & .keys { margin-top: 0; }
        & TabbedContent, & ContentSwitcher { height: 1fr; }
        & TabPane { padding: 0; height: 1fr; }
    }
    """
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Close"),
        Binding("y", "copy_text", "Copy"),
        Binding("J", "copy_json", "Copy JSON"),
        Binding("r", "again", "Again"),
        Binding("left", "turn(-1)", "Previous page"),
        Binding("right,tab", "turn(1)", "Next page"),
        Binding("up,k", "scroll('relative', -1)", "Up"),
        Binding("down,j", "scroll('relative', 1)", "Down"),
        Binding("pageup", "scroll('page_up')", "Page up"),
        Binding("pagedown,space", "scroll('page_down')", "Page down"),
        Binding("home", "scroll('home')", "First"),
        Binding("end", "scroll('end')", "Last"),
    ]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._cancel = threading.Event()
        self._audit: Audit | None = None
        self._error: EcrTuiError | None = None
        self._pages: Mapping[str, str] = {}
        self._drawn: object = None

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Audit of account A", classes="title", markup=False)
            yield Words(id="progress", classes="body")
            with TabbedContent(initial="odd"):
                for page, label in PAGES.items():
                    with TabPane(label, id=page):
                        yield Lines(id=f"{page}-body")
            yield KeyHints(("← →", "page"), ("y", "copy"), ("J", "copy JSON"), ("r", "again"), ("esc", "close"))

    def on_mount(self) -> None:
        # Nothing takes the focus: a page that gets it late would turn the tabs back.
        self.query_one(Tabs).can_focus = False
        self.set_focus(None)
        self._begin()

    def on_unmount(self) -> None:
        self._cancel.set()

    @property
    def running(self) -> bool:
        return self._audit is None and self._error is None

    # -- reading -----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._audit = self._error = None
        self._cancel = cancel = threading.Event()
        self._say(f"{PENDING} listing the repositories…   esc stops it")

        def listed(number: int) -> None:
            jobs.post(self, AuditProgress(f"{PENDING} {count(number, 'repository', 'repositories')} listed"))

        def progress(done: int, of: int) -> None:
            jobs.post(self, AuditProgress(f"{PENDING} {done:,} of {count(of, 'policy', 'policies')} read"))

        def work() -> Audited:
            audit = self._workspace.access.audit(on_listed=listed, on_progress=progress, cancel=cancel)
            return Audited(audit, pages=audit_pages(audit))

        # Not beside the opening of this screen: it begins with importing.
        self.call_after_refresh(jobs.start, self, work, failed=lambda error: Audited(None, error), group="audit")

    def _say(self, words: str, style: str = "$text-primary") -> None:
        self.query_one("#progress", Words).say(Content.styled(words, style))

    @on(AuditProgress)
    def _progressed(self, message: AuditProgress) -> None:
        if self.running:
            self._say(f"{message.words}   esc stops it")

    @on(Audited)
    def _audited(self, message: Audited) -> None:
        self._audit, self._error = message.audit, message.error
        if message.error is not None:
            self._say(f"{NO} {safe(message.error.title)}", "$text-error")
            self._pages = {}
        elif message.audit is not None:
            found = message.audit.severities
            self._pages = message.pages
            self._say(
                f"{count(len(message.audit.repositories), 'repository', 'repositories')} · "
                f"{count(found['error'], 'error')} · {count(found['warning'], 'warning')} · "
                f"{len(message.audit.unknown):,} unknown"
            )
        self._draw()

    # -- pages -------------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Wrap the pages for the width, on a thread: an audit of a large registry has very many lines."""
        wanted = (id(self._audit), id(self._error), self._width)
        if self.running or wanted == self._drawn:
            return
        self._drawn = wanted
        if self._error is not None:
            text = error_content(self._error, self._error.title).plain
            self._show(wanted, dict.fromkeys(PAGES, page_lines(text, self._width)))
            return
        pages, width = self._pages, self._width

        def work() -> Answered:
            lines = {page: page_lines(pages.get(page, ""), width) or [(NOTHING[page], "muted")] for page in PAGES}
            return Answered(lambda: self._show(wanted, lines))

        jobs.start(self, work, failed=lambda _: None, group="audit-pages")

    def _show(self, wanted: object, lines: Mapping[str, Sequence[Line]]) -> None:
        if wanted == self._drawn and self.is_mounted:
            for page in PAGES:
                self.query_one(f"#{page}-body", Lines).show(lines[page])

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
        return self.query_one(TabbedContent).active or "odd"

    def turn_to(self, page: str) -> None:
        self.query_one(TabbedContent).active = page

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_turn(self, by: int) -> None:
        pages = list(PAGES)
        self.turn_to(pages[(pages.index(self.page) + by) % len(pages)])

    def action_scroll(self, how: str, by: int = 0) -> None:
        scroll = self.query_one(f"#{self.page}-body", Lines)
        if how == "relative":
            scroll.scroll_relative(y=by, animate=False)
        else:
            getattr(scroll, f"scroll_{how}")(animate=False)

    def action_again(self) -> None:
        if not self.running:
            self._begin()

    def action_leave(self) -> None:
        self._cancel.set()
        self.dismiss(None)

    def action_copy_text(self) -> None:
        if self._error is not None:
            self.post_message(CopyWanted(copied_error(self._error), "the error"))
        elif self._audit is not None:
            self._copy(self._audit, "the audit", _as_text)
        else:
            self.app.notify("The audit is not finished yet.", markup=False)

    def action_copy_json(self) -> None:
        if self._audit is None:
            self.app.notify("There is no finished audit to copy.", markup=False)
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
