"""Findings about the form of a document and its statements, valid for any IAM policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ecr_tui.policy.document import (
    DOCUMENT_ELEMENTS,
    LIMIT,
    NEW_VERSION,
    OLD_VERSION,
    STATEMENT_ELEMENTS,
    PolicyDocument,
    Statement,
)
from ecr_tui.policy.export import dynamic_references
from ecr_tui.policy.findings import Check, Hit, Setting, place

NEAR_LIMIT = LIMIT * 85 // 100


def _document(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for key in document.raw:
        if key not in DOCUMENT_ELEMENTS:
            yield Hit("unknown-element", key, key, "", _respelled(key, DOCUMENT_ELEMENTS))
    if not document.statements:
        yield Hit("empty-policy", "Statement")
    if "Version" in document.raw and document.version not in (NEW_VERSION, OLD_VERSION):
        yield Hit("bad-version", "Version", str(document.raw["Version"]))
    sids = Counter(statement.sid for statement in document.statements if statement.sid)
    for statement in document.statements:
        if statement.sid and sids[statement.sid] > 1:
            yield Hit("duplicate-sid", place(statement, "Sid"), statement.sid, statement.name)
        if statement.sid and not (statement.sid.isascii() and statement.sid.isalnum()):
            yield Hit("odd-sid", place(statement, "Sid"), statement.sid, statement.name)


def _respelled(key: str, known: frozenset[str]) -> str:
    """The fix for an element that differs from a known one only by case or plural."""
    likely = [name for name in known if name.lower() in (key.lower(), key.lower().removesuffix("s"))]
    return f'Write "{likely[0]}": element names are case-sensitive.' if likely else ""


def _size(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    used = f"{document.size:,} of {LIMIT:,} characters ({document.size * 100 // LIMIT} %)"
    if document.size > LIMIT:
        yield Hit("too-large", "", used)
    elif document.size > NEAR_LIMIT:
        yield Hit("near-limit", "", used)


def _literal_variables(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    if document.expands_variables:
        return
    for statement in document.statements:
        for operator, block in statement.condition.items():
            for key, values in block.items():
                variable = next((text for text in values if "${" in text), None)
                if variable is not None:
                    where = place(statement, f"Condition.{operator}.{key}")
                    yield Hit("variables-are-literal", where, variable, statement.name)


def _dynamic_references(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        for reference in dynamic_references(statement.raw):
            yield Hit("dynamic-reference", place(statement), reference, statement.name)


def _statements(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        raw, name = statement.raw, statement.name
        if not statement.effect:
            yield Hit("bad-effect", place(statement, "Effect"), str(raw.get("Effect", "(missing)")), name)
        if not statement.actions and not statement.not_actions:
            yield Hit("no-action", place(statement), "", name)
        for element in ("Action", "Principal", "Resource"):
            if element in raw and f"Not{element}" in raw:
                yield Hit("element-pair", place(statement), f"{element} and Not{element}", name)
        for key in raw:
            if key not in STATEMENT_ELEMENTS:
                yield Hit("unknown-element", place(statement, key), key, name, _respelled(key, STATEMENT_ELEMENTS))
        yield from _texts(statement)


def _texts(statement: Statement) -> Iterator[Hit]:
    """Values that must be text and are not, most often an account id without quotes."""
    raw = statement.raw
    for element in ("Sid", "Action", "NotAction", "Resource", "NotResource"):
        yield from _not_text(statement, element, raw.get(element, ""))
    for element in ("Principal", "NotPrincipal"):
        value = raw.get(element, "")
        if isinstance(value, Mapping):
            for kind, names in value.items():
                yield from _not_text(statement, f"{element}.{kind}", names)
        else:
            yield from _not_text(statement, element, value)


def _not_text(statement: Statement, element: str, value: object) -> Iterator[Hit]:
    items = value if isinstance(value, list | tuple) and element != "Sid" else [value]
    for item in items:
        if not isinstance(item, str):
            subject, fix = _described(item, element)
            yield Hit("not-text", place(statement, element), subject, statement.name, fix)


def _described(value: object, element: str) -> tuple[str, str]:
    """A description of the value, and the fix."""
    if isinstance(value, bool):
        return f"{'true' if value else 'false'}, a boolean", ""
    if isinstance(value, int | float):
        text = str(value)
        if "Principal" in element and text.isdecimal() and len(text) <= 12:
            return f"{text} is a number", f'Write the account id as a string: "{text.zfill(12)}".'
        return f"{text} is a number", f'Write it as a string: "{text}".'
    if value is None:
        return "null", "Write a value, or remove the element."
    return (
        "an object" if isinstance(value, Mapping) else "a list within a list"
    ), "Write a string or a list of strings."


CHECKS: tuple[Check, ...] = (_document, _literal_variables, _dynamic_references, _statements)
"""Checks that apply to every IAM policy. ``SIZE`` is separate: it applies to repository policies only."""

SIZE: Check = _size
