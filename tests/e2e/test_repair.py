"""Policies that ECR refuses: marked, left out, repaired, re-pinned, taken back as far as that goes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecr_tui.sandbox import ecr_policies
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ACCOUNT_A
from tests.support.cli import ecr_tui

REGION = "eu-central-1"
DEAD = "payments/reports"
"""Its seeded policy names a deleted user."""
SOUND = "my-first-repo"
TO = ("--to", "user/devusr2", "--access", "pull")
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
ROLE = "arn:aws:iam::222222222222:role/EcrDeveloper"


@pytest.fixture(autouse=True)
def accounts(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_TUI_PROFILE_A", "account-a")
    monkeypatch.setenv("ECR_TUI_PROFILE_B", "dev-acc")


def stand(sandbox: Sandbox, name: str, *statements: dict[str, Any]) -> None:
    """As AWS accepted it in earlier years."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    with sandbox.world.lock:
        ecr_policies.store_unchecked(sandbox.world, ACCOUNT_A, REGION, name, document)


def live(sandbox: Sandbox, name: str) -> str:
    with sandbox.world.lock:
        record = sandbox.world.records.find(ACCOUNT_A, REGION, name)
        assert record is not None
        return record.policy or ""


def writes(sandbox: Sandbox) -> list[str]:
    made: list[str] = []

    def note(call: Any) -> None:
        if call.operation == "SetRepositoryPolicy":
            made.append(call.params["repositoryName"])

    sandbox.fault = note
    return made


def statement(**more: Any) -> dict[str, Any]:
    return {"Sid": "Old", "Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": PULL, **more}


RESOURCE = statement(Resource="*")
BROKEN = {
    "the token": statement(Action=[*PULL, "ecr:GetAuthorizationToken"]),
    "a deleted role": statement(Principal={"AWS": ["AROAJQABLZS4A3QDU576Q", "222222222222"]}),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_ecr_refuses_is_marked_and_not_tried_until_it_is_repaired(sandbox: Sandbox, broken: Any) -> None:
    stand(sandbox, SOUND, broken)
    made = writes(sandbox)
    plan = ecr_tui("plan", SOUND, *TO, "--json")
    assert (plan.code, plan.json[0]["refused"], plan.json[0]["refusals"][0]["likely"]) == (1, True, True)
    shown = ecr_tui("plan", SOUND, *TO)
    assert "ECR would reject this policy" in shown.out
    assert f"fix: ecr-tui repair {SOUND}" in shown.out
    granted = ecr_tui("grant", SOUND, *TO, "--yes", "--json")
    assert (granted.code, granted.json[0]["written"], made) == (1, False, [])
    assert f"ecr-tui repair {SOUND}" in granted.err

    dry = ecr_tui("repair", SOUND, "--dry-run")
    assert (dry.code, made) == (0, [])
    assert any(line.lstrip().startswith("- ") for line in dry.out.splitlines())
    repaired = ecr_tui("repair", SOUND, "--yes", "--json")
    assert repaired.code == 0, repaired.err
    assert repaired.json[0]["written"]
    assert repaired.json[0]["notes"]
    assert ecr_tui("grant", SOUND, *TO, "--yes").code == 0
    assert "nothing to repair" in ecr_tui("repair", SOUND, "--yes").out
    assert {one["kind"] for one in ecr_tui("history", "--json").json} == {"repair", "grant"}


def test_what_ecr_only_may_refuse_is_tried_and_the_repair_named(sandbox: Sandbox) -> None:
    stand(sandbox, SOUND, RESOURCE)
    made = writes(sandbox)
    (plan,) = ecr_tui("plan", SOUND, *TO, "--json").json
    assert (plan["refused"], [one["likely"] for one in plan["refusals"]]) == (False, [False])
    granted = ecr_tui("grant", SOUND, *TO, "--yes")
    assert (granted.code, made) == (2, [SOUND])
    assert "note: ECR may reject this policy. Old:" in granted.out
    assert f"Repair the policy first: ecr-tui repair {SOUND}" in granted.err
    assert ecr_tui("repair", SOUND, "--yes").code == 0
    assert ecr_tui("grant", SOUND, *TO, "--yes").code == 0


def test_in_a_run_the_refused_one_comes_first_and_is_left_out(sandbox: Sandbox) -> None:
    made = writes(sandbox)
    ran = ecr_tui("grant", SOUND, DEAD, "search/indexer", *TO, "--yes")
    assert ran.code == 1
    assert ran.out.startswith(f"{DEAD} (")
    assert "Written: 2 of 3; 1 refused" in ran.out
    assert DEAD in ran.err
    assert sorted(made) == [SOUND, "search/indexer"]


def test_repairs_are_one_run_and_undo_says_what_cannot_be_restored(sandbox: Sandbox) -> None:
    stand(sandbox, SOUND, statement(Action=[*PULL, "ecr:DescribeRegistry"]))
    ran = ecr_tui("repair", SOUND, DEAD, "--yes")
    assert ran.code == 0, ran.err
    assert "(run run-" in ran.out
    assert "Undo will not be possible: ECR rejects the current text" in ran.out
    assert "AIDA" not in live(sandbox, DEAD)
    made = writes(sandbox)
    undone = ecr_tui("undo", "--yes")
    assert undone.code != 0
    assert f"{DEAD}: account A: ECR would reject the policy of {DEAD}" in undone.err
    assert made == [SOUND]
    (kept,) = [one["before"] for one in ecr_tui("history", "--json").json if one["repository"] == DEAD]
    assert "AIDA" in json.dumps(kept)


def test_a_role_that_was_made_again_is_offered_and_re_pinned(sandbox: Sandbox) -> None:
    assert ecr_tui("grant", SOUND, "--to", "role/EcrDeveloper", "--access", "pull", "--yes").code == 0
    made_again(sandbox, "EcrDeveloper")
    assert "If it was recreated" in offer_of(ecr_tui("repair", SOUND, "--dry-run", "--json").json[0])
    with sandbox.world.lock:
        look = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}}
        sandbox.world.directory.backend("222222222222").put_user_policy("devusr2", "Look", json.dumps(look))
    offer = offer_of(ecr_tui("repair", SOUND, "--dry-run", "--json").json[0])
    assert "which was recreated" in offer
    assert offer.endswith(f"={ROLE}")
    repaired = ecr_tui("repair", SOUND, "--repin", "known", "--yes", "--json")
    assert repaired.code == 0, repaired.err
    assert any("gets the access that" in risk for risk in repaired.json[0]["risks"])
    assert ROLE in json.dumps(repaired.json[0]["after"])
    (plan,) = ecr_tui("plan", SOUND, "--to", "role/EcrDeveloper", "--access", "pull", "--json").json
    assert not plan["changed"]


def offer_of(plan: Any) -> str:
    (offer,) = [note for note in plan["notes"] if "--repin" in note]
    return str(offer)


def made_again(sandbox: Sandbox, name: str) -> None:
    """The role is deleted and made again: another role, of the same name."""
    from ecr_tui.sandbox.directory import new_id

    with sandbox.world.lock:
        role = sandbox.world.directory.role("222222222222", name)
        assert role is not None
        role.id = new_id("AROA")


def test_a_re_pin_names_an_id_that_is_there(sandbox: Sandbox) -> None:
    stray = ecr_tui("repair", DEAD, "--repin", "AROAJQABLZS4A3QDU576Q=role/EcrDeveloper", "--yes")
    assert (stray.code, stray.out) == (2, "")
    assert "no policy contains AROAJQABLZS4A3QDU576Q" in stray.err
    assert ecr_tui("repair", DEAD, "--repin", "deployer", "--yes").code == 2


def test_a_foreign_statement_lets_go_of_a_principal_only_where_that_is_asked_for(sandbox: Sandbox) -> None:
    stand(sandbox, SOUND, statement(Principal={"AWS": ["222222222222", "333333333333"]}))
    kept = ecr_tui("revoke", SOUND, "--to", "222222222222", "--yes", "--json").json[0]
    assert not kept["changed"]
    taken = ecr_tui("revoke", SOUND, "--to", "222222222222", "--foreign", "--yes", "--json")
    assert taken.code == 0, taken.err
    assert taken.json[0]["written"]
    assert any("Old" in risk and "which ecr-tui did not write" in risk for risk in taken.json[0]["risks"])
    assert "222222222222" not in live(sandbox, SOUND)
    assert ecr_tui("undo", "--yes").code == 0
    assert "222222222222" in live(sandbox, SOUND)
