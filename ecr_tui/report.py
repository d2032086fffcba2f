"""What a verification finds: stages, the isolation check, the verdict, and the events that tell them live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ecr_tui.registry.engine import Progress


class StageName(StrEnum):
    IDENTITY = "identity"
    TOKEN = "token"  # noqa: S105 (a stage's name)
    LOGIN = "login"
    TAG = "tag"
    PUSH = "push"
    PULL = "pull"
    DIGEST = "digest"
    ISOLATION = "isolation"
    CLEANUP = "cleanup"


class Status(StrEnum):
    OK = "ok"
    DENIED = "denied"
    FAILED = "failed"
    SKIPPED = "skipped"


class Verdict(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"
    ERROR = "error"


@dataclass(frozen=True)
class Stage:
    """How one stage ended. ``seconds`` is None for a skipped one; ``bytes`` what travelled, None where nothing did.

    ``action``, ``side``, ``cause`` and ``fix`` are "" unless it was denied or failed; ``detail`` is the other side's
    own text, verbatim.
    """

    name: StageName
    status: Status
    message: str = ""
    seconds: float | None = None
    action: str = ""
    side: str = ""
    cause: str = ""
    fix: str = ""
    detail: str = ""
    bytes: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name.value,
            "status": self.status.value,
            "action": self.action or None,
            "seconds": None if self.seconds is None else round(self.seconds, 4),
            "bytes": self.bytes,
            "message": self.message,
            "side": self.side or None,
            "cause": self.cause or None,
            "fix": self.fix or None,
            "detail": self.detail or None,
        }


class IsolationStatus(StrEnum):
    DENIED = "denied"
    """As it must be: B has no access there."""
    LEAKED = "leaked"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Isolation:
    """The counter-proof on a repository that was not granted; ``repository`` is None when there was none to take."""

    repository: str | None
    status: IsolationStatus
    message: str

    def to_json(self) -> dict[str, Any]:
        return {"repository": self.repository, "status": self.status.value, "message": self.message}


@dataclass(frozen=True)
class Report:
    """A finished verification. ``passed`` also needs the isolation check not to have found a leak."""

    repository: str
    principal: str
    engine: str
    engine_description: str
    verdict: Verdict
    stages: tuple[Stage, ...]
    isolation: Isolation | None
    cleaned_up: bool
    started_at: datetime
    digest: str = ""
    exit_code: int = 0
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.exit_code == 0

    @property
    def failure(self) -> Stage | None:
        """The stage that decided a verdict other than "allowed"."""
        return next((s for s in self.stages if s.status in (Status.DENIED, Status.FAILED)), None)

    def to_json(self) -> dict[str, Any]:
        """DESIGN's ``verify --json``, with ``digest``, ``started_at`` and ``notes`` beside it."""
        return {
            "repository": self.repository,
            "principal": self.principal,
            "engine": self.engine,
            "verdict": self.verdict.value,
            "stages": [s.to_json() for s in self.stages],
            "isolation": self.isolation.to_json() if self.isolation else None,
            "cleaned_up": self.cleaned_up,
            "digest": self.digest or None,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "notes": list(self.notes),
        }

    def headline(self) -> str:
        """The verdict as one sentence."""
        if self.isolation and self.isolation.status is IsolationStatus.LEAKED:
            return f"LEAK: {self.principal} also reaches {self.isolation.repository}, which was not granted"
        if self.verdict is Verdict.ALLOWED:
            return f"ALLOWED: {self.principal} can push to and pull from {self.repository}"
        failure = self.failure
        where = f" at {failure.name.value}" if failure else ""
        what = f" ({failure.action})" if failure and failure.action else ""
        if self.verdict is Verdict.DENIED:
            return f"DENIED{where}{what}: {self.principal} on {self.repository}"
        return f"ERROR{where}: {failure.message if failure else 'nothing was proved'}"


@dataclass(frozen=True)
class StageStarted:
    name: StageName


@dataclass(frozen=True)
class StageProgress:
    name: StageName
    progress: Progress


@dataclass(frozen=True)
class StageEnded:
    stage: Stage


Event = StageStarted | StageProgress | StageEnded
EventSink = Callable[[Event], None]
