"""The tasks behind the keys, by name: ``task('grant')`` in the catalogue of keys; and those that have no key."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple

from ecr_tui.ui.desk import Desk
from ecr_tui.ui.selection import Selection
from ecr_tui.ui.tasks import (
    accounts,
    choices,
    console,
    copies,
    edits,
    grants,
    journal,
    merge,
    runs,
    tags,
    undo,
    verification,
    verifications,
)

Task = Callable[[Desk, Selection], Coroutine[Any, Any, None]]

TASKS: dict[str, Task] = {
    "access": choices.next_access,
    "accounts": accounts.choose,
    "condition": choices.condition,
    "console": console.show,
    "copy_arn": copies.arn,
    "copy_as": copies.form,
    "copy_uri": copies.uri,
    "edit_policy": edits.edit,
    "edit_tags": tags.edit,
    "engine": choices.engine,
    "grant": grants.grant,
    "history": verification.history,
    "isolation": verification.isolation,
    "journal": journal.show,
    "merge": merge.merge,
    "principal": choices.principal,
    "repair": grants.repair,
    "revoke": grants.revoke,
    "runs": runs.show,
    "undo": undo.undo,
    "unfinished_run": runs.unfinished,
    "until": choices.until,
    "verifications": verifications.show,
    "verify": verification.verify,
    "verify_many": verifications.verify_marked,
}


class Command(NamedTuple):
    """A task without a key, for the palette."""

    title: str
    tooltip: str
    task: str


def commands(desk: Desk, selection: Selection) -> Iterator[Command]:
    """Those that can do something now."""
    if selection.repository is not None:
        yield Command("Copy: repository ARN", "Copy the ARN of the selected repository", "copy_arn")
        yield Command("Copy: repository URI", "Copy what docker push and pull take", "copy_uri")
    if desk.batch is not None:
        yield Command("Prove: verification of many", "Show the last verification of many again", "verifications")
    if selection.marked and selection.repository is not None:
        words = "Verify the selected repository; account B must be denied on the marked ones"
        yield Command("Prove: isolation of the marked", words, "isolation")
    yield Command("Change: load a policy file…", "Merge a policy into the repository, or the marked ones", "merge")
    yield Command("Change: unfinished run", "Resume or dismiss what is left of a run", "unfinished_run")
    yield Command("Prove: engine…", "Verify with Docker, or with the registry protocol itself", "engine")
