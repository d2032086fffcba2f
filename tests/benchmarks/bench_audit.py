"""The pure part of an audit: 10,000 repositories whose policies name 20 principals each."""

from __future__ import annotations

import json
import random
import time

from ecr_tui.access.audit import examine
from ecr_tui.access.audit_json import audit_json
from ecr_tui.access.audit_reading import Entry
from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.policy.actions import Access
from ecr_tui.policy.ours import Grant, Own

A, REGION, REPOSITORIES = "111111111111", "eu-central-1", 10_000
PRINCIPALS = [f"arn:aws:iam::{222222222222 + number // 4}:user/u{number}" for number in range(20)]
TEAMS = ("Payments", "Search", "Data", "Web")


def policy(seed: int) -> str:
    chance = random.Random(seed)
    statements = []
    for principal in PRINCIPALS:
        tags = (("Team", chance.choice(TEAMS)),) if chance.random() < 0.7 else ()
        statements.append(Own.of_grant(Grant((principal,), chance.choice(list(Access)), tags))[0].statement())
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def registry() -> RegistryFacts:
    statement = {"Effect": "Deny", "Principal": {"AWS": "222222222222"}, "Action": "ecr:PutImage"}
    resource = {"Resource": f"arn:aws:ecr:{REGION}:{A}:repository/r1*"}
    return RegistryFacts(REGION, json.dumps({"Version": "2012-10-17", "Statement": [statement | resource]}))


def entries(different: int) -> list[Entry]:
    texts = [policy(seed) for seed in range(different)]
    found = []
    for number in range(REPOSITORIES):
        tags = {"Team": TEAMS[number % 4], "Name": f"r{number}"}
        arn = f"arn:aws:ecr:{REGION}:{A}:repository/r{number}"
        found.append(Entry(Repository(f"r{number}", arn, "", REGION, A, tags), texts[number % different]))
    return found


def main() -> None:
    for different in (1, 10, 50, 200):
        given = entries(different)
        for words, registries in (("", []), (", a registry policy", [registry()])):
            start = time.process_time()
            found = examine(given, account=A, registries=registries)
            rows = sum(len(repositories) for _, repositories in found.rows)
            seconds = time.process_time() - start
            print(f"{different:>4} different policies{words}: {rows:,} rows in {seconds:.2f} s of CPU")
    start = time.process_time()
    size = len(json.dumps(audit_json(found)))
    print(f"     as JSON: {size:,} characters in {time.process_time() - start:.2f} s of CPU")


if __name__ == "__main__":
    main()
