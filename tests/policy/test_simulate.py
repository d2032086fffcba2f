"""Cases from a file, decided offline."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecr_tui.errors import InputError
from ecr_tui.policy.document import PolicyError
from ecr_tui.policy.simulate import simulate
from tests.policy.build import BOB, FULL, REPOSITORY, SESSION, A, B, allow, deny, load, policy


def case(**more: Any) -> dict[str, Any]:
    return {
        "name": "one",
        "request": {
            "action": "ecr:PutImage",
            "resource": {"resource": REPOSITORY, "accountId": A},
            "principal": BOB,
            "context": {},
        },
        "identityPolicies": [FULL.json],
        "resourcePolicy": policy(allow()).json,
        "expected": {"response": "Allowed"},
        **more,
    }


def asking(**more: Any) -> dict[str, Any]:
    return case(request={**case()["request"], **more})


def given(context: dict[str, Any], **more: Any) -> dict[str, Any]:
    return case(request={**case()["request"], "context": context}, **more)


def when(condition: Any, effect: str = "Allow") -> dict[str, Any]:
    """A repository policy that allows everything, or one that also denies it under a condition."""
    if effect == "Allow":
        return policy(allow("*", "ecr:*", condition)).json
    return policy(allow("*"), deny("*", "ecr:*", condition)).json


def test_a_result_as_plain_values() -> None:
    (result,) = simulate(json.dumps([case()]))
    assert result.to_json() == {
        "name": "one",
        "response": "Allowed",
        "expected": "Allowed",
        "matches": True,
        "reasons": [
            {
                "where": "resource",
                "kind": "allow",
                "text": "statement 1 of the repository policy allows it",
                "statement": "statement 1",
            },
            {
                "where": "identity",
                "kind": "allow",
                "text": "statement 1 of the identity policy allows it",
                "statement": "statement 1",
            },
        ],
    }


def test_a_mismatch_is_told() -> None:
    (result,) = simulate(json.dumps([case(expected={"response": "ExplicitlyDenied"})]))
    assert (result.response, result.expected, result.matches) == ("Allowed", "ExplicitlyDenied", False)


def test_the_least_that_a_case_needs() -> None:
    request = {"action": "ecr:PutImage", "resource": REPOSITORY, "principal": BOB}
    (result,) = simulate(json.dumps({"request": request}))
    assert (result.name, result.response, result.expected, result.matches) == ("case 1", "ImplicitlyDenied", None, None)


def test_identity_policies_that_cannot_be_read() -> None:
    (result,) = simulate(json.dumps([case(identityPolicies=None, expected="Unknown")]))
    assert result.matches


def test_policies_may_carry_a_name() -> None:
    (result,) = simulate(json.dumps([case(identityPolicies=[{"name": "x", "policy": FULL.json}])]))
    assert result.matches


def test_the_whole_file_of_vectors() -> None:
    results = simulate(json.dumps(load("ecr_cases.json")))
    assert len(results) == 61
    assert all(result.matches for result in results)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([5], "case 1 is not an object"),
        ([case(), {"name": "two"}], "two: request is missing"),
        ([case(request={"action": "x", "principal": "y"})], "one: request has no resource"),
        ([case(request={**case()["request"], "principal": 5})], "one: request has no principal"),
        ([case(request={**case()["request"], "action": ""})], "one: request has no action"),
        ([case(request={**case()["request"], "context": []})], "one: context is not an object"),
        ([case(request={**case()["request"], "resource": {"resource": REPOSITORY, "accountId": 5}})], "accountId"),
        ([case(identityPolicies={})], "one: identityPolicies is not a list"),
        ([case(resourcePolicy=5)], "one: resourcePolicy is not a policy"),
        ([case(resourcePolicy={"Statement": 5})], "one: Statement must be an object or a list"),
        ([case(serviceControlPolicies=5)], "one: serviceControlPolicies is not a list"),
        ([case(serviceControlPolicies=[5])], "one: serviceControlPolicies contains an item that is not a level"),
        ([case(expected={"response": "Yes"})], "one: unknown expected response 'Yes'"),
        ([case(expected={})], "one: expected has no response"),
        (
            [case(expected={"reponse": "Allowed"})],
            'one: unknown field "reponse" in expected; did you mean "response"?',
        ),
        ([case(expect="Allowed")], 'one: unknown field "expect"; did you mean "expected"?'),
        ([case(permissionBoundary=[])], 'unknown field "permissionBoundary"; did you mean "permissionBoundaries"?'),
        ([case(identitypolicies=[])], 'unknown field "identitypolicies"; did you mean "identityPolicies"?'),
        ([case(vpcEndpointPolicies=[])], 'unknown field "vpcEndpointPolicies" (known: name,'),
        ([asking(pricipal=BOB)], 'unknown field "pricipal" in request; did you mean "principal"?'),
        ([asking(resource={"arn": REPOSITORY})], 'unknown field "arn" in request.resource'),
        (
            [case(identityPolicies=[{"policy": FULL.json, "nam": "x"}])],
            'unknown field "nam" in identityPolicies[0]',
        ),
        ([case(serviceControlPolicies=[{"policy": []}])], 'did you mean "policies"?'),
        ([case(serviceControlPolicies=[{}])], "serviceControlPolicies[0] has no policies"),
        ([], "no cases in the file"),
        ([case(name=5)], "case 1: name is not a string"),
        ([asking(action="ecr:*")], 'action "ecr:*" is not a single action'),
        ([asking(action="PutImage")], 'action "PutImage" is not a single action'),
        ([asking(principal="bob")], "principal is neither the ARN of a user, role or session nor a service"),
        ([asking(principal=f"arn:aws:iam::{A}:group/x")], "a group cannot be a principal"),
        ([asking(resource={"resource": REPOSITORY, "accountId": B})], f"accountId {B} differs from the account"),
        ([asking(resource="team/app")], 'resource "team/app" is neither an ARN'),
        ([given({"aws:PrincipalOrgPaths": "o-a/r-b/"})], "aws:PrincipalOrgPaths is multivalued: write a list"),
        ([given({"aws:tagkeys": "Team"})], "aws:tagkeys is multivalued: write a list"),
        ([given({"aws:PrincipalArn": [BOB]})], "aws:PrincipalArn is single-valued, not a list"),
        ([given({"aws:ResourceTag/Team": ["a", "b"]})], "aws:ResourceTag/Team is single-valued"),
        ([given({"aws:SourceIp": None})], "aws:SourceIp is not a string, number, boolean"),
        ([given({"aws:SourceIp": {"a": "b"}})], "aws:SourceIp is not a string"),
        ([given({"aws:SourceIp": "10.0.0.1", "aws:sourceip": "10.0.0.2"})], "the same condition key twice"),
    ],
)
def test_a_bad_case_is_named(bad: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate(json.dumps(bad))
    assert words in caught.value.title


def test_bad_json_has_its_place() -> None:
    with pytest.raises(PolicyError) as caught:
        simulate('[{"request": }]')
    assert (caught.value.line, caught.value.column) == (1, 14)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"resourcePolicy": policy(allow(), {**deny(), "Effect": "deny"}).json}, 'Effect "deny" is neither'),
        ({"resourcePolicy": policy({**allow(), "Condition": None}).json}, "Statement[0].Condition: The Condition does"),
        (
            {"resourcePolicy": policy({**allow(), "Condition": {"StringEquals": None}}).json},
            "The Condition does not have",
        ),
        ({"resourcePolicy": when({"StringEquals": {"aws:PrincipalOrgID": None}})}, "The Condition does not have"),
        ({"resourcePolicy": policy(allow(), version="2012-10-18").json}, 'Version "2012-10-18"'),
        ({"resourcePolicy": policy({**deny(), "Conditions": {}}).json}, '"Conditions" is not an element'),
        ({"resourcePolicy": {"statement": []}}, '"statement" is not an element'),
        ({"resourcePolicy": {}}, "The policy has no statements"),
        ({"resourcePolicy": policy(allow(None)).json}, "has no principal"),
        ({"resourcePolicy": policy(allow({"AWS": 222222222222})).json}, "222222222222 is a number"),
        ({"resourcePolicy": policy(allow(BOB, None)).json}, "has no action"),
        ({"resourcePolicy": policy(deny(), allow(), deny(NotPrincipal="*")).json}, "Principal and NotPrincipal"),
        ({"resourcePolicy": when({"StringEqual": {"aws:PrincipalOrgID": "o-a"}}, "Deny")}, "not a condition operator"),
        ({"resourcePolicy": policy(allow(), deny(f"arn:aws:iam::{B}:user/*")).json}, "a wildcard inside a principal"),
        (
            {"resourcePolicy": when({"StringLike": {"aws:UserAgent": "x", "aws:useragent": "y"}})},
            "are the same condition key",
        ),
        ({"identityPolicies": [policy(allow()).json]}, "IAM rejects the element|in the policy of a user or role"),
        (
            {"identityPolicies": [policy(allow(None)).json]},
            "identityPolicies[0], Statement[0]: The statement has no res",
        ),
        ({"permissionBoundaries": [policy(deny(None)).json]}, "permissionBoundaries[0], Statement[0]"),
        (
            {"serviceControlPolicies": [{"policies": [policy(deny(None)).json]}]},
            "serviceControlPolicies[0].policies[0]",
        ),
    ],
)
def test_a_document_that_aws_refuses_is_not_decided(document: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate(json.dumps([case(**document)]))
    assert caught.value.title.startswith("one: AWS rejects the ")
    assert any(part in caught.value.title for part in words.split("|"))


def test_the_problems_of_all_cases_are_told() -> None:
    with pytest.raises(InputError) as caught:
        simulate(json.dumps([case(name=f"case {number}", expect="Allowed") for number in range(30)]))
    assert caught.value.title.startswith("case 0: ")
    assert "case 1: " in caught.value.detail
    assert "and 9 more" in caught.value.detail


@pytest.mark.parametrize(
    ("condition", "effect", "context", "response", "named"),
    [
        # What follows from the request is known, and changes the answer.
        ({"StringNotEquals": {"aws:PrincipalAccount": B}}, "Allow", {}, "Unknown", "aws:PrincipalAccount"),
        ({"StringEquals": {"AWS:principalaccount": B}}, "Deny", {}, "Unknown", "aws:PrincipalAccount"),
        ({"ArnLike": {"aws:PrincipalArn": BOB}}, "Allow", {}, "Unknown", "aws:PrincipalArn"),
        ({"Bool": {"aws:SecureTransport": "false"}}, "Deny", {}, "Allowed", "aws:SecureTransport"),
        ({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}, "Deny", {}, "Unknown", "aws:RequestedRegion"),
        ({"StringEquals": {"aws:ResourceTag/o": "${aws:username}"}}, "Allow", {}, "ImplicitlyDenied", "aws:username"),
        ({"StringEquals": {"aws:PrincipalAccount": A}}, "Allow", {}, "ImplicitlyDenied", "aws:PrincipalAccount"),
        # What does not follow is named all the same.
        ({"DateLessThan": {"aws:CurrentTime": "2100-01-01"}}, "Allow", {}, "ImplicitlyDenied", "aws:CurrentTime"),
        ({"StringLike": {"aws:userid": "AIDA*"}}, "Deny", {}, "Allowed", "aws:userid"),
        # What is given, or need not be there, is not.
        ({"StringEquals": {"aws:PrincipalAccount": B}}, "Allow", {"aws:principalACCOUNT": B}, "Allowed", ""),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}, "Allow", {}, "ImplicitlyDenied", ""),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "Allow", {}, "ImplicitlyDenied", ""),
        ({"StringEquals": {"aws:ResourceTag/Team": "x"}}, "Allow", {}, "ImplicitlyDenied", ""),
    ],
    ids=str,
)
def test_keys_that_aws_always_fills_in_are_named(
    condition: dict[str, Any], effect: str, context: dict[str, Any], response: str, named: str
) -> None:
    (result,) = simulate(json.dumps([given(context, resourcePolicy=when(condition, effect), expected="Allowed")]))
    assert result.response == response
    assert result.matches is (response == "Allowed")
    assert (named in " ".join(result.notes)) if named else not result.notes
    assert ("notes" in result.to_json()) is bool(named)


def test_the_role_of_a_session_is_named_and_not_guessed() -> None:
    condition = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{B}:role/path/puller"}}
    asked = {**case()["request"], "principal": SESSION}
    (result,) = simulate(json.dumps([case(request=asked, resourcePolicy=when(condition))]))
    assert "aws:PrincipalArn" in " ".join(result.notes)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (asking(action="ecr:PutImages"), "ecr:PutImages is not an ECR action. Did you mean ecr:PutImage?"),
        (given({"aws:PrincipleArn": BOB}), "Did you mean aws:PrincipalArn?"),
        (given({"aws:SecureTransport": "yes"}), 'aws:SecureTransport "yes" in the context is not true or false'),
        (given({"aws:SourceIp": "10.0.0.0/8"}), 'aws:SourceIp "10.0.0.0/8" in the context is not one address'),
        (case(resourcePolicy=policy(allow(f"arn:aws:iam::{B}:user/*")).json), "a wildcard inside a principal"),
        (case(resourcePolicy=policy(allow(BOB, "ecr:PutImages")).json), "ecr:PutImages is not an ECR action"),
        (case(resourcePolicy=when({"StringEqual": {"aws:UserAgent": "x"}})), "StringEqual is not a condition operator"),
        (
            given({"aws:SecureTransport": True}, resourcePolicy=when({"Bool": {"aws:SecureTransport": "yes"}}, "Deny")),
            "is neither true nor false",
        ),
        (case(resourcePolicy=when({"StringLike": {"aws:PrincipalOrgPaths": "o-a/*"}})), "is multivalued"),
    ],
)
def test_what_never_matches_is_noted(more: dict[str, Any], words: str) -> None:
    (result,) = simulate(json.dumps([more]))
    assert any(words in note for note in result.notes)
