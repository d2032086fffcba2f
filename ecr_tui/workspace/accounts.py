"""The two accounts: their profiles, sessions, and who they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict, Unpack

from ecr_tui.aws.errors import missing_region, no_configuration
from ecr_tui.aws.model import Identity, MfaPrompt, Profile, Role, RoleToAssume
from ecr_tui.aws.profiles import list_profiles
from ecr_tui.aws.sessions import AwsSession, list_regions
from ecr_tui.config import Settings
from ecr_tui.errors import InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.evaluate import principal_arn
from ecr_tui.policy.principal import parse_grantee


class Chosen(TypedDict, total=False):
    """What :meth:`Accounts.use` switches to. ``profile_a`` "" is botocore's own default, ``profile_b`` "" nobody. A
    role is assumed with the profile that is named beside it, and given up when a profile is named without one."""

    profile_a: str
    profile_b: str
    regions: Sequence[str]
    assume_a: RoleToAssume | None
    assume_b: RoleToAssume | None


class Accounts:
    """Thread-safe. Blocking, but for :meth:`assumed` and :meth:`expires_at`."""

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
        self._sessions: dict[Role, AwsSession] = {}
        self._assumed: dict[Role, RoleToAssume] = {}
        self._met: dict[str, str] = {}  # the account by profile, of those that were asked

    def profiles(self) -> tuple[Profile, ...]:
        """The config tells no account of access keys: it is known once their caller was asked for."""
        met = self._met
        return tuple(
            one if one.account else replace(one, account=met.get(one.name, one.account)) for one in list_profiles()
        )

    def region_names(self, like: str | None = None) -> tuple[str, ...]:
        """As ``aws.sessions.list_regions``."""
        return list_regions(like)

    def use(self, **chosen: Unpack[Chosen]) -> None:
        """Switch profiles or regions; what is not named stays. The sessions that no longer fit are dropped."""
        with self._lock:
            if "profile_a" in chosen:
                self._use(Role.OWNER, "profile_a", chosen["profile_a"], chosen.get("assume_a"))
            if "profile_b" in chosen:
                self._use(Role.CONSUMER, "profile_b", chosen["profile_b"], chosen.get("assume_b"))
            if "regions" in chosen:
                self.settings = self.settings.changed("chosen in the app", regions=tuple(chosen["regions"]))
                self._sessions.clear()

    def _use(self, role: Role, name: str, profile: str, assume: RoleToAssume | None) -> None:
        self.settings = self.settings.changed("chosen in the app", **{name: profile or None})
        self._assumed.pop(role, None)
        if assume is not None:
            self._assumed[role] = assume
        self._sessions.pop(role, None)

    def choose(self, **values: Any) -> None:
        """Other settings than profiles and regions, for the rest of the session: ``engine``, ``columns``."""
        with self._lock:
            self.settings = self.settings.changed("chosen in the app", **values)

    def renew(self, role: Role) -> None:
        """Read this side's credentials afresh at the next call: from the AWS config, sign-in caches and programs."""
        with self._lock:
            self._sessions.pop(role, None)

    def assumed(self, role: Role) -> RoleToAssume | None:
        """The role that this side assumes with its profile's credentials, in memory."""
        return self._assumed.get(role)

    def expires_at(self, role: Role) -> datetime | None:
        """When the credentials at hand end; None where that is not known. Asks nobody."""
        session = self._sessions.get(role)
        return None if session is None else session.expires_at()

    def session(self, role: Role) -> AwsSession:
        with self._lock:
            if self._prepare is not None:
                self._prepare()
                self._prepare = None
            if role not in self._sessions:
                profile = self.settings.profile_a if role is Role.OWNER else self.settings.profile_b
                region = self.settings.regions[0] if self.settings.regions else None
                self._sessions[role] = AwsSession(role, profile, region, self.ask_mfa, self._assumed.get(role))
            return self._sessions[role]

    def to_write(self) -> tuple[AwsSession, str]:
        """The owner's session and why it may not write ("" when it may): of one profile, whatever is chosen meanwhile.

        Every write of this class's parts goes through this or through ``Settings.check_writable``."""
        with self._lock:
            return self.session(Role.OWNER), self.settings.read_only_reason

    def owner(self) -> Identity:
        return self._identity(Role.OWNER, self.session(Role.OWNER))

    def consumer(self) -> Identity:
        return self._identity(Role.CONSUMER, self.consumer_session())

    def _identity(self, role: Role, session: AwsSession) -> Identity:
        identity = session.identity()
        if role not in self._assumed:
            self._met[session.profile or "default"] = identity.account
        return identity

    def consumer_session(self) -> AwsSession:
        if self.settings.profile_b is None:
            raise InputError(
                "no profile for account B",
                hint="Set --profile-b or ECR_TUI_PROFILE_B, or press A in the app.",
                side=Role.CONSUMER.value,
            )
        return self.session(Role.CONSUMER)

    def regions(self) -> tuple[str, ...]:
        """The regions asked for, else the owner profile's own one. Raises InputError where nothing names one."""
        if self.settings.regions:
            return self.settings.regions
        session = self.session(Role.OWNER)
        region = session.region
        if region is None:
            raise missing_region(Role.OWNER, session.profile) if self.profiles() else no_configuration(Role.OWNER)
        return (region,)

    def principal(self, text: str) -> str:
        """What ``--to`` and the principal prompt accept, as a canonical ARN (policy.principal.parse_grantee).

        Account B is asked who it is only for the forms that need its id.
        """
        text = text.strip()
        account, partition = None, "aws"
        if text.startswith(("user/", "role/")) or text == grantees.SERVICE + grantees.LAMBDA:
            identity = self.consumer()
            account, partition = identity.account, identity.partition
        elif not text.startswith("arn:"):
            partition = self.owner().partition
        return parse_grantee(text, account_b=account, partition=partition)

    def principals(self, texts: Iterable[str]) -> tuple[str, ...]:
        """As :meth:`principal`, each once, with what a grantee needs beside itself (``grantees.companions``)."""
        found: dict[str, None] = {}
        for text in texts:
            principal = self.principal(text)
            found[principal] = None
            if grantees.is_conditional(principal):
                found |= dict.fromkeys(grantees.companions(principal, self.owner().partition))
        return tuple(found)

    def consumer_principal(self) -> str:
        """Account B's own caller as something a policy can name: a session's role, else the caller itself."""
        return principal_arn(caller_of(self.consumer().arn))

    def is_current(self, session: AwsSession) -> bool:
        """Whether it is still the owner's: another account may have been chosen meanwhile."""
        return self._sessions.get(Role.OWNER) is session
