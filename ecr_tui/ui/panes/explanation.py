"""Explanation of a verification: cause, fix and side of each failed stage as labeled fields."""

from __future__ import annotations

from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from ecr_tui.diagnosis.opinion import Opinion
from ecr_tui.ui.proof import Run
from ecr_tui.ui.text import MUTED, safe, safe_block
from ecr_tui.ui.text.verification import WORDS
from ecr_tui.ui.widgets.words import Hanging
from ecr_tui.verification.report import Status, Verdict


class Field(Horizontal):
    """A label and a wrapped text."""

    DEFAULT_CSS = """
    Field {
        height: auto;
        & > .label { width: 8; color: $text-muted; }
        & > .text { width: 1fr; height: auto; }
    }
    """

    def __init__(self, label: str, text: Content) -> None:
        super().__init__(Static(label, classes="label", markup=False), Static(text, classes="text", markup=False))


def explanation(run: Run) -> list[Field | Static]:
    if run.error is not None:
        return _fields([("Side", run.error.side), ("Said", run.error.detail), ("Fix", run.error.hint)])
    if run.report is None:
        return []
    fields: list[Field | Static] = []
    asking = run.report.awaits_opinion
    for stage in run.report.stages:
        if stage.status in (Status.DENIED, Status.FAILED):
            above = "\n" if fields else ""
            title = f"{above}{stage.name.value}: {safe(stage.message)}"
            fields.append(Static(Content.styled(title, "bold"), markup=False))
            fields += _fields(
                [
                    ("Why", stage.cause if stage.cause != stage.message else ""),
                    ("Fix", stage.fix),
                    ("Side", stage.side),
                    ("Action", stage.action),
                    *((f"{label[:1].upper()}{label[1:]}", text) for label, text in stage.traces),
                    (
                        "AWS",
                        "Requesting AWS's evaluation…  Esc cancels" if asking and stage is run.report.denied else "",
                    ),
                    ("Said", stage.detail if stage.detail != stage.message else ""),
                ],
                AWS=_style_of(stage.opinion),
            )
    switch = run.report.tag_switch
    if switch is not None:
        above = "\n" if fields else ""
        lines = [Content.styled(f"{above}tag switch: {safe(switch.message)}", "bold")]
        for step in switch.steps:
            mark, _, style = WORDS[step.status.value]
            lines.append(Content.assemble((f"{mark} ", style), f"{step.name} ", (safe(step.message), MUTED)))
        fields.append(Hanging(Content("\n").join(lines)))
        fields += _fields([("Fix", switch.fix)])
    for note in run.report.notes:
        fields.append(Field("Note", Content(safe_block(note))))
    if run.report.verdict is Verdict.ALLOWED and run.report.digest:
        fields.append(Static("", markup=False))
        fields.append(Field("Digest", Content(safe(run.report.digest))))
    return fields


def _style_of(opinion: Opinion | None) -> str:
    """Style of AWS's opinion: a warning if it disagrees, muted if there is none."""
    if opinion is None or opinion.details is None:
        return MUTED
    return "bold $text-warning" if opinion.disagreements else ""


def _fields(pairs: list[tuple[str, str]], **more: str) -> list[Field | Static]:
    styles = {"Fix": "$text-accent", "Said": MUTED, "Side": "bold", "Checks": MUTED, "Context": MUTED, **more}
    return [Field(label, Content.styled(safe_block(text), styles.get(label, ""))) for label, text in pairs if text]
