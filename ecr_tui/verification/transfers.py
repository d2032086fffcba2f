"""The transfer stages of a verification: tag, push, pull, digest, and cleanup."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from typing import TypeVar

from ecr_tui.aws.images import TaggedImage
from ecr_tui.errors import DeniedError, EcrTuiError, EnvironmentFailure
from ecr_tui.policy.access import ESSENTIAL_PULL
from ecr_tui.registry.engine import Credentials, Progress, Reference, RegistryError, Transfer
from ecr_tui.registry.probe import ProbeImage, make_probe
from ecr_tui.verification.diagnosis import Reasons, is_denial
from ecr_tui.verification.ports import Parties
from ecr_tui.verification.report import Stage, StageName, StageProgress, StageStarted, Status
from ecr_tui.verification.stages import StageLog

T = TypeVar("T")


class Transfers:
    """What one verification pushes and pulls. Its stages raise ``StageFailed``, recorded by ``log``."""

    def __init__(self, parties: Parties, log: StageLog, reasons: Reasons, settle: float) -> None:
        self._parties = parties
        self._repository = parties.repository
        self._log = log
        self._reasons = reasons
        self._settle = settle
        self._probe: ProbeImage | None = None
        self._note = ""
        self._stored: TaggedImage | None = None
        self._push_attempted = self._push_denied = False
        self._pushed: Transfer | None = None
        self._pulled: Transfer | None = None
        self.reference: Reference | None = None
        self.can_push: bool | None = None
        self.can_pull: bool | None = None
        self.remarks: list[str] = []

    @property
    def digest(self) -> str:
        transfer = self._pushed or self._pulled
        return transfer.digest if transfer else ""

    # -- the image ---------------------------------------------------------------------------------------

    def tag(self, now: datetime) -> Reference:
        """A probe image, unique to this run."""
        with self._log.running(StageName.TAG) as end:
            probe = make_probe(now)
            reference = Reference(self._repository.host, self._repository.name, probe.tag)
            try:
                self._note = self._parties.notes.probe(self._repository, probe.tag, self._parties.engine.name)
            except EcrTuiError as error:
                self.remarks.append(f"The probe image is not recorded for cleanup: {error.title}.")
            self._probe, self.reference = probe, reference
            self._parties.engine.tag(probe, reference, self._parties.cancel)
            end(str(reference))
        return reference

    def choose(self, tag: str) -> Reference | None:
        """An existing image: the one with ``tag``, else the newest. None if there is none."""
        with self._log.running(StageName.TAG) as end:
            try:
                self._stored = self._parties.ask(partial(self._parties.owner.image, self._repository, tag))
            except DeniedError as error:
                if not tag:
                    raise EnvironmentFailure(
                        "account A's profile cannot list images to pull",
                        detail=error.detail,
                        hint="Name an image with --image TAG, or allow ecr:DescribeImages for account A's profile.",
                        side=error.side,
                    ) from error
            else:
                tag = self._stored.tag if self._stored else tag
                if tag and self._stored is None:
                    raise EcrTuiError(
                        f"no image {tag} in {self._repository.name}",
                        hint="Use an existing tag, or remove --image.",
                        side="account A",
                    )
            if not tag:
                end("the repository has no image to pull")
                return None
            self.reference = Reference(self._repository.host, self._repository.name, tag)
            end(f"{self.reference} (existing image, nothing pushed)")
        return self.reference

    # -- push and pull -------------------------------------------------------------------------------------------

    def push(self, credentials: Credentials) -> None:
        probe, reference = self._probe, self.reference
        assert probe is not None and reference is not None  # noqa: S101, PT018 (by the order of the stages)

        def push() -> Transfer:
            self._push_attempted = True
            return self._parties.engine.push(
                reference, credentials, self._progress(StageName.PUSH), self._parties.cancel
            )

        with self._log.running(StageName.PUSH) as end:
            try:
                self._pushed = self._settled(
                    StageName.PUSH, push, lambda error: self._reasons.of_push(error, credentials, probe, reference)
                )
                end(self._pushed.digest, size=self._pushed.bytes)
            except RegistryError as error:
                found = self._reasons.diagnose(StageName.PUSH, error)
                if not found.proves_access:
                    self._push_denied = is_denial(error)
                    self.can_push = False if self._push_denied else self._reasons.pushed_again or None
                    raise
                end(f"{found.title}; the push was authorized ({found.action})", pattern=found.pattern)
            self.can_push = True

    def pull(self, credentials: Credentials) -> None:
        reference = self.reference
        with self._log.running(StageName.PULL) as end:
            try:
                if reference is None:
                    self._pull_in_theory()
                    end(f"no image to pull: AWS allows {' and '.join(ESSENTIAL_PULL)}")
                else:
                    self._pulled = self._settled(
                        StageName.PULL,
                        lambda: self._fetch(reference, credentials),
                        lambda error: self._reasons.of_pull(error, credentials, reference),
                    )
                    end(self._pulled.digest, size=self._pulled.bytes)
                    if self._pushed is None:
                        self.remarks.append(
                            f"This updated the last-pull time of {reference.tag}; lifecycle rules that use it may keep "
                            "the image longer."
                        )
            except RegistryError as error:
                self.can_pull = False if is_denial(error) else self._reasons.pulled_again or None
                raise
            self.can_pull = True

    def _fetch(self, reference: Reference, credentials: Credentials) -> Transfer:
        progress = self._progress(StageName.PULL)
        try:
            pulled = self._parties.engine.pull(reference, credentials, progress, self._parties.cancel)
            if pulled.fresh:
                return pulled
            why = f"{reference} already exists on this machine under another name"
        except RegistryError:
            raise
        except EnvironmentFailure as there:
            # The user's own image of that name, which is kept.
            why = there.title
        if self._parties.second_opinion is None:
            raise EnvironmentFailure(why, hint="Verify with --engine direct.", side="docker")
        with closing(self._parties.second_opinion()) as other:
            pulled = other.pull(reference, credentials, progress, self._parties.cancel)
        self.remarks.append(f"{why}: it was pulled with the {other.name} engine.")
        return pulled

    def _pull_in_theory(self) -> None:
        for action in ESSENTIAL_PULL:
            text = self._denial(action)
            if text:
                raise RegistryError(
                    "account B is not allowed to pull", detail=text, status=403, code="DENIED", action=action
                )

    def _denial(self, action: str) -> str | None:
        return self._parties.ask(partial(self._parties.consumer.probe, self._repository, action))

    def look_at_pull(self) -> None:
        """After a denied push: whether B can pull, tested by reads."""
        if not self._push_denied or self._parties.cancel.is_set():
            return
        try:
            self.can_pull = all(self._denial(action) is None for action in ESSENTIAL_PULL)
        except EcrTuiError:
            self.can_pull = None

    def _settled(
        self, name: StageName, attempt: Callable[[], T], reveal: Callable[[RegistryError], RegistryError]
    ) -> T:
        """The result of ``attempt``, retried while a denial may be due to propagation."""
        deadline = self._parties.clock() + self._settle
        delay = 0.5
        while True:
            try:
                return attempt()
            except RegistryError as error:
                reason = reveal(error)
                late = self._parties.cancel.is_set() or self._parties.clock() + delay > deadline
                if late or not self._reasons.may_settle(reason):
                    raise reason from error
            self._log.tell(StageProgress(name, Progress("", "denied; the grant may still be propagating")))
            self._parties.wait(delay)
            delay = min(delay * 2, 4.0)

    def _progress(self, name: StageName) -> Callable[[Progress], None]:
        return lambda progress: self._log.tell(StageProgress(name, progress))

    # -- the digests ---------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """Compare the pushed with the pulled digest; if only one was requested, with account A's."""
        with self._log.running(StageName.DIGEST) as end:
            if self._probe is None:
                expected = self._stored.digest if self._stored else ""
                found, words = (
                    self._pulled.digest if self._pulled else "",
                    ("account A", "the pulled digest", "account A's digest"),
                )
            elif self._pulled is not None:
                expected, found = self._pushed_digest(), self._pulled.digest
                words = ("pushed", "the pulled digest", "the pushed digest")
            else:
                expected, found = self._pushed_digest(), self._digest_in_a()
                words = ("pushed", "the digest in account A", "the pushed digest")
            if not expected or not found:
                end("nothing to compare", status=Status.SKIPPED)
            elif expected != found:
                raise EcrTuiError(
                    f"{words[1]} differs from {words[2]}",
                    detail=f"{words[0]} {expected}\n{words[1]} {found}",
                    hint="Check for a proxy that rewrites images, or for another push at the same time.",
                    side="repository state",
                )
            else:
                end(f"{words[1]} matches {words[2]}")
                if self._pushed is not None and self._pulled is not None:
                    # Equal digests mean equal layers, so the sizes are equal.
                    self._log.amend(StageName.PUSH, self._pulled.bytes)

    def _pushed_digest(self) -> str:
        if self._pushed is not None:
            return self._pushed.digest
        # A container engine recompresses, so only the direct engine pushes the probe's own digest.
        return self._probe.digest if self._probe and self._parties.engine.name == "direct" else ""

    def _digest_in_a(self) -> str:
        assert self._probe is not None  # noqa: S101 (the caller's condition)
        try:
            stored = self._parties.ask(partial(self._parties.owner.image, self._repository, self._probe.tag))
        except DeniedError:
            return ""
        if stored is None:
            raise EcrTuiError("the pushed image is not in account A's repository", side="repository state")
        return stored.digest

    # -- cleanup -------------------------------------------------------------------------------------------------

    def clean_up(self) -> bool:
        """Remove the probe image from A's repository and from this machine. Not stopped by a cancel.

        False if something may remain.
        """
        reference = self.reference
        if reference is None:
            self._log.skip(StageName.CLEANUP, "nothing to remove")
            return True
        self._log.tell(StageStarted(StageName.CLEANUP))
        begun = self._parties.clock()
        problems: list[EcrTuiError] = []
        with _collecting(problems):
            self._parties.engine.remove_local(reference)
        # A denied push left no image; after any other failure there may be one.
        in_registry = (self._push_attempted and not self._push_denied) or self._reasons.pushed_again
        if in_registry:
            with _collecting(problems):
                if self._pushed is not None:
                    self._parties.owner.delete_image(self._repository, digest=self._pushed.digest)
                else:
                    self._parties.owner.delete_image(self._repository, tag=reference.tag)
        self._settle_note(problems)
        seconds = self._parties.clock() - begun
        if not problems:
            if self._probe is None:
                message = "nothing was pushed, nothing to remove"
            else:
                message = (
                    "probe image and local tag removed" if in_registry else "nothing was pushed; local tag removed"
                )
            self._log.record(Stage(StageName.CLEANUP, Status.OK, message, seconds))
            return True
        first = problems[0]
        self._log.record(
            Stage(
                StageName.CLEANUP,
                Status.FAILED,
                f"the probe image may still exist: {first.title}",
                seconds,
                side=first.side,
                cause=first.title,
                fix=f"aws ecr batch-delete-image --region {self._repository.region} --repository-name "
                f"{shlex.quote(self._repository.name)} --image-ids imageTag={reference.tag}"
                "   # as account A; or: ecr-tui cleanup",
                detail=first.detail,
            )
        )
        return False

    def _settle_note(self, problems: list[EcrTuiError]) -> None:
        if not self._note:
            return
        try:
            if problems:
                self._parties.notes.leave(self._note, problems[0].title)
            else:
                self._parties.notes.settle(self._note)
        except EcrTuiError as error:
            self.remarks.append(f"The removal of the probe image was not recorded: {error.title}.")


@contextmanager
def _collecting(problems: list[EcrTuiError]) -> Iterator[None]:
    try:
        yield
    except EcrTuiError as error:
        problems.append(error)
