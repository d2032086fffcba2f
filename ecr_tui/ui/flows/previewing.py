"""The document that one key would write, for the repository selected and the choice made, and for nothing else."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from textual.widget import Widget

from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Previewed

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.changes.apply import Plan
    from ecr_tui.policy.change import Grant
    from ecr_tui.ui.flows.details import Details
    from ecr_tui.workspace import Workspace


class Subject(NamedTuple):
    """What a preview is about. Two subjects are the same preview only when all of it is equal."""

    repository: Repository
    grant: Grant


class Preview(NamedTuple):
    """``plan`` is None while it is being made and where it can't be made (``error`` says why)."""

    subject: Subject | None
    plan: Plan | None = None
    error: EcrTuiError | None = None
    waiting_for: str = ""
    making: bool = False
    """The policy is known and the plan is a matter of milliseconds."""


class Previewer:
    """Owns the one preview. :attr:`writable` is the plan that ``g`` may write now, or None."""

    def __init__(self, node: Widget, workspace: Workspace, details: Details) -> None:
        self._node = node
        self._workspace = workspace
        self._details = details
        self._generation = 0
        self.preview = Preview(None)

    def leave(self) -> None:
        """Another row is under the cursor: from now on nothing may be written until its own preview is made."""
        self._generation += 1
        self.preview = Preview(None, making=True)

    def show(self, repository: Repository | None, grant: Grant | None, *, wait: str = "") -> Preview:
        """Select what to preview. What was on its way for another subject, or from another text, stops counting.

        ``wait``: why there can be none yet.
        """
        self._generation += 1
        if wait:
            self.preview = Preview(None, waiting_for=wait)
        elif repository is None:
            self.preview = Preview(None, waiting_for="Select a repository")
        elif grant is None:
            self.preview = Preview(None, waiting_for="To whom? Account B is not known: choose a principal with b")
        else:
            self._begin(Subject(repository, grant))
        return self.preview

    def _begin(self, subject: Subject) -> None:
        state = self._details.policies.get(subject.repository.arn)
        if state is None:
            self.preview = Preview(subject, waiting_for="Reading the policy…")
            self._details.need_policy(subject.repository)
            return
        if state.error is not None:
            self.preview = Preview(subject, error=state.error)
            return
        self.preview = Preview(subject, waiting_for="Making the preview…", making=True)
        generation, text = self._generation, state.value
        repository, grant = subject.repository, subject.grant

        def made(plan: Plan | None, error: EcrTuiError | None) -> Previewed:
            return Previewed(generation, repository, grant, text, plan, error)

        def work() -> Previewed:
            # The preview counts A's registry policy where it is known; what cannot be read must not stand in its way.
            with contextlib.suppress(EcrTuiError):
                self._workspace.access.registry_facts(repository.region)
            return made(self._workspace.changes.preview(repository, grant, text), None)

        jobs.start(
            self._node,
            work,
            failed=lambda error: made(None, error),
            group="preview",
        )

    def take(self, message: Previewed) -> bool:
        """Whether the answer is about what is selected now."""
        subject = self.preview.subject
        if message.generation != self._generation or subject != Subject(message.repository, message.grant):
            return False
        self.preview = Preview(subject, message.plan, message.error)
        return True

    def writable(self, repository: Repository | None, grant: Grant | None) -> Plan | None:
        """The finished plan, only if it is about exactly this repository and grant."""
        subject = self.preview.subject
        if repository is None or grant is None or subject is None or self.preview.plan is None:
            return None
        same = subject.repository.arn == repository.arn and subject.grant == grant
        return self.preview.plan if same and self.preview.plan.repository.arn == repository.arn else None
