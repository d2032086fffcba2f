"""Our answer beside Access Analyzer's: agreed, not comparable and why, or a disagreement."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_tui.access.second_opinion import ANYBODY, DELETED, FAILED, IN_ZONE, SERVICES, Comparison, compare
from ecr_tui.aws.access_analyzer import ACCOUNT, ORGANIZATION, RESOLVED, Analyzer, Finding
from ecr_tui.aws.model import Repository
from ecr_tui.policy.actions import Access
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.sandbox.analyzer import Analyzers

NAME = "payments/api"
REPOSITORY = Repository(
    NAME, f"arn:aws:ecr:eu-central-1:111111111111:repository/{NAME}", f"host/{NAME}", "eu-central-1", "111111111111", {}
)
USER, B = "arn:aws:iam::222222222222:user/devusr2", "222222222222"
PULL = Access.PULL.actions
NOW = datetime(2030, 1, 1, tzinfo=UTC)
ORG = "o-ecr7tu1s4n"
IN_ORG = {"aws:PrincipalOrgID": ORG}


def statement(principal: Any, *actions: str, effect: str = "Allow", **condition: Any) -> dict[str, Any]:
    made = {"Sid": "S", "Effect": effect, "Principal": principal, "Action": list(actions or PULL)}
    return made | ({"Condition": condition} if condition else {})


def finding(principal: str, *actions: str, **more: Any) -> Finding:
    return Finding("f-1", (("AWS", principal),), actions or PULL, **more)


def compared(statements: list[dict[str, Any]], *found: Finding, kind: str = ACCOUNT, tags: Any = None) -> Comparison:
    document = PolicyDocument.from_json({"Version": "2012-10-17", "Statement": statements}) if statements else None
    row = Repository(*(getattr(REPOSITORY, one) for one in ("name", "arn", "uri", "region", "account")), tags or {})
    return compare(document, found, repository=row, analyzer=Analyzer("arn", "a", kind), now=NOW)


def why(found: Comparison) -> list[str]:
    """Of each difference, "" for a disagreement."""
    return [one.why for one in found.differences]


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([], []),
        ([statement({"AWS": USER})], [finding(USER)]),
        # One form of an account is as good as another, and so is a pattern of actions.
        ([statement({"AWS": f"arn:aws:iam::{B}:root"}, "ecr:*")], [finding(B, "ecr:*")]),
        # A condition that the request decides, reported or left out of the report.
        ([statement("*", IpAddress={"aws:SourceIp": "10.0.0.0/8"})], [finding("*", condition={"aws:SourceIp": "10"})]),
        ([statement("*", StringEquals=IN_ORG)], [finding("*", condition=IN_ORG)]),
        # The account's own, a user within a wider finding, what is resolved, and the reader's own policy.
        ([statement({"AWS": "arn:aws:iam::111111111111:root"})], []),
        ([statement({"AWS": [USER, B]})], [finding(B)]),
        ([], [finding(USER, status=RESOLVED)]),
        # A tag that the repository has.
        ([statement({"AWS": USER}, StringEquals={"aws:ResourceTag/Team": "X"})], [finding(USER)]),
        ([statement({"AWS": USER}), statement({"AWS": B}, "ecr:PutImage", effect="Deny")], [finding(USER)]),
        # It says nothing about an action that may be newer than its list.
        ([statement({"AWS": USER}, *PULL, "ecr:GetSigningConfiguration")], [finding(USER)]),
    ],
)  # fmt: skip
def test_both_say_the_same(statements: list[dict[str, Any]], found: list[Finding]) -> None:
    assert compared(statements, *found, tags={"Team": "X"}).differences == ()


def test_who_is_agreed_about_is_told() -> None:
    found = compared([statement({"AWS": USER}), statement("*", StringEquals=IN_ORG)], finding(USER))
    assert found.agreed == (USER,)
    assert [(one.principal, one.theirs, one.why) for one in found.differences] == [(f"org/{ORG}", False, "")]


@pytest.mark.parametrize(
    ("statements", "found", "reason"),
    [
        ([statement({"AWS": USER}, StringEquals={"aws:ResourceTag/Team": "Y"})], [finding(USER)],
         "Access Analyzer may not evaluate aws:ResourceTag/Team"),
        ([statement({"AWS": USER}, DateLessThan={"aws:CurrentTime": "2020-01-01T00:00:00Z"})], [finding(USER)],
         "Access Analyzer may not evaluate aws:CurrentTime"),
        ([statement({"AWS": USER}), statement("*", effect="Deny", StringNotEquals={"aws:ResourceTag/Team": "Y"})],
         [finding(USER)], "Access Analyzer may not evaluate aws:ResourceTag/Team"),
        ([statement({"Service": "lambda.amazonaws.com"}, StringEquals={"aws:SourceAccount": B})], [], SERVICES),
        ([statement({"AWS": "AIDAAAAAAAAAAAAAAAAAA"})], [], DELETED),
        ([statement({"AWS": USER})], [Finding("f", (), (), error="INTERNAL_ERROR")], f"{FAILED} (INTERNAL_ERROR)"),
        ([statement("*")], [finding("*")], ANYBODY),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_says_why(statements: list[dict[str, Any]], found: list[Finding], reason: str) -> None:
    assert set(why(compared(statements, *found))) == {reason}


def test_an_organizations_analyzer_is_silent_about_its_own_accounts() -> None:
    assert why(compared([statement({"AWS": USER})], kind=ORGANIZATION)) == [IN_ZONE]
    assert why(compared([], finding(USER), kind=ORGANIZATION)) == [""]


@pytest.mark.parametrize(
    ("statements", "found", "ours", "theirs", "public"),
    [
        ([], [finding(USER)], "no", True, False),
        ([statement({"AWS": USER})], [], "yes", False, False),
        ([statement({"AWS": USER})], [finding(USER), finding(B)], "no", True, False),
        ([statement({"AWS": USER})], [finding(USER), finding("*", public=True)], "no", True, False),
        ([statement({"AWS": USER}), statement({"AWS": B}, effect="Deny")], [finding(USER)], "no", True, False),
        ([statement("*", StringEquals=IN_ORG)],
         [finding("*", public=True), finding("*", condition=IN_ORG)], "depends", True, True),
    ],
)  # fmt: skip
def test_a_disagreement_has_both_sides(
    statements: list[dict[str, Any]], found: list[Finding], ours: str, theirs: bool, public: bool
) -> None:
    (one,) = compared(statements, *found).disagreements
    assert (one.ours, one.theirs, one.public, set(one.actions)) == (ours, theirs, public, set(PULL))
    assert one.findings == (() if not theirs else ("f-1",))


def test_only_the_actions_that_differ_are_told() -> None:
    (one,) = compared([statement({"AWS": USER})], finding(USER, *PULL, "ecr:PutImage")).disagreements
    assert one.actions == ("ecr:PutImage",)
    (one,) = compared([statement({"AWS": USER}, *PULL, "ecr:PutImage")], finding(USER)).disagreements
    assert (one.actions, one.ours, one.theirs, one.statements) == (("ecr:PutImage",), "yes", False, ("S",))


def test_no_disagreement_with_an_analyzer_that_is_right() -> None:
    """Over random policies; the sandbox's analyzer takes every Deny with a condition as not met."""
    chance = random.Random(7)
    principals = ["*", USER, B, f"arn:aws:iam::{B}:role/puller", "333333333333", "arn:aws:iam::111111111111:user/a"]
    met, unmet = ({"StringEquals": {"aws:ResourceTag/Team": one}} for one in ("X", "Y"))
    past = {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}
    asked = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    in_org = {"StringEquals": {**IN_ORG, "aws:ResourceTag/Team": "X"}}
    whys: set[str] = set()
    for _ in range(400):
        statements = []
        for _ in range(chance.randint(1, 3)):
            effect = chance.choice(["Allow", "Allow", "Deny"])
            conditions = [{}, {}, met, unmet, past, *([asked, in_org] if effect == "Allow" else [])]
            principal = chance.choice(principals)
            actions = chance.choice([["ecr:*"], list(PULL), ["ecr:Batch*"], ["ecr:PutImage"]])
            named = "*" if principal == "*" else {"AWS": principal}
            statements.append(statement(named, *actions, effect=effect, **chance.choice(conditions)))
        text = PolicyDocument.from_json({"Version": "2012-10-17", "Statement": statements}).text
        found = [
            Finding("f", (("AWS", one.principal),), one.actions, dict(one.condition), one.public)
            for one in Analyzers().of(REPOSITORY.arn, text)
        ]
        both = compared(statements, *found, tags={"Team": "X"})
        assert both.disagreements == (), text
        whys |= {one.why for one in both.incomparable}
    prefix = "Access Analyzer may not evaluate "
    tag, time = "aws:ResourceTag/Team", "aws:CurrentTime"
    assert {one.removeprefix(prefix) for one in whys} <= {tag, time, f"{tag}, {time}", f"{time}, {tag}"}
    assert {prefix + tag, prefix + time} <= whys
