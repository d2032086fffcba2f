"""Differences of meaning, not of spelling."""

from __future__ import annotations

from typing import Any

import pytest

from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Difference, Grant, differences, equivalent, merge, text_diff
from ecr_tui.policy.document import PolicyDocument
from tests.policy.build import BOB, CAROL, ROOT_B, B, allow, deny, policy

SHOUTED = {"stringequals": {"AWS:RESOURCETAG/TEAM": ["Payments"]}}
AS_OBJECT = PolicyDocument.parse('{"Statement": {"Effect":"Allow","Principal":"*","Action":"*"}}')
TAG = {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (policy(allow(B)), policy(allow(ROOT_B))),
        (policy(allow(BOB)), policy(allow([BOB]))),
        (policy(allow([BOB, CAROL])), policy(allow([CAROL, BOB, BOB]))),
        (policy(allow([BOB, CAROL])), policy(allow(CAROL), allow(BOB))),
        (policy(allow("*")), policy(allow({"AWS": "*"}))),
        (policy(allow(action=["ecr:PutImage", "ecr:A"])), policy(allow(action=["ecr:a", "ECR:putimage"]))),
        (policy(allow(), deny()), policy(deny(), allow())),
        (policy(allow(Sid="x")), policy(allow(Sid="y"))),
        (policy(allow(), allow()), policy(allow())),
        (policy(allow(), version="2008-10-17"), policy(allow())),
        (
            policy(allow(condition=TAG)),
            policy(allow(condition=SHOUTED)),
        ),
        (policy(allow(condition=TAG)), policy(allow(condition={"StringLike": {"aws:ResourceTag/Team": "Payments"}}))),
        (policy(allow(condition={})), policy(allow())),
        (
            policy(allow(condition={"ArnEquals": {"aws:PrincipalArn": BOB}})),
            policy(allow(condition={"ArnLike": {"aws:PrincipalArn": BOB}})),
        ),
        (
            policy(allow(condition={"Bool": {"aws:SecureTransport": True}, **TAG})),
            policy(allow(condition={**TAG, "Bool": {"aws:SecureTransport": "true"}})),
        ),
        (
            PolicyDocument.parse('{"Statement": {"Effect":"Allow","Principal":"*","Action":"*"}}'),
            policy(allow("*", "*")),
        ),
        (None, PolicyDocument.empty()),
        (None, None),
    ],
)
def test_equal_in_meaning(a: Any, b: Any) -> None:
    assert equivalent(a, b)
    assert equivalent(b, a)
    assert differences(a, b) == ()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (policy(allow(BOB)), policy(allow(BOB.replace("bob", "Bob")))),
        (policy(allow(BOB)), policy(deny(BOB))),
        (policy(allow(BOB)), policy(allow([BOB, CAROL]))),
        (policy(allow({"AWS": "x.amazonaws.com"})), policy(allow({"Service": "x.amazonaws.com"}))),
        (policy(allow(action="ecr:PutImage")), policy(allow(action="ecr:Put*"))),
        (policy(allow(condition=TAG)), policy(allow())),
        (policy(allow(condition=TAG)), policy(allow(condition={"StringEquals": {"aws:ResourceTag/Team": "payments"}}))),
        (
            policy(allow(condition={"StringLike": {"aws:ResourceTag/Team": "P*"}})),
            policy(allow(condition={"StringEquals": {"aws:ResourceTag/Team": "P*"}})),
        ),
        (policy(allow(action=None, NotAction="ecr:PutImage")), policy(allow(action="ecr:PutImage"))),
        (policy(allow(None, NotPrincipal={"AWS": BOB})), policy(allow(BOB))),
        (policy(allow(None, NotPrincipal={"AWS": BOB})), policy(allow(None, NotPrincipal={"AWS": [BOB, CAROL]}))),
        (policy(allow(Later=1)), policy(allow())),
        (policy(allow(Later=1)), policy(allow(Later=2))),
        (policy(allow(Resource="*")), policy(allow())),
        (policy(allow(), Id="x"), policy(allow(), Id="y")),
        (
            policy(allow(condition={"StringEquals": {"aws:ResourceTag/T": "${aws:username}"}})),
            policy(allow(condition={"StringEquals": {"aws:ResourceTag/T": "${aws:username}"}}), version="2008-10-17"),
        ),
        (None, policy(allow())),
    ],
)
def test_different_in_meaning(a: Any, b: Any) -> None:
    assert not equivalent(a, b)
    assert not equivalent(b, a)


def test_resources_may_come_in_any_order() -> None:
    assert equivalent(policy(allow(Resource=["a", "b"])), policy(allow(Resource=["b", "a"])))


def test_a_widened_grant_is_the_added_actions_and_no_more() -> None:
    tags = (("Team", "Payments"),)
    before = merge(None, Grant((BOB,), Access.PULL, tags)).after
    after = merge(before, Grant((BOB,), Access.PUSH_PULL, tags)).after
    found = differences(before, after)
    assert {item.op for item in found} == {"add"}
    assert {item.action for item in found} == set(Access.PUSH_PULL.actions) - set(Access.PULL.actions)
    assert {(item.effect, item.principal) for item in found} == {("Allow", BOB)}
    assert all(item.condition == TAG for item in found)
    assert differences(after, before) == tuple(
        Difference("remove", item.effect, item.principal, item.action, item.condition) for item in found
    )


def test_differences_as_plain_values() -> None:
    (found,) = differences(None, policy(deny("*", "ecr:putimage")))
    assert found.to_json() == {
        "op": "add",
        "effect": "Deny",
        "principal": "*",
        "action": "ecr:PutImage",
        "condition": None,
    }


def test_what_is_unusual_is_shown_too() -> None:
    statement = allow(None, None, NotPrincipal={"AWS": BOB}, NotAction=["ecr:a", "ecr:b"], Resource="*", Later=1)
    (found,) = differences(policy(statement), None)
    assert found.op == "remove"
    assert found.principal == f"everyone but {BOB}"
    assert found.action == "everything but ecr:a, ecr:b"
    assert found.extra == {"Resource": "*", "Later": 1}
    (nobody,) = differences(None, policy({"Effect": "Allow"}))
    assert (nobody.principal, nobody.action) == ("(nobody)", "(nothing)")


def test_text_diff_is_the_way_from_one_pretty_text_to_the_other() -> None:
    before = policy(allow(Sid="a"), deny(Sid="b"))
    after = policy(allow(Sid="a"), deny(Sid="c"), allow(CAROL))
    rows = text_diff(before, after)
    assert [line for op, line in rows if op in " -"] == before.pretty().splitlines()
    assert [line for op, line in rows if op in " +"] == after.pretty().splitlines()
    assert ("-", '      "Sid": "b"') in rows
    assert ("+", '      "Sid": "c"') in rows


def test_text_diff_of_a_new_and_of_a_deleted_policy() -> None:
    document = policy(allow())
    assert {op for op, _ in text_diff(None, document)} == {"+"}
    assert {op for op, _ in text_diff(document, None)} == {"-"}
    assert text_diff(None, None) == ()
