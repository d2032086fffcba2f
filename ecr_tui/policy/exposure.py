"""Exposure of an Allow for everyone, given its conditions: everyone, a network, AWS services, or known callers.

A condition narrows access only if callers of other accounts cannot meet it. That depends on who sets the value of its
key: AWS (the caller's account, organization, ARN), the network, account A (the repository), or the caller (tags,
session names, everything else). A pattern narrows only if no other account's value can match it. Sources: IAM User
Guide, "Global condition context keys"; Amazon S3 User Guide, "The meaning of public" (for the width of address ranges).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from enum import IntEnum

from ecr_tui.policy.compiled import Rule
from ecr_tui.policy.conditions import MULTI_VALUED_KEYS, Clause, parse_network, parse_operator
from ecr_tui.policy.keys import ALWAYS, ARN, RESOURCE_TAG_PREFIXES, TYPES
from ecr_tui.policy.patterns import split_arn

SOURCES = frozenset({"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"})
"""The source that a service acts for; only requests of services have these keys."""

_SERVICES = frozenset({"aws:principalservicename", "aws:principalservicenameslist", "aws:principalisawsservice"})
_ADDRESS = "aws:sourceip"
_NETWORK = frozenset(
    {
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourcevpcarn",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "aws:ec2instancesourcevpc",
    }
)
_IDS = frozenset({"aws:principalaccount", "aws:principalorgid", "aws:sourceaccount", "aws:sourceorgid"})
_PATHS = frozenset({"aws:principalorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths"})
_UNIQUE = frozenset({"aws:userid", "identitystore:userid"})
_PROVIDER = "aws:federatedprovider"
_RESOURCE = ("aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths")

_ID_LENGTH = 12
"""Characters needed to exclude any other id: an account's 12 digits, "o-" and ten more, "vpc-" and eight more."""

_HOLE = "\0"
"""Placeholder for a part that callers control: a wildcard, or a variable with their own value."""
_FIXED = "\1"
"""Placeholder for a variable with a value of the repository, which account A controls."""

_PIECES = re.compile(r"(\$\{[^}]*\}|[*?])")
_ACCOUNT = re.compile(rf"[0-9]{{12}}|{_FIXED}")
_WIDEST_4, _WIDEST_6 = 2**24, 2**96
"""Widest address ranges that count as a limit: /8, and /32 for IPv6."""


class Reach(IntEnum):
    """Exposure of an Allow for everyone; greater is narrower."""

    EVERYBODY = 0
    NETWORK = 1
    """Everyone calling from certain addresses, VPCs or endpoints."""
    SERVICES = 2
    """AWS services acting for any customer."""
    LIMITED = 3
    """Callers named by the conditions, or no one."""


def reach(rule: Rule, expands: bool, keys: Iterable[str] | None = None) -> Reach:
    """``keys``: consider conditions on these only (lower case). ``expands``: the document's Version has variables."""
    if rule.clauses is None:
        return Reach.LIMITED
    groups: dict[str, list[Clause]] = {}
    for clause in rule.clauses:
        groups.setdefault(clause.key.lower(), []).append(clause)
    wanted = groups.keys() if keys is None else groups.keys() & set(keys)
    return max((_of_key(key, groups[key], expands) for key in wanted), default=Reach.EVERYBODY)


def _of_key(key: str, clauses: list[Clause], expands: bool) -> Reach:
    """All conditions on one key: callers can choose to send the key or not."""
    present = max(_with_key(key, clause, expands) for clause in clauses)
    if key in ALWAYS or not all(clause.test({}) for clause in clauses):
        return present
    return Reach.EVERYBODY


def _with_key(key: str, clause: Clause, expands: bool) -> Reach:
    operator = parse_operator(clause.operator)
    base = operator.base
    if base is None:
        return Reach.LIMITED
    if base == "null":
        return Reach.EVERYBODY if "false" in map(str.lower, clause.values) else Reach.LIMITED
    if key in MULTI_VALUED_KEYS and not operator.quantifier:
        return Reach.LIMITED
    if operator.negated:
        return Reach.EVERYBODY
    if key == _ADDRESS and base == "ipaddress":
        return _addresses(clause.values)
    return min((_value(key, base, value, expands) for value in clause.values), default=Reach.LIMITED)


def _addresses(values: tuple[str, ...]) -> Reach:
    """Address ranges together: two halves of the internet are no limit."""
    networks = [network for network in map(parse_network, values) if network is not None]
    four = ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv4Network))
    six = ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv6Network))
    wide = sum(one.num_addresses for one in four) > _WIDEST_4 or sum(one.num_addresses for one in six) > _WIDEST_6
    return Reach.EVERYBODY if wide else Reach.NETWORK


def _value(key: str, base: str, value: str, expands: bool) -> Reach:
    """One value of a positive operator, for requests with the key."""
    if key in _SERVICES:
        return Reach.EVERYBODY if key == "aws:principalisawsservice" and value.lower() != "true" else Reach.SERVICES
    if _is_resource(key):
        return _variables_reach(value) if expands else Reach.EVERYBODY
    if key == _ADDRESS:
        start = _outline(value, base == "stringlike", expands).partition(_HOLE)[0]
        return Reach.NETWORK if "." in start or ":" in start else Reach.EVERYBODY
    if key not in _IDS | _PATHS | _UNIQUE | _NETWORK and TYPES.get(key) != ARN and key != _PROVIDER:
        return Reach.EVERYBODY
    if not _pins(key, base, value, expands):
        return Reach.EVERYBODY
    return Reach.NETWORK if key in _NETWORK else Reach.LIMITED


def _is_resource(key: str) -> bool:
    return key in _RESOURCE or key.startswith(RESOURCE_TAG_PREFIXES)


def _variables_reach(value: str) -> Reach:
    """The repository's value compared with the caller's: narrow if callers cannot choose theirs."""
    found = Reach.EVERYBODY
    for piece in _PIECES.findall(value):
        name = piece[2:-1].partition(",")[0].strip().lower()
        if name in _IDS | _UNIQUE or TYPES.get(name) == ARN:
            found = max(found, Reach.NETWORK if name in _NETWORK else Reach.LIMITED)
        elif name in _NETWORK or name == _ADDRESS:
            found = max(found, Reach.NETWORK)
    return found


def _outline(value: str, wildcards: bool, expands: bool) -> str:
    """The value with placeholders for the parts that callers control."""
    pieces = []
    for piece in filter(None, _PIECES.split(value)):
        if piece in ("*", "?"):
            pieces.append(_HOLE if wildcards else piece)
        elif expands and piece.startswith("${"):
            inner = piece[2:-1]
            name = inner.partition(",")[0].strip().lower()
            pieces.append(inner if inner in ("*", "?", "$") else _FIXED if _is_resource(name) else _HOLE)
        else:
            pieces.append(piece)
    return "".join(pieces)


def _pins(key: str, base: str, value: str, expands: bool) -> bool:
    """Whether no value of another account's caller can match."""
    if "than" in base:
        return False
    if base.startswith("arn"):
        return _pins_arn_parts([_outline(part, True, expands) for part in split_arn(value, expands)])
    outline = _outline(value, base == "stringlike", expands)
    if TYPES.get(key) == ARN or key == _PROVIDER:
        return _pins_arn(key, outline)
    if _HOLE not in outline:
        return True
    start = outline.partition(_HOLE)[0]
    if key in _PATHS:
        return "/" in start or len(start) >= _ID_LENGTH
    if key in _UNIQUE:
        return len(start) >= _ID_LENGTH
    return len(outline.replace(_HOLE, "").replace(_FIXED, "")) >= _ID_LENGTH


def _pins_arn(key: str, outline: str) -> bool:
    """Under string operators a wildcard crosses colons, and the path of a caller's ARN may hold any text."""
    parts = outline.split(":", 5)
    if key == _PROVIDER and parts[0] != "arn":
        return False  # "accounts.google.com" serves every account
    if _HOLE not in outline:
        return True
    if key == "aws:principalarn" and _HOLE in "".join(parts[:4]):
        return False
    return _pins_arn_parts(parts)


def _pins_arn_parts(parts: list[str]) -> bool:
    if _HOLE not in "".join(parts):
        return True
    if len(parts) < 5 or _HOLE in parts[0]:
        return False
    if not parts[4] and len(parts) == 6:
        return _HOLE not in parts[5]  # an S3 bucket's ARN names no account
    return _ACCOUNT.match(parts[4]) is not None
