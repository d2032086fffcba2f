"""Write the table of keys into README.md anew, from the app's own catalogue: ``make readme``."""

from __future__ import annotations

import re
from pathlib import Path

from ecr_tui.ui.keys import markdown_table

README = Path(__file__).resolve().parent.parent / "README.md"
before = README.read_text(encoding="utf-8")
TABLE = re.compile(r"(?<=^## Keys\n)(.*?\n)\|.*?\|\n(?!\|)", re.MULTILINE | re.DOTALL)
after, found = TABLE.subn(lambda match: f"{match[1]}{markdown_table()}\n", before, count=1)
if not found:
    raise SystemExit("README.md has no table under '## Keys'")
README.write_text(after, encoding="utf-8")
