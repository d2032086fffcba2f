"""Reading the policies of many repositories at once: bounded, with progress, and left at once when cancelled."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ecr_tui.aws.model import Repository
from ecr_tui.errors import Cancelled, EcrTuiError

WORKERS = 8
"""ECR publishes no rate for GetRepositoryPolicy; the background client backs off where eight at a time are too many."""

OnProgress = Callable[[int, int], None]
"""(read, of how many), on the calling thread."""


@dataclass(frozen=True)
class Entry:
    """A repository and its policy's text: None where it has none, or where ``unreadable`` says why it is not known."""

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
    """``read`` is asked from several threads; what it raises becomes the entry's reason, so none is ever left out.

    Raises Cancelled within a tenth of a second of ``cancel``; calls on their way are left behind (daemon threads).
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Entry]] = queue.SimpleQueue()
    stop = threading.Event()
    for index in range(len(repositories)):
        waiting.put(index)

    def work() -> None:
        while not stop.is_set():
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                return
            done.put((index, _entry(read, repositories[index])))

    for _ in range(min(WORKERS, len(repositories))):
        threading.Thread(target=work, name="audit-reading", daemon=True).start()
    found: dict[int, Entry] = {}
    try:
        while len(found) < len(repositories):
            if cancel is not None and cancel.is_set():
                raise Cancelled
            try:
                index, entry = done.get(timeout=0.1)
            except queue.Empty:
                continue
            found[index] = entry
            if on_progress is not None:
                on_progress(len(found), len(repositories))
    finally:
        stop.set()
    return [found[index] for index in range(len(repositories))]


def _entry(read: Callable[[Repository], str | None], repository: Repository) -> Entry:
    try:
        return Entry(repository, read(repository))
    except EcrTuiError as error:
        detail = " ".join(error.detail.split())
        told = f"{error.title}: {detail}" if detail and detail != error.title else error.title
        return Entry(repository, unreadable=told)
    except Exception as error:
        return Entry(repository, unreadable=f"cannot read it: {error!r}")
