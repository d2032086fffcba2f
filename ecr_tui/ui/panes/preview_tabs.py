"""Tabs of the policy preview: difference, document, access, findings, and account B's policy of a plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import TabbedContent, TabPane

from ecr_tui.aws.model import Repository
from ecr_tui.changes.plans import needed_of
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.change import Grant
from ecr_tui.ui.text import preview as words
from ecr_tui.ui.text import safe_block
from ecr_tui.ui.text.second_opinion import Asked, second_opinion
from ecr_tui.ui.text.sides import BothSides, both_sides
from ecr_tui.ui.widgets.reading import Reading
from ecr_tui.ui.widgets.words import Hanging

if TYPE_CHECKING:
    from ecr_tui.changes.apply import Plan


class _Tab(NamedTuple):
    id: str
    label: str


TABS = (
    _Tab("diff", "Diff"),
    _Tab("json", "JSON"),
    _Tab("who", "Access"),
    _Tab("findings", "Findings"),
    _Tab("consumer", "Account B policy"),
)

CHANGE_TABS = ("diff", "json", "who")
"""Tabs that show the change."""


class Subject(NamedTuple):
    """Subject of a preview; equal subjects have equal previews."""

    repository: Repository
    grant: Grant


class Preview(NamedTuple):
    """``plan`` is None while being computed, and on ``error``."""

    subject: Subject | None
    plan: Plan | None = None
    error: EcrTuiError | None = None
    waiting_for: str = ""
    making: bool = False
    """Whether the policy is known, so the plan takes only milliseconds."""


class PreviewTabs(Vertical):
    """Only the visible tab is drawn, others on demand."""

    DEFAULT_CSS = """
    PreviewTabs {
        height: 1fr;
        & TabbedContent { height: 1fr; }
        & ContentSwitcher { height: 1fr; }
        & TabPane { padding: 0; height: 1fr; }
        & TabPane > VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
        & .body { width: 1fr; height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,left_square_bracket", "turn(-1)", "Previous tab", show=False),
        Binding("right,right_square_bracket", "turn(1)", "Next tab", show=False),
    ]

    class Turned(Message):
        """The visible tab changed."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now
        self._preview = Preview(None)
        self._both = BothSides()
        self._asked = Asked()
        self._drawn: dict[str, tuple[Preview, object]] = {}

    def compose(self) -> ComposeResult:
        with TabbedContent(initial="diff"):
            for tab in TABS:
                with TabPane(tab.label, id=tab.id), Reading():
                    yield Hanging(id=f"{tab.id}-body", classes="body")

    @property
    def tab(self) -> str:
        return self.query_one(TabbedContent).active or "diff"

    def show(self, preview: Preview, both: BothSides, asked: Asked) -> None:
        """``both``: the verdict of both accounts; ``asked``: Access Analyzer's opinion; for their tabs."""
        self._preview, self._both, self._asked = preview, both, asked
        number = len(preview.plan.findings) if preview.plan else 0
        label = f"Findings {number}" if number else "Findings"
        tab = self.query_one(TabbedContent).get_tab("findings")
        if tab.label_text != label:
            tab.label = label
        self._draw_tab()

    def _draw_tab(self) -> None:
        """None while the pane is being removed, because its children go first."""
        tab, preview = self.tab, self._preview
        shown = (preview, {"consumer": self._both, "findings": self._asked}.get(tab))
        before = self._drawn.get(tab, (None, None))
        if (before[0] is shown[0] and before[1] is shown[1]) or not self.query(f"#{tab}-body"):
            return
        self._drawn[tab] = shown
        body = self.query_one(f"#{tab}-body", Hanging)
        if preview.error is not None:
            body.say(Content.styled(safe_block(preview.error.text()), "$text-error"))
        elif preview.plan is None or preview.subject is None:
            body.say(Content.empty())
        else:
            body.say(self._content(tab, preview.plan, preview.subject))
        scroll = body.parent
        if isinstance(scroll, VerticalScroll) and before[0] is not preview:
            scroll.scroll_home(animate=False)

    def _content(self, tab: str, plan: Plan, subject: Subject) -> Content:
        if tab == "diff":
            return words.diff(plan)
        if tab == "json":
            return words.json_content(words.document_text(plan))
        if tab == "who":
            return words.who(plan, subject.repository, self._now())
        if tab == "findings":
            told = [words.findings(plan), second_opinion(self._asked)]
            return Content("\n\n").join(told if self._asked.plan is None else reversed(told))
        sides = both_sides(self._both, max(self._width, 20))
        return Content.assemble(sides, "\n\n", words.consumer(needed_of([plan])))

    @property
    def _width(self) -> int:
        return self.size.width - 4

    def on_resize(self) -> None:
        self._drawn.clear()
        self._draw_tab()

    @on(TabbedContent.TabActivated)
    def _turned(self, event: TabbedContent.TabActivated) -> None:
        event.stop()
        self._draw_tab()
        self.post_message(self.Turned().set_sender(self))

    def turn_to(self, tab: str) -> None:
        self.query_one(TabbedContent).active = tab

    def action_turn(self, by: int) -> None:
        """Keep the focus in the text or on the tabs."""
        ids = [tab.id for tab in TABS]
        within = isinstance(self.screen.focused, Reading)
        self.turn_to(ids[(ids.index(self.tab) + by) % len(ids)])
        if within:
            # At once: the text that had the focus is hidden now, and the next key would find no focus.
            self.screen.set_focus(self._reading)

    def take_focus(self) -> None:
        self._reading.focus()

    @property
    def _reading(self) -> Reading:
        return self.query_one(f"#{self.tab} Reading", Reading)

    def copy_text(self) -> tuple[str, str]:
        """The tab's plain text and its name; ("", "") if empty."""
        (subject, plan, error, *_), tab = self._preview, self.tab
        if error is not None:
            return error.text(), "the error"
        if plan is None or subject is None:
            return "", ""
        if tab == "diff":
            return words.diff_text(plan), "the diff"
        if tab == "json":
            return words.document_text(plan), "the policy document"
        if tab == "consumer":
            return words.consumer_text(needed_of([plan])), "B's identity policy"
        return self._content(tab, plan, subject).plain, "the access list" if tab == "who" else "the findings"
