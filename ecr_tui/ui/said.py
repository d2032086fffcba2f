"""Messages with fields."""

from __future__ import annotations

from inspect import get_annotations
from typing import Any, ClassVar, dataclass_transform

from textual.message import Message


@dataclass_transform(eq_default=False)
class Said(Message):
    """Names that a subclass annotates are its fields, as in a dataclass with neither comparison nor repr; but nothing
    has to be compiled for them, which for all messages would be seen in the time to the first frame."""

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._fields = tuple(dict.fromkeys((*cls._fields, *get_annotations(cls))))

    def __init__(self, *given: Any, **named: Any) -> None:
        """Raises TypeError for a field too many, twice or missing."""
        super().__init__()
        fields = self._fields
        values = dict(zip(fields, given, strict=False))
        if len(given) > len(fields) or values.keys() & named.keys() or not named.keys() <= set(fields):
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(fields)}")
        values |= named
        missing = [name for name in fields if name not in values and not hasattr(type(self), name)]
        if missing:
            raise TypeError(f"{type(self).__name__} lacks {', '.join(missing)}")
        self.__dict__.update(values)
