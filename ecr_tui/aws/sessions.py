"""One session per account: uses the user's AWS config, with time limits and without terminal prompts.

botocore reads everything (AWS_CONFIG_FILE, AWS_PROFILE, SSO, assume-role, credential_process, endpoint_url); this
module only removes hangs and prompts. boto3 is imported at first use, never with the module.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, overload

from ecr_tui import __version__, secret
from ecr_tui.aws import call_hooks, errors, exchange, hosts, quiet
from ecr_tui.aws.assuming import assume
from ecr_tui.aws.model import Identity, MfaPrompt, Role, RoleToAssume
from ecr_tui.aws.plain_answers import prefer_plain_lists
from ecr_tui.aws.profiles import chain, full_config, login_command
from ecr_tui.aws.shapes import check_answer
from ecr_tui.config import close_match
from ecr_tui.errors import CredentialsError, EcrTuiError, InputError

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from botocore.loaders import Loader
    from botocore.model import OperationModel
    from botocore.session import Session as CoreSession
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_sts import STSClient

AskMfa = Callable[[MfaPrompt], str]

CONNECT_TIMEOUT = 3
READ_TIMEOUT = 10
PATIENCE = 6.0
"""Seconds after which a call with only network failures is not retried. botocore counts attempts, not time: eight
addresses that drop packets cost 24 s per attempt, and background clients make ten attempts."""
REFUSED_PATIENCE = 30.0
"""As :data:`PATIENCE`, for throttling and server errors."""
POOL = 16
_MFA_MARGIN = 11 * 60
"""Seconds before expiry at which MFA credentials are requested again: botocore forces renewal at 10 minutes."""
_making = threading.Lock()
"""Held while a session or client is created, which takes tens of milliseconds of CPU: two threads at once would leave
the interface a third of the time."""
_one_question = threading.Lock()
"""Held during an MFA prompt, so that two accounts prompt one after the other."""


def list_regions(like: str | None = None) -> tuple[str, ...]:
    """The regions with ECR in the partition of the region ``like`` (None: the commercial partition).

    The list depends on botocore's version; regions missing from it still work.
    """
    import boto3

    session = boto3.session.Session(botocore_session=_core_session(None))
    with contextlib.suppress(Exception):
        partition = session.get_partition_for_region(like) if like else "aws"
        return tuple(sorted(session.get_available_regions("ecr", partition_name=partition)))
    return ()


class AwsSession:
    """AWS session of one account. Thread-safe; creating one does no I/O.

    ``profile`` None means botocore's own default resolution (AWS_PROFILE, then environment keys, then "default").
    ``region`` None means the profile's or AWS_REGION's. ``ask_mfa`` is called from the thread that needs credentials,
    once per session lifetime; without it a profile that needs a code fails with CredentialsError. ``assume``: a role to
    assume with the profile's credentials.
    """

    def __init__(
        self,
        role: Role,
        profile: str | None = None,
        region: str | None = None,
        ask_mfa: AskMfa | None = None,
        assume: RoleToAssume | None = None,
    ) -> None:
        self.role = role
        self.profile = profile
        self.assume = assume
        self._wanted_region = region
        self._ask_mfa = ask_mfa
        self._lock = threading.RLock()
        self._clear()

    def _clear(self) -> None:
        self._session: boto3.session.Session | None = None
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._identity: Identity | None = None
        self._resolved = self._mfa = False
        self._login_command = ""

    @property
    def region(self) -> str | None:
        """The default region of this session, or None."""
        return self._wanted_region or self._boto().region_name

    def registry_host(self, host: str, account: str, region: str, partition: str) -> str:
        """The host for the registry ``host`` of ``account``, with FIPS or dual-stack endpoints if configured. Raises
        EnvironmentFailure for a host that must not get this caller's token."""
        if not hosts.is_registry_of(host, account, region, partition):
            hosts.check_named(host, self.client("ecr", region).meta.endpoint_url, account, region)
            return host
        core = self._boto()._session
        with self.calling("reading the AWS config"):
            return hosts.reached_at(
                host,
                fips=bool(core.get_config_variable("use_fips_endpoint")),
                dual_stack=bool(core.get_config_variable("use_dualstack_endpoint")),
            )

    @property
    def login_command(self) -> str:
        """The shell command that renews this profile's sign-in; "" if none, or before the first call."""
        return self._login_command

    @overload
    def client(self, service: Literal["ecr"], region: str | None = None, *, background: bool = False) -> ECRClient: ...
    @overload
    def client(self, service: Literal["sts"], region: str | None = None, *, background: bool = False) -> STSClient: ...
    @overload
    def client(self, service: Literal["iam"], region: str | None = None, *, background: bool = False) -> IAMClient: ...
    @overload
    def client(
        self, service: Literal["resourcegroupstaggingapi"], region: str | None = None, *, background: bool = False
    ) -> ResourceGroupsTaggingAPIClient: ...
    @overload
    def client(
        self,
        service: Literal["accessanalyzer", "cloudtrail", "ecs", "iam-toolbox", "lambda", "organizations"],
        region: str | None = None,
        *,
        background: bool = False,
    ) -> Any: ...

    def client(self, service: Any, region: str | None = None, *, background: bool = False) -> Any:
        """A client, cached per service, region and kind. Make its calls inside :meth:`calling`.

        ``background`` clients back off adaptively (10 attempts) for bulk reads; the others fail fast, so that a grant
        never waits for a listing's rate limiter. The first call resolves the credentials. Raises InputError (no region,
        unknown profile) and CredentialsError.
        """
        return self._client(service, region, "background" if background else "foreground")

    def offers(self, service: str) -> bool:
        """Whether the installed botocore has it. Makes no call."""
        return service in self._boto().get_available_services()

    def partition_of(self, region: str) -> str:
        """The partition of a region name; "" if unknown."""
        from botocore.exceptions import UnknownRegionError

        try:
            return self._boto().get_partition_for_region(region)
        except UnknownRegionError:
            return ""

    def ecr_once(self, region: str | None = None) -> ECRClient:
        """An ECR client that sends each request once, for callers with their own retries: paced runs, and all writes,
        which read the live state again first."""
        client: ECRClient = self._client("ecr", region, "once")
        return client

    def _client(self, service: str, region: str | None, kind: str) -> Any:
        with self._lock:
            self._renew_mfa()
            session = self._boto()
            name = region or session.region_name
            if not name:
                raise errors.missing_region(self.role, self.profile)
            self._resolve(session)
            key = (service, name, kind)
            if key not in self._clients:
                with _making, self.calling(f"preparing the client of {service}"):
                    made = session.client(service, region_name=name, config=_config(kind))  # type: ignore[call-overload]
                prefer_plain_lists(made, service)
                self._clients[key] = made
            return self._clients[key]

    @contextmanager
    def calling(self, operation: str) -> Iterator[None]:
        """Context for AWS calls: converts their exceptions into EcrTuiError with this session's side."""
        with errors.calling(self.role, operation, profile=self.profile, login_command=self._login_command):
            yield

    def identity(self) -> Identity:
        """The caller from sts:GetCallerIdentity; cached, except ``expires_at``, which is current."""
        sts = self.client("sts")
        known = self._identity
        if known is None:
            with self.calling("sts:GetCallerIdentity"):
                answer = sts.get_caller_identity()
                known = self._identity = Identity(
                    role=self.role,
                    profile=self.profile,
                    account=answer["Account"],
                    arn=answer["Arn"],
                    user_id=answer["UserId"],
                    region=self.region,
                )
        return known._replace(expires_at=self.expires_at())

    def _boto(self) -> boto3.session.Session:
        with self._lock:
            if self._session is None:
                with _making, self.calling("reading the AWS config"):
                    self._session = self._make()
            return self._session

    def _make(self) -> boto3.session.Session:
        import boto3
        from botocore.utils import get_environ_proxies

        for proxy in get_environ_proxies("").values():
            secret.remember_url(proxy)
        core = _core_session(self.profile, str(self.role))
        profiles = full_config(core).get("profiles", {})
        name = core.get_config_variable("profile")
        if name and name not in profiles:
            known = (
                f"Choose one of: {', '.join(islice(profiles, 8))}."
                if profiles
                else "Create a profile with aws configure, or run ecr-tui demo, which needs none."
            )
            raise InputError(
                f"no profile {name!r} in the AWS config", hint=close_match(name, profiles) or known, side=str(self.role)
            )
        core.register_component("data_loader", _models(core.get_config_variable("data_path")))
        if self._wanted_region:
            core.set_config_variable("region", self._wanted_region)
        links = list(chain(name or "default", profiles))
        self._mfa = any("mfa_serial" in section for _, section in links)
        self._login_command = next(filter(None, (login_command(*link) for link in links)), "")
        cache = quiet.assumed_roles(self.profile)
        quiet.tame(core, self._mfa_code, cache=cache)
        note = ""
        if self.assume is not None:
            self._mfa = self._mfa or bool(self.assume.mfa_serial)
            assume(core, self.assume, self._mfa_code, cache=cache)
            note = f"as {self.assume.arn}, assumed with this profile"
        call_hooks.record(core.get_component("event_emitter"), side=str(self.role), profile=self.profile, note=note)
        return boto3.session.Session(botocore_session=core)

    def _resolve(self, session: boto3.session.Session) -> None:
        """Fetch the credentials separately from any call, so that a failure is reported as a credentials error."""
        if self._resolved:
            return
        from botocore.exceptions import NoCredentialsError

        try:
            credentials = session.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            frozen = credentials.get_frozen_credentials()
            secret.remember(frozen.secret_key)
            secret.remember(frozen.token)
        except Exception as exc:
            failure = errors.credentials_failure(exc, self.role, self.profile, self._login_command)
            if self.assume is not None and not isinstance(exc, EcrTuiError):
                failure = errors.not_assumed(failure, exc, self.assume, self.profile)
            # The next attempt reads the config again, because the user may have corrected it.
            self._clear()
            raise failure from exc
        self._resolved = True

    def _mfa_code(self, device: str) -> str:
        profile = self.profile or "default"
        if self._ask_mfa is None:
            raise CredentialsError(
                f"profile {profile!r} needs an MFA code for {device}, but there is no terminal",
                hint="Start the terminal interface, or use credentials of a session with MFA.",
                side=str(self.role),
            )
        with _one_question:
            code = self._ask_mfa(MfaPrompt(profile=profile, device=device)).strip()
        if not code:
            raise CredentialsError(f"no MFA code entered for profile {profile!r}", side=str(self.role))
        return code

    def _renew_mfa(self) -> None:
        """botocore cannot prompt for a second code on the same session, so the session is replaced before expiry."""
        if self._mfa:
            ends = self.expires_at()
            if ends is not None and (ends - datetime.now(UTC)).total_seconds() < _MFA_MARGIN:
                self._clear()

    def expires_at(self) -> datetime | None:
        """When the current credentials expire (UTC), None if unknown. Makes no call."""
        if self._session is None or not self._resolved:
            return None
        # RefreshableCredentials has the expiry only in a private attribute.
        ends = getattr(self._session.get_credentials(), "_expiry_time", None)
        return ends.astimezone(UTC) if isinstance(ends, datetime) else None


@lru_cache(maxsize=4)
def _models(data_path: str | None) -> Loader:
    """Service models, which take most of the time to create a client; loaded once for all sessions."""
    from botocore.loaders import create_loader

    return create_loader(data_path)


def _core_session(profile: str | None, side: str = "") -> CoreSession:
    import botocore.session
    from botocore.httpsession import URLLib3Session

    core = botocore.session.Session(profile=profile)
    core.set_default_client_config(_config("foreground"))
    # botocore's parser takes a third of a listing's time, for an unused time zone.
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
    events = core.get_component("event_emitter")
    events.register("before-call", _note_start)
    events.register("before-send", _remember_token)

    def client(proxies: dict[str, str]) -> URLLib3Session:
        return URLLib3Session(
            verify=exchange.certificates(core.get_config_variable("ca_bundle")),
            proxies=proxies,
            timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),  # type: ignore[arg-type]
            max_pool_connections=POOL,
            # As in botocore: without it a request's body waits some 40 ms for the acknowledgement of its head.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # type: ignore[list-item]
        )

    events.register("after-call", check_answer)
    events.register("before-send", exchange.Exchange(client, side))
    # Two wildcards: the more specific handler runs first, and botocore's is registered with one part less.
    events.register("needs-retry.*.*", _give_up)
    return core


_RETRIES: dict[str, dict[str, Any]] = {
    # "max_attempts" would count the retries only.
    "foreground": {"mode": "standard", "total_max_attempts": 3},
    "background": {"mode": "adaptive", "total_max_attempts": 10},
    "once": {"mode": "standard", "total_max_attempts": 1},
}
"""By kind of client."""


def _config(kind: str) -> Config:
    from botocore.config import Config

    retries: Any = dict(_RETRIES[kind])  # botocore modifies it
    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        max_pool_connections=POOL,
        retries=retries,
        user_agent_extra=f"ecr-tui/{__version__}",
    )


def _timestamp(value: Any) -> datetime:
    """A time in an AWS response: seconds since 1970 in JSON, else one of several text formats."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    from botocore.utils import parse_timestamp

    parsed: datetime = parse_timestamp(value)
    return parsed


def _remember_token(request: Any, **_: object) -> None:
    """Credentials may be renewed at any time; a response can only quote those that were sent."""
    token = request.headers.get("X-Amz-Security-Token")
    secret.remember(token.decode() if isinstance(token, bytes) else token)


_STARTED = "ecr_tui.started"


def _note_start(context: dict[str, Any], **_: object) -> None:
    context[_STARTED] = time.monotonic()


def _give_up(
    response: tuple[Any, dict[str, Any]] | None,
    operation: OperationModel,
    caught_exception: Exception | None,
    request_dict: dict[str, Any],
    **_: object,
) -> None:
    """A "needs-retry" handler that runs first: raising ends the call; returning leaves the retry to botocore.

    Raises because the meaning of False depends on the version: before botocore 1.43.3, an endless immediate retry.
    ``caught_exception`` is set for network failures; throttling and 5xx arrive as responses and have a longer limit.
    """
    from botocore.exceptions import ClientError

    started = request_dict.get("context", {}).get(_STARTED)
    passed = 0.0 if started is None else time.monotonic() - started
    if caught_exception is not None and passed >= PATIENCE:
        raise caught_exception
    if response is not None and response[0].status_code >= 300 and passed >= REFUSED_PATIENCE:
        raise ClientError(response[1], operation.name)  # type: ignore[arg-type]
