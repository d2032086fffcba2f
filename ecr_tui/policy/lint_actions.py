"""Findings about the actions of a repository policy, and about its Resource element."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from ecr_tui.policy.actions import (
    TOKEN_ACTION,
    all_actions,
    canonical_action,
    is_registry_level,
    is_registry_policy_only,
    matching_actions,
)
from ecr_tui.policy.document import PolicyDocument, Statement, strings
from ecr_tui.policy.findings import Check, Hit, Setting, place
from ecr_tui.policy.principal import account_of, canonical

_MANIFEST, _LAYERS = "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"
_UPLOAD = frozenset({"ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"})
_NONE: frozenset[str] = frozenset()
_PUSH = _UPLOAD | {"ecr:BatchCheckLayerAvailability", "ecr:PutImage"}


def granted_actions(statement: Statement) -> frozenset[str]:
    """The known actions of a statement."""
    if statement.actions:
        return frozenset(action for pattern in statement.actions for action in matching_actions(pattern))
    if statement.not_actions:
        spared = {action for pattern in statement.not_actions for action in matching_actions(pattern)}
        return frozenset(all_actions()) - spared
    return frozenset()


def _spelling(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        for element, patterns in (("Action", statement.actions), ("NotAction", statement.not_actions)):
            listed = isinstance(statement.raw.get(element), list)
            for index, pattern in enumerate(patterns):
                if not matching_actions(pattern):
                    where = place(statement, element, index if listed else None)
                    yield Hit("unknown-action", where, pattern, statement.name, did_you_mean(pattern))


def _actions(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        name = statement.name
        listed = isinstance(statement.raw.get("Action"), list)
        for index, pattern in enumerate(statement.actions):
            where = place(statement, "Action", index if listed else None)
            if canonical_action(pattern) == TOKEN_ACTION:
                yield Hit("token-action", where, TOKEN_ACTION, name)
            elif is_registry_level(pattern):
                yield Hit("registry-action", where, canonical_action(pattern) or pattern, name)
            elif is_registry_policy_only(pattern):
                yield Hit("no-effect-action", where, canonical_action(pattern) or pattern, name)
            elif statement.effect == "Allow" and pattern.lower() in ("*", "ecr:*"):
                yield Hit("all-actions", where, pattern, name)
        if statement.effect == "Allow" and statement.not_actions:
            yield Hit("not-action", place(statement, "NotAction"), "", name)


def did_you_mean(action: str) -> str:
    """The fix for a misspelled action; "" if no action is similar."""
    spelled = "".join(action.split()).replace(".", ":", 1)
    known = {known.lower(): known for known in all_actions()}
    found = get_close_matches(spelled.lower(), known, n=1, cutoff=0.8)
    return f"Did you mean {known[found[0]]}?" if found else ""


def _incomplete(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    """Incomplete pull or push access, over all statements for a principal.

    Not reported: read access without pull, and retagging a manifest, which transfers no layers.
    """
    allows = [statement for statement in document.statements if statement.effect == "Allow" and statement.principals]
    given: dict[str, frozenset[str]] = {}
    of_account: dict[str, frozenset[str]] = {}
    for statement in allows:
        actions = granted_actions(statement)
        for name in {canonical(value) for _, value in statement.principals}:
            account = account_of(name) or ""
            given[name] = given.get(name, _NONE) | actions
            of_account[account] = of_account.get(account, _NONE) | actions
    for statement in allows:
        actions = granted_actions(statement) if statement.actions else _NONE
        for name in {canonical(value) for _, value in statement.principals}:
            account = account_of(name) or ""
            total = actions | given.get("*", _NONE) | given[name] | given.get(account, _NONE)
            # The grants of an account's principals may complete the account's own.
            found = _lacking(actions, total | of_account[account] if name == account else total)
            if found is not None:
                yield Hit(found[0], place(statement, "Action"), found[1], statement.name)
                break


def _lacking(actions: frozenset[str], total: frozenset[str]) -> tuple[str, str] | None:
    """The rule and the missing actions, if ``actions`` start an access that ``total`` does not complete."""
    retags = {_MANIFEST, "ecr:PutImage"} <= total and not total & _UPLOAD
    pushes = actions & (_UPLOAD | {"ecr:PutImage"})
    if pushes and not retags and not total >= _PUSH:
        return "incomplete-push", ", ".join(sorted(_PUSH - total))
    for here, there in ((_MANIFEST, _LAYERS), (_LAYERS, _MANIFEST)):
        # A push reads the manifest to check whether it exists.
        if here in actions and there not in total and not total >= _PUSH and not retags:
            return "incomplete-pull", f"{here} without {there}"
    return None


def _resources(document: PolicyDocument, setting: Setting) -> Iterator[Hit]:
    for statement in document.statements:
        if "NotResource" in statement.raw:
            yield Hit("other-resource", place(statement, "NotResource"), "NotResource", statement.name)
        if "Resource" not in statement.raw:
            continue
        where = place(statement, "Resource")
        for resource in strings(statement.raw["Resource"]) or ("",):
            if _may_be_this(resource, setting):
                yield Hit("resource-element", where, f'Resource "{resource}"', statement.name)
            else:
                yield Hit("other-resource", where, f'Resource "{resource}"', statement.name)


def _may_be_this(resource: str, setting: Setting) -> bool:
    """Whether it is "*" or a pattern for repositories of the account."""
    if resource == "*":
        return True
    parts = resource.split(":", 5)
    account = parts[4] if len(parts) == 6 else ""
    if parts[0] != "arn" or len(parts) != 6 or parts[2] not in ("ecr", "*"):
        return False
    if not parts[5].startswith(("repository/", "*")):
        return False
    return setting.account is None or "*" in account or account == setting.account


SPELLING: Check = _spelling
CHECKS: tuple[Check, ...] = (_resources, SPELLING, _actions, _incomplete)
