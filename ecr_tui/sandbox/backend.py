"""The seam inside the sandbox: what the registry's HTTP side needs from the AWS side.

The AWS side (accounts, policies, records, tokens) implements it; the Docker Registry V2 side asks it for
every request, so that one place decides and one place keeps the records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Caller:
    """The IAM principal behind an access key or a registry token."""

    account: str
    arn: str
    access_key: str


@dataclass(frozen=True)
class StoredManifest:
    """A manifest as it was pushed. ``digest`` is "sha256:..." over exactly ``body``."""

    digest: str
    media_type: str
    body: bytes
    tags: tuple[str, ...] = ()


class TokenRejected(Exception):
    """The Basic password is not a valid token; ``expired`` separates an expired one from an unknown one."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__("expired" if expired else "unknown")
        self.expired = expired


class RepositoryMissing(Exception):
    """No such repository in the account of this registry."""


class TagImmutable(Exception):
    """The repository is immutable and the tag exists already."""


class RegistryBackend(Protocol):
    """All methods are thread-safe and belong to one account's registry in one region."""

    account: str
    region: str

    def resolve_token(self, password: str) -> Caller:
        """The caller who got this token from GetAuthorizationToken. Raises :class:`TokenRejected`."""

    def denial(self, caller: Caller, action: str, repository: str) -> str | None:
        """None when allowed, else AWS's message ("User: ... is not authorized to perform: ... because ...").

        ``action`` like "ecr:PutImage". Decided on each call from identity and repository policies and the repository's
        tags at each call. A missing repository is decided as if it had no policy and no tags.
        """

    def has_repository(self, repository: str) -> bool: ...

    def put_manifest(self, repository: str, reference: str, media_type: str, body: bytes) -> str:
        """Record it under a tag or a digest; returns the digest. Raises RepositoryMissing, TagImmutable."""

    def manifest(self, repository: str, reference: str, *, pull: bool = False) -> StoredManifest | None:
        """By tag or by digest. ``pull``: note the time."""

    def tags(self, repository: str) -> list[str]:
        """Sorted."""

    def delete_manifest(self, repository: str, reference: str) -> bool:
        """Delete by tag (that tag only; the image too, with its last tag) or by digest (the image and all its tags).

        False when absent.
        """
