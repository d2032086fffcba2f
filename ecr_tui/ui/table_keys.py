"""The keys of a table."""

from __future__ import annotations

from textual.binding import BindingType

from ecr_tui.ui.key import CHOOSE, FIND, MOVE, Key

SORT: tuple[Key, ...] = tuple(
    Key(
        f"table.sort_{column}",
        key,
        f"sort_column('{column}')",
        f"Sort by {words}",
        f"Sort by {words}; again reverses the order",
        FIND,
        key,
        palette=False,
    )
    for key, column, words in (
        ("S", "name", "name"),
        ("T", "tags", "tags"),
        ("B", "access", "access"),
        ("K", "mutability", "image tag mutability"),
        ("I", "images", "number of images"),
        ("L", "pushed", "last push"),
        ("O", "pulled", "last pull"),
        ("D", "findings", "findings"),
        ("E", "verified", "last verification"),
    )
)

TABLE: tuple[Key, ...] = (
    Key(
        "table.mark",
        "space",
        "mark",
        "Mark",
        "Mark the repository, to grant, revoke or verify several at once",
        CHOOSE,
        "space",
    ),
    Key(
        "table.mark_shown",
        "asterisk",
        "mark_shown",
        "Mark shown",
        "Mark all repositories that the filter shows; press again to unmark",
        CHOOSE,
        "*",
    ),
    Key("table.next", "n", "match(1)", "Next match", "The next match of the filter, also of a cleared one", FIND, "n"),
    Key("table.previous", "N", "match(-1)", "Previous match", "The previous match of the filter", FIND, "N"),
    Key("table.open", "enter", "open", "Open", "Go to the repository's policy preview", MOVE, "enter", palette=False),
    Key("table.up", "up,k", "move(-1)", "Up", "One row up", MOVE, "↑ k", palette=False),
    Key("table.down", "down,j", "move(1)", "Down", "One row down", MOVE, "↓ j", palette=False),
    Key("table.page_up", "pageup,ctrl+b", "page(-1)", "Page up", "One page up", MOVE, "PgUp ctrl+b", palette=False),
    Key(
        "table.page_down",
        "pagedown,ctrl+f",
        "page(1)",
        "Page down",
        "One page down",
        MOVE,
        "PgDn ctrl+f",
        palette=False,
    ),
    Key("table.half_up", "ctrl+u", "half_page(-1)", "Half a page up", "Half a page up", MOVE, "ctrl+u", palette=False),
    Key(
        "table.half_down",
        "ctrl+d",
        "half_page(1)",
        "Half a page down",
        "Half a page down",
        MOVE,
        "ctrl+d",
        palette=False,
    ),
    Key("table.top", "home", "end(-1)", "First", "To the first row", MOVE, "Home", palette=False),
    Key("table.bottom", "end,G", "end(1)", "Last", "To the last row", MOVE, "End G", palette=False),
    *SORT,
)

TABLE_BINDINGS: list[BindingType] = [key.binding() for key in TABLE]
