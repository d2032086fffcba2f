"""The house's rules that import-linter cannot see: what a fresh interpreter loads, and whose library is whose."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "ecr_tui"

HEAVY = (
    "boto3",
    "botocore",
    "docker",
    "moto",
    "flask",
    "werkzeug",
    "textual",
    "rich",
    "urllib3",
    "requests",
    "pyperclip",
)

PURE = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (PACKAGE / "policy").glob("*.py")
    if path.name != "__init__.py"
)
LIGHT = (
    *PURE,
    "ecr_tui.access.audit",
    "ecr_tui.access.audit_json",
    "ecr_tui.aws.model",
    "ecr_tui.config",
    "ecr_tui.errors",
    "ecr_tui.changes.apply",
    "ecr_tui.changes.journal",
    "ecr_tui.diagnosis.diagnose",
    "ecr_tui.registry.engine",
    "ecr_tui.registry.probe",
    "ecr_tui.secret",
    "ecr_tui.access.two_sided",
    "ecr_tui.verification.verify",
    "ecr_tui.workspace",
)
"""Importable without a heavy third-party package, so that a command which needs none starts at once."""

SMALL = {"platformdirs"}

ROOMS = {
    "boto3": {"aws", "sandbox"},
    "botocore": {"aws", "sandbox"},
    "certifi": {"registry"},
    "click": {"cli"},
    "docker": {"registry"},
    "flask": {"sandbox"},
    "moto": {"sandbox"},
    "platformdirs": {"config"},
    "pygments": {"ui"},
    "pyperclip": {"ui"},
    "rich": {"ui"},
    "textual": {"ui"},
    "urllib3": {"registry"},
    "werkzeug": {"sandbox"},
}
"""Each third-party library, and the rooms that may import it; one that is not here may not be imported at all."""

COMES_WITH = {"certifi": "docker", "pygments": "textual", "rich": "textual", "werkzeug": "flask"}
"""Not declared by us: part of what the other one offers to its users."""


def loaded(code: str) -> set[str]:
    """The top-level modules that are loaded after running ``code`` in a fresh interpreter."""
    report = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))


@cache
def at_start() -> set[str]:
    """What the interpreter loads by itself (an editable install, coverage and the like)."""
    return loaded("")


@cache
def third_party() -> set[str]:
    return set(packages_distributions()) - {"ecr_tui"}


def test_the_core_imports_nothing_from_outside() -> None:
    imports = "\n".join(f"import {module}" for module in LIGHT)
    assert (loaded(imports) - at_start()) & third_party() <= SMALL


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["grant", "--help"], ["demo", "--help"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
sys.argv = ["ecr-tui", *{arguments!r}]
from ecr_tui.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
assert len({arguments!r}) > 1 or "ecr_tui.workspace" not in sys.modules
"""
    assert loaded(code).intersection(HEAVY) == set()


def test_the_app_can_be_drawn_before_aws_and_docker_are_loaded() -> None:
    late = {"boto3", "botocore", "docker", "moto", "flask", "urllib3", "requests", "pyperclip"}
    assert loaded("import ecr_tui.ui.app") & late == set()


def imports(path: Path) -> set[str]:
    """Top-level names of what the file imports from outside, wherever in it; stubs are for the type checker alone."""
    names: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    typing_only: set[str] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            typing_only |= names_of(*node.body)
            waiting += node.orelse
        else:
            names |= names_of(node)
            waiting += ast.iter_child_nodes(node)
    names |= {name for name in typing_only if not name.startswith("mypy_boto3_")}
    return names - {"ecr_tui", "__future__"} - sys.stdlib_module_names


def names_of(*nodes: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def test_each_library_lives_in_its_room() -> None:
    strays = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for name in sorted(imports(path))
        if room(path) not in ROOMS.get(name, set())
    ]
    assert strays == []


def declared(*, demo: bool) -> set[str]:
    """Normalised names of the distributions that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = project["dependencies"] + (project["optional-dependencies"]["demo"] if demo else [])
    return {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower() for requirement in requirements}


def test_what_is_imported_is_declared() -> None:
    missing = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for name in sorted(imports(path))
        if COMES_WITH.get(name, name).replace("_", "-") not in declared(demo=room(path) == "sandbox")
    ]
    assert missing == []


def test_what_is_declared_is_imported() -> None:
    used = {COMES_WITH.get(name, name) for path in PACKAGE.rglob("*.py") for name in imports(path)}
    moto_needs = {"flask", "flask-cors"}  # by moto's own server part, which only its heavy "server" extra would bring
    assert declared(demo=True) - used - moto_needs == set()


PRINTING = {
    "print",
    "click.echo",
    "click.secho",
    "click.prompt",
    "click.confirm",
    "sys.stdout.write",
    "sys.stderr.write",
}


def test_commands_print_through_the_one_door() -> None:
    """``cli.output`` cleans what it prints; completion scripts (``shells``) have a protocol of their own."""
    found = {
        path.name
        for path in (PACKAGE / "cli").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in PRINTING
    }
    assert found <= {"output.py", "shells.py"}
