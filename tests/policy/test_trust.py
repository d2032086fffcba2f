"""Partners that the configuration trusts, and strangers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_tui.errors import InputError
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.lint import lint
from ecr_tui.policy.trusted import Trusted
from tests.policy.build import PULL, allow, deny, policy

A, PARTNER, OTHER = "111111111111", "222222222222", "999999999999"
ORG, FOREIGN = "o-a1b2c3d4e5", "o-zzzzzzzzzz"
TREE = f"{FOREIGN}/r-ab12/ou-ab12-11111111"
ONE = f"{FOREIGN}/r-ab12/ou-ab12-22222222"
TRUSTED = Trusted((PARTNER,), (ORG,), (f"{TREE}/*", ONE), ("codebuild.amazonaws.com",))
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def judged(document: PolicyDocument, trusted: Trusted | None = TRUSTED) -> list[tuple[str, str]]:
    found = lint(document, account=A, partition="aws", now=NOW, trusted=trusted)
    return [(one.id, one.severity) for one in found if one.id in ("stranger", "trusted-partner", "public")]


def of(principal: Any, condition: dict[str, Any] | None = None) -> PolicyDocument:
    return policy(allow(principal, PULL, condition) if condition else allow(principal, PULL))


PARTNERS = [("trusted-partner", "info")]
STRANGERS = [("stranger", "warning")]


@pytest.mark.parametrize(
    ("principal", "condition", "expected"),
    [
        (f"arn:aws:iam::{PARTNER}:role/ci", {}, PARTNERS),
        ({"AWS": PARTNER}, {}, PARTNERS),
        ({"AWS": OTHER}, {}, STRANGERS),
        ({"AWS": f"arn:aws:iam::{A}:role/own"}, {}, []),
        ({"AWS": [PARTNER, OTHER]}, {}, STRANGERS + PARTNERS),
        ({"AWS": "AIDAQ3EGUKXQ5YQ2JVEXA"}, {}, []),
        # A condition decides where it is exact.
        ({"AWS": OTHER}, {"StringEquals": {"aws:PrincipalOrgID": ORG}}, PARTNERS),
        ({"AWS": OTHER}, {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}}, STRANGERS),
        ({"AWS": OTHER}, {"StringNotEquals": {"aws:PrincipalOrgID": ORG}}, STRANGERS),
        ("*", {"StringEquals": {"aws:PrincipalOrgID": ORG}}, PARTNERS),
        ("*", {"StringEquals": {"aws:PrincipalOrgID": [ORG, FOREIGN]}}, STRANGERS),
        ("*", {"StringEquals": {"aws:PrincipalAccount": [PARTNER, A]}}, PARTNERS),
        ("*", {"StringEquals": {"aws:PrincipalAccount": A}}, []),
        ("*", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{PARTNER}:role/*"}}, PARTNERS),
        ("*", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/*"}}, STRANGERS),
        ("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{TREE}/ou-ab12-33333333/*"}}, PARTNERS),
        ("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ONE}/"}}, PARTNERS),
        ("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ONE}/*"}}, STRANGERS),
        ("*", {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": f"{ONE}/"}}, [("public", "error")]),
        ("*", {}, [("public", "error")]),
        # Services, by name or by whom they act for.
        ({"Service": "codebuild.amazonaws.com"}, {}, PARTNERS),
        ({"Service": "lambda.amazonaws.com"}, {}, STRANGERS),
        ({"Service": "lambda.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": PARTNER}}, PARTNERS),
        ({"Service": "lambda.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": A}}, []),
        (
            {"Service": "lambda.amazonaws.com"},
            {"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:*:{PARTNER}:function:*"}},
            PARTNERS,
        ),
        ({"Service": "lambda.amazonaws.com"}, {"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:*:*"}}, STRANGERS),
        # What has ended lets nobody in.
        ({"AWS": OTHER}, {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, []),
    ],
)  # fmt: skip
def test_a_partner_is_told_from_a_stranger(
    principal: Any, condition: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert judged(of(principal, condition)) == expected


def test_nobody_is_judged_without_a_list_and_everybody_with_an_empty_one() -> None:
    document = policy(allow({"AWS": PARTNER}, PULL), deny({"AWS": OTHER}, PULL))
    assert judged(document, None) == []
    assert judged(document, Trusted()) == STRANGERS
    assert judged(document) == PARTNERS


def test_grantees_are_known_as_rows_name_them() -> None:
    for known in (f"org/{ORG}", f"ou/{TREE}/ou-ab12-44444444", f"service/lambda.amazonaws.com@{PARTNER}", PARTNER):
        assert TRUSTED.knows(known), known
    for unknown in (f"org/{FOREIGN}", f"ou/{ONE}/*", "service/lambda.amazonaws.com@999999999999", "*"):
        assert not TRUSTED.knows(unknown), unknown


@pytest.mark.parametrize(
    ("kind", "value"),
    [("accounts", "1"), ("organizations", "a1b2c3d4e5"), ("ous", "ou-ab12-11111111"), ("services", "lambda")],
)
def test_what_is_none_is_refused(kind: str, value: str) -> None:
    with pytest.raises(InputError):
        Trusted(**{kind: (value,)}).check(kind)
