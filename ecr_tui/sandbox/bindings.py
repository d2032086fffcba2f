"""Principals inside a stored repository policy: AWS keeps unique ids, and shows ARNs for those that still live.

So a deleted user's id shows raw, grants nothing, and does not come back with a namesake
(IAM User Guide, "AWS JSON policy elements: Principal").
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,}")

Live = frozenset[tuple[str, str]]
"""(unique id, ARN) of every user and role that exists."""


def to_ids(document: dict[str, Any], live: Live) -> dict[str, Any]:
    """The stored form: ids instead of ARNs of users and roles, root ARNs instead of bare account ids."""
    ids = {arn: unique for unique, arn in live}

    def stored(value: str) -> str:
        return f"arn:aws:iam::{value}:root" if re.fullmatch(r"\d{12}", value) else ids.get(value, value)

    return _mapped(document, stored)


@lru_cache(maxsize=8192)
def to_arns(text: str, live: Live) -> str:
    """The returned form: the stored text with ARNs for ids of existing principals. Text without ids is unchanged."""
    if not _ID.search(text):
        return text
    arns = dict(live)
    return pretty(_mapped(json.loads(text), lambda value: arns.get(value, value)))


def _mapped(document: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    statements = document.get("Statement", [])
    single = isinstance(statements, dict)
    changed = [_statement(one, change) for one in ([statements] if single else statements)]
    return {**document, "Statement": changed[0] if single else changed}


def _statement(statement: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    found = dict(statement)
    for element in ("Principal", "NotPrincipal"):
        block = found.get(element)
        if isinstance(block, dict) and "AWS" in block:
            names = block["AWS"]
            found[element] = {
                **block,
                "AWS": change(names) if isinstance(names, str) else [change(one) for one in names],
            }
    return found


def pretty(value: Any, level: int = 0) -> str:
    """The layout of policies returned by ECR (see the example of get-repository-policy in the CLI reference)."""
    pad, outer = "  " * (level + 1), "  " * level
    if isinstance(value, dict):
        if not value:
            return "{ }"
        lines = ",\n".join(
            f"{pad}{json.dumps(k, ensure_ascii=False)} : {pretty(v, level + 1)}" for k, v in value.items()
        )
        return f"{{\n{lines}\n{outer}}}"
    if isinstance(value, list):
        return f"[ {', '.join(pretty(item, level) for item in value)} ]" if value else "[ ]"
    return json.dumps(value, ensure_ascii=False)
