"""Imports stand at the top of their modules, and no two modules import each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "ecr_tui").rglob("*.py")
}
HEAVY = {
    "boto3",
    "botocore",
    "certifi",
    "docker",
    "fcntl",
    "flask",
    "moto",
    "pygments",
    "pyperclip",
    "rich",
    "textual",
    "urllib3",
    "werkzeug",
}
"""Libraries that take long to import, or that a platform lacks: a function of their room may import them late."""

DOORS = {
    # The command line starts without the interface, the sandbox and the registry's libraries; help and version without
    # anything that works with accounts.
    "ecr_tui.cli",
    "ecr_tui.cli.completing",
    "ecr_tui.cli.configuring",
    "ecr_tui.cli.demo",
    "ecr_tui.cli.interface",
    "ecr_tui.sandbox.child",
    "ecr_tui.registry.choose",
    "ecr_tui.workspace.verification",
}
"""Modules that import a part of ecr_tui late, because that part imports a heavy library."""


def targets(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif node.module:
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield whole if whole in MODULES else node.module


def imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def late(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(node)


def test_only_the_doors_import_late() -> None:
    strays = {
        f"{name}: {ast.unparse(node)}"
        for name, path in MODULES.items()
        for node in late(ast.parse(path.read_text("utf-8")))
        for target in targets(node)
        if target.partition(".")[0] not in HEAVY and name not in DOORS
    }
    assert strays == set()


def test_no_module_imports_itself_by_way_of_others() -> None:
    """TYPE_CHECKING imports count: who needs another's types needs the other."""
    edges = {
        name: {target for node in imports(ast.parse(path.read_text("utf-8"))) for target in targets(node)}
        & set(MODULES)
        for name, path in MODULES.items()
    }
    # Modules that nothing else of the rest imports, or that import nothing of the rest, are in no circle.
    rest = set(edges)
    while True:
        imported = {target for name in rest for target in edges[name] & rest if target != name}
        kept = {name for name in rest if name in imported and (edges[name] & rest) - {name}}
        if kept == rest:
            break
        rest = kept
    assert rest == set()
