"""Cases from a file, decided offline."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecr_tui.errors import InputError
from ecr_tui.policy.document import PolicyError
from ecr_tui.policy.simulate import simulate
from tests.policy.build import BOB, FULL, REPOSITORY, A, allow, load, policy


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
        ([case(), {"name": "two"}], "two: it has no request"),
        ([case(request={"action": "x", "principal": "y"})], "one: its request has no resource"),
        ([case(request={**case()["request"], "principal": 5})], "one: its request has no principal"),
        ([case(request={**case()["request"], "action": ""})], "one: its request has no action"),
        ([case(request={**case()["request"], "context": []})], "one: its context is not an object"),
        ([case(request={**case()["request"], "resource": {"resource": REPOSITORY, "accountId": 5}})], "accountId"),
        ([case(identityPolicies={})], "one: its identityPolicies is not a list"),
        ([case(resourcePolicy=5)], "one: its resourcePolicy is not a policy"),
        ([case(resourcePolicy={"Statement": 5})], "one: Statement must be an object or a list"),
        ([case(serviceControlPolicies=5)], "one: its serviceControlPolicies is not a list"),
        ([case(serviceControlPolicies=[5])], "one: its serviceControlPolicies holds something else"),
        ([case(expected={"response": "Yes"})], "one: it expects 'Yes'"),
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
