"""Text that is set often and changes seldom."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Words(Static):
    """A Static that takes Content, and draws and lays out only what really changed: its owner may set it at will."""

    def __init__(self, content: Content | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        self._said = content or Content.empty()
        super().__init__(self._said, id=id, classes=classes, markup=False)

    def say(self, content: Content) -> None:
        before, self._said = self._said, content
        if content.is_same(before):
            return
        width, height = self.content_size
        if self.styles.is_auto_width:
            fits = content.cell_length == before.cell_length
        else:
            fits = width > 0 and content.get_height(self.styles, width) == height  # type: ignore[arg-type]
        self.update(content, layout=not fits)
