"""IAM Access Analyzer's results compared with ecr-tui's, and the record of disagreements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

from ecr_tui.access.second_opinion import Comparison, Difference, SecondOpinion
from ecr_tui.aws.access_analyzer import ACCOUNT, Analyzer, Finding
from ecr_tui.changes.disagreements import Disagreement
from ecr_tui.changes.plans import Plan
from ecr_tui.policy.actions import action_words
from ecr_tui.policy.answer import Verdict
from ecr_tui.policy.principal import canonical, describe
from ecr_tui.render.common import table
from ecr_tui.text import block

_OURS = {Verdict.YES: "allowed", Verdict.NO: "not allowed", Verdict.DEPENDS: "depends on the request"}
_HEAD = ("ID", "WHEN (UTC)", "REPOSITORY", "POLICY", "PRINCIPAL", "ACCESS", "ECR-TUI", "ACCESS ANALYZER")
_WHEN = {"after": "this plan", "now": "the current policy", "both": "this plan and the current policy"}


def opinion_text(plan: Plan, opinion: SecondOpinion) -> str:
    return block([f"{plan.repository.name}: {headline(opinion)}", *(f"  {line}" for line in lines(opinion))])


def headline(opinion: SecondOpinion) -> str:
    """ "Access Analyzer agrees with ecr-tui (external-access, ACCOUNT)"."""
    analyzer, compared = opinion.analyzer, [one for one in (opinion.after, opinion.now) if one is not None]
    if analyzer is None or not compared:
        return "no result from Access Analyzer"
    number = sum(not one.why for _, one in _differences(opinion))
    if number:
        words = f"disagrees with ecr-tui on {'1 point' if number == 1 else f'{number} points'}"
    elif not any(one.incomparable for one in compared):
        words = "agrees with ecr-tui"
    elif any(one.agreed for one in compared):
        words = "agrees with ecr-tui on comparable points"
    else:
        words = "is not comparable with ecr-tui here"
    what = "" if opinion.after is not None else ", for the current policy"
    return f"Access Analyzer {words}{what} ({analyzer.name}, {analyzer.kind})"


def lines(opinion: SecondOpinion) -> list[str]:
    found: list[str] = []
    if opinion.preview is not None:
        found += [_finding_line(one) for one in opinion.preview.findings] or [
            "no external access after this plan" + _zone(opinion.analyzer)
        ]
    elif opinion.existing is not None:
        found += [_finding_line(one) for one in opinion.existing] or [
            "no external access now" + _zone(opinion.analyzer)
        ]
    for when, one in _differences(opinion):
        found += _incomparable(when, one) if one.why else _disagreement(when, one, opinion)
    return found + list(opinion.unavailable)


def _differences(opinion: SecondOpinion) -> list[tuple[str, Difference]]:
    """Disagreements first; one that concerns both policies appears once, as "both"."""
    after, now = ({_without_ids(one): one for one in _of(compared)} for compared in (opinion.after, opinion.now))
    found = [("both" if key in now else "after", one) for key, one in after.items()]
    found += [("now", one) for key, one in now.items() if key not in after]
    return sorted(found, key=lambda item: bool(item[1].why))


def _of(compared: Comparison | None) -> tuple[Difference, ...]:
    return () if compared is None else compared.differences


def _without_ids(one: Difference) -> Difference:
    return replace(one, findings=())


def _zone(analyzer: Analyzer | None) -> str:
    whose = "account" if analyzer is None or analyzer.kind == ACCOUNT else "organization"
    return f" (from outside the {whose})"


def _finding_line(one: Finding) -> str:
    """ "NEW  user devusr2 in 222222222222: pull"."""
    who = " and ".join(describe(canonical(value)) for _, value in one.principals) or "no principal"
    what = f"analysis failed: {one.error}" if one.error else action_words(one.actions)
    limits = [f"{key} = {value}" for key, value in one.condition.items()]
    more = f" if {', '.join(limits)}" if limits else ""
    state = "" if one.status == "ACTIVE" else f", {one.status}"
    public = ", public" if one.public else ""
    return f"{one.change or 'FOUND'}  {who}: {what}{more}{public}{state}"


def _disagreement(when: str, one: Difference, opinion: SecondOpinion) -> list[str]:
    rests = f" ({', '.join(one.statements)})" if one.statements else ""
    return [
        f"! disagreement on {_WHEN[when]}: {_subject(one)}",
        f"    Access Analyzer: {_theirs(one)}",
        f"    ecr-tui: {_OURS[one.ours]}{rests}",
        f"    inspect: {_where(when, one, opinion)}",
    ]


def _incomparable(when: str, one: Difference) -> list[str]:
    theirs = "reported" if one.theirs else "not reported"
    return [f"not comparable, {_WHEN[when]}: {_subject(one)}: {theirs}; ecr-tui: {_OURS[one.ours]}. {one.why}"]


def _subject(one: Difference) -> str:
    who = "everyone (public)" if one.public else describe(one.principal)
    return f"{who}, {action_words(one.actions)}"


def _theirs(one: Difference) -> str:
    if not one.theirs:
        return "not reported"
    return f"reported (finding {', '.join(one.findings)})"


def _where(when: str, one: Difference, opinion: SecondOpinion) -> str:
    arn = "" if opinion.analyzer is None else f" --analyzer-arn {opinion.analyzer.arn}"
    if when != "now" and opinion.preview is not None:
        return f"aws accessanalyzer list-access-preview-findings --access-preview-id {opinion.preview.id}{arn}"
    if one.findings:
        return f"aws accessanalyzer get-finding --id {one.findings[0]}{arn}; findings follow a policy within 30 minutes"
    return f"aws accessanalyzer list-findings{arn}; findings follow a policy within 30 minutes"


def disagreements_text(found: Sequence[Disagreement]) -> str:
    if not found:
        return "No disagreements found."
    return table([_HEAD, *(_cells(one) for one in found)])


def _cells(one: Disagreement) -> tuple[str, ...]:
    difference = one.difference
    cells = (
        one.id,
        f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        f"{one.repository} {one.region} {one.account}",
        "previewed" if one.when == "after" else "current",
        "everyone (public)" if difference.public else describe(difference.principal),
        action_words(difference.actions),
        _OURS[difference.ours],
        _theirs(difference),
    )
    return tuple(" ".join(cell.split()) for cell in cells)
