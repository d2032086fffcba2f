"""What a finding is, and how a check reports one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ecr_tui.policy.document import PolicyDocument, Statement
from ecr_tui.policy.rules import RULES


@dataclass(frozen=True)
class Finding:
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


@dataclass(frozen=True)
class Hit:
    """What a check reports: a rule's id, where, and what fills the rule's ``{subject}``."""

    id: str
    where: str
    subject: str = ""
    statement: str = ""


@dataclass(frozen=True)
class Setting:
    """What is known about the repository. ``tags`` None: not known, and nothing is said about them."""

    tags: Mapping[str, str] | None
    account: str | None
    partition: str | None
    now: datetime


Check = Callable[[PolicyDocument, Setting], Iterator[Hit]]


def finding(hit: Hit) -> Finding:
    rule = RULES[hit.id]
    title = rule.title.replace("{subject}", hit.subject)
    return Finding(rule.id, rule.severity, title, rule.why, rule.fix, hit.where, rule.source, hit.statement)


def place(statement: Statement, element: str = "", index: int | None = None) -> str:
    text = f"Statement[{statement.index}]"
    if element:
        text += f".{element}"
    return text if index is None else f"{text}[{index}]"
