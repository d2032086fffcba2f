"""Who can meet the conditions of an Allow for everybody."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_tui.policy.compiled import rules_of
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Request, context_for
from ecr_tui.policy.exposure import Reach, reach
from ecr_tui.policy.lint import lint
from tests.policy.build import PULL, REPOSITORY, A, B, allow, policy

ORG = "o-abcdefghij"
VPCE = "vpce-0123456789abcdef0"

EVERYBODY: list[dict[str, Any]] = [
    {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
    {"StringLike": {"aws:PrincipalOrgID": "o-a*"}},
    {"StringLike": {"aws:PrincipalOrgID": "?-??????????"}},
    {"StringLike": {"aws:PrincipalOrgID": [ORG, "*"]}},
    {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}},
    {"StringNotEquals": {"aws:PrincipalOrgID": ORG}},
    {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": f"{ORG}/*"}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-abcd/*"}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "*/ou-abcd-12345678/*"}},
    {"Null": {"aws:PrincipalOrgID": "false"}},
    {"Null": {"aws:PrincipalOrgID": "true"}},
    {"StringLike": {"aws:PrincipalAccount": "*"}},
    {"StringLike": {"aws:PrincipalAccount": "1*"}},
    {"StringLike": {"aws:PrincipalAccount": "22222222222?"}},
    {"StringNotEquals": {"aws:PrincipalAccount": B}},
    {"NumericLessThan": {"aws:PrincipalAccount": "999999999999"}},
    {"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}},
    {"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}},
    {"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalTag/account}"}},
    {"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalTag/account, '222222222222'}"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::2*:role/ci"}},
    {"ArnLike": {"aws:PrincipalArn": "*"}},
    {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/ci"}},
    {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*"}},
    {"StringLike": {"aws:PrincipalArn": f"arn:*:iam::{B}:role/ci"}},
    {"StringLike": {"aws:PrincipalArn": f"*:{B}:*"}},
    {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:*"}},
    {"StringLike": {"aws:userid": "*:ci"}},
    {"StringLike": {"aws:userid": "AROA*:ci"}},
    {"StringEquals": {"aws:username": "ci"}},
    {"StringEquals": {"aws:PrincipalTag/Team": "Payments"}},
    {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}},
    {"StringEquals": {"aws:ResourceTag/Team": "Payments"}},
    {"StringEquals": {"aws:ResourceAccount": A}},
    {"StringEquals": {"aws:FederatedProvider": "accounts.google.com"}},
    {"StringLike": {"aws:SourceVpce": "vpce-*"}},
    {"StringLike": {"aws:SourceVpce": "vpce-0*"}},
    {"StringEqualsIfExists": {"aws:SourceVpce": VPCE}},
    {"StringNotEquals": {"aws:SourceVpce": VPCE}},
    {"Null": {"aws:SourceVpce": "false"}},
    {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}},
    {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
    {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
    {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "::/0"]}},
    {"IpAddress": {"aws:SourceIp": "52.0.0.0/7"}},
    {"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}},
    {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    {"StringLike": {"aws:SourceArn": "*"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:PrincipalIsAWSService": "false"}},
    {"DateLessThan": {"aws:CurrentTime": "2100-01-01T00:00:00Z"}},
    {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}},
]
NETWORK: list[dict[str, Any]] = [
    {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    {"IpAddress": {"aws:SourceIp": ["203.0.113.7/32", "2001:db8:12::/48"]}},
    {"IpAddress": {"aws:SourceIp": "54.240.143.0/24"}, "NotIpAddress": {"aws:SourceIp": "54.240.143.188/32"}},
    {"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}, "Null": {"aws:SourceIp": "false"}},
    {"StringEquals": {"aws:SourceVpce": VPCE}},
    {"StringLike": {"aws:SourceVpce": VPCE[:16] + "*"}},
    {"StringEquals": {"aws:SourceVpc": "vpc-1"}},
    {"StringEquals": {"aws:VpceAccount": B}},
    {"StringEquals": {"aws:SourceVpce": VPCE}, "StringLike": {"aws:PrincipalOrgID": "o-*"}},
]
SERVICES: list[dict[str, Any]] = [
    {"Bool": {"aws:PrincipalIsAWSService": "true"}},
    {"StringEquals": {"aws:PrincipalServiceName": "lambda.amazonaws.com"}},
]
LIMITED: list[dict[str, Any]] = [
    {"StringEquals": {"aws:PrincipalOrgID": ORG}},
    {"StringLike": {"aws:PrincipalOrgID": f"{ORG}*"}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-*"}},  # a literal star: nobody
    {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}, "Null": {"AWS:PrincipalOrgId": "false"}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG}/r-abcd/ou-abcd-12345678/*"}},
    {
        "ForAllValues:StringLike": {"aws:PrincipalOrgPaths": f"{ORG}/*"},
        "Null": {"aws:PrincipalOrgPaths": "false"},
    },
    {"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}},
    {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}},
    {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}},
    {"StringEquals": {"aws:ResourceTag/Owner": "${aws:PrincipalAccount}"}},
    {"StringEquals": {"aws:PrincipalAccount": B}},
    {"StringEqualsIfExists": {"aws:PrincipalAccount": B}},  # every request carries it
    {"ForAllValues:StringEquals": {"aws:PrincipalAccount": [A, B]}},
    {"StringLike": {"aws:PrincipalAccount": B}},
    {"Null": {"aws:PrincipalArn": "true"}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:role/*"}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:*:iam::{B}:role/*"}},
    {"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:role/*"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:ResourceAccount}:role/*"}},
    {"StringLike": {"aws:userid": "AROAJQABLZS4A3QDU576Q:*"}},
    {"StringEquals": {"aws:FederatedProvider": f"arn:aws:iam::{B}:saml-provider/x"}},
    {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "StringEquals": {"aws:PrincipalOrgID": ORG}},
    {"StringEquals": {"aws:SourceAccount": B}},
    {"StringLike": {"aws:sourceARN": f"arn:aws:lambda:*:{B}:function:*"}},
    {"StringEquals": {"aws:PrincipalOrgID": []}},
]


def of(condition: dict[str, Any], version: str = "2012-10-17") -> Reach:
    document = policy(allow("*", PULL, condition), version=version)
    return reach(rules_of(document)[0], document.expands_variables)


@pytest.mark.parametrize(
    ("expected", "condition"),
    [
        (expected, condition)
        for expected, conditions in (
            (Reach.EVERYBODY, EVERYBODY),
            (Reach.NETWORK, NETWORK),
            (Reach.SERVICES, SERVICES),
            (Reach.LIMITED, LIMITED),
        )
        for condition in conditions
    ],
    ids=str,
)
def test_reach(expected: Reach, condition: dict[str, Any]) -> None:
    assert of(condition) is expected


def test_a_variable_is_literal_text_in_a_document_of_2008() -> None:
    assert of({"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}, "2008-10-17") is Reach.LIMITED


@pytest.mark.parametrize(
    ("condition", "silent"),
    [
        ({"StringEquals": {"aws:SourceAccount": B}}, True),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:eu-central-1:{B}:function:*"}}, True),
        ({"StringLike": {"aws:sourceARN": f"arn:aws:lambda:*:{B}:function:*"}}, True),
        ({"StringEquals": {"aws:SourceOrgID": ORG}}, True),
        ({"StringEquals": {"aws:SourceAccount": "${aws:ResourceAccount}"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::my-bucket"}}, True),
        ({}, False),
        ({"StringLike": {"aws:SourceArn": "*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:*:function:*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}, False),
        ({"StringLike": {"aws:SourceAccount": "*"}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": B}}, False),
        ({"StringEqualsIfExists": {"aws:SourceAccount": B}}, False),
        ({"Null": {"aws:SourceArn": "false"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "${aws:SourceAccount}"}}, False),
        ({"StringEquals": {"aws:ResourceTag/Team": "x"}}, False),
    ],
    ids=str,
)
def test_a_service_is_limited_by_a_source_that_narrows_alone(condition: dict[str, Any], silent: bool) -> None:
    document = policy(allow({"Service": "lambda.amazonaws.com"}, PULL, condition))
    assert ("service-without-source" not in {item.id for item in lint(document, account=A)}) is silent


OUTSIDER = "333333333333"
_VALUES: dict[str, list[str]] = {
    "aws:PrincipalOrgID": [ORG, "o-*", "o-zz*", "*", "o-zzzzzzzzz?", "${aws:PrincipalOrgID}", "${aws:ResourceOrgID}"],
    "aws:PrincipalOrgPaths": [f"{ORG}/*", "o-*/r-ab12/*", "*", "o-zzzzzzzzz?/r-ab12/"],
    "aws:PrincipalAccount": [B, "3*", "*", "33333333333?", "${aws:PrincipalAccount}", "${aws:PrincipalTag/a}", "333"],
    "aws:PrincipalArn": [
        f"arn:aws:iam::{B}:role/*",
        f"arn:*:{B}:*",
        f"*:{B}:*",
        "arn:aws:iam::*:role/ci",
        "arn:aws:iam::${aws:PrincipalAccount}:role/*",
        "*",
        "arn:aws:*",
    ],
    "aws:userid": ["*:ci", "AROAJQABLZS4A3QDU576Q:*", "AROA*"],
    "aws:username": ["ci", "*"],
    "aws:PrincipalTag/a": [B, "x", "*"],
    "aws:ResourceTag/Team": ["Payments", "${aws:PrincipalTag/a}", "${aws:PrincipalAccount}", "*"],
    "aws:SourceVpce": [VPCE, "vpce-*", "vpce-f*"],
    "aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0", "198.51.100.7", "198.*"],
    "aws:SourceAccount": [B, "*"],
    "aws:SecureTransport": ["true", "false"],
    "aws:PrincipalIsAWSService": ["true", "false"],
}
_OPERATORS = [
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringLikeIfExists",
    "ForAllValues:StringLike",
    "ForAnyValue:StringLike",
    "ArnLike",
    "ArnNotEquals",
    "ArnEqualsIfExists",
    "IpAddress",
    "NotIpAddress",
    "IpAddressIfExists",
    "NumericLessThan",
    "Bool",
    "Null",
]


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, dict[str, list[str]]]:
    made: dict[str, dict[str, list[str]]] = {}
    for _ in range(draw(st.integers(0, 3))):
        key = draw(st.sampled_from(sorted(_VALUES)))
        operator = draw(st.sampled_from(_OPERATORS))
        pool = ["true", "false"] if operator == "Null" else _VALUES[key]
        made.setdefault(operator, {})[key] = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=2))
    return made


@st.composite
def outsiders(draw: st.DrawFn) -> dict[str, Any]:
    """A request of somebody with an account of their own: what AWS decides is theirs, the rest is their choice."""
    role = draw(st.sampled_from(["ci", f":iam::{B}:role/ci", f"x:{B}:/ci"]))
    context: dict[str, Any] = context_for(
        f"arn:aws:iam::{OUTSIDER}:role/x", A, {"Team": draw(st.sampled_from(["Payments", "x", OUTSIDER][:2]))}
    )
    context |= {
        "aws:PrincipalArn": f"arn:aws:iam::{OUTSIDER}:role/{role}",
        "aws:userid": "AROAZZZZZZZZZZZZZZZZZ:ci",
        "aws:ResourceOrgID": ORG,
    }
    if draw(st.booleans()):
        context |= {"aws:PrincipalOrgID": "o-zzzzzzzzzz", "aws:PrincipalOrgPaths": ["o-zzzzzzzzzz/r-ab12/"]}
    network = draw(st.sampled_from(["endpoint", "internet"]))
    context |= (
        {"aws:SourceVpce": "vpce-fffffffffffffffff"} if network == "endpoint" else {"aws:SourceIp": "198.51.100.7"}
    )
    for key in ("aws:PrincipalTag/a", "aws:username"):
        value = draw(st.sampled_from(["", "x", "ci", "Payments", B, OUTSIDER]))
        context |= {key: value} if value else {}
    return context


@settings(max_examples=300, deadline=None)
@given(conditions(), outsiders())
def test_whatever_an_outsider_meets_is_told(condition: dict[str, Any], context: dict[str, Any]) -> None:
    document = PolicyDocument.from_json(policy(allow("*", PULL, condition)).json)
    rule = rules_of(document)[0]
    keys = Request(PULL[0], REPOSITORY, A, "", context).keys
    met = all(clause.test(keys) for clause in rule.clauses or ())
    found = {item.id for item in lint(document, account=A)}
    assert not met or found & {"public", "network-only"}
