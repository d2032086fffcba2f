"""Tasks of keys by name (``task('grant')`` in the key catalogue), tasks without a key, and why a key is disabled."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple

from ecr_tui.ui.desk import Desk
from ecr_tui.ui.key import PROVE, Key
from ecr_tui.ui.result import Result
from ecr_tui.ui.selection import Selection
from ecr_tui.ui.tasks import (
    accounts,
    choices,
    console,
    copies,
    edits,
    grants,
    journal,
    leftovers,
    merge,
    principals,
    reading,
    runs,
    second_opinion,
    tags,
    verification,
)
from ecr_tui.ui.text import safe

Task = Callable[[Desk, Selection], Coroutine[Any, Any, None]]

TASKS: dict[str, Task] = {
    "access": choices.next_access,
    "accounts": accounts.choose,
    "ask_analyzer": second_opinion.ask,
    "audit": reading.audit,
    "calls": reading.calls,
    "condition": choices.condition,
    "console": console.show,
    "copy_arn": copies.arn,
    "copy_as": copies.form,
    "copy_uri": copies.uri,
    "drift": reading.drift,
    "edit_policy": edits.edit,
    "edit_tags": tags.edit,
    "engine": choices.engine,
    "grant": grants.grant,
    "grant_template": grants.grant_template,
    "help": reading.keys,
    "history": verification.history,
    "isolation": verification.isolation,
    "journal": journal.show,
    "leftovers": leftovers.clean,
    "matrix": reading.matrix,
    "merge": merge.merge,
    "next_consumer": accounts.next_consumer,
    "previous_consumer": accounts.previous_consumer,
    "principal": principals.principal,
    "repair": grants.repair,
    "revoke": grants.revoke,
    "runs": runs.show,
    "tag_switch": verification.tag_switch,
    "undo": journal.undo,
    "unfinished_run": runs.unfinished,
    "until": choices.until,
    "usage": reading.usage,
    "verifications": verification.show_many,
    "verify": verification.verify,
    "verify_many": verification.verify_marked,
    "workloads": reading.workloads,
}


NEEDS_REPOSITORY = (
    "change.edit",
    "change.grant",
    "change.repair",
    "change.revoke",
    "change.tags",
    "find.describe",
    "find.workloads",
    "general.console",
    "prove.history",
    "prove.verify",
)


class Command(NamedTuple):
    """A task without a key, for the palette."""

    title: str
    tooltip: str
    task: str


class Actions:
    """Starts tasks with the given selection."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def start(self, name: str, selection: Selection) -> None:
        """``g`` twice within the delay is vim's "go to top"."""
        desk = self._desk
        if name == "grant" and desk.countdown.press():
            desk.countdown.cancel()
            desk.stage.area.go_to_top()
            return
        if name == "grant":
            desk.stage.area.remember()
        desk.start(TASKS[name](desk, selection))

    def cancel(self) -> None:
        """Stop, close or clear the first item that applies to Esc."""
        desk, stage = self._desk, self._desk.stage
        if desk.countdown.cancel():
            now = desk.selection
            if now.repository is not None:
                desk.tell(Result(now.repository, "canceled, nothing was written", now.grant))
        elif (
            stage.preview.analyzer.cancel()
            or stage.verification.cancel()
            or stage.repositories.search.cancel()
            or stage.banner.close()
        ):
            return
        elif stage.repositories.clear_filter():
            stage.repositories.take_focus()

    def why_not(self, key: Key, selection: Selection) -> str:
        """Why its action is disabled now, as a sentence; "" if enabled. Evaluated each time, because profiles can be
        switched."""
        desk, settings = self._desk, self._desk.workspace.settings
        pushes = key.group == PROVE
        # A verification that only reads or pulls changes nothing.
        if key.writes and (not pushes or selection.choice.access.writes):
            reason = settings.push_refusal if pushes else settings.read_only_reason
            if reason:
                pull = " Verifying pull alone is possible: press p." if pushes else ""
                return f"Read-only: {key.label.lower()} is off. {reason}{pull}"
        if key.writes and desk.busy:
            return f"{key.label} is off: another write is in progress."
        if key.writes and selection.cached and key.id != "change.undo":
            return f"{key.label} is off: this is a cached list. Wait for the refresh, or press r."
        if key.id in NEEDS_REPOSITORY and selection.repository is None:
            return f"{key.label} is off: no repository is selected."
        return ""

    def refuse(self, key: Key, selection: Selection) -> None:
        if key.id == "change.grant":
            self.start("grant", selection)  # reports the reason, except for the second g of gg
        else:
            self._desk.say(safe(self.why_not(key, selection)), warning=True)

    def commands(self, selection: Selection) -> Iterator[Command]:
        """Enabled tasks without a key, for the palette."""
        if selection.repository is not None:
            yield Command("Copy: repository ARN", "Copy the ARN of the selected repository", "copy_arn")
            yield Command("Copy: repository URI", "Copy the URI for docker push and pull", "copy_uri")
            words = "Pulls and pushes, unused grants and denied attempts, from CloudTrail"
            yield Command("Inspect: usage of this repository", words, "usage")
        if selection.plan is not None:
            words = "External access by the previewed policy, from IAM Access Analyzer, compared with ecr-tui's answer"
            yield Command("Inspect: ask Access Analyzer", words, "ask_analyzer")
        if self._desk.batch is not None:
            yield Command("Verify: results of many", "Show the last verification of many again", "verifications")
        if selection.repository is not None:
            words = "Verify the selected repository; account B must be denied on the marked ones"
            yield Command("Verify: isolation of the marked", words, "isolation")
            words = "Verify that access ends with the tag: it is removed for some seconds; asks first"
            yield Command("Verify: tag switch…", words, "tag_switch")
        words = "Remove what an interrupted verification left behind: probe images, removed tags"
        yield Command("Verify: clean up leftovers…", words, "leftovers")
        yield Command("Change: load a policy file…", "Merge a policy into the repository, or the marked ones", "merge")
        words = "Compare policies with a grants file (ecr-tui apply) and apply selected changes"
        yield Command("Inspect: drift against a grants file…", words, "drift")
        if selection.template is not None and selection.template.changed:
            words = f"Write the grant into creation {selection.template.repository.name}, for future repositories"
            yield Command("Change: grant in the creation template…", words, "grant_template")
        yield Command("Change: unfinished run", "Resume or dismiss the rest of a run", "unfinished_run")
        yield Command("Verify: engine…", "Docker, Podman, or the registry protocol without a daemon", "engine")
