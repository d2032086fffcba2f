"""The app's whole story under the watchdog, in the terminal that it is started in: ``OUT ROWS``, environment given.

A thread presses the keys as the terminal's own reader does and waits for what each of them brings, so that nothing but
the app itself runs on its loop. What was found goes into the file OUT, as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from textual import events
from textual.keys import _character_to_key
from textual.widgets import Input

from ecr_tui.config import resolve
from ecr_tui.ui import collector
from ecr_tui.ui.app import EcrTuiApp
from ecr_tui.ui.screens.dialog import DEAF
from ecr_tui.workspace import Workspace
from tests.benchmarks.watchdog import Watchdog

PATIENCE = 60.0
AUDITED = 20_000
"""Above so many repositories the story gives the audit up: it reads every policy, which takes minutes."""
SETTLE = DEAF + 0.1
"""Seconds after each step in which what it set off may still block the loop, and a new dialog heeds no key."""


class Story:
    def __init__(self, app: EcrTuiApp, watchdog: Watchdog, settle: float = SETTLE) -> None:
        self._settle = settle
        self.app, self.main, self.watchdog = app, app.main, watchdog
        self.steps: list[str] = []
        self.failure = ""

    def press(self, *keys: str) -> None:
        for key in keys:
            character = key if len(key) == 1 else None
            name = _character_to_key(key) if character else key
            assert self.app._driver is not None
            self.app._driver.process_message(events.Key(name, character))
            time.sleep(0.03)

    def wait(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{self.watchdog.step} did not come to its end")
            time.sleep(0.02)

    def step(self, name: str, *keys: str, until: Callable[[], object] = lambda: True) -> None:
        self.watchdog.step = name
        self.steps.append(name)
        self.press(*keys)
        self.wait(until)
        time.sleep(self._settle)

    def ready(self) -> bool:
        main = self.main
        return bool(main.preview.writable(main.table.current, main.selection.grant) or main.preview.made.error)

    def top(self, name: str = "MainScreen") -> bool:
        return type(self.app.screen).__name__ == name

    def tell(self) -> None:
        main, table = self.main, self.main.table
        listed = lambda: not main.listing.busy and len(main.accounts.reads) == 2 and self.ready()  # noqa: E731
        self.step("start and list", until=lambda: main.is_mounted and listed())
        rows = len(table.rows)
        self.step("the filter's bar", "/", until=self.typing)
        self.step("filter, key by key", *"payments/w", until=lambda: 0 < table.shown < rows)
        self.step("filter away", "escape", until=lambda: table.shown == rows)
        self.step("page through", *["pagedown"] * 8, "end", "home", until=self.ready)
        self.step("sort", "s", until=lambda: not self.top())
        self.step("sort by another column", "down", "down", "enter", until=self.top)
        self.step("the tags' bar", "t", until=self.typing)
        self.step("list by a tag", *"Team=Payments", "enter", until=lambda: listed() and len(table.rows) < rows)
        self.step("the tags' bar again", "t", until=self.typing)
        self.step("the tag away", "ctrl+u", "enter", until=lambda: listed() and len(table.rows) == rows)
        self.step("the filter's bar again", "/", until=self.typing)
        self.step("to one repository", *"my-first", until=lambda: table.shown == 1)
        self.step("its preview", "enter", until=lambda: not self.typing() and self.ready())
        self.step("access and condition", "p", "p", "p", "c", until=lambda: not self.top())
        self.step("a condition chosen", "down", "enter", until=lambda: self.top() and self.ready())
        written = len(main.workspace.changes.journal.entries())
        self.step("grant", "g", until=lambda: len(main.workspace.changes.journal.entries()) > written and self.idle())
        self.step("verify", "v", until=lambda: main.verification.run is not None and self.proved())
        for number, tab in enumerate(("JSON", "access", "findings", "account B policy")):
            self.step(f"preview: {tab}", *(("2",) if not number else ()), "right")
        self.step(
            "undo", "1", "u", until=lambda: len(main.workspace.changes.journal.entries()) > written + 1 and self.idle()
        )
        self.step("help", "?", until=lambda: not self.top())
        self.step("help closed", "escape", until=self.top)
        self.step("the palette", "ctrl+p", until=lambda: not self.top())
        self.step("the palette closed", "escape", until=self.top)
        self.step("all rows again", "escape", until=lambda: table.shown == rows)
        if rows <= AUDITED:
            self.step("audit", "a", until=lambda: self.top("AuditScreen") and not self.app.screen.busy)  # type: ignore[attr-defined]
            self.step("audit, its pages", "right", "pagedown", "end", "right", "right")
            self.step("audit closed", "escape", until=self.top)
        else:
            self.step("audit begun", "a", until=lambda: self.top("AuditScreen"))
            time.sleep(5)
            self.step("audit given up", "escape", until=self.top)
        self.step("refresh", "r", until=listed)
        self.step("quit", "q", until=lambda: not self.app.is_running)

    def typing(self) -> bool:
        return isinstance(self.app.focused, Input)

    def idle(self) -> bool:
        return self.top() and not self.main.desk.busy

    def proved(self) -> bool:
        run = self.main.verification.run
        return run is not None and not run.running

    def run(self, tell: Callable[[Story], None] = tell) -> None:
        try:
            tell(self)
        except Exception as error:
            self.failure = f"{self.watchdog.step}: {type(error).__name__}: {error}"
            self.app.call_from_thread(self.app.exit)


def run(
    app: EcrTuiApp, *, headless: bool = False, tell: Callable[[Story], None] = Story.run, settle: float = SETTLE
) -> dict[str, object]:
    """Watch the app through its story; the answer is what :mod:`tests.benchmarks.bench_loop` prints."""
    watchdog = Watchdog()
    # Before the first frame there is nothing to press a key for; and Textual leaves when its reader of keys has
    # noticed, which looks every tenth of a second.
    watchdog.idle = lambda: app.return_code is not None or not app.is_running
    story = Story(app, watchdog, settle)
    thread = threading.Thread(target=tell, args=(story,), daemon=True)
    watchdog.start()
    try:
        app.call_later(thread.start)
        with collector.tuned():
            app.run(headless=headless, size=(120, 40) if headless else None)
    finally:
        watchdog.stop()
    thread.join(5)
    blocks = sorted(watchdog.blocks, key=lambda block: -block.wall)
    return {
        "turns": watchdog.turns,
        "steps": story.steps,
        "failure": story.failure,
        "blocks": [dataclasses.asdict(block) | {"place": block.place} for block in blocks[:200]],
    }


def main(out: Path, workspace: Workspace) -> None:
    out.write_text(json.dumps(run(EcrTuiApp(workspace))))


if __name__ == "__main__":
    from ecr_tui.workspace import Workspace as Real

    flags = {"profile_a": "account-a", "profile_b": "dev-acc", "engine": "direct"}
    main(Path(sys.argv[1]), Real(resolve(flags)))
