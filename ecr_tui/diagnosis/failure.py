"""A catalogue row, and the sides of a failure."""

from __future__ import annotations

from typing import NamedTuple

REPOSITORY_POLICY = "A's repository policy"
REGISTRY_POLICY = "A's registry policy"
IDENTITY_POLICY = "B's identity policy"
EITHER_POLICY = "A's repository policy or B's identity policy"
OTHER_POLICY = "organisation or other policy"
TRUST_POLICY = "the role's trust policy or the caller's identity policy"
OTHER_SERVICE = "another AWS service"
OTHER_REGISTRY = "another registry"
REPOSITORY_STATE = "repository state"
CREDENTIALS = "credentials"
DOCKER = "docker"
NETWORK = "network"
UNKNOWN = "unknown"

Parts = tuple[str, ...]


class Failure(NamedTuple):
    """A kind of failure.

    ``patterns``: alternatives; within one, every part must be found in one record of the text (regular expressions,
    case ignored). They are matched against the record with its names masked, as :mod:`ecr_tui.diagnosis.masks`
    describes. ``codes``: AWS error codes of this failure, regardless of the message. ``title``, ``cause`` and
    ``fix`` may use {action}, {user}, {principal}, {repository}, {resource}, {account}, {region}, {host}, {url} and
    {policy}. ``seen``: texts for docs/troubleshooting.md, each diagnosed as this row. ``number``: the row in the
    project's failure catalogue; None for later additions.
    """

    id: str
    number: int | None
    stage: str
    side: str
    title: str
    cause: str
    fix: str
    seen: tuple[str, ...]
    patterns: tuple[Parts, ...] = ()
    codes: tuple[str, ...] = ()
    action: str = ""
    denied: bool = False
    """Permission was denied, as opposed to a failure."""
    proves_access: bool = False
    """The registry authorized the request before it rejected it for this reason."""
    consequence: bool = False
    """A consequence of another failure: a more specific record wins."""
    after: tuple[str, ...] = ()
    """Stages: if one of them failed earlier in the text, this failure is its consequence."""
