"""The reason of a decision: which policy, which statement, which element or key, which side."""

from __future__ import annotations

from typing import Any

import pytest

from ecr_tui.policy.evaluate import Decision
from tests.policy.build import BOB, CAROL, FULL, REPOSITORY, B, allow, ask, deny, policy

TEAM = {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}


def texts(decision: Decision) -> list[str]:
    return [reason.text for reason in decision.reasons]


def test_an_allowed_request_names_both_statements() -> None:
    decision = ask(policy(deny(CAROL), allow(Sid="Grant")))
    assert texts(decision) == [
        "Grant of the repository policy allows it",
        "statement 1 of the identity policy allows it",
    ]
    resource = decision.reasons[0]
    assert (resource.where, resource.kind, resource.statement, resource.index) == ("resource", "allow", "Grant", 1)


def test_a_denial_names_the_denying_statements_only() -> None:
    decision = ask(policy(allow(), deny(Sid="Stop"), deny(BOB)))
    assert texts(decision) == [
        "Stop of the repository policy denies it",
        "statement 3 of the repository policy denies it",
    ]
    assert {reason.kind for reason in decision.reasons} == {"deny"}


@pytest.mark.parametrize(
    ("statement", "context", "element", "key", "words"),
    [
        (allow(CAROL), {}, "Principal", "", f"it names user carol in {B}, not user bob in {B}"),
        (allow([CAROL, "1" * 12, "2" * 12 + "0", "x", "y"]), {}, "Principal", "", "and 2 more"),
        (allow(None), {}, "Principal", "", "it names no principal"),
        (allow(None, NotPrincipal={"AWS": BOB}), {}, "NotPrincipal", "", "its NotPrincipal excludes user bob"),
        (allow(condition=TEAM), {}, "Condition", "aws:ResourceTag/Team", "the repository has no such tag"),
        (
            allow(condition=TEAM),
            {"aws:ResourceTag/team": "payments"},
            "Condition",
            "aws:ResourceTag/Team",
            'StringEquals aws:ResourceTag/Team "Payments": it is "payments"',
        ),
        (
            allow(condition={"StringLike": {"aws:PrincipalOrgID": ["a", "b"]}}),
            {},
            "Condition",
            "aws:PrincipalOrgID",
            'StringLike aws:PrincipalOrgID "a" or "b": the request has no such key',
        ),
        (
            allow(condition={"ForAnyValue:StringEquals": {"aws:TagKeys": "x"}}),
            {"aws:TagKeys": ["a", "b"]},
            "Condition",
            "aws:TagKeys",
            'it is "a", "b"',
        ),
        (allow(condition=[]), {}, "Condition", "", "its Condition is malformed"),
        (allow(Resource=REPOSITORY + "x"), {}, "Resource", "", f"its Resource does not cover {REPOSITORY}"),
        (allow(NotResource=REPOSITORY), {}, "NotResource", "", "its NotResource does not cover"),
    ],
)
def test_a_near_miss_names_what_failed(
    statement: dict[str, Any], context: dict[str, Any], element: str, key: str, words: str
) -> None:
    decision = ask(policy(statement), context=context)
    missing, near = decision.reasons[:2]
    assert (missing.where, missing.kind) == ("resource", "missing")
    assert missing.text == "no resource-based policy allows the ecr:BatchGetImage action"
    assert (near.kind, near.element, near.key) == ("near", element, key)
    assert words in near.text


def test_statements_about_other_actions_are_no_near_misses() -> None:
    decision = ask(policy(allow(action="ecr:PutImage"), allow(CAROL)))
    assert [reason.statement for reason in decision.reasons if reason.kind == "near"] == ["statement 2"]


def test_each_side_is_named_in_the_words_of_aws() -> None:
    s3 = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    decision = ask(None, identity=(s3,), boundaries=(s3,), scps=((FULL,), (s3,)))
    assert [reason.where for reason in decision.reasons if reason.kind == "missing"] == [
        "scp",
        "identity",
        "boundary",
        "resource",
    ]
    assert "no identity-based policy allows the ecr:BatchGetImage action" in texts(decision)
    assert any("the repository has no policy" in text for text in texts(decision))


def test_the_policy_is_numbered_within_its_kind() -> None:
    denied = policy({"Effect": "Deny", "Action": "ecr:*", "Resource": "*", "Sid": "No"})
    (reason,) = ask(policy(allow()), identity=(FULL, denied)).reasons
    assert (reason.where, reason.policy, reason.statement) == ("identity", 1, "No")


def test_the_root_user_needs_no_identity_policy_and_the_reason_says_so() -> None:
    decision = ask(policy(allow(B)), principal=f"arn:aws:iam::{B}:root", identity=())
    assert decision.allowed
    assert any(reason.kind == "root" for reason in decision.reasons)


def test_reasons_as_plain_values_leave_out_what_is_empty() -> None:
    near = ask(policy(allow(condition=TEAM))).reasons[1]
    assert near.to_json() == {
        "where": "resource",
        "kind": "near",
        "text": near.text,
        "statement": "statement 1",
        "element": "Condition",
        "key": "aws:ResourceTag/Team",
    }
