"""Translate AWS failures: what happened, on which side, what to do.

No botocore exception leaves this package: every call is made inside :func:`calling`, which converts exceptions into
:class:`~ecr_tui.errors.EcrTuiError`. ``detail`` quotes the server verbatim.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from ecr_tui.aws.answers import is_throttling as is_throttling
from ecr_tui.aws.answers import service_error
from ecr_tui.aws.model import Role, RoleToAssume
from ecr_tui.aws.shapes import WrongType
from ecr_tui.errors import CredentialsError, EcrTuiError, EnvironmentFailure, InputError


@contextmanager
def calling(role: Role, operation: str, *, profile: str | None = None, login_command: str = "") -> Iterator[None]:
    """Translate exceptions of the block; an EcrTuiError passes unchanged. Arguments as :func:`translate`."""
    try:
        yield
    except EcrTuiError:
        raise
    except Exception as exc:
        raise translate(exc, role, operation, profile=profile, login_command=login_command) from exc


def translate(
    exc: Exception, role: Role, operation: str, *, profile: str | None = None, login_command: str = ""
) -> EcrTuiError:
    """The error to show for ``exc``.

    ``operation`` is the attempted IAM action ("ecr:SetRepositoryPolicy"), or a phrase such as
    "reading the AWS config". ``login_command`` renews the profile's credentials; "" if there is none.
    """
    return _known(exc, role, operation, profile, login_command) or _unknown(exc, role, operation)


def credentials_failure(exc: Exception, role: Role, profile: str | None, login_command: str) -> EcrTuiError:
    """As :func:`translate`, for fetching credentials: other exceptions from files and programs (OSError, ValueError,
    KeyError, …) also become CredentialsError."""
    return _known(exc, role, "fetching the credentials", profile, login_command) or CredentialsError(
        f"cannot fetch the credentials of {_who(profile)}",
        detail=f"{type(exc).__name__}: {exc}",
        hint="Check the credential source of this profile in the AWS config, and run it by hand.",
        side=str(role),
        login_command=login_command,
    )


def not_assumed(failure: EcrTuiError, exc: Exception, assume: RoleToAssume, profile: str | None) -> EcrTuiError:
    """The error for ``failure`` to get an assumed role's credentials: names the role or the profile as the cause."""
    from botocore.exceptions import ClientError

    if (
        not isinstance(exc, ClientError)
        or exc.operation_name != "AssumeRole"
        or not isinstance(failure, CredentialsError)
    ):
        return failure
    needs = [f"the trust policy of {assume.arn} must allow the caller of {_who(profile)}"]
    if assume.external_id:
        needs.append("with this external id, if it requires one")
    if assume.mfa_serial:
        needs.append("and a new code of this MFA device")
    return CredentialsError(
        f"{_who(profile)} cannot assume the role {assume.arn.rpartition(':')[2]} of account {assume.account}",
        detail=failure.detail or failure.title,
        hint=f"Check both policies: {', '.join(needs)}; the caller's own policy must allow sts:AssumeRole on it.",
        side=failure.side,
    )


def _who(profile: str | None) -> str:
    return f"profile {profile!r}" if profile else "the default profile"


def _known(exc: Exception, role: Role, operation: str, profile: str | None, login_command: str) -> EcrTuiError | None:
    from botocore.exceptions import ClientError

    if isinstance(exc, EcrTuiError):
        return exc
    who = _who(profile)
    if isinstance(exc, ClientError):
        return service_error(exc, role, operation, who, login_command)
    return (
        _configuration(exc, role, who, login_command)
        or _credentials(exc, role, who, login_command)
        or _network(exc, role, operation)
        or _request(exc, role, operation)
    )


def missing_region(role: Role, profile: str | None) -> InputError:
    flag = "--region REGION" if role is Role.OWNER else "AWS_REGION"
    section = f"the profile {profile!r}" if profile else "your default profile"
    return InputError(
        "no AWS region configured",
        hint=f"Use {flag}, set ECR_TUI_REGIONS or AWS_REGION, or add a region to {section}.",
        side=str(role),
    )


def no_configuration(role: Role) -> InputError:
    """Neither a profile nor a region: AWS is not set up on this machine yet."""
    return InputError(
        "no AWS profiles configured",
        hint="Run `ecr-tui demo` to try it without an AWS account. For your own accounts run `aws configure sso` or "
        "`aws configure`, then start again. With credentials in the environment, --region REGION is enough.",
        side=str(role),
    )


def _configuration(exc: Exception, role: Role, who: str, login_command: str) -> EcrTuiError | None:
    """The AWS config is unusable, or the requested profile or region does not exist."""
    from botocore import exceptions as boto

    side = str(role)
    if isinstance(exc, boto.ProfileNotFound):
        name = str(exc.kwargs.get("profile", ""))
        return InputError(f"no profile {name!r} in the AWS config", side=side)
    if isinstance(exc, boto.ConfigParseError):
        return config_unreadable(exc)
    if isinstance(exc, boto.ConfigNotFound):
        return EnvironmentFailure(f"the AWS config file {exc.kwargs.get('path')} does not exist", side=side)
    if isinstance(exc, boto.NoRegionError):
        return missing_region(role, None)
    if isinstance(exc, boto.InvalidRegionError | boto.UnknownRegionError | boto.UnknownEndpointError):
        name = str(exc.kwargs.get("region_name", ""))
        return InputError(f"{name!r} is not an AWS region", hint="Use a region such as eu-central-1.", side=side)
    if isinstance(exc, boto.InvalidConfigError | boto.PartialCredentialsError):
        return CredentialsError(
            f"{who} is configured incompletely",
            detail=str(exc),
            hint="Correct it in the AWS config. Run aws configure list --profile NAME to see the values read.",
            side=side,
        )
    if isinstance(exc, boto.MissingDependencyException):
        return CredentialsError(
            f"{who} needs a missing Python package",
            detail=str(exc),
            hint='Install it with: pip install "botocore[crt]"',
            side=side,
            login_command=login_command,
        )
    return None


def config_unreadable(exc: Exception) -> EnvironmentFailure:
    """For ConfigParseError. Shows only the line number: the line may contain a secret key."""
    kwargs = getattr(exc, "kwargs", {})
    cause = kwargs.get("error")
    line = getattr(cause, "lineno", None)
    errors = getattr(cause, "errors", None)
    if line is None and errors:
        line = errors[0][0]
    where = f", line {line}" if line else ""
    unclosed = str(getattr(cause, "line", "")).lstrip().startswith("[")
    kind = {
        "MissingSectionHeaderError": "a [section] without its ]"
        if unclosed
        else "a setting before the first [section]",
        "DuplicateSectionError": f"the section [{getattr(cause, 'section', '')}] occurs twice",
        "DuplicateOptionError": f"{getattr(cause, 'option', '')!r} is set twice in [{getattr(cause, 'section', '')}]",
        "ParsingError": "neither a [section] nor name = value",
        "UnicodeDecodeError": "not a text file in UTF-8",
    }.get(type(cause).__name__, "not an AWS config file")
    return EnvironmentFailure(
        f"cannot read the AWS config {kwargs.get('path')}{where}: {kind}",
        hint="Correct the file, or use another with AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE.",
    )


def _credentials(exc: Exception, role: Role, who: str, login_command: str) -> EcrTuiError | None:
    """Credentials are missing, or could not be fetched or renewed."""
    from botocore import exceptions as boto

    side = str(role)
    renew = f"Run: {login_command}" if login_command else ""
    if isinstance(exc, boto.NoCredentialsError):
        return CredentialsError(
            f"no credentials for {who}",
            hint=renew or "Use a profile with credentials, or create them with: aws configure --profile NAME",
            side=side,
            login_command=login_command,
        )
    expired = (
        boto.SSOTokenLoadError,
        boto.UnauthorizedSSOTokenError,
        boto.TokenRetrievalError,
        boto.NoAuthTokenError,
        boto.LoginError,
    )
    if isinstance(exc, expired):
        return CredentialsError(
            f"the sign-in session of {who} is missing or expired",
            detail=str(exc),
            hint=renew or "Sign in again.",
            side=side,
            login_command=login_command,
        )
    if isinstance(exc, boto.RefreshWithMFAUnsupportedError):
        return CredentialsError(f"the MFA session of {who} has expired", hint="Refresh to enter a new code.", side=side)
    if isinstance(exc, boto.SSOError | boto.CredentialRetrievalError | boto.MetadataRetrievalError):
        return CredentialsError(
            f"cannot fetch the credentials of {who}",
            detail=str(exc),
            hint=renew or "Run the credential source by hand to see why it fails.",
            side=side,
            login_command=login_command,
        )
    return None


def _network(exc: Exception, role: Role, operation: str) -> EcrTuiError | None:
    from botocore import exceptions as boto

    if not isinstance(exc, boto.ConnectionError | boto.HTTPClientError | boto.IncompleteReadError):
        return None
    endpoint = exc.kwargs.get("endpoint_url") or exc.kwargs.get("proxy_url") or "the endpoint"
    cause = exc.kwargs.get("error")
    detail = str(cause) if cause is not None else str(exc)
    hint = "Check the network, VPN and proxy settings, and the profile's region and endpoint_url."
    if isinstance(exc, boto.ProxyConnectionError):
        title, hint = f"cannot reach the proxy {endpoint}", "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
    elif isinstance(exc, boto.SSLError):
        title = f"the TLS certificate of {endpoint} is not trusted"
        hint = "Set AWS_CA_BUNDLE or ca_bundle in the AWS config to the certificates of your TLS inspection proxy."
    elif isinstance(exc, boto.ConnectTimeoutError):
        title = f"the connection to {endpoint} timed out"
    elif isinstance(exc, boto.ReadTimeoutError):
        title = f"{operation} timed out on {endpoint}"
    elif isinstance(exc, boto.EndpointConnectionError):
        unresolved = re.search(r"resolve|Name or service|nodename|getaddrinfo", detail, re.I)
        title = f"cannot resolve the host of {endpoint}" if unresolved else f"cannot connect to {endpoint}"
    elif isinstance(exc, boto.ConnectionClosedError):
        title = f"{endpoint} closed the connection during {operation}"
    else:
        title = f"the connection failed during {operation}"
    return EnvironmentFailure(title, detail=detail, hint=hint, side=str(role))


def _request(exc: Exception, role: Role, operation: str) -> EcrTuiError | None:
    from botocore import exceptions as boto

    side = str(role)
    if isinstance(exc, boto.ParamValidationError):
        return InputError(f"{operation} has an invalid parameter", detail=str(exc), side=side)
    if isinstance(exc, ValueError) and "Invalid endpoint" in str(exc):
        return EnvironmentFailure(
            f"the endpoint_url in the AWS config is not a URL: {str(exc).partition(':')[2].strip()}",
            hint="Use a URL such as https://host or http://127.0.0.1:4566.",
            side=side,
        )
    if isinstance(exc, WrongType):
        return _foreign_answer(operation, str(exc), side)
    # For XML, botocore's parser raises exceptions outside botocore's hierarchy.
    if type(exc).__name__ == "ResponseParserError":
        return _foreign_answer(operation, str(exc).partition("\n")[0], side)
    return None


def _foreign_answer(operation: str, detail: str, side: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the response to {operation} is truncated or not from AWS",
        detail=detail,
        hint="Check endpoint_url. A proxy or a captive portal may have answered.",
        side=side,
    )


def _unknown(exc: Exception, role: Role, operation: str) -> EcrTuiError:
    side = str(role)
    # botocore treats a broken JSON body as an empty response, which shows up as a missing member later.
    if isinstance(exc, KeyError):
        return _foreign_answer(operation, f"{exc} is missing", side)
    # Its parser accepts bodies of any type.
    if isinstance(exc, AttributeError | TypeError | IndexError | OverflowError):
        return _foreign_answer(operation, f"unexpected structure ({type(exc).__name__})", side)
    return EnvironmentFailure(
        f"{operation} failed ({type(exc).__name__})", detail=str(exc) or type(exc).__name__, side=side
    )
