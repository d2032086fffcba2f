"""Every repository with its tags, from an AWS that is 30 ms away: our listing, a loop, and the AWS CLI."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ecr_tui.config import resolve
from ecr_tui.workspace import Workspace
from tests.benchmarks.measures import AWS, Row, Skipped, print_rows, sandbox, seconds, times

REPOSITORIES = 10_000
LATENCY = 0.030
THREADS = 16
LOOPED = 1_000
"""Of how many repositories the tags are asked for one by one; the rest of the loop is calculated."""
COMMANDS = 10
"""As many, by one command of the AWS CLI each."""


def ours() -> tuple[float, float, int]:
    """Seconds until the first page and until the end, and how many there are."""
    workspace = Workspace(resolve({"profile_a": "account-a", "profile_b": "dev-acc"}))
    first: list[float] = []
    workspace.accounts.owner()
    begun = time.perf_counter()
    found = workspace.listing.repositories(on_page=lambda _: first.append(time.perf_counter() - begun))
    took = time.perf_counter() - begun
    assert all(one.tags is not None for one in found)
    workspace.close()
    return first[0], took, len(found)


def loop() -> tuple[float, float]:
    """What a script does: list, then ask for each repository's tags, with 16 threads and standard retries. Seconds for
    the list, and for one repository of the rest."""
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "standard"}, max_pool_connections=THREADS)
    client: Any = boto3.Session(profile_name="account-a").client("ecr", config=config)
    client.describe_repositories(maxResults=1)
    begun = time.perf_counter()
    arns = [
        one["repositoryArn"]
        for page in client.get_paginator("describe_repositories").paginate()
        for one in page["repositories"]
    ]
    listed = time.perf_counter() - begun
    some = arns[:LOOPED]
    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda arn: client.list_tags_for_resource(resourceArn=arn), some))
    return listed, (time.perf_counter() - begun) / len(some)


def commands() -> tuple[float, float]:
    """As :func:`loop`, in a shell: one after the other."""

    def run(*words: str) -> Any:
        command = [str(AWS), "ecr", *words, "--profile", "account-a", "--output", "json"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    begun = time.perf_counter()
    arns = [one["repositoryArn"] for one in run("describe-repositories")["repositories"]]
    listed = time.perf_counter() - begun
    begun = time.perf_counter()
    for arn in arns[:COMMANDS]:
        run("list-tags-for-resource", "--resource-arn", arn)
    return listed, (time.perf_counter() - begun) / COMMANDS


def main(repositories: int = REPOSITORIES) -> list[Row | Skipped]:
    with sandbox(repositories, latency=LATENCY):
        first, whole, count = ours()
        listed, each = loop()
        by_loop = listed + each * count
        by_commands = None
        if AWS.exists():
            listed, each = commands()
            by_commands = listed + each * count
        again = ours()
    first, whole = min(first, again[0]), min(whole, again[1])
    lines = [
        ("ours, to the first page", seconds(first)),
        ("ours, to the end", seconds(whole)),
        (f"a loop with {THREADS} threads ({min(LOOPED, count):,} asked for, the rest calculated)", seconds(by_loop)),
    ]
    what = f"List {count:,} repositories with their tags, {seconds(LATENCY)} away"
    found: list[Row | Skipped] = [
        Row(
            what,
            f"{seconds(whole)} (first page: {seconds(first)})",
            f"a loop with {THREADS} threads¹: {seconds(by_loop)}",
            times(by_loop, whole),
        )
    ]
    if by_commands is not None:
        lines.append((f"aws, one command each ({COMMANDS} run, the rest calculated)", seconds(by_commands)))
        other = f"`aws ecr describe-repositories`, `list-tags-for-resource`¹: {seconds(by_commands)}"
        found.append(Row(what, seconds(whole), other, times(by_commands, whole)))
    else:
        found.append(Skipped(f"{what}, against aws", "the AWS CLI"))
    print_rows(f"{count:,} repositories and their tags, each call {seconds(LATENCY)} longer", lines)
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORIES)
