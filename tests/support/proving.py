"""Verifications in this process, on the sandbox: the workspace as command line and interface use it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as CancelEvent
from typing import Any

from ecr_tui.aws.model import Repository
from ecr_tui.config import resolve
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.verification.report import Event, Report, Stage, StageEnded, StageName
from ecr_tui.workspace import Workspace

REPOSITORY = "my-first-repo"
CONSUMER = "arn:aws:iam::222222222222:user/devusr2"
CONSUMER_ACCOUNT = "222222222222"


def workspace(**flags: Any) -> Workspace:
    return Workspace(resolve({"profile_a": "account-a", "profile_b": "dev-acc", **flags}))


def grant(
    space: Workspace, name: str = REPOSITORY, access: Access = Access.PUSH_PULL, tags: tuple[tuple[str, str], ...] = ()
) -> Repository:
    """Let B in, and forget when: a test that provokes a denial does not want it waited out."""
    repository = space.listing.repository(name)
    space.changes.apply(space.changes.plan(repository, Grant((CONSUMER,), access, tags)))
    space.changes.journal.path.unlink(missing_ok=True)
    return repository


def prove(
    space: Workspace,
    repository: Repository | str = REPOSITORY,
    *,
    engine: str = "direct",
    isolation: Any = "none",
    on_event: Callable[[Event], None] = lambda _: None,
    cancel: CancelEvent | None = None,
    **options: Any,
) -> Report:
    if isinstance(repository, str):
        repository = space.listing.repository(repository)
    return space.verification.run(
        repository, engine=engine, isolation=isolation, on_event=on_event, cancel=cancel or CancelEvent(), **options
    )


def stage(report: Report, name: StageName) -> Stage:
    return next(one for one in report.stages if one.name is name)


def after(name: StageName, act: Callable[[], object]) -> Callable[[Event], None]:
    """An event sink that acts once a stage has ended."""

    def on_event(event: Event) -> None:
        if isinstance(event, StageEnded) and event.stage.name is name:
            act()

    return on_event


def images(sandbox: Sandbox, name: str = REPOSITORY) -> list[str]:
    return sandbox.owner_backend().tags(name)
