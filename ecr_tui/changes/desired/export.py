"""Export current grants as a file: our statements as ``[[grants]]``, others as comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from ecr_tui.access.audit_reading import Entry
from ecr_tui.aws.model import Repository
from ecr_tui.changes.desired.planning import words_of
from ecr_tui.changes.desired.rows import Selector
from ecr_tui.changes.plans import read_live
from ecr_tui.config.values import parse_tag
from ecr_tui.errors import InputError
from ecr_tui.policy.desired import ended
from ecr_tui.policy.ours import Own, read_own
from ecr_tui.policy.principal import ANY_ACCOUNT, canonical, parse_grantee
from ecr_tui.text import safe

_CONTROL = re.compile("[\x7f-\x9f\u2028\u2029]")


def grants_text(entries: Iterable[Entry], scope: Selector, account: str, now: datetime) -> str:
    """One ``[[grants]]`` for all repositories of a region with the same statement. ``scope``: as requested."""
    found: dict[Own, dict[str, list[str]]] = {}
    comments: list[str] = []
    for entry in entries:
        row = entry.repository
        try:
            if entry.unreadable:
                raise InputError(entry.unreadable)
            document = read_live(row, entry.text)[1]
        except InputError as error:
            comments.append(_comment(row, f"policy not readable, its grants are missing here: {error.title}"))
            continue
        for statement in document.statements if document is not None else ():
            own = read_own(statement)
            if own is None:
                comments.append(_comment(row, f"not by ecr-tui: {_json(statement.raw)}"))
            elif ended(own, now):
                comments.append(_comment(row, f"expired: {words_of(own)}"))
            elif not _can_say(own):
                comments.append(_comment(row, f"not possible in this file: {_json(statement.raw)}"))
            else:
                found.setdefault(own, {}).setdefault(row.region, []).append(row.name)
    head = [f"# Grants of ecr-tui in account {account}, {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC.", *_scope(scope)]
    grants = [_grant(own, region, names, account) for own, places in found.items() for region, names in places.items()]
    return "\n\n".join(["\n".join(head), *grants, *(["\n".join(comments)] if comments else [])])


def _grant(own: Own, region: str, names: Sequence[str], account: str) -> str:
    lines = [
        "[[grants]]",
        f"account = {_json(account)}",
        f"regions = {_json([region])}",
        f"repositories = {_texts(names)}",
        f"to = {_texts([canonical(one) for one in own.principals])}",
        f"access = {_json(str(own.access))}",
    ]
    if own.tags:
        lines.append(f"if-tag = {_texts([f'{key}={value}' for key, value in own.tags])}")
    if own.until is not None:
        lines.append(f"until = {own.until:%Y-%m-%dT%H:%M:%SZ}")
    return "\n".join(lines)


def _scope(scope: Selector) -> list[str]:
    lines = [f"repositories = {_texts(scope.repositories)}"] if scope.repositories else []
    lines += [f"tags = {_texts([f'{key}={value}' for key, value in scope.tags])}"] if scope.tags else []
    return ["", "[scope]", *lines] if lines else []


def _can_say(own: Own) -> bool:
    try:
        said = [parse_grantee(one, account_b=ANY_ACCOUNT) for one in own.principals]
        tags = [parse_tag(f"{key}={value}") for key, value in own.tags]
    except InputError:
        return False
    return tags == [*own.tags] and all(
        canonical(one) == canonical(other) for one, other in zip(said, own.principals, strict=True)
    )


def _comment(row: Repository, text: str) -> str:
    return safe(f"# {row.name} ({row.region}): {' '.join(text.split())}")


def _texts(values: Sequence[str]) -> str:
    if len(values) < 4:
        return _json([*values])
    return "".join(["[\n", *(f"    {_json(one)},\n" for one in values), "]"])


def _json(value: object) -> str:
    """On one line. JSON strings are valid TOML, except for surrogates and DEL."""
    text = json.dumps(value, ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
