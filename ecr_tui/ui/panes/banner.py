"""Banner for background errors: uses separate lines, never the focus or a key."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from ecr_tui.errors import EcrTuiError
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.screens.text import ErrorScreen
from ecr_tui.ui.text import MUTED, NO, safe
from ecr_tui.ui.widgets.words import Words


class Banner(Words, can_focus=True):
    """The newest error that was not closed. Tab focuses it; Esc or Enter closes it."""

    DEFAULT_CSS = """
    Banner {
        display: none;
        height: auto;
        max-height: 6;
        padding: 0 1;
        border-left: thick $error;
        background: $error-muted;
        &.-open { display: block; }
        &:focus { border-left: thick $border; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "close", "Close", show=True),
        Binding("y", "copy_error", "Copy", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="banner")
        self._errors: list[tuple[EcrTuiError, str]] = []
        self.last: tuple[EcrTuiError, str] | None = None
        """The newest error and its title, even if closed."""

    def report(self, error: EcrTuiError, title: str = "") -> None:
        """``title``: the failed operation, if not named in the error."""
        self.last = (error, title)
        self._errors.append(self.last)
        self._draw()
        if self.app.screen is not self.screen:  # a dialog hides it
            words = "\n".join(safe(line) for line in (error.title, error.hint) if line)
            self.app.notify(words, title=f"{NO} {safe(title) or 'Error'}", severity="error", timeout=15)

    def action_show_last(self) -> None:
        """Show it in full, even if closed."""
        if self.last is None:
            self.app.notify("No errors in this session.", markup=False)
        else:
            error, title = self.last
            self.app.push_screen(ErrorScreen(error, title=title))

    def close(self) -> bool:
        """Close the newest one; returns whether there was one."""
        if not self._errors:
            return False
        self._errors.pop()
        self._draw()
        return True

    def _draw(self) -> None:
        self.set_class(bool(self._errors), "-open")
        if not self._errors:
            if self.has_focus:
                self.screen.focus_next()
            return
        error, title = self._errors[-1]
        what = f"{title}: {error.title}" if title else error.title
        lines = [Content.styled(f"{NO} {safe(what)}", "bold $text-error")]
        if error.hint:
            lines.append(Content(safe(error.hint)))
        more = f" · {len(self._errors) - 1} more below" if len(self._errors) > 1 else ""
        keys = Content.assemble(("i", "bold $text-accent"), " details   ", ("Esc", "bold $text-accent"), " close")
        lines.append(Content.assemble(keys, (more, MUTED)))
        self.say(Content("\n").join(lines))

    def action_close(self) -> None:
        self.close()

    def action_copy_error(self) -> None:
        if self._errors:
            self.post_message(CopyWanted(self._errors[-1][0].text(), "the error"))
