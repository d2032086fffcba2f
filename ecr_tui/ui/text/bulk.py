"""Text of bulk changes: plan, progress and result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.changes.bulk import FAILED, UNCHANGED, WRITTEN
from ecr_tui.changes.entries import UNDO
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.principal import describe, describe_all
from ecr_tui.ui.text import MUTED, NO, OK, PENDING, SKIP, count, safe, seconds
from ecr_tui.ui.text.places import places
from ecr_tui.ui.text.preview import diff, diff_text, extent, notes, warnings
from ecr_tui.ui.text.write import where
from ecr_tui.ui.widgets.columns import Column, Piece

if TYPE_CHECKING:
    from ecr_tui.changes.apply import Plan
    from ecr_tui.changes.bulk import Unfinished
    from ecr_tui.ui.bulk import Job, Planning, Row, Running

SAME = "="
RISK = "!"

REPOSITORIES = ("repository", "repositories")


# -- before ----------------------------------------------------------------------------------------------------------


def plan_columns(rows: Sequence[Row]) -> list[Column[Row]]:
    return [
        *places(rows),
        Column("what", "Change", _what, lambda row: _what(row)[0][0], width=12, keep=8),
        Column("note", "Note", _note_cell, lambda row: _note(row)[0][0], width=12, flex=1, keep=7),
    ]


def plan_note(row: Row | None) -> Content:
    """The full note of the row under the cursor, if it has more than the extent."""
    return Content("".join(text for text, _ in _note(row))) if row is not None else Content("")


def _what(row: Row) -> list[Piece]:
    if row.planned is None:
        return [(f"{PENDING} reading", "dim")]
    if isinstance(row.planned, EcrTuiError):
        return [(f"{NO} no plan", "warn")]
    plan = row.planned
    if not plan.changed:
        return [(f"{SAME} unchanged", "dim")]
    if plan.refused:
        return [(f"{NO} rejected", "warn")]
    return [(f"{RISK} {plan.kind}", "warn") if plan.risks else (f"+ {plan.kind}", "ok")]


def _note_cell(row: Row) -> list[Piece]:
    return [(_without_account(text, row), style) for text, style in _note(row)]


def _without_account(words: str, row: Row) -> str:
    """The principal's account is in the title and would only take space in each row."""
    for arn in row.plan.named if row.plan is not None else ():
        whole = safe(describe(arn))
        words = words.replace(whole, whole.partition(" in ")[0])
    return words


def _note(row: Row) -> list[Piece]:
    pieces: list[Piece] = [("hidden by the filter", "warn")] if row.hidden else []
    if row.named:
        pieces += [(" · ", "dim")] if pieces else []
        pieces.append((safe(describe_all(row.named)), ""))
    if isinstance(row.planned, EcrTuiError):
        words, style = row.planned.title, ""
    elif row.planned is None:
        words, style = "", ""
    elif row.planned.refused:
        words, style = " ".join(f"{one.sentence}." for one in row.planned.refusals if one.likely), ""
    elif row.planned.risks:
        words, style = " ".join(row.planned.risks), ""
    elif row.planned.void:
        words, style = f"written, but has {row.planned.void}", ""
    else:
        words, style = _extent(row.planned), "dim"
    if words and pieces:
        pieces.append((" · ", "dim"))
    return [*pieces, (safe(words), style)]


def _extent(plan: Plan) -> str:
    if not plan.changed:
        return ""
    unconditional = plan.after is not None and plan.kind == "grant" and plan.grant is not None and not plan.grant.tags
    return extent(plan) + (" · no condition" if unconditional else "")


def plan_title(planning: Planning) -> Content:
    job, changing = planning.job, len(planning.changing)
    if planning.over and not changing:
        return Content(f"Nothing to write. {safe(job.terms)}")
    number = changing if planning.over else len(planning.rows)
    return Content.assemble(
        f"{_on(job)} {count(number, *REPOSITORIES)}? {safe(job.terms)}\n",
        (where([row.repository for row in planning.rows]), MUTED),
    )


def plan_summary(planning: Planning) -> Content:
    """Progress of planning; then counts."""
    total = len(planning.rows)
    if planning.error is not None:
        return Content.styled(f"{NO} {safe(planning.error.title)}", "bold $text-error")
    if not planning.over:
        return Content.assemble(
            (f"{PENDING} {planning.done:,} of {total:,} policies read", "$text-primary"), ("   esc cancels", MUTED)
        )
    changing, failed, risky = len(planning.changing), len(planning.failed), len(planning.risky)
    refused = len(planning.refused)
    same, hidden = total - changing - failed - refused, sum(row.hidden for row in planning.rows)
    parts = [Content.styled(f"{changing:,} to change", "bold")]
    if same:
        parts.append(Content.styled(f"{SAME} {same:,} unchanged", MUTED))
    if failed:
        parts.append(Content.styled(f"{NO} {failed:,} skipped (no plan)", "$text-error"))
    if refused:
        cure = "; F repairs" if any(row.plan and row.plan.repairable for row in planning.refused) else ""
        parts.append(Content.styled(f"{NO} {refused:,} skipped (ECR would reject it{cure})", "$text-error"))
    if risky:
        parts.append(Content.styled(f"{RISK} {risky:,} risky", "bold $text-warning"))
    if hidden:
        parts.append(Content.styled(f"{RISK} {hidden:,} hidden by the filter", "bold $text-warning"))
    return Content(" · ").join(parts)


def plan_details(plan: Plan) -> tuple[Content, str]:
    """A row of the plan as text, for display and copying."""
    lines = warnings(plan)
    lines += [Content("")] if lines else []
    return Content("\n").join([*lines, diff(plan), *notes(plan)]), diff_text(plan)


# -- during and after --------------------------------------------------------------------------------------------------


def run_columns(rows: Sequence[Row]) -> list[Column[Row]]:
    return [
        *places(rows),
        Column("result", "Result", _result, lambda row: _result(row)[0][0], width=13, keep=8),
        Column("note", "Note", _result_cell, lambda row: _result_note(row), width=12, flex=1, keep=7),
    ]


def run_note(row: Row | None) -> Content:
    """The whole note of the line under the cursor."""
    return Content(_result_note(row)) if row is not None else Content("")


def _result(row: Row) -> list[Piece]:
    result = row.result
    if result is None:
        return [("· waiting", "dim")]
    if result.status == WRITTEN:
        return [(f"{OK} written", "ok")]
    if result.status == UNCHANGED:
        return [(f"{SAME} unchanged", "dim")]
    return [(f"{NO} failed", "warn")] if result.status == FAILED else [(f"{SKIP} not started", "dim")]


def _result_cell(row: Row) -> list[Piece]:
    return [(_without_account(_result_note(row), row), "")]


def _result_note(row: Row) -> str:
    result = row.result
    if result is None or (result.error is None and result.outcome is None):
        return ""
    if result.error is not None:
        return safe(result.error.title)
    plan = result.plan
    left = [f"{item.sentence()}." for item in plan.remaining] if plan.kind == "revoke" else []
    return safe(" ".join((*left, *(result.outcome.notes if result.outcome else ()))))


def _on(job: Job) -> str:
    return "Merge into" if job.verb == "Merge" else f"{job.verb} on"


def run_title(run: Running) -> Content:
    """The terms of an undo are shown only before it; afterwards the rows have the results."""
    what = f"{_on(run.job)} {count(run.total, *REPOSITORIES)}"
    return Content(what if run.job.entries and not run.running else f"{what}. {safe(run.job.terms)}")


def run_bar(run: Running, width: int) -> Content:
    """A progress bar with numbers, readable without color."""
    number = f" {run.done:,} of {run.total:,}"
    room = max(min(width - len(number), 60), 4)
    full = room * run.done // run.total if run.total else room
    return Content.assemble(("█" * full, "$text-accent"), ("░" * (room - full), MUTED), (number, "bold"))


def run_counts(run: Running) -> Content:
    written, same, failed = run.counts[WRITTEN], run.counts[UNCHANGED], run.counts[FAILED]
    parts = [Content.styled(f"{OK} {written:,} written", "$text-success")]
    if same:
        parts.append(Content.styled(f"{SAME} {same:,} unchanged", MUTED))
    parts.append(Content.styled(f"{NO} {failed:,} failed", "bold $text-error" if failed else MUTED))
    waiting = run.total - run.done
    if waiting:
        parts.append(
            Content.styled(f"{waiting:,} waiting" if run.running else f"{SKIP} {waiting:,} not started", MUTED)
        )
    return Content(" · ").join(parts)


def run_state(run: Running) -> Content:
    """Rate and remaining time; at the end the summary."""
    if run.error is not None:
        return Content.styled(f"{NO} {safe(run.error.title)}", "bold $text-error")
    if run.summary is not None:
        fine = run.summary.complete
        style = "bold $text-success" if fine else "bold $text-error"
        parts = [
            Content.styled(f"{OK if fine else NO} {safe(run.summary.headline())}", style),
            Content.styled(f" in {seconds(run.seconds)}, {count(run.summary.calls, 'call')}", MUTED),
        ]
        if run.summary.fatal is not None:
            parts.append(Content.styled(f"\nThe rest was not tried: {safe(run.summary.fatal.title)}", "$text-error"))
        return Content("").join([*parts, _throttled(run)])
    if run.stopping:
        return Content.styled("Stopping after the writes in progress…", "bold $text-warning")
    if run.paused:
        return Content.styled(
            "Paused (writes in progress were completed). Press space to resume.", "bold $text-warning"
        )
    parts = [Content.styled(f"{run.done / run.seconds:.1f}/s", "bold")] if run.done and run.seconds else []
    if run.seconds_left is not None:
        parts.append(Content(f"about {seconds(run.seconds_left)} left"))
    if run.latest is not None and run.latest.rate:
        parts.append(Content.styled(f"AWS allows {run.latest.rate:.0f} calls/s", MUTED))
    return Content("").join([Content(" · ").join(parts or [Content("Writing the first repository…")]), _throttled(run)])


def _throttled(run: Running) -> Content:
    if not run.refusals:
        return Content.empty()
    return Content.styled(f" · throttled {run.refusals:,} times", MUTED)


def stopping_words(run: Running) -> Content:
    """Text for the confirmation to stop."""
    end = "" if run.job.entries else " Press R to resume the rest later."
    return Content(f"{run.done:,} of {run.total:,} are done. The run stops after the writes in progress.{end}")


def run_keys(run: Running) -> list[tuple[str, str]]:
    look = [("enter", "details"), ("↑ ↓", "select")]
    if run.running:
        pause = [] if run.stopping else [("space", "resume" if run.paused else "pause"), ("esc", "stop…")]
        return [*pause, ("R", "hide (keeps running)"), *look]
    undone = run.undone() if run.error is None else []
    again = [("r", f"retry {len(undone):,}")] if undone else []
    back = [("u", "redo" if run.job.intent.kind == UNDO else "undo")] if run.can_take_back else []
    return [*again, *back, ("y", "copy report"), ("esc", "close"), *look]


def unfinished_body(left: Unfinished, words: str, when: str) -> list[Content]:
    total, failed = len(left.run.targets), len(left.failed)
    how = "was interrupted" if left.interrupted else "was stopped"
    some: Sequence[str] = [safe(row.name) for row in left.rest[:5]]
    more = f" and {len(left.rest) - len(some):,} more" if len(left.rest) > len(some) else ""
    body = [
        Content.assemble((f"{safe(words)}", "bold"), f"\nThe run of {when} {how}."),
        Content(""),
        Content(f"{OK} {left.written:,} of {total:,} written"),
    ]
    if failed:
        body.append(Content(f"{NO} {failed:,} failed"))
    body += [
        Content.assemble((f"{SKIP} {len(left.rest):,} left: ", ""), (", ".join(some) + more, MUTED)),
        Content(""),
        Content("Resume plans the rest against the current policies, and asks before it writes."),
    ]
    return body


def run_words(run: Running | None) -> str:
    """For the status line; "" if nothing runs."""
    if run is None or not run.running:
        return ""
    doing = "paused" if run.paused else "stopping" if run.stopping else "undoing" if run.job.entries else "writing"
    return f"{doing} {run.done:,} of {run.total:,} (R)"
