"""Yes, no or depends: what is certain before a call, what is not, and on what it depends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_tui.policy.answer import Answer, Verdict, answer, bounds
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Policies
from ecr_tui.policy.known import Known
from tests.policy.build import BOB, FULL, PULL, REPOSITORY, ROOT_B, SESSION, A, B, allow, ask, deny, policy

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
YES, NO, DEPENDS = Verdict.YES, Verdict.NO, Verdict.DEPENDS
ROLE = f"arn:aws:iam::{B}:role/puller"
SSO_ROLE = "AWSReservedSSO_Dev_0123456789abcdef"
SSO = f"arn:aws:sts::{B}:assumed-role/{SSO_ROLE}/jane@example.com"


def asked(document: PolicyDocument | None, principal: str = BOB, **more: Any) -> Answer:
    return answer(document, principal, PULL, **{"repository_arn": REPOSITORY, "tags": {}, "now": NOW} | more)


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, ("aws:PrincipalOrgID",)),
        ({"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}, ("aws:SourceVpce",)),
        ({"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}}, ("aws:PrincipalTag/Team",)),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}, ("aws:PrincipalOrgPaths",)),
    ],
)
def test_a_key_that_only_the_request_tells(condition: dict[str, Any], names: tuple[str, ...]) -> None:
    tags = {"Team": "Payments"}
    found = asked(policy(allow(BOB, PULL, condition)), tags=tags)
    assert (found.verdict, found.depends_on) == (DEPENDS, names)
    denied = asked(policy(allow(BOB, PULL), deny("*", PULL, condition, Sid="Stop")), tags=tags)
    assert (denied.verdict, denied.depends_on) == (DEPENDS, names)
    assert [source.statement.name for source in denied.sources] == ["Stop"]


def test_a_variable_makes_no_difference_without_the_key() -> None:
    same = policy(allow(BOB, PULL, {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}}))
    assert asked(same).verdict is NO
    assert asked(same, tags={"Team": "Web"}).verdict is DEPENDS
    assert asked(same, tags=None).verdict is DEPENDS


def test_time_is_known() -> None:
    until = policy(allow(BOB, PULL, {"DateLessThan": {"aws:CurrentTime": "2026-11-24T07:00:00Z"}}))
    assert asked(until).verdict is YES
    assert asked(until, now=datetime(2026, 11, 24, 8, tzinfo=UTC)).verdict is NO


def test_the_statements_that_decide_are_named() -> None:
    document = policy(allow(BOB, PULL, Sid="Theirs"), allow(B, "ecr:*", Sid="Account"))
    found = asked(document)
    assert [(one.where, one.statement.sid) for one in found.sources] == [
        ("resource", "Theirs"),
        ("resource", "Account"),
    ]
    denied = asked(document, registries=(policy(deny("*", Sid="Stop")),))
    assert (denied.verdict, [(one.where, one.statement.sid) for one in denied.sources]) == (NO, [("registry", "Stop")])
    assert asked(None).sources == ()


def test_registry_policies_that_may_be_in_force() -> None:
    document = policy(allow(BOB, PULL))
    assert asked(document, registries=(None, policy(deny()))).verdict is DEPENDS
    assert asked(document, registries=(None, policy(deny()))).depends_on == ("registry policy",)
    assert asked(document, registries=(None, policy(allow()))).verdict is YES


@pytest.mark.parametrize(
    ("principal", "listed", "verdict", "names"),
    [
        (BOB, [BOB], DEPENDS, ("NotPrincipal",)),
        (BOB, [ROOT_B], DEPENDS, ("NotPrincipal",)),
        # Whoever has a permissions boundary is denied all the same.
        (BOB, [BOB, ROOT_B], DEPENDS, ("permissions boundary",)),
        (BOB, [SESSION], NO, ()),
        (SESSION, [ROLE, ROOT_B], DEPENDS, ("NotPrincipal",)),
        (SESSION, [SESSION, ROLE, ROOT_B], DEPENDS, ("permissions boundary",)),
        (ROLE, [ROLE, ROOT_B], DEPENDS, ("NotPrincipal",)),
        ("lambda.amazonaws.com", [BOB], NO, ()),
    ],
)
def test_a_deny_with_not_principal(principal: str, listed: list[str], verdict: Verdict, names: tuple[str, ...]) -> None:
    everybody = allow({"AWS": "*", "Service": "lambda.amazonaws.com"}, PULL)
    found = asked(policy(everybody, deny(None, PULL, NotPrincipal={"AWS": listed})), principal)
    assert (found.verdict, found.depends_on) == (verdict, names)


@pytest.mark.parametrize(
    ("operator", "pattern", "verdict"),
    [
        ("ArnLike", "role/aws-reserved/*", DEPENDS),
        ("StringLike", "role/aws-reserved/*", DEPENDS),
        ("ArnEquals", f"role/aws-reserved/sso.amazonaws.com/{SSO_ROLE}", DEPENDS),
        ("ArnLike", f"role/*{SSO_ROLE}", YES),
        ("ArnLike", f"role/*/{SSO_ROLE}", DEPENDS),
        ("ArnLike", "role/*", YES),
        ("ArnLike", f"role/{SSO_ROLE}", DEPENDS),
        ("ArnLike", "role/*Admin", NO),
        ("ArnLike", "role/ci?", NO),
        ("ArnLike", "user/*", NO),
        ("ArnNotLike", "user/*", YES),
        ("ArnNotLike", "role/aws-reserved/*", DEPENDS),
        ("StringEqualsIgnoreCase", f"ROLE/TEAM/{SSO_ROLE.upper()}", DEPENDS),
    ],
)
def test_a_sessions_role_path_is_not_known(operator: str, pattern: str, verdict: Verdict) -> None:
    condition = {operator: {"aws:PrincipalArn": f"arn:aws:iam::{B}:{pattern}"}}
    found = asked(policy(allow(B, PULL, condition)), SSO)
    assert found.verdict is verdict
    assert found.depends_on == (("aws:PrincipalArn",) if verdict is DEPENDS else ())


def test_a_principal_with_a_path_may_be_the_sessions_role() -> None:
    document = policy(allow(f"arn:aws:iam::{B}:role/team/puller", PULL))
    assert asked(document, SESSION).verdict is DEPENDS
    assert asked(policy(allow(ROLE, PULL)), SESSION).verdict is YES
    assert asked(policy(allow(f"arn:aws:iam::{B}:role/team/other", PULL)), SESSION).verdict is NO


def test_a_role_given_without_its_path() -> None:
    role = f"arn:aws:iam::{B}:role/{SSO_ROLE}"
    reserved = policy(allow(B, PULL, {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:role/aws-reserved/*"}}))
    assert asked(reserved, role).verdict is DEPENDS
    whole = f"arn:aws:iam::{B}:role/aws-reserved/sso.amazonaws.com/{SSO_ROLE}"
    assert asked(policy(allow(whole, PULL)), role).depends_on == ("aws:PrincipalArn",)
    assert asked(reserved, whole).verdict is YES
    assert asked(reserved, ROLE).verdict is NO


def test_a_role_stands_for_its_sessions() -> None:
    assert asked(policy(allow(SESSION, PULL)), ROLE).verdict is DEPENDS
    assert asked(policy(allow(ROLE, PULL), deny(SESSION)), ROLE).verdict is DEPENDS
    assert asked(policy(allow(ROLE, PULL), deny(SESSION)), SESSION).verdict is NO


@pytest.mark.parametrize(
    "statement",
    [
        deny("*", "ecr:*", Resource="**"),
        deny("*", "ecr:*", Resource=REPOSITORY.upper()),
        deny("*", "ecr:*", NotResource="arn:aws:ecr:*"),
        deny("*", "ecr:*", Resource=f"arn:aws:ecr:*:{A}:repository/${{aws:PrincipalTag/Team}}"),
        deny(f"arn:aws:iam::{B}:user/BOB"),
        deny(f"arn:aws:iam::{B}:user/*"),
        deny(None, NotPrincipal={"AWS": BOB}),
        deny("*", "ecr:*", {"ArnNotLike": {"aws:PrincipalArn": "ARN:aws:iam::1:user/other"}}),
        deny("*", "ecr:*", {"NotIpAddress": {"aws:SourceIp": "the office"}}),
        deny("*", "ecr:*", {"StringEqual": {"aws:PrincipalAccount": B}}),
        deny("*", "ecr:*", {"StringEquals": {"aws:username": "${ aws:username }x"}}),
        deny("*", "ecr:*", {"StringEquals": {"aws:CalledVia": "x"}}),
        deny("*", "ecr:*", "when it rains"),
    ],
    ids=str,
)
def test_a_deny_that_awss_text_leaves_open_is_not_missed(statement: dict[str, Any]) -> None:
    context = {"aws:PrincipalArn": BOB, "aws:SourceIp": "10.0.0.1", "aws:username": "bob", "aws:CalledVia": ["y"]}
    found = ask(policy(allow(BOB), statement), context=context)
    assert (found.response, found.denied_by) == ("Unknown", ("resource",))
    assert any(reason.kind == "may-deny" for reason in found.reasons)


@pytest.mark.parametrize(
    "statement",
    [
        deny("*", "ecr:*", Resource="arn:aws:ecr:*:*:repository/other"),
        deny("*", "ecr:*", Resource=f"arn:aws:ecr:*:{A}:repository/${{aws:username}}"),
        deny("*", "ecr:*", NotResource=REPOSITORY),
        deny(f"arn:aws:iam::{B}:user/carol"),
        deny(None, NotPrincipal={"AWS": [BOB, ROOT_B]}),
        deny("*", "ecr:*", {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:user/*"}}),
        deny("*", "ecr:*", {"StringEquals": {"aws:username": "carol"}}),
    ],
    ids=str,
)
def test_a_deny_that_certainly_does_not_hold(statement: dict[str, Any]) -> None:
    assert ask(policy(allow(BOB), statement), context={"aws:PrincipalArn": BOB, "aws:username": "bob"}).allowed


def test_a_session_of_a_role_with_its_path() -> None:
    document = policy(allow(f"arn:aws:iam::{B}:role/team/puller"))
    told = {"aws:PrincipalArn": f"arn:aws:iam::{B}:role/team/puller"}
    assert ask(document, principal=SESSION, context=told).allowed
    assert not ask(document, principal=SESSION, context={"aws:PrincipalArn": ROLE}).allowed


# -- a call with all policies, at its worst and at its best ------------------------------------------------------------

VPC = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
OPEN = policy({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": VPC})


def verdict(policies: Policies, caller: str = BOB) -> Verdict:
    return bounds(policies, Known(caller_of(caller), {}, bounded=False), "ecr:BatchGetImage", REPOSITORY, A).verdict


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        (Policies((FULL,), policy(allow(BOB))), YES),
        (Policies((FULL,), policy(allow(BOB, condition=VPC))), DEPENDS),
        (Policies((FULL,), policy(allow(BOB), allow(ROOT_B, condition=VPC))), YES),
        (Policies((OPEN,), policy(allow(BOB))), DEPENDS),
        (Policies((FULL,), policy(allow(BOB)), scps=((FULL,), (OPEN,))), DEPENDS),
        (Policies((FULL,), policy(allow(BOB)), scps=((OPEN,), (FULL,))), DEPENDS),
        (Policies((FULL,), policy(allow(BOB), deny(BOB, condition=VPC))), DEPENDS),
        (Policies((FULL,), policy(allow(BOB), deny(BOB))), NO),
        (Policies((), policy(allow(BOB))), NO),
        (Policies(None, policy(allow(BOB))), DEPENDS),
    ],
)
def test_every_policy_must_allow_whatever_the_call_brings(policies: Policies, expected: Verdict) -> None:
    assert verdict(policies) is expected


def test_a_federated_user_depends_on_its_session_policy_unless_it_is_named_itself() -> None:
    federated = f"arn:aws:sts::{A}:federated-user/bob"
    assert verdict(Policies((FULL,), policy(allow("*"))), federated) is DEPENDS
    assert verdict(Policies((FULL,), policy(allow(federated))), federated) is YES
