"""Policies, tokens, images and access probes over real HTTP against the fake."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.aws.access import ABSENT_DIGEST, PROBES, probe_action
from ecr_tui.aws.images import delete_image, delete_tag, images_summary
from ecr_tui.aws.model import Repository, Role
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.aws.tags import RepositoryTags
from ecr_tui.aws.tokens import registry_token
from ecr_tui.errors import DeniedError, EnvironmentFailure, InputError, UnknownPrincipal
from ecr_tui.policy.actions import Access
from tests.aws.fake_aws import AwsError, FakeAws, Raw

POLICY = '{"Version":"2012-10-17","Statement":[]}'
UNKNOWN_PRINCIPAL = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'"


# --- policies -----------------------------------------------------------------------------------------------------


def test_policy_text_comes_exactly_as_it_is_kept(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    text = '{\n  "Version" : "2008-10-17",\n  "Statement" : [ ]\n}'
    fake.on("GetRepositoryPolicy", {"policyText": text, "repositoryName": repository.name})
    assert RepositoryPolicies(session).read(repository) == text
    assert fake.sent("GetRepositoryPolicy") == [{"repositoryName": "team/app"}]


def test_no_policy_is_none(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    fake.fail("GetRepositoryPolicy", "RepositoryPolicyNotFoundException", "Repository policy does not exist")
    fake.fail("DeleteRepositoryPolicy", "RepositoryPolicyNotFoundException", "Repository policy does not exist")
    policies = RepositoryPolicies(session)
    assert policies.read(repository) is None
    policies.delete(repository)
    assert fake.calls["DeleteRepositoryPolicy"] == 1


@pytest.mark.parametrize("body", [b'{"policyText": "{\\"Vers', b"{}", b""])
def test_cut_off_answer_is_never_taken_for_no_policy(
    body: bytes, session: AwsSession, fake: FakeAws, repository: Repository
) -> None:
    def truncated(_: dict[str, Any]) -> dict[str, Any]:
        raise Raw(body)

    fake.on("GetRepositoryPolicy", truncated)
    with pytest.raises(EnvironmentFailure, match="truncated"):
        RepositoryPolicies(session).read(repository)


def test_write_never_forces(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    fake.on("SetRepositoryPolicy", {"policyText": POLICY})
    RepositoryPolicies(session).write(repository, POLICY)
    assert fake.sent("SetRepositoryPolicy") == [{"repositoryName": "team/app", "policyText": POLICY}]


def test_a_new_principal_is_worth_waiting_for(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    fake.fail("SetRepositoryPolicy", "InvalidParameterException", UNKNOWN_PRINCIPAL)
    for wait in (0.0, 7.0):
        with pytest.raises(UnknownPrincipal, match="does not know a principal") as caught:
            RepositoryPolicies(session, principal_wait=wait).write(repository, POLICY)
        assert caught.value.patience == wait


@pytest.mark.parametrize("code", ["ThrottlingException", "ServiceUnavailable"])
def test_a_write_is_one_request(session: AwsSession, fake: FakeAws, repository: Repository, code: str) -> None:
    """What is sent again must be compared again, and only who wrote can do that."""
    operations = ("SetRepositoryPolicy", "DeleteRepositoryPolicy", "TagResource", "UntagResource")
    for operation in operations:
        fake.fail(operation, code, status=503)
    policies, tags = RepositoryPolicies(session), RepositoryTags(session)
    for write in (
        lambda: policies.write(repository, POLICY),
        lambda: policies.delete(repository),
        lambda: tags.set_tags(repository, {"a": "b"}),
        lambda: tags.remove_tags(repository, ["a"]),
    ):
        with pytest.raises(EnvironmentFailure):
            write()
    assert [fake.calls[operation] for operation in operations] == [1, 1, 1, 1]


def test_deleted_principals_are_named_at_once(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    fake.fail("SetRepositoryPolicy", "InvalidParameterException", UNKNOWN_PRINCIPAL)
    text = '{"Statement":[{"Principal":{"AWS":["AIDACKCEVSQ6C2EXAMPLE","arn:aws:iam::2:root"]}}]}'
    with pytest.raises(InputError, match="AIDACKCEVSQ6C2EXAMPLE") as caught:
        RepositoryPolicies(session).write(repository, text)
    assert not isinstance(caught.value, UnknownPrincipal)


def test_rejected_policy_is_not_tried_again(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    message = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
    fake.fail("SetRepositoryPolicy", "InvalidParameterException", message)
    with pytest.raises(InputError) as caught:
        RepositoryPolicies(session).write(repository, POLICY)
    assert caught.value.detail == message
    assert fake.calls["SetRepositoryPolicy"] == 1


@pytest.mark.parametrize("operation", ["read", "write", "delete"])
def test_denied_policy_calls(operation: str, session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    for name in ("GetRepositoryPolicy", "SetRepositoryPolicy", "DeleteRepositoryPolicy"):
        fake.fail(name, "AccessDeniedException", f"User: x is not authorized to perform: ecr:{name} on resource: y")
    policies = RepositoryPolicies(session)
    calls: dict[str, Callable[[], object]] = {
        "read": lambda: policies.read(repository),
        "write": lambda: policies.write(repository, POLICY),
        "delete": lambda: policies.delete(repository),
    }
    with pytest.raises(DeniedError, match="RepositoryPolicy"):
        calls[operation]()


# --- tokens -------------------------------------------------------------------------------------------------------


def token_answer(text: bytes) -> dict[str, Any]:
    return {
        "authorizationData": [
            {
                "authorizationToken": base64.b64encode(text).decode(),
                "expiresAt": 1_800_000_000,
                "proxyEndpoint": "https://222222222222.dkr.ecr.eu-central-1.amazonaws.com",
            }
        ]
    }


def test_token_is_secret_and_keeps_its_colons(session: AwsSession, fake: FakeAws) -> None:
    fake.on("GetAuthorizationToken", token_answer(b"AWS:pass:word"))
    token = registry_token(session)
    assert (token.username, token.password.reveal()) == ("AWS", "pass:word")
    assert token.expires_at is not None
    assert token.expires_at.isoformat() == "2027-01-15T08:00:00+00:00"
    assert "pass:word" not in repr(token)
    assert fake.sent("GetAuthorizationToken") == [{}]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"authorizationData": []},
        {"authorizationData": [{"authorizationToken": "%%% TOKENTOKEN"}]},
        token_answer(b"TOKENTOKEN"),
        token_answer(b"\xff\xfe"),
    ],
)
def test_unusable_token_answer_shows_nothing_of_it(answer: dict[str, Any], session: AwsSession, fake: FakeAws) -> None:
    fake.on("GetAuthorizationToken", answer)
    with pytest.raises(EnvironmentFailure) as caught:
        registry_token(session)
    assert "TOKEN" not in caught.value.text().replace("AuthorizationToken", "")


# --- images -------------------------------------------------------------------------------------------------------


def image_pages(pages: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def describe(parameters: dict[str, Any]) -> dict[str, Any]:
        number = int(parameters.get("nextToken", "0"))
        assert parameters["maxResults"] == 1000
        details = [{"imageDigest": f"sha256:{number}-{n}", "imagePushedAt": 1000 * number + n} for n in range(3)]
        return {"imageDetails": details} | ({"nextToken": str(number + 1)} if number + 1 < pages else {})

    return describe


def test_images_are_counted_over_all_pages(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    fake.on("DescribeImages", image_pages(3))
    summary = images_summary(session, repository)
    assert (summary.count, summary.complete) == (9, True)
    assert summary.last_push is not None
    assert summary.last_push.timestamp() == 2002


def test_the_latest_recorded_pull_counts(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    pulls = [{"imageDigest": f"sha256:{at}", "lastRecordedPullTime": at} for at in (1000, 3000, 2000)]
    fake.on("DescribeImages", {"imageDetails": [{"imageDigest": "sha256:0"}, *pulls]})
    summary = images_summary(session, repository)
    assert (summary.last_push, summary.last_pull) == (None, datetime.fromtimestamp(3000, UTC))


def test_counting_images_is_bounded(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    fake.on("DescribeImages", image_pages(10))
    summary = images_summary(session, repository, max_pages=2)
    assert (summary.count, summary.complete) == (6, False)
    assert fake.calls["DescribeImages"] == 2


def test_empty_repository(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    fake.on("DescribeImages", {"imageDetails": []})
    summary = images_summary(session, repository)
    assert (summary.count, summary.last_push, summary.complete) == (0, None, True)


def test_deleting_by_digest_and_by_tag(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    fake.on("BatchDeleteImage", {"imageIds": [], "failures": [{"failureCode": "ImageNotFound"}]})
    delete_image(session, repository, "sha256:1")
    delete_tag(session, repository, "probe")
    assert fake.sent("BatchDeleteImage") == [
        {"repositoryName": "team/app", "imageIds": [{"imageDigest": "sha256:1"}]},
        {"repositoryName": "team/app", "imageIds": [{"imageTag": "probe"}]},
    ]


def test_failed_deletion_is_said(session: AwsSession, fake: FakeAws, repository: Repository) -> None:
    failure = {"failureCode": "ImageReferencedByManifestList", "failureReason": "an index needs it"}
    fake.on("BatchDeleteImage", {"imageIds": [], "failures": [failure]})
    with pytest.raises(EnvironmentFailure) as caught:
        delete_image(session, repository, "sha256:1")
    assert "an index needs it" in caught.value.detail


# --- access -------------------------------------------------------------------------------------------------------


@pytest.fixture
def session_b(fake: FakeAws, aws_config: Callable[[str], Path]) -> AwsSession:
    aws_config(
        f"[profile b]\nregion = us-east-1\naws_access_key_id = AKIAB\naws_secret_access_key = s\n"
        f"endpoint_url = {fake.url}\n"
    )
    return AwsSession(Role.CONSUMER, "b")


@pytest.mark.parametrize("action", sorted(PROBES))
def test_probes_ask_for_as_registry(action: str, session_b: AwsSession, fake: FakeAws, repository: Repository) -> None:
    message = f"User: b is not authorized to perform: ecr:{action} because no resource-based policy allows it"
    fake.fail(action, "AccessDeniedException", message)
    assert probe_action(session_b, repository, f"ecr:{action}") == message
    (sent,) = fake.sent(action)
    named = sent.get("repositoryName") or sent["repositoryNames"]
    assert (sent["registryId"], named) in [("111111111111", "team/app"), ("111111111111", ["team/app"])]
    assert (ABSENT_DIGEST in str(sent)) is (f"ecr:{action}" not in Access.READ.actions)


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("BatchCheckLayerAvailability", {"layers": [], "failures": [{"failureCode": "MissingLayerDigest"}]}),
        ("BatchGetImage", {"images": [], "failures": [{"failureCode": "ImageNotFound"}]}),
        ("GetDownloadUrlForLayer", {"downloadUrl": "https://x", "layerDigest": "sha256:1"}),
        ("GetDownloadUrlForLayer", AwsError("LayersNotFoundException", "not found")),
        ("GetDownloadUrlForLayer", AwsError("LayerInaccessibleException", "archived")),
    ],
)
def test_absent_is_allowed(
    action: str, answer: Any, session_b: AwsSession, fake: FakeAws, repository: Repository
) -> None:
    if isinstance(answer, AwsError):
        fake.fail(action, answer.code, answer.message)
    else:
        fake.on(action, answer)
    assert probe_action(session_b, repository, action, "sha256:1") is None
    assert "sha256:1" in str(fake.sent(action)[0])


def test_other_failures_of_a_probe_are_no_verdict(session_b: AwsSession, fake: FakeAws, repository: Repository) -> None:
    fake.fail("BatchGetImage", "RepositoryNotFoundException", "The repository with name 'x' does not exist")
    with pytest.raises(InputError):
        probe_action(session_b, repository, "BatchGetImage")
    with pytest.raises(ValueError, match="PutImage"):
        probe_action(session_b, repository, "ecr:PutImage")
