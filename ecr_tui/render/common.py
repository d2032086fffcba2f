"""Results for the command line, as plain text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from ecr_tui.aws.model import ImagesSummary, Repository
from ecr_tui.changes.apply import Outcome
from ecr_tui.changes.entries import APPLY, REPAIR
from ecr_tui.changes.plans import Plan
from ecr_tui.diagnosis.diagnose import Diagnosis
from ecr_tui.diagnosis.opinion import Opinion
from ecr_tui.policy.access import AccessSummary
from ecr_tui.policy.compare import shortened
from ecr_tui.text import block, hanging, safe
from ecr_tui.verification.batch import Result
from ecr_tui.verification.records import Leftover, Past
from ecr_tui.verification.report import TRACES, Event, IsolationStatus, Report, StageEnded, Status, TagStepEnded
from ecr_tui.workspace.verification import Cleaned

MARKS = {Status.OK: "✓", Status.DENIED: "✗", Status.FAILED: "✗", Status.SKIPPED: "-"}


def repository_json(
    repository: Repository, access: AccessSummary | None, images: ImagesSummary | None = None
) -> dict[str, Any]:
    """An element of ``list --json``. ``access`` is by account A's policies, null if unknown; its "pull" and "push" are
    null if they depend on the facts in "depends_on". ``images``: null if not read."""
    return {
        "repository": repository.name,
        "arn": repository.arn,
        "uri": repository.uri,
        "region": repository.region,
        "tags": repository.tags if repository.tags is not None else {},
        "access": None if access is None else access.to_json(),
        "mutability": repository.mutability,
        "images": None if images is None else _images_json(images),
    }


def _images_json(images: ImagesSummary) -> dict[str, Any]:
    times = {"last_push": images.last_push, "last_pull": images.last_pull}
    told = {name: None if at is None else at.isoformat(timespec="seconds") for name, at in times.items()}
    return {"count": images.count, "complete": images.complete, **told}


def access_words(access: AccessSummary | None) -> str:
    if access is None:
        return "?"
    both = (("pull", access.pull), ("push", access.push))
    return "+".join(word if given else f"{word}?" for word, given in both if given is not False) or "none"


def repository_table(
    rows: Sequence[Repository],
    access: Mapping[str, AccessSummary],
    images: Mapping[str, ImagesSummary] | None = None,
) -> str:
    """``images``: by ARN, None if not read."""
    if not rows:
        return "No repositories."
    heads = () if images is None else ("LAST PUSH", "LAST PULL")
    lines: list[tuple[str, ...]] = [("REPOSITORY", "REGION", "B'S ACCESS", "MUTABILITY", *heads, "TAGS")]
    for row in rows:
        tags = "?" if row.tags is None else " ".join(f"{k}={v}" for k, v in sorted(row.tags.items())) or "-"
        times = () if images is None else _last_times(images.get(row.arn))
        lines.append((row.name, row.region, access_words(access.get(row.arn)), row.mutability, *times, tags))
    return table(lines)


def _last_times(images: ImagesSummary | None) -> tuple[str, str]:
    if images is None:
        return "?", "?"
    later = "" if images.complete else "+"
    push, pull = (f"{at:%Y-%m-%d}{later}" if at else "-" for at in (images.last_push, images.last_pull))
    return push, pull


def plan_text(plan: Plan) -> str:
    """The change of one repository: added and removed access, findings, risks, notes."""
    lines = [f"{plan.repository.name} ({plan.repository.region})"]
    if not plan.changed:
        lines.append(f"  no change: {unchanged_words(plan)}")
    if plan.refused:
        lines.append("  ✗ not written: ECR would reject this policy")
        lines += [f"      {one.sentence}" for one in plan.refusals if one.likely]
    changes: dict[tuple[str, str, str, str], list[str]] = {}
    for item in plan.diff:
        condition = f" if {_condition(item.condition)}" if item.condition else ""
        changes.setdefault((item.op, item.effect, item.principal, condition), []).append(item.action)
    for (op, effect, principal, condition), actions in changes.items():
        lines.append(f"  {'+' if op == 'add' else '-'} {effect} {principal}{condition}")
        lines += textwrap.wrap(", ".join(actions), 100, initial_indent="      ", subsequent_indent="      ")
    for finding in plan.findings:
        lines.append(f"  [{finding.severity}] {finding.id}: {finding.title}")
        if finding.fix:
            lines += hanging("      fix: ", finding.fix)
    if plan.moved:
        lines.append(f"  left out, not possible in a repository policy: {', '.join(plan.moved)}")
        lines.append('      fix: add it to account B\'s identity policy, on Resource "*"')
    lines += [f"  ! {risk}" for risk in plan.risks]
    lines += [f"  note: ECR may reject this policy. {one.sentence}" for one in plan.refusals if not one.likely]
    if plan.refusals and plan.repairable:
        lines.append(f"      fix: ecr-tui repair {plan.repository.name}")
    lines += [f"  note: {note}" for note in plan.notes]
    if plan.kind == REPAIR and plan.changed:
        lines += [f"    {op} {line}" for op, line in shortened(plan.text_diff)]
    return block(lines)


def unchanged_words(plan: Plan) -> str:
    """Why nothing would be written. A statement in the policy may still be out of effect."""
    if plan.kind == "revoke":
        principals = "these principals" if len(plan.named) > 1 else "this principal"
        return f"ecr-tui has no statement for {principals} in this policy"
    if plan.kind == REPAIR:
        return "nothing to repair"
    if plan.kind == APPLY:
        return "the access matches the file"
    return f"the statement exists, but has {plan.void}" if plan.void else "the policy already has this grant"


def outcome_text(outcome: Outcome) -> str:
    plan = outcome.plan
    name = plan.repository.name
    if not outcome.written:
        return safe(f"{name}: unchanged")
    lines = [f"{name}: written and confirmed (journal {outcome.entry_id})"]
    lines += [f"  ! {row.sentence()}" for row in plan.remaining] if plan.kind == "revoke" else []
    return block([*lines, *(f"  note: {note}" for note in outcome.notes)])


def event_line(event: Event) -> str:
    """A finished stage as one line, "" for other events."""
    if isinstance(event, TagStepEnded):
        step = event.step
        seconds = "" if step.seconds is None else f"{step.seconds:7.2f} s"
        return safe(f"  {MARKS[step.status]} tag: {step.name:<13} {seconds:>9}  {step.message}")
    if not isinstance(event, StageEnded):
        return ""
    stage = event.stage
    seconds = "" if stage.seconds is None else f"{stage.seconds:7.2f} s"
    size = "" if stage.bytes is None else f" ({stage.bytes:,} bytes)"
    return safe(f"  {MARKS[stage.status]} {stage.name:<9} {stage.status:<7} {seconds:>9}  {stage.message}{size}")


def result_line(result: Result) -> str:
    mark = MARKS[Status.OK if result.passed else Status.DENIED]
    return safe(f"{mark} {result.repository.name}: {result.headline()}")


def report_text(report: Report) -> str:
    lines = [report.headline(), f"  engine: {report.engine_description}"]
    for stage in report.stages:
        if stage.status not in (Status.DENIED, Status.FAILED):
            continue
        facts = (("side", stage.side), ("action", stage.action), ("why", stage.cause), ("fix", stage.fix))
        lines.append(f"  {stage.name}:")
        lines += [line for name, text in (*facts, *stage.traces) if text for line in hanging(f"    {name}: ", text)]
        if stage.detail and stage.detail not in (stage.message, stage.cause):
            lines += hanging("    said: ", stage.detail)
    if len(report.isolations) > 1:
        lines.append("  isolation:")
        for one in report.isolations:
            good = one.status in (IsolationStatus.DENIED, IsolationStatus.SKIPPED)
            lines.append(f"    {'-' if good else '!'} {one.message}")
    switch = report.tag_switch
    if switch is not None:
        lines.append(f"  tag switch: {switch.status}, {switch.message}")
        if switch.fix:
            lines += hanging("    fix: ", switch.fix)
    lines += [f"  note: {note}" for note in report.notes]
    return block(lines)


def past_table(past: Sequence[Past]) -> str:
    if not past:
        return "No verifications recorded."
    lines = [("WHEN (UTC)", "RESULT", "REPOSITORY", "VERDICT")]
    for one in past:
        result = "passed" if one.passed else "failed"
        lines.append((f"{one.at:%Y-%m-%d %H:%M:%S}", result, one.repository, one.headline))
    return table(lines)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns, except the last."""
    shown = [[safe(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(rows[0]) - 1)]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1]]) for row in shown)


def leftovers_text(leftovers: Sequence[Leftover]) -> str:
    if not leftovers:
        return "No leftovers."
    lines = ["Left over from an interrupted verification, or possibly left over:"]
    lines += [f"  {one.what} (account {one.place.account}, {one.at:%Y-%m-%d %H:%M} UTC)" for one in leftovers]
    return block(lines)


def cleaned_line(cleaned: Cleaned) -> str:
    mark = MARKS[Status.OK if cleaned.error is None else Status.FAILED]
    return safe(f"  {mark} {cleaned.leftover.what}: {cleaned.message}")


def cleaned_json(cleaned: Cleaned) -> dict[str, Any]:
    left = cleaned.leftover
    return {
        "kind": left.kind,
        "repository": left.place.name,
        "arn": left.place.arn,
        "image": left.tag or None,
        "tag": {left.key: left.value} if left.key else None,
        "at": left.at.isoformat(timespec="seconds"),
        "cleaned": cleaned.error is None,
        "message": cleaned.message,
        "hint": cleaned.error.hint or None if cleaned.error else None,
    }


def _condition(condition: Mapping[str, Any]) -> str:
    parts = []
    for operator, keys in condition.items():
        for key, values in keys.items():
            wanted = values if isinstance(values, str) else " or ".join(map(str, values))
            parts.append(f"{key} {operator} {wanted}")
    return " and ".join(parts)


_DIAGNOSED = ("stage", "action", "side", "cause", "fix", "principal", "resource", *TRACES)


def diagnosis_json(diagnosis: Diagnosis, opinion: Opinion | None = None) -> dict[str, Any]:
    """The document of ``explain --json``; null for fields missing in the text."""
    found: dict[str, Any] = {name: getattr(diagnosis, name) or None for name in ("pattern", "title", *_DIAGNOSED)}
    asked = opinion.to_json() if opinion is not None else None
    return found | {"denied": diagnosis.denied, "text": diagnosis.text, "troubleshooter": asked}


def diagnosis_text(diagnosis: Diagnosis, opinion: Opinion | None = None) -> str:
    """``opinion``: AWS's evaluation, if requested."""
    facts = [(name.replace("_", " "), getattr(diagnosis, name)) for name in _DIAGNOSED]
    facts += opinion.lines if opinion is not None else ()
    return block([diagnosis.title, *(line for name, text in facts if text for line in hanging(f"  {name}: ", text))])
