"""Take the pictures of README and docs/ again, from the app on the demo's two accounts: ``make screenshots`` (all), or
``python -m tools.screenshots denied``.

The interface is driven by keys, and the services are the real sandbox. What differs from run to run and says nothing
(ports, dates, digests) is written over with something of the same length, so that two runs differ little.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from textual.widgets import Input

from ecr_tui.config import resolve
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import utc_now
from ecr_tui.workspace import Workspace
from tests.ui.conftest import Session, running

FOLDER = Path(__file__).resolve().parent.parent / "screenshots"
SIZE, SMALL = (120, 40), (60, 20)
REPOSITORY = "my-first-repo"

_OTHERS = ("AWS_", "ECR_TUI_", "NO_COLOR", "TEXTUAL")
_TODAY = date(2026, 1, 31)
"""All dates are moved as if the demo had been seeded then: what is in it is so many days old."""
_DATE = re.compile(r"\b(?!2012-10-17)20\d\d-\d\d-\d\d\b")  # without the version of policy documents
_BLANK = r"(?:&#160;| )"
_DIFFERS = (
    (re.compile(r"127\.0\.0\.1:\d{5}"), "127.0.0.1:50000"),
    (re.compile(rf"(20\d\d-\d\d-\d\d{_BLANK})\d\d:\d\d(:\d\d)?"), lambda m: f"{m[1]}12:00{':00' if m[2] else ''}"),
    (re.compile(rf"(expires{_BLANK})(20[\d-]{{0,7}})(?=…)"), lambda m: m[1] + "2026-02-02"[: len(m[2])]),
    (re.compile(r"20\d{6}T\d{6}-[0-9a-f]{8}"), "20260201T120000-1a2b3c4d"),
    (re.compile(r"AIDA[A-Z0-9]{17}"), "AIDAEXAMPLEEXAMPLE234"),
    (re.compile(r"(?<=sha256:)[0-9a-f]+|\b[0-9a-f]{20,}\b"), lambda m: ("1a2b3c4d" * 8)[: len(m[0])]),
)


async def select(ui: Session, name: str) -> None:
    arn = await asyncio.to_thread(lambda: ui.app._workspace.listing.repository(name).arn)
    ui.main.table.go_to_key(arn)
    await ui.wait(lambda: ui.selected == name)
    await ui.ready()


async def clear(ui: Session) -> None:
    """Back on the table with nothing in front of it."""
    await ui.wait(lambda: not ui.main.verification.running)
    ui.app.clear_notifications()
    await ui.press("1")


async def everything_read(ui: Session) -> None:
    details = ui.main.details
    await ui.wait(lambda: all(row.arn in details.policies and row.arn in details.images for row in ui.main.table.rows))


# Each goes on where the one before it ended.


async def main(ui: Session) -> None:
    await ui.press("t")
    await ui.type("Team=Payments")
    await ui.press("enter")
    await ui.settle()
    await select(ui, REPOSITORY)
    await ui.see("if Team=Payments")
    await everything_read(ui)


async def denied(ui: Session) -> None:
    await ui.press("v")
    await ui.see("✗ DENIED at push")
    await clear(ui)
    await ui.press("3")


async def allowed(ui: Session) -> None:
    await clear(ui)
    await ui.press("g")
    await ui.see("✓ written and read back")
    await clear(ui)
    await ui.press("v")
    await ui.see("✓ ALLOWED")
    await clear(ui)
    await ui.press("3")


async def findings(ui: Session) -> None:
    await clear(ui)
    await select(ui, "payments/legacy")
    ui.main.preview.turn_to("findings")
    await ui.press("2")
    await ui.see("GetAuthorizationToken")


async def many(ui: Session) -> None:
    await clear(ui)
    await ui.press("asterisk", "g")
    await ui.wait(lambda: ui.dialog == "BulkPlanScreen")
    await ui.see("to change")


async def journal(ui: Session) -> None:
    await ui.press("escape", "asterisk")
    await clear(ui)
    await select(ui, REPOSITORY)
    await ui.press("u")
    await ui.see("exactly as it was before")
    await ui.ready()
    await ui.press("g")
    await ui.see("press g again")
    await ui.press("g")
    await ui.see("✓ written and read back")
    await clear(ui)
    await ui.press("U")
    await ui.wait(lambda: ui.dialog == "JournalScreen")
    await ui.see("undo ", "✓ in effect")


async def audit(ui: Session) -> None:
    await ui.press("escape", "a")
    await ui.wait(lambda: ui.dialog == "AuditScreen")
    await ui.see("repositories")


async def accounts(ui: Session) -> None:
    await ui.press("escape")
    await clear(ui)
    await ui.press("A")
    await ui.wait(lambda: ui.dialog == "AccountsScreen")


async def small(ui: Session) -> None:
    await ui.press("escape")
    await clear(ui)
    await ui.pilot.resize_terminal(*SMALL)
    await ui.pilot.pause()
    await select(ui, REPOSITORY)


STORY: tuple[Callable[[Session], Awaitable[None]], ...] = (
    main, denied, allowed, findings, many, journal, audit, accounts, small,
)  # fmt: skip
NAMES = tuple(step.__name__ for step in STORY)


def yesterday() -> datetime:
    """When the demo is said to have been seeded. At noon, so that "145 days ago" is the same day whenever it is run,
    and before everything that is done in front of the camera, which so is "now" in all pictures."""
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


def picture(ui: Session) -> str:
    svg = ui.app.export_screenshot(title="ecr-tui")
    moved = _TODAY - yesterday().date()
    svg = _DATE.sub(lambda match: (date.fromisoformat(match[0]) + moved).isoformat(), svg)
    for changing, fixed in _DIFFERS:
        svg = changing.sub(fixed, svg)
    # No font from another host, and blanks at the ends of texts kept, which some viewers drop.
    svg = re.sub(r"\s*@font-face \{.*?\}\n", "\n", svg, flags=re.DOTALL)
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    # Rich derives the prefix of every class from the content: one letter more on the screen would change each line.
    return re.sub(r"terminal-\d+", "terminal", svg)


async def shoot(workspace: Any, names: Collection[str], folder: Path) -> None:
    """The story as far as the last of ``names``, which are written to ``folder``."""
    async with running(workspace, SIZE, now=yesterday) as ui:
        left = set(names)
        for step in STORY:
            if not left:
                break
            await step(ui)
            if step.__name__ in left:
                left.remove(step.__name__)
                ui.app.clear_notifications()
                if isinstance(ui.app.focused, Input):
                    ui.app.focused.cursor_blink = False
                await ui.pilot.pause(0.2)
                text = picture(ui)
                (folder / f"{step.__name__}.svg").write_text(text, encoding="utf-8")


def take(names: Collection[str], folder: Path) -> None:
    """In an environment of its own: nothing of the user's AWS, ecr-tui or terminal settings is read."""
    if unknown := set(names) - set(NAMES):
        raise SystemExit(f"no picture {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    for name in [name for name in os.environ if name.startswith(_OTHERS)]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="ecr-tui-screenshots-") as private, Sandbox(yesterday) as sandbox:
        sandbox.clock = utc_now  # from here on signatures are checked by it
        os.environ.update(sandbox.env(), ECR_TUI_STATE_DIR=private, ECR_TUI_CACHE_DIR=private)
        flags = {"profile_a": "account-a", "profile_b": "dev-acc", "regions": [sandbox.region], "engine": "direct"}
        workspace = Workspace(resolve(flags))
        try:
            asyncio.run(shoot(workspace, names, folder))
        finally:
            workspace.close()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    take(sys.argv[1:] or NAMES, FOLDER)
