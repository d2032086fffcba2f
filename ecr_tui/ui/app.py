"""The application: theme, style sheets, and app-wide services."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.command import Provider
from textual.content import Content
from textual.filter import LineFilter, Monochrome, NoColor
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import Input

from ecr_tui.errors import CredentialsError, EnvironmentFailure
from ecr_tui.secret import redact
from ecr_tui.ui import collector, jobs, plain, terminal
from ecr_tui.ui.clipboard import Clipboard, write_private
from ecr_tui.ui.commands import Commands
from ecr_tui.ui.countdown import GRANT_DELAY, Countdown
from ecr_tui.ui.keymap import Keymap
from ecr_tui.ui.messages import (
    AccountsChosen,
    CopyWanted,
    SignInWanted,
    WorkChanged,
)
from ecr_tui.ui.resources import style_sheets
from ecr_tui.ui.screens.ask import AskScreen
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.main import MainScreen
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.signing_in import sign_in
from ecr_tui.ui.tasks.accounts import renew
from ecr_tui.ui.text import safe, safe_block
from ecr_tui.ui.text.bulk import stopping_words
from ecr_tui.ui.theme import BRAND, Readable, check_theme, readable

if TYPE_CHECKING:
    from ecr_tui.aws.model import MfaPrompt
    from ecr_tui.workspace import Workspace

Reply = SimpleQueue[str | None]
"""The future that a thread waits on for an MFA code; None: no code."""

SHOWN = 20_000
"""Characters shown of a text that no clipboard accepted; the file has all of it."""

_GREY, _NO_COLOR = Monochrome(), NoColor()
_READABLE = Readable()

WRITE_PATIENCE = 15.0
"""Seconds that quitting waits for a policy write in progress; its calls take less."""


class EcrTuiApp(App[None]):
    """``EcrTuiApp(workspace).run()``. Makes no AWS calls before the first frame."""

    TITLE = "ecr-tui"
    CSS_PATH = style_sheets("app.tcss")  # type: ignore[assignment]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = App.COMMANDS | {Commands}
    ANIMATION_LEVEL = "none"
    DEFAULT_MODE = "accounts"

    def __init__(
        self,
        workspace: Workspace,
        *,
        clipboard: Clipboard | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        theme: str = "",
        mfa_hint: Callable[[], str] = str,
        grant_delay: float = GRANT_DELAY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``mfa_hint``: a sentence for the MFA prompt. ``grant_delay``: seconds between g and its write.

        Raises InputError for an unknown theme or key in the settings.
        """
        settings = workspace.settings
        self.keys_in_force = Keymap.of(settings)
        super().__init__(css_path=style_sheets("app.tcss", "plain.tcss") if settings.plain else None)  # type: ignore[arg-type]
        self.add_class(*plain.classes(settings))
        self._wordless = [plain.Wordless()] if settings.plain else []
        # Half-drawn animation frames flicker in tmux and cost bytes over SSH.
        self.animation_level = "none"
        self._workspace = workspace
        self._clipboard_way = clipboard
        self._mfa_hint = mfa_hint
        self._replies: set[Reply] = set()
        self._leaving = False
        self.register_theme(BRAND)
        self.theme = check_theme(theme or settings.theme, settings.origin("theme"))
        workspace.ask_mfa = self.ask_mfa
        self._now = now
        self._grant_delay = grant_delay
        self._clock = clock
        self._pairs = 1
        self.main = self._main()

    def get_line_filters(self) -> list[LineFilter]:
        """With NO_COLOR Textual decides before the theme is known: the terminal's own colors in gray would be black."""
        grey = _NO_COLOR if self.native_ansi_color else _GREY
        found = [grey if isinstance(one, Monochrome | NoColor) else one for one in super().get_line_filters()]
        return [*found, _READABLE, *self._wordless]

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        plain.still(event.widget)

    def get_css_variables(self) -> dict[str, str]:
        return readable(super().get_css_variables())

    @property
    def production_reason(self) -> str:
        return str(self._workspace.settings.production_reason)

    @property
    def production_profile(self) -> str:
        return str(self._workspace.settings.production_profile)

    def on_mount(self) -> None:
        self.add_mode(self.DEFAULT_MODE, self.get_default_screen)  # so that it can be removed
        self.set_keymap(dict(self.keys_in_force.changes or {}))
        file = self._workspace.settings.file
        for warning in (*self.keys_in_force.warnings, *(file.warnings if file else ())):
            self.notify(warning, title="Configuration", severity="warning", timeout=15)

    def get_key_display(self, binding: Binding) -> str:
        """As configured; empty for an action without a key.

        Enter by its word, as in dialogs.
        """
        if binding.id is not None and binding.id in (self.keys_in_force.changes or {}):
            return self.keys_in_force.shown(binding.id)
        return super().get_key_display(binding).replace("⏎", "enter")

    async def on_load(self) -> None:
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            # Only possible in the main thread of a Unix process.
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(getattr(signal, name), self.call_later, self._quit)

    async def on_event(self, event: events.Event) -> None:
        """Run the action of a key before the next key arrives, unless a text input has the focus.

        Textual looks for a binding only after the focused widget has seen the key. Otherwise letters typed or pasted
        after ``/`` would wait in the table's queue and run as commands.
        """
        if isinstance(event, events.Key) and not event.is_forwarded:
            screen = self.screen
            if isinstance(screen, Dialog) and screen.ignores(event):
                return
            typing = isinstance(screen.focused, Input)
            if not (screen.is_modal or screen.maximized is not None or typing):
                bound = screen.active_bindings.get(event.key)
                if bound is not None and not bound.enabled and isinstance(screen, MainScreen):
                    screen.refuse(bound.binding.action)
                    return
                if bound is not None and bound.enabled and await self.run_action(bound.binding.action, bound.node):
                    return
        await super().on_event(event)

    def on_ready(self) -> None:
        collector.settle()

    def get_default_screen(self) -> MainScreen:
        """For the accounts in use. As a mode's screen it would be laid out and drawn twice."""
        self.main.area.resized(self.size, update=False)
        return self.main

    @on(AccountsChosen)
    def _accounts_chosen(self) -> None:
        """A new main screen after a change of accounts, without old state.

        In a separate mode: Textual cannot replace a mode's lowest screen.
        """
        former = self.current_mode
        self.main = self._main()
        self._pairs += 1
        mode = f"{self.DEFAULT_MODE}-{self._pairs}"
        self.add_mode(mode, self.get_default_screen)
        self.switch_mode(mode)
        self.remove_mode(former)

    def _main(self) -> MainScreen:
        countdown = Countdown(delay=self._grant_delay, clock=self._clock)
        return MainScreen(self._workspace, now=self._now, countdown=countdown)

    # -- quitting and crashes -----------------------------------------------------------------------------------------

    async def action_quit(self) -> None:
        """Ask first while a bulk run is in progress."""
        run = self.main.desk.run
        if run is None or not run.running or self._leaving:
            self._quit()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._quit()

        question = ConfirmScreen("Quit and stop the run?", [stopping_words(run)], yes="Quit", no="Stay", writes=False)
        self.push_screen(question, answered)

    def _quit(self) -> None:
        """Quit now. A policy write in progress is completed first, for a correct journal; a second q skips that."""
        if not self.main.desk.writing or self._leaving:
            self._leave()
            return
        self._leaving = True
        self.main.stop()
        self.notify(
            "A policy is being written. Quitting when it is done; press q again to quit now.", severity="warning"
        )
        self.set_timer(WRITE_PATIENCE, self._leave)

    @on(WorkChanged)
    def _work_changed(self) -> None:
        if self._leaving and not self.main.desk.writing:
            self._leave()

    def _leave(self) -> None:
        self.main.stop()
        for reply in self._replies:
            reply.put(None)
        self.exit()

    def _fatal_error(self) -> None:
        """Print the traceback without local variables and secrets; both may include tokens.

        Textual has no public hook for this; a test fails if it renames the method.
        """
        from rich.traceback import Traceback

        kind, fault, frames = sys.exc_info()
        if kind is None or fault is None:
            self.panic(Traceback(show_locals=False, width=None))
            return
        trace = Traceback.extract(kind, fault, frames, show_locals=False)
        for stack in trace.stacks:
            stack.exc_value = safe_block(redact(stack.exc_value))
        self.panic(Traceback(trace, show_locals=False, width=None))

    # -- notifications and clipboard
    # -------------------------------------------------------------------------------------------

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Never markup: Textual's default removes some brackets of policies and crashes on others."""
        super().notify(safe_toast(message), title=safe(title), severity=severity, timeout=timeout, markup=False)

    def action_help_quit(self) -> None:
        """Hint for ctrl+c, which copies here, while many users expect it to quit."""
        self.notify("Press q to quit, or Ctrl+Q while typing.")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Textual's commands, without those in our catalogue (quit, keys) and those without a use here."""
        wanted = ("Theme",)
        for command in super().get_system_commands(screen):
            if command.title in wanted:
                yield command
        yield SystemCommand(
            "Theme: copy the setting for the config file",
            "Paste it into the configuration file (ecr-tui config path)",
            self._copy_theme,
        )
        # Once the palette is gone.
        picture = partial(self.set_timer, 0.1, self._save_screen)
        yield SystemCommand("Screenshot", "Save the screen as an SVG file", picture)

    def _save_screen(self) -> None:
        path = self._workspace.settings.state_folder / f"screen-{self._now():%Y%m%dT%H%M%SZ}.svg"
        try:
            write_private(path, self.export_screenshot())
        except OSError as error:
            self.notify(f"No screenshot: {path} cannot be written ({error.strerror}).", severity="warning")
        else:
            self.notify(f"Screenshot saved: {path}")

    def _copy_theme(self) -> None:
        line = f'theme = "{self.theme}"'
        self.post_message(CopyWanted(line, f"the line {line}"))

    @on(SignInWanted)
    def _sign_in(self, message: SignInWanted) -> None:
        message.stop()
        if sign_in(self, message.command):
            renew(self.main.desk)

    @property
    def _clipboard_in_use(self) -> Clipboard:
        if self._clipboard_way is None:
            self._clipboard_way = Clipboard(file=lambda: self._workspace.settings.state_folder / "copied.txt")
        return self._clipboard_way

    @on(CopyWanted)
    def _copy(self, message: CopyWanted) -> None:
        message.stop()

        async def copy() -> None:
            copied = await self._clipboard_in_use.copy(_Osc52(self), message.text)
            if copied.file is None and not copied.failed:
                said = safe(f"{copied.sentence(message.what)}{message.more}")
                if isinstance(self.screen, MainScreen | Dialog):
                    self.screen.tell(said)
                else:
                    self.notify(said)
                return
            # No clipboard accepted it: the user can mark it with the mouse and copy it with the terminal.
            body = Content(safe_block(message.text[:SHOWN]))
            path = str(copied.file or "")
            self.push_screen(TextScreen(safe(copied.sentence(message.what)), body, copy=path or "", what="the path"))

        # A worker, because the system's clipboard is a program that may be slow.
        self.run_worker(copy(), group="clipboard", exit_on_error=False)

    def action_page(self) -> None:
        """Open the screen's text in the user's pager."""
        text = self.screen.document() if isinstance(self.screen, MainScreen | Dialog) else ""
        try:
            if text:
                terminal.page(self, text)
            else:
                self.notify("Nothing to show here yet.")
        except EnvironmentFailure as error:
            self.notify(f"{error.title}. {error.hint}".strip(), severity="warning")

    def copy_to_clipboard(self, text: str) -> None:
        """Copy the text marked with the mouse or in an input, for ctrl+c."""
        super().copy_to_clipboard(text)
        self.post_message(CopyWanted(text, "the selection"))

    # -- MFA ---------------------------------------------------------------------------------------------------------

    def ask_mfa(self, prompt: MfaPrompt) -> str:
        """Called on a worker thread, which waits for the user. Raises CredentialsError without an answer."""
        reply: Reply = SimpleQueue()
        self._replies.add(reply)
        try:
            if self._leaving or not self.is_running:
                reply.put(None)
            jobs.call(self, self._ask_code, prompt, reply)
            code = reply.get()
        finally:
            self._replies.discard(reply)
        if code is None:
            raise CredentialsError(
                f"No MFA code entered for profile {prompt.profile}",
                hint="Press r to retry with a new code.",
            )
        return code

    def _ask_code(self, prompt: MfaPrompt, reply: Reply) -> None:
        def answered(code: str | None) -> None:
            reply.put(code.strip() if code and code.strip() else None)

        self.push_screen(
            AskScreen(
                f"MFA code for profile {safe(prompt.profile)}",
                f"Current code of {safe(prompt.device)}. {safe(self._mfa_hint())}".strip(),
                placeholder="123456",
            ),
            answered,
        )


class _Osc52:
    """Textual's OSC 52 clipboard."""

    def __init__(self, app: App[None]) -> None:
        self._app = app

    def copy_to_clipboard(self, text: str) -> None:
        App.copy_to_clipboard(self._app, text)


def safe_toast(text: str) -> str:
    return "\n".join(safe(line) for line in text.splitlines())
