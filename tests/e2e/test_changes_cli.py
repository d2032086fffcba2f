"""Changes say what they do: replaced grants, several principals, what widens, what remains, what has no effect."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ecr_tui.cli import undoing
from ecr_tui.cli.schemas import schema_of
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.sandbox import ecr_policies
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ACCOUNT_A
from tests.support.cli import Ran, ecr_tui
from tests.support.proving import workspace

REPOSITORY = "my-first-repo"
USER, ROLE = "arn:aws:iam::222222222222:user/devusr2", "arn:aws:iam::222222222222:role/EcrDeveloper"
BOTH = ("--to", "user/devusr2", "--to", ROLE)
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


@pytest.fixture(autouse=True)
def accounts(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_TUI_PROFILE_A", "account-a")
    monkeypatch.setenv("ECR_TUI_PROFILE_B", "dev-acc")


def live() -> list[dict[str, Any]]:
    """As ECR shows it: with the principals' names."""
    before = ecr_tui("plan", REPOSITORY, "--to", "222222222222", "--json").json[0]["before"]
    return list(before["Statement"]) if before is not None else []


def stand(sandbox: Sandbox, *statements: dict[str, Any]) -> None:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    with sandbox.world.lock:
        ecr_policies.store_unchecked(sandbox.world, ACCOUNT_A, "eu-central-1", REPOSITORY, document)


def did(code: int, *arguments: str) -> Ran:
    ran = ecr_tui(*arguments, "--json")
    assert ran.code == code, (ran.out, ran.err)
    Draft202012Validator(schema_of(arguments[0])).validate(ran.json)
    return ran


def test_several_principals_of_one_call(sandbox: Sandbox) -> None:
    plan = did(0, "plan", REPOSITORY, *BOTH, "--access", "pull").json[0]
    assert {item["principal"] for item in plan["diff"]} == {USER, ROLE}
    assert [item["principal"] for item in plan["verdicts"]] == [USER, ROLE]
    did(0, "grant", REPOSITORY, *BOTH, "--access", "pull", "--yes")
    (statement,) = live()
    assert sorted(statement["Principal"]["AWS"]) == sorted([USER, ROLE])
    assert not did(0, "grant", REPOSITORY, *BOTH, "--access", "pull", "--yes").json[0]["changed"]
    exported = ecr_tui("export", REPOSITORY, *BOTH, "--access", "pull", "--format", "json").json
    assert [item["principal"] for item in exported["account_b"]] == [USER, ROLE]
    assert len(did(0, "audit", "--to", USER, "--to", ROLE).json["principals"]) >= 2
    assert sorted(did(0, "history").json[0]["principal"].split(", ")) == sorted([USER, ROLE])
    did(0, "revoke", REPOSITORY, "--to", ROLE, "--yes")
    assert live()[0]["Principal"] == {"AWS": USER}
    did(0, "undo")
    did(0, "revoke", REPOSITORY, *BOTH, "--yes")
    assert live() == []


def test_a_second_grant_narrows_and_a_third_that_widens_is_a_risk(sandbox: Sandbox) -> None:
    to = ("--to", USER)
    did(0, "grant", REPOSITORY, *to, "--yes")
    did(0, "grant", REPOSITORY, *to, "--if-tag", "Team=Payments", "--until", "2099-01-01", "--yes")
    (statement,) = live()
    assert set(statement["Condition"]) == {"StringEquals", "DateLessThan"}
    risks = " ".join(did(0, "plan", REPOSITORY, *to).json[0]["risks"])
    assert "after this change it has no end" in risks
    assert "after this change it requires no tag" in risks
    refused = ecr_tui("undo", "--json")
    assert (refused.code, "Add --yes" in refused.err) == (2, True), "it would widen, and nobody is there to ask"
    assert len(live()[0]["Condition"]) == 2
    did(0, "undo", "--yes")
    assert "Condition" not in live()[0]


def test_undo_takes_back_the_write_that_was_shown(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    did(0, "grant", REPOSITORY, "--to", USER, "--yes")

    def meanwhile(*_: Any, **__: Any) -> None:
        space = workspace()
        repository = space.listing.repository("web-frontend")
        space.changes.apply(space.changes.plan(repository, Grant((USER,), Access.PULL)))

    monkeypatch.setattr(undoing, "_ask", meanwhile)
    assert did(0, "undo").json[0]["repository"] == REPOSITORY
    assert live() == []


@pytest.mark.parametrize("ours", [False, True])
def test_a_revoke_after_which_access_remains_exits_with_1(sandbox: Sandbox, ours: bool) -> None:
    stand(sandbox, {"Sid": "All", "Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": PULL})
    if ours:
        did(0, "grant", REPOSITORY, "--to", USER, "--yes")
    (made,) = did(1, "revoke", REPOSITORY, "--to", USER, "--yes").json
    assert (made["changed"], made["written"]) == (ours, ours)
    (row,) = made["remaining"]
    assert (row["statement"], row["principal"], row["actions"], row["certain"]) == ("All", USER, PULL, True)
    told = ecr_tui("revoke", REPOSITORY, "--to", USER, "--yes")
    assert told.code == 1
    assert "no change: ecr-tui has no statement for this principal in this policy" in told.out
    assert "Access remains through All (it names account 222222222222)" in told.out
    ended = row["fix"].removeprefix("To end it: ecr-tui ").split()
    did(0, *ended, "--yes")
    assert live() == []


def test_a_grant_without_effect_is_not_called_granted(sandbox: Sandbox) -> None:
    grant = ("grant", REPOSITORY, "--to", USER, "--if-tag", "Team=Billing", "--yes")
    assert "would have no effect: requires Team=Billing, repository is Team=Payments" in ecr_tui(*grant).out
    again = ecr_tui(*grant)
    assert again.code == 0
    assert "the statement exists, but has no effect: requires Team=Billing, repository is Team=Payments" in again.out
    assert "already" not in again.out
    assert did(0, *grant).json[0]["void"].startswith("no effect: ")
