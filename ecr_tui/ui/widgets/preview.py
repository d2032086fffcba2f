"""The policy preview: the exact document that ``g`` writes, from five sides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import TabbedContent, TabPane

from ecr_tui.changes.plans import needed_of
from ecr_tui.ui import preview_text as words
from ecr_tui.ui.flows.previewing import Preview, Subject
from ecr_tui.ui.flows.siding import BothSides
from ecr_tui.ui.sides_text import both_sides
from ecr_tui.ui.text import MUTED, NO, safe, safe_block
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.changes.apply import Plan
    from ecr_tui.policy.change import Grant


class _Tab(NamedTuple):
    id: str
    label: str


TABS = (
    _Tab("diff", "Diff"),
    _Tab("json", "JSON"),
    _Tab("who", "Who may what"),
    _Tab("findings", "Findings"),
    _Tab("consumer", "B's side"),
)

CHANGE_TABS = ("diff", "json", "who")
"""The tabs that show what a write changes."""


class PreviewPane(Vertical):
    """Draws a :class:`Preview`; only the tab in view is made, the others when they are turned to."""

    DEFAULT_CSS = """
    PreviewPane {
        & > #sentence, & > #effect { height: auto; max-height: 3; width: 1fr; }
        & TabbedContent { height: 1fr; }
        & ContentSwitcher { height: 1fr; }
        & TabPane { padding: 0; height: 1fr; }
        & TabPane > VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
        & .body { width: 1fr; height: auto; }
    }
    """

    class Turned(Message):
        """Another tab is in view."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        super().__init__(id="preview")
        self.border_title = "Policy preview"
        self._now = now
        self._preview = Preview(None)
        self._both = BothSides()
        self.sentence = self.effect = Content.empty()
        self._title = ""
        self._drawn: dict[str, tuple[Preview, BothSides | None]] = {}

    def compose(self) -> ComposeResult:
        yield Words(id="sentence")
        yield Words(id="effect")
        with TabbedContent(initial="diff"):
            for tab in TABS:
                with TabPane(tab.label, id=tab.id), VerticalScroll():
                    yield Words(id=f"{tab.id}-body", classes="body")

    @property
    def tab(self) -> str:
        return self.query_one(TabbedContent).active or "diff"

    def show(
        self,
        preview: Preview,
        grant: Grant | None,
        account_b: str | None,
        phase: str = "",
        marks: int = 0,
        lacks: str = "",
    ) -> None:
        """``phase`` is what happened to it: "writing…", "written and read back"; "" while it is only a preview.

        ``marks``: how many repositories g would be about instead of this one. ``lacks``: why there is no condition.
        """
        self._preview = preview
        repository = preview.subject.repository if preview.subject else None
        title = f"Policy preview · {safe(repository.name)}" if repository else "Policy preview"
        if title != self._title:
            self._title = title
            self.border_title = Content(title)
        self.sentence, self.effect = words.sentence(grant, account_b, lacks), self._effect(phase, marks)
        self.query_one("#sentence", Words).say(self.sentence)
        self.query_one("#effect", Words).say(self.effect)
        if preview.making:
            return  # the old text stays for the moment it takes: to clear it between two rows would flicker
        number = len(preview.plan.findings) if preview.plan else 0
        label = f"Findings {number}" if number else "Findings"
        tab = self.query_one(TabbedContent).get_tab("findings")
        if tab.label_text != label:
            tab.label = label
        self._draw_tab()

    def show_sides(self, both: BothSides) -> None:
        """What is known of both sides of the plan that is shown."""
        if both is not self._both:
            self._both = both
            if self.tab == "consumer":
                self._draw_tab()

    def _effect(self, phase: str, marks: int) -> Content:
        preview = self._preview
        lines = [words.marked(marks)] if marks else []
        if preview.error is not None:
            lines.append(Content.styled(f"{NO} no preview: {safe(preview.error.title)}", "$text-error"))
        elif preview.plan is None:
            lines.append(Content.styled(preview.waiting_for, MUTED))
        else:
            lines += [words.effect(preview.plan, phase, marks=marks), *words.notes(preview.plan)]
        return Content("\n").join(lines)

    def _draw_tab(self) -> None:
        tab, preview = self.tab, self._preview
        shown = (preview, self._both if tab == "consumer" else None)
        before = self._drawn.get(tab, (None, None))
        if preview.making or (before[0] is shown[0] and before[1] is shown[1]):
            return
        self._drawn[tab] = shown
        body = self.query_one(f"#{tab}-body", Words)
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
            return words.diff(plan, max(self.size.width - 4, 40))
        if tab == "json":
            return words.json_content(words.document_text(plan))
        if tab == "who":
            return words.who(plan, subject.repository, self._now())
        if tab == "findings":
            return words.findings(plan)
        sides = both_sides(self._both, max(self.size.width - 4, 20))
        return Content.assemble(sides, "\n\n", words.consumer(needed_of([plan])))

    @on(TabbedContent.TabActivated)
    def _turned(self, event: TabbedContent.TabActivated) -> None:
        event.stop()
        self._draw_tab()
        self.post_message(self.Turned())

    def on_resize(self) -> None:
        self._drawn.clear()
        self._draw_tab()

    def copy_text(self) -> tuple[str, str]:
        """What the tab shows as plain text, and what to call it; ("", "") when there is nothing."""
        plan, subject, tab = self._preview.plan, self._preview.subject, self.tab
        if self._preview.error is not None:
            return self._preview.error.text(), "the error"
        if plan is None or subject is None:
            return "", ""
        if tab == "diff":
            return words.diff_text(plan), "the diff"
        if tab == "json":
            return words.document_text(plan), "the policy document"
        if tab == "consumer":
            return words.consumer_text(needed_of([plan])), "B's identity policy"
        return self._content(tab, plan, subject).plain, "the list of who may what" if tab == "who" else "the findings"

    def turn_to(self, tab: str) -> None:
        self.query_one(TabbedContent).active = tab

    def focus_body(self) -> None:
        self.query_one(f"#{self.tab} VerticalScroll", VerticalScroll).focus()
