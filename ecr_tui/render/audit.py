"""Plain text of an audit, most urgent first, for terminals of any width and screen readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ecr_tui.access.audit_json import audit_templates, both_sides, external_accounts, needed, principals, stale, summary
from ecr_tui.access.audit_result import ENTRY, Audit, RepositoryAudit
from ecr_tui.access.copy_drift import words
from ecr_tui.access.expiry import ending
from ecr_tui.access.registry_policy import registry_of
from ecr_tui.access.replicas import ABSENT, DIFFERS, SAME
from ecr_tui.access.two_sided import not_checked
from ecr_tui.aws.model import Repository
from ecr_tui.policy.principal import describe
from ecr_tui.policy.who import Capability, Row, Verdict
from ecr_tui.render.common import table
from ecr_tui.text import block, count

SHOWN, ROWS = 8, 25
"""Limits of names per list and rows per table; ``--json`` has all."""


def audit_text(audit: Audit) -> str:
    return _joined(
        audit,
        _head,
        _unknown,
        _findings,
        _public,
        _accounts,
        _principals,
        _doubtful,
        _asked,
        _services,
        _stale,
        _drift,
        _ends,
        _pulls,
        _copies,
        _registry,
    )


def audit_pages(audit: Audit) -> dict[str, str]:
    """:func:`audit_text` on four pages: "odd", "who", "sides" and "unknown", "" for an empty one.

    Sections are separated by an empty line and begin with their title.
    """
    return {
        "odd": _joined(audit, _head, _findings, _public, _stale, _drift, _ends, _pulls, _copies, _registry),
        "who": _joined(audit, _accounts, _principals, _doubtful, _services),
        "sides": _joined(audit, _asked),
        "unknown": _joined(audit, _unknown),
    }


def _joined(audit: Audit, *sections: Callable[[Audit], list[str]]) -> str:
    found = [section(audit) for section in sections]
    return "\n\n".join(block(lines) for lines in found if lines)


def _head(audit: Audit) -> list[str]:
    facts = summary(audit)
    found = facts["findings"]
    lines = [
        f"Account {audit.account} ({', '.join(audit.regions)}): {count(facts['repositories'], 'repository')}, "
        f"{facts['with_policy']:,} with a policy, {facts['unreadable']:,} unknown",
        f"  findings: {count(found['error'], 'error')}, {count(found['warning'], 'warning')}, "
        f"{count(found['info'], 'note')}",
        "  Access below is by account A's policies, unless it says both accounts.",
    ]
    lines += [f"  {region}: incomplete listing: {reason}" for region, reason in audit.failures.items()]
    return [*lines, *(f"  note: {note}" for note in audit.notes)]


def _unknown(audit: Audit) -> list[str]:
    lines = [f"  {item.repository.name} ({item.repository.region}): {item.unreadable}" for item in audit.unknown]
    return ["Unknown (policy not readable)", *_some(lines, 20)] if lines else []


def _findings(audit: Audit) -> list[str]:
    """Errors and warnings by rule, with their titles and repositories."""
    found: dict[tuple[str, str], dict[str, list[Repository]]] = {}
    for item in audit.repositories:
        for one in item.findings:
            if one.severity != "info":
                found.setdefault((one.severity, one.id), {}).setdefault(one.title, []).append(item.repository)
    lines = []
    for severity, rule in sorted(found):
        titles = found[severity, rule]
        lines += [
            f"  [{severity}] {rule}: {title} ({_names(repositories)})"
            for title, repositories in list(titles.items())[:SHOWN]
        ]
        if len(titles) > SHOWN:
            lines.append(f"  [{severity}] {rule}: and {len(titles) - SHOWN:,} more")
    return ["Findings", *lines] if lines else []


def _public(audit: Audit) -> list[str]:
    lines = []
    for row, found in audit.of_kind("everyone"):
        lines += [f"  {_cell(row, capability)}: {_names(found)}" for capability in _telling(row)]
    return ["Public access", *dict.fromkeys(lines)] if lines else []


def _accounts(audit: Audit) -> list[str]:
    rows = [
        (found["account"], *(f"{found[capability.value]:,}" for capability in Capability), _named_as(found))
        for found in sorted(external_accounts(audit), key=lambda found: -found["repositories"])
    ]
    return _table("Other accounts", ("ACCOUNT", *_HEADS, "NAMED AS"), rows)


def _named_as(account: Mapping[str, Any]) -> str:
    return _people(account["principals"]) + (" (trusted)" if account["trusted"] else "")


def _principals(audit: Audit) -> list[str]:
    most_first = sorted(principals(audit), key=lambda found: -found["repositories"])
    rows = [
        (found["title"], *(_verdicts(found[capability.value]) for capability in Capability)) for found in most_first
    ]
    return _table("Access by principal, as numbers of repositories", ("PRINCIPAL", *_HEADS), rows)


def _doubtful(audit: Audit) -> list[str]:
    """The reasons of cells that are neither yes nor no."""
    found: dict[str, list[Repository]] = {}
    for row, repositories in audit.rows:
        for capability in _telling(row):
            if row.verdict(capability) is not Verdict.YES:
                line = f"{row.title}: {_cell(row, capability)}"
                found.setdefault(line, []).extend(repositories)
    lines = [f"  {line} ({_names(repositories)})" for line, repositories in found.items()]
    return ["Conditional and partial access", *_some(lines, 40)] if lines else []


def _asked(audit: Audit) -> list[str]:
    lines: list[str] = []
    for identity in audit.identities:
        principal = identity.principal
        lines.append(f"Both accounts for {describe(principal)}")
        if identity.unreadable:
            lines.append(f"  identity policies unknown: {identity.unreadable}")
        else:
            shown = ", ".join(f"{policy.name} ({policy.origin})" for policy in identity.policies)
            lines.append(f"  identity policies: {shown or 'none'}")
            if identity.boundary is not None:
                lines.append(f"  permissions boundary: {identity.boundary.name}")
        lines += [*_answers(audit, principal), f"  {not_checked(principal)}"]
        wanted = needed(audit, principal)
        if wanted is not None:
            lines.append(f"  identity policy needed for the access that account A grants ({wanted.size_words}):")
            lines += [f"    {document.minified()}" for document in wanted.documents]
            lines += [f"    [{one.severity}] {one.id}: {one.title}. {one.fix}" for one in wanted.findings]
    return lines


def _answers(audit: Audit, principal: str) -> list[str]:
    found: dict[str, list[Repository]] = {}
    for item in audit.repositories:
        for row in item.asked:
            if row.principal == principal:
                found.setdefault(_answer(audit, item, row), []).append(item.repository)
    return [f"  {answer}: {_names(repositories)}" for answer, repositories in sorted(found.items())]


def _answer(audit: Audit, item: RepositoryAudit, row: Row) -> str:
    sides = both_sides(audit, item, row)
    if sides is None:
        return "unknown"
    return ", ".join(f"{name} {response.lower()}" for name, response in sides.items())


def _services(audit: Audit) -> list[str]:
    lines = [
        f"  {row.title}: {_cell(row, capability)} ({_names(found)})"
        for row, found in audit.of_kind("service")
        for capability in _telling(row)
    ]
    return ["Services", *lines] if lines else []


def _stale(audit: Audit) -> list[str]:
    lines = [f"  {principal}: {_names(found)}" for principal, found in stale(audit).items()]
    return ["Deleted principals", *lines] if lines else []


def _drift(audit: Audit) -> list[str]:
    interest = audit.interest
    if not interest.tags and not audit.drift:
        return []
    tag = " ".join(f"{key}={value}" for key, value in interest.tags) or "none"
    how = {"given": "as requested", "most used": "the most used condition"}.get(interest.origin, "no condition in use")
    lines = [f"Drift (tag {tag}, {how})"]
    lacking: dict[tuple[str, ...], list[Repository]] = {}
    for item in audit.repositories:
        if item.not_granted:
            lacking.setdefault(item.not_granted, []).append(item.repository)
    lines += [f"  tagged, but not granted to {_people(who)}: {_names(found)}" for who, found in lacking.items()]
    lines += _some(
        [
            f"  granted, but not tagged: {item.repository.name}: {unmet.statement} for {_people(unmet.principals)}: "
            f"{unmet.reason}"
            for item in audit.repositories
            for unmet in item.unmet
        ],
        20,
    )
    return lines if len(lines) > 1 else [*lines, "  none"]


def _ends(audit: Audit) -> list[str]:
    found = sorted(
        ((end, item.repository) for item in audit.repositories for end in item.endings),
        key=lambda pair: (pair[0].ends, pair[1].name),
    )
    lines = [
        f"  {repository.name}: {end.statement} for {_people(end.principals)} "
        + (f"ended at {end.ends:%Y-%m-%d %H:%M} UTC" if end.expired else f"ends at {ending(end.ends, audit.at)}")
        for end, repository in found
    ]
    return ["Grants with an end date", *_some(lines, 20)] if lines else []


def _copies(audit: Audit) -> list[str]:
    """Replicated copies: those that differ one by one, the others as numbers and names."""
    lines = [f"  {one.original.name}: {one.region}: {words(one)}" for one in audit.copies if one.state == DIFFERS]
    lines = _some(lines, 20)
    rest: dict[tuple[str, str, str], list[Repository]] = {}
    for one in audit.copies:
        if one.state != DIFFERS:
            rest.setdefault((one.region, one.state, one.reason), []).append(one.original)
    for (region, state, reason), found in rest.items():
        why = f" ({reason})" if reason else ""
        said = {SAME: "same access as the original", ABSENT: "no copy yet"}.get(state, state)
        lines.append(f"  {region}: {said}{why}: {_names(found)}")
    lines += [f"  {one.region}: replication unknown: {one.unreadable}" for one in audit.replications if one.unreadable]
    return ["Replicated copies", *lines] if lines else []


def _pulls(audit: Audit) -> list[str]:
    pulls = audit.pulls
    if pulls is None:
        return []
    lines = [
        f"  [info] {one.repository.name}: {_people(one.principals)} may pull; last recorded pull: "
        + (f"{one.last_pull:%Y-%m-%d %H:%M} UTC" if one.last_pull else "none")
        for one in pulls.found
    ]
    lines += [f"  {repository.name}: unknown: {reason}" for repository, reason in pulls.unknown]
    return [f"Access to repositories not pulled for {pulls.days} days", *(_some(lines, 40) or ["  none"])]


def _registry(audit: Audit) -> list[str]:
    lines: list[str] = []
    for facts in audit.registries:
        doubt = registry_of(facts).doubt
        if doubt:
            lines.append(f"  {facts.region}: {doubt}")
        elif facts.policy_text is not None:
            say = (
                "applies to every request"
                if facts.scope == "V2"
                else "applies to replication and pull through cache only"
            )
            lines.append(f"  {facts.region}: the registry policy (scope {facts.scope}) {say}")
        lines += [
            f"    {describe(change.principal)}: {change.capability.value} {change.without.value} becomes "
            f"{change.now.value} on {count(change.repositories, 'repository')}"
            for change in audit.changes
            if change.region == facts.region
        ]
        if facts.templates_unreadable:
            lines.append(f"  {facts.region}: creation templates unknown: {facts.templates_unreadable}")
        lines += [f"  {facts.region}: {found.sentence()}" for found in audit_templates(audit, facts)]
    return ["Registry", *lines] if lines else []


_HEADS = tuple(capability.value.upper() for capability in Capability)


def _telling(row: Row) -> list[Capability]:
    """The cells worth a line. Pull and push share actions, so a full one makes the other at least partial."""
    whole = any(row.verdict(capability) not in (Verdict.NO, Verdict.PARTLY) for capability in ENTRY)
    skipped = {Verdict.NO, Verdict.PARTLY} if whole else {Verdict.NO}
    return [capability for capability in Capability if row.verdict(capability) not in skipped]


def _cell(row: Row, capability: Capability) -> str:
    cell = row.cells[capability]
    return f"{capability.value} {cell.verdict.value}: {cell.reason}"


def _verdicts(counts: dict[str, int]) -> str:
    shown = [f"{counts[verdict.value]:,} {verdict.value}" for verdict in Verdict if counts.get(verdict.value)]
    shown = [text for text in shown if not text.endswith(" no")]
    return ", ".join(shown) or "-"


def _people(principals_: Iterable[str]) -> str:
    found = [describe(principal) for principal in principals_]
    return ", ".join(found[:3]) + (f" and {len(found) - 3:,} more" if len(found) > 3 else "")


def _names(repositories: Sequence[Repository]) -> str:
    shown = ", ".join(dict.fromkeys(one.name for one in repositories[:SHOWN]))
    return shown + (f" and {len(repositories) - SHOWN:,} more" if len(repositories) > SHOWN else "")


def _some(lines: Sequence[str], limit: int, total: int | None = None) -> list[str]:
    """The first of ``total`` (None: of all ``lines``)."""
    left = (len(lines) if total is None else total) - limit
    return [*lines[:limit], *([f"  and {left:,} more (--json has all)"] if left > 0 else [])]


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    heading, *shown = (f"  {line}" for line in table([heads, *rows[:ROWS]]).split("\n"))
    return [title, heading, *_some(shown, ROWS, len(rows))]
