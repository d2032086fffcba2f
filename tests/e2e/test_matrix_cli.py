"""``ecr-tui matrix`` as a user runs it: no access, a grant, access, a live proof, and what makes the proof stale."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.cli import ecr_tui

REPOSITORY = "my-first-repo"
USER = f"arn:aws:iam::{Sandbox.account_b}:user/devusr2"
NOTHING = {"read": "no", "pull": "no", "push": "no"}


def cell() -> dict[str, Any]:
    ran = ecr_tui("matrix", REPOSITORY, "--to", "user/devusr2", "--json")
    assert (ran.code, ran.err) == (0, "")
    (only,) = ran.json["repositories"][0]["cells"]
    assert only.pop("principal") == USER
    return dict(only)


def answers() -> dict[str, str]:
    return {name: answer for name, answer in cell().items() if name in NOTHING}


def test_from_no_access_to_a_live_proof_that_goes_stale(sandbox: Sandbox) -> None:
    assert cell() == {**NOTHING, "depends_on": [], "proof": None}
    assert ecr_tui("grant", REPOSITORY, "--to", "user/devusr2", "--yes").code == 0
    assert answers() == {**NOTHING, "pull": "yes", "push": "yes"}
    assert ecr_tui("verify", REPOSITORY, "--engine", "direct", "--isolation", "none").code == 0
    proof = cell()["proof"]
    assert (proof["can"], proof["stale"]) == ({"read": None, "pull": True, "push": True}, None)
    assert "pull+push, verified 0m ago" in ecr_tui("matrix", REPOSITORY, "--to", "user/devusr2").out
    assert ecr_tui("revoke", REPOSITORY, "--to", "user/devusr2", "--yes").code == 0
    assert answers() == NOTHING
    assert cell()["proof"]["stale"].startswith("revoke at ")


def test_everybody_named_on_all_repositories(sandbox: Sandbox) -> None:
    found = ecr_tui("matrix", "--json").json
    assert len(found["repositories"]) == len(ecr_tui("list", "--json").json)
    assert {"*", USER, "org/o-ecr7tu1s4n", "lambda.amazonaws.com"} <= {one["principal"] for one in found["grantees"]}
    assert all(len(one["cells"]) == len(found["grantees"]) for one in found["repositories"])
    lines = list(csv.DictReader(ecr_tui("matrix", "--csv").out.splitlines()))
    assert len(lines) == len(found["repositories"]) * len(found["grantees"])
    depends = next(one for one in lines if one["repository"] == "platform/charts" and one["principal"] == USER)
    assert (depends["pull"], depends["depends_on"]) == ("depends", "aws:PrincipalOrgID")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--access", "push"), ["data/migration", "payments/legacy", "platform/runner"]),
        (("--tag", "Team=Data", "--access", "pull"), ["data/migration", "data/warehouse"]),
    ],
)
def test_only_where_there_is_access(sandbox: Sandbox, options: tuple[str, ...], names: list[str]) -> None:
    found = ecr_tui("matrix", "--to", "user/devusr2", *options, "--json").json
    assert [one["repository"] for one in found["repositories"]] == names


def test_what_excludes_each_other_is_refused(sandbox: Sandbox) -> None:
    ran = ecr_tui("matrix", "--json", "--csv")
    assert (ran.code, ran.out) == (2, "")
