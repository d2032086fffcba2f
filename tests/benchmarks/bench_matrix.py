"""The matrix of 10,000 repositories and 50 grantees whose policies are read: the first view, and moving in it.

A frame is drawn when the app has made all of it; see ``bench_table``. Compared with working out every cell first.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import statistics
import time
from datetime import UTC, datetime

from textual.app import ComposeResult

from ecr_tui.access.matrix import AccessMatrix
from ecr_tui.aws.model import Repository
from ecr_tui.config import Settings
from ecr_tui.policy.actions import Access
from ecr_tui.policy.ours import Grant, Own
from ecr_tui.ui import collector
from ecr_tui.ui.matrix import MatrixReading
from ecr_tui.ui.text.matrix import columns
from ecr_tui.ui.widgets.cell_table import CellTable
from ecr_tui.workspace import Workspace
from tests.benchmarks.bench_table import REPEAT, Framed, frame, key
from tests.benchmarks.measures import Row, print_rows, seconds, times

A, REGION, REPOSITORIES, GRANTEES, DIFFERENT, ROUNDS = "111111111111", "eu-central-1", 10_000, 50, 500, 5
PRINCIPALS = [f"arn:aws:iam::{222222222222 + number // 4}:user/u{number}" for number in range(GRANTEES)]
TEAMS = ("Payments", "Search", "Data", "Web")


def policy(seed: int) -> str:
    chance = random.Random(seed)
    statements = []
    for principal in chance.sample(PRINCIPALS, 5):
        tags = (("Team", chance.choice(TEAMS)),) if chance.random() < 0.7 else ()
        statements.append(Own.of_grant(Grant((principal,), chance.choice(list(Access)), tags))[0].statement())
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


TEXTS = [policy(seed) for seed in range(DIFFERENT)]


def rows() -> list[Repository]:
    arn = f"arn:aws:ecr:{REGION}:{A}:repository/team/r"
    return [
        Repository(f"team/r{number:05d}", f"{arn}{number:05d}", "", REGION, A, {"Team": TEAMS[number % 4]})
        for number in range(REPOSITORIES)
    ]


def filled(given: list[Repository]) -> AccessMatrix:
    matrix = AccessMatrix(A, now=datetime.now(UTC))
    for number, row in enumerate(given):
        matrix.read(row, TEXTS[number % DIFFERENT])
    return matrix


def reading(given: list[Repository]) -> MatrixReading:
    made = MatrixReading(Workspace(Settings(profile_a="a", regions=(REGION,))), given, PRINCIPALS)  # nothing is read
    made.start(filled(given))
    return made


class Shown(Framed):
    def __init__(self, given: list[Repository]) -> None:
        super().__init__()
        self.given = given
        self.reading = reading(given)
        self.table: CellTable[Repository] = CellTable(
            columns(self.reading), key=lambda row: row.arn, look=lambda row: row, policies=self.reading
        )

    def compose(self) -> ComposeResult:
        yield self.table

    @property
    def busy(self) -> bool:
        return self.table.busy

    def fill(self) -> None:
        self.reading.start(filled(self.given))
        self.table.set_columns(columns(self.reading))
        self.table.set_rows(self.given)


async def measure(given: list[Repository], rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in ("first view", "page down", "column", "filter", "sort")}
    for _ in range(rounds):
        await once(Shown(given), found)
    return found


async def once(app: Shown, found: dict[str, list[float]]) -> None:
    table = app.table
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        gc.collect()
        found["first view"].append(await frame(app, app.fill, settled=False))
        while app.busy:
            await pilot.pause(0.001)
        found["page down"] += [await key(app, lambda: table.action_page(1), REPEAT) for _ in range(10)]
        found["column"] += [await key(app, lambda: table.action_move_column(1), REPEAT) for _ in range(20)]
        app.reading.chosen = table.column
        found["filter"].append(await frame(app, lambda: setattr(table, "filter", "access:push")))
        found["sort"].append(await frame(app, lambda: table.sort_by(table.column)))


def main() -> list[Row]:
    given = rows()
    with collector.tuned():
        collector.settle()
        found = asyncio.run(measure(given, ROUNDS))
    begun = time.perf_counter()
    matrix = filled(given)
    for row in given:
        for principal in PRINCIPALS:
            matrix.row(row, principal)
    whole = time.perf_counter() - begun
    medians = {name: statistics.median(values) for name, values in found.items()}
    lines = [(name, f"{seconds(value):>9}") for name, value in medians.items()]
    lines.append((f"all {REPOSITORIES * GRANTEES:,} cells", f"{seconds(whole):>9}"))
    print_rows(
        f"{REPOSITORIES:,} repositories × {GRANTEES} grantees, {DIFFERENT} different policies, to the frame", lines
    )
    size = f"{REPOSITORIES:,} × {GRANTEES}"
    moving = max(medians["page down"], medians["column"])
    return [
        Row(f"Matrix of {size}: first view", seconds(medians["first view"]), f"all cells first: {seconds(whole)}",
            times(whole, medians["first view"])),
        Row(f"Matrix of {size}: scroll to the frame", seconds(moving), f"all cells first: {seconds(whole)}",
            times(whole, moving)),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
