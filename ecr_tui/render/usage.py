"""Use of repositories as plain text and as JSON.

Sources of the limitations in :data:`LEFT_OUT`: CloudTrail API Reference, "LookupEvents" (management
events of 90 days, in a region); CloudTrail User Guide, "CloudTrail userIdentity element" (AWSAccount) and "CloudTrail
record contents" (sharedEventID, recipientAccountId); Amazon ECR User Guide, "Logging Amazon ECR actions with AWS
CloudTrail"; Amazon ECR API Reference, "GetDownloadUrlForLayer" (once for each layer that is not cached; the URL is of
Amazon S3); Amazon ECR User Guide, "IAM permissions for pushing an image" (BatchGetImage); aws/containers-roadmap#1634
("AWS Internal"). A VPC endpoint's denials are documented as not recorded for Amazon ECS and AWS KMS.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ecr_tui.access.usage import Attempt, Kind, Refused, Span
from ecr_tui.access.usage_grants import Answer, GrantUse, caller_title
from ecr_tui.access.usage_report import RegionUsage, UsageReport
from ecr_tui.aws.trail import PAGE, Caller
from ecr_tui.diagnosis.diagnose import Diagnosis, diagnose
from ecr_tui.render.common import table
from ecr_tui.text import block, count, hanging

ROWS = 40
"""Rows of a list; ``--json`` has all."""

LEFT_OUT = (
    "Event history has management events of the last 90 days of one region. Events take some minutes to arrive, so "
    "the last 15 minutes are read again by the next call.",
    "An event of another account may name the account only, not the user or role. AWS documents events in both "
    "accounts in general, not for ECR: where ECR recorded a pull that no event explains, the answer is unknown.",
    "Layers are downloaded from Amazon S3: such downloads are not ECR events, and a layer that the client has "
    "already causes no event. A push also calls BatchGetImage, so a last pull may be a push.",
    "Pushes and pulls carry no client address (AWS Internal). AWS does not document how pulls by services such as "
    "Lambda appear, nor whether denials by a VPC endpoint policy are recorded for ECR; for ECS and KMS they are not.",
    "A verification by ecr-tui pushes and pulls as account B and counts as use; its checks through the API do not.",
)


def usage_text(report: UsageReport) -> str:
    sections = [_head(report), _uses(report), *_grants(report), _denials(report), _left_out()]
    return "\n\n".join(section for section in sections if section)


def _head(report: UsageReport) -> str:
    lines = [f"Usage of {count(len(report.repositories), 'repository')} in account {report.account}"]
    for region in report.regions:
        lines += textwrap.wrap(f"{region.region}: {_period(region)}", 90, initial_indent="  ", subsequent_indent="    ")
        if region.note:
            lines.append(f"    note: {region.note}")
        if region.unreadable:
            lines.append(f"    {region.unreadable:,} events could not be read")
        if not region.outside:
            lines.append(
                "    No event of another account. If you expected some, run ecr-tui verify, which causes events,"
            )
            lines.append("    then ecr-tui usage again, to check whether they reach this account's trail.")
    lines += [f"  {region}: not read: {reason}" for region, reason in report.failures.items()]
    lines += [f"  policy of {arn.partition('/')[2]} unknown: {why}" for arn, why in report.unreadable.items()]
    return block([*lines, *(f"  note: {note}" for note in report.notes)])


def _period(region: RegionUsage) -> str:
    """The covered period of the trail, in words."""
    period, reading = region.period, region.reading
    read = f"{reading.events:,} new events read"
    if period.covered is None:
        known = "no complete period yet"
    else:
        days = (period.until - period.covered).total_seconds() / 86_400
        known = f"all events since {_when(period.covered)} are known ({days:.1f} days)"
    why = {
        "limit": f". Stopped after {reading.pages:,} pages of {PAGE}; run it again to go further back",
        "throttled": ". CloudTrail is throttling; run it again to go further back",
    }.get(reading.stopped, "")
    return f"{known}, {read}{why}"


def _uses(report: UsageReport) -> str:
    found = [one for region in report.regions for one in region.uses]
    shown = [
        (use, span) for use, span in found if use.caller.account != report.account or use.kind in (Kind.PULL, Kind.PUSH)
    ]
    if not shown:
        return "Last use\n  none found"
    outside_first = sorted(shown, key=lambda one: one[0].caller.account == report.account)
    rows = [("REPOSITORY", "BY", "KIND", "EVENTS", "FIRST", "LAST (UTC)")]
    rows += [
        (
            use.repository,
            caller_title(use.caller),
            use.kind.value,
            f"{span.number:,}",
            _short(span.first),
            _short(span.last),
        )
        for use, span in outside_first[:ROWS]
    ]
    return f"Last use\n{_indented(table(rows))}{_more(len(shown))}"


def _grants(report: UsageReport) -> list[str]:
    unused, unknown = report.granted(Answer.NO_EVENT), report.granted(Answer.UNKNOWN)
    sections = []
    if unused:
        found = _grouped(unused, lambda one: (_short(one.period.start), _short(one.last), _short(one.policy_set)))
        heads = ("REPOSITORY", "PRINCIPAL", "ACCESS", "NO EVENT SINCE (UTC)", "LAST USE (UTC)", "POLICY WRITTEN (UTC)")
        rows = [heads, *found[:ROWS]]
        short = sum(not one.period.whole for one in unused)
        note = f"\n  For {short:,} of them, events of fewer than {report.unused_days} days are known." if short else ""
        title = f"Granted, without an event in {report.unused_days} days"
        sections.append(f"{title}\n{_indented(table(rows))}{_more(len(found))}{note}")
    if unknown:
        found = _grouped(unknown, lambda one: (one.reason,))
        rows = [("REPOSITORY", "PRINCIPAL", "ACCESS", "WHY"), *found[:ROWS]]
        sections.append(f"Granted, use unknown\n{_indented(table(rows))}{_more(len(found))}")
    if report.grants:
        used = len(report.granted(Answer.USED))
        sections.append(f"Granted and used in {report.unused_days} days: {used:,} of {len(report.grants):,}")
    return sections


def _grouped(grants: Sequence[GrantUse], facts: Callable[[GrantUse], tuple[str, ...]]) -> list[tuple[str, ...]]:
    """A row for each group of principals of a repository with equal use."""
    access: dict[tuple[Any, ...], list[str]] = {}
    for one in grants:
        access.setdefault((one.repository.name, one.title, facts(one)), []).append(one.capability.value)
    people: dict[tuple[Any, ...], list[str]] = {}
    for (name, title, told), capabilities in access.items():
        people.setdefault((name, ", ".join(capabilities), told), []).append(title)
    return [
        (name, titles[0] + (f" and {len(titles) - 1:,} more" if len(titles) > 1 else ""), given, *told)
        for (name, given, told), titles in people.items()
    ]


def _denials(report: UsageReport) -> str:
    groups: dict[tuple[str, str, Caller, bool], list[tuple[Attempt, Refused]]] = {}
    for region in report.regions:
        for attempt, refused in region.denials:
            key = (region.region, attempt.repository, attempt.caller, attempt.check)
            groups.setdefault(key, []).append((attempt, refused))
    if not groups:
        return ""
    lines = ["Denied attempts"]
    for (place, repository, caller, check), found in list(groups.items())[:ROWS]:
        number = sum(refused.span.number for _, refused in found)
        actions = ", ".join(dict.fromkeys(attempt.operation for attempt, _ in found))
        times = f"{count(number, 'time')}, last {_short(found[0][1].span.last)}"
        lines.append(f"  {repository}: {caller_title(caller)}, {times}: {actions}")
        if check:
            lines.append("    a check by ecr-tui, such as the isolation check")
            continue
        told = diagnosis_of(report.account, place, *found[0])
        lines += hanging("    why: ", told.cause or told.title)
        lines += hanging("    fix: ", told.fix) if told.fix else []
    return block(lines) + _more(len(groups))


def diagnosis_of(account: str, region: str, attempt: Attempt, refused: Refused) -> Diagnosis:
    """As ``ecr-tui explain``, with the event's own fields."""
    known = {"user": attempt.caller.arn, "repository": attempt.repository, "account": account, "region": region}
    return diagnose(refused.message, status=403, action=f"ecr:{attempt.operation}", known=known)


def _left_out() -> str:
    told = [textwrap.wrap(line, 90, initial_indent="  - ", subsequent_indent="    ") for line in LEFT_OUT]
    return block(["Not in CloudTrail", *(line for lines in told for line in lines)])


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _more(total: int) -> str:
    return f"\n  and {total - ROWS:,} more (--json has all)" if total > ROWS else ""


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _short(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M}"


def usage_json(report: UsageReport) -> dict[str, Any]:
    return {
        "account": report.account,
        "at": _time(report.at),
        "days": report.days,
        "unused_days": report.unused_days,
        "regions": [
            {
                "region": region.region,
                "complete_from": _maybe(region.period.covered),
                "until": _time(region.period.until),
                "events_read": region.reading.events,
                "pages_read": region.reading.pages,
                "stopped": region.reading.stopped or None,
                "unreadable": region.unreadable,
                "other_accounts": region.outside,
            }
            for region in report.regions
        ],
        "uses": [
            {"repository": use.repository, "region": region.region}
            | _caller(use.caller, report.account)
            | {"kind": use.kind.value, **_span(span)}
            for region in report.regions
            for use, span in region.uses
        ],
        "grants": [
            {
                "repository": one.repository.name,
                "arn": one.repository.arn,
                "region": one.repository.region,
                "principal": one.principal,
                "title": one.title,
                "access": one.capability.value,
                "answer": one.answer.value,
                "since": _maybe(one.period.start),
                "whole_period": one.period.whole,
                "last": _maybe(one.last),
                "reason": one.reason or None,
                "policy_set": _maybe(one.policy_set),
            }
            for one in report.grants
        ],
        "denied": [_denial(report, region, *one) for region in report.regions for one in region.denials],
        "unreadable": [{"arn": arn, "reason": reason} for arn, reason in report.unreadable.items()],
        "failures": [{"region": region, "reason": reason} for region, reason in report.failures.items()],
        "notes": [*report.notes, *(region.note for region in report.regions if region.note)],
        "left_out": list(LEFT_OUT),
    }


def _denial(report: UsageReport, region: RegionUsage, attempt: Attempt, refused: Refused) -> dict[str, Any]:
    told = diagnosis_of(report.account, region.region, attempt, refused)
    return (
        {"repository": attempt.repository, "region": region.region}
        | _caller(attempt.caller, report.account)
        | {
            "action": f"ecr:{attempt.operation}",
            "check": attempt.check,
            **_span(refused.span),
            "message": refused.message,
            "pattern": told.pattern,
            "side": told.side or None,
            "cause": told.cause or None,
            "fix": told.fix or None,
        }
    )


def _caller(caller: Caller, owner: str) -> dict[str, Any]:
    return {
        "principal": caller.arn or None,
        "principal_id": caller.id or None,
        "account": caller.account or None,
        "service": caller.service or None,
        "title": caller_title(caller),
        "external": caller.account != owner,
    }


def _span(span: Span) -> dict[str, Any]:
    return {"first": _time(span.first), "last": _time(span.last), "count": span.number}


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _maybe(at: datetime | None) -> str | None:
    return None if at is None else _time(at)
