"""Consequences of a policy change: risks, grants without effect, remaining access."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from ecr_tui.access.registry_policy import registry_of
from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.changes.entries import REPAIR
from ecr_tui.changes.losses import Loss, losses
from ecr_tui.policy import companions, grantees
from ecr_tui.policy.actions import Access, action_words, matching_actions, repository_actions
from ecr_tui.policy.answer import REGISTRY, Answer, Registries, Verdict, of_call
from ecr_tui.policy.compare import Difference
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.findings import Finding
from ecr_tui.policy.known import before_call
from ecr_tui.policy.lint import lint
from ecr_tui.policy.ours import Grant, read_own, tag_covers, tag_words
from ecr_tui.policy.principal import account_of, describe, describe_all, same_principal
from ecr_tui.policy.remaining import Remaining, remaining
from ecr_tui.policy.widening import Limits, widenings

_DOUBTFUL = {"tag-not-met", "grant-expired", "deny-shadows-grant"}
"""Lint warnings that mean the write would not have the intended effect."""


class Situation(NamedTuple):
    """A repository with its policy before and after a change. ``facts``: the registry policy, None if not read."""

    repository: Repository
    facts: RegistryFacts | None
    before: PolicyDocument | None
    after: PolicyDocument | None
    now: datetime

    @property
    def _registries(self) -> Registries:
        return registry_of(self.facts).candidates

    def _answer(self, document: PolicyDocument | None, principal: str, action: str) -> Answer:
        arn = self.repository.arn
        known = before_call(principal, repository_arn=arn, tags=self.repository.tags, now=self.now)
        return of_call(document, known, action, arn, self._registries)

    # -- a grant -------------------------------------------------------------------------------------------------

    def void(self, grant: Grant) -> str:
        """ "no effect: " or "no effect on push: " with the reason; "" if all of the grant is or may be in effect."""
        unmet = _unmet(grant, self.repository)
        if grant.until is not None and grant.until <= self.now:
            unmet.append(f"it ended at {grant.until:%Y-%m-%d %H:%M} UTC")
        if unmet:
            return f"no effect: {'; '.join(unmet)}"
        found = []
        principals = (*grant.principals, *grant.companions)
        for principal in principals:
            answers = {action: self._answer(self.after, principal, action) for action in grant.access.actions}
            denied = {action: one for action, one in answers.items() if one.verdict is Verdict.NO}
            if denied:
                on = f" on {action_words(denied)}" if len(denied) < len(answers) else ""
                whose = f" for {describe(principal)}" if len(principals) > 1 else ""
                places = _places(denied.values())
                why = f"an explicit Deny in {places}" if places else "no statement allows it"
                found.append(f"no effect{on}{whose}: {why}")
        return "; ".join(found)

    def open_questions(self, grant: Grant) -> list[str]:
        """The facts that decide whether the grant is in effect."""
        found = []
        for principal in (*grant.principals, *grant.companions):
            answers = [self._answer(self.after, principal, action) for action in grant.access.actions]
            depends = [one for one in answers if one.verdict is Verdict.DEPENDS]
            # An unknown registry policy has its own note.
            names = ", ".join(dict.fromkeys(n for one in depends for n in one.depends_on if n != REGISTRY))
            if names:
                places = _places(depends)
                found.append(
                    f"Whether {describe(principal)} gets all of this access depends on {names}"
                    + (f" ({places})." if places else ".")
                )
        return found

    def beside(self, grant: Grant) -> tuple[Remaining, ...]:
        """Push and pull access of the principals through other statements, beyond the grant."""
        limits = Limits(grant.tags, grant.until)
        found = []
        for row in self._remaining(grant.principals, Access.PUSH_PULL.actions):
            same = Limits.of(row.statement).within(limits)
            more = tuple(action for action in row.actions if not (same and action in grant.access.actions))
            if more:
                found.append(replace(row, actions=more))
        return tuple(found)

    # -- a revoke ------------------------------------------------------------------------------------------------

    def left(
        self, principals: tuple[str, ...], access: Access | None, diff: tuple[Difference, ...]
    ) -> tuple[Remaining, ...]:
        """Statements through which the principals keep the revoked access; also if nothing changes."""
        found: list[Remaining] = []
        for principal in principals:
            taken = _granted(self.before, principal) - _granted(self.after, principal)
            for item in diff:
                if item.op == "remove" and item.effect == "Allow" and same_principal(item.principal, principal):
                    taken |= set(matching_actions(item.action))
            actions = taken or set((access or Access.PUSH_PULL).actions)
            found += self._remaining((principal,), [action for action in repository_actions() if action in actions])
        return tuple(found)

    def _remaining(self, principals: Iterable[str], actions: Iterable[str]) -> list[Remaining]:
        registries, asked = self._registries, tuple(actions)
        return [
            row
            for principal in principals
            for row in remaining(
                self.after,
                principal,
                asked,
                repository_arn=self.repository.arn,
                tags=self.repository.tags,
                now=self.now,
                # An unknown registry policy has its own note in the plan.
                registry=registries[0] if len(registries) == 1 else None,
            )
        ]

    # -- risks ---------------------------------------------------------------------------------------------------

    def risks(
        self,
        diff: tuple[Difference, ...],
        findings: tuple[Finding, ...],
        standing: tuple[Finding, ...],
        grant: Grant | None,
        kind: str,
        lost: Iterable[Loss],
    ) -> list[str]:
        """Risks of the change. ``findings`` are those of the policy afterwards, ``standing`` those before."""
        fresh = _fresh(findings, standing)
        found = [sentence for loss in lost for sentence in loss.sentences()]
        found += companions.bereft(self.before, self.after)
        if kind != REPAIR:  # a repair does not change access
            found += (*openings(diff), *widenings(self.before, self.after))
        found += [f"{one.title}. {one.why}" for one in fresh if one.severity == "error"]
        found += [f"{one.title}. {one.why}" for one in findings if one.id == "managed-elsewhere"]
        if grant is None:
            found += [f"{one.title}. {one.fix}" for one in fresh if one.id in _DOUBTFUL]
        elif void := self.void(grant):
            found.append(f"The grant would have {void}.")
        if self.after is None:
            found.append("The policy has no statements left and is deleted.")
        return found

    def losses(self, diff: tuple[Difference, ...]) -> tuple[Loss, ...]:
        return losses(self.before, self.after, diff, self._answer)


def lint_of(
    document: PolicyDocument | None, repository: Repository, stored: PolicyDocument | None = None
) -> tuple[Finding, ...]:
    return lint(
        document, tags=repository.tags, account=repository.account, partition=repository.partition, stored=stored
    )


def openings(diff: tuple[Difference, ...]) -> list[str]:
    """Added Allows for everyone, with or without a condition."""
    wide = [d for d in diff if d.op == "add" and d.effect == "Allow" and _is_everybody(d.principal)]
    if not wide:
        return []
    found = [named for d in wide if (named := grantees.read(d.principal, d.condition or {}))]
    if len(found) == len(wide):
        limit = describe_all(dict.fromkeys(one for names, _ in found for one in names))
    else:
        limit = "everyone who meets the condition" if all(d.condition for d in wide) else "everyone on AWS"
    return [f"It opens the repository to {limit}: {', '.join(dict.fromkeys(d.action for d in wide))}."]


def _is_everybody(principal: str) -> bool:
    return principal == "*" or principal.startswith("everyone but ")


def within_account(principals: Iterable[str], repository: Repository) -> list[str]:
    """A caveat of a revoke within account A, where either policy is enough for access."""
    return [
        f"{describe(principal)} is in account A: its identity policies may still allow access."
        for principal in principals
        if account_of(principal) == repository.account
    ]


def fix_of(row: Remaining, repository: Repository) -> str:
    """The fix that ends this access."""
    if row.where == "registry":
        return "To end it, change the registry policy"
    if account_of(row.named) is None:
        return "To end it, change that statement"
    return f"To end it: ecr-tui revoke {repository.name} --to {row.named}{'' if row.ours else ' --foreign'}"


def remaining_json(row: Remaining, repository: Repository) -> dict[str, Any]:
    """An element of a plan's "remaining"."""
    return {
        "principal": row.principal,
        "policy": "registry" if row.where == "registry" else "repository",
        "statement": row.statement.name,
        "named": row.named,
        "actions": list(row.actions),
        "certain": not row.depends_on,
        "depends_on": list(row.depends_on),
        "fix": fix_of(row, repository),
    }


def _granted(document: PolicyDocument | None, principal: str) -> set[str]:
    """The actions that ecr-tui's statements allow the principal, under any condition."""
    owns = (read_own(statement) for statement in (document.statements if document is not None else ()))
    return {action for own in owns if own is not None and own.names(principal) for action in own.access.actions}


def _places(answers: Iterable[Answer]) -> str:
    places = dict.fromkeys(
        source.statement.name + (" of the registry policy" if source.where == "registry" else "")
        for answer in answers
        for source in answer.sources
    )
    return " and ".join(places)


def _fresh(after: Iterable[Finding], before: Iterable[Finding]) -> list[Finding]:
    """Findings new with the change, by counts per kind, since places shift with the statements."""
    known = Counter((found.id, found.title) for found in before)
    fresh = []
    for found in after:
        known[found.id, found.title] -= 1
        if known[found.id, found.title] < 0:
            fresh.append(found)
    return fresh


def _unmet(grant: Grant, repository: Repository) -> list[str]:
    """Tags of the condition that the repository lacks; none while its tags are unknown."""
    if repository.tags is None:
        return []
    wanted: dict[str, list[str]] = {}
    for key, value in grant.tags:
        wanted.setdefault(key, []).append(value)
    # IAM ignores case in tag keys, not in values.
    carried = {key.lower(): value for key, value in repository.tags.items()}
    found = []
    for key, values in wanted.items():
        has = carried.get(key.lower())
        if has is None or not any(tag_covers(value, has) for value in values):
            state = f"repository is {key}={has}" if has is not None else f"repository has no tag {key}"
            found.append(f"requires {tag_words((key, value) for value in values)}, {state}")
    return found
