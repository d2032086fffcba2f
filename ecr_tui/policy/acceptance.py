"""Predict whether SetRepositoryPolicy accepts a document, from the findings of lint.

A ``likely`` refusal is documented or reported more than once: the policy is not sent. For other refusals ECR's behavior
is unknown: the user gets a warning and the policy is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.findings import Finding
from ecr_tui.policy.principal import describe, is_dead
from ecr_tui.policy.rules import RULES

REPORTED = frozenset({"other-resource", "token-action"})
"""ECR used to accept these and now rejects them: awsdocs/amazon-ecr-user-guide issue 20; cloudposse/terraform-aws-ecr
PR 67."""
LIKELY = (
    frozenset(rule.id for rule in RULES.values() if rule.refused)
    | {"too-large", "unknown-operator", "bad-principal", "principal-wildcard", "other-partition"}
    | REPORTED
)
"""Grammar, limits, and names that AWS cannot resolve to ids. Those in a stored policy were accepted by ECR."""
POSSIBLE = frozenset(
    {
        # Reported as rejected, but in the examples of the current guide.
        "resource-element",
        # Rejected by other services, or documented without the exact rule; unknown for ECR.
        "unknown-action",
        "registry-action",
        "key-without-service",
        "bad-variable",
        "lock-out",
    }
)


class Refusal(NamedTuple):
    """``id`` is the finding's; ``statement`` its Sid or "statement 1", "" for the document."""

    id: str
    statement: str
    reason: str
    likely: bool

    @property
    def sentence(self) -> str:
        return f"{self.statement}: {self.reason}" if self.statement else self.reason

    def to_json(self) -> dict[str, object]:
        return {"id": self.id, "statement": self.statement, "reason": self.reason, "likely": self.likely}


def refusals(
    document: PolicyDocument | None,
    findings: Iterable[Finding],
    *,
    read: PolicyDocument | None,
    standing: Iterable[Finding] = (),
) -> tuple[Refusal, ...]:
    """Likely ones first. ``findings`` are those of ``document``.

    ``read``: the policy returned by ECR, with its findings in ``standing``. A unique id in it is a deleted principal,
    because ECR returns ARNs for existing ones; in any other document the principal may still exist.
    """
    if document is None:
        return ()
    taken = {(one.id, one.title) for one in standing if one.id not in REPORTED}
    gone = dead_principals(read)
    found = [
        Refusal(
            "dead-principal",
            statement,
            f"{describe(name)}: ECR rejects a policy that names a deleted principal"
            if name in gone
            else f"ECR rejects the unique id {name} unless its user or role exists",
            name in gone,
        )
        for name, statement in dead_principals(document).items()
    ]
    found += [
        Refusal(one.id, one.statement, one.title, one.id in LIKELY and (one.id, one.title) not in taken)
        for one in findings
        if one.id in LIKELY or one.id in POSSIBLE
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: not one.likely))


def dead_principals(document: PolicyDocument | None) -> dict[str, str]:
    """Unique id -> the name of the first statement that holds it, as Principal or NotPrincipal."""
    found: dict[str, str] = {}
    for statement in document.statements if document is not None else ():
        for kind, name in (*statement.principals, *statement.not_principals):
            if kind == "AWS" and is_dead(name):
                found.setdefault(name, statement.name)
    return found
