"""Ask two real AWS accounts the open questions, and compare what they answer with the sandbox: ``make live``.

    ECR_LIVE_PROFILE_A=owner ECR_LIVE_PROFILE_B=consumer make live [ARGS='--only delays --yes']

Makes repositories below ``ecr-tui-live/`` in account A, and one IAM user, and removes them. Writes a transcript without
account ids, ARNs, hosts or keys. Exits with 1 where an answer differs from the sandbox's, or something was left over.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ecr_tui import __version__
from tests.live.kit import PREFIX, Kit, Skipped, Stopped
from tests.live.questions import QUESTIONS
from tests.live.transcript import differences, load, save

SANDBOX = Path(__file__).with_name("transcripts") / "sandbox.json"


def ask(kit: Kit, only: frozenset[str] = frozenset(), say: Callable[[str], object] = print) -> list[str]:
    """Ask the questions, all without ``only``; the steps are in ``kit.steps``. Returns what could not be removed."""
    try:
        kit.repository("data")
        for one in QUESTIONS:
            if only and one.id not in only:
                continue
            say(f"{one.id}: {one.text}")
            kit.question = one.id
            try:
                one.ask(kit)
            except Skipped as why:
                kit.skip(str(why))
                say(f"  skipped: {why}")
    except Stopped as why:
        say(str(why))
    finally:
        left = kit.clean()
    return left


def leftovers(kit: Kit) -> list[str]:
    """Remove what killed runs left; returns what could not be removed."""
    iam = kit.client("A", "iam")
    for page in kit.client("A", "ecr").get_paginator("describe_repositories").paginate():
        for name in (one["repositoryName"] for one in page["repositories"]):
            if name.startswith(f"{PREFIX}/"):
                kit.later(f"repository {name}", partial(kit.remove_repository, name))
    for page in iam.get_paginator("list_users").paginate():
        for name in (one["UserName"] for one in page["Users"]):
            if name.startswith(f"{PREFIX}-"):
                kit.later(f"user {name}", partial(iam.delete_user, UserName=name))
    return kit.clean()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], choices=[one.id for one in QUESTIONS], metavar="QUESTION")
    parser.add_argument("--output", type=Path, help="the transcript's file")
    parser.add_argument("--clean", action="store_true", help="only remove what killed runs left")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    given = parser.parse_args(arguments)
    names = [os.environ.get(f"ECR_LIVE_PROFILE_{side}", "") for side in "AB"]
    if not all(names):
        parser.error("set ECR_LIVE_PROFILE_A and ECR_LIVE_PROFILE_B to profiles of two accounts")
    try:
        kit = Kit(*names, os.environ.get("ECR_LIVE_REGION"), role_b=os.environ.get("ECR_LIVE_ROLE_B", ""))
    except (ValueError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 3
    print(f"Account A {kit.account_a} ({kit.caller_a}), account B {kit.account_b} ({kit.caller_b}), {kit.region}.")
    print(f"Makes repositories below {PREFIX}/ in account A, and an IAM user there, and removes them.")
    if not given.yes and input("Type account A's id to begin: ").strip() != kit.account_a:
        print("Nothing was done.")
        return 2
    if given.clean:
        left = leftovers(kit)
    else:
        left = ask(kit, frozenset(given.only))
        output = given.output or Path(f"live-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json")
        about = {
            "ecr_tui": __version__,
            "boto3": boto3.__version__,
            "day": f"{datetime.now(UTC):%Y-%m-%d}",
            "accepted": [],
        }
        save(output, about, kit.steps)
        print(f"{len(kit.steps)} steps in {output}")
    different = list(differences(kit.steps, load(SANDBOX)[1]))
    for line in different:
        print(f"differs from the sandbox: {line}")
    for line in left:
        print(f"could not remove {line}", file=sys.stderr)
    return 1 if left or different else 0


if __name__ == "__main__":
    sys.exit(main())
