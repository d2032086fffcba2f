"""``make bench``: every benchmark of this folder, or those named (``make bench ARGS='start table'``).

They print and assert nothing about time. At the end the lines that compare are printed as one Markdown table;
``--write`` puts it into docs/benchmarks.md between its markers.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.measures import Row, Skipped

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- benchmarks: written by make bench -->", "<!-- end of benchmarks -->"
_PLACE = re.compile(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", re.DOTALL)


def names() -> list[str]:
    modules = (item.name for item in pkgutil.iter_modules([str(FOLDER)]))
    return sorted(name.removeprefix("bench_") for name in modules if name.startswith("bench_"))


def markdown(rows: Sequence[Row | Skipped]) -> str:
    """The rows that compare, as a table; below it what could not be measured here."""
    lines = ["| What | ecr-tui | compared with | ratio |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.here} | {row.other} | {row.ratio} |" for row in rows if isinstance(row, Row)]
    skipped = [f"{row.what}: {row.lacks} was not there." for row in rows if isinstance(row, Skipped)]
    if skipped:
        lines += ["", "Not measured: " + " ".join(skipped)]
    return "\n".join(lines) + "\n"


def write(table: str, page: Path = PAGE) -> None:
    text, found = _PLACE.subn(lambda _: f"\n{table}\n", page.read_text(encoding="utf-8"), count=1)
    if not found:
        raise SystemExit(f"{page.name} has no line {BEGIN!r}")
    page.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    known = names()
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--list", action="store_true", help="only name them")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    wanted = parser.parse_args(arguments)
    if unknown := set(wanted.names) - set(known):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if wanted.list:
        print("\n".join(known))
        return 0
    rows: list[Row | Skipped] = []
    broken: list[str] = []
    for name in wanted.names or known:
        print(f"-- {name}", flush=True)
        try:
            rows += importlib.import_module(f"tests.benchmarks.bench_{name}").main() or ()
        except (Exception, SystemExit):
            traceback.print_exc()
            broken.append(name)
        print(flush=True)
    table = markdown(rows)
    print(table)
    if broken:
        print(f"Broken off: {', '.join(broken)}")
    elif wanted.write:
        write(table)
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
