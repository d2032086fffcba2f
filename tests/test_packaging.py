"""The wheel and the sdist: what is in them, and that an installed ecr-tui works away from the checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from email import message_from_string
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ecr_tui

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str | Path, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False
    )
    assert result.returncode == code, f"{result.stdout}\n{result.stderr}"
    return result


def build(source: Path, target: Path, *kinds: str) -> list[Path]:
    chosen = [argument for kind in kinds for argument in ("-t", kind)]
    run(sys.executable, "-m", "hatchling", "build", "-d", target, *chosen, cwd=source)
    return sorted(target.iterdir())


@dataclass(frozen=True)
class Built:
    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    artifacts = {path.suffix: path for path in build(ROOT, tmp_path_factory.mktemp("dist"), "sdist", "wheel")}
    return Built(artifacts[".gz"], artifacts[".whl"])


def in_wheel(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name and ".data/" not in name}


def in_checkout(folder: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_and_its_styles(built: Built) -> None:
    styles = in_checkout("styles")
    assert any(name.endswith(".tcss") for name in styles)
    assert in_wheel(built.wheel) == in_checkout("ecr_tui") | {f"ecr_tui/{name}" for name in styles}


def test_the_wheel_installs_the_manual_page_and_the_completions(built: Built) -> None:
    from tools.share import files

    with zipfile.ZipFile(built.wheel) as archive:
        shared = {
            name.partition(".data/data/share/")[2]: archive.read(name).decode()
            for name in archive.namelist()
            if ".data/" in name
        }
    assert shared == files(), "make docs"


def test_windows_is_refused_with_a_reason() -> None:
    code = "import sys; sys.platform = 'win32'; import ecr_tui.__main__"
    refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "WSL 2" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_wheel_says_what_it_is(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        names = {name.partition(".dist-info/")[2]: name for name in archive.namelist() if ".dist-info/" in name}
        about = message_from_string(archive.read(names["METADATA"]).decode())
    assert about["Version"] == ecr_tui.__version__
    assert about["License-Expression"] == "MIT"
    assert about["Requires-Python"] == ">=3.11"
    assert "licenses/LICENSE" in names
    assert {url.partition(",")[0] for url in about.get_all("Project-URL", [])} >= {
        "Changelog",
        "Documentation",
        "Issues",
    }
    assert {
        Requirement(text).name
        for text in about.get_all("Requires-Dist", [])
        if "extra == 'demo'" in text.replace('"', "'")
    } >= {"moto"}


def test_the_description_has_no_relative_link(built: Built) -> None:
    """PyPI shows it without the files beside README."""
    with zipfile.ZipFile(built.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        description = message_from_string(archive.read(name).decode()).get_payload()
    assert isinstance(description, str)
    links = set(re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", description))
    tag = f"v{ecr_tui.__version__}"
    assert [link for _, link in links if not link.startswith(("https://", "#"))] == []
    assert ("!", f"https://raw.githubusercontent.com/ecr-tui/ecr-tui/{tag}/screenshots/main.svg") in links
    assert ("", f"https://github.com/ecr-tui/ecr-tui/blob/{tag}/docs/guide.md") in links


def test_the_sdist_builds_the_same_wheel(built: Built, tmp_path: Path) -> None:
    shutil.unpack_archive(built.sdist, tmp_path)  # TarFile's own filter came only with 3.11.4; Debian 12 has 3.11.2
    (source,) = tmp_path.iterdir()
    needed = (
        "uv.lock",
        "SECURITY.md",
        "Makefile",
        "tools/venv.sh",
        ".ci/run",
        "README.md",
        "docs/guide.md",
        "CHANGELOG.md",
        "LICENSE",
        "tests/test_packaging.py",
    )
    assert [name for name in needed if not (source / name).is_file()] == []
    (wheel,) = build(source, tmp_path / "dist", "wheel")
    assert in_wheel(wheel) == in_wheel(built.wheel)


def needed_by(name: str, extras: frozenset[str] = frozenset(), seen: set[str] | None = None) -> set[str]:
    """The names of the distribution and of all that it requires here."""
    seen = set() if seen is None else seen
    seen.add(canonicalize_name(name))
    for text in metadata.requires(name) or []:
        needed = Requirement(text)
        wanted = any(needed.marker is None or needed.marker.evaluate({"extra": extra}) for extra in ("", *extras))
        if wanted and (canonicalize_name(needed.name) not in seen or needed.extras):
            needed_by(needed.name, frozenset(needed.extras), seen)
    return seen


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel, what it requires (linked from here: no download), and nothing else."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin/python"

    @property
    def command(self) -> Path:
        return self.folder / "bin/ecr-tui"

    @property
    def site(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    environment = Installed(folder)
    for name in needed_by("ecr-tui") - {"ecr-tui"}:
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            if not (environment.site / top).exists():
                (environment.site / top).symlink_to(Path(str(distribution.locate_file(top))))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", environment.python)
    run(*pip, "install", "-q", "-q", "--no-deps", "--no-index", built.wheel, cwd=folder)
    return environment


def test_the_command_works_away_from_the_checkout(installed: Installed, tmp_path: Path) -> None:
    assert ecr_tui.__version__ in run(installed.command, "--version", cwd=tmp_path).stdout
    assert ecr_tui.__version__ in run(installed.python, "-m", "ecr_tui", "--version", cwd=tmp_path).stdout


def test_the_styles_are_found_in_the_installed_package(installed: Installed, tmp_path: Path) -> None:
    names = sorted(path.name for path in (ROOT / "styles").glob("*.tcss"))
    assert names
    code = f"from ecr_tui.ui.resources import style_sheets\nfor path in style_sheets(*{names!r}): print(path)"
    found = run(installed.python, "-c", code, cwd=tmp_path).stdout.split()
    assert found == [str((installed.site / "ecr_tui/styles" / name).resolve()) for name in names]


def test_every_room_but_the_sandbox_imports_with_what_is_declared(installed: Installed, tmp_path: Path) -> None:
    modules = sorted(
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in in_checkout("ecr_tui")
        if name.endswith(".py") and not name.startswith("ecr_tui/sandbox/")
    )
    modules.remove("ecr_tui.__main__")
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    run(installed.python, "-c", code, *modules, cwd=tmp_path)


def test_without_its_extra_the_demo_says_how_to_get_it(installed: Installed, tmp_path: Path) -> None:
    result = run(installed.command, "demo", cwd=tmp_path, code=3)
    assert "ecr-tui[demo]" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_console_script_is_all_that_is_added(installed: Installed) -> None:
    assert shutil.which("ecr-tui", path=str(installed.folder / "bin"))
    assert not (installed.site / "tests").exists()
    assert not (installed.site / "styles").exists()
