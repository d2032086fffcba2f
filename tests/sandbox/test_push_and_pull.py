"""The two sides together: a token from the API, an image through the registry, decided by live policies."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_tui.policy.actions import Access
from ecr_tui.sandbox.manifests import DOCKER_MANIFEST
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.tokens import LIFETIME
from ecr_tui.sandbox.world import utc_now

Aws = Callable[..., Any]
A, B = "111111111111", "222222222222"
USER = f"arn:aws:iam::{B}:user/devusr2"
ARN = f"arn:aws:ecr:eu-central-1:{A}:repository/my-first-repo"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def token(client: Any) -> dict[str, Any]:
    (data,) = client.get_authorization_token()["authorizationData"]
    return dict(data)


class Registry:
    def __init__(self, host: str, authorization: str) -> None:
        self.host = host
        self.headers = {"Authorization": f"Basic {authorization}"}

    def __call__(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=5)
        connection.request(method, path, body, self.headers | headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, response.headers, data

    def push(self, repository: str, tag: str) -> tuple[int, str]:
        """(status, message) of the first request that fails, (201, digest) when all goes well."""
        config, layer = b"{}", f"layer of {tag}".encode()
        for data in (config, layer):
            status, headers, answer = self("POST", f"/v2/{repository}/blobs/uploads/")
            if status != 202:
                return status, json.loads(answer)["errors"][0]["message"]
            location = headers["Location"]
            location = location[location.index("/v2/") :]
            joint = "&" if "?" in location else "?"
            status, _, answer = self("PUT", f"{location}{joint}digest={digest(data)}", data)
            if status != 201:
                return status, json.loads(answer)["errors"][0]["message"]
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": DOCKER_MANIFEST,
                "config": {"mediaType": "c", "size": len(config), "digest": digest(config)},
                "layers": [{"mediaType": "l", "size": len(layer), "digest": digest(layer)}],
            }
        ).encode()
        put = {"Content-Type": DOCKER_MANIFEST}
        status, headers, answer = self("PUT", f"/v2/{repository}/manifests/{tag}", manifest, **put)
        return status, headers["Docker-Content-Digest"] if status == 201 else json.loads(answer)["errors"][0]["message"]


@pytest.fixture
def registry(sandbox: Sandbox, consumer: Any) -> Registry:
    """Account A's, as devusr2."""
    return Registry(sandbox.registry_host(A), token(consumer)["authorizationToken"])


def grant(owner: Any, access: Access = Access.PUSH_PULL, **more: Any) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": list(access.actions), **more}
    owner.set_repository_policy(
        repositoryName="my-first-repo", policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )


def test_the_story(sandbox: Sandbox, owner: Any, registry: Registry) -> None:
    denied = (
        403,
        f"User: {USER} is not authorized to perform: ecr:InitiateLayerUpload on resource: {ARN} "
        "because no resource-based policy allows the ecr:InitiateLayerUpload action",
    )
    assert registry.push("my-first-repo", "v1") == denied
    grant(owner, Condition={"StringEquals": {"aws:ResourceTag/Team": "Payments"}})
    status, pushed = registry.push("my-first-repo", "v1")
    assert status == 201
    status, headers, body = registry("GET", "/v2/my-first-repo/manifests/v1")
    assert (status, headers["Docker-Content-Digest"], digest(body)) == (200, pushed, pushed)
    layer = json.loads(body)["layers"][0]["digest"]
    assert digest(registry("GET", f"/v2/my-first-repo/blobs/{layer}")[2]) == layer
    (detail,) = owner.describe_images(repositoryName="my-first-repo", imageIds=[{"imageTag": "v1"}])["imageDetails"]
    assert detail["imageDigest"] == pushed
    assert detail["imageSizeInBytes"] == 2 + len("layer of v1")
    assert registry.push("search/indexer", "v1")[0] == 403
    owner.tag_resource(resourceArn=ARN, tags=[{"Key": "Team", "Value": "Search"}])
    assert registry.push("my-first-repo", "v2") == denied
    owner.tag_resource(resourceArn=ARN, tags=[{"Key": "Team", "Value": "Payments"}])
    owner.batch_delete_image(repositoryName="my-first-repo", imageIds=[{"imageDigest": pushed}])
    assert registry("GET", "/v2/my-first-repo/manifests/v1")[0] == 404
    owner.delete_repository_policy(repositoryName="my-first-repo")
    assert registry.push("my-first-repo", "v2") == denied


@pytest.mark.parametrize(
    ("access", "push", "pull"), [(Access.PULL, 403, 200), (Access.PUSH, 201, 200), (Access.PUSH_PULL, 201, 200)]
)
def test_each_access_level(owner: Any, registry: Registry, access: Access, push: int, pull: int) -> None:
    grant(owner, access)
    assert registry.push("my-first-repo", "v1")[0] == push
    status, _, body = registry("GET", "/v2/my-first-repo/manifests/latest")
    assert status == pull
    layer = json.loads(body)["layers"][0]["digest"]
    allowed = "ecr:GetDownloadUrlForLayer" in access.actions
    assert registry("GET", f"/v2/my-first-repo/blobs/{layer}")[0] == (200 if allowed else 403)


def test_a_token_is_the_callers_and_good_for_any_registry(sandbox: Sandbox, aws: Aws) -> None:
    own = token(aws("account-a", "ecr"))
    assert base64.b64decode(own["authorizationToken"]).startswith(b"AWS:")
    assert own["proxyEndpoint"] == f"http://{sandbox.registry_host(A)}"
    other = token(aws("dev-acc", "ecr"))
    assert other["proxyEndpoint"] == f"http://{sandbox.registry_host(B)}"
    assert Registry(sandbox.registry_host(A), own["authorizationToken"])("GET", "/v2/my-first-repo/tags/list")[0] == 200
    at_a = Registry(sandbox.registry_host(A), other["authorizationToken"])
    assert at_a("GET", "/v2/")[0] == 200
    assert at_a("GET", "/v2/my-first-repo/tags/list")[0] == 403
    at_b = Registry(sandbox.registry_host(B), other["authorizationToken"])
    assert at_b("GET", "/v2/devtools/runner/tags/list")[0] == 200


def test_each_call_mints_another(consumer: Any) -> None:
    assert token(consumer)["authorizationToken"] != token(consumer)["authorizationToken"]


def test_registry_ids_add_endpoints_only(sandbox: Sandbox, consumer: Any) -> None:
    answers = consumer.get_authorization_token(registryIds=[A, B])["authorizationData"]
    assert [one["proxyEndpoint"] for one in answers] == [f"http://{sandbox.registry_host(one)}" for one in (A, B)]


def test_a_token_needs_an_identity_policy_on_everything(sandbox: Sandbox, aws: Aws) -> None:
    newcomer = aws("no-access", "ecr")
    message = (
        f"User: arn:aws:iam::{B}:user/newcomer is not authorized to perform: ecr:GetAuthorizationToken on resource: * "
        "because no identity-based policy allows the ecr:GetAuthorizationToken action"
    )
    with pytest.raises(ClientError) as caught:
        newcomer.get_authorization_token()
    assert caught.value.response["Error"] == {"Code": "AccessDeniedException", "Message": message}
    statement = {
        "Effect": "Allow",
        "Action": "ecr:GetAuthorizationToken",
        "Resource": f"arn:aws:ecr:*:{A}:repository/*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sandbox.world.directory.backend(B).put_user_policy("newcomer", "Login", document)
    with pytest.raises(ClientError, match="ecr:GetAuthorizationToken"):
        newcomer.get_authorization_token()


def test_a_token_lives_for_twelve_hours(sandbox: Sandbox, consumer: Any) -> None:
    data = token(consumer)
    assert abs(data["expiresAt"] - utc_now() - LIFETIME) < timedelta(minutes=1)
    registry = Registry(sandbox.registry_host(A), data["authorizationToken"])
    sandbox.clock = lambda: utc_now() + LIFETIME - timedelta(minutes=1)
    assert registry("GET", "/v2/")[0] == 200
    sandbox.clock = lambda: utc_now() + LIFETIME + timedelta(minutes=1)
    status, _, body = registry("GET", "/v2/")
    assert status == 403
    assert "Your Authorization Token has expired" in body.decode()


def test_passwords_that_are_no_token(sandbox: Sandbox) -> None:
    for credentials in (b"AWS:nonsense", b"someone:else", b"AWS:"):
        registry = Registry(sandbox.registry_host(A), base64.b64encode(credentials).decode())
        assert registry("GET", "/v2/")[0] == 400
    connection = http.client.HTTPConnection(sandbox.registry_host(A), timeout=5)
    connection.request("GET", "/v2/")
    assert connection.getresponse().status == 401
    connection.close()


def test_a_token_outlives_no_permission(sandbox: Sandbox, owner: Any, registry: Registry) -> None:
    grant(owner)
    assert registry("GET", "/v2/my-first-repo/manifests/latest")[0] == 200
    sandbox.world.directory.backend(B).delete_user_policy("devusr2", "PushPullAccountA")
    status, _, body = registry("GET", "/v2/my-first-repo/manifests/latest")
    assert status == 403
    assert "because no identity-based policy allows the ecr:BatchGetImage action" in body.decode()


def test_immutable_tags(owner: Any, aws: Aws, sandbox: Sandbox) -> None:
    registry = Registry(sandbox.registry_host(A), token(owner)["authorizationToken"])
    assert registry.push("payments/ledger", "new")[0] == 201
    status, message = registry.push("payments/ledger", "stable")
    assert status == 400
    assert "cannot be overwritten because the repository is immutable" in message


def test_a_role_session_pushes(sandbox: Sandbox, aws: Aws, owner: Any) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{B}:role/EcrDeveloper"},
        "Action": list(Access.PUSH_PULL.actions),
    }
    owner.set_repository_policy(
        repositoryName="my-first-repo", policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    registry = Registry(sandbox.registry_host(A), token(aws("dev-role", "ecr"))["authorizationToken"])
    assert registry.push("my-first-repo", "by-role")[0] == 201
