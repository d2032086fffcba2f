"""What every dialog shares: it is in the middle, it can be left with esc, and no key of it reaches the panes below."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """A modal screen whose ``#dialog`` container holds the content."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background 60%;
        & > #dialog {
            width: 90%;
            max-width: 100;
            height: auto;
            max-height: 90%;
            padding: 1 2;
            background: $surface;
            border: round $primary;
        }
        & > #dialog > VerticalScroll { height: auto; max-height: 1fr; scrollbar-size-vertical: 1; }
        & .body { height: auto; width: 1fr; }
        & .keys { height: auto; width: 1fr; margin-top: 1; color: $text-muted; }
        & .title { height: auto; width: 1fr; text-style: bold; margin-bottom: 1; }
        & .problem { height: auto; width: 1fr; color: $text-error; }
    }
    """
