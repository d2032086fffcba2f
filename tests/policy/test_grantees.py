"""Organizations, organizational units and services as grantees: written, known again, changed, decided."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_tui.errors import InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.actions import Access
from ecr_tui.policy.answer import Verdict, of_call
from ecr_tui.policy.change import Grant, merge, revoke
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.known import before_call
from ecr_tui.policy.ours import read_own
from ecr_tui.policy.principal import describe, parse_grantee
from tests.policy.build import BOB, ROOT_B, A, B, allow, policy

ORG, OTHER_ORG = "org/o-a1b2c3d4e5", "org/o-z9y8x7w6v5"
UNIT = "ou/o-a1b2c3d4e5/r-ab12/ou-ab12-11111111"
BELOW = f"{UNIT}/*"
LAMBDA = f"service/lambda.amazonaws.com@arn:aws:lambda:*:{B}:function:*"
BUILD = f"service/codebuild.amazonaws.com@{B}"
ARN = f"arn:aws:ecr:eu-central-1:{A}:repository/app"
NOW = datetime(2026, 11, 29, tzinfo=UTC)
PAYMENTS = (("Team", "Payments"),)


def after(change: Any) -> PolicyDocument:
    assert change.after is not None
    return change.after


def granted(*principals: str, access: Access = Access.PULL, tags: Any = ()) -> PolicyDocument:
    return after(merge(None, Grant(principals, access, tags)))


def allowed(document: PolicyDocument | None, grantee: str, action: str = "ecr:BatchGetImage", **tags: str) -> Verdict:
    return of_call(document, before_call(grantee, repository_arn=ARN, tags=tags, now=NOW), action, ARN).verdict


@pytest.mark.parametrize(
    ("principal", "element", "condition"),
    [
        (ORG, "*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        (
            UNIT,
            "*",
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"}},
        ),
        (
            BELOW,
            "*",
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"}},
        ),
        (
            LAMBDA,
            {"Service": "lambda.amazonaws.com"},
            {"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:*:{B}:function:*"}},
        ),
        (BUILD, {"Service": "codebuild.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": B}}),
    ],
)
def test_how_each_is_written_and_known_again(principal: str, element: Any, condition: Any) -> None:
    statement, *beside = granted(principal).statements
    assert [one.principals for one in beside] == ([(("AWS", ROOT_B),)] if principal == LAMBDA else [])
    assert (statement.raw["Principal"], statement.raw["Condition"]) == (element, condition)
    own = read_own(statement)
    assert own is not None
    assert (own.principals, own.access, own.tags) == ((principal,), Access.PULL, ())


def test_a_tag_condition_stands_beside_it() -> None:
    (statement,) = granted(ORG, tags=PAYMENTS).statements
    assert statement.raw["Condition"] == {
        "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:ResourceTag/Team": "Payments"}
    }
    own = read_own(statement)
    assert own is not None
    assert own.tags == PAYMENTS


def test_grantees_of_one_kind_share_a_statement_and_others_have_their_own() -> None:
    document = granted(BOB, ORG, LAMBDA, OTHER_ORG)
    assert [own.principals for own in map(read_own, document.statements) if own] == [
        (BOB,),
        (ORG, OTHER_ORG),
        (LAMBDA,),
        (ROOT_B,),
    ]


@pytest.mark.parametrize("principal", [BOB, ORG, UNIT, BELOW, LAMBDA, BUILD])
def test_granted_again_changed_and_revoked(principal: str) -> None:
    foreign = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "ecr:DeleteRepository"}
    first = after(merge(policy(foreign), Grant((principal,), Access.PULL)))
    assert not merge(first, Grant((principal,), Access.PULL)).changed
    narrower = after(merge(first, Grant((principal,), Access.PULL, PAYMENTS)))
    assert len(narrower.statements) == (3 if principal == LAMBDA else 2)
    assert allowed(narrower, principal, Team="Search") is Verdict.NO
    gone = revoke(narrower, (principal,))
    assert gone.changed
    assert after(gone).raw == policy(foreign).raw
    assert not revoke(after(gone), (principal,)).changed


@pytest.mark.parametrize("principal", [ORG, UNIT, BELOW, LAMBDA, BUILD])
def test_it_is_decided_for_the_grantee_and_no_other(principal: str) -> None:
    document = granted(principal)
    assert allowed(document, principal) is Verdict.YES
    assert allowed(document, principal, "ecr:PutImage") is Verdict.NO
    assert allowed(None, principal) is Verdict.NO
    other = principal.replace("11111111", "22222222").replace(B, "333333333333")
    assert allowed(document, OTHER_ORG if principal == ORG else other) is Verdict.NO


def test_a_user_whose_organization_is_not_known_depends() -> None:
    assert allowed(granted(ORG), BOB) is Verdict.DEPENDS
    assert allowed(granted(BUILD), BOB) is Verdict.NO


def test_one_of_several_is_revoked() -> None:
    document = revoke(granted(ORG, OTHER_ORG), (ORG,)).after
    assert document is not None
    assert [own.principals for own in map(read_own, document.statements) if own] == [(OTHER_ORG,)]


@pytest.mark.parametrize(
    "raw",
    [
        {"Principal": "*"},
        {"Principal": {"Service": "lambda.amazonaws.com"}},
        {"Principal": {"Service": ["lambda.amazonaws.com", "codebuild.amazonaws.com"]}},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-*"}}},
        {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}},
        {
            "Principal": "*",
            "Condition": {
                "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
                "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"},
            },
        },
        {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:x": "y"}}},
    ],
)
def test_what_is_not_ours(raw: dict[str, Any]) -> None:
    statement = {**granted(ORG).json["Statement"][0], "Condition": {}, **raw}
    assert read_own(policy(statement).statements[0]) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("org/a1b2c3d4e5", "org/o-a1b2c3d4e5"),
        ("org/o-*", "org/o-a1b2c3d4e5"),
        ("ou/ou-ab12-11111111", "from the organization"),
        ("ou/o-a1b2c3d4e5/ou-ab12-11111111", "from the organization"),
        ("ou/o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/**", "from the organization"),
        ("service/lambda", "service/lambda.amazonaws.com"),
        ("service/codebuild.amazonaws.com", "service/codebuild.amazonaws.com@222222222222"),
        ("service/codebuild.amazonaws.com@*", "an account or an ARN"),
        (f"arn:aws:iam::{B}:group/devs", "Name the users"),
    ],
)
def test_a_wrong_form_is_refused_with_the_right_one(text: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_grantee(text, account_b=B)
    assert says in refused.value.hint


def test_a_lambda_of_account_b_needs_no_source() -> None:
    assert parse_grantee("service/lambda.amazonaws.com", account_b=B) == LAMBDA
    with pytest.raises(InputError, match="needs a source"):
        parse_grantee("service/lambda.amazonaws.com")


@pytest.mark.parametrize(
    ("principal", "words"),
    [
        (ORG, "organization o-a1b2c3d4e5"),
        (BELOW, "organizational unit ou-ab12-11111111 and those below it"),
        (LAMBDA, f"service lambda.amazonaws.com for arn:aws:lambda:*:{B}:function:*"),
        (BUILD, f"service codebuild.amazonaws.com for account {B}"),
    ],
)
def test_how_they_are_called(principal: str, words: str) -> None:
    assert describe(principal) == words


def test_a_caller_is_never_the_grantee_s_text() -> None:
    for principal in (ORG, UNIT, BELOW, LAMBDA, BUILD):
        assert not grantees.is_conditional(grantees.caller(principal)[0])


def test_lambda_brings_its_account_only_where_that_cannot_pull_yet() -> None:
    first = merge(None, Grant((LAMBDA,), Access.PULL))
    assert f"so account {B} is granted the same" in " ".join(first.notes)
    for standing in (granted(ROOT_B, access=Access.PUSH_PULL), policy(allow(ROOT_B, ["ecr:*"]))):
        beside = merge(standing, Grant((LAMBDA,), Access.PULL, PAYMENTS))
        assert (len(after(beside).statements), beside.notes) == (2, ())
        assert after(revoke(after(beside), (LAMBDA,))).raw == standing.raw
    only_push = merge(granted(ROOT_B, access=Access.PUSH), Grant((LAMBDA,), Access.PULL))
    assert allowed(after(only_push), ROOT_B, "ecr:PutImage") is Verdict.YES
    assert allowed(after(only_push), ROOT_B) is Verdict.YES
