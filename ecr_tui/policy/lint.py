"""Find errors, useless statements and risks in a repository policy. The findings' texts are in ``rules``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ecr_tui.policy import (
    lint_access,
    lint_actions,
    lint_conditions,
    lint_form,
    lint_principals,
    lint_trust,
    lint_values,
)
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.findings import Check, Finding, Setting, finding
from ecr_tui.policy.rules import ERROR, INFO, WARNING
from ecr_tui.policy.trusted import Trusted

__all__ = ["Finding", "lint", "lint_trust_of"]

_ORDER = {ERROR: 0, WARNING: 1, INFO: 2}
_CHECKS: tuple[Check, ...] = (
    lint_form.SIZE,
    *lint_form.CHECKS,
    *lint_actions.CHECKS,
    *lint_principals.CHECKS,
    *lint_conditions.CHECKS,
    *lint_values.CHECKS,
    *lint_access.CHECKS,
    *lint_trust.CHECKS,
)


def lint(
    document: PolicyDocument | None,
    *,
    tags: Mapping[str, str] | None = None,
    account: str | None = None,
    partition: str | None = None,
    now: datetime | None = None,
    stored: PolicyDocument | None = None,
    trusted: Trusted | None = None,
) -> tuple[Finding, ...]:
    """Findings: errors first, then in document order. ``account`` and ``partition`` are the repository's.

    Without a policy, only the repository is checked. ``now`` defaults to the current time. ``stored``: the policy that
    ECR stores, if ``document`` is not yet written; by default the document itself. ``trusted`` separates partners from
    strangers; without it, neither is checked.
    """
    setting = Setting(tags, account, partition, now or datetime.now(UTC), _principals(stored), trusted)
    hits = list(lint_access.repository(setting))
    if document is not None:
        for check in _CHECKS:
            hits.extend(check(document, setting))
    found = dict.fromkeys(map(finding, hits))
    return tuple(sorted(found, key=lambda item: _ORDER[item.severity]))


def lint_trust_of(
    document: PolicyDocument | None, trusted: Trusted, *, account: str, now: datetime | None = None
) -> tuple[Finding, ...]:
    """The partners and strangers among :func:`lint`'s findings, strangers first."""
    setting = Setting(None, account, None, now or datetime.now(UTC), None, trusted)
    hits = [hit for check in lint_trust.CHECKS for hit in check(document, setting)] if document is not None else []
    return tuple(sorted(dict.fromkeys(map(finding, hits)), key=lambda item: _ORDER[item.severity]))


def _principals(stored: PolicyDocument | None) -> frozenset[str] | None:
    if stored is None:
        return None
    return frozenset(
        value for statement in stored.statements for _, value in (*statement.principals, *statement.not_principals)
    )
