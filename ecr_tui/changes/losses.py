"""Loss of access by a change, for all principals named in the policy before or after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ecr_tui.policy import grantees
from ecr_tui.policy.actions import action_words, matching_actions, repository_actions
from ecr_tui.policy.answer import Answer, Verdict
from ecr_tui.policy.compare import Difference
from ecr_tui.policy.compiled import caller_of, principal_grip
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.principal import account_of, canonical, describe
from ecr_tui.policy.who import listed_principals

Decide = Callable[[PolicyDocument | None, str, str], Answer]
"""Answer for a document, a principal and an action."""


class Loss(NamedTuple):
    """``lost``: actions that the principal had and no longer has. ``perhaps``: actions whose loss depends on
    ``depends_on``."""

    principal: str
    lost: tuple[str, ...]
    perhaps: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        name, found = describe(self.principal), []
        if self.lost:
            number = f"{len(self.lost)} action{'s' if len(self.lost) != 1 else ''}"
            found.append(f"{name} loses {number} at once: {action_words(self.lost)}.")
        if self.perhaps:
            found.append(f"{name} may lose {action_words(self.perhaps)}, depending on {', '.join(self.depends_on)}.")
        return found

    def to_json(self) -> dict[str, Any]:
        return {
            "principal": self.principal,
            "loses": list(self.lost),
            "may_lose": list(self.perhaps),
            "depends_on": list(self.depends_on),
        }


def losses(
    before: PolicyDocument | None, after: PolicyDocument | None, diff: Iterable[Difference], decide: Decide
) -> tuple[Loss, ...]:
    """Principals in the difference come first, then others with access through them, such as a user through its
    account."""
    named: dict[str, str] = {}
    patterns: dict[str, None] = {}
    for item in diff:
        if (item.op, item.effect) not in (("remove", "Allow"), ("add", "Deny")):
            continue
        patterns[item.action] = None
        found = grantees.read(item.principal, item.condition or {})
        for principal in found[0] if found else (item.principal,):
            named.setdefault(canonical(principal), principal)
    # "everything but ..." of a NotAction is not a pattern.
    given = {action for pattern in patterns for action in matching_actions(pattern) or repository_actions()}
    actions = tuple(action for action in repository_actions() if action in given)
    if not actions:
        return ()
    changed = tuple(named.values())
    for principal in listed_principals(before, after):
        if account_of(principal) is not None and any(_means(one, principal) for one in changed):
            named.setdefault(canonical(principal), principal)
    found_losses = (_of(principal, before, after, actions, decide) for principal in named.values())
    return tuple(loss for loss in found_losses if loss is not None)


def _means(named: str, principal: str) -> bool:
    """Whether a statement that names the one may apply to the other: everyone, a user's account, a role's session."""
    if account_of(named) is None:
        return True
    pairs = ((named, principal), (principal, named))
    return any(principal_grip("AWS", value, caller_of(caller)) for value, caller in pairs)


def _of(
    principal: str,
    before: PolicyDocument | None,
    after: PolicyDocument | None,
    actions: tuple[str, ...],
    decide: Decide,
) -> Loss | None:
    """None if the principal loses nothing, is deleted, or is a bare service."""
    if account_of(principal) is None and principal != "*" and not grantees.is_conditional(principal):
        return None
    lost, perhaps = [], []
    depends: dict[str, None] = {}
    for action in actions:
        was = decide(before, principal, action)
        if was.verdict is Verdict.NO:
            continue
        becomes = decide(after, principal, action)
        if was.verdict is Verdict.YES and becomes.verdict is Verdict.NO:
            lost.append(action)
        elif was.verdict is not becomes.verdict and becomes.verdict is not Verdict.YES:
            perhaps.append(action)
            depends |= dict.fromkeys((*was.depends_on, *becomes.depends_on))
    return Loss(principal, tuple(lost), tuple(perhaps), tuple(depends)) if lost or perhaps else None
