"""Grants to many repositories through a service that limits its rate: ours, a plain loop, and 16 threads."""

from __future__ import annotations

import contextlib
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ecr_tui.aws.model import Repository
from ecr_tui.changes.bulk import Intent
from ecr_tui.changes.plans import Plan
from ecr_tui.config import Settings
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.workspace import Workspace
from tests.benchmarks.measures import Row, print_rows, sandbox, seconds, times

GRANTS = 1_000
RATE, BURST = 100.0, 200.0
LATENCY = 0.030
LOOPED = 60
"""How many the plain loop does; the rest of it is calculated."""
THREADS = 16
SEEDED = re.compile(r"-\d{5}$")
"""The names of those that were made for this: they have no policy yet."""
USER = "arn:aws:iam::222222222222:user/devusr2"


def ideal(calls: int, seconds_per_call: float) -> float:
    """The shortest time in which a service of this rate takes ``calls`` that come at least so far apart."""
    return max((calls - BURST) / RATE, calls * seconds_per_call)


def ours(rows: Sequence[Repository], folder: Path) -> tuple[float, int, int]:
    """Seconds, calls and refusals of the writes, the plans being made."""
    workspace = Workspace(Settings("account-a", "dev-acc", state_dir=folder / "state", cache_dir=folder / "cache"))
    bulk = workspace.changes.bulk()
    intent = Intent.to_grant(Grant((USER,), Access.PULL))
    planned = bulk.plan(rows, intent, texts=dict.fromkeys(row.arn for row in rows))
    plans = [plan for plan in planned if isinstance(plan, Plan)]
    assert len(plans) == len(rows)
    time.sleep(BURST / RATE)
    summary = bulk.run(plans, intent)
    assert len(summary.written) == len(rows), summary.results
    workspace.close()
    return summary.seconds, summary.calls, summary.refusals


def _script() -> tuple[Any, Callable[[Repository], None], list[str]]:
    """What a script does for each: read, write, read back; boto3's standard retries; what failed for good."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    config = Config(retries={"mode": "standard"}, max_pool_connections=THREADS)
    client: Any = boto3.Session(profile_name="account-a").client("ecr", config=config)
    text = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"'
        + USER
        + '"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}'
    )
    failed: list[str] = []

    def read(name: str) -> None:
        with contextlib.suppress(client.exceptions.RepositoryPolicyNotFoundException):
            client.get_repository_policy(repositoryName=name)

    def one(row: Repository) -> None:
        try:
            read(row.name)
            client.set_repository_policy(repositoryName=row.name, policyText=text)
            read(row.name)
        except ClientError as error:
            failed.append(str(error))

    return client, one, failed


def by_script(rows: Sequence[Repository], threads: int) -> tuple[float, int]:
    """Seconds, and how many repositories it failed for."""
    _, one, failed = _script()
    time.sleep(BURST / RATE)
    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, rows))
    return time.perf_counter() - begun, len(failed)


def main(grants: int = GRANTS) -> list[Row]:
    with (
        tempfile.TemporaryDirectory() as folder,
        sandbox(2 * grants + LOOPED, latency=LATENCY, rate=RATE, burst=BURST),
    ):
        workspace = Workspace(
            Settings("account-a", "dev-acc", cache_dir=Path(folder) / "c", state_dir=Path(folder) / "s")
        )
        blank = [row for row in workspace.listing.repositories() if SEEDED.search(row.name)]
        workspace.close()
        mine, threaded, looped = blank[:grants], blank[grants : 2 * grants], blank[-LOOPED:]
        took, calls, refusals = ours(mine, Path(folder))
        by_threads, failed = by_script(threaded, THREADS)
        plain, _ = by_script(looped, 1)
        plain *= grants / len(looped)
    share = ideal(calls - refusals, 0) / took
    print_rows(
        f"{grants:,} grants, ECR {RATE:.0f} calls a second (burst {BURST:.0f}), {seconds(LATENCY)} away",
        [
            (
                "ours",
                f"{seconds(took)}, {calls - refusals:,} calls taken, {refusals:,} refused; {share:.0%} of the rate",
            ),
            (f"{THREADS} threads, standard retries", f"{seconds(by_threads)}, {failed:,} repositories failed"),
            (f"a plain loop ({LOOPED} done, the rest calculated)", seconds(plain)),
        ],
    )
    what = f"Grant on {grants:,} repositories, a service of {RATE:.0f} calls a second"
    here = f"{seconds(took)}: {(calls - refusals) / grants:.1f} calls each, {share:.0%} of the rate, none failed"
    return [
        Row(
            what,
            here,
            f"a loop with {THREADS} threads: {seconds(by_threads)}, {failed:,} failed",
            times(by_threads, took),
        ),
        Row(what, seconds(took), f"a plain loop¹: {seconds(plain)}", times(plain, took)),
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else GRANTS)
