"""The two accounts of a verification (``ports``), using the sessions of a workspace."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ecr_tui.aws.access import PROBES, probe_action
from ecr_tui.aws.images import TaggedImage, delete_image, delete_tag, image_by_tag, newest_image
from ecr_tui.aws.inventory import check_exists, first_repositories, live_tags
from ecr_tui.aws.model import Identity, RegistryToken, Repository
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.aws.tags import RepositoryTags
from ecr_tui.aws.tokens import registry_token
from ecr_tui.errors import Cancelled, EcrTuiError, InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.answer import Verdict, of_call
from ecr_tui.policy.document import PolicyDocument, PolicyError
from ecr_tui.policy.known import before_call
from ecr_tui.registry.probe import TAG_PREFIX

LISTED = 100
"""Maximum repositories to list, without a cached listing, to find some that account B was not granted."""

READ_FOR_EACH = 12
"""Maximum policies to read per repository to find; never more than :data:`READ_AT_MOST`."""

READ_AT_MOST = 60

LARGEST_IMAGE = 100 * 1024 * 1024
"""Bytes: a larger image is pulled only if there is no smaller one."""


class ConsumerParty:
    """``ports.Consumer`` with account B's session. Shared by parallel verifications: B's identity and a token per
    region are requested once."""

    def __init__(self, session: AwsSession) -> None:
        self.session = session
        self._lock = threading.Lock()
        self._tokens: dict[str, RegistryToken] = {}

    def identity(self) -> Identity:
        with self._lock:
            return self.session.identity()

    def token(self, region: str) -> RegistryToken:
        with self._lock:
            if region not in self._tokens:
                self._tokens[region] = registry_token(self.session, region)
            return self._tokens[region]

    def probe(self, repository: Repository, action: str) -> str | None:
        if action.removeprefix("ecr:") not in PROBES:
            raise EcrTuiError(f"no read-only call needs {action}")
        return probe_action(self.session, repository, action)


class OwnerParty:
    """``ports.Owner`` with account A's session.

    ``known`` returns the repositories of a region as last listed, with tags, or None; ``apart``: ARNs to exclude from
    the isolation check because they are also verified.
    """

    def __init__(
        self,
        session: AwsSession,
        known: Callable[[str], Sequence[Repository] | None] = lambda _: None,
        apart: Collection[str] = (),
    ) -> None:
        self._session = session
        self._known = known
        self._apart = frozenset(apart)
        self._lock = threading.Lock()
        self._policies: dict[str, PolicyDocument | None] = {}
        self._pages: dict[str, list[Repository]] = {}

    def policy_text(self, repository: Repository) -> str | None:
        return RepositoryPolicies(self._session).read(repository)

    def check_exists(self, repository: Repository) -> None:
        """Check before a push, because a registry with create on push would create a deleted repository again.

        Raises InputError if it was deleted; if account A cannot check, the push will show it.
        """
        try:
            check_exists(self._session, repository)
        except InputError as error:
            raise InputError(
                f"the repository {repository.name!r} in {repository.region} no longer exists; nothing was pushed",
                detail=error.detail,
                hint="List the repositories again.",
                side=error.side,
            ) from error
        except Cancelled:
            raise
        except EcrTuiError:
            pass

    def delete_image(self, repository: Repository, *, digest: str = "", tag: str = "") -> None:
        try:
            if digest:
                delete_image(self._session, repository, digest)
            else:
                delete_tag(self._session, repository, tag)
        except InputError as error:
            if "does not exist in the registry" not in error.detail:
                raise
            # The repository was deleted with the image.

    def image(self, repository: Repository, tag: str = "") -> TaggedImage | None:
        if tag:
            return image_by_tag(self._session, repository, tag)
        return newest_image(self._session, repository, largest=LARGEST_IMAGE, except_for=TAG_PREFIX)

    def tags(self, repository: Repository) -> dict[str, str]:
        return live_tags(self._session, repository)

    def set_tag(self, repository: Repository, key: str, value: str) -> None:
        RepositoryTags(self._session).set_tags(repository, {key: value})

    def remove_tag(self, repository: Repository, key: str) -> None:
        RepositoryTags(self._session).remove_tags(repository, [key])

    def ungranted(self, repository: Repository, principal: str, limit: int) -> list[Repository]:
        """Candidates with the fewest tags in common with ``repository`` come first, or, while tags are unknown, those
        in another namespace; the number of policies read is limited."""
        listed = [one for one in self._known(repository.region) or () if one.account == repository.account]
        candidates = [
            one
            for one in listed or self._first_page(repository.region)
            if one.arn not in self._apart | {repository.arn}
        ]
        own, namespace = set((repository.tags or {}).items()), repository.name.rpartition("/")[0]

        def likeness(one: Repository) -> tuple[int, bool, str]:
            return len(own & set((one.tags or {}).items())), one.name.rpartition("/")[0] == namespace, one.name

        found: list[Repository] = []
        # One at a time, so that the others use what the first has read.
        with self._lock:
            for candidate in sorted(candidates, key=likeness)[: min(READ_FOR_EACH * limit, READ_AT_MOST)]:
                if not self._grants(candidate, principal):
                    found.append(candidate)
                    if len(found) == limit:
                        break
        return found

    def _first_page(self, region: str) -> list[Repository]:
        with self._lock:
            if region not in self._pages:
                self._pages[region] = first_repositories(self._session, region, LISTED)
            return self._pages[region]

    def _grants(self, repository: Repository, principal: str) -> bool:
        """Whether its policy may currently allow ``principal`` any part of a push or pull; true if unreadable."""
        try:
            document = self._document(repository)
            if document is None:
                return False
            if repository.tags is None:
                repository = replace(repository, tags=self.tags(repository))
        except EcrTuiError:
            return True
        known = before_call(principal, repository_arn=repository.arn, tags=repository.tags, now=datetime.now(UTC))
        return any(
            of_call(document, known, action, repository.arn).verdict is not Verdict.NO
            for action in Access.PUSH_PULL.actions
        )

    def _document(self, repository: Repository) -> PolicyDocument | None:
        if repository.arn in self._policies:
            return self._policies[repository.arn]
        text = self.policy_text(repository)
        try:
            document = None if text is None else PolicyDocument.parse(text)
        except PolicyError as error:
            raise EcrTuiError(error.title) from error
        self._policies[repository.arn] = document
        return document
