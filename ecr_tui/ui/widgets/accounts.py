"""The two accounts: who acts, with which credentials, for how long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from ecr_tui.aws.role import Role
from ecr_tui.errors import CredentialsError, EcrTuiError
from ecr_tui.ui.text import MUTED, NO, OK, PENDING, left, safe

if TYPE_CHECKING:
    from ecr_tui.ui.messages import AccountRead

TITLES = {Role.OWNER: ("A", "owner"), Role.CONSUMER: ("B", "consumer")}

WARN_MINUTES = 5

KINDS = {
    "sso": "SSO",
    "assume-role": "assumed role",
    "process": "credential process",
    "keys": "access keys",
    "web-identity": "web identity",
    "login": "console sign-in",
}


class AccountCard(Static, can_focus=True):
    """One account. Enter or a click shows everything about it, or why there is nothing; on the title it changes it."""

    DEFAULT_CSS = """
    AccountCard { width: 1fr; height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("enter", "open", "Details")]

    class Opened(Message):
        """``copy`` is the account as text, ``error`` why there is none."""

        def __init__(self, card: AccountCard) -> None:
            super().__init__()
            self.card = card

    class ChangeWanted(Message):
        """A click on the title: another account is wanted."""

    def __init__(
        self,
        role: Role,
        profile: str | None,
        *,
        now: Callable[[], datetime],
        expires: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        """``expires``: when the credentials at hand end, as far as that is known without asking anybody; they may have
        been renewed since the account was read."""
        super().__init__(id=f"account-{TITLES[role][0].lower()}")
        self.role = role
        self._profile = profile
        self._now = now
        self._expires = expires
        self._timer: Timer | None = None
        self._read: AccountRead | None = None
        self._one_line = False
        self._production = False
        letter, part = TITLES[role]
        self.border_title = Content(f"{letter} · {part}")

    @property
    def error(self) -> EcrTuiError | None:
        return self._read.error if self._read else None

    def on_mount(self) -> None:
        self._draw()

    def show(self, read: AccountRead | None) -> None:
        """None: being read."""
        self._read = read
        self._draw()

    def one_line(self, wanted: bool) -> None:
        """For a narrow screen."""
        if wanted != self._one_line:
            self._one_line = wanted
            self._draw()

    def mark(self, *, production: bool) -> None:
        if production == self._production:
            return
        self._production = production
        self.set_class(production, "-production")
        letter, part = TITLES[self.role]
        word = (" · PRODUCTION", "bold $text-error") if production else ""
        self.border_title = Content.assemble(f"{letter} · {part}", word)
        self._draw()

    def _draw(self) -> None:
        self.set_class(self.error is not None, "-error")
        first, second = self._lines()
        self.border_subtitle = Content(self._state())
        if self._one_line:
            letter, part = TITLES[self.role]
            word = ("PRODUCTION  ", "bold $text-error") if self._production else ""
            self.update(Content.assemble((f"{letter} {part}  ", MUTED), word, first))
        else:
            self.update(Content("\n").join([first, second]))
        self._tick_again()

    @property
    def expires_at(self) -> datetime | None:
        identity = self._read.identity if self._read else None
        return None if identity is None else self._expires() or identity.expires_at

    def _tick_again(self) -> None:
        """Draw anew when the time left reads differently: each minute, each second in the last one."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        ends = self.expires_at
        rest = 0.0 if ends is None else (ends - self._now()).total_seconds()
        if rest > 0 and self.is_attached:
            self._timer = self.set_timer(1.0 if rest <= 61 else min(60.0, rest - 60), self._draw)

    def _lines(self) -> tuple[Content, Content]:
        read = self._read
        profile = safe(self._profile or "default profile")
        if read is None:
            return Content.assemble((profile, "bold"), (f"  {PENDING} asking AWS who this is", MUTED)), Content("")
        if read.identity is None:
            title = safe(read.error.title) if read.error else ""
            hint = "enter: why  ·  A: choose another  ·  r: retry"
            if isinstance(read.error, CredentialsError) and read.error.login_command:
                hint = f"run: {safe(read.error.login_command)}  (enter, then l)"
            return (
                Content.assemble((f"{NO} ", "$text-error"), (profile, "bold"), ("  " + title, "$text-error")),
                Content.styled(hint, MUTED),
            )
        identity = read.identity
        ends = self.expires_at
        remaining = left(ends, self._now())
        style = "$text-success"
        soon = False
        if ends is not None:
            minutes = (ends - self._now()).total_seconds() / 60
            soon = minutes < WARN_MINUTES
            style = "$text-error" if minutes <= 0 else "$text-warning" if soon else style
        first = Content.assemble(
            (f"{NO if remaining == 'expired' else '!' if soon else OK} ", style),
            (safe(identity.profile or "default profile"), "bold"),
            "  ",
            (safe(identity.account), "$text-accent"),
            f"  {safe(identity.region or 'no region')}",
        )
        if remaining and (self._one_line or soon):
            first = Content.assemble(first, (f"  {remaining}", style))
        return first, Content.styled(safe(identity.arn), MUTED)

    def _state(self) -> str:
        """Kind of credentials and their end, for the border."""
        read = self._read
        if read is None or read.identity is None:
            return ""
        kind = KINDS.get(read.profile.kind, "") if read.profile else ""
        return " · ".join(part for part in (kind, left(self.expires_at, self._now())) if part)

    def as_text(self) -> str:
        """Everything, for copying and for the details."""
        read = self._read
        if read is None or read.identity is None:
            return read.error.text() if read and read.error else ""
        identity = read.identity
        expiry = self.expires_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if self.expires_at else "no end known"
        return "\n".join(
            [
                f"profile      {identity.profile or 'default'}",
                f"account      {identity.account}",
                f"caller       {identity.arn}",
                f"user id      {identity.user_id}",
                f"region       {identity.region or 'none'}",
                f"credentials  {KINDS.get(read.profile.kind, read.profile.kind) if read.profile else 'unknown kind'}",
                f"valid until  {expiry}",
            ]
        )

    def action_open(self) -> None:
        self.post_message(self.Opened(self))

    def on_click(self, event: events.Click) -> None:
        title = event.x < len(TITLES[self.role][1]) + 3 if self._one_line else event.y == 0
        self.post_message(self.ChangeWanted()) if title else self.action_open()
