"""Other accounts in place of the present ones: when that is possible, and what goes with the former ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecr_tui.aws.role import Role
from ecr_tui.ui.account_pair import AccountPair, Side, present
from ecr_tui.ui.messages import AccountsChosen, RefreshWanted
from ecr_tui.ui.screens.accounts import AccountsScreen

if TYPE_CHECKING:
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def choose(desk: Desk, selection: Selection) -> None:
    """A switch makes a new main screen: what was marked, planned, chosen or verified in the former account has no way
    over, and its late answers find nobody."""
    if _wait_first(desk):
        return
    dialog = AccountsScreen(desk.workspace)
    chosen = await desk.ask(dialog)
    if chosen is not None and _switch(desk, chosen):
        return
    if dialog.signed_in:
        renew(desk)


def _wait_first(desk: Desk) -> bool:
    """Whether something runs that must end under the accounts that it began with."""
    what = ""
    if desk.busy:
        what = "A policy is being read or written"
    elif desk.running:
        what = "A run over many repositories is under way"
    elif desk.workspace.busy() or desk.verifying:
        what = "A verification is running"
    if what:
        desk.say(f"{what}: accounts can be changed when it has ended.", warning=True)
    return bool(what)


def _switch(desk: Desk, chosen: AccountPair) -> bool:
    """Whether anything changed, or was to change and could not."""
    workspace = desk.workspace
    now = present(workspace)
    if chosen == now:
        return False
    if _wait_first(desk):
        return True
    changes: dict[str, Any] = {}
    for letter in "ab":
        side: Side = getattr(chosen, letter)
        if side != getattr(now, letter):
            changes |= {f"profile_{letter}": side.profile, f"assume_{letter}": side.role}
    if chosen.regions != now.regions:
        changes["regions"] = chosen.regions
    workspace.use(**changes)
    desk.app.post_message(AccountsChosen())
    return True


def renew(desk: Desk) -> None:
    """After a sign-in: nothing that was read with the former credentials counts."""
    for role in Role:
        desk.workspace.accounts.renew(role)
    desk.host.post_message(RefreshWanted())
