"""The live verification: a row a stage, the verdict, and for a failure the side, the action, why and the fix."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ecr_tui.policy.actions import Access
from ecr_tui.policy.principal import describe
from ecr_tui.ui.text import MUTED, NO, OK, SKIP, safe, safe_block, seconds, size
from ecr_tui.ui.widgets.words import Words
from ecr_tui.verification.report import IsolationStatus, Status, Verdict

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.ui.flows.verifying import Run, StageRow
    from ecr_tui.verification.report import Report, Stage

WORDS = {
    "ok": (OK, "ok", "$text-success"),
    "denied": (NO, "denied", "$text-error"),
    "failed": (NO, "failed", "$text-error"),
    "skipped": (SKIP, "skipped", MUTED),
}
"""By the value of a stage's status. What a run reports is first needed when one begins, so the first frame does not
import it."""

KEY = "bold $text-accent"

START = Content("\n").join(
    [
        Content.styled("Prove access live, as account B:", "bold"),
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
        Content.styled("p chooses pull, push or both. With pull alone nothing is pushed.", MUTED),
    ]
)
"""The story in five keys, where there is no verification to show."""

PULL_TIME = (
    "With pull alone v moves the image's last-pull time, which lifecycle rules may go by: it may be kept longer."
)


class Field(Horizontal):
    """A label and a text that wraps beside it."""

    DEFAULT_CSS = """
    Field {
        height: auto;
        & > .label { width: 8; color: $text-muted; }
        & > .text { width: 1fr; height: auto; }
    }
    """

    def __init__(self, label: str, text: Content) -> None:
        super().__init__(Static(label, classes="label", markup=False), Static(text, classes="text", markup=False))


class VerificationPane(VerticalScroll, can_focus=True):
    DEFAULT_CSS = """
    VerificationPane {
        scrollbar-size-vertical: 1;
        & > Static { width: 1fr; height: auto; }
        & > #stages { text-wrap: nowrap; text-overflow: ellipsis; }
        & > #last, & > #pull-time { margin-bottom: 1; }
        & > #failure { height: auto; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="verification")
        self.border_title = "Verification"
        self._run: Run | None = None
        self._explained: object = None
        self._stale = self._title = ""

    def compose(self) -> ComposeResult:
        yield Words(id="verdict")
        yield Words(id="hint")
        yield Words(Content.styled(PULL_TIME, "$text-warning"), id="pull-time")
        yield Words(id="last")
        yield Vertical(id="failure")
        yield Words(id="stages")
        yield Words(START, id="start")

    def clear(self, repository: Repository | None) -> None:
        """No run to show for this repository: how to begin."""
        if self._run is not None:
            self._run = self._explained = None
            for name in ("#verdict", "#hint", "#stages"):
                self.query_one(name, Words).say(Content.empty())
            self.query_one("#failure", Vertical).remove_children()
            self.border_subtitle = ""
            self.query_one("#start", Words).display = True
        title = f"Verification · {safe(repository.name)}" if repository is not None else "Verification"
        if title != self._title:
            self._title = title
            self.border_title = Content(title)

    def show(self, run: Run, now: float, *, stale: str = "", hint: str = "") -> None:
        """``now`` is monotonic seconds, for the stage that runs.

        ``stale``: why the result is an old one, "before the undo at 18:50 UTC". ``hint``: a key that mends a denial.
        """
        self._stale = "" if run.running else stale
        only = {"pull": " · pull only", "push": " · push only"}.get(run.access.value if run.access else "", "")
        at = f" · {run.at.astimezone(UTC):%H:%M} UTC" if run.at is not None else ""
        title = f"Verification · {safe(run.repository.name)}{only}{at}"
        if run is not self._run or title != self._title:
            self._run, self._title = run, title
            self.border_title = Content(title)
            self.query_one("#start", Words).display = False
        said = verdict(run)
        if self._stale:
            said = Content.styled(said.plain, f"strike {MUTED}")
        self.query_one("#verdict", Words).say(said)
        line = f"{self._stale[:1].upper()}{self._stale[1:]}. Press v to verify again." if self._stale else hint
        self.query_one("#hint", Words).say(
            Content.styled(line, "bold $text-warning" if self._stale else "$text-accent")
        )
        self.query_one("#stages", Words).say(
            Content("\n").join([stage_line(row, now, run.cancelling) for row in run.rows])
        )
        self._explain(run)

    def _explain(self, run: Run) -> None:
        """Rebuilt only when there is something new to explain: mounting at each progress event would flicker."""
        subject = (run, run.report, run.error)
        if self._explained == subject:
            return
        self._explained = subject
        holder = self.query_one("#failure", Vertical)
        holder.remove_children()
        holder.mount_all(explanation(run))
        self.border_subtitle = Content(safe(run.report.engine_description)) if run.report else ""

    def on_mount(self) -> None:
        self.show_last(Content.empty())
        self.show_access(Access.PUSH_PULL)

    def show_access(self, access: Access) -> None:
        """What ``v`` would prove: with pull alone it leaves a trace on an image of somebody else's."""
        self.query_one("#pull-time", Words).display = access is Access.PULL

    def show_last(self, last: Content) -> None:
        """What is known of the selected repository from before; empty for nothing."""
        words = self.query_one("#last", Words)
        words.display = bool(last.plain)
        words.say(last)

    def copy_text(self) -> tuple[str, str]:
        if self._run is None:
            return "", ""
        if self._run.error is not None:
            return self._run.error.text(), "the error"
        if self._run.report is None:
            return "", ""
        old = f"STALE: {self._stale}\n" if self._stale else ""
        return old + report_text(self._run.report), "the report"

    @property
    def summary(self) -> str:
        """One word with its mark, for the narrow layout's tab."""
        run = self._run
        if run is None:
            return ""
        if run.running:
            return "running"
        if self._stale:
            return "stale"
        if run.report is None:
            return f"{NO} error"
        return f"{OK} allowed" if run.report.passed else f"{NO} {_loudest(run.report)}"


def _loudest(report: Report) -> str:
    if report.isolation is not None and report.isolation.status is IsolationStatus.LEAKED:
        return "leak"
    return report.verdict.value


def verdict(run: Run) -> Content:
    if run.error is not None:
        return Content.styled(f"{NO} ERROR  {safe(run.error.title)}", "bold $text-error")
    if run.report is None:
        if run.abandoned:
            return Content.styled("Cancelled. The engine is still letting go; cleanup follows.", "bold $text-warning")
        if run.cancelling:
            return Content.styled("Stopping, then cleaning up…", "bold $text-warning")
        return Content.styled("Running…  esc stops it", "bold $text-primary")
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


def stage_line(row: StageRow, now: float, cancelling: bool) -> Content:
    """Mark and word, stage, seconds, bytes, and what there is to say."""
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
    """Digests are long and say little here: the report has them in full."""
    return stage.message[:19] + "…" if stage.message.startswith("sha256:") else stage.message


def _progress(row: StageRow, current: int, total: int | None) -> str:
    """Share, bytes and the engine's own word, the most telling first: the end of the line may be cut off."""
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


def explanation(run: Run) -> list[Field | Static]:
    if run.error is not None:
        return _fields([("Side", run.error.side), ("Said", run.error.detail), ("Fix", run.error.hint)])
    if run.report is None:
        return []
    fields: list[Field | Static] = []
    for stage in run.report.stages:
        if stage.status in (Status.DENIED, Status.FAILED):
            fields.append(Static(Content.styled(f"\n{stage.name.value}: {safe(stage.message)}", "bold"), markup=False))
            fields += _fields(
                [
                    ("Why", stage.cause if stage.cause != stage.message else ""),
                    ("Fix", stage.fix),
                    ("Side", stage.side),
                    ("Action", stage.action),
                    *((label.capitalize(), text) for label, text in stage.traces),
                    ("Said", stage.detail if stage.detail != stage.message else ""),
                ]
            )
    for note in run.report.notes:
        fields.append(Field("Note", Content(safe_block(note))))
    if run.report.verdict is Verdict.ALLOWED and run.report.digest:
        fields.append(Static("", markup=False))
        fields.append(Field("Digest", Content(safe(run.report.digest))))
    return fields


def _fields(pairs: list[tuple[str, str]]) -> list[Field | Static]:
    styles = {"Fix": "$text-accent", "Said": MUTED, "Side": "bold"}
    return [Field(label, Content.styled(safe_block(text), styles.get(label, ""))) for label, text in pairs if text]


def report_text(report: Report) -> str:
    """The report as plain lines, to attach to a ticket."""
    lines = [
        report.headline(),
        f"repository  {report.repository}",
        f"principal   {report.principal or 'unknown'}",
        f"engine      {report.engine_description}",
        f"started     {report.started_at:%Y-%m-%d %H:%M:%S %Z}".rstrip(),
    ]
    if report.digest:
        lines.append(f"digest      {report.digest}")
    lines.append("")
    for stage in report.stages:
        lines.append(
            f"{stage.name.value:<10} {stage.status.value:<8} {seconds(stage.seconds):>8}  {stage.message}".rstrip()
        )
        for label, text in (
            ("side", stage.side),
            ("action", stage.action),
            ("why", stage.cause),
            ("fix", stage.fix),
            *stage.traces,
            ("said", stage.detail),
        ):
            if text and stage.status in (Status.DENIED, Status.FAILED):
                lines.append(f"{'':10} {label:<8} " + text.replace("\n", "\n" + " " * 20))
    lines += [f"note: {note}" for note in report.notes]
    lines.append("" if report.cleaned_up else "The probe image may still be in the repository.")
    return "\n".join(lines).rstrip() + "\n"
