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


def tagged(value: str) -> dict[str, Any]:
    return {"StringEquals": {"aws:ResourceTag/Owner": value}}


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
    ("dynamic-reference", one(Sid="{{resolve:ssm:/a}}"), one(Sid="{{resolve}}"), {}),
    ("dynamic-reference", one("{{resolve:secretsmanager:x}}"), one(), {}),
    ("odd-sid", one(Sid="allow pull"), one(Sid="AllowPull1"), {}),
    ("bad-effect", policy({**allow(BOB, PULL), "Effect": "allow"}), one(), {}),
    ("no-action", policy(allow(BOB, None)), one(), {}),
    ("no-action", policy(allow(BOB, [])), policy(deny("*", None, NotAction=PULL)), {}),
    ("element-pair", one(NotPrincipal={"AWS": CAROL}), one(), {}),
    ("element-pair", one(NotAction="ecr:PutImage"), one(), {}),
    ("resource-element", one(Resource="*"), one(), {}),
    ("resource-element", one(Resource=[REPOSITORY]), one(Resource="arn:aws:s3:::bucket"), {}),
    ("other-resource", one(Resource=REPOSITORY.replace(A, B)), one(Resource="*"), {}),
    ("other-resource", one(Resource=["*", "arn:aws:s3:::bucket"]), one(Resource=REPOSITORY), {}),
    ("other-resource", one(NotResource="*"), one(), {}),
    ("not-text", one({"AWS": 222222222222}), one(), {}),
    ("not-text", one(action=["ecr:PutImage", 5]), one(Sid="5"), {}),
    ("not-text", policy({**allow(BOB, PULL), "Principal": 5}), one("*"), {}),
    ("not-text", one({"AWS": [B, None]}), one({"AWS": [B]}), {}),
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
    ("incomplete-pull", one(action="ecr:BatchGetImage"), one(action=PULL), {}),
    ("incomplete-pull", one(action="ecr:Get*"), one(action=["ecr:DescribeImages", "ecr:ListImages"]), {}),
    (
        "incomplete-pull",
        policy(allow(BOB, PULL[0]), allow(CAROL, PULL[1])),
        policy(allow(BOB, PULL[0]), allow(B, PULL[1])),
        {},
    ),
    ("incomplete-push", one(action=["ecr:PutImage", "ecr:InitiateLayerUpload"]), one(action=PUSH_PULL), {}),
    (
        "incomplete-push",
        one(action="ecr:UploadLayerPart"),
        one(action=["ecr:BatchGetImage", "ecr:PutImage"]),
        {},
    ),
    ("incomplete-push", one(action=PUSH_PULL[2:]), policy(deny(BOB, "ecr:PutImage")), {}),
    ("no-principal", policy(allow(None, PULL)), one(), {}),
    ("no-principal", one(principal=[]), one(B), {}),
    ("bad-principal", one(f"arn:aws:iam::{B}:group/devs"), one(), {}),
    ("bad-principal", policy({**allow(BOB, PULL), "Principal": "bob"}), one(), {}),
    ("bad-principal", one("user/bob"), one(f"arn:aws:sts::{B}:assumed-role/a/b"), {}),
    ("bad-principal", one({"CanonicalUser": "79a59d"}), one({"AWS": B}), {}),
    ("bad-principal", one({"Service": "lambda"}), one({"Service": "lambda.amazonaws.com"}), {}),
    ("bad-principal", one({"Federated": "x"}), one({"Federated": "cognito-identity.amazonaws.com"}), {}),
    ("principal-wildcard", one(f"arn:aws:iam::{B}:user/*"), one("*", condition=ORG), {}),
    ("unique-id", one("AROAJQABLZS4A3QDU576Q"), one(), {"stored": one()}),
    ("dead-principal", one("AROAJQABLZS4A3QDU576Q"), one(), {"stored": one("AROAJQABLZS4A3QDU576Q")}),
    ("session-principal", one(f"arn:aws:sts::{B}:assumed-role/ci/run-7"), one(f"arn:aws:iam::{B}:role/ci"), {}),
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
        one("*", condition={"StringLike": {"aws:PrincipalOrgID": "o-abcdefghij*"}}),
        {},
    ),
    ("public", one("*", condition={"StringLike": {"aws:PrincipalArn": "*"}}), policy(deny("*", PULL)), {}),
    (
        "network-only",
        one("*", condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        one("*", condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, **ORG}),
        {},
    ),
    ("network-only", one("*", condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}), one(), {}),
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
        "duplicate-key",
        one(condition={"StringEquals": {"aws:ResourceTag/Team": "x", "aws:ResourceTag/team": "y"}}),
        one(condition={"StringEquals": {"aws:ResourceTag/Team": "x"}, "StringLike": {"aws:ResourceTag/team": "y"}}),
        {},
    ),
    (
        "literal-wildcard",
        one(condition={"StringEquals": {"aws:ResourceTag/Team": "Pay*"}}),
        one(condition={"StringLike": {"aws:ResourceTag/Team": "Pay*"}, "ArnEquals": {"aws:PrincipalArn": BOB + "*"}}),
        {},
    ),
    ("bad-variable", one(condition=tagged("${aws:username")), one(condition=tagged("${aws:username}${*}")), {}),
    ("bad-variable", one(condition=tagged("${aws:PrincipalOrgPaths}")), one(condition=tagged("$aws:username")), {}),
    ("bad-variable", one(condition=tagged("${}")), one(condition=tagged("${aws:PrincipalTag/a, 'b'}")), {}),
    (
        "bad-variable",
        one(condition={"StringEquals": {"aws:ResourceTag/${aws:username}": "x"}}),
        one(condition={"StringEquals": {"aws:ResourceTag/username": "x"}}),
        {},
    ),
    ("unknown-variable", one(condition=tagged("${aws:user}")), one(condition=tagged("${aws:userid}")), {}),
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


# operator, key, a value that never matches as meant, one that does
VALUE_CASES: list[tuple[str, str, Any, Any]] = [
    ("Bool", "aws:SecureTransport", "yes", "TRUE"),
    ("Bool", "aws:SecureTransport", "1", True),
    ("Null", "aws:PrincipalOrgID", "no", "false"),
    ("DateLessThan", "aws:CurrentTime", "31.12.2027", "2027-12-31"),
    ("DateLessThan", "aws:CurrentTime", "2027-13-01T00:00:00Z", 1830297600),
    ("DateLessThan", "aws:CurrentTime", "20271231", "2027-12-31T23:59:59Z"),
    ("DateLessThan", "aws:EpochTime", "1830297600000", "1830297600"),
    ("NumericLessThan", "aws:MultiFactorAuthAge", "1h", 3600),
    ("IpAddress", "aws:SourceIp", "203.0.113.0-203.0.113.9", "203.0.113.0/24"),
    ("NotIpAddress", "aws:SourceIp", "203.0.113.*", "2001:db8::/32"),
    ("ArnLike", "aws:PrincipalArn", "role/ci", f"arn:aws:iam::{B}:role/ci*"),
    ("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{B}", f"arn:aws:iam::{B}:root"),
    ("StringLike", "aws:PrincipalArn", "role/ci*", "*:role/ci"),
    ("ArnLike", "aws:PrincipalArn", f"arn:aws:sts::{B}:assumed-role/ci/*", f"arn:aws:iam::{B}:role/*"),
    ("StringEquals", "aws:PrincipalAccount", "2222", B),
    ("StringEquals", "aws:PrincipalAccount", "2222-2222-2222", 222222222222),
    ("StringLike", "aws:PrincipalAccount", "acct-*", "2222*"),
    ("StringEquals", "aws:PrincipalOrgID", "O-ABCDEFGHIJ", "o-abcdefghij"),
    ("StringEquals", "aws:ResourceOrgID", "r-abcd", "${aws:PrincipalOrgID}"),
    ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-abcdefghij/r-abcd", "o-abcdefghij/r-abcd/*"),
    ("StringEquals", "aws:SourceVpc", "vpce-1a2b3c4d", "vpc-1a2b3c4d"),
    ("StringNotEquals", "aws:SourceVpce", "vpc-1a2b3c4d", "vpce-1a2b3c4d"),
    ("StringEquals", "aws:RequestedRegion", "Frankfurt", "eu-central-1"),
    ("StringEquals", "aws:PrincipalType", "Role", "AssumedRole"),
    ("StringEquals", "aws:SecureTransport", "True", "true"),
    ("StringEquals", "aws:userid", "AROAJQABLZS4A3QDU576Q", "AROAJQABLZS4A3QDU576Q:ci"),
    ("BinaryEquals", "aws:PrincipalTag/x", "?", "QUJD"),
    ("StringEquals", "aws:ResourceTag/Team", [], ["a"]),
]


@pytest.mark.parametrize(("operator", "key", "bad", "good"), VALUE_CASES)
def test_values_are_checked(operator: str, key: str, bad: Any, good: Any) -> None:
    about_values = {"bad-value", "unlikely-value"}
    for document in (one, lambda condition: policy(deny("*", PULL, condition))):
        assert ids(document(condition={operator: {key: bad}})) & about_values
        assert not ids(document(condition={operator: {key: good}})) & about_values


@pytest.mark.parametrize(
    ("document", "rule", "words"),
    [
        (one({"AWS": 222222222222}), "not-text", '"222222222222"'),
        (one({"AWS": 12345678901}), "not-text", '"012345678901"'),
        (one("12345678901"), "bad-principal", '"012345678901"'),
        (one(f"arn:aws:iam::{B}:assumed-role/ci/i-0"), "bad-principal", f"arn:aws:iam::{B}:role/ci."),
        (one(f"arn:aws:sts::{B}:assumed-role/ci/i-0"), "session-principal", f"arn:aws:iam::{B}:role/ci,"),
        (one(action=["ecr: BatchGetImage"]), "unknown-action", "ecr:BatchGetImage"),
        (one(action="ecr.PutImage"), "unknown-action", "ecr:PutImage"),
        (one(condition={"StringEqual": {"aws:ResourceTag/a": "b"}}), "unknown-operator", "StringEquals"),
        (one(condition={"StringEquals": {"aws:PrincipalOrgId1": "o-a"}}), "unknown-key", "aws:PrincipalOrgID"),
        (one(condition={"StringEquals": {"aws:ResourceTags/Team": "b"}}), "unknown-key", "aws:ResourceTag/Team"),
        (policy({**allow(BOB, PULL), "Conditions": {}}), "unknown-element", '"Condition"'),
        (one("*", condition={"StringLike": {"aws:PrincipalOrgID": "o-*"}}), "public", "aws:PrincipalOrgID o-*"),
    ],
)
def test_a_fix_names_what_was_probably_meant(document: PolicyDocument, rule: str, words: str) -> None:
    (found,) = [item for item in findings(document) if item.id == rule]
    assert words in found.fix


def test_a_number_for_an_account_is_told_once() -> None:
    assert ids(one({"AWS": 222222222222})) == {"not-text"}


def test_the_examples_of_the_guide_are_no_errors() -> None:
    found = findings(one(Resource="*"))
    assert [(item.id, item.severity) for item in found] == [("resource-element", "warning")]
    assert "may reject" in found[0].title


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
    consumer = {"no-token", "token-scoped", "identity-lacks", "identity-too-large"}
    values = {"bad-value", "unlikely-value"}
    of_identities = {"no-resource", "principal-not-taken"}
    elsewhere = {"managed-elsewhere", "stranger", "trusted-partner"}
    assert {case[0] for case in RULE_CASES} | elsewhere | consumer | values | of_identities == set(RULES)


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
    assert found.title == "ecr:[b]{subject} is not an ECR action"


def test_our_own_grants_have_no_findings() -> None:
    for access in Access:
        document = merge(None, Grant((BOB,), access, (("Team", "Payments"),), NOW + timedelta(days=90))).after
        assert findings(document, tags={"Team": "Payments"}) == ()


ORG_ID = {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}
LAMBDA = {"Service": "lambda.amazonaws.com"}
READ = ["ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:ListImages", "ecr:ListTagsForResource"]


@pytest.mark.parametrize(
    "statements",
    [
        [allow(f"arn:aws:iam::{B}:root", [*PULL, "ecr:BatchCheckLayerAvailability", *READ])],
        [allow([BOB, CAROL], PUSH_PULL)],
        [allow(B, [action for action in PUSH_PULL if action not in PULL])],
        [allow(f"arn:aws:iam::{B}:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch", PULL)],
        [allow(BOB, READ)],
        [allow(BOB, PULL[0]), allow(BOB, PULL[1])],
        [allow("*", PULL, ORG_ID)],
        [allow("*", PULL, {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-abcdefghij/r-ab12/ou-ab12-1/*"]}})],
        [allow("*", PULL, {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}})],
        [
            allow(
                "*", PULL, {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:role/aws-reserved/sso.amazonaws.com/*"}}
            )
        ],
        [allow(LAMBDA, PULL, {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:eu-central-1:{B}:function:*"}})],
        [allow(LAMBDA, PULL, {"StringEquals": {"aws:SourceAccount": [A, B]}})],
        [allow(B, PULL, {"StringEquals": {"aws:PrincipalTag/aws-cdk:id": "ServiceStack_c8a38b9d3ed0"}})],
        [allow(B, PULL, {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}})],
        [allow(BOB, PUSH_PULL), deny("*", PUSH_PULL, {"Bool": {"aws:SecureTransport": "false"}})],
        [
            deny(
                "*",
                "ecr:*",
                {
                    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abcdefghij"},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            )
        ],
    ],
)
def test_ordinary_policies_have_no_findings(statements: list[dict[str, Any]]) -> None:
    assert findings(policy(*statements), tags={"Team": "Payments"}) == ()


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
