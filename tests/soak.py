"""Kill -9 at random moments of mixed operations, and look at what is left: `make soak`, not a part of the tests.

    python -m tests.soak [--kills 200] [--seed 1] [--minutes 20]

A sandbox stands for AWS. Every operation is a process of its own, killed at a random moment (in the middle of a
request, too: the wire kills it before or after AWS carried one out); beside them somebody else writes statements of
their own. At the end everything is taken back. It exits with 1 where anything was lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from ecr_tui.aws.model import Role
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.changes import apply as apply_module
from ecr_tui.changes import undo as undo_module
from ecr_tui.changes.entries import TAGS, UNKNOWN, found_in
from ecr_tui.config import Settings
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.compare import equivalent
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ACCOUNT_A
from ecr_tui.workspace import Workspace
from tests.support.faulty_wire import CUT, LOST, WRITES, Fault, FaultyWire

REGION = Sandbox.region
OWN, SHARED = 8, 4
"""Repositories that only ecr-tui writes, which must lead back to their beginning, and those that others write, too."""
LONGEST = 3.0
"""Seconds after which an operation is killed at the latest."""
PRINCIPALS = ("user/devusr2", "user/newcomer")


class Soak:
    def __init__(self, sandbox: Sandbox, wire: FaultyWire, folder: Path, seed: int) -> None:
        self.sandbox = sandbox
        self.wire = wire
        self.random = random.Random(seed)
        self.names = [f"soak/r{number:02d}" for number in range(OWN + SHARED)]
        self.own, self.shared = self.names[:OWN], self.names[OWN:]
        self.workspace = Workspace(Settings("account-a", "dev-acc", state_dir=folder / "state"))
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.foreign: dict[str, list[dict[str, Any]]] = {name: [] for name in self.names}
        self.process: subprocess.Popen[bytes] | None = None
        self.lock = threading.Lock()
        with sandbox.world.lock:
            for name in self.names:
                sandbox.world.records.create(ACCOUNT_A, REGION, name, self.first_tags(name))

    def first_tags(self, name: str) -> dict[str, str]:
        return {"Team": "Soak", "Keep": name}

    def record(self, name: str) -> Any:
        found = self.sandbox.world.records.find(ACCOUNT_A, REGION, name)
        assert found is not None
        return found

    def tags(self, name: str) -> dict[str, str]:
        with self.sandbox.world.lock:
            return dict(self.sandbox.world.records.tags(self.record(name)))

    def policy(self, name: str) -> str | None:
        with self.sandbox.world.lock:
            text: str | None = self.record(name).policy
            return text

    # -- one kill ------------------------------------------------------------------------------------------------

    def operation(self) -> list[str]:
        name, principal = self.random.choice(self.names), self.random.choice(PRINCIPALS)
        some = self.random.sample(self.names, 5)
        return self.random.choice(
            [
                ["grant", name, "--to", principal, "--access", self.random.choice(["pull", "push-pull"])],
                ["grant", *some, "--to", principal, "--access", "pull"],
                ["revoke", name, "--to", principal],
                ["revoke", *some, "--to", principal],
                ["tag", name, "--set", f"Mood={self.random.randrange(99)}", "--unset", "Team"],
                ["tag", name, "--set", "Team=Soak"],
                ["undo"],
                ["undo", "--one"],
                ["redo"],
                ["grant", "--resume"],
            ]
        )

    def someone_else(self, name: str) -> None:
        """Adds a statement of their own; nothing but they may take it away again."""
        statement = {
            "Sid": f"Theirs{self.random.randrange(10**9)}",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "ecr:BatchGetImage",
            # Each means something of its own: of two that mean the same one may go.
            "Condition": {"StringEquals": {"aws:SourceAccount": f"{self.random.randrange(10**12):012d}"}},
        }
        with self.sandbox.world.lock:
            document = json.loads(self.record(name).policy or '{"Version":"2012-10-17","Statement":[]}')
            document["Statement"].append(statement)
            self.record(name).policy = json.dumps(document)
            self.foreign[name].append(statement)

    def kill(self) -> None:
        with self.lock:
            if self.process is not None and self.process.poll() is None:
                os.kill(self.process.pid, signal.SIGKILL)
                self.counts["killed"] += 1

    def one(self) -> None:
        how = self.random.choice(["time", "time", "before", "after", "later"])
        nth = self.random.randrange(1, 4)
        seen = [0]

        def script(operation: str, count: int, carry_out: Callable[[], bytes]) -> Fault | None:
            if operation not in WRITES:
                return None
            seen[0] += 1
            if how == "time" or seen[0] != nth:
                return None
            if how == "after":
                carry_out()
            self.kill()
            return LOST if how == "later" else CUT

        self.wire.script = script
        command = [sys.executable, "-m", "ecr_tui", *self.operation(), "--yes"]
        command += ["--profile-a", "account-a", "--region", REGION] if "--resume" not in command else []
        self.counts[command[3]] += 1
        with self.lock:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.process.wait(self.random.uniform(0.3, LONGEST) if how == "time" else 20)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process.wait()
        self.wire.script = lambda operation, count, carry_out: None
        # Not while a request is under way: who writes within that one round trip is the gap that docs/safety.md names.
        quiet = 0
        while quiet < 3:
            time.sleep(0.05)
            quiet = 0 if self.wire.under_way else quiet + 1
        if self.random.random() < 0.2:
            self.someone_else(self.random.choice(self.shared))
        self.check()

    # -- what must hold ------------------------------------------------------------------------------------------

    def check(self) -> None:
        history = self.workspace.changes.journal.read()
        told = [f"the journal's line {damage.line}: {damage.why}" for damage in history.damaged]
        self.problems += [one for one in told if one not in self.problems]
        for name in self.names:
            listed = json.loads(self.policy(name) or '{"Statement":[]}')["Statement"]
            for statement in self.foreign[name]:
                if statement["Sid"] not in [one.get("Sid") for one in listed]:
                    self.problems.append(f"{name}: the foreign statement {statement['Sid']} was lost")
                    self.foreign[name].remove(statement)

    def changes_without_entry(self) -> None:
        """What is live must be what an entry left, with what somebody else added."""
        history = self.workspace.changes.journal.read()
        for (arn, subject), entries in history.of_repository.items():
            name = entries[0].record.repository
            if name not in self.names:
                continue
            live = self.live(name, subject)
            known = [text for one in entries for text in (one.record.before_text, one.record.after_text)]
            if not any(self.same(subject, name, live, text) for text in known):
                half = any(one.outcome == UNKNOWN and found_in(one.record, live) == "half" for one in entries)
                if not half:
                    self.problems.append(f"{arn}: no entry of {subject} tells of what is live")

    def live(self, name: str, subject: str) -> str | None:
        if subject == TAGS:
            return json.dumps(self.tags(name))
        return RepositoryPolicies(self.workspace.accounts.session(Role.OWNER)).read(
            self.workspace.listing.repository(name)
        )

    def same(self, subject: str, name: str, live: str | None, text: str | None) -> bool:
        if subject == TAGS:
            return bool(json.loads(live or "{}") == json.loads(text or "{}"))
        theirs = {one["Sid"] for one in self.foreign[name]}

        def without(one: str | None) -> PolicyDocument | None:
            data = json.loads(one or '{"Version":"2012-10-17","Statement":[]}')
            data["Statement"] = [s for s in data["Statement"] if s.get("Sid") not in theirs]
            return PolicyDocument.from_json(data)

        return equivalent(without(live), without(text))

    # -- taking everything back ----------------------------------------------------------------------------------

    def take_back(self) -> None:
        """What others have not written is led back to its beginning, to the letter, newest first."""
        for _ in range(5000):
            with self.workspace.changes.journal.writing():
                history = undo_module.settle(
                    RepositoryPolicies(self.workspace.accounts.session(Role.OWNER)),
                    self.workspace.changes.journal,
                    tags_for=lambda entry: self.tags(entry.record.repository),
                )
            entries = (one for one in history.undoable() if one.record.repository in self.own)
            entry = next(entries, None)
            if entry is None:
                break
            try:
                if entry.record.subject == TAGS:
                    self.workspace.changes.apply_tags(self.workspace.changes.plan_tags_back(entry.id))
                else:
                    self.workspace.changes.undo(entry.id)
            except EcrTuiError as error:
                self.problems.append(f"{entry.id} cannot be taken back: {error.text()}")
                return
            self.counts["taken back"] += 1
        for name in self.own:
            if self.policy(name) is not None:
                self.problems.append(f"{name}: the policy is not what it was at the beginning: {self.policy(name)}")
            if self.tags(name) != self.first_tags(name):
                self.problems.append(f"{name}: the tags are not what they were: {self.tags(name)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=20, help="the longest it may take")
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        wire = FaultyWire(int(sandbox.endpoint.rpartition(":")[2]))
        os.environ |= {**sandbox.env(), "ECR_TUI_STATE_DIR": f"{folder}/state", "HOME": folder}
        os.environ["AWS_ENDPOINT_URL_ECR"] = wire.url
        soak = Soak(sandbox, wire, Path(folder), asked.seed)
        operations = 0
        while soak.counts["killed"] < asked.kills and time.monotonic() - began < asked.minutes * 60:
            soak.one()
            operations += 1
        soak.changes_without_entry()
        entries = soak.workspace.changes.journal.entries()
        unknown = sum(one.outcome == UNKNOWN for one in entries)
        # What is on its way is not waited for.
        undo_module.LATE = timedelta(0)
        apply_module.LOOK_AGAIN = 0.0
        soak.take_back()
        soak.check()
        wire.close()
    killed, back, foreign = (
        soak.counts.pop("killed"),
        soak.counts.pop("taken back"),
        sum(map(len, soak.foreign.values())),
    )
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(soak.counts.items()))
    print(f"{killed} kills in {operations} operations ({kinds}), seed {asked.seed}, {time.monotonic() - began:.0f} s")
    print(f"{len(entries)} entries, {unknown} of them unknown; {foreign} foreign statements; {back} writes taken back")
    for problem in soak.problems:
        print(f"PROBLEM {problem}")
    print("nothing was lost" if not soak.problems else f"{len(soak.problems)} problems")
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
