"""Every screen of the app, one after the other, each with something on it."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

from textual.widgets import Button, Input

import ecr_tui.ui.screens
from ecr_tui.aws import calls
from ecr_tui.changes.apply import apply
from ecr_tui.config import Settings
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.screens.text import ErrorScreen
from tests.support.planning import plan_grant
from tests.ui import fake_workspace as fake
from tests.ui.conftest import Session
from tests.ui.fake_workspace import DEVUSR2, REGION, FakeWorkspace

NAME = "my-first-repo"
FILE = """
[[grants]]
repositories = ["web-frontend", "billing-api"]
to = ["user/devusr2"]
access = "pull"
"""


BASES = {"Dialog", "Question", "RowsScreen"}


def dialogs() -> set[str]:
    """The classes of all dialogs of the app."""
    package = ecr_tui.ui.screens
    modules = [import_module(f"{package.__name__}.{one.name}") for one in pkgutil.iter_modules(package.__path__)]
    kinds = [kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)]
    return {kind.__name__ for kind in kinds if issubclass(kind, Dialog)} - BASES


def settings(**more: Any) -> Settings:
    return Settings(profile_a="account-a", profile_b="dev-acc", regions=(REGION,), scope_tag="", **more)


def workspace(folder: Path, **more: Any) -> FakeWorkspace:
    """With a past write and a denied verification to come."""
    found = FakeWorkspace(folder, settings=settings(**more))
    where = found.by_name(NAME)
    apply(found, found.changes.journal, plan_grant(found, where, Grant((DEVUSR2,), Access.PULL)))
    found.script = fake.denied
    return found


async def _open(ui: Session, key: str, screen: str, *seen: str) -> None:
    await ui.press(key)
    await ui.wait(lambda: ui.dialog == screen, screen)
    await ui.see(*seen)


async def _close(ui: Session, to: str = "") -> None:
    await ui.press("escape")
    await ui.wait(lambda: ui.dialog == to, f"closing to {to or 'main'}")


async def _main(ui: Session) -> AsyncIterator[str]:
    await ui.select(NAME)
    await ui.press("space", "down", "space")
    await ui.see("2 marked")
    yield "main"
    await ui.press("slash")
    await ui.type("tea")
    yield "main: filter"
    await ui.press("escape", "escape")
    await ui.press("2")
    for tab in ("diff", "json", "who", "findings", "consumer"):
        ui.main.preview.turn_to(tab)
        await ui.wait(lambda tab=tab: ui.main.preview.tab == tab)
        yield f"main: {tab}"
    await ui.press("1", "v", "3")
    await ui.see("DENIED")
    yield "main: verification"
    ui.main.banner.report(EcrTuiError("A was not asked", hint="Ask again."))
    await ui.see("A was not asked")
    yield "main: error"
    ui.main.banner.close()
    await ui.press("4")
    yield "main: accounts"


async def _dialogs(ui: Session) -> AsyncIterator[str]:
    calls.LOG.add("ecr", "GetRepositoryPolicy", seconds=0.2, side="account A", region=REGION, subject=NAME,
                  status="AccessDeniedException", request_id="r", command="aws ecr")  # fmt: skip
    for key, screen, *seen in (
        ("question_mark", "HelpScreen"),
        ("b", "ChooseScreen"),
        ("a", "AuditScreen", "public-mirror"),
        ("A", "AccountsScreen"),
        ("U", "JournalScreen", "superseded"),
        ("M", "MatrixScreen", "7 × 3"),
        ("e", "TagsScreen"),
        ("C", "ColumnsScreen"),
        ("exclamation_mark", "CallsScreen", "GetRepositoryPol"),
        ("d", "TextScreen"),
        ("x", "ConfirmScreen", "Revoke on"),
        ("ctrl+p", "CommandPalette", "Inspect: Filter"),
    ):
        await _open(ui, key, screen, *seen)
        yield screen
        await _close(ui)
    ui.app.push_screen(ErrorScreen(EcrTuiError("It failed", detail="said so", hint="Try again.")))
    await ui.see("It failed")
    yield "ErrorScreen"
    await _close(ui)
    ui.workspace.gate.hold("workloads")
    await _open(ui, "W", "ReadingScreen")
    yield "ReadingScreen"
    ui.workspace.gate.release("workloads")
    await ui.wait(lambda: ui.dialog == "TextScreen")
    await _close(ui)


async def _many(ui: Session, folder: Path) -> AsyncIterator[str]:
    """Two are marked."""
    await _open(ui, "V", "ManyScreen", "0 of 2 passed")
    yield "ManyScreen"
    await _close(ui)
    (folder / "grants.toml").write_text(FILE)
    title = "Inspect: drift against a grants file…"
    await next(run for name, _, run in ui.main.palette_commands() if name == title)()
    await ui.wait(lambda: ui.dialog == "AskScreen")
    yield "AskScreen"
    ui.app.screen.query_one("#answer", Input).value = str(folder / "grants.toml")
    await ui.press("enter")
    await ui.see("2 of 7 repositories differ")
    yield "DriftScreen"
    await _close(ui)
    await _open(ui, "g", "BulkPlanScreen", "2 to change")
    yield "BulkPlanScreen"
    await ui.wait(lambda: not ui.app.screen.query_one("#yes", Button).disabled)
    await ui.press("tab", "enter")
    await ui.see("2 of 2")
    yield "BulkRunScreen"
    await _close(ui)


async def tour(ui: Session, folder: Path) -> AsyncIterator[str]:
    """Yields the name of what is on the screen: "main", "main: json", the class of a dialog. Writes to ``folder``."""
    for part in (_main(ui), _many(ui, folder), _dialogs(ui)):
        async for name in part:
            await ui.pilot.pause()
            yield name
