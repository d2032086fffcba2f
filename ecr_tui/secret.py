"""A string that never prints: registry tokens and passwords."""

from __future__ import annotations

import hmac
from typing import NoReturn

_HIDDEN = "********"


class Secret:
    """Holds a secret so that repr, str, format, tracebacks with locals, pickling and JSON cannot show it.

    Only :meth:`reveal` gives the text, to be passed straight to the call that needs it.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        return self.__value

    def __repr__(self) -> str:
        return f"Secret({_HIDDEN})"

    def __str__(self) -> str:
        return _HIDDEN

    def __format__(self, spec: str) -> str:
        return format(_HIDDEN, spec)

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash(self.__value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")

    def redact(self, text: str) -> str:
        """``text`` with every occurrence of the secret hidden, for messages that a server sends back."""
        return text.replace(self.__value, _HIDDEN) if self.__value else text
