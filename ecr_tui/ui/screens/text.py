"""Text to read and copy: errors and details."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ecr_tui.errors import CredentialsError, EcrTuiError
from ecr_tui.ui.messages import CopyWanted, SignInWanted
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.text import MUTED, NO, safe, safe_block
from ecr_tui.ui.widgets.keyhints import KeyHints

SCROLL = {"up": -1, "k": -1, "down": 1, "j": 1}


class TextScreen(Dialog[None]):
    """Scrolling keys scroll, ``y`` copies, every other key closes and is swallowed: it must not act underneath."""

    def __init__(
        self, title: str, body: Content, *, copy: str, what: str, failure: bool = False, sign_in: str = ""
    ) -> None:
        """``sign_in``: a command that ``l`` asks the app to run."""
        super().__init__(classes="-failure" if failure else "")
        self._sign_in = sign_in
        self._title = title
        self._body = body
        self._copy = copy
        self._what = what

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(self._title, classes="title", markup=False)
            with VerticalScroll(id="scroll"):
                yield Static(self._body, classes="body", markup=False)
            here = (("l", "sign in here"),) if self._sign_in else ()
            yield KeyHints(*here, ("y", "copy"), ("↑ ↓", "scroll"), ("esc", "or any other key closes"))

    def on_mount(self) -> None:
        self.query_one("#scroll").focus()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        scroll = self.query_one("#scroll", VerticalScroll)
        if event.key == "y":
            self.post_message(CopyWanted(self._copy, self._what))
        elif event.key == "l" and self._sign_in:
            self.app.post_message(SignInWanted(self._sign_in))
            self.dismiss(None)
        elif event.key in SCROLL:
            scroll.scroll_relative(y=SCROLL[event.key], animate=False)
        elif event.key == "pageup":
            scroll.scroll_page_up(animate=False)
        elif event.key == "pagedown":
            scroll.scroll_page_down(animate=False)
        elif event.key == "home":
            scroll.scroll_home(animate=False)
        elif event.key == "end":
            scroll.scroll_end(animate=False)
        else:
            self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.dismiss(None)


class ErrorScreen(TextScreen):
    """An :class:`EcrTuiError` in full: title, side, what the other side said, what to do."""

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


def copied_error(error: EcrTuiError) -> str:
    """What is worth copying of an error: the command that mends it, else all of it."""
    command = error.login_command if isinstance(error, CredentialsError) else ""
    return command or error.text()


def error_content(error: EcrTuiError, title: str = "") -> Content:
    parts: list[Content] = []

    def section(label: str, text: str, style: str = "") -> None:
        if text:
            parts.append(Content.assemble((label + "\n", MUTED), (safe_block(text) + "\n", style)))

    if title:
        section("What happened", error.title, "bold")
    section("Whose side", error.side)
    if error.detail != error.title:
        section("In its own words", error.detail)
    section("What to do", error.hint)
    if isinstance(error, CredentialsError):
        section(
            "l runs this here; or run it in another terminal, then press r", error.login_command, "$text-accent bold"
        )
    return Content("\n").join(parts)
