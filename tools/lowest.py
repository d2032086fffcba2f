"""The lowest declared version of each dependency, as constraints for pip: python -m tools.lowest > constraints.txt."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

_BOUND = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?>=([0-9.]+)(?:,.*)?")


def lowest(project: Path) -> Iterator[str]:
    """``name==version`` of what the program, its demo and its tests need. Raises ValueError for one without a bound."""
    told = tomllib.loads(project.read_text("utf-8"))
    needed = [*told["project"]["dependencies"], *told["project"]["optional-dependencies"]["demo"]]
    for requirement in [*needed, *told["dependency-groups"]["test"]]:
        bound = _BOUND.fullmatch(requirement.replace(" ", ""))
        if bound is None:
            raise ValueError(f"{requirement} declares no lowest version")
        yield f"{bound[1]}=={bound[2]}"


if __name__ == "__main__":
    print("\n".join(lowest(Path("pyproject.toml"))))
