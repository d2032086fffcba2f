"""Keys that arrive faster than the focus moves: a paste into the terminal, or fast typing over a slow line.

Textual hands a key to the focused widget's queue and looks for its binding only once it has bubbled up again. By then
the letters after ``/`` lie in the table's queue, and would be commands.
"""

from __future__ import annotations

import sys
from typing import Any

from textual import events
from textual.app import App
from textual.widget import Widget
from textual.widgets import Input


async def acted(app: App[Any], event: events.Event) -> bool:
    """Run the action of a key before the next key is looked at, where nothing that takes text has the focus.

    Whether there was one: then the key is used up.
    """
    if not isinstance(event, events.Key) or event.is_forwarded:
        return False
    screen = app.screen
    # A dialog's own widgets look at keys first, as Textual has it.
    if screen.is_modal or screen.maximized is not None or _takes_text(screen.focused):
        return False
    return await app._check_bindings(event.key, priority=True) or await app._check_bindings(event.key)


def _takes_text(widget: Widget | None) -> bool:
    if isinstance(widget, Input):
        return True
    # Where nobody has imported the module, no such widget can have the focus.
    module = sys.modules.get("textual.widgets._text_area")
    return module is not None and isinstance(widget, module.TextArea)
