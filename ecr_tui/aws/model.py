"""What the other rooms know of AWS: plain values, importable without boto3."""

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

    ``kind``: "sso", "login", "assume-role", "process", "keys", "web-identity" or "other". ``account`` is the account's
    id where the config tells it, else "". ``source`` says what its credentials come from: a profile, a program's name,
    an SSO session. ``login_command`` is what renews its sign-in from a shell, "" where nothing does.
    """

    name: str
    kind: str
    region: str | None = None
    account: str = ""
    source: str = ""
    login_command: str = ""


class RoleToAssume(NamedTuple):
    """A role that is assumed with a profile's credentials, in memory: no config file is written."""

    arn: str
    external_id: str = ""
    mfa_serial: str = ""

    @classmethod
    def parse(cls, arn: str, external_id: str = "", mfa_serial: str = "") -> RoleToAssume | None:
        """From what a person typed; None where no role is named. Raises InputError.

        Limits are STS's (AssumeRole): an external id of 2 to 1,224 characters of a set of their own.
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
    """The answer of sts:GetCallerIdentity for a profile."""

    role: Role
    profile: str | None
    account: str
    arn: str
    user_id: str
    region: str | None
    expires_at: datetime | None = None
    """When temporary credentials end (UTC); None for long-term keys or where the provider does not tell."""

    @property
    def partition(self) -> str:
        return self.arn.split(":", 2)[1]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of account A. ``tags`` is None while they are unknown, {} when it has none.

    Rows with equal tags share the dictionary: it is never to be changed.
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
    """Where ``tags`` come from: "index" (tag:GetResources, which lags a little), "live" (ecr:ListTagsForResource, what
    a condition in a policy sees), "cache" (a former run), "" while they are unknown."""

    @property
    def host(self) -> str:
        """The registry host, always taken from A's repositoryUri (never built, never the token's proxyEndpoint)."""
        return self.uri.split("/", 1)[0]

    @property
    def partition(self) -> str:
        return self.arn.split(":", 2)[1]

    def own(self, key: str) -> tuple[tuple[str, str], ...]:
        """Its tag ``key`` with its value, as a condition of a grant takes it; () where it has none."""
        return ((key, self.tags[key]),) if self.tags and key in self.tags else ()


@dataclass(frozen=True)
class TemplatePlace(Repository):
    """The repositories to come that a creation template is for, as one place with a policy and tags.

    ``name`` says what it is ("template payments"), ``arn`` is a pattern that matches theirs: a ``*`` is in no
    repository's own. ``applied_for`` as :class:`CreationTemplate` has it.
    """

    applied_for: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """As the template has it, but for a slash at its end."""
        below = self.arn.partition(":repository/")[2].removesuffix("*").rstrip("/")
        return below or ROOT


ROOT = "ROOT"
"""The prefix of the template for all repositories that have no other."""


def place_of(name: str, arn: str, region: str, account: str) -> Repository:
    """What a policy belongs to, as far as its ARN tells: a repository, or a creation template."""
    if not arn.endswith("*"):
        return Repository(name, arn, "", region, account)
    return TemplatePlace(name, arn, "", region, account)


class MfaPrompt(NamedTuple):
    """What an MFA question must show: the profile that asks and the device's ARN."""

    profile: str
    device: str


class RegistryToken(NamedTuple):
    """The answer of ecr:GetAuthorizationToken: Basic credentials of the *caller*, good for every registry it may use.

    It carries no registry: which repositories it opens is decided at each request (reference: AWS calls
    ``registryIds`` deprecated, "doesn't change the permissions scope"). Lives for 12 hours on AWS.
    """

    username: str
    password: Secret
    expires_at: datetime | None


@dataclass(frozen=True)
class ImagesSummary:
    """How many images a repository holds, and when the last push and the last pull were (UTC; None: none recorded).

    ECR refreshes the time of a pull at least once every 24 hours. ``complete`` is False when counting stopped at its
    bound: then ``count`` is "at least", and the times may be later.
    """

    count: int
    last_push: datetime | None
    last_pull: datetime | None = None
    complete: bool = True


class NamedPolicy(NamedTuple):
    """A policy of IAM. ``origin``: "inline", "attached", "group developers, inline", "permissions boundary" ...

    ``arn`` is "" for an inline policy.
    """

    name: str
    origin: str
    document: PolicyDocument
    arn: str = ""


class IdentityPolicies(NamedTuple):
    """What IAM holds for a user or role: all of it, or the reason why it is not known.

    ``principal`` as asked for; ``arn`` the user's or role's own, with its path, once IAM has told it. ``tags`` are the
    principal's, ``user_id`` its unique id. ``unreadable`` is "" when everything was read; else a sentence with AWS's
    own words, and then ``policies`` and ``boundary`` are empty: half of it would be a guess.
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
        """For ``policy.evaluate.Policies.identity``: None where they cannot be read."""
        return None if self.unreadable else tuple(item.document for item in self.policies)

    @property
    def boundaries(self) -> tuple[PolicyDocument, ...]:
        return () if self.boundary is None else (self.boundary.document,)


class CreationTemplate(NamedTuple):
    """Settings for repositories that ECR itself creates below ``prefix`` ("ROOT": where no other template fits).

    ``applied_for``: "PULL_THROUGH_CACHE", "REPLICATION", "CREATE_ON_PUSH". A repository made with CreateRepository
    takes nothing from it.
    """

    prefix: str
    applied_for: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    policy_text: str | None = None
    mutability: str = ""


class RegistryFacts(NamedTuple):
    """What decides beside a repository's own policy, in one region of account A.

    ``policy_text`` None: there is no registry policy, or it could not be read (then ``policy_unreadable`` says why).
    ``scope``: "V2" (every ECR action is decided with it) or "V1" (three actions of replication and caching); "" where
    ``scope_unreadable`` says why it is not known. ``templates`` likewise.
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
    """Where one region of account A copies its images to. ``unreadable``: why the rules are unknown, else ""."""

    region: str
    rules: tuple[ReplicationRule, ...] = ()
    unreadable: str = ""
