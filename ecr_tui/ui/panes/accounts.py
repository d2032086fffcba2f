"""The two accounts: callers, credentials and their expiry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from ecr_tui.aws.model import Identity, Profile
from ecr_tui.aws.role import Role
from ecr_tui.errors import CredentialsError, EcrTuiError, InputError
from ecr_tui.ui import jobs
from ecr_tui.ui.screens.text import ErrorScreen, TextScreen, copied_error
from ecr_tui.ui.text import MUTED, NO, OK, PENDING, left, safe, safe_block, utc

if TYPE_CHECKING:
    from ecr_tui.workspace import Workspace

TITLES = {Role.OWNER: ("A", "owner"), Role.CONSUMER: ("B", "consumer")}

WARN_MINUTES = 5
LONGEST_NAME = 16
"""Maximum characters of a consumer's name in its card's title."""

KINDS = {
    "sso": "SSO",
    "assume-role": "assumed role",
    "process": "credential process",
    "keys": "access keys",
    "web-identity": "web identity",
    "login": "console sign-in",
}


def profile_words(profile: Profile) -> str:
    """A profile on one line: "SSO · 111111111111 · eu-central-1 · through corp"."""
    return " · ".join(
        part
        for part in (
            KINDS.get(profile.kind, "no credentials"),
            profile.account,
            profile.region or "no region",
            f"through {profile.source}" if profile.source else "",
        )
        if part
    )


class AccountRead(NamedTuple):
    """One of the two accounts: an identity or an error; neither for a consumer without a profile."""

    role: Role
    identity: Identity | None
    profile: Profile | None
    error: EcrTuiError | None = None


class AccountCard(Static, can_focus=True):
    """Card of one account. Enter or a click shows its details or error; a click on the title switches it."""

    DEFAULT_CSS = """
    AccountCard { width: 1fr; height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("enter", "open", "Details")]

    class Opened(Message):
        """``copy`` is the account as text, or ``error``."""

        def __init__(self, card: AccountCard) -> None:
            super().__init__()
            self.card = card

    class ChangeWanted(Message):
        """A click on the title: switch the account."""

    def __init__(
        self,
        role: Role,
        profile: str | None,
        *,
        now: Callable[[], datetime],
        expires: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        """``expires``: when the current credentials expire, if known without a call; they may have been renewed since
        the account was read."""
        super().__init__(id=f"account-{TITLES[role][0].lower()}")
        self.role = role
        self._profile = profile
        self._now = now
        self._expires = expires
        self._timer: Timer | None = None
        self._read: AccountRead | None = None
        self._one_line = False
        self._production = False
        self._letter, self._part = TITLES[role]
        self._place = self._known = ""
        self._title()

    def _title(self) -> None:
        parts = [self._letter, self._part, self._place]
        word = (" · PRODUCTION", "bold $text-error") if self._production else ""
        self.border_title = Content.assemble(" · ".join(filter(None, parts)), word)

    def introduce(self, profile: str | None, *, part: str, place: str, known: str) -> None:
        """The account's name: ``place`` "2 of 3" among several, ``known`` a description of one without a profile."""
        part = part if len(part) <= LONGEST_NAME else f"{part[: LONGEST_NAME - 1]}…"
        self._profile, self._part, self._place, self._known = profile, safe(part), place, known
        self._title()

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
        self._title()
        self._draw()

    def _draw(self) -> None:
        self.set_class(self.error is not None, "-error")
        first, second = self._lines()
        self.border_subtitle = Content(self._state())
        if self._one_line:
            word = ("PRODUCTION  ", "bold $text-error") if self._production else ""
            name = " ".join(filter(None, (self._letter, self._part, self._place.replace(" of ", "/"))))
            self.update(Content.assemble((f"{name}  ", MUTED), word, first))
        else:
            self.update(Content("\n").join([first, second]))
        self._tick_again()

    @property
    def expires_at(self) -> datetime | None:
        identity = self._read.identity if self._read else None
        return None if identity is None else self._expires() or identity.expires_at

    def _tick_again(self) -> None:
        """Redraw when the remaining time changes: each minute, each second in the last one."""
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
            return Content.assemble((profile, "bold"), (f"  {PENDING} reading the caller", MUTED)), Content("")
        if read.identity is None and read.error is None:
            return (
                Content.assemble((safe(self._known), "bold")),
                Content.styled("Grants can name it. Verification needs a profile.", MUTED),
            )
        if read.identity is None:
            title = safe(read.error.title) if read.error else ""
            hint = "Enter: details  ·  A: switch  ·  r: retry"
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
        """The full text, for copying and details."""
        read = self._read
        if read is None or read.identity is None:
            return read.error.text() if read and read.error else self._known
        identity = read.identity
        expiry = utc(self.expires_at) if self.expires_at else "end unknown"
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

    def copy_text(self) -> tuple[str, str]:
        """(text of the account or its error, name of the text)."""
        return copied_error(self.error) if self.error else self.as_text(), "the account"

    def action_open(self) -> None:
        self.post_message(self.Opened(self))

    def on_click(self, event: events.Click) -> None:
        title = event.x < len(self._part) + 3 if self._one_line else event.y == 0
        self.post_message(self.ChangeWanted()) if title else self.action_open()


class AccountsPane(Horizontal):
    """Reads the two accounts. :attr:`reads` has the last results by role."""

    @dataclass(eq=False)
    class Read(Message):
        """One account was read; it may affect the other one's display."""

        role: Role

    def __init__(self, workspace: Workspace, *, now: Callable[[], datetime]) -> None:
        super().__init__(id="accounts")
        self._workspace = workspace
        self.reads: dict[Role, AccountRead] = {}
        settings = workspace.settings
        self.cards = {
            role: AccountCard(role, profile, now=now, expires=partial(workspace.accounts.expires_at, role))
            for role, profile in ((Role.OWNER, settings.profile_a), (Role.CONSUMER, settings.profile_b))
        }

        self._name_consumer()

    def compose(self) -> ComposeResult:
        yield from self.cards.values()

    def _name_consumer(self) -> None:
        settings = self._workspace.settings
        consumers, current = settings.consumers, settings.consumer
        part, place = TITLES[Role.CONSUMER][1], ""
        if current is not None and (len(consumers) > 1 or current.name != current.profile):
            part = current.name
        if current is not None and len(consumers) > 1:
            place = f"{consumers.index(current) + 1} of {len(consumers)}"
        known = current.words if current is not None else ""
        self.cards[Role.CONSUMER].introduce(settings.profile_b, part=part, place=place, known=known)

    def read_consumer(self) -> None:
        """Account B was switched."""
        self.reads.pop(Role.CONSUMER, None)
        self._name_consumer()
        self.cards[Role.CONSUMER].show(None)
        self.run_worker(self._read(Role.CONSUMER), group="account-consumer", exclusive=True)

    def refresh_accounts(self, listing_error: EcrTuiError | None = None) -> None:
        """Read both; only the newest results are used. ``listing_error``: why A's repositories could not be listed."""
        for role in Role:
            read = self.reads.get(role)
            errors = (read.error if read else None, listing_error if role is Role.OWNER else None)
            if any(isinstance(error, CredentialsError) for error in errors):
                # Credentials may have been fixed outside: in a file, a sign-in cache, another program.
                self._workspace.accounts.renew(role)
        for role in Role:
            self.run_worker(self._read(role), group=f"account-{role.name.lower()}", exclusive=True)

    async def _read(self, role: Role) -> None:
        try:
            read = await jobs.on_thread(partial(_read_account, self._workspace, role))
        except EcrTuiError as error:
            read = AccountRead(role, None, None, error)
        self.reads[role] = read
        self._refuse_other_partition()
        for one, found in self.reads.items():
            self.cards[one].show(found)
        self.post_message(self.Read(role).set_sender(self))

    def _refuse_other_partition(self) -> None:
        a, b = (self.reads[role].identity if role in self.reads else None for role in Role)
        if a is None or b is None or a.partition == b.partition:
            return
        self.reads[Role.CONSUMER] = AccountRead(
            Role.CONSUMER,
            None,
            None,
            InputError(
                f"B is in partition {b.partition}, A in {a.partition}",
                detail=f"A is {a.arn}\nB is {b.arn}",
                hint="Access never crosses partitions. Press A to choose two profiles in the same partition.",
                side=str(Role.CONSUMER),
            ),
        )

    def mark_production(self) -> None:
        """Update for the current profiles."""
        settings = self._workspace.settings
        self.cards[Role.OWNER].mark(production=settings.is_production("a"))
        self.cards[Role.CONSUMER].mark(production=settings.is_production("b"))

    def one_line(self, wanted: bool) -> None:
        for card in self.cards.values():
            card.one_line(wanted)

    @property
    def focused(self) -> AccountCard | None:
        return next((card for card in self.cards.values() if card.has_focus), None)

    def take_focus(self) -> None:
        self.cards[Role.OWNER].focus()

    @on(AccountCard.Opened)
    def _opened(self, message: AccountCard.Opened) -> None:
        message.stop()
        card = message.card
        if card.error is not None:
            self.app.push_screen(ErrorScreen(card.error))
        elif text := card.as_text():
            title = " · ".join(("Account " + TITLES[card.role][0], TITLES[card.role][1]))
            self.app.push_screen(TextScreen(title, Content(safe_block(text)), copy=text, what="the account"))


def _read_account(workspace: Workspace, role: Role) -> AccountRead:
    consumer = workspace.settings.consumer
    if role is Role.CONSUMER and consumer is not None and consumer.profile is None:
        return AccountRead(role, None, None)
    identity = (workspace.accounts.owner if role is Role.OWNER else workspace.accounts.consumer)()
    return AccountRead(role, identity, _profile(workspace, role, identity.profile))


def _profile(workspace: Workspace, role: Role, name: str | None) -> Profile | None:
    """The kind of credentials is optional: an unreadable config file must not hide an identity."""
    if workspace.accounts.assumed(role) is not None:
        return Profile(name or "default", "assume-role")
    try:
        return next((p for p in workspace.accounts.profiles() if p.name == (name or "default")), None)
    except EcrTuiError:
        return None
