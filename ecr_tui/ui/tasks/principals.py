"""Choose the principals of a grant: known principals, a guide by workload, and a prompt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.access.matrix import grantees_of
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.actions import Access
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.principal import (
    canonical,
    describe,
    describe_all,
    is_bare_name,
    parse_grantee,
    partition_of,
    without_session,
)
from ecr_tui.ui import jobs
from ecr_tui.ui.screens.ask import AskScreen, Choosable, ChooseScreen
from ecr_tui.ui.text import MUTED, NO, OK, count, safe
from ecr_tui.ui.text.pullers import PULLERS, Puller

if TYPE_CHECKING:
    from ecr_tui.ui.desk import Desk
    from ecr_tui.ui.selection import Selection

Principals = tuple[str, ...]
Pick = Callable[[], Awaitable[Principals | str | None]]
"""A choice with another step. Returns principals; None goes back; a text goes back with a reason."""

KNOWN = 6
"""Maximum principals offered from policies and the journal."""
FORMS = (
    "An ARN, account id, user/NAME or role/NAME of account B, org/o-ID, ou/o-ID/r-ID/ou-ID[/*] or "
    "service/NAME@SOURCE; several with spaces between."
)
_BETWEEN = re.compile(r"[\s,]\s+|\s+|,(?=arn:|user/|role/|org/|ou/|service/|\d{12}\b)")
"""A comma without a space may be part of a name."""


async def principal(desk: Desk, selection: Selection) -> None:
    seen = await jobs.on_thread(partial(_seen, desk.stage.policy_texts(), desk.workspace.changes.journal.heads))
    said = ""
    while True:
        choices = _choices(desk, selection, seen)
        current = next((i for i, one in enumerate(choices) if one.value == selection.choice.principals), 0)
        explanation = said or "Who gets access. The default is account B's own principal."
        picked = await desk.ask(ChooseScreen("Principal", choices, current=current, explanation=explanation))
        if picked is None:
            return
        found = picked.value if isinstance(picked.value, tuple) else await picked.value()
        if isinstance(found, tuple):
            _choose(desk, selection, found)
            return
        said = found or ""


def _choices(desk: Desk, selection: Selection, seen: Mapping[str, str]) -> list[Choosable]:
    def line(words: str, note: str, value: Principals | Pick) -> Choosable:
        return Choosable(Content.assemble(safe(words), (f"  · {safe(note)}" if note else "", MUTED)), value)

    own, account, partition = selection.own, _account_b(desk, selection), selection.partition
    consumer = desk.workspace.settings.consumer
    named = consumer is not None and bool(consumer.principals)
    found = [
        line(describe_all(own) if own else "account B's caller", _own_note(own, named=named), ()),
    ]
    if account:
        root = f"arn:{partition}:iam::{account}:root"
        found.append(line(f"account {account}", "account B as a whole", (root,)))
    if consumer is not None and consumer.profile is not None:
        found.append(line("account B's organization…", "from AWS Organizations", partial(_organization, desk)))
    offered = {canonical(one) for choice in found if isinstance(choice.value, tuple) for one in choice.value}
    others = [one for one in seen if canonical(one) not in {*offered, *map(canonical, own)}]
    found += [line(describe(one), seen[one], (one,)) for one in others[:KNOWN]]
    pullers = ", ".join(one.name.partition(" or ")[0] for one in PULLERS[:4])
    found.append(line("by workload…", f"{pullers} and others", partial(_by_puller, desk, selection)))
    found.append(line("other…", "any, or several", partial(_typed, desk, selection)))
    return found


def _own_note(own: Principals, *, named: bool) -> str:
    what = "from the configuration" if named else "B's caller"
    return f"{what}, the default" if own else "not known yet"


def _seen(texts: Mapping[str, int], heads: Callable[[], Sequence[object]]) -> dict[str, str]:
    """Principals in policies and the journal, most frequent first, with their source."""
    policies: Counter[str] = Counter()
    for text, number in texts.items():
        try:
            named = grantees_of(PolicyDocument.parse(text))
        except EcrTuiError:
            continue
        policies.update(dict.fromkeys((one for one in named if _can_be_named(one)), number))
    granted = [one for head in heads() for one in str(getattr(head, "principal", "")).split(", ")]
    notes = {one: f"in {count(number, 'policy', 'policies')}" for one, number in policies.most_common()}
    return notes | {one: "in the journal" for one in reversed(granted) if one not in notes and _can_be_named(one)}


def _can_be_named(principal: str) -> bool:
    try:
        return parse_grantee(principal) == principal
    except InputError:
        return False


async def _organization(desk: Desk) -> Principals | str:
    try:
        found = await jobs.on_thread(desk.workspace.accounts.organization)
    except EcrTuiError as error:
        return f"Account B's organization is unknown: {safe(error.title)}. Type it with another…"
    return (grantees.ORGANIZATION + found,) if found else "Account B is in no organization."


async def _by_puller(desk: Desk, selection: Selection) -> Principals | None:
    choices = [Choosable(Content.assemble(one.name, (f"  · {one.whom}", MUTED)), one) for one in PULLERS]
    picked = await desk.ask(ChooseScreen("Which workload pulls?", choices))
    return None if picked is None else await _typed(desk, selection, picked.value)


async def _typed(desk: Desk, selection: Selection, puller: Puller | None = None) -> Principals | None:
    account, partition, own = _account_b(desk, selection), selection.partition, selection.own

    def parse(text: str) -> Principals:
        return parse_several(text, account_b=account or None, partition=partition)

    def check(text: str) -> str:
        chosen = parse(text)
        if not chosen:
            return f"{OK} {describe_all(own)}, account B's own" if own else "account B's caller, not known yet"
        foreign = sorted({found for one in chosen if (found := partition_of(one)) not in (None, partition)})
        if foreign:
            return f"{NO} in partition {safe(foreign[0])}, not {partition}. Access never crosses partitions."
        bare = [one for one in chosen if is_bare_name(one)]
        if bare:
            return f"user/{bare[0]} or role/{bare[0]}? Enter asks."
        form = "well-formed, not looked up"  # ECR says only at the write whether a principal exists
        return f"{chosen[0] if len(chosen) == 1 else describe_all(chosen)}  ·  {form}"

    question = AskScreen(
        f"Principal: {puller.name}" if puller else "Principal",
        f"{puller.why} Example: {puller.example}" if puller else f"{FORMS} Empty: the default.",
        value=puller.begin if puller else " ".join(selection.principals),
        placeholder=puller.example if puller else "user/devusr2",
        check=check,
        typing=puller is not None,
    )
    text = await desk.ask(question)
    if text is None:
        return None
    found: dict[str, None] = {}
    for one in parse(text):
        form: str | None = one
        if is_bare_name(one):
            form = await _form_of(desk, one)
        if form is None:
            return None
        found |= dict.fromkeys(parse(form))
    return tuple(found)


async def _form_of(desk: Desk, name: str) -> str | None:
    forms = (f"user/{name}", f"role/{name}")
    choices = [Choosable(Content(safe(form)), form) for form in forms]
    picked = await desk.ask(ChooseScreen(f"Is {safe(name)} a user or a role?", choices))
    return None if picked is None else str(picked.value)


def parse_several(text: str, *, account_b: str | None, partition: str) -> Principals:
    """Without duplicates, sessions as their roles; bare names unchanged. Raises InputError."""
    found: dict[str, None] = {}
    for one in _BETWEEN.split(text.strip()):
        if is_bare_name(one):
            found[one] = None
        elif one:
            named = parse_grantee(one, account_b=account_b, partition=partition)
            found[without_session(named)] = None
    return tuple(found)


def _account_b(desk: Desk, selection: Selection) -> str:
    """ "" if unknown."""
    consumer = desk.workspace.settings.consumer
    if consumer is not None and consumer.account:
        return consumer.account
    return selection.consumer.account if selection.consumer is not None else ""


def _choose(desk: Desk, selection: Selection, chosen: Principals) -> None:
    access = selection.choice.access
    if grantees.only_pulls(chosen) and access.writes:
        access = Access.PULL
    principals = () if chosen == selection.own else chosen
    desk.select(choice=desk.selection.choice._replace(principals=principals, access=access))
