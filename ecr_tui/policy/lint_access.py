"""Findings about who gets what: public access, foreign hands, statements that cancel or repeat each other."""

from __future__ import annotations

from collections.abc import Iterator

from ecr_tui.policy.actions import all_actions, matching_actions
from ecr_tui.policy.compare import condition_key
from ecr_tui.policy.compiled import Rule, caller_of, compile_policy
from ecr_tui.policy.conditions import Clause, parse_operator
from ecr_tui.policy.document import PolicyDocument, Statement
from ecr_tui.policy.evaluate import Request, context_for
from ecr_tui.policy.findings import Check, Hit, Setting, place
from ecr_tui.policy.keys import TAG_PREFIXES, is_resource_tag
from ecr_tui.policy.lint_conditions import tag_context
from ecr_tui.policy.patterns import Context
from ecr_tui.policy.principal import account_of, canonical, describe

PERMISSIONS = ("ecr:SetRepositoryPolicy", "ecr:DeleteRepositoryPolicy")
TAGGING = ("ecr:TagResource", "ecr:UntagResource")
DELETION = (
    "ecr:BatchDeleteImage",
    "ecr:DeleteRepository",
    "ecr:DeleteLifecyclePolicy",
    "ecr:PutLifecyclePolicy",
    "ecr:PutImageTagMutability",
)

_NARROWING = frozenset(
    {
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:userid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpceaccount",
        "aws:vpceorgid",
    }
)
_SOURCES = frozenset({"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"})


def granted_actions(statement: Statement) -> frozenset[str]:
    """The known actions that a statement is about."""
    if statement.actions:
        return frozenset(action for pattern in statement.actions for action in matching_actions(pattern))
    if statement.not_actions:
        spared = {action for pattern in statement.not_actions for action in matching_actions(pattern)}
        return frozenset(all_actions()) - spared
    return frozenset()


def is_public(statement: Statement) -> bool:
    """An Allow for ``*`` that no condition limits to an organisation, an account, a network or known ARNs."""
    if statement.effect != "Allow" or ("AWS", "*") not in statement.principals:
        return False
    return not any(
        _narrows(name, key, values) for name, block in statement.condition.items() for key, values in block.items()
    )


def _narrows(name: str, key: str, values: tuple[str, ...]) -> bool:
    operator = parse_operator(name)
    base = operator.base
    if base is None or base == "null" or operator.negated or operator.if_exists:
        return False
    if operator.quantifier == "forallvalues" or key.lower() not in _NARROWING or not values:
        return False
    if base == "stringlike" or base.startswith("arn"):
        # A wildcard where the account stands lets everybody make a role of that name.
        return all(_names_somebody(value) for value in values)
    return True


def _names_somebody(value: str) -> bool:
    if value.startswith("arn:"):
        parts = value.split(":", 5)
        return len(parts) == 6 and "*" not in parts[4] and "?" not in parts[4]
    return value[:1] not in ("*", "?")


def _public(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        if is_public(statement):
            names = sorted(action.removeprefix("ecr:") for action in granted_actions(statement))
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            yield Hit("public", place(statement, "Principal"), shown or "do nothing", statement.name)


def _services(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        services = [value for kind, value in statement.principals if kind == "Service"]
        keys = {key.lower() for block in statement.condition.values() for key in block}
        if statement.effect == "Allow" and services and not keys & _SOURCES:
            yield Hit("service-without-source", place(statement, "Principal"), ", ".join(services), statement.name)


def _foreign_hands(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        if statement.effect != "Allow" or not _has_foreigner(statement, setting.account):
            continue
        given = granted_actions(statement)
        element = "Action" if statement.actions else "NotAction"
        for rule, actions in (
            ("grants-permissions", PERMISSIONS),
            ("grants-tagging", TAGGING),
            ("grants-deletion", DELETION),
        ):
            found = [action for action in actions if action in given]
            if found:
                yield Hit(rule, place(statement, element), ", ".join(found), statement.name)


def _has_foreigner(statement: Statement, account: str | None) -> bool:
    if "NotPrincipal" in statement.raw and "Principal" not in statement.raw:
        return True
    return any(
        value == "*" or account is None or (account_of(value) or account) != account
        for kind, value in statement.principals
        if kind == "AWS"
    )


def _lock_out(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    owner = caller_of(f"arn:{setting.partition or 'aws'}:iam::{setting.account or '0' * 12}:root")
    for rule in compile_policy(document).rules:
        if not rule.deny or not rule.principal_grip(owner, False):
            continue
        if not any(rule.action_matches(action.lower()) for action in PERMISSIONS[:1]):
            continue
        if _applies_whatever(rule, setting):
            yield Hit("lock-out", place(rule.statement), "", rule.statement.name)


def _applies_whatever(rule: Rule, setting: Setting) -> bool:
    """No condition, or only conditions on tags that the repository meets."""
    clauses = rule.clauses
    if not clauses:
        return clauses is not None
    if setting.tags is None or not all(is_resource_tag(clause.key) for clause in clauses):
        return False
    context = tag_context(setting.tags)
    return all(clause.test(context) for clause in clauses)


def _shadows(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    rules = compile_policy(document).rules
    denies = [rule for rule in rules if rule.deny]
    for allow in (rule for rule in rules if not rule.deny):
        for kind, value in allow.statement.principals:
            if kind != "AWS" or value == "*" or account_of(value) is None:
                continue
            principal = _as_caller(value, setting.partition)
            context = Request("", "", "", "", context_for(principal, setting.account or "", setting.tags)).keys
            for deny in denies:
                taken = _taken(allow, deny, principal, context)
                if taken:
                    what = f"{allow.statement.name} gives {describe(value)}: {', '.join(taken[:3])}"
                    what += f" and {len(taken) - 3} more" if len(taken) > 3 else ""
                    yield Hit("deny-shadows-grant", place(deny.statement), what, deny.statement.name)


def _as_caller(value: str, partition: str | None) -> str:
    return value if value.startswith("arn:") else f"arn:{partition or 'aws'}:iam::{value}:root"


def _taken(allow: Rule, deny: Rule, principal: str, context: Context) -> list[str]:
    """The actions that the Deny certainly takes from the principal: conditions on unknown keys do not count."""
    if not deny.principal_grip(caller_of(principal), False):
        return []
    if deny.clauses is None or not all(_certain(clause, context) and clause.test(context) for clause in deny.clauses):
        return []
    return sorted(action for action in granted_actions(allow.statement) if deny.action_matches(action.lower()))


def _certain(clause: Clause, context: Context) -> bool:
    return clause.key.lower() in context or clause.key.lower().startswith(TAG_PREFIXES)


def _repeats(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    seen = [(statement, _extent(statement)) for statement in document.statements]
    for index, (statement, extent) in enumerate(seen):
        if extent is None:
            continue
        for other_index, (other, its) in enumerate(seen):
            if its is None or other_index == index or other.effect != statement.effect:
                continue
            if its == extent:
                if other_index < index:
                    yield Hit("duplicate-statement", place(statement), other.name, statement.name)
                    break
            elif _within(extent, its):
                yield Hit("redundant-statement", place(statement), other.name, statement.name)
                break


_Extent = tuple[frozenset[str], frozenset[str], str]


def _extent(statement: Statement) -> _Extent | None:
    """(principals, actions, condition) of a plain statement; None for one too unusual to compare."""
    if not statement.effect or not set(statement.raw) <= {"Sid", "Effect", "Principal", "Action", "Condition"}:
        return None
    principals = frozenset(f"{kind}:{canonical(value)}" for kind, value in statement.principals)
    unknown = {pattern.lower() for pattern in statement.actions if not matching_actions(pattern)}
    actions = granted_actions(statement) | unknown
    if not principals or not actions:
        return None
    return principals, actions, condition_key(statement.raw.get("Condition"))


def _within(inner: _Extent, outer: _Extent) -> bool:
    everybody = "AWS:*" in outer[0] and all(item.startswith("AWS:") for item in inner[0])
    return (inner[0] <= outer[0] or everybody) and inner[1] <= outer[1] and outer[2] in ("", inner[2])


_TOOLS = ("terraform", "opentofu", "cloudformation", "pulumi", "cdk", "crossplane", "terragrunt")


def repository(setting: Setting) -> Iterator[Hit]:
    """Who else writes this repository's policy, as far as its tags tell."""
    for key, value in sorted((setting.tags or {}).items()):
        lower = key.lower()
        if lower == "aws:cloudformation:stack-name":
            yield Hit("managed-elsewhere", "", f"CloudFormation (stack {value})")
            return
        if lower.startswith(("aws:cloudformation:", "aws:servicecatalog:")):
            continue
        tool = next((name for name in _TOOLS if name in lower), None)
        if tool is None and any(word in lower for word in ("managed", "provision", "created", "deploy", "iac", "tool")):
            tool = next((name for name in _TOOLS if name in value.lower()), None)
        if tool is not None and value.lower() not in ("false", "no", "0"):
            yield Hit("managed-elsewhere", "", f"{tool} (tag {key}={value})")
            return


CHECKS: tuple[Check, ...] = (_public, _services, _foreign_hands, _lock_out, _shadows, _repeats)
