"""The session log: calls to AWS and registries, newest first, each with an equivalent command."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ecr_tui.aws.calls import CAPACITY, LOG, Call, CallLog
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.plain import pace
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.text import MUTED, NO, OK, count, safe, safe_block, seconds
from ecr_tui.ui.widgets.columns import Column, Piece
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.virtual_table import VirtualTable

EVERY = 0.5
"""Refresh interval in seconds: there may be thousands of calls per second."""

_SIDES = ("", "account A", "account B")


_SHORT = {"resourcegroupstaggingapi": "tag"}
"""IAM's service names."""


def _status(call: Call) -> list[Piece]:
    return (
        [(f"{OK} {call.status}", "ok")] if call.ok else [(f"{NO} {safe(call.status).replace('Exception', '')}", "warn")]
    )


def _retries(call: Call) -> list[Piece]:
    return [(str(call.retries), "warn")] if call.retries else []


COLUMNS: tuple[Column[Call], ...] = (
    Column("time", "Time", lambda c: [(f"{c.at.astimezone():%H:%M:%S}", "dim")], lambda c: c.number, 8, keep=8),
    Column("side", " ", lambda c: [(c.side.removeprefix("account "), "strong")], lambda c: c.side, 1, keep=9),
    Column(
        "call",
        "Call",
        lambda c: [(f"{_SHORT.get(c.service, c.service)}:", "dim"), (safe(c.operation), "")],
        lambda c: (c.service, c.operation),
        24,
        flex=1,
        keep=10,
    ),
    Column("subject", "Resource", lambda c: [(safe(c.subject), "")], lambda c: c.subject, 12, flex=2, keep=5),
    Column("status", "Status", _status, lambda c: (c.ok, c.status), 8, flex=3, keep=9),
    Column("seconds", "Duration", lambda c: [(seconds(c.seconds), "")], lambda c: c.seconds, 8, keep=4, right=True),
    Column("retries", "Retries", _retries, lambda c: c.retries, 7, keep=2, right=True),
    Column("region", "Region", lambda c: [(c.region, "dim")], lambda c: c.region, 12, keep=1),
)


class CallsScreen(Dialog[None]):
    """Updates while open."""

    DEFAULT_CSS = """
    CallsScreen {
        & > #dialog { width: 98%; max-width: 160; height: 94%; max-height: 94%; padding: 0 1; }
        & .title { margin-bottom: 0; }
        & .keys { margin-top: 0; }
        & #command { height: 2; color: $text-accent; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,exclamation_mark", "leave", "Close"),
        Binding("y", "copy", "Copy the command"),
        Binding("Y", "copy_all", "Copy the whole log"),
        Binding("f", "failed", "Failed only"),
        Binding("b", "side", "Side"),
    ]

    def __init__(self, log: CallLog = LOG) -> None:
        super().__init__()
        self._log = log
        self._revision = -1
        self._failed = False
        self._side = ""
        self.table: VirtualTable[Call] = VirtualTable(
            COLUMNS, key=lambda call: str(call.number), search=lambda call: call.operation, id="calls"
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(id="head", classes="title", markup=False)
            yield self.table
            yield Static(id="command", classes="body", markup=False)
            yield KeyHints(("y", "copy"), ("f", "failed"), ("b", "side"), ("enter", "details"), ("esc", "close"))

    def on_mount(self) -> None:
        self.table.sort_by("time", True)
        self.table.focus()
        self._read()
        self.set_interval(pace(self, EVERY), self._look)

    def _look(self) -> None:
        if self._log.revision != self._revision:
            self._read()

    def _read(self) -> None:
        self._revision = self._log.revision
        everything = self._log.calls()
        shown = [c for c in everything if (not self._failed or not c.ok) and self._side in ("", c.side)]
        self.table.set_message("No matching call." if everything else "No calls to AWS yet.")
        self.table.set_rows(shown)
        more = f" (the newest {CAPACITY:,})" if len(everything) == CAPACITY else ""
        wanted = [self._side, "failed only" if self._failed else ""]
        words = ", ".join(word for word in wanted if word)
        self.query_one("#head", Static).update(
            Content.assemble(
                f"Session log: {count(len(shown), 'call')}{more}", (f"  ·  {words}" if words else "", "$text-accent")
            )
        )
        self._say_command()

    @on(VirtualTable.Moved)
    def _say_command(self) -> None:
        call = self.table.current
        command = safe(call.command) if call else ""
        self.query_one("#command", Static).update(Content.styled(command, MUTED) if command else "")

    @on(VirtualTable.Opened)
    def _opened(self) -> None:
        call = self.table.current
        if call is not None:
            text = details(call)
            self.app.push_screen(
                TextScreen(
                    f"{call.service}:{safe(call.operation)}", Content(safe_block(text)), copy=text, what="the call"
                )
            )

    def action_copy(self) -> None:
        call = self.table.current
        if call is not None and call.command:
            self.post_message(CopyWanted(call.command, "the command"))
        elif call is not None:
            self.post_message(CopyWanted(call.line(), "the call (no equivalent command)"))

    def document(self) -> str:
        return "\n".join(f"{call.line()}\n    {call.command}" for call in self.table.rows)

    def action_copy_all(self) -> None:
        self.post_message(CopyWanted(self.document(), count(len(self.table.rows), "call")))

    def action_failed(self) -> None:
        self._failed = not self._failed
        self._read()

    def action_side(self) -> None:
        self._side = _SIDES[(_SIDES.index(self._side) + 1) % len(_SIDES)]
        self._read()


def details(call: Call) -> str:
    return "\n".join(
        [
            f"call        {call.service}:{call.operation}",
            f"side        {call.side or 'none'}",
            f"at          {call.at:%Y-%m-%d %H:%M:%S} UTC",
            f"region      {call.region or 'none'}",
            f"subject     {call.subject or 'none'}",
            f"status      {call.status}",
            f"took        {seconds(call.seconds)}",
            f"retries     {call.retries}",
            f"request id  {call.request_id or 'none'}",
            "",
            call.command or "no equivalent command",
        ]
    )
