"""Signs of the interface, and what stands for them where signs are not wanted."""

from __future__ import annotations

OK = "✓"
NO = "✗"
UNKNOWN = "?"
PENDING = "…"
SKIP = "–"
CURSOR = "›"
MARK = "●"

_WORDLESS = {
    OK: "y",
    NO: "n",
    SKIP: "-",
    "↶": "<",
    MARK: "*",
    CURSOR: ">",
    "▸": ">",
    "▲": "^",
    "▼": "v",
    "≈": "~",
    "·": ",",
    "‥": ".",
    "⋯": "…",
    "🔎": "> ",
}
"""y for yes and good, n for no and bad. Each is as wide as what stands for it, so that nothing on the screen moves.
Where it carries a meaning, a word is beside it or explains it. Arrows stay: they name keys, which are read out."""

PLAIN = str.maketrans(_WORDLESS | {chr(code): " " for code in range(0x2500, 0x25A0)})
"""For ``str.translate``: no frames, no blocks, no signs."""
