"""Screen of the access matrix: evaluates visible cells, and explains a cell on both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ecr_tui.policy.actions import Access
from ecr_tui.render.matrix import matrix_csv, matrix_text
from ecr_tui.ui import jobs
from ecr_tui.ui.matrix import MatrixReading
from ecr_tui.ui.messages import CopyWanted
from ecr_tui.ui.plain import pace
from ecr_tui.ui.screens.rows import RowsScreen
from ecr_tui.ui.screens.text import TextScreen
from ecr_tui.ui.tasks import matrix, runs
from ecr_tui.ui.text import safe
from ecr_tui.ui.text.matrix import columns, in_full, one_line, progress
from ecr_tui.ui.widgets.cell_table import CellTable
from ecr_tui.ui.widgets.keyhints import Hint, KeyHints
from ecr_tui.ui.widgets.virtual_table import VirtualTable
from ecr_tui.ui.widgets.words import Words

if TYPE_CHECKING:
    from ecr_tui.access.matrix import AccessMatrix, Grantee, Proof, ProofKey
    from ecr_tui.access.two_sided import TwoSided
    from ecr_tui.aws.model import Repository
    from ecr_tui.errors import EcrTuiError
    from ecr_tui.ui.desk import Desk

TICK = 0.05
"""Seconds between updates."""
SIDES_WIDTH = 90


class CellChosen(NamedTuple):
    """An existing cell: its repository and column."""

    repository: Repository
    grantee: Grantee


class MatrixScreen(RowsScreen["Repository | None"]):
    """Reads while shown. The result is a repository to go to."""

    DEFAULT_CSS = """
    MatrixScreen {
        & > #dialog { width: 100%; max-width: 100%; height: 100%; max-height: 100%; }
        & .title { height: 1; }
        & #progress { height: 1; }
        & #cell { height: 3; width: 1fr; border-top: solid $border-blurred; }
        &.-high #cell { height: 4; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("M", "leave", "Close"),
        Binding("s", "sort_here", "Sort by the column"),
        Binding("S", "sort('name')", "Sort by name"),
        Binding("g", "change(False)", "Grant"),
        Binding("x", "change(True)", "Revoke"),
        Binding("v", "verify", "Verify"),
        Binding("p", "access", "Access of a grant"),
        Binding("e", "turn", "Everyone or consumers"),
        Binding("R", "runs", "Run"),
        Binding("o", "go_to", "Go to the repository"),
        Binding("r", "again", "Refresh"),
    ]

    def __init__(self, desk: Desk, rows: Sequence[Repository]) -> None:
        super().__init__()
        self._desk = desk
        self.reading = MatrixReading(desk.workspace, rows, desk.selection.principals)
        self._error: EcrTuiError | None = None
        self.table: CellTable[Repository] = CellTable(
            columns(self.reading),
            key=lambda row: row.arn,
            look=lambda row: row,
            policies=self.reading,
            id="matrix",
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Access matrix: account A's policies", classes="title", markup=False)
            yield Words(id="progress")
            yield self.filter_box("api tag:Team=Payments access:push !access:pull")
            yield self.table
            yield Words(id="cell")
            yield KeyHints(between="  ")

    def on_mount(self) -> None:
        self.table.set_message("No repository matches.")
        self.table.set_rows(self.reading.rows)
        self.set_interval(pace(self, TICK), self._tick)
        self._begin()

    def on_unmount(self) -> None:
        self.reading.stop()

    # -- reading -----------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        jobs.start(self, self.reading.begin, self._started, self._failed)

    def _started(self, matrix: AccessMatrix) -> None:
        self.reading.start(matrix)
        self.table.set_columns(columns(self.reading))
        self._read(self.reading.rows)

    def _read(self, rows: Sequence[Repository]) -> None:
        self.reading.again()
        jobs.start(self, partial(self.reading.read_all, rows), lambda _: None, self._failed)
        self.reading.want(self.table.window())
        self._say()

    def _failed(self, error: EcrTuiError) -> None:
        self._error = error
        self._say()

    def _tick(self) -> None:
        before = self.reading.over
        taken, changed = self.reading.take()
        if changed:
            self.table.set_columns(columns(self.reading))
        if taken:
            self.table.model.look_again()
            self.table.refresh()
        if taken or before != self.reading.over:
            self._say()

    def _say(self) -> None:
        error = "" if self._error is None else self._error.title
        self.query_one("#progress", Words).say(progress(self.reading, self.table, error))
        cell = self.cell
        said = Content.empty() if cell is None else one_line(self.reading, cell.repository, cell.grantee)
        self.query_one("#cell", Words).say(said)

    # -- cells -------------------------------------------------------------------------------------------------------

    @property
    def cell(self) -> CellChosen | None:
        """The one under the cursor."""
        row, grantee = self.table.current, self.reading.grantee(self.table.column)
        return None if row is None or grantee is None else CellChosen(row, grantee)

    @on(VirtualTable.Moved)
    @on(VirtualTable.Changed)
    @on(VirtualTable.WindowChanged)
    @on(VirtualTable.Loaded)
    def _table_changed(self) -> None:
        if self.reading.chosen != self.table.column:
            self.reading.chosen = self.table.column
            self.table.model.look_again()
        self.reading.want(self.table.window())
        self._say()

    @on(VirtualTable.Opened)
    def _opened(self) -> None:
        cell = self.cell
        policy = None if cell is None else self.reading.policy(cell.repository)
        if cell is None or policy is None:
            self.tell("Its policy is not read yet.")
            return
        both_sides = self._desk.workspace.access.both_sides
        work = partial(both_sides, policy, cell.grantee.principal, Access.READ_PUSH_PULL)
        jobs.start(self, work, partial(self._explain, cell), self._failed)

    def _explain(self, cell: CellChosen, sides: TwoSided | None) -> None:
        if not self.is_current:
            return
        body = in_full(
            self.reading, cell.repository, cell.grantee, sides, min(max(self.size.width - 12, 20), SIDES_WIDTH)
        )
        title = f"{safe(cell.repository.name)} × {safe(cell.grantee.title)}"
        self.app.push_screen(TextScreen(title, body, copy=f"{title}\n{body.plain}\n", what="the explanation"))

    # -- actions -----------------------------------------------------------------------------------------------------

    def action_sort_here(self) -> None:
        if self.table.column:
            self.table.sort_by(self.table.column)

    def hints(self) -> list[Hint]:
        access = self._desk.selection.choice.access
        possible = not self._desk.workspace.settings.read_only_reason
        writes = [("g", f"grant {access}"), ("x", "revoke"), ("v", "verify"), ("p", "access")] if possible else []
        return [
            ("enter", "explain"),
            *writes,
            ("space", "mark"),
            ("*", "column"),
            ("/", "filter"),
            ("s S", "sort"),
            ("← →", "grantee"),
            ("e", "consumers" if self.reading.everyone else "everyone"),
            ("o", "open"),
            ("y", "copy CSV"),
            ("r", "refresh"),
            ("esc", "close"),
        ]

    def action_again(self) -> None:
        """Read everything again that may have changed."""
        self._error = None
        self.reading.forget()
        self._begin()

    def cells(self) -> list[tuple[Repository, str]]:
        """The marked ones, or the one under the cursor."""
        marked, cell = self.table.marked_cells(), self.cell
        return marked or ([] if cell is None else [(cell.repository, cell.grantee.principal)])

    def action_change(self, revoke: bool) -> None:
        cells, desk = self.cells(), self._desk
        hidden = frozenset(row.arn for row in self.table.model.marked_hidden())
        if cells:
            begun, ended = self.table.unmark_all, self._look_again
            desk.start(matrix.change(desk, desk.selection, cells, hidden, begun, ended, revoke=revoke))

    def action_verify(self) -> None:
        cells = self.cells()
        if cells:
            desk, begun, ended = self._desk, self.table.unmark_all, self._look_again
            desk.start(matrix.verify(desk, desk.selection, self.reading, cells, begun, ended))

    def action_runs(self) -> None:
        self._desk.start(runs.show(self._desk, self._desk.selection))

    def action_access(self) -> None:
        self._desk.select(choice=self._desk.selection.choice.next_access())
        self.say_keys()

    def action_turn(self) -> None:
        self.reading.turn()
        self.table.set_columns(columns(self.reading))
        self.say_keys()
        self._say()

    @on(events.ScreenResume)
    def _look_again(self) -> None:
        """A run, an undo or a verification may have ended."""
        if not self.is_mounted or self.reading.matrix is None:
            return
        jobs.start(self, self._desk.workspace.verification.proofs, self._proved, self._failed)
        rows = self.reading.outdated()
        if rows:
            self._read(rows)

    def _proved(self, proofs: Mapping[ProofKey, Proof]) -> None:
        self.reading.prove(proofs)
        self.table.refresh()
        self._say()

    def document(self) -> str:
        reading = self.reading
        if reading.matrix is None:
            return ""
        return matrix_text(reading.matrix, self._shown(), reading.columns, self.size.width)

    def action_copy(self) -> None:
        """The cells in the rows that are shown."""
        reading, rows = self.reading, self._shown()
        matrix = reading.matrix
        if matrix is None or not reading.over:
            self.tell("The policies are not read yet.")
            return
        text = matrix_csv(matrix, rows, reading.columns)
        self.post_message(CopyWanted(text, "the matrix (CSV)"))

    def _shown(self) -> list[Repository]:
        return [entry.row for entry in self.table.model.view]

    def action_go_to(self) -> None:
        self.dismiss(self.table.current)
