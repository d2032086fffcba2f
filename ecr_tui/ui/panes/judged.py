"""Evaluated policies for the filter and columns."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from ecr_tui.aws.model import Repository
from ecr_tui.errors import EcrTuiError
from ecr_tui.listing.filters.policies import findings, principals
from ecr_tui.policy.access import AccessSummary
from ecr_tui.policy.trusted import Trusted
from ecr_tui.ui.panes.details import Details, parse


class Judged:
    """The filter's facts of read policies (``filters.Policies``), by ARN."""

    def __init__(self, trusted: Trusted | None = None) -> None:
        self._trusted = trusted
        self.with_findings = False
        """Findings of all policies, if the filter or order uses them, because they are expensive; else of visible
        ones."""
        self._tried: set[str] = set()
        self._access: dict[str, AccessSummary] = {}
        self._principals: dict[str, Collection[str]] = {}
        self._findings: dict[str, Collection[tuple[str, str]]] = {}

    def access(self, row: Repository) -> AccessSummary | None:
        return self._access.get(row.arn)

    def principals(self, row: Repository) -> Collection[str] | None:
        return self._principals.get(row.arn)

    def findings(self, row: Repository) -> Collection[tuple[str, str]] | None:
        return self._findings.get(row.arn)

    def tried(self, row: Repository) -> bool:
        """Whether its findings are known, or cannot be."""
        return row.arn in self._tried

    def forget(self, arn: str) -> None:
        self._tried.discard(arn)
        for known in (self._access, self._principals, self._findings):
            known.pop(arn, None)

    def forget_all(self) -> None:
        self._tried.clear()
        for known in (self._access, self._principals, self._findings):
            known.clear()

    def judge(
        self, row: Repository, details: Details, principals_of_b: tuple[str, ...], now: datetime, *, findings_too: bool
    ) -> None:
        """An unreadable or invalid policy stays unknown."""
        arn = row.arn
        answer = details.policies.get(arn)
        if answer is None or answer.error is not None:
            return
        self.forget(arn)
        if findings_too:
            self._tried.add(arn)
        access = details.access(row, principals_of_b)
        if isinstance(access, AccessSummary):
            self._access[arn] = access
        try:
            document = parse(answer.value) if answer.value else None
        except EcrTuiError:
            return
        self._principals[arn] = principals(document)
        if findings_too and row.tags is not None:
            self._findings[arn] = findings(document, row, now, self._trusted)
