"""Who can do what, each cell with its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant, merge
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.who import Capability, Matrix, Row, Verdict, named_principals, who_can
from tests.policy.build import BOB, CAROL, PULL, REPOSITORY, ROOT_B, SESSION, A, B, allow, deny, policy

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
PUSH_PULL = list(Access.PUSH_PULL.actions)
TEAM = {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}
TAGGED = TEAM["StringEquals"]
ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}


def row(document: PolicyDocument, principal: str = BOB, tags: dict[str, str] | None = None, **more: Any) -> Row:
    (found,) = who_can(document, repository_arn=REPOSITORY, tags=tags, principals=[principal], now=NOW, **more)
    return found


def verdicts(found: Row) -> list[str]:
    """From pull on; what follows for read is the same arithmetic."""
    return [found.verdict(capability).value for capability in Capability if capability is not Capability.READ]


@pytest.mark.parametrize(
    ("statements", "tags", "expected"),
    [
        ([allow(BOB, PULL)], {}, ["yes", "no", "no", "no"]),
        ([allow(BOB, PUSH_PULL)], {}, ["yes", "yes", "no", "no"]),
        ([allow(BOB, "ecr:*")], {}, ["yes", "yes", "yes", "yes"]),
        ([allow(B, PULL)], {}, ["yes", "no", "no", "no"]),
        ([allow("*", PULL)], {}, ["yes", "no", "no", "no"]),
        ([allow(BOB, PULL[:1])], {}, ["partly", "no", "no", "no"]),
        ([allow(BOB, PUSH_PULL, TEAM)], {"Team": "Payments"}, ["yes", "yes", "no", "no"]),
        ([allow(BOB, PUSH_PULL, TEAM)], {"Team": "other"}, ["void", "void", "no", "no"]),
        ([allow(BOB, PUSH_PULL, TEAM)], {}, ["void", "void", "no", "no"]),
        ([allow(BOB, PUSH_PULL, TEAM)], None, ["if", "if", "no", "no"]),
        ([allow(BOB, PULL, ORG)], {}, ["if", "no", "no", "no"]),
        ([allow(BOB, PULL, {**ORG, **TEAM})], {}, ["void", "no", "no", "no"]),
        ([allow(BOB, PULL), allow(BOB, PULL, ORG)], {}, ["yes", "no", "no", "no"]),
        ([allow(BOB, PULL, TEAM), allow(BOB, PULL, ORG)], {}, ["if", "no", "no", "no"]),
        ([allow(BOB, PULL), deny("*", "ecr:*")], {}, ["denied", "denied", "denied", "denied"]),
        ([allow(BOB, PULL), deny(CAROL, "ecr:*")], {}, ["yes", "no", "no", "no"]),
        ([allow(BOB, PULL), deny("*", PULL[1])], {}, ["denied", "no", "no", "no"]),
        ([allow(BOB, PULL), deny("*", "ecr:*", {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})], {}, ["if"]),
        ([allow(BOB, PULL), deny("*", "ecr:*", {"StringNotEquals": TAGGED})], {}, ["denied"]),
        (
            [allow(BOB, PULL), deny("*", "ecr:*", {"StringNotEquals": TAGGED})],
            {"Team": "Payments"},
            ["yes"],
        ),
        ([allow(BOB, PULL, {"StringEquals": {"aws:username": "bob"}})], {}, ["yes", "no", "no", "no"]),
        ([allow(BOB, PULL, {"StringEquals": {"aws:username": "eve"}})], {}, ["no", "no", "no", "no"]),
        ([allow(BOB, PULL, {"StringEquals": {"aws:ResourceTag/T": "${aws:PrincipalTag/T}"}})], {"T": "x"}, ["if"]),
        ([allow(BOB, PULL, {"DateLessThan": {"aws:CurrentTime": "2026-11-24T05:00:00Z"}})], {}, ["void"]),
        ([allow(BOB, PULL, {"DateLessThan": {"aws:CurrentTime": "2027-01-01"}})], {}, ["yes"]),
        ([allow(BOB, PULL, {"Odd": {"aws:username": "bob"}})], {}, ["no"]),
        ([allow(CAROL, PULL)], {}, ["no", "no", "no", "no"]),
        ([], {}, ["no", "no", "no", "no"]),
    ],
)
def test_cells(statements: list[dict[str, Any]], tags: dict[str, str] | None, expected: list[str]) -> None:
    found = verdicts(row(policy(*statements), tags=tags))
    assert found[: len(expected)] == expected


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ([allow(BOB, PULL, Sid="Theirs")], "Theirs allows it"),
        ([allow(BOB, PULL, TEAM, Sid="T")], 'T would allow it, but StringEquals aws:ResourceTag/Team "Payments"'),
        ([allow(BOB, PULL, ORG)], 'statement 1 (if StringEquals aws:PrincipalOrgID "o-1") allows it'),
        ([allow(BOB, PULL), deny("*", Sid="Stop")], "Stop denies it"),
        ([allow(BOB, PULL[:1])], "GetDownloadUrlForLayer not granted"),
        ([allow(CAROL, PULL)], "no statement allows it"),
        (
            [allow(BOB, PULL), deny("*", "ecr:*", {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, Sid="Net")],
            'unless Net (if IpAddress aws:SourceIp "10.0.0.0/8") denies it',
        ),
    ],
)
def test_reasons(statements: list[dict[str, Any]], words: str) -> None:
    assert words in row(policy(*statements), tags={}).cells[Capability.PULL].reason


def test_everybody_that_a_policy_names_has_a_row() -> None:
    document = policy(
        allow([BOB, B], PULL),
        allow([ROOT_B, SESSION, f"arn:aws:iam::{A}:role/own"], PULL),
        allow({"Service": "lambda.amazonaws.com"}, PULL),
        allow("*", PULL, ORG),
        allow("AIDAJQABLZS4A3QDU576Q", PULL),
        deny(CAROL),
    )
    rows = who_can(document, repository_arn=REPOSITORY, tags={})
    assert [(item.principal, item.kind, item.external) for item in rows] == [
        (BOB, "user", True),
        (B, "account", True),
        (SESSION, "session", True),
        (f"arn:aws:iam::{A}:role/own", "role", False),
        ("lambda.amazonaws.com", "service", True),
        ("*", "everyone", True),
        ("AIDAJQABLZS4A3QDU576Q", "deleted", True),
    ]
    verdict = {item.principal: item.verdict(Capability.PULL) for item in rows}
    assert verdict["*"] is Verdict.IF
    assert verdict["AIDAJQABLZS4A3QDU576Q"] is Verdict.NO
    assert verdict["lambda.amazonaws.com"] is verdict[SESSION] is verdict[B] is Verdict.YES
    assert rows[1].title == f"account {B}"


def test_not_principal_names_everyone() -> None:
    assert named_principals(policy(allow(None, PULL, NotPrincipal={"AWS": BOB})), None) == ("*",)


def test_what_holds_for_an_account_does_not_guess_at_its_principals() -> None:
    document = policy(allow(B, PULL, {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:role/ci-*"}}))
    assert row(document, ROOT_B).verdict(Capability.PULL) is Verdict.IF
    assert row(document, BOB).verdict(Capability.PULL) is Verdict.NO
    assert row(document, f"arn:aws:iam::{B}:role/ci-1").verdict(Capability.PULL) is Verdict.YES


def test_a_service_needs_its_source() -> None:
    source = {"StringLike": {"aws:SourceArn": "arn:aws:lambda:*:222222222222:function:*"}}
    document = policy(allow({"Service": "lambda.amazonaws.com"}, PULL, source), allow("*", PULL, ORG))
    assert row(document, "lambda.amazonaws.com").verdict(Capability.PULL) is Verdict.IF
    assert row(policy(allow("*", PULL, ORG)), "lambda.amazonaws.com").verdict(Capability.PULL) is Verdict.NO


def test_the_registry_policy_counts_too() -> None:
    registry = policy(allow(BOB, PULL, Resource=REPOSITORY, Sid="Registry"))
    (found,) = who_can(None, repository_arn=REPOSITORY, tags={}, registry=registry)
    assert found.cells[Capability.PULL].reason == "Registry allows it"
    (elsewhere,) = who_can(None, repository_arn=REPOSITORY.replace("app", "other"), tags={}, registry=registry)
    assert elsewhere.verdict(Capability.PULL) is Verdict.NO
    assert row(policy(allow(BOB, PULL)), registry=policy(deny(BOB))).verdict(Capability.PULL) is Verdict.DENIED


def test_no_policy_grants_nobody() -> None:
    assert who_can(None, repository_arn=REPOSITORY, tags={}) == ()


def test_a_matrix_shares_what_is_equal_and_only_that() -> None:
    matrix = Matrix([BOB, CAROL], account=A, now=NOW)
    tagged = merge(None, Grant((BOB,), Access.PULL, (("Team", "Payments"),))).after
    assert tagged is not None
    same = PolicyDocument.parse(tagged.text)
    first = matrix.rows(tagged, {"Team": "Payments", "Name": "1"}, REPOSITORY)
    assert matrix.rows(same, {"Team": "Payments", "Name": "2"}, REPOSITORY + "2") is first
    other = matrix.rows(same, {"Team": "Else"}, REPOSITORY)
    assert [item.verdict(Capability.PULL) for item in first] == [Verdict.YES, Verdict.NO]
    assert [item.verdict(Capability.PULL) for item in other] == [Verdict.VOID, Verdict.NO]
    unknown = matrix.rows(same, None, REPOSITORY)
    assert unknown[0].verdict(Capability.PULL) is Verdict.IF
    assert other[1] is first[1]


def test_a_matrix_tells_versions_and_resources_apart() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/T": "${aws:username}"}}
    new, old = policy(allow(BOB, PULL, condition)), policy(allow(BOB, PULL, condition), version="2008-10-17")
    matrix = Matrix([BOB], account=A, now=NOW)
    assert matrix.rows(new, {"T": "bob"}, REPOSITORY)[0].verdict(Capability.PULL) is Verdict.YES
    assert matrix.rows(old, {"T": "bob"}, REPOSITORY)[0].verdict(Capability.PULL) is Verdict.VOID
    named = policy(allow(BOB, PULL, Resource=REPOSITORY))
    assert matrix.rows(named, {}, REPOSITORY)[0].verdict(Capability.PULL) is Verdict.YES
    assert matrix.rows(named, {}, REPOSITORY + "x")[0].verdict(Capability.PULL) is Verdict.NO


def test_rows_agree_with_and_without_sharing() -> None:
    documents = [
        policy(allow(BOB, PULL, TEAM), allow(B, PUSH_PULL)),
        policy(allow(BOB, PULL, TEAM), deny(CAROL)),
        policy(allow(BOB, PULL, TEAM)),
    ]
    matrix = Matrix([BOB, CAROL, ROOT_B], account=A, now=NOW)
    for tags in ({}, {"Team": "Payments"}, {"team": "Payments"}, None):
        for document in documents:
            alone = who_can(document, repository_arn=REPOSITORY, tags=tags, principals=[BOB, CAROL, ROOT_B], now=NOW)
            assert matrix.rows(document, tags, REPOSITORY) == alone
