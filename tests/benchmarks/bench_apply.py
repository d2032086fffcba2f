"""A check of many repositories against a file of grants, and applying it to a thousand.

The check is compared with the requests of a Terraform refresh, applying with a loop of threads.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ecr_tui.aws.model import Repository
from ecr_tui.changes.bulk import Intent
from ecr_tui.changes.desired.file import GrantsFile
from ecr_tui.changes.plans import Plan
from ecr_tui.config import Settings
from ecr_tui.workspace import Workspace
from tests.benchmarks.bench_bulk import SEEDED, by_script
from tests.benchmarks.bench_bulk import THREADS as LOOP
from tests.benchmarks.measures import Row, print_rows, sandbox, seconds, times

REPOSITORIES = 10_000
LATENCY = 0.030
DONE = 300
"""How many of them are asked for in Terraform's way; the rest is calculated."""
THREADS = 10
"""Terraform's own default."""
APPLIED = 1_000
FILE = """\
[[grants]]
repositories = "*"
to = "arn:aws:iam::222222222222:user/devusr2"
access = "pull"
"""
ENDED = f"{FILE}until = 2001-01-01\n"
"""A grant that has ended, so nothing differs: the policies are read all the same."""


def checked(workspace: Workspace, rows: Sequence[Repository]) -> tuple[float, int]:
    """Seconds and calls for the policies of all."""
    desired = workspace.changes.desired(GrantsFile("grants.toml", ENDED))
    bulk = workspace.changes.bulk()
    begun = time.perf_counter()
    planned = bulk.plan(rows, Intent.to_apply(desired), listed_tags=True)
    took = time.perf_counter() - begun
    assert not [one for one in planned if not isinstance(one, Plan) or one.changed]
    return took, bulk.pacer.calls


def applied(workspace: Workspace, rows: Sequence[Repository]) -> tuple[float, int]:
    """Seconds and calls from the file to the last policy read back."""
    intent = Intent.to_apply(workspace.changes.desired(GrantsFile("grants.toml", FILE)))
    bulk = workspace.changes.bulk()
    begun = time.perf_counter()
    plans = [one for one in bulk.plan(rows, intent, listed_tags=True) if isinstance(one, Plan)]
    summary = bulk.run(plans, intent)
    took = time.perf_counter() - begun
    assert len(summary.written) == len(rows), summary.results
    return took, bulk.pacer.calls


def by_refresh(rows: Sequence[Repository]) -> float:
    """Seconds in which the repository and its policy are read one by one, as a refresh of Terraform's does."""
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "standard"}, max_pool_connections=THREADS)
    client: Any = boto3.Session(profile_name="account-a").client("ecr", config=config)

    def one(row: Repository) -> None:
        client.describe_repositories(repositoryNames=[row.name])
        with contextlib.suppress(client.exceptions.RepositoryPolicyNotFoundException):
            client.get_repository_policy(repositoryName=row.name)

    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, rows))
    return time.perf_counter() - begun


def main(repositories: int = REPOSITORIES) -> list[Row]:
    applying = min(APPLIED, repositories // 2)
    with tempfile.TemporaryDirectory() as folder, sandbox(repositories, latency=LATENCY):
        state, cache = Path(folder, "state"), Path(folder, "cache")
        workspace = Workspace(Settings("account-a", "dev-acc", state_dir=state, cache_dir=cache))
        rows = workspace.listing.repositories()
        took, calls = checked(workspace, rows)
        some = rows[:DONE]
        other = by_refresh(some) * len(rows) / len(some)
        blank = [row for row in rows if SEEDED.search(row.name)]
        first, second = blank[:applying], blank[applying : 2 * applying]
        applying_took, applying_calls = applied(workspace, first)
        looped, failed = by_script(second, LOOP)
        workspace.close()
    each = calls / len(rows)
    print_rows(
        f"{len(rows):,} repositories compared with a file of grants, ECR {seconds(LATENCY)} away",
        [
            ("ours", f"{seconds(took)}, {calls:,} calls"),
            (f"two calls each, {THREADS} threads ({len(some)} done, the rest calculated)", seconds(other)),
            (f"applied to {len(first):,}", f"{seconds(applying_took)}, {applying_calls:,} calls"),
            (f"a loop with {LOOP} threads", f"{seconds(looped)}, {failed:,} failed"),
        ],
    )
    return [
        Row(
            f"Check {len(rows):,} repositories against a file of grants",
            f"{seconds(took)}: {each:.1f} calls each",
            f"a refresh as Terraform's¹, 2 calls each, {THREADS} at a time: {seconds(other)}",
            times(other, took),
        ),
        Row(
            f"Apply a file of grants to {len(first):,} repositories, 30 ms away",
            f"{seconds(applying_took)}: {applying_calls / len(first):.1f} calls each",
            f"a loop with {LOOP} threads: {seconds(looped)}, {failed:,} failed",
            times(looped, applying_took),
        ),
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORIES)
