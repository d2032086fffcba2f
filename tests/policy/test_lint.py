"""Every rule has a document that breaks it and one that does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant, merge
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.lint import Finding, lint
from ecr_tui.policy.lint_consumer import lint_consumer
from ecr_tui.policy.rules import RULES
from tests.policy.build import BOB, CAROL, FULL, PULL, REPOSITORY, SEED, A, B, allow, deny, policy

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
TEAM = {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}
PUSH_PULL = list(Access.PUSH_PULL.actions)


def findings(document: PolicyDocument | None, **setting: Any) -> tuple[Finding, ...]:
    return lint(document, **{"account": A, "partition": "aws", "now": NOW, **setting})


def ids(document: PolicyDocument | None, **setting: Any) -> set[str]:
    return {item.id for item in findings(document, **setting)}


def one(principal: Any = BOB, action: Any = None, condition: Any = None, **more: Any) -> PolicyDocument:
    return policy(allow(principal, PULL if action is None else action, condition, **more))


def until(text: str) -> dict[str, Any]:
    return {"DateLessThan": {"aws:CurrentTime": text}}


# rule, document that breaks it, document that does not, what is known of the repository
RULE_CASES: list[tuple[str, PolicyDocument, PolicyDocument, dict[str, Any]]] = [
    ("empty-policy", policy(), one(), {}),
    ("bad-version", policy(allow(BOB, PULL), version="2020-01-01"), one(), {}),
    (
        "variables-are-literal",
        policy(allow(BOB, PULL, {"StringEquals": {"aws:ResourceTag/T": "${aws:username}"}}), version=None),
        one(condition={"StringEquals": {"aws:ResourceTag/T": "${aws:username}"}}),
        {},
    ),
    ("too-large", one(Sid="x" * 10_240), one(Sid="x" * 10_000), {}),
    ("near-limit", one(Sid="x" * 9_000), one(Sid="x" * 8_000), {}),
    ("unknown-element", one(Resourse="*"), one(), {}),
    ("unknown-element", policy(allow(BOB, PULL), Statements=[]), policy(allow(BOB, PULL), Id="x"), {}),
    ("duplicate-sid", policy(allow(BOB, PULL, Sid="a"), deny(CAROL, PULL, Sid="a")), one(Sid="a"), {}),
    ("odd-sid", one(Sid="allow pull"), one(Sid="AllowPull1"), {}),
    ("bad-effect", policy({**allow(BOB, PULL), "Effect": "allow"}), one(), {}),
    ("no-action", policy(allow(BOB, None)), one(), {}),
    ("no-action", policy(allow(BOB, [])), policy(deny("*", None, NotAction=PULL)), {}),
    ("element-pair", one(NotPrincipal={"AWS": CAROL}), one(), {}),
    ("element-pair", one(NotAction="ecr:PutImage"), one(), {}),
    ("resource-element", one(Resource="*"), one(), {}),
    ("resource-element", one(NotResource="*"), one(), {}),
    ("unknown-action", one(action=["ecr:PutImages"]), one(action=["ecr:PutImage"]), {}),
    ("unknown-action", one(action="ecr.PutImage"), one(action="ECR:putimage"), {}),
    ("unknown-action", one(action="s3:GetObject"), one(action="ecr:Batch*"), {}),
    ("unknown-action", policy(deny("*", None, NotAction="ecr:Nope*")), policy(deny("*", None, NotAction="ecr:*")), {}),
    ("token-action", PolicyDocument.from_json(SEED), one(), {}),
    ("token-action", one(action="ecr:getauthorizationtoken"), one(action="ecr:Get*"), {}),
    ("registry-action", one(action=["ecr:DescribeRegistry"]), one(action="ecr:DescribeRepositories"), {}),
    ("no-effect-action", one(action="ecr:CreateRepository"), one(), {}),
    ("all-actions", one(action="ecr:*"), policy(deny(BOB, "ecr:*")), {}),
    ("not-action", policy(allow(BOB, None, NotAction="ecr:PutImage")), policy(deny(BOB, None, NotAction=PULL)), {}),
    ("no-principal", policy(allow(None, PULL)), one(), {}),
    ("no-principal", one(principal=[]), one(B), {}),
    ("bad-principal", one(f"arn:aws:iam::{B}:group/devs"), one(), {}),
    ("bad-principal", policy({**allow(BOB, PULL), "Principal": "bob"}), one(), {}),
    ("bad-principal", one("user/bob"), one(f"arn:aws:sts::{B}:assumed-role/a/b"), {}),
    ("bad-principal", one({"CanonicalUser": "79a59d"}), one({"AWS": B}), {}),
    ("bad-principal", one({"Service": "lambda"}), one({"Service": "lambda.amazonaws.com"}), {}),
    ("bad-principal", one({"Federated": "x"}), one({"Federated": "cognito-identity.amazonaws.com"}), {}),
    ("principal-wildcard", one(f"arn:aws:iam::{B}:user/*"), one("*", condition=ORG), {}),
    ("dead-principal", one([BOB, "AIDAJQABLZS4A3QDU576Q"]), one(), {}),
    ("public", one("*"), one("*", condition=ORG), {}),
    ("public", one({"AWS": "*"}), one("*", condition={"StringEquals": {"aws:PrincipalAccount": B}}), {}),
    ("public", one("*", condition=TEAM), one("*", condition={"ArnLike": {"aws:PrincipalArn": BOB}}), {}),
    (
        "public",
        one("*", condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci"}}),
        one("*", condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:role/*"}}),
        {},
    ),
    (
        "public",
        one("*", condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}),
        one("*", condition={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}),
        {},
    ),
    (
        "public",
        one("*", condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}),
        one("*", condition={"StringLike": {"aws:PrincipalOrgID": "o-1*"}}),
        {},
    ),
    ("public", one("*", condition={"StringLike": {"aws:PrincipalArn": "*"}}), policy(deny("*", PULL)), {}),
    ("allow-not-principal", policy(allow(None, PULL, NotPrincipal={"AWS": BOB})), one(), {}),
    ("deny-not-principal", policy(deny(None, PULL, NotPrincipal={"AWS": BOB})), policy(deny(BOB, PULL)), {}),
    ("other-partition", one(f"arn:aws-cn:iam::{B}:root"), one(f"arn:aws:iam::{B}:root"), {}),
    (
        "service-without-source",
        one({"Service": "lambda.amazonaws.com"}),
        one(
            {"Service": "lambda.amazonaws.com"}, condition={"StringLike": {"aws:SourceArn": f"arn:aws:lambda:*:{B}:*"}}
        ),
        {},
    ),
    ("grants-permissions", one(action="ecr:SetRepositoryPolicy"), one(f"arn:aws:iam::{A}:root", "ecr:Set*"), {}),
    ("grants-permissions", one(action="ecr:*"), policy(deny(BOB, "ecr:*")), {}),
    ("grants-tagging", one(action=["ecr:TagResource"]), one(f"arn:aws:iam::{A}:user/x", "ecr:TagResource"), {}),
    ("grants-tagging", policy(allow(BOB, None, NotAction="ecr:PutImage")), one(action="ecr:ListTagsForResource"), {}),
    ("grants-deletion", one(action="ecr:BatchDeleteImage"), one(), {}),
    ("lock-out", policy(deny("*", "ecr:*")), policy(deny("*", "ecr:PutImage")), {}),
    ("lock-out", policy(deny(A, "ecr:SetRepositoryPolicy")), policy(deny(B, "ecr:SetRepositoryPolicy")), {}),
    ("lock-out", policy(deny("*", None, NotAction="ecr:PutImage")), policy(deny("*", "ecr:Set*", ORG)), {}),
    ("bad-condition", one(condition={"StringEquals": "x"}), one(condition=TEAM), {}),
    ("bad-condition", policy({**allow(BOB, PULL), "Condition": []}), one(), {}),
    ("unknown-operator", one(condition={"StringEqual": {"aws:ResourceTag/T": "x"}}), one(condition=TEAM), {}),
    ("unknown-operator", one(condition={"ForSome:StringEquals": {"aws:TagKeys": "x"}}), one(), {}),
    (
        "key-without-service",
        one(condition={"StringEquals": {"ResourceTag/Team": "x"}}),
        one(condition={"StringEquals": {"ecr:ResourceTag/Team": "x"}}),
        {},
    ),
    (
        "unknown-key",
        one(condition={"StringEquals": {"aws:ResourceTags/Team": "x"}}),
        one(condition={"StringEquals": {"AWS:resourcetag/Team": "x"}}),
        {},
    ),
    (
        "unknown-key",
        one(condition={"StringEquals": {"s3:prefix": "x"}}),
        one(condition={"StringEquals": {"saml:aud": "x"}}),
        {},
    ),
    (
        "operator-type",
        one(condition={"NumericEquals": {"aws:ResourceTag/Team": "5"}}),
        one(condition={"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}),
        {},
    ),
    (
        "operator-type",
        one(condition={"StringEquals": {"aws:SourceIp": "10.0.0.1"}}),
        one(condition={"IpAddress": {"aws:SourceIp": "10.0.0.1"}}),
        {},
    ),
    (
        "set-operator-missing",
        one(condition={"StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}),
        one(condition={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}),
        {},
    ),
    (
        "for-all-values",
        one(condition={"ForAllValues:StringEquals": {"aws:PrincipalTag/Team": "x"}}),
        one(
            condition={
                "ForAllValues:StringEquals": {"aws:PrincipalTag/Team": "x"},
                "Null": {"aws:PrincipalTag/Team": "false"},
            }
        ),
        {},
    ),
    (
        "if-exists-on-tag",
        one(condition={"StringEqualsIfExists": {"aws:ResourceTag/Team": "Payments"}}),
        one(condition=TEAM),
        {},
    ),
    ("tag-not-met", one(condition=TEAM), one(), {"tags": {}}),
    ("tag-not-met", one(condition={"StringLike": {"ecr:ResourceTag/Team": "P*"}}), one(), {"tags": {"Team": "pay"}}),
    (
        "deny-hits-untagged",
        policy(deny("*", PULL, {"StringNotEquals": {"aws:ResourceTag/Team": "Payments"}})),
        policy(
            deny(
                "*",
                PULL,
                {"StringNotEquals": {"aws:ResourceTag/Team": "Payments"}, "Null": {"aws:ResourceTag/Team": "false"}},
            )
        ),
        {"tags": {}},
    ),
    ("grant-expired", one(condition=until("2026-11-24T06:00:00Z")), one(condition=until("2030-01-01")), {}),
    ("grant-expires", one(condition=until("2026-11-30T00:00:00Z")), one(condition=until("2026-12-30")), {}),
    ("deny-shadows-grant", policy(allow(BOB, PULL), deny("*", PULL[0])), policy(allow(BOB, PULL), deny(CAROL)), {}),
    (
        "deny-shadows-grant",
        policy(allow(B, PULL), deny(B, PULL)),
        policy(allow(BOB, PULL), deny("*", "ecr:PutImage")),
        {},
    ),
    (
        "deny-shadows-grant",
        policy(allow(BOB, PULL), deny("*", PULL, {"StringNotEquals": {"aws:ResourceTag/Team": "x"}})),
        policy(allow(BOB, PULL), deny("*", PULL, {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
        {"tags": {}},
    ),
    ("duplicate-statement", policy(allow(BOB, PULL), allow([BOB], PULL[::-1], Sid="b")), one(), {}),
    (
        "redundant-statement",
        policy(allow(BOB, PULL), allow([BOB, CAROL], PUSH_PULL)),
        policy(allow(BOB, PULL), allow([BOB, CAROL], PUSH_PULL, TEAM)),
        {},
    ),
    (
        "redundant-statement",
        policy(allow(BOB, PULL, TEAM), allow(BOB, "ecr:Batch*", None), allow(BOB, "ecr:Get*")).replace(
            [allow(BOB, "ecr:BatchGetImage", TEAM), allow(BOB, "ecr:Batch*")]
        ),
        policy(allow(BOB, PULL), deny(BOB, PULL)),
        {},
    ),
]


@pytest.mark.parametrize(
    ("rule", "bad", "good", "setting"), [pytest.param(*case, id=f"{n}-{case[0]}") for n, case in enumerate(RULE_CASES)]
)
def test_rule(rule: str, bad: PolicyDocument, good: PolicyDocument, setting: dict[str, Any]) -> None:
    assert rule in ids(bad, **setting)
    assert rule not in ids(good, **setting)


TAG_CASES: list[tuple[dict[str, str], bool]] = [
    ({"aws:cloudformation:stack-name": "s", "aws:cloudformation:stack-id": "i"}, True),
    ({"terraform": "true"}, True),
    ({"ManagedBy": "Terraform"}, True),
    ({"managed-by": "aws-cdk"}, True),
    ({"Team": "terraform"}, False),
    ({"terraform": "false"}, False),
    ({"ManagedBy": "me"}, False),
    ({}, False),
]


@pytest.mark.parametrize(("tags", "managed"), TAG_CASES)
def test_managed_elsewhere(tags: dict[str, str], managed: bool) -> None:
    assert ("managed-elsewhere" in ids(None, tags=tags)) is managed
    assert ("managed-elsewhere" in ids(one(), tags=tags)) is managed


def test_every_rule_is_tested_here() -> None:
    consumer = {"no-token", "token-scoped", "identity-lacks"}
    assert {case[0] for case in RULE_CASES} | {"managed-elsewhere"} | consumer == set(RULES)


def test_every_rule_says_why_and_what_to_do_and_where_it_comes_from() -> None:
    for rule in RULES.values():
        assert rule.severity in ("error", "warning", "info")
        assert all((rule.title, rule.why, rule.fix, rule.source))


def test_the_known_sample_has_one_error_and_its_place() -> None:
    found = findings(PolicyDocument.from_json(SEED), tags={"Team": "Payments"})
    assert [(item.id, item.severity, item.where) for item in found] == [
        ("token-action", "error", "Statement[0].Action[0]")
    ]
    assert found[0].statement == "AllowCrossAccountPushAndPull"
    assert set(found[0].to_json()) == {"id", "severity", "title", "where", "fix"}


def test_errors_come_first() -> None:
    found = findings(policy(allow("*", "ecr:BatchDeleteImage", Sid="a b"), allow("AIDAJQABLZS4A3QDU576Q")))
    order = {"error": 0, "warning": 1, "info": 2}
    assert [order[item.severity] for item in found] == sorted(order[item.severity] for item in found)
    assert len({item.severity for item in found}) == 3


def test_nothing_is_said_about_tags_that_are_not_known() -> None:
    document = policy(allow(BOB, PULL, TEAM), deny("*", PULL, {"StringNotEquals": {"aws:ResourceTag/x": "y"}}))
    assert not ids(document, tags=None) & {"tag-not-met", "deny-hits-untagged", "managed-elsewhere"}


def test_titles_name_the_subject_literally() -> None:
    (found,) = [item for item in findings(one(action="ecr:[b]{subject}")) if item.id == "unknown-action"]
    assert found.title == "ecr:[b]{subject} is no action of ECR"


def test_our_own_grants_have_no_findings() -> None:
    for access in Access:
        document = merge(None, Grant((BOB,), access, (("Team", "Payments"),), NOW + timedelta(days=90))).after
        assert findings(document, tags={"Team": "Payments"}) == ()


def test_no_document_is_too_odd() -> None:
    odd: list[Any] = [
        {},
        {"Effect": None, "Principal": 5, "Action": {"a": 1}, "Condition": 5},
        {"Principal": {"AWS": {"x": 1}}, "NotAction": []},
        {"Effect": "Allow", "Principal": {"AWS": BOB}, "Action": "", "Condition": {"": {"": []}}},
        {"Effect": "Allow", "Principal": "*", "Action": "*", "Condition": {"DateLessThan": {"aws:CurrentTime": []}}},
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "*",
            "Condition": {"DateLessThan": {"aws:EpochTime": "9" * 15}},
        },
    ]
    assert findings(policy(*odd, Version=5), tags={})


# --- account B's side --------------------------------------------------------------------------------------------


def test_account_b_with_everything() -> None:
    assert lint_consumer([FULL], BOB, Access.PUSH_PULL, repository_arn=REPOSITORY) == ()


def test_account_b_without_the_token() -> None:
    identity = policy({"Effect": "Allow", "Action": PUSH_PULL, "Resource": REPOSITORY})
    assert [item.id for item in lint_consumer([identity], BOB, Access.PUSH_PULL, repository_arn=REPOSITORY)] == [
        "no-token"
    ]


def test_account_b_with_the_token_on_a_repository() -> None:
    identity = policy({"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken", *PULL], "Resource": REPOSITORY})
    found = lint_consumer([identity], BOB, Access.PULL, repository_arn=REPOSITORY)
    assert [item.id for item in found] == ["token-scoped", "identity-lacks"]
    assert REPOSITORY in found[0].title
    assert "ecr:BatchCheckLayerAvailability" in found[1].title


def test_account_b_with_nothing() -> None:
    found = lint_consumer([], BOB, Access.PULL, repository_arn=REPOSITORY)
    assert [item.id for item in found] == ["no-token", "identity-lacks"]


def test_account_b_with_a_boundary() -> None:
    s3 = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    found = lint_consumer([FULL], BOB, Access.PULL, repository_arn=REPOSITORY, boundaries=[s3])
    assert {item.id for item in found} == {"no-token", "identity-lacks"}
