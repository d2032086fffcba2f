"""Findings, and how a check reports one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from ecr_tui.policy.document import PolicyDocument, Statement
from ecr_tui.policy.rules import RULES
from ecr_tui.policy.trusted import Trusted


class Finding(NamedTuple):
    """``severity`` is "error", "warning" or "info"; ``where`` is a place like "Statement[0].Action[2]"."""

    id: str
    severity: str
    title: str
    why: str
    fix: str
    where: str
    source: str
    statement: str = ""
    """The Sid, or "statement 1"; "" for the document."""

    def to_json(self) -> dict[str, str]:
        return {
            "id": self.id,
            "severity": self.severity,
            "title": self.title,
            "where": self.where,
            "fix": self.fix,
        }


class Hit(NamedTuple):
    """Report of a check: a rule's id, the place, and the value for the rule's ``{subject}``.

    ``fix``: a more specific fix than the rule's own, if known.
    """

    id: str
    where: str
    subject: str = ""
    statement: str = ""
    fix: str = ""


class Setting(NamedTuple):
    """Known facts about the repository. ``tags`` None: unknown, so checks of tags are skipped."""

    tags: Mapping[str, str] | None
    account: str | None
    partition: str | None
    now: datetime
    stored: frozenset[str] | None = None
    """Principals of the policy that ECR stores; None: the document itself is stored.

    A unique id in a stored policy is a deleted principal; in a file, the principal may exist.
    """
    trusted: Trusted | None = None
    """``[trusted]`` of the configuration; None if missing."""


Check = Callable[[PolicyDocument, Setting], Iterator[Hit]]


def finding(hit: Hit) -> Finding:
    rule = RULES[hit.id]
    title = rule.title.replace("{subject}", hit.subject)
    return Finding(rule.id, rule.severity, title, rule.why, hit.fix or rule.fix, hit.where, rule.source, hit.statement)


def place(statement: Statement, element: str = "", index: int | None = None) -> str:
    text = f"Statement[{statement.index}]"
    if element:
        text += f".{element}"
    return text if index is None else f"{text}[{index}]"
