"""A lossless, immutable policy document.

Unknown elements, order and the original text are preserved; a :class:`Statement` is a view of the raw object. Because
documents are immutable, compiled forms are cached on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ecr_tui.policy import _json
from ecr_tui.policy._json import PolicyError

__all__ = ["LIMIT", "PolicyDocument", "PolicyError", "Statement"]

LIMIT = 10_240
"""Maximum characters of policyText in SetRepositoryPolicy (shape RepositoryPolicyText of the API model)."""

NEW_VERSION = "2012-10-17"
OLD_VERSION = "2008-10-17"
"""The default Version; policy variables are literal text under it."""

DOCUMENT_ELEMENTS = frozenset({"Version", "Id", "Statement"})
PLAIN_ELEMENTS = frozenset({"Sid", "Effect", "Principal", "Action", "Condition"})
"""Elements of a statement without negations and without a Resource."""
STATEMENT_ELEMENTS = PLAIN_ELEMENTS | {"NotPrincipal", "NotAction", "Resource", "NotResource"}


@dataclass(frozen=True)
class Statement:
    """One statement. ``raw`` is the parsed object and must not be changed."""

    index: int
    raw: Mapping[str, Any]

    @property
    def sid(self) -> str | None:
        sid = self.raw.get("Sid")
        return sid if isinstance(sid, str) else None

    @property
    def name(self) -> str:
        """Display name: its Sid, or "statement 3" (counted from 1)."""
        return self.sid or f"statement {self.index + 1}"

    @property
    def effect(self) -> str:
        """ "Allow" or "Deny"; "" for anything else, which has no effect."""
        effect = self.raw.get("Effect")
        return effect if effect in ("Allow", "Deny") else ""

    @cached_property
    def principals(self) -> tuple[tuple[str, str], ...]:
        """(type, value) pairs in order; type is "AWS", "Service", "Federated"...; ``"*"`` is ("AWS", "*")."""
        return _principals(self.raw.get("Principal"))

    @cached_property
    def not_principals(self) -> tuple[tuple[str, str], ...]:
        return _principals(self.raw.get("NotPrincipal"))

    @cached_property
    def actions(self) -> tuple[str, ...]:
        return strings(self.raw.get("Action"))

    @cached_property
    def not_actions(self) -> tuple[str, ...]:
        return strings(self.raw.get("NotAction"))

    @cached_property
    def resources(self) -> tuple[str, ...]:
        return strings(self.raw.get("Resource"))

    @cached_property
    def not_resources(self) -> tuple[str, ...]:
        return strings(self.raw.get("NotResource"))

    @cached_property
    def condition(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """operator -> key -> values, all as text (true is "true", 5 is "5"), without malformed parts."""
        condition = self.raw.get("Condition")
        if not isinstance(condition, Mapping):
            return {}
        return {
            operator: {key: values_of(value) for key, value in block.items()}
            for operator, block in condition.items()
            if isinstance(block, Mapping)
        }


class PolicyDocument:
    """Immutable. Equality compares text; :func:`ecr_tui.policy.change.equivalent` compares meaning."""

    def __init__(self, text: str, data: Mapping[str, Any]) -> None:
        """Internal; use :meth:`parse`, :meth:`from_json` or :meth:`empty`."""
        self._text = text
        self._data = data
        self._statements = _statements(data)
        self.compiled: Any = None
        """Cache of ``evaluate``: the compiled form of this document."""

    @classmethod
    def parse(cls, text: str) -> PolicyDocument:
        """Parse JSON text. Raises :class:`PolicyError`, with line and column for invalid JSON."""
        data = _json.loads(text)
        if not isinstance(data, dict):
            raise PolicyError("a policy must be a JSON object", line=1, column=1)
        return cls(text, data)

    @classmethod
    def from_json(cls, data: object) -> PolicyDocument:
        """Build from parsed JSON, which is copied. Raises :class:`PolicyError`."""
        try:
            _json.check(data)
        except RecursionError:
            raise PolicyError("the policy refers to itself") from None
        if not isinstance(data, Mapping):
            raise PolicyError("a policy must be a JSON object")
        copied = _json.copy(data)
        return cls(_json.dumps(copied), copied)

    @classmethod
    def empty(cls) -> PolicyDocument:
        return cls.from_json({"Version": NEW_VERSION, "Statement": []})

    @property
    def text(self) -> str:
        """The text as read, or the minified text of a document built in code."""
        return self._text

    @property
    def json(self) -> dict[str, Any]:
        """A deep copy of the document."""
        copied: dict[str, Any] = _json.copy(self._data)
        return copied

    @property
    def statements(self) -> tuple[Statement, ...]:
        return self._statements

    @property
    def version(self) -> str | None:
        """As written; None if missing (which means 2008-10-17)."""
        version = self._data.get("Version")
        return version if isinstance(version, str) else None

    @property
    def raw(self) -> Mapping[str, Any]:
        """The document itself, not a copy: must not be changed."""
        return self._data

    @property
    def expands_variables(self) -> bool:
        """Whether policy variables work: in 2012-10-17 only; elsewhere ``${aws:username}`` is literal text."""
        return self.version == NEW_VERSION

    def minified(self) -> str:
        return self._minified

    @cached_property
    def _minified(self) -> str:
        return _json.dumps(self._data)

    def pretty(self) -> str:
        return _json.pretty(self._data)

    @property
    def size(self) -> int:
        """Characters of the minified text, which is what is written; limited by :data:`LIMIT`."""
        return len(self._minified)

    def replace(self, statements: Iterable[Mapping[str, Any]]) -> PolicyDocument:
        """A copy with other statements; other elements keep their places."""
        data = dict(self._data)
        data["Statement"] = list(statements)
        return PolicyDocument.from_json(data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PolicyDocument) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"PolicyDocument({self._text!r})"


def strings(value: object) -> tuple[str, ...]:
    """The strings of an element that may be one or a list; skips other values."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple):
        return tuple(item for item in value if isinstance(item, str))
    return ()


def values_of(value: object) -> tuple[str, ...]:
    """Condition values as text: IAM compares true with "true" and 5 with "5"."""
    if isinstance(value, list | tuple):
        return tuple(text for item in value for text in values_of(item) if not isinstance(item, list | tuple))
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, str | int | float):
        return (str(value),)
    return ()


def condition_strings(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """The values of a statement's Condition, in which policy variables work."""
    condition = raw.get("Condition")
    blocks = condition.values() if isinstance(condition, Mapping) else ()
    return tuple(
        text for block in blocks if isinstance(block, Mapping) for value in block.values() for text in strings(value)
    )


def _principals(value: object) -> tuple[tuple[str, str], ...]:
    if isinstance(value, str):
        return (("AWS", "*"),) if value == "*" else ()
    if isinstance(value, Mapping):
        return tuple((kind, item) for kind, items in value.items() for item in strings(items))
    return ()


def _statements(data: Mapping[str, Any]) -> tuple[Statement, ...]:
    found = data.get("Statement", [])
    items = [found] if isinstance(found, Mapping) else found
    if not isinstance(items, list):
        raise PolicyError("Statement must be an object or a list of objects")
    for number, item in enumerate(items, start=1):
        if not isinstance(item, Mapping):
            raise PolicyError(f"statement {number} is not an object")
    return tuple(Statement(index, item) for index, item in enumerate(items))
