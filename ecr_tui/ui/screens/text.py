"""Screen for text: errors and details."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from ecr_tui.errors import CredentialsError, EcrTuiError
from ecr_tui.ui.messages import CopyWanted, SignInWanted
from ecr_tui.ui.screens.dialog import SCROLLING, Dialog
from ecr_tui.ui.text import MUTED, NO, safe, safe_block
from ecr_tui.ui.text.bulk import plan_details
from ecr_tui.ui.widgets.inputs import SafeInput
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.words import Hanging

if TYPE_CHECKING:
    from ecr_tui.changes.plans import Plan


class TextScreen(Dialog[None]):
    """Scrolls and searches like less; ``y`` copies; only Esc and Enter close."""

    DEFAULT_CSS = """
    TextScreen { & #search { display: none; height: 1; &.-open { display: block; } } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *SCROLLING,
        Binding("escape,enter", "leave", "Close"),
        Binding("y", "copy", "Copy"),
        Binding("l", "sign_in", "Sign in", show=False),
        Binding("slash", "search", "Search"),
        Binding("n", "next(1)", "Next match", show=False),
        Binding("N", "next(-1)", "Previous match", show=False),
    ]

    def __init__(
        self, title: str, body: Content, *, copy: str, what: str, failure: bool = False, sign_in: str = ""
    ) -> None:
        """``sign_in``: a command that ``l`` runs."""
        super().__init__(classes="-failure" if failure else "")
        self._sign_in = sign_in
        self._title = title
        self._body = body
        self._copy = copy
        self._what = what
        self._found: list[int] = []
        self._at = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._title, classes="title", markup=False)
            with VerticalScroll(id="scroll"):
                yield Hanging(self._body, classes="body")
            yield SafeInput(placeholder="search", id="search", compact=True)
            yield KeyHints(*self._keys())

    def _keys(self, matches: str = "") -> list[tuple[str, str]]:
        if matches:
            return [("n N", matches), ("/", "search"), ("esc", "close")]
        here = [("l", "sign in here")] if self._sign_in else []
        return [*here, ("y", "copy"), ("|", "pager"), ("k j", "scroll"), ("/", "search"), ("esc", "close")]

    def on_mount(self) -> None:
        self.query_one("#scroll").focus()

    # -- searching -----------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        box = self.query_one("#search", SafeInput)
        box.value = ""
        box.add_class("-open")
        box.focus()

    @on(Input.Submitted, "#search")
    def _searched(self, event: Input.Submitted) -> None:
        self._find(event.value)
        self._close_search()

    def _close_search(self) -> None:
        self.query_one("#search").remove_class("-open")
        self.query_one("#scroll").focus()

    def _find(self, words: str) -> None:
        """Mark all matches, case-insensitive, and show the first one below the top line."""
        body = self.query_one(".body", Hanging)
        pattern = re.compile(re.escape(words), re.IGNORECASE) if words else None
        lines = self._body.split("\n", allow_blank=True)
        self._found = [at for at, line in enumerate(lines) if pattern and pattern.search(line.plain)]
        marked = self._body.highlight_regex(pattern, style="reverse") if pattern else self._body
        body.say(marked)
        if words and not self._found:
            self.query_one(KeyHints).tell(("", f"No match for “{safe(words)}”"), *self._keys())
        elif not words:
            self.query_one(KeyHints).tell(*self._keys())
        else:
            width = max(body.content_size.width, 1)
            heights = [body.height_of(line, width) for line in lines]
            self._found = [sum(heights[:at]) for at in self._found]
            top = self.query_one("#scroll").scroll_offset.y
            self._at = next((place for place, y in enumerate(self._found) if y >= top), 0)
            self._show_match()

    def _show_match(self) -> None:
        self.query_one("#scroll").scroll_to(y=max(self._found[self._at] - 1, 0), animate=False)
        self.query_one(KeyHints).tell(*self._keys(f"match {self._at + 1} of {len(self._found)}"))

    def action_next(self, by: int) -> None:
        if self._found:
            self._at = (self._at + by) % len(self._found)
            self._show_match()

    # -- keys ----------------------------------------------------------------------------------------------------

    def action_copy(self) -> None:
        self.post_message(CopyWanted(self._copy, self._what))

    def document(self) -> str:
        return f"{self._title}\n\n{self._body.plain}\n"

    def action_sign_in(self) -> None:
        if self._sign_in:
            self.app.post_message(SignInWanted(self._sign_in))
            self.dismiss(None)

    def action_leave(self) -> None:
        """Esc: leave the search field first."""
        if self.query_one("#search").has_focus:
            self._close_search()
        else:
            self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.dismiss(None)


class ErrorScreen(TextScreen):
    """Screen of an :class:`EcrTuiError`: title, side, detail, fix."""

    def __init__(self, error: EcrTuiError, *, title: str = "") -> None:
        command = isinstance(error, CredentialsError) and error.login_command
        super().__init__(
            f"{NO} {safe(title or error.title)}",
            error_content(error, title),
            copy=copied_error(error),
            what="the command" if command else "the error",
            failure=True,
            sign_in=command or "",
        )


def plan_screen(title: str, plan: Plan | EcrTuiError, problem: str) -> TextScreen:
    """What a plan changes, or under the title ``problem`` why there is none."""
    if isinstance(plan, EcrTuiError):
        return ErrorScreen(plan, title=problem)
    body, copy = plan_details(plan)
    return TextScreen(title, body, copy=copy, what="the diff")


def copied_error(error: EcrTuiError) -> str:
    """The text to copy of an error: its fix command, else all of it."""
    command = error.login_command if isinstance(error, CredentialsError) else ""
    return command or error.text()


def error_content(error: EcrTuiError, title: str = "") -> Content:
    parts: list[Content] = []

    def section(label: str, text: str, style: str = "") -> None:
        if text:
            parts.append(Content.assemble((label + "\n", MUTED), (safe_block(text) + "\n", style)))

    if title:
        section("Problem", error.title, "bold")
    section("Account" if error.side.startswith("account") else "Where", error.side)
    if error.detail != error.title:
        section("AWS response" if error.side.startswith("account") else "Details", error.detail)
    section("Fix", error.hint)
    if isinstance(error, CredentialsError):
        section(
            "Press l to run it here, or run it in another terminal and press r",
            error.login_command,
            "$text-accent bold",
        )
    return Content("\n").join(parts)
