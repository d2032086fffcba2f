"""Clean up after a killed verification: remove its probe image, or restore the tag that it removed."""

from __future__ import annotations

from contextlib import closing

from ecr_tui.aws.images import delete_tag
from ecr_tui.aws.inventory import live_tags
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.aws.tags import RepositoryTags
from ecr_tui.errors import EcrTuiError, EnvironmentFailure, InputError
from ecr_tui.registry.choose import choose_engine
from ecr_tui.registry.engine import Reference
from ecr_tui.registry.probe import is_probe_tag
from ecr_tui.verification.records import PROBE, Leftover, Verifications


class Cleaner:
    """With account A's session. The record is a file, so its content is validated before use."""

    def __init__(self, session: AwsSession, record: Verifications) -> None:
        self._session = session
        self._record = record

    def clean(self, leftover: Leftover) -> str:
        """Clean up; returns a sentence about the result. Raises EcrTuiError, and then it remains a leftover."""
        own = self._session.identity().account
        if leftover.place.account != own:
            raise InputError(
                f"{leftover.what} is in account {leftover.place.account}, but profile A belongs to {own}",
                hint=f"Use a profile of account {leftover.place.account} with --profile-a.",
                side="account A",
            )
        how = self._probe(leftover) if leftover.kind == PROBE else self._tag(leftover)
        self._record.settle(leftover.id, how)
        return how

    def _probe(self, leftover: Leftover) -> str:
        if not is_probe_tag(leftover.tag):
            raise EcrTuiError(
                f"{leftover.tag} is not the tag of a probe image; it was kept", hint="Check the record by hand."
            )
        try:
            delete_tag(self._session, leftover.place, leftover.tag)
        except InputError:
            how = "the repository no longer exists"
        else:
            how = "the image is no longer in the repository"
        if leftover.engine == "docker":
            how += f"; {self._local(leftover)}"
        return how

    @staticmethod
    def _local(leftover: Leftover) -> str:
        """An unreachable engine is not an error: the image has 2 kB and a recognizable name."""
        reference = Reference(leftover.place.host, leftover.place.name, leftover.tag)
        try:
            with closing(choose_engine("docker")) as engine:
                engine.remove_local(reference)
        except EnvironmentFailure:
            return f"no Docker engine answers; it may still have the image: docker rmi {reference}"
        return "not in the Docker engine either"

    def _tag(self, leftover: Leftover) -> str:
        live = live_tags(self._session, leftover.place).get(leftover.key)
        if live not in (None, leftover.value):
            return f"{leftover.key} was set to {live} by another writer and was kept"
        # Set it even if it is returned: a read just after a change may return the previous state.
        RepositoryTags(self._session).set_tags(leftover.place, {leftover.key: leftover.value})
        return f"{leftover.key}={leftover.value} restored"
