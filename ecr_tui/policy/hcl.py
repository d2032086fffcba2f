"""Terraform's language for policies. Text of a policy must never become a template."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ecr_tui.policy import _json
from ecr_tui.policy.document import (
    DOCUMENT_ELEMENTS,
    NEW_VERSION,
    STATEMENT_ELEMENTS,
    PolicyDocument,
    strings,
    values_of,
)


def quote(text: str) -> str:
    """A string literal. ``${`` and ``%{`` start a template, so they are escaped by doubling."""
    quoted = json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    # HCL supports \\n, \\r, \\t, \\" and \\\\; JSON's other short escapes are written as \\uNNNN.
    return re.sub(r"(?<!\\)((?:\\\\)*)\\([bf])", lambda m: m[1] + {"b": "\\u0008", "f": "\\u000c"}[m[2]], quoted)


def label(name: str) -> str:
    """A resource name from a repository's name: letters, digits, _ and -, not starting with a digit."""
    made = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return made if made[:1].isalpha() or made[:1] == "_" else f"_{made}"


def literal(value: Any, indent: str = "") -> str:
    """Any JSON value as an expression."""
    deeper = indent + "  "
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, Mapping):
        rows = [f"{deeper}{quote(key)} = {literal(item, deeper)}" for key, item in value.items()]
        return "{\n" + "\n".join(rows) + f"\n{indent}}}" if rows else "{}"
    if isinstance(value, list | tuple):
        return (
            "[\n" + "".join(f"{deeper}{literal(item, deeper)},\n" for item in value) + f"{indent}]" if value else "[]"
        )
    return _json.dumps(value)


def policy_document(document: PolicyDocument, name: str) -> str | None:
    """An ``aws_iam_policy_document`` that renders to the same meaning; None if it cannot express the policy."""
    if not set(document.raw) <= DOCUMENT_ELEMENTS or not isinstance(document.raw.get("Id", ""), str):
        return None
    blocks = []
    for statement in document.statements:
        block = _statement(statement.raw)
        if block is None:
            return None
        blocks.append(block)
    head = [f'data "aws_iam_policy_document" "{name}" {{']
    if document.version != NEW_VERSION:
        head.append(f"  version = {quote(document.version or '2008-10-17')}")
    if "Id" in document.raw:
        head.append(f"  policy_id = {quote(document.raw['Id'])}")
    between = "\n" if len(head) == 1 else "\n\n"
    return "\n".join(head) + between + "\n\n".join(blocks) + "\n}\n"


_LISTS = {"Action": "actions", "NotAction": "not_actions", "Resource": "resources", "NotResource": "not_resources"}


def _statement(raw: Mapping[str, Any]) -> str | None:
    if (
        not set(raw) <= STATEMENT_ELEMENTS
        or not isinstance(raw.get("Sid", ""), str)
        or not isinstance(raw.get("Effect"), str)
    ):
        return None
    lines = ["  statement {"]
    if raw.get("Sid"):
        lines.append(f"    sid    = {quote(raw['Sid'])}")
    lines.append(f"    effect = {quote(raw['Effect'])}")
    for element, attribute in _LISTS.items():
        if element in raw:
            lines.append(f"    {attribute} = {_list(strings(raw[element]), 4)}")
    for element, block in (("Principal", "principals"), ("NotPrincipal", "not_principals")):
        if element in raw:
            pairs = _principals(raw[element])
            if pairs is None:
                return None
            for kind, names in pairs:
                lines += ["", f"    {block} {{", f"      type        = {quote(kind)}"]
                lines += [f"      identifiers = {_list(names, 6)}", "    }"]
    condition = raw.get("Condition", {})
    if not isinstance(condition, Mapping):
        return None
    for test, keys in condition.items():
        if not isinstance(keys, Mapping):
            return None
        for variable, value in keys.items():
            lines += ["", "    condition {", f"      test     = {quote(test)}"]
            lines += [f"      variable = {quote(variable)}", f"      values   = {_list(values_of(value), 6)}", "    }"]
    return "\n".join([*lines, "  }"])


def _principals(value: object) -> list[tuple[str, tuple[str, ...]]] | None:
    if value == "*":
        return [("*", ("*",))]
    if not isinstance(value, Mapping):
        return None
    return [(kind, strings(names)) for kind, names in value.items()]


def _list(items: Sequence[str], indent: int) -> str:
    if len(items) == 1:
        return f"[{quote(items[0])}]"
    pad = " " * indent
    return "[\n" + "".join(f"{pad}  {quote(item)},\n" for item in items) + f"{pad}]" if items else "[]"
