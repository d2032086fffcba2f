"""A check of many repositories against a file of grants, against what a plan of Terraform asks for them."""

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
from tests.benchmarks.measures import Row, print_rows, sandbox, seconds, times

REPOSITORIES = 10_000
LATENCY = 0.030
DONE = 300
"""How many of them are asked for in Terraform's way; the rest is calculated."""
THREADS = 10
"""Terraform's own default."""
FILE = """\
[[grants]]
repositories = "*"
to = "arn:aws:iam::222222222222:user/devusr2"
access = "pull"
until = 2001-01-01
"""
"""Of a grant that has ended, so that nothing differs: the policies are read all the same."""


def ours(folder: Path) -> tuple[float, int, list[Repository]]:
    """Seconds and calls for the policies of all, and the repositories."""
    workspace = Workspace(Settings("account-a", "dev-acc", state_dir=folder / "state", cache_dir=folder / "cache"))
    rows = workspace.listing.repositories()
    desired = workspace.changes.desired(GrantsFile("grants.toml", FILE))
    bulk = workspace.changes.bulk()
    begun = time.perf_counter()
    planned = bulk.plan(rows, Intent.to_apply(desired), listed_tags=True)
    took = time.perf_counter() - begun
    assert not [one for one in planned if not isinstance(one, Plan) or one.changed]
    workspace.close()
    return took, bulk.pacer.calls, rows


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
    with tempfile.TemporaryDirectory() as folder, sandbox(repositories, latency=LATENCY):
        took, calls, rows = ours(Path(folder))
        some = rows[:DONE]
        other = by_refresh(some) * len(rows) / len(some)
    each = calls / len(rows)
    print_rows(
        f"{len(rows):,} repositories compared with a file of grants, ECR {seconds(LATENCY)} away",
        [
            ("ours", f"{seconds(took)}, {calls:,} calls"),
            (f"two calls each, {THREADS} threads ({len(some)} done, the rest calculated)", seconds(other)),
        ],
    )
    return [
        Row(
            f"Check {len(rows):,} repositories against a file of grants",
            f"{seconds(took)}: {each:.1f} calls each",
            f"a refresh as Terraform's¹, 2 calls each, {THREADS} at a time: {seconds(other)}",
            times(other, took),
        )
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORIES)
