"""Start the wheel in ``dist/`` in a new environment: ``python -m tools.smoke [TAG]``.

Exits with a message where TAG is not the version's own, or where the wheel or the sdist does not install or start.
Needs a package index, unlike the packaging tests.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from ecr_tui import __version__

DIST = Path(__file__).resolve().parent.parent / "dist"


def started(artifact: Path, extra: str, folder: Path) -> None:
    venv.create(folder, with_pip=True)
    run = [
        folder / "bin/python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        f"{artifact}{extra}",
    ]
    subprocess.run(run, check=True)
    said = subprocess.run([folder / "bin/ecr-tui", "--version"], check=True, capture_output=True, text=True, cwd=folder)
    if said.stdout.strip() != f"ecr-tui, version {__version__}":
        sys.exit(f"{artifact.name} says {said.stdout!r}")
    for path in ("man/man1/ecr-tui.1", "bash-completion/completions/ecr-tui"):
        if not (folder / "share" / path).is_file():
            sys.exit(f"{artifact.name} does not install share/{path}")


def main() -> None:
    for tag in sys.argv[1:]:
        if tag != f"v{__version__}":
            sys.exit(f"the tag is {tag}, the version {__version__}")
    with tempfile.TemporaryDirectory() as folder:
        for pattern, extra in (("*.whl", "[demo]"), ("*.tar.gz", "")):
            (artifact,) = DIST.glob(pattern)
            started(artifact, extra, Path(folder, artifact.suffix))
            print(f"{artifact.name} installs and starts")


if __name__ == "__main__":
    main()
