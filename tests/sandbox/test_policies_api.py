"""SetRepositoryPolicy as strict as ECR's, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.sandbox import Sandbox

A, B = "111111111111", "222222222222"
USER = f"arn:aws:iam::{B}:user/devusr2"
REPOSITORY = "my-first-repo"
INVALID = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
NOT_FOUND = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'"
GOOD: dict[str, Any] = {"Sid": "Good", "Effect": "Allow", "Principal": {"AWS": USER}, "Action": "ecr:BatchGetImage"}


def text(*statements: Any, **document: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **document})


def put(owner: Any, policy: str, **more: Any) -> Any:
    return owner.set_repository_policy(repositoryName=REPOSITORY, policyText=policy, **more)


def get(owner: Any, repository: str = REPOSITORY) -> Any:
    return json.loads(owner.get_repository_policy(repositoryName=repository)["policyText"])


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


REFUSED = {
    "not JSON": "{",
    "not an object": "[]",
    "nothing": "",
    "no statement": json.dumps({"Version": "2012-10-17"}),
    "an empty list": text(),
    "a statement that is none": text("Allow"),
    "an unknown version": text(GOOD, Version="2020-01-01"),
    "an unknown element": text(GOOD, Comment="hello"),
    "an unknown element of a statement": text({**GOOD, "Note": "hello"}),
    "a Resource": text({**GOOD, "Resource": "*"}),
    "a NotResource": text({**GOOD, "NotResource": "*"}),
    "no principal": text(without("Principal")),
    "both principals": text({**GOOD, "NotPrincipal": {"AWS": USER}}),
    "a bare name": text({**GOOD, "Principal": "bob"}),
    "a bare ARN": text({**GOOD, "Principal": USER}),
    "an unknown kind of principal": text({**GOOD, "Principal": {"Foo": "bar"}}),
    "a canonical user": text({**GOOD, "Principal": {"CanonicalUser": "abc"}}),
    "an empty principal": text({**GOOD, "Principal": {"AWS": []}}),
    "a group": text({**GOOD, "Principal": {"AWS": f"arn:aws:iam::{B}:group/developers"}}),
    "a wildcard in a principal": text({**GOOD, "Principal": {"AWS": f"arn:aws:iam::{B}:user/*"}}),
    "a malformed ARN": text({**GOOD, "Principal": {"AWS": f"arn:aws:iam:{B}:user/devusr2"}}),
    "a wildcard account": text({**GOOD, "Principal": {"AWS": f"arn:aws:iam::{B}:*"}}),
    "a service that is none": text({**GOOD, "Principal": {"Service": "lambda"}}),
    "no effect": text(without("Effect")),
    "an effect in lower case": text({**GOOD, "Effect": "allow"}),
    "no action": text(without("Action")),
    "an empty action": text({**GOOD, "Action": []}),
    "an unknown action": text({**GOOD, "Action": "ecr:NoSuchThing"}),
    "a pattern of no action": text({**GOOD, "Action": "ecr:Nothing*"}),
    "another service's action": text({**GOOD, "Action": "s3:GetObject"}),
    "an action without a service": text({**GOOD, "Action": "BatchGetImage"}),
    "GetAuthorizationToken": text({**GOOD, "Action": ["ecr:BatchGetImage", "ecr:GetAuthorizationToken"]}),
    "another registry-level action": text({**GOOD, "Action": "ecr:PutRegistryPolicy"}),
    "an unknown operator": text({**GOOD, "Condition": {"StringMatches": {"aws:ResourceTag/Team": "x"}}}),
    "a condition key without a prefix": text({**GOOD, "Condition": {"StringEquals": {"Team": "x"}}}),
    "a condition that is no object": text({**GOOD, "Condition": ["x"]}),
    "an empty condition block": text({**GOOD, "Condition": {"StringEquals": {}}}),
    "a duplicate key": text(GOOD).replace('"Effect"', '"Effect": "Deny", "Effect"'),
    "a Sid that is no text": text({**GOOD, "Sid": 1}),
}
MISSING_PRINCIPALS = {
    "a user that does not exist": f"arn:aws:iam::{B}:user/nobody",
    "a user in other letters": f"arn:aws:iam::{B}:user/DevUsr2",
    "a role that does not exist": f"arn:aws:iam::{B}:role/Nothing",
    "an account that does not exist": "999999999999",
    "its root": "arn:aws:iam::999999999999:root",
    "a user of it": "arn:aws:iam::999999999999:user/x",
    "a session of no role": f"arn:aws:sts::{B}:assumed-role/Nothing/session",
    "an id that is dead": "AIDAQ3EGS2XZJYEXAMPLE",
    "a dead role's": "AROAQ3EGS2XZJYEXAMPLE",
}


@pytest.mark.parametrize("policy", REFUSED.values(), ids=REFUSED)
def test_invalid_policies_are_refused(owner: Any, policy: str) -> None:
    before = refusal(lambda: get(owner))
    assert refusal(lambda: put(owner, policy)) == ("InvalidParameterException", INVALID)
    assert refusal(lambda: get(owner)) == before


@pytest.mark.parametrize("principal", MISSING_PRINCIPALS.values(), ids=MISSING_PRINCIPALS)
def test_principals_must_exist(owner: Any, principal: str) -> None:
    policy = text({**GOOD, "Principal": {"AWS": [USER, principal]}})
    assert refusal(lambda: put(owner, policy)) == ("InvalidParameterException", NOT_FOUND)


ACCEPTED: dict[str, Any] = {
    "everyone": {"Principal": "*"},
    "everyone, the long way": {"Principal": {"AWS": "*"}},
    "a service": {"Principal": {"Service": "lambda.amazonaws.com"}},
    "several": {"Principal": {"AWS": [USER, A], "Service": ["lambda.amazonaws.com"]}},
    "a role": {"Principal": {"AWS": f"arn:aws:iam::{B}:role/EcrDeveloper"}},
    "a session": {"Principal": {"AWS": f"arn:aws:sts::{B}:assumed-role/EcrDeveloper/anything"}},
    "a federated user": {"Principal": {"AWS": f"arn:aws:sts::{B}:federated-user/anyone"}},
    "an identity provider": {"Principal": {"Federated": f"arn:aws:iam::{B}:saml-provider/x"}},
    "all but one": {"Effect": "Deny", "NotPrincipal": {"AWS": [USER, B, A, f"arn:aws:iam::{A}:user/ecr-admin"]}},
    "every action": {"Action": "ecr:*"},
    "really every action": {"Action": "*"},
    "a pattern": {"Action": ["ecr:Batch*", "ECR:getdownloadurlforlayer"]},
    "all but an action": {"NotAction": "ecr:DeleteRepository"},
    "a tag condition": {"Condition": {"StringEquals": {"aws:ResourceTag/Team": ["a", "b"]}}},
    "other conditions": {
        "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*"}, "Null": {"aws:TokenIssueTime": True}}
    },
}


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED)
def test_valid_policies_are_stored(owner: Any, change: dict[str, Any]) -> None:
    statement = {**GOOD, **change}
    if "NotPrincipal" in change:
        del statement["Principal"]
    if "NotAction" in change:
        del statement["Action"]
    put(owner, text(statement))
    assert get(owner)["Statement"][0]["Sid"] == "Good"


def test_the_old_version_and_none(owner: Any) -> None:
    put(owner, text(GOOD, Version="2008-10-17"))
    assert get(owner)["Version"] == "2008-10-17"
    put(owner, json.dumps({"Statement": GOOD, "Id": "mine"}))
    assert get(owner) == {"Statement": GOOD, "Id": "mine"}


def test_no_policy_yet(owner: Any) -> None:
    message = (
        f"Repository policy does not exist for the repository with name '{REPOSITORY}' in the registry with id '{A}'"
    )
    for call in (owner.get_repository_policy, owner.delete_repository_policy):
        assert refusal(lambda call=call: call(repositoryName=REPOSITORY)) == (
            "RepositoryPolicyNotFoundException",
            message,
        )


def test_delete_gives_the_policy_back(owner: Any) -> None:
    put(owner, text(GOOD))
    gone = owner.delete_repository_policy(repositoryName=REPOSITORY)
    assert json.loads(gone["policyText"])["Statement"] == [GOOD]
    assert refusal(lambda: get(owner))[0] == "RepositoryPolicyNotFoundException"


def test_a_missing_repository(owner: Any) -> None:
    for call in (owner.get_repository_policy, owner.delete_repository_policy):
        assert refusal(lambda call=call: call(repositoryName="no/such"))[0] == "RepositoryNotFoundException"
    answer = refusal(lambda: owner.set_repository_policy(repositoryName="no/such", policyText=text(GOOD)))
    assert answer[0] == "RepositoryNotFoundException"


def test_account_ids_come_back_as_root_arns_in_ecrs_layout(owner: Any) -> None:
    answer = put(owner, text({**GOOD, "Principal": {"AWS": [B, USER]}}))
    assert answer["policyText"] == owner.get_repository_policy(repositoryName=REPOSITORY)["policyText"]
    assert answer["policyText"] == (
        '{\n  "Version" : "2012-10-17",\n  "Statement" : [ {\n    "Sid" : "Good",\n    "Effect" : "Allow",\n'
        f'    "Principal" : {{\n      "AWS" : [ "arn:aws:iam::{B}:root", "{USER}" ]\n    }},\n'
        '    "Action" : "ecr:BatchGetImage"\n  } ]\n}'
    )


def test_what_is_read_can_be_written_again_unchanged(owner: Any) -> None:
    first = put(owner, text({**GOOD, "Principal": {"AWS": [B, USER]}, "Condition": {"Bool": {"a:b": True}}}))[
        "policyText"
    ]
    assert put(owner, first)["policyText"] == first


def test_a_policy_may_have_10240_characters(owner: Any) -> None:
    longest = text({**GOOD, "Sid": "x"})
    padded = longest.replace('"x"', f'"{"x" * (10_241 - len(longest))}"')
    assert len(padded) == 10_240
    put(owner, padded)
    code, message = refusal(lambda: put(owner, padded.replace("xx", "xxx", 1)))
    assert code == "InvalidParameterException"
    assert "less than or equal to 10240" in message


def test_a_deleted_user_leaves_an_id_that_grants_nothing(sandbox: Sandbox, owner: Any, consumer: Any) -> None:
    put(owner, text(GOOD))
    read = {"registryId": A, "repositoryName": REPOSITORY, "imageIds": [{"imageTag": "latest"}]}
    assert consumer.batch_get_image(**read)["images"]
    iam = sandbox.world.directory.backend(B)
    user = iam.users.pop("devusr2")
    dead = get(owner)["Statement"][0]["Principal"]["AWS"]
    assert dead == user.id
    # Made again under the same name, with the same key and policies: still not the one who was meant.
    again = iam.create_user(region_name="us-east-1", user_name="devusr2")
    again.access_keys, again.policies = user.access_keys, user.policies
    assert get(owner)["Statement"][0]["Principal"]["AWS"] == dead
    with pytest.raises(ClientError, match="no resource-based policy allows the ecr:BatchGetImage action"):
        consumer.batch_get_image(**read)
    assert refusal(lambda: put(owner, json.dumps(get(owner)))) == ("InvalidParameterException", NOT_FOUND)
    put(owner, text(GOOD))
    assert consumer.batch_get_image(**read)["images"]


def test_a_live_id_is_shown_as_its_arn(sandbox: Sandbox, owner: Any) -> None:
    user = sandbox.world.directory.user(B, "devusr2")
    put(owner, text({**GOOD, "Principal": {"AWS": user.id}}))
    assert get(owner)["Statement"][0]["Principal"]["AWS"] == USER


def test_an_id_in_a_condition_is_left_alone(sandbox: Sandbox, owner: Any) -> None:
    user = sandbox.world.directory.user(B, "devusr2")
    condition = {"StringEquals": {"aws:userid": user.id}}
    put(owner, text({**GOOD, "Condition": condition}))
    assert get(owner)["Statement"][0]["Condition"] == condition
    assert get(owner)["Statement"][0]["Principal"]["AWS"] == USER


def test_locking_oneself_out_needs_force(owner: Any) -> None:
    lock = {**GOOD, "Effect": "Deny", "Principal": "*", "Action": "ecr:SetRepositoryPolicy"}
    code, message = refusal(lambda: put(owner, text(lock)))
    assert code == "InvalidParameterException"
    assert "prevent you from setting another policy in the future" in message
    put(owner, text(lock), force=True)
    code, message = refusal(lambda: put(owner, text(GOOD)))
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in a resource-based policy")
    owner.delete_repository_policy(repositoryName=REPOSITORY)
    put(owner, text(GOOD))


def test_the_registry_policy_is_validated_too(owner: Any) -> None:
    message = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy provided'"
    for bad in ("{", text(), text({"Effect": "Allow"})):
        assert refusal(lambda bad=bad: owner.put_registry_policy(policyText=bad)) == (
            "InvalidParameterException",
            message,
        )
    owner.put_registry_policy(policyText=text({**GOOD, "Resource": "*"}))
    assert json.loads(owner.get_registry_policy()["policyText"])["Statement"][0]["Sid"] == "Good"
