"""Audits of several owners as one report, including owners that could not be audited, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ecr_tui.access.audit_json import audit_json
from ecr_tui.access.audit_result import Audit
from ecr_tui.errors import EcrTuiError
from ecr_tui.render.audit import audit_text
from ecr_tui.render.audit_findings import Reported, by_severity, reported, unaudited
from ecr_tui.text import block


@dataclass(frozen=True)
class OwnerAudit:
    """Result of the audit with a profile of account A."""

    profile: str
    result: Audit | EcrTuiError

    @property
    def reason(self) -> str:
        """Why it was not audited, on one line; "" if it was."""
        return self.result.one_line if isinstance(self.result, EcrTuiError) else ""

    def exit_code(self, level: str | None) -> int:
        """``level``: of ``--fail-on``."""
        if isinstance(self.result, EcrTuiError):
            return self.result.exit_code
        return 1 if level is not None and self.result.fails(level) else 0


def owners_text(owners: Sequence[OwnerAudit]) -> str:
    return "\n\n".join(f"{block([f'== Profile {one.profile} =='])}\n\n{_text(one.result)}" for one in owners)


def _text(result: Audit | EcrTuiError) -> str:
    return f"Not audited.\n{result.text()}" if isinstance(result, EcrTuiError) else audit_text(result)


def owners_json(owners: Sequence[OwnerAudit]) -> dict[str, Any]:
    """``audit --json`` with several profiles of account A, in the order given."""
    return {
        "owners": [
            {
                "profile": one.profile,
                "audit": audit_json(one.result) if isinstance(one.result, Audit) else None,
                "error": one.reason or None,
            }
            for one in owners
        ]
    }


def owners_reported(owners: Sequence[OwnerAudit]) -> list[Reported]:
    """All findings, most severe first."""
    rows: list[Reported] = []
    for one in owners:
        rows += reported(one.result) if isinstance(one.result, Audit) else [unaudited(one.profile, one.result)]
    return by_severity(rows)
