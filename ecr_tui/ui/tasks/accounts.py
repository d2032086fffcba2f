"""Switch accounts: preconditions, and state to drop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecr_tui.aws.role import Role
from ecr_tui.ui.account_pair import AccountPair, Side, present
from ecr_tui.ui.messages import AccountsChosen
from ecr_tui.ui.screens.accounts import AccountsScreen

if TYPE_CHECKING:
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def choose(desk: Desk, selection: Selection) -> None:
    if _wait_first(desk):
        return
    dialog = AccountsScreen(desk.workspace)
    chosen = await desk.ask(dialog)
    if chosen is not None and _switch(desk, chosen):
        return
    if dialog.signed_in:
        renew(desk)


async def next_consumer(desk: Desk, selection: Selection) -> None:
    _step(desk, 1)


async def previous_consumer(desk: Desk, selection: Selection) -> None:
    _step(desk, -1)


def _step(desk: Desk, by: int) -> None:
    """Switch account B to the next or previous consumer."""
    settings = desk.workspace.settings
    consumers, current = settings.consumers, settings.consumer
    if len(consumers) - (current is not None) < 1:
        desk.say("No other consumer. Press A to choose a profile, or add [[consumers]] to the configuration.")
    elif not _wait_first(desk):
        at = consumers.index(current) + by if current is not None else min(by, 0)
        _consume(desk, consumer=consumers[at % len(consumers)].name)


def _wait_first(desk: Desk) -> bool:
    """Whether work is running that must end before a switch of accounts."""
    what = ""
    if desk.busy:
        what = "A policy is being read or written"
    elif desk.running:
        what = "A bulk run is in progress"
    elif desk.workspace.busy() or desk.verifying:
        what = "A verification is running"
    if what:
        desk.say(f"{what}. Wait until it ends to switch accounts.", warning=True)
    return bool(what)


def _switch(desk: Desk, chosen: AccountPair) -> bool:
    """Returns whether anything changed, or should have changed."""
    workspace = desk.workspace
    now = present(workspace)
    if chosen == now:
        return False
    if _wait_first(desk):
        return True
    changes: dict[str, Any] = {}
    if chosen.a != now.a:
        changes |= {"profile_a": chosen.a.profile, "assume_a": chosen.a.role}
    if chosen.regions != now.regions:
        changes["regions"] = chosen.regions
    other_owner = bool(changes)
    if chosen.b != now.b:
        changes |= _consumer(chosen.b, now.b)
    if not other_owner:
        _consume(desk, **changes)
        return True
    # A new main screen: marks, plans, choices and results of the previous account are dropped, with late answers.
    workspace.use(**changes)
    desk.app.post_message(AccountsChosen())
    return True


def _consumer(chosen: Side, now: Side) -> dict[str, Any]:
    if not chosen.consumer:
        return {"profile_b": chosen.profile, "assume_b": chosen.role}
    changes: dict[str, Any] = {"consumer": chosen.consumer}
    if chosen.role is not None or chosen.consumer == now.consumer:
        changes["assume_b"] = chosen.role
    return changes


def _consume(desk: Desk, **changes: Any) -> None:
    """Switch account B, keeping the listed, filtered and marked repositories.

    Drops access and results of the previous one, and the selected principal.
    """
    desk.countdown.cancel()
    desk.workspace.use(**changes)
    desk.batch = None
    desk.stage.consumer_changed()
    desk.select(choice=desk.selection.choice._replace(principals=()))
    desk.stage.preview.renew()


def renew(desk: Desk) -> None:
    """Read again after a sign-in, dropping data of the previous credentials."""
    for role in Role:
        desk.workspace.accounts.renew(role)
    desk.stage.refresh()
