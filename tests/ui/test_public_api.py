"""The interface uses Textual's public members only, so that a release of Textual does not break it silently."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from types import ModuleType

from textual.app import App
from textual.message_pump import MessagePump

from ecr_tui import ui

UI = Path(ui.__file__).parent
MODULES = sorted(
    ".".join(("ecr_tui.ui", *path.relative_to(UI).with_suffix("").parts))
    for path in UI.rglob("*.py")
    if path.name != "__init__.py"
)
ALLOWED = {
    # No public hook keeps the values of local variables out of the traceback of a crash.
    ("ecr_tui.ui.app", "EcrTuiApp", "_fatal_error"),
}


NAMED_TUPLE = {"_asdict", "_fields", "_make", "_replace"}
"""Public, in spite of their names: the underscore keeps them apart from a tuple's fields."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name not in NAMED_TUPLE


@cache
def private_names(base: type) -> frozenset[str]:
    """Set on the class or on its instances."""
    return frozenset(filter(is_private, (*vars(base), *re.findall(r"self\.(_[a-z]\w*)", inspect.getsource(base)))))


def textuals(cls: type) -> set[str]:
    """The private names of Textual's classes that ``cls`` inherits from."""
    bases = (base for base in cls.__mro__ if base.__module__.partition(".")[0] == "textual")
    return {name for base in bases for name in private_names(base)}


def classes(module: ModuleType) -> Iterator[type]:
    for _, cls in inspect.getmembers(module, inspect.isclass):
        if cls.__module__ == module.__name__ and issubclass(cls, MessagePump):
            yield cls


def uses(cls: type) -> set[str]:
    """Private names that the class defines or looks up on itself."""
    (node,) = ast.parse(inspect.cleandoc("\n" + inspect.getsource(cls))).body
    assert isinstance(node, ast.ClassDef)
    own = {
        name
        for item in node.body
        for name in (
            [item.name]
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
            else [ast.unparse(target) for target in getattr(item, "targets", [getattr(item, "target", None)]) if target]
        )
        if is_private(name)
    }
    looked_up = {
        node.attr
        for node in ast.walk(node)
        if isinstance(node, ast.Attribute)
        and is_private(node.attr)
        and (
            (isinstance(node.value, ast.Name) and node.value.id == "self")
            or (isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "super")
        )
    }
    return own | looked_up


def test_no_class_overrides_or_reads_a_private_member_of_textual() -> None:
    found = {
        (module, cls.__name__, name)
        for module in MODULES
        for cls in classes(importlib.import_module(module))
        for name in uses(cls) & textuals(cls)
    }
    assert found - ALLOWED == set()


def test_no_private_member_of_another_object_is_used() -> None:
    """``app._x``, ``widget._x``, and imports of Textual's private modules."""
    assert {f"{module}: {item}" for module in MODULES for item in strays(importlib.import_module(module))} == set()


def strays(module: ModuleType) -> Iterator[str]:
    nodes = list(ast.walk(ast.parse(inspect.getsource(module))))
    ours = {
        node.name if isinstance(node, ast.FunctionDef) else node.attr
        for node in nodes
        if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
    }
    for node in nodes:
        if (
            isinstance(node, ast.Attribute)
            and is_private(node.attr)
            and node.attr not in ours
            and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", *vars(module)))
        ):
            yield ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("textual", "rich")):
            names = ((node.module or "").split("."), (alias.name for alias in node.names))
            if any(map(is_private, chain(*names))):
                yield ast.unparse(node)


def test_textual_still_calls_the_one_private_method_that_is_overridden() -> None:
    """Renamed, it would print the values of local variables without a word."""
    assert "_fatal_error" in vars(App)
    assert "self._fatal_error()" in inspect.getsource(sys.modules[App.__module__])
