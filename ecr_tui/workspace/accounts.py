"""The two accounts: profiles, sessions and identities."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

from ecr_tui.aws.errors import missing_region, no_configuration
from ecr_tui.aws.model import Identity, MfaPrompt, Profile, Role, RoleToAssume
from ecr_tui.aws.organizations import organization_id
from ecr_tui.aws.profiles import list_profiles
from ecr_tui.aws.sessions import AwsSession, list_regions
from ecr_tui.config import Consumer, Settings
from ecr_tui.errors import InputError
from ecr_tui.policy.principal import needs_account, parse_grantee, without_session

_APP = "selected in the app"


class Chosen(TypedDict, total=False):
    """Arguments of :meth:`Accounts.use`. ``profile_a`` "" is botocore's default, ``profile_b`` "" means none. A role is
    assumed with the profile given with it, and dropped if a profile is given without one. ``consumer`` is a name in
    ``Settings.consumers``, instead of ``profile_b``; it keeps its role unless ``assume_b`` is given."""

    profile_a: str
    profile_b: str
    consumer: str
    regions: Sequence[str]
    assume_a: RoleToAssume | None
    assume_b: RoleToAssume | None


class Accounts:
    """Thread-safe. Blocking, except :meth:`assumed` and :meth:`expires_at`."""

    def __init__(
        self,
        settings: Settings,
        ask_mfa: Callable[[MfaPrompt], str] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        """As :class:`ecr_tui.workspace.Workspace`."""
        self.settings = settings
        self.ask_mfa = ask_mfa
        self._prepare = prepare
        self._lock = threading.RLock()
        # By role for the owner, by name for consumers.
        self._sessions: dict[Role | str, AwsSession] = {}
        self._assumed: dict[Role | str, RoleToAssume] = {}
        self._met: dict[str, str] = {}  # known account by profile

    def profiles(self) -> tuple[Profile, ...]:
        """The account of access keys is not in the config, so it is known only after a call."""
        met = self._met
        return tuple(
            one if one.account else one._replace(account=met.get(one.name, one.account)) for one in list_profiles()
        )

    def region_names(self, like: str | None = None) -> tuple[str, ...]:
        """As ``aws.sessions.list_regions``."""
        return list_regions(like)

    def use(self, **chosen: Unpack[Chosen]) -> None:
        """Switch profiles or regions; others stay. Drops sessions that no longer match."""
        with self._lock:
            if "profile_a" in chosen:
                self.settings = self.settings.changed(_APP, profile_a=chosen["profile_a"] or None)
                self._assume(Role.OWNER, chosen.get("assume_a"))
            if "consumer" in chosen:
                self.settings = self.settings.consuming(_APP, chosen["consumer"])
                if "assume_b" in chosen:
                    self._assume(chosen["consumer"], chosen["assume_b"])
            elif "profile_b" in chosen:
                self._consume(chosen["profile_b"], chosen.get("assume_b"))
            if "regions" in chosen:
                self.settings = self.settings.changed(_APP, regions=tuple(chosen["regions"]))
                self._sessions.clear()

    def _consume(self, profile: str, role: RoleToAssume | None) -> None:
        """The consumer with this profile and role, or a new one."""
        known = self.settings.consumers
        if not profile:
            self.settings = self.settings.changed(_APP, profile_b=None, consumer_name="", named_consumers=known)
            return
        fitting = [one for one in known if one.profile == profile and self._assumed.get(one.name) == role]
        name = profile if role is None else f"{profile} as {role.arn.rpartition('/')[2]}"
        consumer = fitting[0] if fitting else Consumer(name, profile)
        others = [one for one in known if one.name != consumer.name]
        self.settings = self.settings.changed(
            _APP,
            profile_b=profile,
            consumer_name=consumer.name,
            named_consumers=known if consumer in known else (*others, consumer),
        )
        self._assume(consumer.name, role)

    def _assume(self, key: Role | str, role: RoleToAssume | None) -> None:
        self._assumed.pop(key, None)
        if role is not None:
            self._assumed[key] = role
        self._sessions.pop(key, None)

    def _key(self, role: Role) -> Role | str:
        consumer = self.settings.consumer
        return consumer.name if role is Role.CONSUMER and consumer is not None else role

    def choose(self, **values: Any) -> None:
        """Change other settings for the rest of the session: ``engine``, ``columns``."""
        with self._lock:
            self.settings = self.settings.changed(_APP, **values)

    def renew(self, role: Role) -> None:
        """Read this side's credentials again on the next call: from the AWS config, sign-in caches and programs."""
        with self._lock:
            self._sessions.pop(self._key(role), None)

    def assumed(self, role: Role) -> RoleToAssume | None:
        """The role that this side assumes with its profile's credentials, in memory."""
        return self._assumed.get(self._key(role))

    def expires_at(self, role: Role) -> datetime | None:
        """When the current credentials expire; None if unknown. Makes no call."""
        session = self._sessions.get(self._key(role))
        return None if session is None else session.expires_at()

    def session(self, role: Role) -> AwsSession:
        if role is Role.CONSUMER:
            return self.consumer_session()
        with self._lock:
            return self._session(Role.OWNER, self.settings.profile_a, Role.OWNER)

    def _session(self, key: Role | str, profile: str | None, role: Role) -> AwsSession:
        if self._prepare is not None:
            self._prepare()
            self._prepare = None
        if key not in self._sessions:
            region = self.settings.regions[0] if self.settings.regions else None
            self._sessions[key] = AwsSession(role, profile, region, self.ask_mfa, self._assumed.get(key))
        return self._sessions[key]

    def to_write(self) -> tuple[AwsSession, str]:
        """The owner's session and its read-only reason ("" if writable), consistent for one profile.

        Every write goes through this or ``Settings.check_writable``."""
        with self._lock:
            return self.session(Role.OWNER), self.settings.read_only_reason

    def owner(self) -> Identity:
        return self._identity(self.session(Role.OWNER), Role.OWNER)

    def consumer(self, consumer: Consumer | None = None) -> Identity:
        """The caller of a consumer, by default the current one. Raises InputError if it is in another account than
        configured."""
        with self._lock:
            consumer, session = consumer or self.settings.consumer, self.consumer_session(consumer)
        name = consumer.name if consumer is not None else Role.CONSUMER
        identity = self._identity(session, name)
        if consumer is not None and consumer.account not in (None, identity.account):
            raise InputError(
                f"profile {consumer.profile} is in account {identity.account}, not in {consumer.account}",
                hint=f"Correct account or profile of the consumer {consumer.name!r} in the configuration.",
                side=Role.CONSUMER.value,
            )
        return identity

    def _identity(self, session: AwsSession, key: Role | str) -> Identity:
        identity = session.identity()
        if key not in self._assumed:
            self._met[session.profile or "default"] = identity.account
        return identity

    def consumer_session(self, consumer: Consumer | None = None) -> AwsSession:
        """The session of a consumer, by default the current one. Raises InputError if it has no profile."""
        with self._lock:
            consumer = consumer or self.settings.consumer
            if consumer is None:
                raise InputError(
                    "no profile for account B",
                    hint="Set --profile-b or ECR_TUI_PROFILE_B, or press A in the app.",
                    side=Role.CONSUMER.value,
                )
            if consumer.profile is None:
                raise InputError(
                    f"the consumer {consumer.name!r} has no profile, so no calls can be made as it",
                    hint="Add profile to it in the configuration, or select another consumer.",
                    side=Role.CONSUMER.value,
                )
            return self._session(consumer.name, consumer.profile, Role.CONSUMER)

    def sessions_of(self, account: str) -> list[AwsSession]:
        """Sessions of consumers known to be in that account; makes no call."""
        with self._lock:
            return [
                self.consumer_session(one)
                for one in self.settings.consumers
                if one.profile is not None and (one.account or self._met.get(one.profile)) == account
            ]

    def regions(self) -> tuple[str, ...]:
        """The requested regions, else the owner profile's region. Raises InputError if there is none."""
        if self.settings.regions:
            return self.settings.regions
        session = self.session(Role.OWNER)
        region = session.region
        if region is None:
            raise missing_region(Role.OWNER, session.profile) if self.profiles() else no_configuration(Role.OWNER)
        return (region,)

    def principal(self, text: str) -> str:
        """Parse input of ``--to`` and the principal prompt into a canonical ARN (policy.principal.parse_grantee).

        Calls AWS as account B only for forms that need its id, if the configuration lacks it.
        """
        text = text.strip()
        account, partition = None, "aws"
        if needs_account(text):
            consumer = self.settings.consumer
            if consumer is not None and consumer.account is not None:
                account, partition = consumer.account, self.owner().partition
            else:
                identity = self.consumer()
                account, partition = identity.account, identity.partition
        elif not text.startswith("arn:"):
            partition = self.owner().partition
        return parse_grantee(text, account_b=account, partition=partition)

    def principals(self, texts: Iterable[str]) -> tuple[str, ...]:
        """As :meth:`principal`, without duplicates."""
        return tuple(dict.fromkeys(map(self.principal, texts)))

    def consumer_principal(self) -> str:
        """Account B's caller as a principal for policies: a session's role, else the caller itself."""
        return without_session(self.consumer().arn)

    def consumer_principals(self, consumer: Consumer | None = None) -> tuple[str, ...]:
        """The principals of a grant to a consumer (default: the current one): as configured, else its caller."""
        consumer = consumer or self.settings.consumer
        if consumer is None or (consumer.profile is not None and not consumer.principals):
            return (without_session(self.consumer(consumer).arn),)
        account = consumer.account
        if account is None and any(map(needs_account, consumer.principals)):
            account = self.consumer(consumer).account
        return consumer.grantees(account, self.owner().partition)

    def organization(self) -> str:
        """The id of account B's organization, or ""."""
        return organization_id(self.consumer_session())

    def callers(self) -> tuple[str, ...]:
        """The principals whose access counts as account B's: as configured, else its caller (for a role the session,
        which policies may also name)."""
        consumer = self.settings.consumer
        if consumer is None or (consumer.profile is not None and not consumer.principals):
            return (self.consumer().arn,)
        return self.consumer_principals()

    def is_current(self, session: AwsSession) -> bool:
        """Whether it is still the owner's session; the account may have been switched."""
        return self._sessions.get(Role.OWNER) is session
