"""Editing the selected repository's tags: read live, show the effect, ask, write, and correct the row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.errors import EcrTuiError
from ecr_tui.ui import jobs
from ecr_tui.ui.messages import Answered
from ecr_tui.ui.screens.confirm import ConfirmScreen
from ecr_tui.ui.screens.tags import TagsScreen
from ecr_tui.ui.text import MUTED, OK, safe

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.changes.tag_plans import TagPlan
    from ecr_tui.changes.tags import TagOutcome
    from ecr_tui.ui.screens.main import MainScreen


class TagEditing:
    """Belongs to the main screen."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._generation = 0

    def open(self) -> None:
        main, repository = self._screen, self._screen.repository
        if repository is None or not self._screen.writes.ready():
            return
        self._generation += 1
        generation, workspace = self._generation, main.workspace

        def work() -> Answered:
            fresh = workspace.changes.fresh_tags(repository)
            return Answered(lambda: self._edit(fresh) if generation == self._generation else None)

        jobs.start(main, work, failed=self._told, group="tags")

    def _edit(self, fresh: Repository) -> None:
        self._update(fresh)

        def answered(after: dict[str, str] | None) -> None:
            if after is None:
                return
            before, workspace = fresh.tags or {}, self._screen.workspace
            tags = {key: value for key, value in after.items() if before.get(key) != value}
            unset = [key for key in before if key not in after]
            self.plan(lambda: workspace.changes.plan_tags(fresh, tags, unset))

        self._screen.app.push_screen(TagsScreen(fresh), answered)

    def plan(self, make: Callable[[], TagPlan]) -> None:
        """Make the plan on a thread, then show what it does and ask; also for taking a change of tags back."""
        if not self._screen.writes.ready():
            return

        def work() -> Answered:
            plan = make()
            return Answered(lambda: self._confirm(plan))

        jobs.start(self._screen, work, failed=self._told, group="tags")

    def _confirm(self, plan: TagPlan) -> None:
        app, name = self._screen.app, safe(plan.repository.name)
        if not plan.changed:
            app.notify(f"The tags of {name} are so already.", markup=False)
            return
        loud = plan.asks
        body = [
            Content.assemble(
                ("! " if loud else f"{OK} ", "bold $text-warning" if loud else "$text-success"), safe(line)
            )
            for line in plan.lines()
        ]
        body.append(Content(""))
        for key in sorted({*plan.before, *plan.after}):
            sides = plan.before.get(key), plan.after.get(key)
            if sides[0] != sides[1]:
                body += [
                    Content.styled(safe(f"{op} {key}={value}"), style)
                    for op, value, style in (("-", sides[0], "$text-error"), ("+", sides[1], "$text-success"))
                    if value is not None
                ]
        body += [
            Content(""),
            Content.styled("Counted is what A's policies give. B's own policies may depend on tags, too.", MUTED),
        ]

        def answered(yes: bool | None) -> None:
            if yes and self._screen.writes.ready():
                self._write(plan)

        verb = {"undo": "Undo the change of", "redo": "Make again the change of"}.get(plan.kind, "Write")
        app.push_screen(ConfirmScreen(f"{verb} the tags of {name}?", body, yes="Yes, write"), answered)

    def _write(self, plan: TagPlan) -> None:
        main, workspace = self._screen, self._screen.workspace

        def take(outcome: TagOutcome | EcrTuiError) -> None:
            if isinstance(outcome, EcrTuiError):
                self._failed(outcome, plan.repository.name)
            else:
                self._wrote(outcome)

        main.writes.writer.do("writing", lambda: workspace.changes.apply_tags(plan), take)
        main.update_bindings()

    def _wrote(self, outcome: TagOutcome) -> None:
        main, plan = self._screen, outcome.plan
        row = main.table.find(plan.repository.arn)
        if row is not None:
            self._update(replace(row, tags=dict(plan.after), tags_source="live"))
        self._ended()
        end = "\n".join(safe(note) for note in outcome.notes) or "Written and read back. U shows and undoes it."
        main.app.notify(f"{safe(plan.repository.name)}: {end}", title=f"{OK} Tags", timeout=8, markup=False)

    def _failed(self, error: EcrTuiError, name: str) -> None:
        self._ended()
        self._screen.report(error, f"Tags of {name} not changed")

    def _ended(self) -> None:
        main = self._screen
        main.update_bindings()
        main.show_status()
        main.writes_settled()

    def _update(self, row: Repository) -> None:
        """What the row says, and what follows from its tags: the access column, and the preview."""
        main = self._screen
        before = main.table.find(row.arn)
        if before is not None:
            main.table.add_rows([row])
        main.policies_changed([row.arn], "" if before is not None and before.tags == row.tags else "tag change")

    def _told(self, error: EcrTuiError) -> Answered:
        return Answered(lambda: self._screen.report(error))
