"""Text of confirmations and results of writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.aws.model import TemplatePlace
from ecr_tui.changes.entries import EDIT, REPAIR
from ecr_tui.policy.actions import Access
from ecr_tui.policy.ours import tag_words
from ecr_tui.policy.principal import describe_all
from ecr_tui.render.common import unchanged_words
from ecr_tui.ui.choice import ACCESS_WORDS
from ecr_tui.ui.result import Result
from ecr_tui.ui.text import MUTED, OK, safe, utc
from ecr_tui.ui.text.places import fact_lines
from ecr_tui.ui.text.preview import SEVERITY, conditions, diff_lines, meaning, notes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ecr_tui.access.image_users import ImageUsers
    from ecr_tui.aws.model import Repository
    from ecr_tui.changes.apply import Outcome, Plan
    from ecr_tui.policy.change import Grant


MOST = 4
"""Maximum warnings of a result."""

_TRANSFERS = {
    frozenset({"push", "pull"}): "log in, push a 2 kB probe image, pull it, and clean up.",
    frozenset({"push"}): "log in, push a 2 kB probe image, and clean up.",
    frozenset({"pull"}): "log in and pull the newest existing image; nothing is pushed.",
}


def steps(access: Access) -> str:
    """The steps of a verification of this access, in a sentence or two."""
    transfers = _TRANSFERS.get(access.parts - {"read"}, "")
    read = ["read the repository's metadata."] if "read" in access.parts else []
    return "As account B: " + " Then ".join([*read, *([transfers] if transfers else [])])


def grant_words(grant: Grant, who: str = "") -> str:
    """ "user devusr2 in 222222222222 may push + pull if Team = Payments"; ``who``: other words for the principals."""
    words = f"{who or describe_all(grant.principals)} may {ACCESS_WORDS[grant.access]}"
    words += f" if {tag_words(grant.tags)}" if grant.tags else ""
    return safe(words + (f" until {utc(grant.until)}" if grant.until else ""))


def terms(grant: Grant, *, revoke: bool, scope: str = "", who: str = "") -> str:
    """The second half of a confirmation's title. ``scope``: the tag whose value on each repository is the condition.
    ``who`` as in :func:`grant_words`."""
    if revoke:
        return f"Revokes all access that ecr-tui granted to {safe(who or describe_all(grant.principals))}."
    own = f" if {safe(scope)} = each repository's own" if scope else "" if grant.tags else ", no condition"
    return f"{grant_words(grant, who)}{own}."


def nothing(plan: Plan) -> Result:
    """The result without a change."""
    words = f"No change: {safe(unchanged_words(plan))}"
    return Result(plan.repository, words, plan.grant, tuple(map(safe, plan.risks)))


_DONE = {EDIT: "Policy written", REPAIR: "Repaired"}


def done(plan: Plan, outcome: Outcome) -> Result:
    """After a write. Access that remains after a revoke is a warning."""
    what = _DONE.get(plan.kind, "Merged")
    if plan.kind == "revoke":
        what = "Revoked"
    elif plan.kind == "grant" and plan.grant is not None:
        what = "" if not outcome.notes else "written"
    words = " · ".join(part for part in (what, "" if outcome.notes else "written and read back", "u: undo") if part)
    left = [f"! {row.sentence()}." for row in plan.remaining] if plan.kind == "revoke" else []
    more = tuple(map(safe, [*(f"! {note}" for note in outcome.notes), *left][:MOST]))
    return Result(plan.repository, f"{OK} {words}", plan.grant if plan.kind == "grant" else None, more)


def risks(plan: Plan) -> list[Content]:
    """A line per risk, and a blank one; empty without risks."""
    lines = [Content.assemble(("  ! ", "bold $text-warning"), safe(risk)) for risk in plan.risks]
    return [*lines, Content("")] if lines else []


def target(plan: Plan) -> list[Content]:
    """Target, access and condition, and a blank line."""
    grant, rows = plan.grant, place(plan.repository)
    if grant is None and plan.kind not in (EDIT, REPAIR):
        rows += [("Principal", describe_all(plan.named))] if plan.named else []
        rows += [("Condition", conditions(plan.diff))] if plan.diff else []
    elif grant is not None:
        rows.append(("Grants", f"{ACCESS_WORDS[grant.access]} to {describe_all(grant.principals)}"))
        rows.append(("Condition", f"only while tagged {tag_words(grant.tags)}" if grant.tags else "no condition"))
        rows += [("Until", utc(grant.until))] if grant.until else []
    return labelled(rows)


def place(repository: Repository) -> list[tuple[str, str]]:
    first = ("Repository", repository.name)
    if isinstance(repository, TemplatePlace):
        first = ("Template", repository.prefix)
    return [first, ("Account A", f"{repository.account} · {repository.region}")]


def labelled(rows: Iterable[tuple[str, str]]) -> list[Content]:
    """A line each, and a blank one."""
    return [*fact_lines(rows, 12), Content("")]


def users(found: ImageUsers | None) -> list[Content]:
    """A blank line, and the workloads that use the repository's images. None: not read."""
    if found is None:
        lines = ["Lambda functions and ECS tasks that use it: not read. Press W in the list to read them."]
    else:
        lines = [f"{line[:1].upper()}{line[1:]}." for line in found.lines()]
    return [Content(""), *(Content.styled(safe(line), MUTED) for line in lines)]


def where(repositories: Sequence[Repository]) -> str:
    """ "account A 111111111111 · eu-central-1, eu-west-1"."""
    accounts = sorted({one.account for one in repositories})
    regions = sorted({one.region for one in repositories})
    return safe(f"account A {', '.join(accounts)} · {', '.join(regions)}")


def one(plan: Plan) -> list[Content]:
    """The body of a confirmation for one repository: risks, then changes."""
    exact = [Content(""), *diff_lines(plan.text_diff)] if plan.kind in (EDIT, REPAIR) else []
    found = lint(plan) if plan.kind == EDIT else []
    return [*risks(plan), *target(plan), meaning(plan.diff), *notes(plan), *found, *exact]


def lint(plan: Plan) -> list[Content]:
    """A blank line, and the document's errors and warnings; empty without any."""
    found = [one for one in plan.findings if one.severity in SEVERITY and one.severity != "info"]
    lines = [
        Content.assemble((f"{SEVERITY[one.severity][0]}  ", SEVERITY[one.severity][1]), safe(one.title))
        for one in found
    ]
    return [Content(""), *lines] if lines else []
