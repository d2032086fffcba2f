"""Run every benchmark of this folder: ``make bench``. They print and assert nothing about time."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path


def main() -> None:
    for module in sorted(item.name for item in pkgutil.iter_modules([str(Path(__file__).parent)])):
        if module.startswith("bench_"):
            print(f"-- {module.removeprefix('bench_')}")
            importlib.import_module(f"tests.benchmarks.{module}").main()


if __name__ == "__main__":
    main()
