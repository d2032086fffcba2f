"""Findings about account B's identity policies: token and granted actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecr_tui.policy.actions import TOKEN_ACTION, Access
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Policies, Request, decide
from ecr_tui.policy.findings import Finding, Hit, finding
from ecr_tui.policy.known import context_for


def lint_consumer(
    identity: Sequence[PolicyDocument],
    principal: str,
    access: Access,
    *,
    repository_arn: str,
    tags: Mapping[str, str] | None = None,
    boundaries: Sequence[PolicyDocument] = (),
) -> tuple[Finding, ...]:
    """``identity``: all readable identity policies of ``principal`` (an ARN); empty if it has none."""
    account = repository_arn.split(":")[4]
    own_account = principal.split(":")[4] if principal.count(":") >= 5 else account
    open_door = PolicyDocument.from_json(
        {"Statement": [{"Effect": "Allow", "Principal": {"AWS": own_account}, "Action": "*"}]}
    )
    policies = Policies(tuple(identity), open_door, tuple(boundaries))

    def allowed(action: str, resource: str, owner: str) -> bool:
        context = context_for(principal, owner, tags if resource == repository_arn else None)
        return decide(Request(action, resource, owner, principal, context), policies).allowed

    found: list[Finding] = []
    if access.uses_registry and not allowed(TOKEN_ACTION, "*", own_account):
        scoped = _token_resources(identity)
        hit = (
            Hit("token-scoped", "identity policy", ", ".join(scoped[:2]))
            if scoped
            else Hit("no-token", "identity policy")
        )
        found.append(finding(hit))
    lacking = [action for action in access.actions if not allowed(action, repository_arn, account)]
    if lacking:
        shown = ", ".join(lacking) if len(lacking) < len(access.actions) else f"{access.words} actions"
        found.append(finding(Hit("identity-lacks", "identity policy", shown)))
    return tuple(found)


def _token_resources(identity: Sequence[PolicyDocument]) -> list[str]:
    """The resources to which an Allow of the token is limited."""
    return [
        resource
        for document in identity
        for statement in document.statements
        if statement.effect == "Allow" and any(action.lower() == TOKEN_ACTION.lower() for action in statement.actions)
        for resource in statement.resources
        if resource != "*"
    ]
