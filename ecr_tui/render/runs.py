"""Changes to many repositories as text; equal ones are shown once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from ecr_tui.changes.bulk import UNCHANGED, WRITTEN, Result, Summary
from ecr_tui.changes.entries import REPAIR
from ecr_tui.changes.plans import Plan
from ecr_tui.render.common import outcome_text, plan_text
from ecr_tui.text import safe

_NAMES = 5


def plans_text(plans: Sequence[Plan], full: int) -> str:
    """Up to ``full`` plans one by one, more grouped if equal; those that ECR would reject first."""
    plans = sorted(plans, key=lambda plan: not plan.refused)
    if len(plans) <= full:
        return "\n".join(map(plan_text, plans))
    groups: dict[Hashable, list[Plan]] = {}
    for plan in plans:
        groups.setdefault(_likeness(plan), []).append(plan)
    return "\n".join(_group_text(group) for group in groups.values())


def _likeness(plan: Plan) -> Hashable:
    """The text of a plan without the name. Findings are omitted: they include the repository's other statements, and
    relevant ones are among the risks."""
    diff = tuple((d.op, d.effect, d.principal, d.action, repr(d.condition)) for d in plan.diff)
    exact = plan.text_diff if plan.kind == REPAIR else ()
    return plan.changed, plan.refusals, diff, plan.risks, plan.notes, plan.moved, plan.void, exact


def _group_text(group: Sequence[Plan]) -> str:
    if len(group) == 1:
        return plan_text(group[0])
    body = plan_text(group[0]).split("\n")[1:]
    names = ", ".join(plan.repository.name for plan in group[:_NAMES])
    more = f" and {len(group) - _NAMES:,} more" if len(group) > _NAMES else ""
    shown = [line for line in body if not line.startswith(("  [", "      fix: ", " " * len("      fix: ")))]
    return "\n".join([f"{len(group):,} repositories: {safe(names)}{more}", *shown])


def results_text(summary: Summary, full: int) -> str:
    """A line per written repository, or their number if many."""
    written = [one.outcome for one in summary.results if one.outcome is not None and one.status == WRITTEN]
    lines = [outcome_text(one) for one in written if one.notes or len(written) <= full]
    if len(summary.results) > 1:
        lines.append(summary.headline() + (f" (run {summary.run})" if summary.run else ""))
    elif not lines and summary.results and summary.results[0].status == UNCHANGED:
        lines.append(safe(f"{summary.results[0].repository.name}: unchanged"))
    return "\n".join(lines)


def failures_text(summary: Summary) -> str:
    """Each failure and rejection in full, "" if none; ends with a line break."""
    lines = [_failure(one) for one in summary.failed]
    lines += [f"{safe(one.repository.name)}: {one.plan.refusal().text()}" for one in summary.refused]
    if summary.fatal is not None:
        lines.append(safe(f"The rest was not tried: {summary.fatal.title}"))
    if summary.note:
        lines.append(safe(f"Note: {summary.note}"))
    return "".join(f"{line}\n" for line in lines)


def _failure(result: Result) -> str:
    return f"{safe(result.repository.name)}: {result.error.text() if result.error else 'failed'}"


def run_markdown(summary: Summary, words: str) -> str:
    """A run as Markdown for a ticket: summary, failures with their reasons, then every repository."""
    lines = [
        f"# {words[:1].upper()}{words[1:]}",
        "",
        f"{summary.headline()}." + (f" Run `{summary.run}`." if summary.run else ""),
        f"{summary.seconds:.1f} s, {summary.calls:,} calls, {summary.refusals:,} throttled.",
    ]
    lines += [
        f"Reason: {safe(reason)}" for reason in dict.fromkeys(one.plan.reason for one in summary.results) if reason
    ]
    if summary.fatal is not None:
        lines += ["", f"The rest was not tried: {summary.fatal.title}"]
    for result in summary.failed:
        text = result.error.text() if result.error is not None else "failed"
        lines += ["", f"## {result.repository.name}: failed", "", *(f"    {line}" for line in text.splitlines())]
    for result in summary.refused:
        reason = result.plan.refusal().text()
        lines += ["", f"## {result.repository.name}: refused", "", *(f"    {line}" for line in reason.splitlines())]
    lines += ["", "| Repository | Region | Result | Note |", "| --- | --- | --- | --- |"]
    for result in summary.results:
        note = result.error.title if result.error else " ".join(result.outcome.notes) if result.outcome else ""
        cells = (result.repository.name, result.repository.region, result.status, note)
        lines.append("| " + " | ".join(safe(" ".join(cell.split())).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
