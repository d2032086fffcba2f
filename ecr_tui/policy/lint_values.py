"""Findings about the values of conditions: their type, the shape of ids and ARNs, wildcards and variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from ecr_tui.policy.conditions import (
    MULTI_VALUED_KEYS,
    parse_binary,
    parse_date,
    parse_network,
    parse_number,
    parse_operator,
)
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.findings import Check, Hit, Setting, place
from ecr_tui.policy.keys import ARN, BOOL, TYPES, spelling_like, type_of
from ecr_tui.policy.patterns import has_variable, split_arn

_ISO = 'Write a date like "2027-01-31T00:00:00Z".'
_PARSERS: dict[str, tuple[Callable[[str], object], str, str]] = {
    "numeric": (parse_number, "is not a number", "Write a number."),
    "date": (parse_date, "is not a date", _ISO),
    "binary": (parse_binary, "is not Base64", "Encode the value as Base64."),
    "ipaddress": (parse_network, "is not an address range", 'Write a CIDR block like "203.0.113.0/24".'),
    "notipaddress": (parse_network, "is not an address range", 'Write a CIDR block like "203.0.113.0/24".'),
}
"""By prefix of an operator's name: the parser, the problem if it returns None, the fix."""

_YEARS = range(2006, 2200)
"""Plausible years; others are probably mistakes (20270131 and 1800000000000 are read as seconds)."""

_SHAPES: dict[str, tuple[str, str, str]] = {
    "account": (r"[0-9]{12}", r"[0-9*?]+", "is not a 12-digit account id"),
    "organization": (r"o-[a-z0-9]+", r"[o*?][-a-z0-9*?]*", "is not an organization id (o-...)"),
    "path": (r"o-[a-z0-9]+/(?:[a-z0-9-]+/)*", r"[o*?].*(?:/|[*?])", "is not a path like o-.../r-.../ou-.../"),
    "vpc": (r"vpc-[0-9a-z]+", r"[v*?][-a-z0-9*?]*", "is not a VPC id (vpc-...)"),
    "endpoint": (r"vpce-[0-9a-z]+", r"[v*?][-a-z0-9*?]*", "is not a VPC endpoint id (vpce-...)"),
    "region": (r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+", r".*[*?].*", "is not a region like eu-central-1"),
    "type": (
        r"Account|User|FederatedUser|AssumedRole|Anonymous",
        r".*[*?].*",
        "is not one of Account, User, FederatedUser, AssumedRole",
    ),
}
"""The exact form, the form of a pattern, and the problem with anything else."""

_SHAPE_OF = {
    "aws:principalaccount": "account",
    "aws:sourceaccount": "account",
    "aws:resourceaccount": "account",
    "aws:vpceaccount": "account",
    "aws:principalorgid": "organization",
    "aws:sourceorgid": "organization",
    "aws:resourceorgid": "organization",
    "aws:vpceorgid": "organization",
    "aws:principalorgpaths": "path",
    "aws:sourceorgpaths": "path",
    "aws:resourceorgpaths": "path",
    "aws:vpceorgpaths": "path",
    "aws:sourcevpc": "vpc",
    "aws:ec2instancesourcevpc": "vpc",
    "aws:sourcevpce": "endpoint",
    "aws:requestedregion": "region",
    "aws:principaltype": "type",
}

_FREE_TEXT = frozenset({"aws:useragent", "aws:referer"})
"""Keys whose values may contain * and ?."""

_VARIABLE = re.compile(r"\s*([^{},]+?)\s*(?:,\s*'[^']*'\s*)?")
_SESSION_ARN = re.compile(r"arn:([^:]+):sts::([0-9]{12}):assumed-role/([^/]+).*")


def _values(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    expands = document.expands_variables
    for statement in document.statements:
        for name, block in statement.condition.items():
            base = parse_operator(name).base
            if base is None:
                continue
            for key, values in block.items():
                where = place(statement, f"Condition.{name}.{key}")
                if expands and "${" in key:
                    yield Hit("bad-variable", where, f"{key}, a key with a variable,", statement.name)
                if not values:
                    yield Hit("bad-value", where, f"{name} {key} has no value", statement.name)
                for value in values:
                    found = _problem(base, key.lower(), value, expands)
                    if found is not None:
                        rule, words, fix = found
                        yield Hit(rule, where, f'{name} {key} "{value}" {words}'.rstrip(), statement.name, fix)
                    if expands and base.startswith(("string", "arn", "bool")):
                        for rule, text, fix in _variables(value):
                            yield Hit(rule, where, text, statement.name, fix)


def _problem(base: str, key: str, value: str, expands: bool) -> tuple[str, str, str] | None:
    """The rule, the problem with the value, and the fix; None for a valid value."""
    varies = expands and has_variable(value)
    if base in ("null", "bool"):
        good = value.lower() in ("true", "false") or (base == "bool" and varies)
        return None if good else ("bad-value", "is neither true nor false", 'Write "true" or "false".')
    for beginning, (parse, words, fix) in _PARSERS.items():
        if base.startswith(beginning):
            if parse(value) is None:
                return "bad-value", words, fix
            return _odd_date(value) if beginning == "date" else None
    if base.startswith("arn"):
        return _arn(key, value, expands)
    return None if varies else _text(base, key, value)


def _odd_date(value: str) -> tuple[str, str, str] | None:
    seconds = parse_date(value) or 0
    try:
        year = datetime.fromtimestamp(seconds, UTC).year
    except (OverflowError, OSError, ValueError):
        year = 0
    return (
        None if year in _YEARS else ("unlikely-value", f"counts as a time in the year {year or 'out of range'}", _ISO)
    )


def _arn(key: str, value: str, expands: bool) -> tuple[str, str, str] | None:
    parts = split_arn(value, expands)
    if len(parts) != 6 or parts[0] != "arn":
        return "bad-value", "is not an ARN", "Write an ARN with six parts, like arn:aws:iam::222222222222:role/NAME."
    return _principal_arn(key, value)


def _text(base: str, key: str, value: str) -> tuple[str, str, str] | None:
    """A value of a string operator."""
    like = base.endswith("like")
    wild = "*" in value or "?" in value
    if wild and not like and key not in _FREE_TEXT:
        return "literal-wildcard", "", ""
    shape = _SHAPE_OF.get(key)
    if shape is not None:
        exact, pattern, words = _SHAPES[shape]
        good = re.fullmatch(pattern if like and wild else exact, value)
        return None if good else ("unlikely-value", words, "")
    kind = TYPES.get(key)
    if kind == BOOL and not wild and value not in ("true", "false"):
        return "unlikely-value", "is neither true nor false", 'Write {"Bool": {KEY: "true"}}.'
    if kind == ARN and key.endswith("arn"):
        if not value.startswith(("arn:", "*", "?")) and not (like and "arn:".startswith(value.split("*")[0])):
            return "unlikely-value", "is not an ARN", "Write the whole ARN."
        return _principal_arn(key, value)
    if key == "aws:userid" and not wild and value.startswith("AROA") and ":" not in value:
        fix = f'Write StringLike "{value}:*".'
        return "unlikely-value", "has no session: the aws:userid of a role is ID:SESSION", fix
    return None


def _principal_arn(key: str, value: str) -> tuple[str, str, str] | None:
    """aws:PrincipalArn holds the role of a session, never the session."""
    found = _SESSION_ARN.fullmatch(value) if key == "aws:principalarn" else None
    if found is None:
        return None
    role = f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}"
    return (
        "unlikely-value",
        "is a session ARN, but the key has the role ARN",
        f"Write {role}, with its path if it has one.",
    )


def _variables(value: str) -> Iterator[tuple[str, str, str]]:
    """(rule, variable, fix) for each invalid variable, or one without a value."""
    start = value.find("${")
    while start >= 0:
        end = value.find("}", start)
        if end < 0:
            yield "bad-variable", f'"{value[start:]}", which is unclosed,', "Close the variable with }."
            return
        text, inner = value[start : end + 1], value[start + 2 : end]
        found = _VARIABLE.fullmatch(inner)
        if inner not in ("*", "?", "$"):
            if found is None:
                yield "bad-variable", text, ""
            elif found[1].lower() in MULTI_VALUED_KEYS:
                yield "bad-variable", f"{text}, a multivalued key,", "Use a single-valued key."
            elif type_of(found[1]) is None:
                like = spelling_like(found[1])
                yield "unknown-variable", text, f"Did you mean ${{{like}}}?" if like else ""
        start = value.find("${", end)


def _twice(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        seen: dict[tuple[str, str], tuple[str, str]] = {}
        for name, block in statement.condition.items():
            for key in block:
                first = seen.setdefault((name.lower(), key.lower()), (name, key))
                if first != (name, key):
                    where = place(statement, f"Condition.{name}.{key}")
                    yield Hit("duplicate-key", where, f"{name}: {first[1]} and {key}", statement.name)


CHECKS: tuple[Check, ...] = (_values, _twice)
