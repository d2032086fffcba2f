"""Read the policies of many repositories in parallel, all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ecr_tui.aws.model import Repository
from ecr_tui.aws.parallel import OnProgress as OnProgress
from ecr_tui.aws.parallel import each
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.document import PolicyDocument, PolicyError

WORKERS = 8
"""ECR publishes no rate limit for GetRepositoryPolicy; the background client backs off if eight in parallel are too
many."""


class Entry(NamedTuple):
    """A repository and its policy's text: None without a policy, or if unknown (``unreadable`` has the reason)."""

    repository: Repository
    text: str | None = None
    unreadable: str = ""


def read_policies(
    read: Callable[[Repository], str | None],
    repositories: Sequence[Repository],
    *,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> list[Entry]:
    """As :func:`ecr_tui.aws.parallel.each`; exceptions of ``read`` become the entry's reason."""
    return each(
        lambda repository: _entry(read, repository),
        repositories,
        workers=WORKERS,
        on_progress=on_progress,
        cancel=cancel,
    )


def parsed(text: str) -> PolicyDocument | str:
    """The document, or the reason why there is none."""
    try:
        return PolicyDocument.parse(text)
    except PolicyError as error:
        return f"the policy is not valid: {error.title}"


def _entry(read: Callable[[Repository], str | None], repository: Repository) -> Entry:
    try:
        return Entry(repository, read(repository))
    except EcrTuiError as error:
        return Entry(repository, unreadable=error.reason)
    except Exception as error:
        return Entry(repository, unreadable=f"cannot read it: {error!r}")
