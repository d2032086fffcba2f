"""Findings about Condition elements: form, keys, and current effect on this repository."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from ecr_tui.policy.compiled import Rule, rules_of
from ecr_tui.policy.conditions import MULTI_VALUED_KEYS, Clause, parse_date, parse_operator
from ecr_tui.policy.document import PolicyDocument, Statement
from ecr_tui.policy.findings import Check, Hit, Setting, place
from ecr_tui.policy.keys import OPERATORS, is_resource_tag, spelling_like, suits, type_of
from ecr_tui.policy.patterns import Context
from ecr_tui.policy.request import Request

SOON = timedelta(days=7)


def _form(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        condition = statement.raw.get("Condition", {})
        if not _is_condition(condition):
            yield Hit("bad-condition", place(statement, "Condition"), "", statement.name)
            continue
        for name, block in statement.condition.items():
            if parse_operator(name).base is None:
                where = place(statement, f"Condition.{name}")
                yield Hit("unknown-operator", where, name, statement.name, _operator_like(name))
                continue
            for key in block:
                yield from _key(statement, name, key)


def _operator_like(name: str) -> str:
    """The fix for a misspelled operator; "" if no operator is similar."""
    quantifier, colon, base = name.rpartition(":")
    found = get_close_matches(base.lower(), OPERATORS, n=1, cutoff=0.8)
    return f"Did you mean {quantifier}{colon}{OPERATORS[found[0]]}?" if found else ""


def _is_condition(condition: object) -> bool:
    """Operator -> key -> a value or a list of values."""
    if not isinstance(condition, Mapping):
        return False
    return all(
        isinstance(block, Mapping) and block and all(_is_value(value) for value in block.values())
        for block in condition.values()
    )


def _is_value(value: object) -> bool:
    items = value if isinstance(value, list | tuple) else [value]
    return all(isinstance(item, str | bool | int | float) for item in items)


def _key(statement: Statement, name: str, key: str) -> Iterator[Hit]:
    operator = parse_operator(name)
    where = place(statement, f"Condition.{name}.{key}")
    if ":" not in key:
        yield Hit("key-without-service", where, key, statement.name)
        return
    if type_of(key) is None:
        like = spelling_like(key)
        yield Hit("unknown-key", where, key, statement.name, f"Did you mean {like}?" if like else "")
        return
    if not suits(operator.base or "", key):
        yield Hit("operator-type", where, f"{name} and {key}", statement.name)
    if key.lower() in MULTI_VALUED_KEYS and not operator.quantifier and operator.base != "null":
        yield Hit("set-operator-missing", where, key, statement.name)
    if statement.effect != "Allow":
        return
    if operator.quantifier == "forallvalues" and not _requires(statement, key):
        yield Hit("for-all-values", where, f"{name} {key}", statement.name)
    if operator.if_exists and is_resource_tag(key) and not _requires(statement, key):
        yield Hit("if-exists-on-tag", where, f"{name} {key}", statement.name)


def _requires(statement: Statement, key: str) -> bool:
    """Whether a Null condition of the same statement requires the key."""
    return any(
        parse_operator(name).base == "null" and key.lower() == other.lower() and values == ("false",)
        for name, block in statement.condition.items()
        for other, values in block.items()
    )


def tag_context(tags: Mapping[str, str]) -> Context:
    """The condition keys of a repository's tags."""
    keys = {f"{prefix}:ResourceTag/{key}": value for key, value in tags.items() for prefix in ("aws", "ecr")}
    return Request("", "", "", "", keys).keys


def tag_clauses(rule: Rule) -> list[Clause]:
    """The clauses of a statement that depend only on the repository's tags."""
    return [
        clause
        for clause in rule.clauses or ()
        if is_resource_tag(clause.key) and not any("${" in value for value in clause.values)
    ]


def _tags(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    if setting.tags is None:
        return
    context = tag_context(setting.tags)
    for rule in rules_of(document):
        clauses = tag_clauses(rule)
        statement = rule.statement
        if rule.deny:
            if clauses and all(clause.test(context) for clause in clauses):
                for clause in clauses:
                    if clause.key.lower() not in context and parse_operator(clause.operator).negated:
                        where = place(statement, f"Condition.{clause.operator}.{clause.key}")
                        yield Hit("deny-hits-untagged", where, f"no tag {tag_name(clause)}", statement.name)
            continue
        for clause in clauses:
            if not clause.test(context):
                where = place(statement, f"Condition.{clause.operator}.{clause.key}")
                yield Hit("tag-not-met", where, _unmet(clause, context), statement.name)


def tag_name(clause: Clause) -> str:
    return clause.key.partition("/")[2]


def _unmet(clause: Clause, context: Context) -> str:
    wanted = " or ".join(clause.values)
    value = context.get(clause.key.lower())
    had = "the repository has no such tag" if value is None else f"the repository has {value}"
    return f"{clause.operator} {tag_name(clause)} {wanted}, and {had}"


def _times(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        end = ends_at(statement)
        if end is None or statement.effect != "Allow":
            continue
        shown = end.strftime("%Y-%m-%d %H:%M UTC")
        where = place(statement, "Condition")
        if end <= setting.now:
            yield Hit("grant-expired", where, shown, statement.name)
        elif end - setting.now <= SOON:
            yield Hit("grant-expires", where, shown, statement.name)


def ends_at(statement: Statement) -> datetime | None:
    """When a statement expires: the earliest end among its time conditions; None: never."""
    ends = []
    for name, block in statement.condition.items():
        operator = parse_operator(name)
        if operator.base not in ("datelessthan", "datelessthanequals") or operator.if_exists or operator.quantifier:
            continue
        for key, values in block.items():
            if key.lower() in ("aws:currenttime", "aws:epochtime"):
                seconds = [found for found in map(parse_date, values) if found is not None]
                # Values are OR-ed, so the latest of them counts.
                if seconds:
                    ends.append(max(seconds))
    try:
        return datetime.fromtimestamp(min(ends), UTC) if ends else None
    except (OverflowError, OSError, ValueError):
        return None


FORM: tuple[Check, ...] = (_form,)
CHECKS: tuple[Check, ...] = (*FORM, _tags, _times)
