"""Dialog to edit a repository's tags; the write follows a preview of its effect on access."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ecr_tui.changes.tag_plans import changed_tags, check_tag
from ecr_tui.errors import InputError
from ecr_tui.ui.screens.ask import AskScreen
from ecr_tui.ui.screens.dialog import Dialog
from ecr_tui.ui.text import MUTED, count, safe
from ecr_tui.ui.widgets.keyhints import KeyHints
from ecr_tui.ui.widgets.options import Options
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository


class TagsScreen(Dialog[dict[str, str] | None]):
    """The new tags; None if canceled."""

    DEFAULT_CSS = """
    TagsScreen {
        & > #dialog { max-width: 90; }
        & OptionList { max-height: 50%; min-height: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Cancel"),
        Binding("a", "add", "Add"),
        Binding("d,delete,x", "remove", "Remove"),
        Binding("w,ctrl+s", "write", "Write"),
        Binding("k", "move(-1)", "Up", show=False),
        Binding("j", "move(1)", "Down", show=False),
    ]

    def __init__(self, repository: Repository) -> None:
        super().__init__()
        self._repository = repository
        self._before = dict(repository.tags or {})
        self._after = dict(self._before)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(f"Tags of {safe(self._repository.name)}", classes="title", markup=False)
            yield Options(id="tags", markup=False)
            yield Words(id="pending", classes="body")
            yield KeyHints(
                ("a", "add"),
                ("enter", "change"),
                ("d", "delete or restore"),
                ("w", "write…"),
                ("esc", "cancel"),
                between="  ",
            )

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self._draw()

    def _keys(self) -> list[str]:
        return sorted({*self._before, *self._after})

    def _draw(self) -> None:
        options = self.query_one(OptionList)
        place = options.highlighted or 0
        options.clear_options()
        options.add_options(Option(self._line(key)) for key in self._keys())
        if options.option_count:
            options.highlighted = min(place, options.option_count - 1)
        pending = sum(self._before.get(key) != self._after.get(key) for key in self._keys())
        words = count(pending, "change") + ", not written yet" if pending else "No changes yet."
        if not self._keys():
            words = "No tags. " + (words if pending else "")
        self.query_one("#pending", Words).say(Content.styled(words, MUTED))

    def _line(self, key: str) -> Content:
        before, after = self._before.get(key), self._after.get(key)
        shown = safe(f"{key} = {after if after is not None else before}")
        if before == after:
            return Content.assemble("  ", shown, (" (AWS)", MUTED) if key.lower().startswith("aws:") else "")
        if after is None:
            return Content.assemble(("- ", "bold $text-error"), (shown, "strike"), (" removed", "$text-error"))
        was = f" was {safe(before)}" if before is not None else " new"
        return Content.assemble(("+ ", "bold $text-success"), shown, (was, "$text-success"))

    @property
    def _selected(self) -> str | None:
        place, keys = self.query_one(OptionList).highlighted, self._keys()
        return keys[place] if place is not None and place < len(keys) else None

    # -- actions -------------------------------------------------------------------------------------------------

    def _ask(self, title: str, explanation: str, value: str, check: Callable[[str], tuple[str, str]]) -> None:
        def meaning(text: str) -> str:
            key, value = check(text)
            return f"{key} = {value}"

        def answered(text: str | None) -> None:
            if text is not None:
                key, value = check(text)
                self._after[key] = value
                self._draw()
                self.query_one(OptionList).highlighted = self._keys().index(key)

        self.app.push_screen(
            AskScreen(title, explanation, value=value, placeholder="Team=Payments", check=meaning), answered
        )

    def action_add(self) -> None:
        def check(text: str) -> tuple[str, str]:
            key, sign, value = (part.strip() for part in text.partition("="))
            if not sign:
                raise InputError("Write it as KEY=VALUE.")
            check_tag(key, value)
            changed_tags(self._after, {key: value}, ())
            return key, value

        self._ask("Add a tag", "KEY=VALUE; both are case-sensitive. An existing key gets the new value.", "", check)

    @on(OptionList.OptionSelected)
    def _change(self) -> None:
        key = self._selected
        if key is None or self._is_aws(key):
            return

        def check(text: str) -> tuple[str, str]:
            check_tag(key, text.strip())
            return key, text.strip()

        self._ask(f"Value of {safe(key)}", "The new value, up to 256 characters.", self._after.get(key, ""), check)

    def action_remove(self) -> None:
        key = self._selected
        if key is None or self._is_aws(key):
            return
        if key in self._after:
            del self._after[key]
        else:
            self._after[key] = self._before[key]
        self._draw()

    def _is_aws(self, key: str) -> bool:
        if key.lower().startswith("aws:"):
            self.app.notify("Tags whose key begins with aws: are reserved by AWS.", markup=False)
            return True
        return False

    def action_move(self, rows: int) -> None:
        options = self.query_one(OptionList)
        (options.action_cursor_down if rows > 0 else options.action_cursor_up)()

    def action_write(self) -> None:
        if self._after == self._before:
            self.app.notify("No changes made.", markup=False)
        else:
            self.dismiss(self._after)
