"""The two accounts in use: profiles, roles to assume, regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ecr_tui.aws.role import Role

if TYPE_CHECKING:
    from ecr_tui.aws.model import RoleToAssume
    from ecr_tui.workspace import Workspace


class Side(NamedTuple):
    """``profile`` "": botocore's default for account A; none for account B, or a ``consumer`` without a profile.

    ``consumer``: the name of one of ``Settings.consumers``.
    """

    profile: str
    role: RoleToAssume | None = None
    consumer: str = ""


class AccountPair(NamedTuple):
    a: Side
    b: Side
    regions: tuple[str, ...]


def present(workspace: Workspace) -> AccountPair:
    settings, consumer = workspace.settings, workspace.settings.consumer
    return AccountPair(
        Side(settings.profile_a or "", workspace.accounts.assumed(Role.OWNER)),
        Side(
            settings.profile_b or "",
            workspace.accounts.assumed(Role.CONSUMER),
            consumer.name if consumer is not None else "",
        ),
        tuple(settings.regions),
    )
