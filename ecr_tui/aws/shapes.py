"""Validate AWS responses against botocore's model: botocore accepts a number in place of a text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (datetime, int, float),
    "blob": (bytes, bytearray),
}


class WrongType(ValueError):
    """The text names the field and the expected type, never the value."""


def check_answer(parsed: Mapping[str, Any], model: OperationModel, **_: object) -> None:
    """An "after-call" handler. Raises :class:`WrongType`.

    Entries that botocore did not parse (``plain_answers``) are also checked, by the model's fields.
    """
    if model.output_shape is not None and "Error" not in parsed:
        _check(parsed, model.output_shape, "")


def _check(value: Any, shape: Shape, path: str) -> None:
    if value is None or getattr(shape, "is_document_type", False):
        return
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, Mapping):
            raise _wrong(path, "object", value)
        members = shape.members  # type: ignore[attr-defined]
        for name, member in value.items():
            if name in members:
                _check(member, members[name], f"{path}.{name}" if path else name)
    elif kind == "list":
        if not isinstance(value, list):
            raise _wrong(path, "list", value)
        for item in value:
            if item is None:
                raise _wrong(f"{path}[]", "entry", item)
            _check(item, shape.member, f"{path}[]")  # type: ignore[attr-defined]
    elif kind == "map":
        if not isinstance(value, Mapping):
            raise _wrong(path, "object", value)
        for item in value.values():
            _check(item, shape.value, f"{path}.*")  # type: ignore[attr-defined]
    elif not isinstance(value, _TYPES.get(kind, object)) and not _decoded(value, shape):
        raise _wrong(path, kind, value)


def _decoded(value: Any, shape: Shape) -> bool:
    """An IAM policy document, a text in the model, which botocore decodes."""
    return isinstance(value, Mapping) and shape.name.lower().startswith("policydocument")


def _wrong(path: str, expected: str, value: object) -> WrongType:
    return WrongType(f"{path or 'response'}: expected {expected}, got {type(value).__name__}")
