"""Findings of an audit, including unreadable policies, as rows: CSV for spreadsheets and a Markdown table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ecr_tui.access.audit_result import Audit
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.rules import ERROR, INFO, WARNING, Rule
from ecr_tui.render.spreadsheet import csv_text
from ecr_tui.text import block, safe

UNREADABLE = Rule(
    "policy-unreadable",
    ERROR,
    "The policy could not be read: {subject}",
    "The access to this repository is unknown.",
    "Allow ecr:GetRepositoryPolicy to the profile of account A, and audit again.",
    "ecr-tui",
)
UNLISTED = Rule(
    "region-incomplete",
    ERROR,
    "The region could not be listed completely: {subject}",
    "Repositories of this region, or their tags, are missing from this report.",
    "Allow ecr:DescribeRepositories and ecr:ListTagsForResource to the profile of account A, and audit again.",
    "ecr-tui",
)
UNAUDITED = Rule(
    "account-not-audited",
    ERROR,
    "An account could not be audited: {subject}",
    "This report does not cover that account.",
    "Correct the cause, and audit again.",
    "ecr-tui",
)
SEVERITIES = (ERROR, WARNING, INFO)
HEADS = ("severity", "account", "region", "repository", "finding", "statement", "title", "fix", "arn")


@dataclass(frozen=True)
class Reported:
    """``arn`` and ``repository`` are "" if not about a repository; ``where`` as in a finding."""

    severity: str
    rule: str
    title: str
    fix: str
    account: str
    region: str
    repository: str = ""
    arn: str = ""
    statement: str = ""
    where: str = ""


def reported(audit: Audit) -> list[Reported]:
    """Most severe first; unknown access counts as an error, as in ``--fail-on``."""
    rows = [_of_rule(UNLISTED, reason, audit.account, region) for region, reason in audit.failures.items()]
    for item in audit.repositories:
        place = (audit.account, item.repository.region, item.repository.name, item.repository.arn)
        if item.unreadable:
            rows.append(_of_rule(UNREADABLE, item.unreadable, *place))
        rows += [
            Reported(one.severity, one.id, one.title, one.fix, *place, one.statement, one.where)
            for one in item.findings
        ]
    return by_severity(rows)


def unaudited(profile: str, error: EcrTuiError) -> Reported:
    """The account is unknown, because the call with that profile failed."""
    detail = error.detail if error.detail != error.title else ""
    found = _of_rule(UNAUDITED, " ".join(f"profile {profile}: {error.title} {detail}".split()), "", "")
    return replace(found, fix=error.hint or found.fix)


def by_severity(rows: Sequence[Reported]) -> list[Reported]:
    return sorted(rows, key=lambda row: SEVERITIES.index(row.severity))


def _of_rule(rule: Rule, subject: str, *place: str) -> Reported:
    return Reported(rule.severity, rule.id, rule.title.replace("{subject}", subject), rule.fix, *place)


def findings_csv(rows: Sequence[Reported]) -> str:
    return csv_text(HEADS, map(_cells, rows))


def _cells(row: Reported) -> tuple[str, ...]:
    named = (row.account, row.region, row.repository, row.rule, row.statement, row.title, row.fix, row.arn)
    return (row.severity, *named)


def findings_markdown(rows: Sequence[Reported]) -> str:
    """A GitHub Flavored Markdown table below a line of totals, without the ARN, which is too wide."""
    if not rows:
        return "No findings."
    found = Counter(row.severity for row in rows)
    numbers = f"Errors: {found[ERROR]:,}, warnings: {found[WARNING]:,}, notes: {found[INFO]:,}."
    heads = HEADS[:-1]
    lines = [
        _line([head.capitalize() for head in heads]),
        _line(["---"] * len(heads)),
        *(_line([_escaped(cell) for cell in _cells(row)[:-1]]) for row in rows),
    ]
    return block([numbers, "", *lines])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


_ACTIVE = re.compile(r"[\\`*_\[\]<>|~&$]")


def _escaped(text: str) -> str:
    """One line of escaped Markdown: a policy's text cannot create a cell, link, image or HTML."""
    return _ACTIVE.sub(lambda found: f"\\{found[0]}", safe(text))
