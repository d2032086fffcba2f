"""Text of a live verification: verdict, a line for each stage, and the report as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from ecr_tui.changes.plans import Plan
from ecr_tui.diagnosis.failure import EITHER_POLICY, IDENTITY_POLICY, REPOSITORY_POLICY
from ecr_tui.policy.ours import TagCondition, tag_words
from ecr_tui.policy.principal import describe, without_session
from ecr_tui.ui.choice import ACCESS_WORDS
from ecr_tui.ui.proof import Run, StageRow
from ecr_tui.ui.text import KEY, MUTED, NO, OK, SKIP, safe, seconds, size
from ecr_tui.ui.text.write import grant_words
from ecr_tui.verification.report import IsolationStatus, Report, Stage, Status

WORDS = {
    "ok": (OK, "ok", "$text-success"),
    "denied": (NO, "denied", "$text-error"),
    "failed": (NO, "failed", "$text-error"),
    "skipped": (SKIP, "skipped", MUTED),
}
"""By the value of a stage's status."""

START = Content("\n").join(
    [
        Content.styled("Verify access live, as account B:", "bold"),
        *(
            Content.assemble((f"  {key:<6}", KEY), words)
            for key, words in (
                ("↑ ↓", "Select a repository"),
                ("v", "Verify: log in, push a 2 kB probe image, pull it, clean up"),
                ("g", "Grant what the policy preview shows"),
                ("v", "Verify again"),
                ("u", "Undo the grant"),
            )
        ),
        Content.styled("Press p to choose read, pull, push or a combination. Without push, nothing is pushed.", MUTED),
    ]
)
"""The workflow in five keys, shown without a verification."""

PULL_TIME = "Verifying pull alone updates the image's last-pull time, so lifecycle rules may keep it longer."


def loudest(report: Report) -> str:
    if report.isolation is not None and report.isolation.status is IsolationStatus.LEAKED:
        return "leak"
    return report.verdict.value


def verdict(run: Run) -> Content:
    if run.error is not None:
        return Content.styled(f"{NO} ERROR  {safe(run.error.title)}", "bold $text-error")
    if run.report is None:
        if run.abandoned:
            return Content.styled("Cancelled. The engine is still stopping; cleanup follows.", "bold $text-warning")
        if run.cancelling:
            return Content.styled("Stopping, then cleaning up…", "bold $text-warning")
        return Content.styled("Running…  Esc stops it", "bold $text-primary")
    report = run.report
    good = report.passed
    headline = report.headline()
    if report.principal:
        headline = headline.replace(report.principal, describe(report.principal))
    headline = safe(headline)
    word, _, rest = headline.partition(" ")
    style = "$text-success" if good else "$text-error"
    return Content.assemble(
        (f"{OK if good else NO} {word}", f"bold reverse {style}" if not good else f"bold {style}"), (" " + rest, "bold")
    )


def fix_keys(run: Run, plan: Plan | None) -> str:
    """The keys that fix a denial, in order; "" if none does. ``plan``: the preview."""
    report = run.report
    if report is None:
        return ""
    sides = {stage.side for stage in report.stages if stage.status is Status.DENIED}
    if IDENTITY_POLICY in sides:
        return "Press Y to copy the identity policy that account B needs."
    if not sides & {REPOSITORY_POLICY, EITHER_POLICY} or plan is None or plan.grant is None:
        return ""
    if report.principal and without_session(report.principal) not in plan.grant.principals:
        return ""  # the preview is for another principal
    grant = plan.grant
    if run.access is not None and not run.access.parts <= grant.access.parts:
        return f"Press p until the access is {ACCESS_WORDS[run.access]}, then g and v."
    if plan.refused:
        return "Press F to repair the policy, then g and v." if plan.repairable else ""
    if plan.void and grant.tags and plan.repository.tags is not None:
        return _condition_keys(grant.tags, plan.repository.tags)
    return f"Press g to write the previewed grant ({grant_words(grant)}), then v." if plan.changed else ""


def _condition_keys(condition: Sequence[TagCondition], tags: Mapping[str, str]) -> str:
    """The fix for a grant whose condition does not match the repository's tags."""
    keys = list(dict.fromkeys(key for key, _ in condition))
    if any("*" in value or "?" in value for _, value in condition):
        return ""
    if missing := [(key, value) for key, value in condition if key not in tags]:
        return f"Press e to tag the repository with {safe(tag_words(missing[:1]))}, then v."
    own = [(key, tags[key]) for key in keys]
    return f"Press c and choose {safe(tag_words(own))}, then g and v." if set(own) - set(condition) else ""


def stage_line(row: StageRow, now: float, cancelling: bool) -> Content:
    """Mark and word, stage, seconds, bytes, and message."""
    stage = row.stage
    if stage is not None:
        mark, word, style = WORDS[stage.status.value]
        message = safe(stage.message) if word != "ok" else safe(_short(stage))
        return _line(mark, word, style, row.name.value, seconds(stage.seconds), size(stage.bytes), message, MUTED)
    if row.began is None:
        return _line("·", "waiting", MUTED, row.name.value, "", "", "", MUTED)
    word = "stopping" if cancelling else "running"
    current, total = row.transferred()
    took = seconds(max(now - row.began, 0))
    return _line("▸", word, "bold $text-primary", row.name.value, took, "", _progress(row, current, total), "")


def _short(stage: Stage) -> str:
    """Digests are shortened; the report has them in full."""
    return stage.message[:19] + "…" if stage.message.startswith("sha256:") else stage.message


def _progress(row: StageRow, current: int, total: int | None) -> str:
    """Percentage, bytes and the engine's status, most informative first: the end of the line may be cut off."""
    parts = []
    if total:
        share = min(current / total, 1.0)
        filled = round(share * 6)
        parts.append(f"{'━' * filled}{'╌' * (6 - filled)} {share:.0%}")
    if current:
        parts.append(size(current))
    if row.latest:
        parts.append(safe(row.latest.status))
    return " ".join(parts)


def _line(
    mark: str, word: str, style: str, name: str, took: str, moved: str, message: str, message_style: str
) -> Content:
    return Content.assemble(
        (f"{mark} ", style),
        (f"{name:<10}", "bold" if style != MUTED else MUTED),
        (f"{word:<8}", style),
        (f"{took:>7}  ", MUTED),
        (f"{moved}  " if moved else "", ""),
        (message, message_style),
    )
