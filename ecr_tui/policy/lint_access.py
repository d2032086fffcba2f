"""Findings about access: public or too wide, and statements that cancel or repeat each other."""

from __future__ import annotations

from collections.abc import Iterator

from ecr_tui.policy.actions import matching_actions
from ecr_tui.policy.compare import condition_key
from ecr_tui.policy.compiled import Rule, caller_of, rules_of
from ecr_tui.policy.conditions import Clause
from ecr_tui.policy.document import PLAIN_ELEMENTS, PolicyDocument, Statement
from ecr_tui.policy.evaluate import Request, context_for
from ecr_tui.policy.exposure import SOURCES, Reach, reach
from ecr_tui.policy.findings import Check, Hit, Setting, place
from ecr_tui.policy.keys import TAG_PREFIXES, is_resource_tag
from ecr_tui.policy.lint_actions import granted_actions
from ecr_tui.policy.lint_conditions import ends_at, tag_context
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


def _open(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    """Allows for everyone, by their exposure."""
    for rule in rules_of(document):
        statement = rule.statement
        if rule.deny or ("AWS", "*") not in statement.principals or _ended(statement, setting):
            continue
        where = place(statement, "Principal")
        found = reach(rule, document.expands_variables)
        if found is Reach.EVERYBODY:
            yield Hit("public", where, _shown_actions(statement), statement.name, _not_narrowing(rule))
        elif found is Reach.NETWORK:
            yield Hit("network-only", where, _shown_actions(statement), statement.name)
        elif found is Reach.SERVICES:
            yield Hit("service-without-source", where, "Every AWS service", statement.name)


def _ended(statement: Statement, setting: Setting) -> bool:
    end = ends_at(statement)
    return end is not None and end <= setting.now


def _shown_actions(statement: Statement) -> str:
    names = sorted(action.removeprefix("ecr:") for action in granted_actions(statement)) or list(statement.actions)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _not_narrowing(rule: Rule) -> str:
    """The fix if the statement has conditions that look like a limit to certain callers."""
    seeming = [
        clause for clause in rule.clauses or () if clause.key.lower().startswith(("aws:principal", "aws:source"))
    ]
    if not seeming:
        return ""
    clause = seeming[0]
    values = ", ".join(clause.values[:2])
    return (
        f"{clause.operator} {clause.key} {values} does not keep other accounts out. "
        "Name principals, or require your organization's id with StringEquals aws:PrincipalOrgID."
    )


def _services(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for rule in rules_of(document):
        statement = rule.statement
        services = [value for kind, value in statement.principals if kind == "Service"]
        if services and not rule.deny and reach(rule, document.expands_variables, SOURCES) is not Reach.LIMITED:
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
    for rule in rules_of(document):
        if not rule.deny or not rule.principal_grip(owner, False):
            continue
        if not any(rule.action_matches(action.lower()) for action in PERMISSIONS[:1]):
            continue
        if _applies_whatever(rule, setting):
            yield Hit("lock-out", place(rule.statement), "", rule.statement.name)


def _applies_whatever(rule: Rule, setting: Setting) -> bool:
    """Whether it has no condition, or only tag conditions that the repository meets."""
    clauses = rule.clauses
    if not clauses:
        return clauses is not None
    if setting.tags is None or not all(is_resource_tag(clause.key) for clause in clauses):
        return False
    context = tag_context(setting.tags)
    return all(clause.test(context) for clause in clauses)


def _shadows(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    rules = rules_of(document)
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
                    what = f"{allow.statement.name} grants {describe(value)}: {', '.join(taken[:3])}"
                    what += f" and {len(taken) - 3} more" if len(taken) > 3 else ""
                    yield Hit("deny-shadows-grant", place(deny.statement), what, deny.statement.name)


def _as_caller(value: str, partition: str | None) -> str:
    return value if value.startswith("arn:") else f"arn:{partition or 'aws'}:iam::{value}:root"


def _taken(allow: Rule, deny: Rule, principal: str, context: Context) -> list[str]:
    """The actions that the Deny certainly blocks; Denys with conditions on unknown keys are skipped."""
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
    """(principals, actions, condition) of a plain statement; None if it cannot be compared."""
    if not statement.effect or not set(statement.raw) <= PLAIN_ELEMENTS:
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
    """Other tools that manage this repository, detected by its tags."""
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


CHECKS: tuple[Check, ...] = (_open, _services, _foreign_hands, _lock_out, _shadows, _repeats)
