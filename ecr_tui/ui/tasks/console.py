"""The AWS console's page of the selected repository."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ecr_tui.aws.console import console_url
from ecr_tui.ui import jobs
from ecr_tui.ui.clipboard import is_remote
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.text import safe

if TYPE_CHECKING:
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection


async def show(desk: Desk, selection: Selection) -> None:
    """Open in the browser, or copy the address without one."""
    repository = selection.repository
    if repository is None:
        return
    url = console_url(repository)
    if await jobs.on_thread(lambda: opened(url)):
        desk.say(f"Opened {safe(repository.name)} in the browser. Sign in there to account {repository.account}.")
    else:
        desk.app.post_message(CopyWanted(url, f"the console address {url}"))


def opened(url: str, environ: Mapping[str, str] | None = None) -> bool:
    """Returns whether a browser opened it. Blocking. Terminal browsers are excluded, because they would overwrite the
    screen."""
    environ = os.environ if environ is None else environ
    windows = sys.platform != "linux" or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    if is_remote(environ) or not windows:
        return False
    try:
        browser = webbrowser.get()
        return type(browser) is not webbrowser.GenericBrowser and browser.open(url)
    except (webbrowser.Error, OSError):
        return False
