"""Whatever gives a principal more than ecr-tui had granted it is told, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant, adopt, merge, revoke
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.widening import widenings
from tests.policy.build import BOB, CAROL, ROOT_B, B, allow, policy

PAYMENTS = (("Team", "Payments"),)
SOON, LATER = datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
NAME = f"user bob in {B}"


def grant(access: Access = Access.PULL, tags: tuple[tuple[str, str], ...] = (), until: datetime | None = None) -> Grant:
    return Grant((BOB,), access, tags, until)


@pytest.mark.parametrize(
    ("had", "wanted", "says"),
    [
        (
            grant(until=SOON),
            grant(),
            (f"The grant to {NAME} has the end 2030-01-01 00:00 UTC; after this change it has no end.",),
        ),
        (
            grant(until=SOON),
            grant(until=LATER),
            (
                f"The grant to {NAME} has the end 2030-01-01 00:00 UTC; after this change it ends at 2031-01-01 00:00 "
                "UTC.",
            ),
        ),
        (
            grant(tags=PAYMENTS),
            grant(),
            (f"The grant to {NAME} requires Team=Payments; after this change it requires no tag.",),
        ),
        (
            grant(tags=PAYMENTS),
            grant(tags=(("Team", "Data"),)),
            (f"The grant to {NAME} requires Team=Payments; after this change it requires Team=Data.",),
        ),
        (
            grant(tags=PAYMENTS),
            grant(tags=(*PAYMENTS, ("Team", "Data"))),
            (f"The grant to {NAME} requires Team=Payments; after this change it requires Team=Data or Payments.",),
        ),
        (
            grant(tags=PAYMENTS),
            grant(tags=(("Team", "Pay*"),)),
            (f"The grant to {NAME} requires Team=Payments; after this change it requires Team=Pay*.",),
        ),
        (grant(tags=(("Team", "P*"),)), grant(tags=(("Team", "Pay*"),)), ()),
        (grant(tags=(("Team", "Pay*"),)), grant(tags=PAYMENTS), ()),
        (grant(), grant(Access.PUSH_PULL), (f"{NAME} also gets push.",)),
        (grant(Access.PUSH), grant(Access.PULL), (f"{NAME} also gets pull.",)),
        (
            grant(tags=PAYMENTS, until=SOON),
            grant(Access.PUSH_PULL),
            (
                f"The grant to {NAME} has the end 2030-01-01 00:00 UTC; after this change it has no end.",
                f"The grant to {NAME} requires Team=Payments; after this change it requires no tag.",
                f"{NAME} also gets push.",
            ),
        ),
        (grant(), grant(until=SOON), ()),
        (grant(until=LATER), grant(until=SOON), ()),
        (grant(), grant(tags=PAYMENTS), ()),
        (grant(tags=PAYMENTS), grant(tags=(("team", "Payments"),)), ()),
        (grant(tags=PAYMENTS), grant(tags=(*PAYMENTS, ("Env", "dev"))), ()),
        (grant(tags=(*PAYMENTS, ("Team", "Data"))), grant(tags=PAYMENTS), ()),
        (grant(Access.PUSH_PULL), grant(), ()),
    ],
)
def test_a_grant_that_takes_the_place_of_another(had: Grant, wanted: Grant, says: tuple[str, ...]) -> None:
    before = merge(None, had).after
    assert widenings(before, merge(before, wanted).after) == says


def test_two_statements_that_become_a_wider_one() -> None:
    """Neither gave what both together seem to: without an end, and on every tag."""
    ending, tagged = (merge(None, one).after for one in (grant(until=SOON), grant(tags=PAYMENTS)))
    assert ending is not None
    assert tagged is not None
    before = policy(*ending.json["Statement"], *tagged.json["Statement"])
    assert widenings(before, merge(before, grant()).after) == (
        f"{NAME} gets more access than the replaced statements granted.",
    )


def test_principals_with_the_same_change_share_a_sentence() -> None:
    before = merge(None, Grant((BOB, CAROL), Access.PULL, (), SOON)).after
    after = merge(before, Grant((CAROL, BOB, ROOT_B), Access.PULL)).after
    (sentence,) = widenings(before, after)
    assert f"user bob in {B} and user carol in {B}" in sentence
    assert "account" not in sentence


def test_a_pasted_statement_counts() -> None:
    before = merge(None, grant(tags=PAYMENTS, until=SOON)).after
    for condition, count in (
        (None, 2),
        ({"StringEquals": {"aws:ResourceTag/team": "Payments"}}, 1),
        ({"DateLessThan": {"aws:CurrentTime": "2029-12-31"}}, 1),
        (
            {
                "StringLike": {"ecr:ResourceTag/Team": "Payments"},
                "DateLessThan": {"aws:CurrentTime": "2029-12-31"},
                "IpAddress": {"aws:SourceIp": "192.0.2.0/24"},
            },
            0,
        ),
        ({"StringLike": {"aws:ResourceTag/Team": "Pay*"}, "DateLessThan": {"aws:CurrentTime": "2029-12-31"}}, 1),
    ):
        change, _ = adopt(before, policy(allow(BOB, "ecr:BatchGetImage", condition)))
        assert len(widenings(before, change.after)) == count


@pytest.mark.parametrize("before", [None, policy(allow(BOB, condition={"StringEquals": {"aws:ResourceTag/a": "b"}}))])
def test_a_first_grant_widens_nothing(before: PolicyDocument | None) -> None:
    assert widenings(before, merge(before, grant()).after) == ()


def test_a_revoke_widens_nothing() -> None:
    before = merge(None, grant(Access.PUSH_PULL, PAYMENTS)).after
    assert widenings(before, revoke(before, (BOB,)).after) == ()
    assert widenings(before, revoke(before, (BOB,), Access.PUSH).after) == ()
