from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from ecr_tui.aws.errors import calling, credentials_failure, translate
from ecr_tui.aws.model import Role
from ecr_tui.diagnosis.catalogue import BY_CODE, CATALOGUE
from ecr_tui.diagnosis.diagnose import diagnose
from ecr_tui.errors import (
    Cancelled,
    CredentialsError,
    DeniedError,
    EcrTuiError,
    EnvironmentFailure,
    InputError,
    Throttled,
)

USER = "User: arn:aws:iam::222222222222:user/devusr2 is not authorized to perform: ecr:BatchGetImage on resource: "
ARN = "arn:aws:ecr:eu-central-1:111111111111:repository/my-first-repo"


def client_error(
    code: str, message: str = "", status: int = 400, operation: str = "SetRepositoryPolicy"
) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        operation,
    )


@pytest.mark.parametrize(
    ("code", "message", "status", "kind", "says"),
    [
        ("AccessDeniedException", f"{USER}{ARN}", 400, DeniedError, "ecr:BatchGetImage on repository/my-first-repo"),
        ("AccessDenied", "", 403, DeniedError, "ecr:SetRepositoryPolicy was denied"),
        ("SomethingNew", "no", 403, DeniedError, "denied"),
        ("BlockedByOrganizationPolicyException", "organization", 400, DeniedError, "denied"),
        (
            "UnrecognizedClientException",
            "The security token is invalid",
            400,
            CredentialsError,
            "rejected the credentials",
        ),
        ("InvalidClientTokenId", "The security token is invalid", 403, CredentialsError, "rejected the credentials"),
        ("ExpiredTokenException", "expired", 400, CredentialsError, "have expired"),
        ("ExpiredToken", "expired", 403, CredentialsError, "have expired"),
        ("SignatureDoesNotMatch", "The request signature we calculated", 403, CredentialsError, "secret key"),
        ("InvalidSignatureException", "Signature expired: 20240101 is now earlier", 400, EnvironmentFailure, "clock"),
        ("SignatureDoesNotMatch", "Signature not yet current: 2099", 403, EnvironmentFailure, "clock"),
        ("RequestTimeTooSkewed", "", 403, EnvironmentFailure, "clock"),
        ("ThrottlingException", "Rate exceeded", 400, Throttled, "throttling"),
        ("ThrottledException", "Rate exceeded", 400, Throttled, "throttling"),
        ("TooManyRequestsException", "Rate exceeded", 429, Throttled, "throttling"),
        ("LimitExceededException", "too many", 400, EnvironmentFailure, "quota"),
        ("ServerException", "", 500, EnvironmentFailure, "failed to answer"),
        ("503", "", 503, EnvironmentFailure, "failed to answer"),
        ("RepositoryNotFoundException", "The repository with name 'x' does not exist", 400, InputError, "name 'x'"),
        ("InvalidParameterException", "Invalid parameter at 'repositoryName'", 400, InputError, "parameter"),
        ("403", "Forbidden", 403, EnvironmentFailure, "not from AWS"),
        ("Whatever", "odd", 400, EnvironmentFailure, "Whatever"),
    ],
)
def test_answers_of_aws(code: str, message: str, status: int, kind: type[EcrTuiError], says: str) -> None:
    error = translate(client_error(code, message, status), Role.OWNER, "ecr:SetRepositoryPolicy", profile="a")
    assert type(error) is kind
    assert says in error.title
    assert "\n" not in error.title
    assert error.detail == message or not message
    assert error.side == "account A"


@pytest.mark.parametrize(
    ("because", "hint"),
    [
        ("because no resource-based policy allows the ecr:BatchGetImage action", "resource's own policy"),
        ("because no identity-based policy allows the ecr:BatchGetImage action", "identity policy"),
        ("with an explicit deny in a service control policy", "an explicit Deny overrides"),
        ("because no permissions boundary allows the ecr:BatchGetImage action", "boundary"),
        ("because no session policy allows the ecr:BatchGetImage action", "session policy"),
        ("because no service control policy allows the ecr:BatchGetImage action", "organization"),
    ],
)
def test_denials_say_which_side_must_act(because: str, hint: str) -> None:
    error = translate(client_error("AccessDeniedException", f"{USER}{ARN} {because}"), Role.CONSUMER, "ecr:X")
    assert hint in error.hint
    assert error.side == "account B"


def test_rejected_policy_lists_the_suspects() -> None:
    message = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
    error = translate(client_error("InvalidParameterException", message), Role.OWNER, "ecr:SetRepositoryPolicy")
    assert isinstance(error, InputError)
    for suspect in ("Resource", "GetAuthorizationToken", "AIDA"):
        assert suspect in error.hint
    absent = translate(
        client_error("InvalidParameterException", "Invalid parameter at 'PolicyText': 'Principal not found'"),
        Role.OWNER,
        "ecr:SetRepositoryPolicy",
    )
    assert "principal" in absent.title


def test_refusal_while_fetching_credentials_is_about_credentials() -> None:
    for operation in ("AssumeRole", "AssumeRoleWithWebIdentity", "GetRoleCredentials"):
        error = translate(client_error("AccessDenied", "no", 403, operation), Role.OWNER, "ecr:DescribeRepositories")
        assert isinstance(error, CredentialsError)
        assert operation in error.title


def test_expired_session_offers_the_login_command() -> None:
    command = "aws sso login --profile a"
    for exc in (client_error("ExpiredTokenException"), boto.UnauthorizedSSOTokenError()):
        error = translate(exc, Role.OWNER, "ecr:X", profile="a", login_command=command)
        assert isinstance(error, CredentialsError)
        assert error.login_command == command
        assert command in error.hint


URL = "https://api.ecr.eu-central-1.amazonaws.com/"


@pytest.mark.parametrize(
    ("exc", "kind", "says"),
    [
        (boto.NoCredentialsError(), CredentialsError, "no credentials"),
        (boto.PartialCredentialsError(provider="p", cred_var="v"), CredentialsError, "incompletely"),
        (boto.CredentialRetrievalError(provider="p", error_msg="m"), CredentialsError, "cannot fetch"),
        (boto.ProfileNotFound(profile="ghost"), InputError, "'ghost'"),
        (boto.SSOTokenLoadError(error_msg="m"), CredentialsError, "sign-in"),
        (boto.TokenRetrievalError(provider="sso", error_msg="m"), CredentialsError, "sign-in"),
        (boto.LoginRefreshRequired(), CredentialsError, "sign-in"),
        (boto.RefreshWithMFAUnsupportedError(), CredentialsError, "MFA"),
        (boto.MissingDependencyException(msg="crt"), CredentialsError, "package"),
        (boto.InvalidConfigError(error_msg="m"), CredentialsError, "incompletely"),
        (boto.NoRegionError(), InputError, "region"),
        (boto.InvalidRegionError(region_name="x y"), InputError, "'x y'"),
        (boto.ParamValidationError(report="bad"), InputError, "parameter"),
        (boto.ConfigParseError(path="/etc/aws", error=ValueError("x")), EnvironmentFailure, "/etc/aws"),
        (boto.EndpointConnectionError(endpoint_url=URL, error="refused"), EnvironmentFailure, URL),
        (
            boto.EndpointConnectionError(endpoint_url=URL, error="Name or service not known"),
            EnvironmentFailure,
            "cannot resolve",
        ),
        (boto.ConnectTimeoutError(endpoint_url=URL), EnvironmentFailure, URL),
        (boto.ReadTimeoutError(endpoint_url=URL), EnvironmentFailure, URL),
        (boto.ProxyConnectionError(proxy_url="http://proxy:3128"), EnvironmentFailure, "http://proxy:3128"),
        (boto.SSLError(endpoint_url=URL, error="certificate verify failed"), EnvironmentFailure, "TLS"),
        (boto.ConnectionClosedError(endpoint_url=URL), EnvironmentFailure, "closed the connection"),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), EnvironmentFailure, "connection failed"),
        (KeyError("repositories"), EnvironmentFailure, "not from AWS"),
        (RuntimeError("surprise"), EnvironmentFailure, "RuntimeError"),
    ],
)
def test_failures_of_botocore(exc: Exception, kind: type[EcrTuiError], says: str) -> None:
    error = translate(exc, Role.CONSUMER, "ecr:X", profile="b")
    assert type(error) is kind
    assert says in error.title
    assert "\n" not in error.title


def leaves(cls: type[Exception]) -> list[type[Exception]]:
    # boto3's own, which are there once it is imported, take other arguments.
    own = [sub for sub in cls.__subclasses__() if sub.__module__.startswith("botocore.")]
    return [cls] + [leaf for sub in own for leaf in leaves(sub)]


@pytest.mark.parametrize("cls", leaves(BotoCoreError), ids=lambda cls: cls.__name__)
def test_no_class_of_botocore_gets_through(cls: type[Exception]) -> None:
    """Built with placeholders for whatever its message wants."""
    kwargs: dict[str, Any] = {"name": "x", "reason": "x", "last_response": {}} if cls is boto.WaiterError else {}
    for _ in range(8):
        try:
            exc = cls(**kwargs)
            break
        except KeyError as missing:
            kwargs[missing.args[0]] = "x"
    else:
        pytest.fail(f"cannot make a {cls.__name__}")
    with pytest.raises(EcrTuiError) as caught, calling(Role.OWNER, "ecr:X"):
        raise exc
    assert caught.value.title
    assert caught.value.__cause__ is exc


def test_ours_pass_unchanged() -> None:
    with pytest.raises(Cancelled), calling(Role.OWNER, "ecr:X"):
        raise Cancelled


def test_interrupts_pass() -> None:
    with pytest.raises(KeyboardInterrupt), calling(Role.OWNER, "ecr:X"):
        raise KeyboardInterrupt


def test_anything_odd_while_fetching_credentials_is_a_credentials_error() -> None:
    for exc in (FileNotFoundError(2, "No such file", "/token"), ValueError("no JSON"), KeyError("accessToken")):
        assert isinstance(credentials_failure(exc, Role.OWNER, "a", ""), CredentialsError)
    unreachable = boto.EndpointConnectionError(endpoint_url=URL, error="refused")
    assert type(credentials_failure(unreachable, Role.OWNER, "a", "")) is EnvironmentFailure


ECR = "https://api.ecr.eu-central-1.amazonaws.com/"
BOTOCORE = [
    (boto.ProfileNotFound(profile="dev"), "profile-missing"),
    (boto.ConfigParseError(path="/x/config", error="line 3"), "config-broken"),
    (boto.ConfigNotFound(path="/x/config"), "config-broken"),
    (boto.NoRegionError(), "region-missing"),
    (boto.InvalidRegionError(region_name="no where"), "region-missing"),
    (boto.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "config-broken"),
    (boto.InvalidConfigError(error_msg="source_profile is missing"), "config-broken"),
    (boto.MissingDependencyException(msg="install botocore[crt]"), "config-broken"),
    (boto.NoCredentialsError(), "credentials-missing"),
    (boto.SSOTokenLoadError(error_msg="Token for dev does not exist"), "sso-or-keys"),
    (boto.UnauthorizedSSOTokenError(), "sso-or-keys"),
    (boto.TokenRetrievalError(provider="sso", error_msg="Token has expired and refresh failed"), "sso-or-keys"),
    (boto.CredentialRetrievalError(provider="custom-process", error_msg="not found"), "credential-process"),
    (boto.CredentialRetrievalError(provider="iam-role", error_msg="404"), "credentials-unreachable"),
    (boto.MetadataRetrievalError(error_msg="no answer"), "credentials-unreachable"),
    (boto.EndpointConnectionError(endpoint_url="https://api.ecr.xx-one-1.amazonaws.com/"), "unreachable"),
    (boto.ProxyConnectionError(proxy_url="http://10.0.0.1:3128", error="refused"), "proxy"),
    (boto.SSLError(endpoint_url="https://x", error="certificate verify failed"), "tls"),
    (boto.ConnectTimeoutError(endpoint_url=ECR), "timeout"),
    (boto.ReadTimeoutError(endpoint_url=ECR), "timeout"),
    (boto.ConnectionClosedError(endpoint_url=ECR), "broken-connection"),
    (boto.ParamValidationError(report="imageIds"), "parameter-refused"),
]


@pytest.mark.parametrize(("error", "pattern"), BOTOCORE, ids=lambda one: getattr(one, "__class__", type(one)).__name__)
def test_explain_knows_what_is_translated_here(error: Exception, pattern: str) -> None:
    found = diagnose(f"Error: {error}")
    assert found.pattern == pattern
    assert not found.denied
    assert found.stage not in ("push", "pull")


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_explain_knows_every_code(code: str) -> None:
    named = next(name for row in CATALOGUE for name in row.codes if name.lower() == code)
    assert diagnose(f"An error occurred ({named}) when calling the X operation: no").pattern == BY_CODE[code].id


def test_a_denial_names_the_policy_that_aws_names() -> None:
    arn = "arn:aws:organizations::333333333333:policy/o-abc/service_control_policy/p-123"
    text = f"{USER}{ARN} with an explicit deny in a service control policy: {arn}"
    error = translate(client_error("AccessDeniedException", text), Role.CONSUMER, "ecr:X")
    assert arn in error.hint
