"""Disagreements between ecr-tui and IAM Access Analyzer: an append-only file next to the journal."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecr_tui.access.second_opinion import Difference, SecondOpinion
from ecr_tui.aws.model import Repository
from ecr_tui.changes.json_lines import Damage, LineFile, check_version, fields_of, moment_of, text_of
from ecr_tui.policy.answer import Verdict

_FORMAT = 1


@dataclass(frozen=True)
class Disagreement:
    """``when``: "after" (the previewed policy) or "now" (the current policy). ``analyzer``: its ARN."""

    id: str
    at: datetime
    repository: str
    arn: str
    region: str
    account: str
    analyzer: str
    when: str
    difference: Difference

    def to_json(self) -> dict[str, Any]:
        """An element of ``history --disagreements --json``."""
        told = self.difference.to_json()
        del told["why"]
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "repository": self.repository,
            "arn": self.arn,
            "region": self.region,
            "account": self.account,
            "analyzer": self.analyzer,
            "when": self.when,
            **told,
        }


class Disagreements:
    """Thread-safe; every method raises EnvironmentFailure if the file is not usable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = LineFile(
            path,
            name="the record of disagreements",
            hint="Make it writable, or use another folder with ECR_TUI_STATE_DIR.",
        )

    def add(self, repository: Repository, opinion: SecondOpinion) -> None:
        for when, difference in opinion.disagreements:
            now = datetime.now(UTC)
            made = Disagreement(
                f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
                now,
                repository.name,
                repository.arn,
                repository.region,
                repository.account,
                opinion.analyzer.arn if opinion.analyzer is not None else "",
                when,
                difference,
            )
            self._file.append({"v": _FORMAT, **made.to_json()})

    def read(self) -> tuple[tuple[Disagreement, ...], tuple[Damage, ...]]:
        """Newest first, and unreadable lines."""
        found: list[Disagreement] = []

        def take(value: Any) -> None:
            fields = fields_of(value)
            check_version(fields, _FORMAT)
            names = ("repository", "arn", "region", "account", "analyzer", "when")
            place = {name: text_of(fields[name]) for name in names}
            found.append(
                Disagreement(
                    id=text_of(fields["id"]), at=moment_of(fields["at"]), difference=_difference(fields), **place
                )
            )

        damaged = self._file.read(take)
        return tuple(reversed(found)), damaged


def _difference(fields: Mapping[str, Any]) -> Difference:
    return Difference(
        text_of(fields["principal"]),
        tuple(map(text_of, fields["actions"])),
        Verdict(fields["ecr_tui"]),
        fields["access_analyzer"] == "yes",
        fields["public"] is True,
        tuple(map(text_of, fields["findings"])),
        tuple(map(text_of, fields["statements"])),
    )
