"""The two accounts as a verification sees them (``ports``), over the sessions of a workspace."""

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
"""Repositories listed at most while looking for some that account B was not granted, where no listing is at hand."""

READ_FOR_EACH = 12
"""Policies read at most for each repository that is looked for; never more than :data:`READ_AT_MOST`."""

READ_AT_MOST = 60

LARGEST_IMAGE = 100 * 1024 * 1024
"""Bytes: a larger image is pulled only where there is no smaller one."""


class ConsumerParty:
    """``ports.Consumer`` over account B's session. Shared by verifications that run at once: who B is, and a token a
    region, are asked for once."""

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
    """``ports.Owner`` over account A's session.

    ``known`` gives the repositories of a region as last listed, with tags, or None; ``apart`` are ARNs that are no
    counter-proof because they are being verified, too.
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
        """Before a push: a registry that creates on push would make a new repository of a name that is gone.

        Raises InputError where it is known to be gone; where A may not ask or is not reached, the push tells.
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
            # The repository is gone, and the image with it.

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
        """Those are asked first that have the fewest tags in common with ``repository`` or, as long as tags are not
        known, another namespace; of the others a bounded number of policies is read."""
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
        # One at a time: what the first has read, the others find at hand.
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
        """Whether its policy may allow ``principal`` any part of a push or pull, now; what cannot be read may."""
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
