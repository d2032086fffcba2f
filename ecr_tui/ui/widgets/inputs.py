"""Inputs with literal display and completion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from rich.highlighter import Highlighter
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.suggester import Suggester
from textual.widgets import Input

from ecr_tui.ui.text import safe, visible

Complete = Callable[[str], str | None]
"""The completed text; None if there is nothing to add."""


class _Visible(Highlighter):
    """Textual writes an input's value to the terminal unescaped; this replaces control characters one for one."""

    def __call__(self, text: str | Text) -> Text:
        plain = text if isinstance(text, str) else text.plain
        return Text(visible(plain), no_wrap=True, overflow="ignore", end="")

    def highlight(self, text: Text) -> None:
        """Required by the interface; :meth:`__call__` does the work."""


class _Completion(Suggester):
    """Shows the completion of Tab or → after the cursor."""

    def __init__(self, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        found = self._complete(value) if value else None
        # A completion that replaces letters cannot be shown after the cursor, but Tab applies it.
        return found if found is not None and found.startswith(value) and visible(found) == found else None


class SafeInput(Input):
    """With ``complete``, Tab completes at the end of the text; without a completion it moves the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", "Complete", show=False)]

    def __init__(
        self, value: str | None = None, placeholder: str = "", *, complete: Complete | None = None, **options: Any
    ) -> None:
        suggester = None if complete is None else _Completion(complete)
        super().__init__(value, placeholder, _Visible(), suggester=suggester, **options)
        self._completion = complete

    def action_complete(self) -> None:
        at_end = self.cursor_position == len(self.value)
        found = self._completion(self.value) if self._completion is not None and self.value and at_end else None
        if found is None:
            self.screen.focus_next()
        else:
            self.value = found
            self.cursor_position = len(found)


class TypedAnswer(SafeInput):
    """An input for a fixed confirmation text. One line, to fit small terminals."""

    DEFAULT_CSS = "TypedAnswer { background: $boost; }"

    def __init__(self, wanted: str) -> None:
        super().__init__(placeholder=f"Type {safe(wanted)} to confirm", id="typed", compact=True)
        self._wanted = wanted

    @property
    def right(self) -> bool:
        return self.value.strip() == self._wanted

    async def action_submit(self) -> None:
        """Something else says so in its place."""
        if self.value and not self.right:
            self.placeholder = f"“{safe(self.value.strip()[:20])}” does not match: type {safe(self._wanted)} to confirm"
            self.value = ""
        await super().action_submit()
