"""An input that shows literally what is in it."""

from __future__ import annotations

from typing import Any

from rich.highlighter import Highlighter
from rich.text import Text
from textual.widgets import Input

from ecr_tui.ui.text import visible


class _Visible(Highlighter):
    """Textual writes an input's value to the terminal as it is; this replaces, one for one, what would act there."""

    def __call__(self, text: str | Text) -> Text:
        plain = text if isinstance(text, str) else text.plain
        return Text(visible(plain), no_wrap=True, overflow="ignore", end="")

    def highlight(self, text: Text) -> None:
        """Part of the interface; :meth:`__call__` does the work."""


class SafeInput(Input):
    def __init__(self, value: str | None = None, placeholder: str = "", **options: Any) -> None:
        super().__init__(value, placeholder, _Visible(), **options)
