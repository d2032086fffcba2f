"""The Condition element: every IAM operator, compiled into a test of a request's context.

Rules: IAM User Guide, "Condition operators" and "Multivalued context keys". A missing key makes an operator false,
a negated one true, ``...IfExists`` true, ``ForAllValues`` true and ``ForAnyValue`` false, with IfExists too. A value
that is not of the operator's type (a word under NumericEquals, a partial ARN under ArnLike) makes it false, negated or
not. Where AWS's documentation is ambiguous, :attr:`Clause.may` is true, so that a Deny is not missed.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from ecr_tui.policy.document import values_of
from ecr_tui.policy.patterns import (
    Context,
    arn_matcher,
    has_odd_variable,
    has_variable,
    split_arn,
    text_matcher,
    variables,
)

Single = Callable[[str, Context], bool]
Builder = Callable[[Sequence[str], bool], Single]

MULTI_VALUED_KEYS = frozenset(
    {
        "aws:tagkeys",
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:principalservicenameslist",
    }
)
"""Multivalued global keys: an operator without ForAllValues/ForAnyValue never matches them."""


class Operator(NamedTuple):
    """A parsed operator name. ``base`` is None for an unknown operator."""

    name: str
    base: str | None
    quantifier: str
    if_exists: bool

    @property
    def negated(self) -> bool:
        return self.base is not None and "not" in self.base


@lru_cache(maxsize=512)
def parse_operator(name: str) -> Operator:
    """Split "ForAnyValue:StringLikeIfExists". Names are matched without regard to case."""
    quantifier, colon, base = name.rpartition(":")
    lower = base.lower()
    if_exists = lower.endswith("ifexists")
    if if_exists:
        lower = lower.removesuffix("ifexists")
    known = lower in _BUILDERS or lower == "null"
    if colon and quantifier.lower() not in ("forallvalues", "foranyvalue"):
        known = False
    return Operator(name, lower if known else None, quantifier.lower(), if_exists)


class Clause:
    """One operator on one key, with its values: an AND-ed part of a Condition."""

    __slots__ = ("_doubtful", "_parsed", "key", "names", "operator", "test", "values")

    def __init__(self, operator_name: str, key: str, values: tuple[str, ...], expands: bool) -> None:
        self.operator = operator_name
        self.key = key
        self.values = values
        self._parsed = op = parse_operator(operator_name)
        self.test: Callable[[Context], bool] = _compile(op, key.lower(), values, expands)
        named = (name for value in values for name in variables(value)) if expands else ()
        self.names: tuple[str, ...] = tuple(dict.fromkeys((key, *named)))
        """The keys of the request that the result depends on, in the policy's spelling: its own key, and variables."""
        self._doubtful = (
            op.base is None
            or (op.negated and not all(_is_of_type(op.base, value) for value in values))
            or (expands and any(map(has_odd_variable, values)))
        )

    @property
    def is_known(self) -> bool:
        """Whether IAM knows the operator; a clause with any other never holds."""
        return self._parsed.base is not None

    def may(self, context: Context) -> bool:
        """Whether it holds or AWS's documentation is ambiguous (a value of another type under a negated operator, a
        multivalued key without ForAnyValue or ForAllValues, an unknown operator, an undocumented variable form)."""
        if self._doubtful or self.test(context):
            return True
        op, value = self._parsed, context.get(self.key.lower())
        if op.base is None or op.base == "null" or not value:
            return False
        if not isinstance(value, str):
            return not op.quantifier
        return op.negated and not _is_of_type(op.base, value)


def compile_condition(condition: object, expands: bool) -> tuple[Clause, ...] | None:
    """The clauses of a Condition element; () if empty, None if malformed (never matches)."""
    if condition is None:
        return ()
    if not isinstance(condition, Mapping):
        return None
    clauses: list[Clause] = []
    for name, block in condition.items():
        if not isinstance(block, Mapping):
            return None
        clauses.extend(Clause(name, key, values_of(value), expands) for key, value in block.items())
    return tuple(clauses)


def _compile(op: Operator, key: str, values: tuple[str, ...], expands: bool) -> Callable[[Context], bool]:
    if op.base is None:
        return lambda context: False
    if op.base == "null":
        wanted = {value.lower() for value in values}
        # An empty set counts as a missing key.
        return lambda context: ("true" if context.get(key, ()) == () else "false") in wanted
    when_missing = op.negated or op.if_exists
    single = _BUILDERS[op.base](values, expands)
    if op.quantifier:
        return _quantified(op, key, single)

    def test(context: Context) -> bool:
        value = context.get(key)
        if isinstance(value, str):
            return single(value, context)
        # A set needs ForAnyValue or ForAllValues; without them it matches nothing, negated or not.
        return not value and when_missing

    return test


def _quantified(op: Operator, key: str, single: Single) -> Callable[[Context], bool]:
    every = op.quantifier == "forallvalues"

    def test(context: Context) -> bool:
        value = context.get(key)
        if value is None:
            return every
        items = (value,) if isinstance(value, str) else value
        if not any(items):
            # An empty set; the guide counts an empty string as one.
            return every
        if every:
            return all(single(item, context) for item in items)
        return any(single(item, context) for item in items)

    return test


# --- one request value against the policy's values ---------------------------------------------------------------


def _strings(*, wildcards: bool = False, ignore_case: bool = False, negated: bool = False) -> Builder:
    def build(values: Sequence[str], expands: bool) -> Single:
        varying = expands and any(map(has_variable, values))
        if not varying and not ignore_case and not (wildcards and any("*" in v or "?" in v for v in values)):
            known = frozenset(values)
            if negated:
                return lambda value, context: value not in known
            return lambda value, context: value in known
        matchers = [
            text_matcher(value, wildcards=wildcards, ignore_case=ignore_case, expands=expands) for value in values
        ]
        if negated:
            return lambda value, context: not any(matcher(value, context) for matcher in matchers)
        return lambda value, context: any(matcher(value, context) for matcher in matchers)

    return build


def _arns(*, negated: bool = False) -> Builder:
    def build(values: Sequence[str], expands: bool) -> Single:
        matchers = [arn_matcher(value, expands=expands) for value in values]

        def match(value: str, context: Context) -> bool:
            results = [matcher(value, context) for matcher in matchers]
            if negated:
                return all(result is False for result in results)
            return any(results)

        return match

    return build


def _typed(parse: Callable[[str], Any], compare: Callable[[Any, Any], bool], *, negated: bool = False) -> Builder:
    """``compare(request's value, policy's value)``; for a negated operator it says "equal"."""

    def build(values: Sequence[str], expands: bool) -> Single:
        wanted = [parse(value) for value in values]

        def match(value: str, context: Context) -> bool:
            given = parse(value)
            if given is None:
                return False
            if negated:
                return all(item is not None and not compare(given, item) for item in wanted)
            return any(item is not None and compare(given, item) for item in wanted)

        return match

    return build


def _booleans() -> Builder:
    def build(values: Sequence[str], expands: bool) -> Single:
        matchers = [text_matcher(value, wildcards=False, ignore_case=True, expands=expands) for value in values]
        return lambda value, context: (
            value.lower() in ("true", "false") and any(matcher(value, context) for matcher in matchers)
        )

    return build


def _addresses(*, negated: bool = False) -> Builder:
    def build(values: Sequence[str], expands: bool) -> Single:
        networks = [parse_network(value) for value in values]

        def match(value: str, context: Context) -> bool:
            address = _address(value)
            if address is None:
                return False
            if negated:
                return all(network is not None and address not in network for network in networks)
            return any(network is not None and address in network for network in networks)

        return match

    return build


_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)


@lru_cache(maxsize=1024)
def parse_number(text: str) -> Decimal | None:
    """An integer or decimal; None for anything else."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII
)
_EPOCH = re.compile(r"-?\d{1,15}", re.ASCII)


@lru_cache(maxsize=1024)
def parse_date(text: str) -> float | None:
    """Seconds since 1970: from an integer (epoch time) or a W3C ISO 8601 date; UTC where it names no zone."""
    if _EPOCH.fullmatch(text):
        return float(text)
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (
        int(part or default) for part, default in zip(found.groups()[:6], (1, 1, 1, 0, 0, 0), strict=True)
    )
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=_zone(found.group(8)))
    except ValueError:
        return None
    return moment.timestamp() + float(f"0.{found.group(7) or 0}")


def _zone(text: str | None) -> timezone:
    if text in (None, "Z"):
        return UTC
    digits = str(text)[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if str(text).startswith("-") else offset)


@lru_cache(maxsize=1024)
def parse_binary(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


@lru_cache(maxsize=1024)
def parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """A CIDR block or a single address of either family; host bits may be set."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_of_type(base: str, value: str) -> bool:
    """Whether the operator can compare the value at all."""
    parse = next((found for name, found in _PARSERS.items() if base.startswith(name)), None)
    return parse is None or parse(value) is not None


def _parse_arn(text: str) -> list[str] | None:
    parts = split_arn(text, True)
    return parts if len(parts) == 6 and parts[0] == "arn" else None


_PARSERS: dict[str, Callable[[str], object]] = {
    "numeric": parse_number,
    "date": parse_date,
    "notip": parse_network,
    "arn": _parse_arn,
}
"""Operators that compare typed values, by prefix of their name."""

_BUILDERS: dict[str, Builder] = {
    "stringequals": _strings(),
    "stringnotequals": _strings(negated=True),
    "stringequalsignorecase": _strings(ignore_case=True),
    "stringnotequalsignorecase": _strings(ignore_case=True, negated=True),
    "stringlike": _strings(wildcards=True),
    "stringnotlike": _strings(wildcards=True, negated=True),
    "numericequals": _typed(parse_number, operator.eq),
    "numericnotequals": _typed(parse_number, operator.eq, negated=True),
    "numericlessthan": _typed(parse_number, operator.lt),
    "numericlessthanequals": _typed(parse_number, operator.le),
    "numericgreaterthan": _typed(parse_number, operator.gt),
    "numericgreaterthanequals": _typed(parse_number, operator.ge),
    "dateequals": _typed(parse_date, operator.eq),
    "datenotequals": _typed(parse_date, operator.eq, negated=True),
    "datelessthan": _typed(parse_date, operator.lt),
    "datelessthanequals": _typed(parse_date, operator.le),
    "dategreaterthan": _typed(parse_date, operator.gt),
    "dategreaterthanequals": _typed(parse_date, operator.ge),
    "bool": _booleans(),
    "binaryequals": _typed(parse_binary, operator.eq),
    "ipaddress": _addresses(),
    "notipaddress": _addresses(negated=True),
    "arnequals": _arns(),
    "arnlike": _arns(),
    "arnnotequals": _arns(negated=True),
    "arnnotlike": _arns(negated=True),
}
