"""Text of past verifications: a line each, and one in full. The record is a file, so its content is not trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from textual.content import Content

from ecr_tui.policy.principal import describe
from ecr_tui.ui.text import MUTED, NO, OK, ago, safe, seconds, utc

if TYPE_CHECKING:
    from ecr_tui.verification.records import Past
    from ecr_tui.verification.report import Report

_FACTS = {"side": "side", "action": "action", "cause": "why", "fix": "fix"}
_TRACES = {"policy_arn": "policy", "authorization_id": "auth id", "details_url": "details"}
"""Labels of a failed stage's fields."""

_LOUD = ("LEAK", "TAG MISSING", "TAG SWITCH FAILED")


def word(past: Past) -> str:
    """As ``Report.word``: "allowed", "denied", "error", or a more severe result."""
    headline = past.headline.partition(":")[0]
    if headline in _LOUD:
        return headline.lower()
    if past.passed or past.verdict != "allowed":
        return past.verdict or "unknown"
    return "isolation unverified"


def verdict(past: Past) -> Content:
    mark, style = (OK, "$text-success") if past.passed else (NO, "$text-error")
    return Content.styled(f"{mark} {safe(word(past))}", f"bold {style}")


def last_line(name: str, past: Past, now: datetime) -> Content:
    """For the pane of the selected repository."""
    told, stale = ago(past.at, now), past.stale
    return Content.assemble(
        (f"{safe(name)} was last verified {utc(past.at)}", MUTED),
        (f" ({told})" if told.endswith("ago") else "", MUTED),
        (": ", MUTED),
        verdict(past).stylize("strike") if stale else verdict(past),
        (f" before the {stale}: press v to verify again" if stale else "", "$text-warning"),
        ("   h: history", MUTED),
    )


def past_line(past: Past) -> Content:
    """Date, verdict, engine, principal."""
    mark, style = (OK, "$text-success") if past.passed else (NO, "$text-error")
    return Content.assemble(
        f"{utc(past.at)}  ",
        (f"{mark} {safe(word(past)):<10}", f"bold {style}"),
        (f" {safe(_text(past.report, 'engine')):<7} {safe(_who(past.report))}", MUTED),
    )


def past_text(past: Past) -> str:
    """One in full, as plain lines."""
    return _report({**past.report, "headline": past.headline or word(past)}, past.at)


def report_text(report: Report) -> str:
    """The report as plain lines, to attach to a ticket."""
    return _report(report.to_json(), report.started_at, {one.name.value: one.traces for one in report.stages})


Traces = Mapping[str, Sequence[tuple[str, str]]]
"""AWS's fields of a denial by stage name: label and text."""


def _report(report: Mapping[str, Any], at: datetime, traces: Traces | None = None) -> str:
    """``report``: as ``Report.to_json``, or as stored in a file, including AWS's fields."""
    lines = [_text(report, "headline")]
    facts = (
        ("repository", _text(report, "repository")),
        ("principal", _text(report, "principal") or "unknown"),
        ("access", _text(report, "access")),
        ("engine", _text(report, "engine_description")),
        ("time", f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("digest", _text(report, "digest")),
    )
    lines += [f"{name:<11} {text}" for name, text in facts if text] + [""]
    isolations = _mappings(report.get("isolations"))
    for stage in _mappings(report.get("stages")):
        taken = stage.get("seconds")
        took = seconds(taken) if isinstance(taken, int | float) else ""
        status = _text(stage, "status")
        lines.append(f"{_text(stage, 'name'):<10} {status:<8} {took:>8}  {_text(stage, 'message')}".rstrip())
        if status in ("denied", "failed"):
            own = traces.get(_text(stage, "name"), ()) if traces is not None else _labelled(stage, _TRACES)
            for label, text in (*_labelled(stage, _FACTS), *own, ("said", _text(stage, "detail"))):
                if text:
                    lines.append(f"{'':10} {label:<8} " + text.replace("\n", "\n" + " " * 20))
        if _text(stage, "name") == "isolation" and len(isolations) > 1:  # the stage has only the worst one
            lines += [f"{'':10} {_text(one, 'status'):<8} {'':>8}  {_text(one, 'message')}" for one in isolations]
    notes = report.get("notes")
    lines += [f"note: {note}" for note in (notes if isinstance(notes, list | tuple) else ())]
    if report.get("cleaned_up") is False:
        lines.append("The probe image may still be in the repository.")
    return "\n".join(lines).rstrip() + "\n"


def _labelled(stage: Mapping[str, Any], labels: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(label, _text(stage, key)) for key, label in labels.items()]


def _who(report: Mapping[str, Any]) -> str:
    principal = _text(report, "principal")
    return describe(principal) if principal.startswith("arn:") else principal


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    return "" if value is None else str(value)


def _mappings(values: Any) -> list[Mapping[str, Any]]:
    return [one for one in values if isinstance(one, Mapping)] if isinstance(values, list | tuple) else []
