"""Consumers of the configuration: each granted to and verified by its name, through the command line."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import boto3
import pytest

from ecr_tui.config import Consumer, Settings
from ecr_tui.errors import DeniedError
from ecr_tui.sandbox.profiles import PROFILE_B, PROFILE_C, PROFILE_NO_ACCESS, PROFILE_ROLE
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ACCOUNT_B, ACCOUNT_CI, ORGANIZATION
from ecr_tui.workspace import Workspace
from tests.support.cli import ecr_tui

REPOSITORY = "my-first-repo"
DEVELOPER = f"arn:aws:iam::{ACCOUNT_B}:role/EcrDeveloper"
DEVUSR2 = f"arn:aws:iam::{ACCOUNT_B}:user/devusr2"
AGENT = f"arn:aws:iam::{ACCOUNT_CI}:role/build-agent"
FILE = f"""
[[consumers]]
name = "people"
profile = "{PROFILE_B}"

[[consumers]]
name = "pipeline"
profile = "{PROFILE_ROLE}"
account = "{ACCOUNT_B}"
principals = ["role/EcrDeveloper"]

[[consumers]]
name = "partner"
account = "{ACCOUNT_CI}"
principals = ["role/build-agent"]

[[consumers]]
name = "moved"
profile = "{PROFILE_NO_ACCESS}"
account = "444444444444"
"""


@pytest.fixture
def consumers(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text(FILE, "utf-8")
    monkeypatch.setenv("ECR_TUI_CONFIG", str(path))
    monkeypatch.delenv("ECR_TUI_PROFILE_B")


def named() -> set[str]:
    """Whom the repository's policy names."""
    client = boto3.Session(profile_name="account-a").client("ecr")
    try:
        policy = json.loads(client.get_repository_policy(repositoryName=REPOSITORY)["policyText"])
    except client.exceptions.RepositoryPolicyNotFoundException:
        return set()
    found = [one["Principal"]["AWS"] for one in policy["Statement"]]
    return {name for names in found for name in ([names] if isinstance(names, str) else names)}


def verdict(consumer: str) -> str:
    report = ecr_tui("verify", REPOSITORY, "--consumer", consumer, "--engine", "direct", "--json")
    return str(report.json["verdict"])


@pytest.mark.usefixtures("consumers")
def test_each_is_granted_to_verified_and_revoked_by_its_name() -> None:
    assert (verdict("people"), verdict("pipeline")) == ("denied", "denied")
    granted = ecr_tui("grant", REPOSITORY, "--consumer", "pipeline", "--consumer", "partner", "--yes", "--json")
    assert granted.code == 0, granted.err
    assert named() == {DEVELOPER, AGENT}
    assert (verdict("people"), verdict("pipeline")) == ("denied", "allowed")
    # The list's access is the current consumer's: by default the file's first.
    access = {
        name: ecr_tui("list", "--filter", REPOSITORY, "--json", "--consumer", name).json[0]["access"]["push"]
        for name in ("people", "pipeline", "partner")
    }
    assert access == {"people": False, "pipeline": True, "partner": True}
    (plan,) = ecr_tui("plan", REPOSITORY, "--consumer", "people", "--consumer", "pipeline", "--json").json
    assert [one["principal"] for one in plan["verdicts"]] == [DEVUSR2, DEVELOPER]
    assert ecr_tui("revoke", REPOSITORY, "--consumer", "pipeline", "--yes").code == 0
    assert (named(), verdict("pipeline")) == ({AGENT}, "denied")


@pytest.mark.usefixtures("consumers")
def test_without_a_profile_it_can_be_granted_to_and_verification_says_what_is_missing() -> None:
    assert ecr_tui("grant", REPOSITORY, "--consumer", "partner", "--yes").code == 0
    refused = ecr_tui("verify", REPOSITORY, "--consumer", "partner")
    assert (refused.code, "the consumer 'partner' has no profile" in refused.err) == (2, True)
    # Its account is that of role/NAME, and --to wins over its principals.
    assert ecr_tui("revoke", REPOSITORY, "--consumer", "partner", "--to", "role/build-agent", "--yes").code == 0
    assert named() == set()


def test_the_organization_is_told_by_a_member_that_may_ask(sandbox: Sandbox) -> None:
    def organization(profile: str) -> str:
        return Workspace(Settings(profile_a="account-a", profile_b=profile)).accounts.organization()

    assert organization(PROFILE_B) == organization(PROFILE_C) == ORGANIZATION
    assert organization("account-a") == ""
    with pytest.raises(DeniedError, match="organizations:DescribeOrganization"):
        organization(PROFILE_NO_ACCESS)


@pytest.mark.usefixtures("consumers")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan", REPOSITORY, "--consumer", "pipelin"], "Did you mean 'pipeline'?"),
        (["verify", REPOSITORY, "--consumer", "nobody"], "Use one of people, pipeline, partner, moved."),
        (
            ["grant", REPOSITORY, "--consumer", "people", "--profile-b", PROFILE_ROLE],
            f"--consumer people and --profile-b {PROFILE_ROLE} exclude each other",
        ),
        (
            ["grant", REPOSITORY, "--consumer", "people", "--consumer", "partner", "--to", "role/x"],
            "--to and several --consumer exclude each other",
        ),
        (["verify", REPOSITORY, "--consumer", "people", "--consumer", "partner"], "given 2 times"),
        (["revoke", REPOSITORY], "Missing option '--to' or '--consumer'"),
        (["plan", REPOSITORY, "--consumer", "moved"], f"is in account {ACCOUNT_B}, not in 444444444444"),
    ],
)
def test_what_contradicts_is_refused(arguments: list[str], words: str) -> None:
    refused = ecr_tui(*arguments)
    assert refused.code == 2
    assert words in refused.err


def test_the_matrix_shows_the_consumers_that_are_named(consumers: None) -> None:
    assert ecr_tui("grant", REPOSITORY, "--consumer", "partner", "--access", "pull", "--yes").code == 0
    found = ecr_tui("matrix", REPOSITORY, "--consumer", "pipeline", "--consumer", "partner", "--json").json
    assert [one["principal"] for one in found["grantees"]] == [DEVELOPER, AGENT]
    assert [one["pull"] for one in found["repositories"][0]["cells"]] == ["no", "yes"]


def test_many_are_verified_as_another_consumer_and_prove_its_cells_alone(sandbox: Sandbox) -> None:
    assert ecr_tui("grant", REPOSITORY, "--to", DEVELOPER, "--yes").code == 0
    pipeline = Consumer("pipeline", PROFILE_ROLE)
    workspace = Workspace(Settings(profile_a="account-a", profile_b=PROFILE_B, regions=(Sandbox.region,)))
    try:
        repository = workspace.listing.repository(REPOSITORY)
        batch = workspace.verification.run_many(
            [repository], engine="direct", isolation="none", consumer=pipeline, cancel=threading.Event()
        )
        assert batch.passed
        matrix = workspace.access.matrix(proofs=workspace.verification.proofs())
        assert matrix.proof(repository, DEVUSR2) is None
        proof = matrix.proof(repository, DEVELOPER)
        assert proof is not None
        assert {part.value for part, can in proof.can.items() if can} == {"pull", "push"}
    finally:
        workspace.close()
