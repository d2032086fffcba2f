"""Whatever a policy holds and whatever is wanted: done once, nothing is left to do, and nothing foreign changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ecr_tui.errors import InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant, merge
from ecr_tui.policy.companions import needed_by
from ecr_tui.policy.desired import ended, reconcile
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.ours import Own, read_own
from ecr_tui.policy.principal import canonical
from tests.policy.strategies import statements

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
FEW = settings(max_examples=60, deadline=None)
BOB, ANN = "arn:aws:iam::222222222222:user/bob", "arn:aws:iam::222222222222:role/ann"
LAMBDA = "service/lambda.amazonaws.com@arn:aws:lambda:*:222222222222:function:*"
GRANTEES = [BOB, ANN, "222222222222", "arn:aws:iam::222222222222:root", "org/o-a1b2c3d4e5", LAMBDA]

wanted_grants = st.lists(
    st.builds(
        Grant,
        st.lists(st.sampled_from(GRANTEES), min_size=1, max_size=3, unique=True).map(tuple),
        st.sampled_from([Access.PULL, Access.PUSH_PULL, Access.READ]),
        st.sampled_from([(), (("Team", "Payments"),), (("Team", "Web"), ("Stage", "dev*"))]),
        st.sampled_from([None, None, NOW + timedelta(days=3), NOW - timedelta(days=3)]),
    ),
    max_size=4,
)


def owns(grants: Sequence[Grant]) -> tuple[Own, ...]:
    return tuple(own for grant in grants for own in Own.of_grant(grant))


@st.composite
def policies(draw: st.DrawFn) -> PolicyDocument | None:
    """Foreign statements with ours among them, some for the same principals."""
    found: list[dict[str, Any]] = draw(st.lists(statements(), max_size=3))
    for own in owns(draw(wanted_grants)):
        found.insert(draw(st.integers(0, len(found))), own.statement({str(one.get("Sid")) for one in found}))
    return PolicyDocument.from_json({"Version": "2012-10-17", "Statement": found}) if found else None


def foreign(document: PolicyDocument | None) -> list[str]:
    raws = (one.raw for one in (document.statements if document is not None else ()) if read_own(one) is None)
    return [json.dumps(raw) for raw in raws]


def held(document: PolicyDocument | None) -> set[tuple[str, object]]:
    found = (read_own(one) for one in (document.statements if document is not None else ()))
    return pairs([own for own in found if own is not None])


def pairs(found: Sequence[Own]) -> set[tuple[str, object]]:
    return {(canonical(one), (own.access, own.condition_key)) for own in found for one in own.principals}


@FEW
@given(policies(), wanted_grants, st.booleans())
def test_the_second_time_nothing_is_left_and_foreign_statements_stay_to_the_letter(
    document: PolicyDocument | None, grants: Sequence[Grant], prune: bool
) -> None:
    wanted = owns(grants)
    try:
        first = reconcile(document, wanted, NOW, prune=prune)
    except InputError:
        assume(False)
        raise
    after = first.change.after
    assert foreign(after) == foreign(document)
    again = reconcile(after, wanted, NOW, prune=prune)
    assert not again.change.changed
    assert again.missing == ()

    current = pairs([own for own in wanted if not ended(own, NOW)])
    with_them = pairs(needed_by([own for own in wanted if not ended(own, NOW)])) - current
    named = {principal for principal, _ in current}
    ours = held(after) - with_them
    if prune:
        assert again.unwanted == ()
        assert ours <= current
    else:
        others = {one for one in held(document) - with_them if one[0] not in named}
        assert ours >= others, "nobody else loses anything"
        assert pairs(again.unwanted) == ours - current
    # Who has it from a foreign statement alone needs none of ours.
    assert {one for one in current if one[0] in {principal for principal, _ in ours}} <= ours
    if not first.change.changed:
        assert after is document


def test_a_first_grant_is_what_grant_writes() -> None:
    grant = Grant((BOB, ANN), Access.PULL, (("Team", "Payments"),))
    made = reconcile(None, Own.of_grant(grant), NOW).change.after
    merged = merge(None, grant).after
    assert made is not None
    assert merged is not None
    assert made.json == merged.json


def test_who_is_wanted_with_another_condition_is_rewritten_and_another_is_only_listed() -> None:
    before = merge(merge(None, Grant((BOB, ANN), Access.PUSH_PULL)).after, Grant((GRANTEES[4],), Access.PULL)).after
    wanted = Own.of_grant(Grant((BOB,), Access.PUSH_PULL, (("Team", "Payments"),)))
    found = reconcile(before, wanted, NOW)
    assert held(found.change.after) == {
        (BOB, (Access.PUSH_PULL, wanted[0].condition_key)),
        (ANN, (Access.PUSH_PULL, ((), None))),
        (GRANTEES[4], (Access.PULL, ((), None))),
    }
    assert [own.principals for own in found.unwanted] == [(ANN,), (GRANTEES[4],)]
    assert held(reconcile(before, wanted, NOW, prune=True).change.after) == pairs(list(wanted))
    assert reconcile(before, (), NOW, prune=True).change.after is None
