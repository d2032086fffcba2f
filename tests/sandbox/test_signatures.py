"""Every AWS call is signed by someone the sandbox knows, or refused in the words of the service."""

from __future__ import annotations

import http.client
import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import utc_now

ECR_TARGET = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"
CALLS = {
    "ecr": lambda client: client.describe_repositories(),
    "resourcegroupstaggingapi": lambda client: client.get_resources(),
    "sts": lambda client: client.get_caller_identity(),
    "iam": lambda client: client.list_users(),
}
JSON, QUERY = ("ecr", "resourcegroupstaggingapi"), ("sts", "iam")


def client_with(sandbox: Sandbox, service: str, key: str, secret: str, token: str | None = None) -> Any:
    return boto3.client(
        service,
        region_name=sandbox.region,
        endpoint_url=sandbox.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


def refusal(sandbox: Sandbox, service: str, key: str, secret: str, token: str | None = None) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        CALLS[service](client_with(sandbox, service, key, secret, token))
    response = caught.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def raw(sandbox: Sandbox, headers: dict[str, str], body: bytes = b"{}", method: str = "POST") -> tuple[int, Any]:
    connection = http.client.HTTPConnection(sandbox.endpoint.removeprefix("http://"), timeout=5)
    connection.request(method, "/", body, headers)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, json.loads(data)


def signed(sandbox: Sandbox, body: bytes = b"{}", **extra: str) -> dict[str, str]:
    request = AWSRequest("POST", f"{sandbox.endpoint}/", data=body, headers={"X-Amz-Target": ECR_TARGET, **extra})
    SigV4Auth(Credentials(*sandbox.keys("account-a")), "ecr", sandbox.region).add_auth(request)
    return dict(request.headers.items())


@pytest.mark.parametrize("service", CALLS)
def test_a_right_key_is_let_in(sandbox: Sandbox, service: str) -> None:
    CALLS[service](client_with(sandbox, service, *sandbox.keys("account-a")))


@pytest.mark.parametrize("service", JSON)
def test_a_wrong_secret_as_the_json_services_say_it(sandbox: Sandbox, service: str) -> None:
    code, message, status = refusal(sandbox, service, sandbox.keys("account-a")[0], "wrong")
    assert (code, status) == ("InvalidSignatureException", 400)
    assert message.startswith("The request signature we calculated does not match the signature you provided.")


@pytest.mark.parametrize("service", QUERY)
def test_a_wrong_secret_as_the_query_services_say_it(sandbox: Sandbox, service: str) -> None:
    code, message, status = refusal(sandbox, service, sandbox.keys("account-a")[0], "wrong")
    assert (code, status) == ("SignatureDoesNotMatch", 403)
    assert message.startswith("The request signature we calculated does not match the signature you provided.")


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        *((one, ("UnrecognizedClientException", 400)) for one in JSON),
        *((one, ("InvalidClientTokenId", 403)) for one in QUERY),
    ],
)
def test_an_unknown_key(sandbox: Sandbox, service: str, expected: tuple[str, int]) -> None:
    code, message, status = refusal(sandbox, service, "AKIAIOSFODNN7EXAMPLE", "x")
    assert (code, status) == expected
    assert message == "The security token included in the request is invalid."


def test_the_key_of_one_user_with_the_secret_of_another(sandbox: Sandbox) -> None:
    code, _, _ = refusal(sandbox, "ecr", sandbox.keys("account-a")[0], sandbox.keys("dev-acc")[1])
    assert code == "InvalidSignatureException"


def test_a_long_term_key_with_a_session_token(sandbox: Sandbox) -> None:
    code, _, _ = refusal(sandbox, "ecr", *sandbox.keys("account-a"), token="invented")
    assert code == "UnrecognizedClientException"


@pytest.mark.parametrize(("minutes", "words"), [(16, "Signature expired: "), (-16, "Signature not yet current: ")])
def test_a_clock_that_is_off(sandbox: Sandbox, minutes: int, words: str) -> None:
    sandbox.clock = lambda: utc_now() + timedelta(minutes=minutes)
    code, message, _ = refusal(sandbox, "ecr", *sandbox.keys("account-a"))
    assert code == "InvalidSignatureException"
    assert message.startswith(words)
    assert "15 min.)" in message


def test_a_clock_that_is_a_little_off_is_fine(sandbox: Sandbox) -> None:
    sandbox.clock = lambda: utc_now() + timedelta(minutes=14)
    client_with(sandbox, "ecr", *sandbox.keys("account-a")).describe_repositories()


def test_no_signature_at_all(sandbox: Sandbox) -> None:
    status, answer = raw(sandbox, {"X-Amz-Target": ECR_TARGET})
    assert (status, answer["__type"]) == (400, "MissingAuthenticationTokenException")


def test_a_header_that_is_no_signature(sandbox: Sandbox) -> None:
    status, answer = raw(sandbox, {"X-Amz-Target": ECR_TARGET, "Authorization": "AWS4-HMAC-SHA256 Credential=x"})
    assert (status, answer["__type"]) == (400, "IncompleteSignatureException")


def test_a_body_changed_on_the_way(sandbox: Sandbox) -> None:
    headers = signed(sandbox, b'{"maxResults":1}')
    assert raw(sandbox, headers, b'{"maxResults":1}')[0] == 200
    status, answer = raw(sandbox, headers, b'{"maxResults":2}')
    assert (status, answer["__type"]) == (400, "InvalidSignatureException")


def test_a_declared_body_hash_is_not_believed(sandbox: Sandbox) -> None:
    headers = signed(sandbox, **{"X-Amz-Content-SHA256": "0" * 64})
    assert raw(sandbox, headers)[1]["__type"] == "InvalidSignatureException"


def test_an_operation_swapped_under_the_signature(sandbox: Sandbox) -> None:
    headers = signed(sandbox) | {"X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"}
    assert raw(sandbox, headers)[1]["__type"] == "InvalidSignatureException"


def test_a_client_that_also_signs_its_user_agent(sandbox: Sandbox) -> None:
    """botocore leaves user-agent out; other SDKs may sign any header they send."""

    class SignsAll(SigV4Auth):
        def headers_to_sign(self, request: Any) -> Any:
            chosen = super().headers_to_sign(request)
            chosen["user-agent"] = request.headers["User-Agent"]
            return chosen

    request = AWSRequest(
        "POST", f"{sandbox.endpoint}/", data=b"{}", headers={"X-Amz-Target": ECR_TARGET, "User-Agent": "some sdk/1"}
    )
    SignsAll(Credentials(*sandbox.keys("account-a")), "ecr", sandbox.region).add_auth(request)
    assert raw(sandbox, dict(request.headers.items()))[0] == 200


def test_a_signature_for_another_service(sandbox: Sandbox) -> None:
    request = AWSRequest("POST", f"{sandbox.endpoint}/", data=b"{}", headers={"X-Amz-Target": ECR_TARGET})
    SigV4Auth(Credentials(*sandbox.keys("account-a")), "s3", sandbox.region).add_auth(request)
    assert raw(sandbox, dict(request.headers.items()))[0] == 400


def test_a_service_that_is_not_served(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError) as caught:
        client_with(sandbox, "secretsmanager", *sandbox.keys("account-a")).list_secrets()
    assert "does not offer secretsmanager" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]"])
def test_a_body_that_is_no_json_object_breaks_nothing(sandbox: Sandbox, body: bytes) -> None:
    assert raw(sandbox, signed(sandbox, body), body)[0] in (200, 400)


def test_a_deactivated_key(sandbox: Sandbox) -> None:
    key, secret = sandbox.keys("dev-acc")
    sandbox.world.directory.backend(sandbox.account_b).update_access_key("devusr2", key, "Inactive")
    assert refusal(sandbox, "ecr", key, secret)[0] == "UnrecognizedClientException"
