"""Text of a plan for the preview's tabs, and as plain text for copying."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from ecr_tui.access.registry_policy import Accesses
from ecr_tui.access.replicas import LACKS, sentences
from ecr_tui.policy.compare import shortened
from ecr_tui.policy.document import LIMIT, PolicyDocument
from ecr_tui.policy.ours import tag_words
from ecr_tui.policy.principal import describe, describe_all
from ecr_tui.ui.choice import ACCESS_WORDS, caveat
from ecr_tui.ui.text import KEY, MUTED, NO, OK, UNKNOWN, count, pressing, safe, safe_block, utc
from ecr_tui.ui.text.who import who_reasons

if TYPE_CHECKING:
    from ecr_tui.access.replicas import Copy
    from ecr_tui.aws.model import Repository
    from ecr_tui.changes.apply import Plan
    from ecr_tui.policy.access import AccessSummary
    from ecr_tui.policy.change import Difference, Grant
    from ecr_tui.policy.findings import Finding
    from ecr_tui.policy.identity import NeededPolicies

SEVERITY = {
    "error": (f"{NO} error", "$text-error"),
    "warning": ("! warning", "$text-warning"),
    "info": ("i note", "$text-primary"),
}


def principal_words(principals: Iterable[str], account_b: str | None) -> str:
    """ "user devusr2 in B"; other accounts than B by id. Not safe to print yet."""
    words = describe_all(principals)
    return words.replace(f" in {account_b}", " in B") if account_b else words


def sentence(grant: Grant | None, account_b: str | None, lacks: str = "", width: int = 0) -> Content:
    """Principal, access and condition, each with its key. ``lacks``: why there is no condition.

    On two lines if wider than ``width``; 0: always one.
    """
    if grant is None:
        return pressing("b", ("b ", KEY), ("no principal yet", MUTED))
    condition = f"if {tag_words(grant.tags)}" if grant.tags else "no condition" + (f" ({lacks})" if lacks else "")
    until = f"  until {utc(grant.until)}" if grant.until else ""
    who = Content("  ").join(
        [
            pressing("b", ("b ", KEY), (safe(principal_words(grant.principals, account_b)), "bold")),
            pressing("p", ("p ", KEY), (ACCESS_WORDS[grant.access], "bold")),
        ]
    )
    style = "bold" if grant.tags else "$text-warning" if lacks else ""
    when = Content.assemble(pressing("c", ("c ", KEY), (safe(condition), style)), pressing("w", (until, "bold")))
    one_line = Content.assemble(who, "  ", when)
    return one_line if not 0 < width < one_line.cell_length else Content.assemble(who, "\n", when)


def marked(number: int) -> Content:
    """The effect of g with marks, which differs from the preview and so is shown first."""
    return pressing(
        "g",
        ("g ", KEY),
        (f"plans all {number:,} marked" if number > 1 else "plans the marked one", "bold"),
        (" and asks", MUTED),
    )


def effect(plan: Plan, phase: str = "", *, marks: int = 0, width: int = 0) -> Content:
    """The effect of the write on one line; ``phase`` is the last result.

    Includes the used share of the limit; below half only if it fits into ``width`` (0: unlimited).
    """
    size = plan.after.size if plan.after else 0
    full = Content.styled(f" · {size:,} of {LIMIT:,} characters", "$text-error bold" if size > LIMIT else MUTED)
    line = _effect(plan, phase, marks)
    fits = not 0 < width < line.cell_length + full.cell_length
    return Content.assemble(line, full) if fits or size * 2 > LIMIT else line


def _effect(plan: Plan, phase: str, marks: int) -> Content:
    if plan.changed and phase.startswith(OK):
        phase = ""  # written, but the policy has changed since
    done: list[tuple[str, str] | str] = [(phase, "$text-accent bold")] if phase else []
    if not plan.changed:
        if plan.void and safe(plan.void) in phase:
            return Content.styled(phase, "$text-warning bold")
        if plan.void:
            done += [(" · ", MUTED)] if done else []
            return Content.assemble(*done, (f"! Written, but has {safe(plan.void)}", "$text-warning bold"))
        return Content.assemble(*(done or [(f"{OK} Already granted: ", "$text-success bold"), "the policy has it"]))
    if plan.refused:
        cure: list[Content | tuple[str, str]] = (
            [(" · ", MUTED), pressing("F", ("F ", KEY), "repairs the policy")] if plan.repairable else []
        )
        return Content.assemble((f"{NO} ECR would reject this, so it is not sent", "bold $text-error"), *cure)
    parts: list[Content | tuple[str, str] | str] = [*done, (" · ", MUTED)] if done else []
    what = (extent(plan), "bold")
    parts += [("this one ", MUTED), what] if marks else [pressing("g", ("g ", KEY), what)]
    if plan.risks:
        parts.append((f" · asks first: {count(len(plan.risks), 'risk')}", "$text-warning"))
    return Content.assemble(*parts)


def extent(plan: Plan) -> str:
    """Extent of a change."""
    if plan.after is None:
        return "removes the policy"
    if plan.before is None:
        return "creates the policy"
    added, removed = (sum(op == sign for op, _ in plan.text_diff) for sign in "+-")
    return f"+{added} −{removed} lines"


def warnings(plan: Plan) -> list[Content]:
    """Rejections by ECR, and risks."""
    lines = [
        Content.assemble((f"{NO} ECR would reject it. ", "bold $text-error"), safe(one.sentence))
        for one in plan.refusals
        if one.likely
    ]
    return lines + [Content.assemble(("! ", "bold $text-warning"), safe(risk)) for risk in plan.risks]


def copies(found: Sequence[Copy]) -> list[Content]:
    """Effect of replication on the grant: a line for each kind of copy."""
    lacking = any(one.state == LACKS for one in found)
    sign, style = ("!", "$text-warning") if lacking else ("i", MUTED)
    return [Content.styled(f"{sign} {safe(line[:1].upper() + line[1:])}", style) for line in sentences(found)]


def to_come(template: Plan | None) -> list[Content]:
    """``template``: the same grant in the creation template for new repositories."""
    if template is None or not template.changed:
        return []
    return [Content.styled(f"i New repositories: {safe(template.repository.name)} lacks this grant", MUTED)]


def notes(plan: Plan) -> list[Content]:
    found: list[Content] = []
    hints = dict.fromkeys(map(caveat, plan.grant.principals if plan.grant is not None else ()))
    found += [Content.styled(f"! {hint}", "$text-warning") for hint in hints if hint]
    if plan.moved:
        moved = ", ".join(safe(action) for action in plan.moved)
        found.append(
            Content.styled(
                f"! left out, no effect in a repository policy: {moved} (see “Account B policy”)", "$text-warning"
            )
        )
    found += [Content.styled(f"i {safe(note)}", MUTED) for note in plan.notes]
    return found


# -- diff ----------------------------------------------------------------------------------------------------------


class _Change(NamedTuple):
    op: str
    effect: str
    principal: str
    condition: str
    actions: tuple[str, ...]


def _grouped(differences: Iterable[Difference]) -> list[_Change]:
    """Group differences that differ only in the action."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for d in differences:
        groups.setdefault((d.op, d.effect, d.principal, condition_text(d.condition)), []).append(d.action)
    return [_Change(*key, tuple(actions)) for key, actions in groups.items()]


def condition_text(condition: object) -> str:
    """A Condition element in words: "aws:ResourceTag/Team = Payments"; other operators by their name."""
    if not isinstance(condition, dict):
        return ""
    words = []
    for operator, block in condition.items():
        items = block.items() if isinstance(block, dict) else [("", block)]
        for key, value in items:
            values = " or ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            sign = "=" if operator == "StringEquals" else operator
            words.append(f"{key} {sign} {values}")
    return " and ".join(words)


def conditions(differences: Iterable[Difference]) -> str:
    """Conditions of granted or revoked access: "Team=Payments; until 2026-12-28", "no condition"."""
    found = dict.fromkeys(condition_text(one.condition) for one in differences)
    return "; ".join(_short_condition(text) if text else "no condition" for text in found)


def _short_condition(text: str) -> str:
    short = text.replace("aws:ResourceTag/", "").replace("ecr:ResourceTag/", "").replace(" = ", "=")
    return short.replace("aws:CurrentTime DateLessThan ", "until ").replace("T00:00:00Z", "")


def _short(actions: Sequence[str]) -> str:
    return ", ".join(safe(a).removeprefix("ecr:") for a in actions)


def meaning(differences: Iterable[Difference]) -> Content:
    """The difference by meaning: who gains or loses what. Lines of any length, indented for ``words.hang``."""
    lines = []
    for change in _grouped(differences):
        gains = change.op == "add"
        word = {("add", "Allow"): "+ allows", ("add", "Deny"): "+ denies"}.get((change.op, change.effect), "- removes")
        if not gains and change.effect == "Deny":
            word = "- denial"
        style = "bold $text-success" if gains else "bold $text-error"
        lines.append(Content.assemble((f"{word}  ", style), (safe(describe(change.principal)), "bold")))
        lines += [Content(f"    if {safe(change.condition)}")] if change.condition else []
        lines.append(Content.styled(f"    {_short(change.actions)}", MUTED))
    return Content("\n").join(lines)


def diff(plan: Plan) -> Content:
    if not plan.changed:
        document = plan.after or plan.before
        text = document.pretty() if document else "The repository has no policy."
        why = f"Written, but has {safe(plan.void)}" if plan.void else "The current policy already grants this"
        return Content.assemble(
            (f"No change. {why}; nothing would be written.\n\n", "bold"),
            (safe_block(text), MUTED),
        )
    return Content("\n").join([meaning(plan.diff), Content(""), *diff_lines(plan.text_diff)])


def diff_lines(text_diff: Sequence[tuple[str, str]], *, whole: bool = False) -> list[Content]:
    """Line by line; without ``whole``, unchanged lines only near a change."""
    shown = text_diff if whole else shortened(text_diff)
    return [Content.styled(safe_block(f"{op} {line}"), _DIFF_STYLES[op]) for op, line in shown]


_DIFF_STYLES = {"+": "$text-success", "-": "$text-error", " ": MUTED, "⋯": MUTED}


def diff_text(plan: Plan) -> str:
    return "\n".join(f"{op} {line}" for op, line in plan.text_diff) or "No change."


# -- JSON ----------------------------------------------------------------------------------------------------------


def json_content(text: str) -> Content:
    from textual.highlight import highlight

    return highlight(safe_block(text), language="json")


def document_text(plan: Plan) -> str:
    """The document after the write, formatted; ECR gets it minified."""
    return plan.after.pretty() if plan.after else "No policy: the repository's policy would be removed."


# -- access -----------------------------------------------------------------------------------------------------------


class Who(NamedTuple):
    """Access of a named principal before and after the write. ``note`` for other principals."""

    kind: str
    principal: str
    before: str
    after: str


def who_rows(plan: Plan, repository: Repository, now: datetime | None = None) -> list[Who]:
    """Includes the registry policy, if the plan has it."""
    rows = []
    for kind, principal in _principals(plan.before, plan.after):
        accesses = Accesses(principal, {repository.region: plan.registry}, now=now)
        before, after = (
            _may(document, kind, principal, accesses.of(repository, document)) for document in (plan.before, plan.after)
        )
        rows.append(Who(kind, principal, before, after))
    return rows


def _principals(*documents: PolicyDocument | None) -> list[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for document in documents:
        for statement in document.statements if document else ():
            found |= dict.fromkeys(statement.principals)
    return list(found)


def _may(document: PolicyDocument | None, kind: str, principal: str, found: AccessSummary) -> str:
    if not found.is_none:
        marks = {True: OK, False: NO, None: UNKNOWN}
        return "  ".join(f"{marks[one]} {word}" for one, word in ((found.pull, "pull"), (found.push, "push")))
    if document is None:
        return f"{NO} nothing"
    allowed = [
        a for s in document.statements if s.effect == "Allow" and (kind, principal) in s.principals for a in s.actions
    ]
    denied = [
        a for s in document.statements if s.effect == "Deny" and (kind, principal) in s.principals for a in s.actions
    ]
    words = [f"some: {_short(list(dict.fromkeys(allowed)))}"] if allowed else []
    words += [f"denied: {_short(list(dict.fromkeys(denied)))}"] if denied else []
    return "; ".join(words) or f"{NO} nothing"


def who(plan: Plan, repository: Repository, now: datetime | None = None) -> Content:
    rows = who_rows(plan, repository, now)
    if not rows:
        return Content.styled("No access from other accounts: no statement names a principal.", MUTED)
    lines = []
    reasons = who_reasons(plan.after, repository, now, plan.registry)
    for row in rows:
        name = safe(describe(row.principal)) if row.kind == "AWS" else f"{safe(row.kind.lower())} {safe(row.principal)}"
        lines.append(Content.styled(name, "bold"))
        if row.before == row.after:
            lines.append(Content.assemble(("  keeps  ", MUTED), row.after))
        else:
            lines.append(Content.assemble(("  now    ", MUTED), (row.before, MUTED)))
            lines.append(Content.assemble(("  after  ", "$text-success"), (row.after, "")))
        lines += reasons.get(row.principal, [])
        lines.append(Content(""))
    lines.append(
        Content.styled("Access by this repository's policy. Account B's identity policies must also allow it.", MUTED)
    )
    return Content("\n").join(lines)


# -- findings --------------------------------------------------------------------------------------------------------


def findings(plan: Plan) -> Content:
    lines = []
    for refusal in plan.refusals:
        word, style = (
            (f"{NO} ECR would reject", "$text-error") if refusal.likely else ("! ECR may reject", "$text-warning")
        )
        lines += [Content.assemble((f"{word}  ", f"bold {style}"), safe(refusal.sentence)), Content("")]
    if plan.repairable:
        cure = "Repair the current policy: the change is shown first, and no one's access changes."
        lines += [Content.assemble(("F  ", KEY), cure), Content("")]
    for risk in plan.risks:
        lines += [Content.assemble(("! asks first  ", "bold $text-warning"), (safe(risk), "")), Content("")]
    for finding in plan.findings:
        word, style = SEVERITY.get(finding.severity, (finding.severity, ""))
        lines.append(Content.assemble((f"{word}  ", f"bold {style}"), (safe(finding.title), "bold")))
        for label, text in (("where", finding.where), ("why", finding.why), ("fix", finding.fix)):
            if text:
                lines.append(Content.assemble((f"  {label:<6}", MUTED), safe(str(text))))
        lines.append(Content(""))
    if not lines:
        return Content.assemble(
            (f"{OK} No findings. ", "bold $text-success"), ("All checks of this document passed.", "")
        )
    return Content("\n").join(lines[:-1])


# -- B -------------------------------------------------------------------------------------------------------------


def consumer(found: Sequence[NeededPolicies]) -> Content:
    """B's identity policies, with their sizes against IAM's limits, and how to use them."""
    parts = [Content.styled("Cross-account access needs both policies.", "bold")]
    for needed in found:
        scope = "every repository with the tag" if needed.by_tag else "this repository"
        principal = safe(describe(needed.principal))
        lines = [
            Content.styled(
                f"Account B attaches this to {principal}. It covers {scope}; the token action works only on “*”.", MUTED
            ),
            Content.styled(f"Size: {needed.size_words}.", MUTED),
            *(_finding_line(one) for one in needed.findings),
            *(Content.assemble("\n", json_content(document.pretty())) for document in needed.documents),
        ]
        parts.append(Content("\n").join(lines))
    return Content("\n\n").join(parts)


def _finding_line(found: Finding) -> Content:
    return Content.assemble(("! ", "bold $text-warning"), safe(f"{found.title}. {found.fix}"))


def consumer_text(found: Sequence[NeededPolicies]) -> str:
    """Only the documents, for pasting."""
    return "\n".join(document.pretty() for needed in found for document in needed.documents)
