"""The result of a verification: stages, isolation checks, verdict, and live events."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from ecr_tui.diagnosis.opinion import Opinion
from ecr_tui.policy.actions import Access
from ecr_tui.registry.engine import Progress


class StageName(StrEnum):
    IDENTITY = "identity"
    TOKEN = "token"  # noqa: S105 (a stage's name)
    LOGIN = "login"
    READ = "read"
    TAG = "tag"
    PUSH = "push"
    PULL = "pull"
    DIGEST = "digest"
    ISOLATION = "isolation"
    CLEANUP = "cleanup"


def stages_of(access: Access) -> tuple[StageName, ...]:
    """The stages of a verification of this access, in order; unrequested ones are skipped."""
    return tuple(name for name in StageName if name is not StageName.READ or "read" in access.parts)


class Status(StrEnum):
    OK = "ok"
    DENIED = "denied"
    FAILED = "failed"
    SKIPPED = "skipped"


class Verdict(StrEnum):
    ALLOWED = "allowed"
    DENIED = "denied"
    ERROR = "error"


TRACES = ("policy_arn", "authorization_id", "details_url")
"""Fields that AWS adds to a denial for administrators; same names in every JSON document."""


class Stage(NamedTuple):
    """The result of a stage. ``seconds`` is None if skipped; ``bytes`` transferred, None if none.

    ``action``, ``side``, ``cause`` and ``fix`` are "" unless it was denied or failed; ``detail`` is the other side's
    text, verbatim, and ``pattern`` its catalogue row ("unknown" if none matches). ``policy_arn``, ``authorization_id``
    and ``details_url`` are from AWS's text, "" if missing; ``opinion`` is AWS's evaluation, None unless denied.
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
    pattern: str = ""
    policy_arn: str = ""
    authorization_id: str = ""
    details_url: str = ""
    opinion: Opinion | None = None

    @property
    def traces(self) -> tuple[tuple[str, str], ...]:
        """(label, text) of AWS's fields of a denial, and of AWS's evaluation."""
        found = (("policy", self.policy_arn), ("auth id", self.authorization_id), ("details", self.details_url))
        return tuple((label, text) for label, text in (*found, *(self.opinion.lines if self.opinion else ())) if text)

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
            "pattern": self.pattern or None,
            **{name: getattr(self, name) or None for name in TRACES},
            "troubleshooter": self.opinion.to_json() if self.opinion else None,
        }


class IsolationStatus(StrEnum):
    DENIED = "denied"
    """As expected: B has no access there."""
    LEAKED = "leaked"
    SKIPPED = "skipped"
    FAILED = "failed"


class Isolation(NamedTuple):
    """The isolation check on a repository that was not granted; ``repository`` None: there was none to check.

    ``actions``: those that B is allowed there; ``fix``: what to check then.
    """

    repository: str | None
    status: IsolationStatus
    message: str
    actions: tuple[str, ...] = ()
    fix: str = ""

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"repository": self.repository, "status": self.status.value, "message": self.message}
        return found | ({"actions": list(self.actions), "fix": self.fix} if self.actions else {})


def worst(isolations: Sequence[Isolation]) -> Isolation | None:
    """The most important one: a leak, then a failed check, then a skipped one."""
    order = (IsolationStatus.LEAKED, IsolationStatus.FAILED, IsolationStatus.SKIPPED, IsolationStatus.DENIED)
    return min(isolations, key=lambda one: order.index(one.status), default=None)


class TagStep(NamedTuple):
    """One step of a tag switch: "remove", "expect denial", "restore" or "expect access"."""

    name: str
    status: Status
    message: str = ""
    seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status.value,
            "message": self.message,
            "seconds": None if self.seconds is None else round(self.seconds, 4),
        }


class TagSwitch(NamedTuple):
    """Test whether access ends without the tag that the grant depends on: remove it temporarily, then restore it.

    ``status`` is OK if access ended and returned, SKIPPED if nothing was changed because access was not proven.
    ``restored`` is False only if the tag was removed and not restored; ``fix`` is the command to restore it.
    """

    status: Status
    message: str
    key: str = ""
    value: str = ""
    steps: tuple[TagStep, ...] = ()
    restored: bool = True
    fix: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "message": self.message,
            "tag": {self.key: self.value} if self.key else None,
            "steps": [step.to_json() for step in self.steps],
            "restored": self.restored,
            "fix": self.fix or None,
        }


class Report(NamedTuple):
    """A finished verification. ``passed`` also requires isolation without a leak and a successful tag switch.

    ``access``: the access to prove, a value of :class:`Access`. ``can_read``, ``can_push`` and ``can_pull``: None if
    unknown. ``isolation`` is the worst of ``isolations``. ``image``: pushed or pulled.
    """

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
    access: str = "push-pull"
    arn: str = ""
    region: str = ""
    image: str = ""
    seconds: float | None = None
    isolations: tuple[Isolation, ...] = ()
    tag_switch: TagSwitch | None = None
    can_read: bool | None = None
    can_push: bool | None = None
    can_pull: bool | None = None
    cancelled: bool = False

    @property
    def passed(self) -> bool:
        return self.exit_code == 0

    @property
    def word(self) -> str:
        """ "allowed", "denied", "error", or a more severe result such as "leak" or "tag missing"."""
        if self.tag_switch is not None and not self.tag_switch.restored:
            return "tag missing"
        if self.isolation is not None and self.isolation.status is IsolationStatus.LEAKED:
            return "leak"
        if self.passed or self.verdict is not Verdict.ALLOWED:
            return self.verdict.value
        return "tag switch failed" if _failed(self.tag_switch) else "isolation unverified"

    @property
    def failure(self) -> Stage | None:
        """The stage that decided a verdict other than "allowed"."""
        return next((s for s in self.stages if s.status in (Status.DENIED, Status.FAILED)), None)

    @property
    def denied(self) -> Stage | None:
        """The stage that decided the verdict "denied"."""
        failure = self.failure
        return failure if failure is not None and failure.status is Status.DENIED else None

    @property
    def awaits_opinion(self) -> bool:
        """Whether AWS's evaluation of the denial is available and was not requested."""
        denied = self.denied
        return denied is not None and denied.opinion is None and bool(denied.authorization_id)

    @property
    def leaks(self) -> tuple[Isolation, ...]:
        return tuple(one for one in self.isolations if one.status is IsolationStatus.LEAKED)

    def to_json(self) -> dict[str, Any]:
        """The document of ``verify --json``. Contains no secrets."""
        return {
            "repository": self.repository,
            "arn": self.arn or None,
            "region": self.region or None,
            "principal": self.principal,
            "engine": self.engine,
            "engine_description": self.engine_description,
            "access": self.access,
            "verdict": self.verdict.value,
            "passed": self.passed,
            "headline": self.headline(),
            "can": {"read": self.can_read, "push": self.can_push, "pull": self.can_pull},
            "stages": [s.to_json() for s in self.stages],
            "isolation": self.isolation.to_json() if self.isolation else None,
            "isolations": [one.to_json() for one in self.isolations],
            "tag_switch": self.tag_switch.to_json() if self.tag_switch else None,
            "cleaned_up": self.cleaned_up,
            "image": self.image or None,
            "digest": self.digest or None,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "seconds": None if self.seconds is None else round(self.seconds, 4),
            "notes": list(self.notes),
        }

    def headline(self) -> str:
        """The verdict as one sentence, the most severe finding first."""
        if self.tag_switch is not None and not self.tag_switch.restored:
            return f"TAG MISSING: {self.tag_switch.key} was not restored on {self.repository}"
        if self.isolation and self.isolation.status is IsolationStatus.LEAKED:
            names = [one.repository or "" for one in self.leaks] or [self.isolation.repository or ""]
            were = "was" if len(names) == 1 else "were"
            return f"LEAK: {self.principal} also has access to {', '.join(names)}, which {were} not granted"
        if self.verdict is Verdict.ALLOWED:
            if self.tag_switch is not None and _failed(self.tag_switch):
                return f"TAG SWITCH FAILED: {self.tag_switch.message}"
            return f"ALLOWED: {self.principal} can {_can(self.access)} {self.repository}"
        failure = self.failure
        where = f" at {failure.name.value}" if failure else ""
        what = f" ({failure.action})" if failure and failure.action else ""
        if self.verdict is Verdict.DENIED:
            return f"DENIED{where}{what}: {self._half()}"
        return f"ERROR{where}: {failure.message if failure else 'nothing was verified'}"

    def _half(self) -> str:
        if self.can_push and self.can_pull is False:
            return f"{self.principal} can push to {self.repository}, but not pull from it"
        if self.can_pull and self.can_push is False:
            return f"{self.principal} can pull from {self.repository}, but not push to it"
        return f"{self.principal} on {self.repository}"

    def to_markdown(self, level: int = 1) -> str:
        """Markdown for a ticket: accounts, time, digests, verdicts. ``level`` of its heading."""
        about = [
            ("Verdict", _code(self.headline())),
            ("Repository", f"{_code(self.repository)} {_code(self.arn)}" if self.arn else _code(self.repository)),
            ("As", _code(self.principal or "unknown")),
            ("Access", self.access),
            ("When", f"{self.started_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("Engine", _text(self.engine_description)),
            ("Image", _code(self.image)),
            ("Digest", _code(self.digest)),
            ("Probe image removed", "yes" if self.cleaned_up else "NO"),
        ]
        lines = [f"{'#' * level} {_text(self.repository)}: {self.word.upper()}", ""]
        lines += [f"- {name}: {value}" for name, value in about if value]
        lines += ["", "| Stage | Result | Seconds | Bytes | |", "| --- | --- | ---: | ---: | --- |"]
        for stage in self.stages:
            seconds = "" if stage.seconds is None else f"{stage.seconds:.2f}"
            size = "" if stage.bytes is None else f"{stage.bytes:,}"
            lines.append(f"| {stage.name} | {stage.status} | {seconds} | {size} | {_text(stage.message)} |")
        for stage in self.stages:
            if stage.status in (Status.DENIED, Status.FAILED):
                facts = [("Side", stage.side), ("Action", stage.action), ("Why", stage.cause), ("Fix", stage.fix)]
                traces = [(f"{label[:1].upper()}{label[1:]}", text) for label, text in stage.traces]
                facts += [(name, text) for name, text in traces if "\n" not in text]
                lines += ["", f"{stage.name.value.capitalize()}:", ""]
                lines += [f"- {name}: {_code(text)}" for name, text in facts if text]
                for name, text in traces:
                    lines += ["", f"{name}:", "", *_block(text)] if "\n" in text else []
                if stage.detail and stage.detail != stage.message:
                    lines += ["", *_block(stage.detail)]
        if self.isolations:
            lines += ["", "Isolation:", ""]
            lines += [f"- {one.status.value.upper()}: {_text(one.message)}" for one in self.isolations]
        if self.tag_switch is not None:
            lines += ["", f"Tag switch: {self.tag_switch.status.value}, {_text(self.tag_switch.message)}", ""]
            lines += [f"- {step.name}: {step.status} {_text(step.message)}" for step in self.tag_switch.steps]
        if self.notes:
            lines += ["", *(f"- Note: {_text(note)}" for note in self.notes)]
        return "\n".join(lines) + "\n"


_CAN = {"read": "read", "push": "push to", "pull": "pull from"}
_MARKUP = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>#|~!"} | dict.fromkeys(range(32), " "))


def _can(access: str) -> str:
    *first, last = (_CAN[part] for part in access.split("-"))
    return f"{', '.join(first)} and {last}" if first else last


def _failed(switch: TagSwitch | None) -> bool:
    return switch is not None and switch.status is not Status.OK


def _text(text: str) -> str:
    """Server text as escaped plain text on one line."""
    return text.translate(_MARKUP)


def _code(text: str) -> str:
    """As code on one line, within a list; "" if empty."""
    if not text:
        return ""
    text = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def _block(text: str) -> list[str]:
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return [f"{fence}text", *text.splitlines(), fence]


class StageStarted(NamedTuple):
    name: StageName


class StageProgress(NamedTuple):
    name: StageName
    progress: Progress


class StageEnded(NamedTuple):
    stage: Stage


class TagStepEnded(NamedTuple):
    """Sent only if a tag switch was requested; comes between digest and isolation."""

    step: TagStep


Event = StageStarted | StageProgress | StageEnded | TagStepEnded
EventSink = Callable[[Event], None]
