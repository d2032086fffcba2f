"""Decisions, from the vectors: ecr_cases.json (agreed on by other engines), more_cases.json (from the docs)."""

from __future__ import annotations

from typing import Any

import pytest

from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Policies, Request, decide
from ecr_tui.policy.known import context_for
from ecr_tui.policy.principal import without_session
from ecr_tui.policy.simulate import read_cases, run
from tests.policy.build import (
    BOB,
    CAROL,
    FULL,
    REPOSITORY,
    ROOT_B,
    SESSION,
    VECTORS,
    A,
    B,
    allow,
    ask,
    deny,
    load,
    policy,
)

CASES = [
    pytest.param(case, id=case.name)
    for name in ("ecr_cases.json", "more_cases.json")
    for case in read_cases((VECTORS / name).read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", CASES)
def test_vector(case: Any) -> None:
    result = run(case)
    assert result.response == case.expected, [reason.text for reason in result.reasons]
    assert result.matches is True


def test_every_vector_of_ours_names_its_source() -> None:
    assert all(case["source"] for case in load("more_cases.json"))
    assert len(CASES) > 300


def test_the_missing_side_is_named() -> None:
    assert ask(None).missing == ("resource",)
    assert ask(policy(allow()), identity=()).missing == ("identity",)
    assert ask(None, identity=()).missing == ("identity", "resource")
    s3 = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    assert ask(policy(allow()), boundaries=(s3,)).missing == ("boundary",)
    assert ask(policy(allow()), scps=((s3,),)).missing == ("scp",)
    assert ask(policy(allow(SESSION)), principal=SESSION, session=s3).missing == ("session",)
    assert ask(policy(allow())).missing == ()


@pytest.mark.parametrize(
    ("caller", "past_boundary", "past_session"),
    [
        (f"arn:aws:iam::{A}:user/bob", (True, True), True),
        (f"arn:aws:sts::{A}:assumed-role/puller/s1", (True, True), True),
        (f"arn:aws:sts::{A}:federated-user/bob", (True, False), True),  # which gets nothing without a session policy
        (f"arn:aws:iam::{A}:role/puller", (False, True), False),
        (f"arn:aws:iam::{A}:group/x", (False, False), False),
    ],
)
def test_a_resource_policy_of_the_callers_account_passes_its_limits_where_it_names_the_caller_itself(
    caller: str, past_boundary: tuple[bool, bool], past_session: bool
) -> None:
    """IAM User Guide, evaluation logic, "Resource-based policies". ``past_boundary``: named, and everybody named."""
    named, everybody = policy(allow(caller)), policy(allow("*"))
    s3 = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    assert ask(named, principal=caller, identity=()).allowed
    found = [ask(one, principal=caller, identity=(), boundaries=(s3,)).allowed for one in (named, everybody)]
    assert found == list(past_boundary)
    assert ask(named, principal=caller, identity=(), session=s3).allowed is past_session
    assert not ask(everybody, principal=caller, identity=(), session=s3).allowed


S3 = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
NOT_READABLE: dict[str, Any] = {"identity": None}


@pytest.mark.parametrize(
    ("policies", "alone", "named"),
    [
        ({}, ("Allowed", ()), ("Allowed", ())),
        ({"identity": ()}, ("ImplicitlyDenied", ("identity", "resource")), ("Allowed", ())),
        ({"boundaries": (S3,)}, ("ImplicitlyDenied", ("boundary", "resource")), ("Allowed", ())),
        ({"session": S3}, ("ImplicitlyDenied", ("session", "resource")), ("Allowed", ())),
        ({"scps": ((S3,),)}, ("ImplicitlyDenied", ("scp",)), ("ImplicitlyDenied", ("scp",))),
        (
            {"identity": (), "scps": ((S3,),)},
            ("ImplicitlyDenied", ("scp", "identity", "resource")),
            ("ImplicitlyDenied", ("scp",)),
        ),
        (NOT_READABLE, ("Unknown", ("resource",)), ("Unknown", ())),
        (
            {**NOT_READABLE, "boundaries": (S3,)},
            ("ImplicitlyDenied", ("boundary", "resource")),
            ("Unknown", ()),
        ),
        ({**NOT_READABLE, "session": S3}, ("ImplicitlyDenied", ("session", "resource")), ("Unknown", ())),
        (
            {**NOT_READABLE, "scps": ((S3,),)},
            ("ImplicitlyDenied", ("scp", "resource")),
            ("ImplicitlyDenied", ("scp",)),
        ),
    ],
)
def test_within_the_account_one_side_is_enough_unless_something_else_forbids_it(
    policies: dict[str, Any], alone: tuple[str, tuple[str, ...]], named: tuple[str, tuple[str, ...]]
) -> None:
    """``alone``: without a resource policy, or with one that names the account; ``named``: it names the caller."""
    ann = f"arn:aws:iam::{A}:user/ann"
    for resource, expected in ((None, alone), (policy(allow(A)), alone), (policy(allow(ann)), named)):
        decision = ask(resource, principal=ann, **policies)
        assert (decision.response, decision.missing) == expected


def test_the_denying_documents_are_named() -> None:
    denied = policy({"Effect": "Deny", "Action": "*", "Resource": "*"})
    assert ask(policy(deny())).denied_by == ("resource",)
    both = ask(policy(deny()), identity=(FULL, denied))
    assert both.denied_by == ("resource", "identity")
    assert ask(policy(allow()), registry=policy(deny())).denied_by == ("registry",)


def test_a_service_has_neither_identity_nor_service_control_policies() -> None:
    denied = policy({"Effect": "Deny", "Action": "*", "Resource": "*"})
    service = "lambda.amazonaws.com"
    assert ask(policy(allow({"Service": service})), principal=service, identity=(denied,), scps=((denied,),)).allowed


def test_not_readable_is_unknown_and_says_so() -> None:
    decision = ask(policy(allow()), identity=None)
    assert decision.response == "Unknown"
    assert not decision.allowed
    assert any(reason.kind == "unreadable" for reason in decision.reasons)


def test_keys_that_differ_by_case_only_are_a_set_and_match_nothing() -> None:
    document = policy(allow(condition={"StringEquals": {"aws:ResourceTag/Team": "blue"}}))
    assert ask(document, context={"aws:ResourceTag/Team": "blue"}).allowed
    both = {"aws:ResourceTag/Team": "blue", "aws:ResourceTag/team": "red"}
    assert not ask(document, context=both).allowed


def test_context_values_may_be_bool_number_or_list() -> None:
    document = policy(allow(condition={"Bool": {"aws:SecureTransport": "true"}, "NumericEquals": {"x:n": "5"}}))
    assert ask(document, context={"aws:SecureTransport": True, "x:n": 5}).allowed
    tagged = policy(allow(condition={"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}))
    assert ask(tagged, context={"aws:TagKeys": {"a"}}).allowed
    assert not ask(tagged, context={"aws:TagKeys": None}).allowed


def test_a_document_is_compiled_once_and_answers_differ_by_request() -> None:
    document = policy(allow(condition={"StringEquals": {"aws:ResourceTag/Team": "blue"}}), deny(CAROL))
    first = ask(document, context={"aws:ResourceTag/Team": "blue"})
    compiled = document.compiled
    assert first.allowed
    assert not ask(document, context={"aws:ResourceTag/Team": "red"}).allowed
    assert ask(document, principal=CAROL).response == "ExplicitlyDenied"
    assert ask(document, context={"aws:ResourceTag/Team": "blue"}).allowed
    assert document.compiled is compiled


def test_malformed_policies_decide_without_raising() -> None:
    odd: list[Any] = [
        {"Effect": "Allow", "Principal": {"AWS": BOB}, "Action": "ecr:*", "Condition": "x"},
        {"Effect": "Allow", "Principal": {"AWS": BOB}, "Action": "ecr:*", "Condition": {"StringEquals": "x"}},
        {"Effect": "Allow", "Principal": {"AWS": [5, None]}, "Action": "ecr:*"},
        {"Effect": "Allow", "Principal": {"AWS": BOB}, "Action": {"x": 1}},
        {"Effect": 5, "Principal": "*", "Action": "*"},
        {},
    ]
    assert ask(policy(*odd)).response == "ImplicitlyDenied"


def test_context_for_a_caller() -> None:
    context = context_for(SESSION, A, {"Team": "blue"}, {"aws:SourceIp": "10.0.0.1"})
    assert "aws:PrincipalArn" not in context, "a session's ARN does not carry its role's path"
    assert context["aws:PrincipalAccount"] == B
    assert context["aws:ResourceAccount"] == A
    assert context["aws:ResourceTag/Team"] == context["ecr:ResourceTag/Team"] == "blue"
    assert context["aws:SourceIp"] == "10.0.0.1"
    assert context_for(BOB, A)["aws:username"] == "bob"
    assert "aws:PrincipalArn" not in context_for("lambda.amazonaws.com", A)


def test_a_grant_to_a_session_is_for_its_role() -> None:
    assert without_session(SESSION) == f"arn:aws:iam::{B}:role/puller"
    assert without_session(ROOT_B) == ROOT_B


def test_decide_takes_what_the_sandbox_hands_it() -> None:
    document = PolicyDocument.parse(policy(allow()).text)
    assert decide(Request("ecr:PutImage", REPOSITORY, A, BOB, {}), Policies([FULL], document)).allowed
