"""The part of the in-memory workspace that proves many, remembers, and cleans up after a kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ecr_tui.access.matrix import Proof, ProofKey
from ecr_tui.aws.model import Repository
from ecr_tui.verification.batch import Batch, run_batch
from ecr_tui.verification.proofs import proofs, with_changes
from ecr_tui.verification.records import PROBE, Leftover, Past
from ecr_tui.verification.report import Report
from ecr_tui.workspace.verification import Cleaned


class FakeProofs:
    """To be inherited by the fake workspace. ``pool`` bounds how many verifications run at once."""

    pool = 4

    def __init__(self) -> None:
        self.left: list[Leftover] = []
        self.past: list[Past] = []
        self.cleaned: list[Leftover] = []

    def run_many(
        self,
        repositories: Sequence[Repository],
        *,
        engine: str | None = None,
        access: Any = None,
        consumer: Any = None,
        on_event: Callable[[Repository, Any], None] = lambda *_: None,
        on_result: Callable[[Any], None] = lambda _: None,
        cancel: Any,
        **options: Any,
    ) -> Batch:
        self._enter("verify_many", ",".join(r.name for r in repositories))  # type: ignore[attr-defined]

        def one(repo: Repository) -> Report:
            report: Report = self.run(  # type: ignore[attr-defined]
                repo, engine=engine, on_event=lambda event: on_event(repo, event), cancel=cancel, **options
            )
            if consumer is not None:
                who = self.consumer(consumer).arn  # type: ignore[attr-defined]
                told = {**report.to_json(), "principal": who, "can": dict.fromkeys(access.parts, report.passed)}
                self.past.append(Past(str(len(self.past)), report.started_at, repo.arn, told))
            return report

        return run_batch(repositories, one, pool=self.pool, on_result=on_result, cancel=cancel)

    def leftovers(self) -> tuple[Leftover, ...]:
        self._enter("leftovers")  # type: ignore[attr-defined]
        return tuple(self.left)

    def clean_leftovers(self, leftovers: Sequence[Leftover] | None = None, on_cleaned: Any = None) -> tuple[Any, ...]:
        self._enter("clean_leftovers")  # type: ignore[attr-defined]
        found = []
        for one in self.left if leftovers is None else leftovers:
            error = self.errors.get(f"clean:{one.place.name}")  # type: ignore[attr-defined]
            if error is None:
                self.cleaned.append(one)
            found.append(Cleaned(one, error.title if error else "the image is no longer in the repository", error))
        return tuple(found)

    def history(self, repository: Repository | None = None) -> tuple[Past, ...]:
        self._enter("verifications", repository.name if repository else "")  # type: ignore[attr-defined]
        return tuple(p for p in reversed(self.past) if repository is None or p.arn == repository.arn)

    def proofs(self) -> dict[ProofKey, Proof]:
        return proofs(tuple(reversed(self.past)), self.journal.read())  # type: ignore[attr-defined]

    def latest(self, account: str = "") -> dict[str, Past]:
        self._enter("last_verifications")  # type: ignore[attr-defined]
        found = {p.arn: p for p in self.past if not account or account in p.principal or not p.principal}
        return {p.arn: p for p in with_changes(found.values(), self.journal.read())}  # type: ignore[attr-defined]


def probe_left(repo: Repository, at: datetime) -> Leftover:
    return Leftover("1", PROBE, repo, at, tag="ecr-tui-verify-20261124T110000Z-ab12", engine="direct")
