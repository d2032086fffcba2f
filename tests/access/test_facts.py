"""What the workspace finds out beside the repository policies, from two accounts on the sandbox."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import boto3
import pytest

from ecr_tui.access.facts import Kept
from ecr_tui.config import Consumer, Settings
from ecr_tui.errors import Cancelled, InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.policy.who import Capability, Verdict
from ecr_tui.render.audit import audit_text
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import AwsCall
from ecr_tui.workspace import Workspace

A, B, REGION = Sandbox.account_a, Sandbox.account_b, Sandbox.region
USER, ROOT = f"arn:aws:iam::{B}:user/devusr2", f"arn:aws:iam::{B}:root"
CI = "arn:aws:iam::333333333333:role/build-agent"


def workspace(tmp_path: Path, profile_b: str | None = "dev-acc") -> Workspace:
    return Workspace(Settings(profile_a="account-a", profile_b=profile_b, state_dir=tmp_path))


@pytest.fixture
def work(sandbox: Sandbox, tmp_path: Path) -> Workspace:
    return workspace(tmp_path)


@pytest.fixture
def calls(sandbox: Sandbox) -> list[str]:
    """The operations that the sandbox is asked for."""
    seen: list[str] = []

    def note(call: AwsCall) -> ServiceError | None:
        seen.append(call.operation)
        return None

    sandbox.fault = note
    return seen


def registry_policy(effect: str, principal: str, action: str) -> None:
    client = boto3.Session(profile_name="account-a").client("ecr")
    statement = {
        "Sid": "One",
        "Effect": effect,
        "Principal": {"AWS": principal},
        "Action": action,
        "Resource": f"arn:aws:ecr:{REGION}:{A}:repository/*",
    }
    client.put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


# --- whose credentials may ask


def test_bs_principals_are_read_as_b_and_as_as_a(work: Workspace) -> None:
    assert work.access.identity_policies(USER).unreadable == ""
    own = work.access.identity_policies(f"arn:aws:iam::{A}:user/ecr-admin")
    assert [item.name for item in own.policies] == ["Administrator"]


def test_a_principal_of_another_consumer_is_read_as_that_one(sandbox: Sandbox, tmp_path: Path) -> None:
    people, partner = Consumer("people", "dev-acc", B), Consumer("partner", account="333333333333")
    settings = Settings(profile_a="account-a", state_dir=tmp_path, named_consumers=(people, partner))
    work = Workspace(settings.consuming("a test", "partner"))
    assert work.access.identity_policies(USER).unreadable == ""
    assert "has no profile" in work.access.identity_policies(CI).unreadable
    # Which one is current changes nothing that the other one has read.
    work.use(consumer="people")
    assert work.accounts.consumer().account == B


def test_an_account_of_neither_is_unknown(work: Workspace) -> None:
    found = work.access.identity_policies(CI)
    assert found.documents is None
    assert "no credentials for account 333333333333" in found.unreadable
    assert A in found.unreadable
    assert B in found.unreadable


def test_without_a_profile_of_b(sandbox: Sandbox, tmp_path: Path) -> None:
    found = workspace(tmp_path, None).access.identity_policies(USER)
    assert found.documents is None
    assert "no profile for account B" in found.unreadable


def test_it_is_asked_once_a_minute_and_afresh_after_a_switch(
    work: Workspace, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(of: str) -> int:
        work.access.identity_policies(USER)
        work.access.registry_facts(REGION)
        return calls.count(of)

    assert (asked("GetUser"), asked("GetUser"), asked("GetRegistryPolicy")) == (1, 1, 1)
    work.use(profile_b="dev-acc")
    assert (asked("GetUser"), asked("GetRegistryPolicy")) == (2, 2)
    monkeypatch.setattr(work.access._facts._identities, "seconds", 0.0)
    assert (asked("GetUser"), asked("GetUser")) == (3, 4)


# --- plans


def test_a_preview_asks_nothing_and_knows_what_was_read(work: Workspace, calls: list[str]) -> None:
    registry_policy("Deny", B, "ecr:PutImage")
    repository = work.listing.repository("my-first-repo")
    grant = Grant((USER,), Access.PUSH_PULL)
    before = len(calls)
    assert work.changes.preview(repository, grant, None).registry is None
    work.access.registry_facts(REGION)
    after = len(calls)
    assert [item.id for item in work.changes.preview(repository, grant, None).findings] == ["registry-deny"]
    assert len(calls) == after > before


def test_a_live_plan_counts_the_registry_policy(work: Workspace) -> None:
    registry_policy("Allow", B, "ecr:BatchGetImage")
    repository = work.listing.repository("payments/legacy")
    revoke = work.changes.plan_revoke(repository, (USER,))
    assert any("BatchGetImage" in found.title for found in revoke.findings if found.id == "registry-allow")
    deny = work.access.verdicts(revoke)
    assert [verdict.principal for verdict in deny] == [USER]


def test_a_grant_to_the_whole_account_is_decided_for_bs_caller_too(work: Workspace) -> None:
    repository = work.listing.repository("my-first-repo")
    plan = work.changes.plan(repository, Grant((ROOT,), Access.PULL))
    found = {verdict.principal: verdict.response for verdict in work.access.verdicts(plan)}
    assert found == {ROOT: "Unknown", USER: "Allowed"}


def test_what_repositories_to_come_are_made_from(work: Workspace) -> None:
    client = boto3.Session(profile_name="account-a").client("ecr")
    client.create_repository_creation_template(
        prefix="payments", appliedFor=["CREATE_ON_PUSH"], resourceTags=[{"Key": "Team", "Value": "Payments"}]
    )
    repository = work.listing.repository("payments/ledger")
    plan = work.changes.plan(repository, Grant((USER,), Access.PULL, (("Team", "Payments"),)))
    found = work.access.new_repositories(plan)
    assert found is not None
    assert (found.template.prefix, found.tags_match, found.policy) == ("payments", True, None)
    other = work.listing.repository("my-first-repo")
    assert work.access.new_repositories(work.changes.plan(other, Grant((USER,), Access.PULL))) is None


# --- audits


def test_an_audit_of_everything_whatever_filter_is_set(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = Settings(profile_a="account-a", profile_b="dev-acc", tags=(("Team", "Search"),), state_dir=tmp_path)
    work = Workspace(settings)
    listed: list[int] = []
    read: list[tuple[int, int]] = []
    found = work.access.audit(on_listed=listed.append, on_progress=lambda done, total: read.append((done, total)))
    total = len(found.repositories)
    assert total > 15
    assert listed[-1] == total
    assert read[-1] == (total, total)
    assert found.unknown == ()
    (identity,) = found.identities
    assert (identity.principal, identity.unreadable) == (USER, "")
    legacy = next(item for item in found.repositories if item.repository.name == "payments/legacy")
    assert legacy.asked[0].verdict(Capability.PUSH) is Verdict.YES
    assert found.verdicts[legacy.repository.arn, USER].response == "Allowed"
    assert not any(arn.endswith("/my-first-repo") for arn, _ in found.verdicts), "A's side says no already"


def test_an_audit_for_others_and_without_b(sandbox: Sandbox, tmp_path: Path) -> None:
    found = workspace(tmp_path, None).access.audit(principals=[CI])
    assert {row.principal for item in found.repositories for row in item.asked} == {CI}
    assert "no credentials for account" in found.identities[0].unreadable
    assert "unknown" in audit_text(found)
    nobody = workspace(tmp_path, None).access.audit()
    assert (nobody.identities, nobody.verdicts) == ((), {})


def test_an_audit_with_an_account_b_that_does_not_answer(sandbox: Sandbox, tmp_path: Path) -> None:
    found = workspace(tmp_path, "no-such-profile").access.audit()
    assert len(found.repositories) > 15
    assert any("no-such-profile" in note for note in found.notes)
    assert "no-such-profile" in audit_text(found)


def test_policies_that_throttle_or_fail_are_told(work: Workspace, sandbox: Sandbox) -> None:
    def fail(call: AwsCall) -> ServiceError | None:
        if call.operation == "GetRepositoryPolicy" and call.params["repositoryName"] == "payments/api":
            return ServiceError("RepositoryNotFoundException", "The repository with name 'payments/api' does not exist")
        if call.operation == "GetRegistryPolicy":
            return ServiceError("AccessDeniedException", "User: x is not authorized to perform: ecr:GetRegistryPolicy")
        return None

    sandbox.fault = fail
    found = work.access.audit()
    assert [item.repository.name for item in found.unknown] == ["payments/api"]
    text = audit_text(found)
    assert "does not exist" in text
    assert "the registry policy is not readable" in text


def test_an_audit_can_be_cancelled(work: Workspace) -> None:
    cancel = threading.Event()

    def progress(done: int, total: int) -> None:
        cancel.set()

    with pytest.raises(Cancelled):
        work.access.audit(on_progress=progress, cancel=cancel)


def test_text_of_aws_cannot_drive_the_terminal(work: Workspace, sandbox: Sandbox) -> None:
    hostile: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    statement = {"Sid": "x\x1b[2J[red]", "Effect": "Allow", "Principal": {"AWS": B}, "Action": "ecr:*"}
    hostile["Statement"] = [statement | {"Condition": {"StringEquals": {"aws:ResourceTag/Team": "\x1b]0;title\x07"}}}]
    with sandbox.world.lock:
        record = sandbox.world.records.find(A, REGION, "my-first-repo")
        assert record is not None
        record.policy = json.dumps(hostile)
    text = audit_text(work.access.audit())
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]" in text


def test_what_was_asked_before_a_switch_is_not_kept_after_it(work: Workspace) -> None:
    def switch(_: object) -> None:
        if work.settings.profile_a == "account-a":
            work.use(profile_a="dev-acc", profile_b="account-a")

    readers = work.listing.readers()
    # A listing and facts of the former account, which end when the other is chosen already.
    found = work.listing.repositories(on_page=switch)
    assert found
    assert work.listing.known("eu-central-1") is None
    assert work.listing.cached_repositories() is None
    assert work.listing.readers().policies is not readers.policies
    assert (work.accounts.owner().account, work.accounts.consumer().account) == (B, A)

    kept = Kept[str](60.0)

    def read() -> str:
        kept.forget()
        return "of the former account"

    assert kept.get("x", read) == "of the former account"
    assert kept.fresh("x") is None
    # A plan of the former account is not written with the present one's credentials.
    before = next(one for one in found if one.name == "my-first-repo")
    plan = work.changes.preview(before, Grant((USER,), Access.PULL), None)
    with pytest.raises(InputError, match="nothing was written"):
        work.changes.apply(plan)
