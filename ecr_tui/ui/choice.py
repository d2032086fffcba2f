"""The user's current grant: principal, access, condition and end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ecr_tui.config import parse_tags
from ecr_tui.policy import grantees
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.policy.principal import without_session

if TYPE_CHECKING:
    from ecr_tui.aws.model import Identity, Repository
    from ecr_tui.config import Consumer

Tags = tuple[tuple[str, str], ...]

_IDENTITY_CENTER = "AWSReservedSSO_"


def caveat(principal: str) -> str:
    """A hint about a principal derived from a session, or ""."""
    if f":role/{_IDENTITY_CENTER}" in principal:
        return "an Identity Center role has a path: give its full ARN with b (iam get-role shows it)"
    return ""


def own_principals(consumer: Consumer | None, identity: Identity | None, partition: str) -> tuple[str, ...]:
    """Principals of a grant to account B: as configured, else its caller, if known."""
    named = consumer.grantees(identity.account if identity else None, partition) if consumer is not None else ()
    return named or ((without_session(identity.arn),) if identity is not None else ())


_CYCLE = (
    Access.PUSH_PULL,
    Access.PULL,
    Access.PUSH,
    Access.READ_PUSH_PULL,
    Access.READ_PULL,
    Access.READ_PUSH,
    Access.READ,
)
"""The order of ``p``: common ones first."""


class Choice(NamedTuple):
    """``principals`` () means account B's own: :func:`own_principals`.

    ``condition`` None means the repository's value of the tag ``scope``; no condition without that tag.
    """

    principals: tuple[str, ...] = ()
    access: Access = Access.PUSH_PULL
    condition: Tags | None = None
    scope: str = ""
    until: datetime | None = None
    """When the grant ends; None: no end."""

    @property
    def accesses(self) -> list[Access]:
        """Possible access of the principal, in the order of :meth:`next_access`."""
        return [one for one in _CYCLE if not (one.writes and self._only_pulls)]

    def next_access(self) -> Choice:
        cycle = self.accesses
        return self._replace(access=cycle[(cycle.index(self.access) + 1) % len(cycle)])

    @property
    def _only_pulls(self) -> bool:
        return grantees.only_pulls(self.principals)

    def principals_for(self, own: Sequence[str]) -> tuple[str, ...]:
        """``own``: account B's. () while unknown and none are selected."""
        return self.principals or tuple(own)

    @property
    def own_tag(self) -> str:
        """The tag whose value on a repository is the condition; "" if the condition was selected."""
        return self.scope if self.condition is None else ""

    def grant(self, own: Sequence[str], repository: Repository | None) -> Grant | None:
        """The grant for this repository; None without a principal. ``own``: as in :meth:`principals_for`."""
        named = self.principals_for(own)
        if not named:
            return None
        tags = repository.own(self.own_tag) if repository is not None else ()
        return Grant(named, self.access, self.condition or tags, self.until)

    def lacks(self, repository: Repository | None) -> str:
        """Why a condition by the repository's tag is missing; else ""."""
        tags = repository.tags if repository is not None else None
        return f"no {self.own_tag} tag" if self.own_tag and tags is not None and self.own_tag not in tags else ""


ACCESS_WORDS = {access: access.value.replace("-", " + ") for access in Access}


def parse_condition(text: str) -> Tags:
    """ "K=V, K2=V2" as pairs, () for blank text. Separated by commas, which AWS tags cannot contain. Raises
    InputError."""
    tags = parse_tags(part for part in text.split(",") if part.strip())
    Grant(("",), Access.PULL, tags)  # validates the condition
    return tags


def condition_choices(repository: Repository | None, tag_filter: Tags, current: Tags) -> list[Tags]:
    """Possible conditions: none, each tag of the repository, the filter's tags, the current one."""
    choices: list[Tags] = [()]
    if repository is not None and repository.tags:
        choices += [((key, value),) for key, value in sorted(repository.tags.items())]
    for other in (tag_filter, current):
        if other not in choices:
            choices.append(other)
    return choices
