"""AWS's sentence about a refusal, in all the forms that its documentation shows, and what newer texts add."""

from __future__ import annotations

import pytest

from ecr_tui.diagnosis.denial import Denial, parse_denial
from ecr_tui.diagnosis.diagnose import diagnose
from ecr_tui.render.common import diagnosis_json, diagnosis_text

USER = "arn:aws:sts::222222222222:assumed-role/ci/build-7"
ARN = "arn:aws:ecr:eu-central-1:111111111111:repository/team/app"
SCP = "arn:aws:organizations::333333333333:policy/o-abc123/service_control_policy/p-1a2b3c"
BOUNDARY = "arn:aws:iam::222222222222:policy/boundary"
PAGE = "https://eu-central-1.console.aws.amazon.com/iam/home?region=eu-central-1#/authorization/3f2a-77"


def sentence(tail: str = "", action: str = "ecr:PutImage") -> str:
    return f"User: {USER} is not authorized to perform: {action} on resource: {ARN}{tail}"


@pytest.mark.parametrize(
    ("tail", "explicit", "policy"),
    [
        ("", False, ""),
        (" because no identity-based policy allows the ecr:PutImage action", False, "identity-based policy"),
        (" because no resource-based policy allows the ecr:PutImage action", False, "resource-based policy"),
        (" because no permissions boundary allows the ecr:PutImage action", False, "permissions boundary"),
        (" because no session policy allows the ecr:PutImage action", False, "session policy"),
        (" because no service control policy allows the ecr:PutImage action", False, "service control policy"),
        (" because no VPC endpoint policy allows the ecr:PutImage action", False, "VPC endpoint policy"),
        (" with an explicit deny", True, ""),
        (" with an explicit deny in a resource control policy", True, "resource control policy"),
        (" with an explicit deny in the role trust policy", True, "role trust policy"),
        (
            " with an explicit deny in a permissions boundary: arn:aws:iam::222222222222:policy/b",
            True,
            "permissions boundary",
        ),
    ],
)
def test_the_reason(tail: str, explicit: bool, policy: str) -> None:
    found = parse_denial(sentence(tail))
    assert found is not None
    assert (found.user, found.action, found.resource) == (USER, "ecr:PutImage", ARN)
    assert (found.explicit, found.policy_type) == (explicit, policy)


def test_a_text_without_the_sentence_has_no_denial() -> None:
    assert parse_denial("denied: requested access to the resource is denied") is None


def test_the_denial_about_ecr_is_the_one_that_counts() -> None:
    found = parse_denial(f"{sentence(action='ssm:GetParameters')}; {sentence()}")
    assert found is not None
    assert found.action == "ecr:PutImage"


FULL = sentence(
    f" with an explicit deny in a service control policy: {SCP}. Authorization ID: 3f2a-77. For details see {PAGE}."
)


def test_what_newer_texts_add_is_kept() -> None:
    assert parse_denial(FULL) == Denial(USER, "ecr:PutImage", ARN, True, "service control policy", SCP, "3f2a-77", PAGE)


def test_the_example_of_the_user_guide() -> None:
    """ "Troubleshoot access denied error messages with authorization ID", with an id as real texts have it."""
    page = (
        "https://us-east-1.console.aws.amazon.com/iam/home?region=us-east-1#/authorization-details/ejsk06qtimkkubln9l"
    )
    found = parse_denial(
        "User: arn:aws:iam::123456789012:user/janedoe is not authorized to perform: iam:CreateInstanceProfile "
        "on resource: arn:aws:iam::123456789012:instance-profile/my-instance-profile "
        "with an explicit deny in an identity-based policy: arn:aws:iam::123456789012:policy/ExampleDenyPolicy. "
        f"Go to {page} for complete details, "
        "or call the GetRequestAuthorizationDetails API with the following authorization id: ejsk06qtimkkubln9l"
    )
    assert found is not None
    assert found.policy_arn == "arn:aws:iam::123456789012:policy/ExampleDenyPolicy"
    assert (found.authorization_id, found.details_url) == ("ejsk06qtimkkubln9l", page)


@pytest.mark.parametrize("wrapped", [FULL, f"denied: {FULL}\n", FULL.replace(" in a service", "\nin a service")])
def test_explain_shows_it_and_its_json_has_it(wrapped: str) -> None:
    found = diagnose(wrapped)
    shown, document = diagnosis_text(found), diagnosis_json(found)
    assert document["denied"] is True
    for name, value in (("policy_arn", SCP), ("authorization_id", "3f2a-77"), ("details_url", PAGE)):
        assert document[name] == value
        assert value in shown
    assert "ecr-tui grant" not in found.fix


@pytest.mark.parametrize(
    "policy", ["permissions boundary", "session policy", "service control policy", "VPC endpoint policy"]
)
def test_the_policy_that_aws_names_wins_for_the_token_too(policy: str) -> None:
    found = diagnose(
        sentence(f" because no {policy} allows the ecr:GetAuthorizationToken action", "ecr:GetAuthorizationToken")
    )
    assert (found.side, found.stage, found.policy_type) == ("organisation or other policy", "token", policy)
    assert "Effect" not in found.fix


def test_a_grant_is_suggested_to_the_role_of_a_session() -> None:
    found = diagnose(sentence(" because no resource-based policy allows the ecr:PutImage action"))
    assert found.fix == "ecr-tui grant team/app --to arn:aws:iam::222222222222:role/ci"
    assert found.principal == USER


@pytest.mark.parametrize(
    "action",
    [
        "ssm:GetParameters",
        "s3:GetObject",
        "kms:Decrypt",
        "sts:AssumeRole",
        "ecr-public:GetAuthorizationToken",
        "ecr:CreateRepository",
        "ecr:BatchImportUpstreamImage",
        "ecr:GetAuthorizationToken",
        "ecr:DescribeRegistry",
        "ecr:PutRegistryPolicy",
    ],
)
@pytest.mark.parametrize(
    "tail", ["", " because no identity-based policy allows it", " because no resource-based policy allows it"]
)
def test_no_grant_for_what_a_repository_policy_cannot_give(action: str, tail: str) -> None:
    found = diagnose(sentence(tail, action))
    assert found.action == action
    assert "ecr-tui grant" not in found.fix
    assert not found.blames_repository_policy
