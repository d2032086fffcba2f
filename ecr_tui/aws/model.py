"""Data types of AWS for other packages: plain values, importable without boto3."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ecr_tui.aws.role import Role as Role
from ecr_tui.errors import InputError
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.secret import Secret


class Profile(NamedTuple):
    """A profile of the user's AWS config.

    ``kind``: "sso", "login", "assume-role", "process", "keys", "web-identity" or "other". ``account`` is the account id
    if the config has it, else "". ``source``: origin of the credentials, such as a profile, a program's name, an SSO
    session. ``login_command``: shell command that renews its sign-in, "" if none.
    """

    name: str
    kind: str
    region: str | None = None
    account: str = ""
    source: str = ""
    login_command: str = ""


class RoleToAssume(NamedTuple):
    """A role to assume with a profile's credentials, in memory only."""

    arn: str
    external_id: str = ""
    mfa_serial: str = ""

    @classmethod
    def parse(cls, arn: str, external_id: str = "", mfa_serial: str = "") -> RoleToAssume | None:
        """Parse user input; None without a role. Raises InputError.

        Limits of STS (AssumeRole): an external id has 2 to 1,224 characters of a restricted set.
        """
        arn, external_id, mfa_serial = arn.strip(), external_id.strip(), mfa_serial.strip()
        if not arn:
            if external_id or mfa_serial:
                raise InputError("an external id or MFA device needs a role", hint="Add the role's ARN.")
            return None
        if re.fullmatch(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/.+", arn):
            raise InputError(
                "this is the ARN of a role session, not of a role",
                hint="Use an ARN such as arn:aws:iam::111122223333:role/NAME.",
            )
        if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/[\x21-\x7e]+", arn):
            raise InputError(
                f"not the ARN of a role: {arn[:80]}", hint="Use an ARN such as arn:aws:iam::111122223333:role/NAME."
            )
        if external_id and not re.fullmatch(r"[\w+=,.@:/-]{2,1224}", external_id, re.ASCII):
            raise InputError("the external id has characters that STS rejects", hint="Use only A-Z a-z 0-9 _+=,.@:/-")
        if mfa_serial and not re.fullmatch(r"[\w+=/:,.@-]{9,256}", mfa_serial, re.ASCII):
            raise InputError(
                "not an MFA device",
                hint="Use an ARN such as arn:aws:iam::111122223333:mfa/NAME, or the serial number of a device.",
            )
        return cls(arn, external_id, mfa_serial)

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]


class Identity(NamedTuple):
    """The response of sts:GetCallerIdentity for a profile."""

    role: Role
    profile: str | None
    account: str
    arn: str
    user_id: str
    region: str | None
    expires_at: datetime | None = None
    """When temporary credentials expire (UTC); None for long-term keys or if unknown."""

    @property
    def partition(self) -> str:
        return self.arn.split(":", 2)[1]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of account A. ``tags`` is None while unknown, {} if it has none.

    Rows with equal tags share the dictionary: never modify it.
    """

    name: str
    arn: str
    uri: str
    region: str
    account: str
    tags: dict[str, str] | None = field(default=None, hash=False)
    mutability: str = "MUTABLE"
    created_at: datetime | None = None
    tags_source: str = field(default="", compare=False)
    """Source of ``tags``: "index" (tag:GetResources, eventually consistent), "live" (ecr:ListTagsForResource, as seen
    by policy conditions), "cache" (a previous run), "" while unknown."""

    @property
    def host(self) -> str:
        """The registry host, always taken from A's repositoryUri (never built, never the token's proxyEndpoint)."""
        return self.uri.split("/", 1)[0]

    @property
    def partition(self) -> str:
        return self.arn.split(":", 2)[1]

    def own(self, key: str) -> tuple[tuple[str, str], ...]:
        """Its tag ``key`` as a condition of a grant; () if it has none."""
        return ((key, self.tags[key]),) if self.tags and key in self.tags else ()


@dataclass(frozen=True)
class TemplatePlace(Repository):
    """A creation template as a place with a policy and tags, for its future repositories.

    ``name`` is a description ("template payments"); ``arn`` is a pattern that matches their ARNs (a repository's own
    ARN never contains ``*``). ``applied_for`` as in :class:`CreationTemplate`.
    """

    applied_for: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """The template's prefix without a final slash."""
        below = self.arn.partition(":repository/")[2].removesuffix("*").rstrip("/")
        return below or ROOT


ROOT = "ROOT"
"""Prefix of the template for repositories without another template."""


def place_of(name: str, arn: str, region: str, account: str) -> Repository:
    """The owner of a policy by its ARN: a repository, or a creation template."""
    if not arn.endswith("*"):
        return Repository(name, arn, "", region, account)
    return TemplatePlace(name, arn, "", region, account)


class MfaPrompt(NamedTuple):
    """Contents of an MFA prompt: the profile and the device's ARN."""

    profile: str
    device: str


class RegistryToken(NamedTuple):
    """The response of ecr:GetAuthorizationToken: Basic credentials of the *caller*, valid for all its registries.

    It is not tied to a registry; access is decided at each request (reference: AWS calls
    ``registryIds`` deprecated, "doesn't change the permissions scope"). Valid for 12 hours on AWS.
    """

    username: str
    password: Secret
    expires_at: datetime | None


@dataclass(frozen=True)
class ImagesSummary:
    """Number of images in a repository, and times of the last push and pull (UTC; None: none recorded).

    ECR updates the time of a pull at least once every 24 hours. ``complete`` False: counting stopped at its limit, so
    ``count`` is a minimum and the times may be later.
    """

    count: int
    last_push: datetime | None
    last_pull: datetime | None = None
    complete: bool = True


class NamedPolicy(NamedTuple):
    """An IAM policy. ``origin``: "inline", "attached", "group developers, inline", "permissions boundary" ...

    ``arn`` is "" for an inline policy.
    """

    name: str
    origin: str
    document: PolicyDocument
    arn: str = ""


class IdentityPolicies(NamedTuple):
    """IAM's data for a user or role: complete, or with the reason why it is unknown.

    ``principal`` as requested; ``arn`` of the user or role with its path, once read from IAM. ``tags`` are the
    principal's, ``user_id`` its unique id. ``unreadable`` is "" if everything was read; else a sentence with AWS's
    message, and ``policies`` and ``boundary`` are empty, because partial data would be misleading.
    """

    principal: str
    arn: str
    policies: tuple[NamedPolicy, ...] = ()
    boundary: NamedPolicy | None = None
    tags: tuple[tuple[str, str], ...] = ()
    user_id: str = ""
    unreadable: str = ""
    notes: tuple[str, ...] = ()

    @property
    def documents(self) -> tuple[PolicyDocument, ...] | None:
        """For ``policy.evaluate.Policies.identity``; None if unreadable."""
        return None if self.unreadable else tuple(item.document for item in self.policies)

    @property
    def boundaries(self) -> tuple[PolicyDocument, ...]:
        return () if self.boundary is None else (self.boundary.document,)


class CreationTemplate(NamedTuple):
    """Settings for repositories that ECR creates under ``prefix`` ("ROOT": if no other template matches).

    ``applied_for``: "PULL_THROUGH_CACHE", "REPLICATION", "CREATE_ON_PUSH". Does not apply to repositories created with
    CreateRepository.
    """

    prefix: str
    applied_for: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    policy_text: str | None = None
    mutability: str = ""


class RegistryFacts(NamedTuple):
    """Registry-level facts that affect access, for one region of account A.

    ``policy_text`` None: no registry policy, or unreadable (``policy_unreadable`` has the reason). ``scope``: "V2"
    (applies to every ECR action) or "V1" (three actions of replication and caching); "" if unknown
    (``scope_unreadable`` has the reason). ``templates`` likewise.
    """

    region: str
    policy_text: str | None = None
    policy_unreadable: str = ""
    scope: str = "V2"
    scope_unreadable: str = ""
    templates: tuple[CreationTemplate, ...] = ()
    templates_unreadable: str = ""


class ReplicationRule(NamedTuple):
    """``destinations``: pairs of region and account. ``prefixes`` of repository names; () is every repository."""

    destinations: tuple[tuple[str, str], ...]
    prefixes: tuple[str, ...] = ()


class Replication(NamedTuple):
    """Replication rules of one region of account A. ``unreadable``: why the rules are unknown, else ""."""

    region: str
    rules: tuple[ReplicationRule, ...] = ()
    unreadable: str = ""
