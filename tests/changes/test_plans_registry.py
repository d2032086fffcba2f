"""What the registry policy, and an end, mean for a plan."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_tui.access.expiry import ending
from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.changes.plans import plan_document_from, plan_grant_from, plan_revoke_from
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.policy.document import PolicyDocument

A, B = "111111111111", "222222222222"
USER = f"arn:aws:iam::{B}:user/devusr2"
CI = "arn:aws:iam::333333333333:role/build-agent"
ARN = f"arn:aws:ecr:eu-central-1:{A}:repository/my-first-repo"
REPOSITORY = Repository("my-first-repo", ARN, "", "eu-central-1", A, {"Team": "Payments"})
GRANT = Grant((USER,), Access.PUSH_PULL, (("Team", "Payments"),))


def registry(effect: str, action: str = "ecr:*", **more: Any) -> RegistryFacts:
    statement = {
        "Sid": "Partners",
        "Effect": effect,
        "Principal": {"AWS": B},
        "Action": action,
        "Resource": f"arn:aws:ecr:eu-central-1:{A}:repository/*",
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement | more]})
    return RegistryFacts("eu-central-1", text)


def test_without_a_look_at_it_nothing_is_said() -> None:
    plan = plan_grant_from(REPOSITORY, None, GRANT)
    assert plan.to_json()["registry_policy"] is None
    assert plan.risks == ()


def test_a_registry_without_a_policy() -> None:
    plan = plan_grant_from(REPOSITORY, None, GRANT, registry=RegistryFacts("eu-central-1"))
    told = plan.to_json()["registry_policy"]
    assert told == {
        "region": "eu-central-1",
        "exists": False,
        "scope": "V2",
        "unknown": None,
        "effects": [{"principal": USER, "denies": [], "may_deny": [], "allows": [], "statement": None}],
    }
    assert (plan.risks, plan.findings) == ((), ())


def test_a_deny_makes_the_grant_void_and_must_be_asked_about() -> None:
    plan = plan_grant_from(REPOSITORY, None, GRANT, registry=registry("Deny", "ecr:PutImage"))
    (found,) = [item for item in plan.findings if item.id == "registry-deny"]
    assert (found.severity, found.statement) == ("error", "Partners")
    assert "PutImage" in found.title
    assert plan.risks == (
        "The grant would have no effect on PutImage: an explicit Deny in Partners of the registry policy.",
    )
    assert plan.to_json()["registry_policy"]["effects"][0]["denies"] == ["ecr:PutImage"]
    assert {"id", "severity", "title", "where", "fix"} == set(plan.to_json()["findings"][0])


def test_a_deny_of_others_or_under_v1_is_none() -> None:
    for facts in (
        registry("Deny", Principal={"AWS": "333333333333"}),
        registry("Deny", "ecr:BatchDeleteImage"),
        RegistryFacts("eu-central-1", registry("Deny").policy_text, scope="V1"),
    ):
        plan = plan_grant_from(REPOSITORY, None, GRANT, registry=facts)
        assert (plan.risks, plan.findings) == ((), ())


def test_a_deny_that_may_apply_is_found_and_no_risk() -> None:
    facts = registry("Deny", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})
    plan = plan_grant_from(REPOSITORY, None, GRANT, registry=facts)
    assert [item.id for item in plan.findings] == ["registry-may-deny"]
    assert plan.risks == ()


def test_a_revoke_does_not_end_what_the_registry_allows() -> None:
    granted = plan_grant_from(REPOSITORY, None, GRANT).after_text
    plan = plan_revoke_from(REPOSITORY, granted, (USER,), registry=registry("Allow", "ecr:BatchGetImage"))
    (risk,) = [risk for risk in plan.risks if "Access remains" in risk]
    assert "through Partners of the registry policy (it names account 222222222222)" in risk
    assert "can use BatchGetImage" in risk
    (row,) = plan.to_json()["remaining"]
    assert (row["policy"], row["actions"], row["certain"]) == ("registry", ["ecr:BatchGetImage"], True)
    assert [item.id for item in plan.findings] == ["registry-allow"]
    grant = plan_grant_from(REPOSITORY, None, GRANT, registry=registry("Allow", "ecr:BatchGetImage"))
    assert grant.risks == ()


def test_an_unreadable_registry_is_a_note() -> None:
    facts = RegistryFacts("eu-central-1", policy_unreadable="ecr:GetRegistryPolicy was denied: User: ...")
    plan = plan_grant_from(REPOSITORY, None, GRANT, registry=facts)
    assert any("ecr:GetRegistryPolicy was denied" in note for note in plan.notes)
    revoke = plan_revoke_from(REPOSITORY, plan.after_text, (USER,), registry=facts)
    assert any(
        note.startswith("It is unknown whether access remains through the registry policy") for note in revoke.notes
    )
    assert revoke.remaining == ()
    told = plan.to_json()["registry_policy"]
    assert told["exists"] is None
    assert "ecr:GetRegistryPolicy was denied" in told["unknown"]


def test_a_pasted_document_is_looked_at_for_everyone_it_adds() -> None:
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": [USER, CI]}, "Action": "ecr:BatchGetImage"},
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "ecr:BatchGetImage"},
    ]
    incoming = PolicyDocument.from_json({"Version": "2012-10-17", "Statement": statements})
    plan = plan_document_from(REPOSITORY, None, incoming, registry=registry("Deny"))
    assert plan.principals == (USER, CI)
    assert plan.access is Access.PULL
    assert [bool(found.denies) for found in plan.effects] == [True, False]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=30, hours=5), "in 30 days"),
        (timedelta(hours=47), "in 47 hours"),
        (timedelta(hours=1, minutes=20), "in 1 hour"),
        (timedelta(minutes=20), "in less than an hour"),
        (timedelta(hours=-5), "(expired)"),
    ],
)
def test_an_end_is_counted_down_to(left: timedelta, words: str) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    assert words in ending(now + left, now)
    assert f"{now + left:%Y-%m-%d %H:%M} UTC" in ending(now + left, now)


def test_a_grant_that_ends_says_so() -> None:
    until = datetime.now(UTC) + timedelta(days=10, hours=1)
    plan = plan_grant_from(REPOSITORY, None, Grant((USER,), Access.PULL, (), until))
    assert any("It ends at" in note and "in 10 days" in note for note in plan.notes)
    assert plan.to_json()["notes"] == list(plan.notes)
