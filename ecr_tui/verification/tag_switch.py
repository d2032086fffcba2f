"""Opt-in test that access depends on the tag: remove it, expect denial, restore it, expect access.

The tag is noted in the record before it is removed and always restored; a value set by another writer in between is
kept.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event as CancelEvent

from ecr_tui.aws.model import Repository
from ecr_tui.errors import Cancelled, EcrTuiError, InputError
from ecr_tui.policy.answer import Verdict, of_call
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.known import before_call
from ecr_tui.registry.engine import Credentials
from ecr_tui.verification.ports import Parties
from ecr_tui.verification.report import Status, TagStep, TagSwitch

ATTEMPTS = 4
"""Attempts to restore the tag, each within the AWS client's own limits and retries."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 4.0


def deciding_tag(
    document: PolicyDocument | None, principal: str, repository: Repository, actions: frozenset[str]
) -> tuple[str, str] | None:
    """The first tag of ``repository`` without which A's policy does not allow ``principal`` any of ``actions``.

    None if access does not depend on a single tag. AWS's own tags ("aws:...") cannot be removed.
    """
    if document is None:
        return None
    tags = repository.tags or {}

    def allowed(present: dict[str, str]) -> bool:
        known = before_call(principal, repository_arn=repository.arn, tags=present, now=datetime.now(UTC))
        return any(of_call(document, known, action, repository.arn).verdict is not Verdict.NO for action in actions)

    if not allowed(tags):
        return None
    for key in sorted(tags):
        if not key.lower().startswith("aws:") and not allowed({k: v for k, v in tags.items() if k != key}):
            return key, tags[key]
    return None


class TagSwitcher:
    """One tag switch; ``settle``: maximum seconds until a change of tags takes effect."""

    def __init__(self, parties: Parties, settle: float, on_step: Callable[[TagStep], None]) -> None:
        self._parties = parties
        self._repository = parties.repository
        self._settle = settle
        self._on_step = on_step
        self._steps: list[TagStep] = []

    def run(self, principal: str, credentials: Credentials) -> TagSwitch:
        """Never raises an EcrTuiError."""
        try:
            baseline, tag = self._prepare(principal, credentials)
            note = self._parties.notes.untagging(self._repository, *tag)
        except EcrTuiError as error:
            return TagSwitch(Status.FAILED, f"unchanged: {error.title}", steps=tuple(self._steps))
        key, value = tag
        result = TagSwitch(Status.OK, f"access ends without {key}={value} and returns with it", key, value)
        try:
            failure = self._take_away(key, value, baseline, credentials)
        finally:
            problem = self._put_back(key, value, note)
        if problem:
            command = (
                f"aws ecr tag-resource --region {self._repository.region} --resource-arn {self._repository.arn} "
                f"--tags {shlex.quote(f'Key={key},Value={value}')}   # as account A; or: ecr-tui cleanup"
            )
            message = f"the tag {key}={value} was NOT restored: {problem}"
            result = result._replace(status=Status.FAILED, message=message, restored=False, fix=command)
        elif failure:
            result = result._replace(status=Status.FAILED, message=failure)
        elif self._parties.cancel.is_set():
            result = result._replace(status=Status.FAILED, message="cancelled; the tag was restored")
        else:
            failure = self._expect("expect access", "allowed", baseline, credentials)
            if failure:
                result = result._replace(status=Status.FAILED, message=failure)
        return result._replace(steps=tuple(self._steps))

    def _prepare(self, principal: str, credentials: Credentials) -> tuple[frozenset[str], tuple[str, str]]:
        """B's current access, tested by reads, and the tag that it depends on."""
        baseline = frozenset(action for action, answer in self._answers(credentials).items() if answer == "allowed")
        if not baseline:
            raise InputError("the tag switch needs a push to check access")
        tags = self._parties.ask(lambda: self._parties.owner.tags(self._repository))
        text = self._parties.ask(lambda: self._parties.owner.policy_text(self._repository))
        tag = deciding_tag(
            PolicyDocument.parse(text) if text else None,
            principal,
            replace(self._repository, tags=tags),
            baseline,
        )
        if tag is None:
            raise InputError("account B's access does not depend on a tag of this repository")
        # Set the existing value first: a caller that cannot restore the tag must not remove it.
        self._parties.ask(lambda: self._parties.owner.set_tag(self._repository, *tag))
        return baseline, tag

    def _take_away(self, key: str, value: str, baseline: frozenset[str], credentials: Credentials) -> str:
        begun = self._parties.clock()
        try:
            self._parties.owner.remove_tag(self._repository, key)
        except EcrTuiError as error:
            self._end("remove", Status.FAILED, error.title, begun)
            return f"cannot remove the tag {key}: {error.title}"
        self._end("remove", Status.OK, f"{key}={value}", begun)
        return self._expect("expect denial", "denied", baseline, credentials)

    def _put_back(self, key: str, value: str, note: str) -> str:
        """Restore the tag: "" on success, else the problem. Not stopped by a cancel."""
        begun = self._parties.clock()
        problem = ""
        pause = CancelEvent()
        for attempt in range(ATTEMPTS):
            try:
                live = self._parties.owner.tags(self._repository).get(key)
                if live in (None, value):
                    # Set it even if it is returned: a read just after a change may return the previous state.
                    self._parties.owner.set_tag(self._repository, key, value)
                    live = self._parties.owner.tags(self._repository).get(key)
                if live is not None:
                    how = f"{key}={live}" + ("" if live == value else " (set by another writer, and kept)")
                    self._end("restore", Status.OK, how, begun)
                    self._settled(note)
                    return ""
                problem = "AWS accepted the tag but does not return it"
            except EcrTuiError as error:
                problem = error.title
            if attempt + 1 < ATTEMPTS:
                pause.wait(_FIRST_PAUSE * 2**attempt)
        self._end("restore", Status.FAILED, problem, begun)
        try:
            self._parties.notes.leave(note, problem)
        except EcrTuiError as error:
            problem += f"; this was not recorded: {error.title}"
        return problem

    def _settled(self, note: str) -> None:
        try:
            self._parties.notes.settle(note)
        except EcrTuiError:
            # The next start finds the note and that the tag exists.
            return

    def _expect(self, step: str, wanted: str, baseline: frozenset[str], credentials: Credentials) -> str:
        """ "" once the registry answers as expected for all of ``baseline``, else its last answer at the timeout."""
        begun = self._parties.clock()
        pause = _FIRST_PAUSE
        try:
            while True:
                answers = self._answers(credentials)
                if all(answers.get(action) == wanted for action in baseline):
                    self._end(step, Status.OK, ", ".join(sorted(baseline)), begun)
                    return ""
                if self._parties.clock() - begun + pause > self._settle:
                    break
                self._parties.wait(pause)
                if self._parties.cancel.is_set():
                    raise Cancelled
                pause = min(2 * pause, _LONGEST_PAUSE)
        except EcrTuiError as error:
            self._end(step, Status.FAILED, error.title, begun)
            return f"{step}: {error.title}"
        wrong = ", ".join(sorted(action for action in baseline if answers.get(action) != wanted))
        message = (
            f"{wrong} not denied without the tag" if wanted == "denied" else f"{wrong} denied with the tag restored"
        )
        self._end(step, Status.FAILED, message, begun)
        return message

    def _answers(self, credentials: Credentials) -> dict[str, str]:
        return self._parties.registry_check.check(
            self._repository.host, self._repository.name, credentials, self._parties.cancel
        )

    def _end(self, name: str, status: Status, message: str, begun: float) -> None:
        step = TagStep(name, status, message, self._parties.clock() - begun)
        self._steps.append(step)
        self._on_step(step)
