"""The whole room against accounts that decide as AWS does: no answer in here was made up by the test."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from ecr_tui.aws import exchange
from ecr_tui.aws.access import PROBES, probe_action
from ecr_tui.aws.images import delete_image, images_summary
from ecr_tui.aws.inventory import get_repository, list_repositories
from ecr_tui.aws.model import Repository, Role
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.aws.profiles import list_profiles
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.aws.tokens import registry_token
from ecr_tui.changes.apply import apply
from ecr_tui.changes.attempts import Patience
from ecr_tui.changes.entries import FAILED, WRITTEN
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.undo import undo
from ecr_tui.errors import (
    ConflictError,
    CredentialsError,
    DeniedError,
    EcrTuiError,
    EnvironmentFailure,
    InputError,
)
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.ours import read_own
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.aws_http import DropConnection
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import AwsCall
from tests.support.planning import plan_grant, plan_revoke

REGION = Sandbox.region


@pytest.fixture
def owner(sandbox: Sandbox) -> AwsSession:
    return AwsSession(Role.OWNER, "account-a")


@pytest.fixture
def consumer(sandbox: Sandbox) -> AwsSession:
    return AwsSession(Role.CONSUMER, "dev-acc")


@pytest.fixture
def store(owner: AwsSession) -> RepositoryPolicies:
    return RepositoryPolicies(owner)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.jsonl")


def grant_to(principal: str) -> Grant:
    return Grant((principal,), Access.PUSH_PULL, (("Team", "Payments"),))


def test_profiles_and_callers(owner: AwsSession, consumer: AwsSession) -> None:
    assert {"account-a", "dev-acc"} <= {profile.name for profile in list_profiles()}
    a, b = owner.identity(), consumer.identity()
    assert (a.account, b.account) == (Sandbox.account_a, Sandbox.account_b)
    assert b.arn == f"arn:aws:iam::{Sandbox.account_b}:user/devusr2"
    assert (a.region, a.partition) == (REGION, "aws")


def test_no_request_waits_for_the_acknowledgement_of_its_head(
    owner: AwsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: list[int] = []

    def guard(one: socket.socket | None) -> None:
        options.extend([] if one is None else [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)])

    monkeypatch.setattr(exchange, "_guard_socket", guard)
    owner.identity()
    assert options
    assert all(options)


def test_mfa_role(sandbox: Sandbox) -> None:
    asked: list[str] = []

    def ask(prompt: object) -> str:
        asked.append(str(prompt))
        return sandbox.mfa_code

    session = AwsSession(Role.CONSUMER, "dev-mfa", ask_mfa=ask)
    identity = session.identity()
    assert ":assumed-role/" in identity.arn
    assert identity.expires_at is not None
    assert len(asked) == 1
    wrong = f"{(int(sandbox.mfa_code) + 1) % 1_000_000:06d}"
    from ecr_tui.aws import quiet

    quiet._caches.clear()
    with pytest.raises(CredentialsError):
        AwsSession(Role.CONSUMER, "dev-mfa", ask_mfa=lambda _: wrong).identity()


def test_repositories_with_their_tags(owner: AwsSession, sandbox: Sandbox) -> None:
    found = {r.name: r for r in list_repositories(owner, [REGION])}
    assert found["my-first-repo"].tags == {"Team": "Payments"}
    assert found["tools/scratch"].tags == {}
    assert found["payments/ledger"].mutability == "IMMUTABLE"
    assert found["my-first-repo"].host == sandbox.registry_host()
    assert "devtools/runner" not in found
    filtered = list_repositories(owner, [REGION], tags={"Team": "Payments", "Stage": "prod"})
    assert [r.name for r in filtered] == ["payments/ledger"]
    assert get_repository(owner, "my-first-repo").tags == {"Team": "Payments"}
    with pytest.raises(InputError, match="ghost"):
        get_repository(owner, "ghost")


def test_listing_without_permission_for_the_tag_index(owner: AwsSession, sandbox: Sandbox) -> None:
    complete = list_repositories(owner, [REGION])
    calls: list[str] = []

    def deny(call: AwsCall) -> ServiceError | None:
        calls.append(call.operation)
        return ServiceError("AccessDeniedException", "no") if call.operation == "GetResources" else None

    sandbox.fault = deny
    assert list_repositories(owner, [REGION]) == complete
    assert calls.count("ListTagsForResource") == len(complete)


def test_grant_and_undo(owner: AwsSession, consumer: AwsSession, store: RepositoryPolicies, journal: Journal) -> None:
    repository = get_repository(owner, "my-first-repo")
    for action in PROBES:
        denial = probe_action(consumer, repository, action)
        assert denial is not None
        assert "resource-based policy" in denial
    plan = plan_grant(store, repository, grant_to(consumer.identity().arn))
    assert plan.risks == ()
    outcome = apply(store, journal, plan, operator=owner.identity().arn)
    assert outcome.written
    granted = [action for action in PROBES if f"ecr:{action}" in Access.PUSH_PULL.actions]
    assert granted
    assert all(probe_action(consumer, repository, action) is None for action in granted)
    assert not plan_grant(store, repository, grant_to(consumer.identity().arn)).changed
    isolated = get_repository(owner, "search/indexer")
    assert all(probe_action(consumer, isolated, action) for action in PROBES)
    undo(store, journal, account=Sandbox.account_a)
    assert store.read(repository) is None
    assert all(probe_action(consumer, repository, action) for action in PROBES)
    assert [entry.outcome for entry in journal.entries()] == [WRITTEN, WRITTEN]


def seeded(owner: AwsSession) -> list[Repository]:
    return list_repositories(owner, [REGION])


def test_every_seeded_policy_survives_grant_revoke_and_undo(
    owner: AwsSession, consumer: AwsSession, store: RepositoryPolicies, journal: Journal
) -> None:
    principal = consumer.identity().arn
    refused = {}
    for repository in seeded(owner):
        before = store.read(repository)
        try:
            plan = plan_grant(store, repository, grant_to(principal))
            apply(store, journal, plan)
        except EcrTuiError as exc:
            refused[repository.name] = exc
            assert store.read(repository) == before
            continue
        if not plan.changed:
            continue
        after = PolicyDocument.parse(store.read(repository) or "")
        statements = PolicyDocument.parse(before).statements if before else ()
        foreign = [one for one in statements if read_own(one) is None]
        kept = [dict(statement.raw) for statement in after.statements]
        assert all(dict(statement.raw) in kept for statement in foreign)
        apply(store, journal, plan_revoke(store, repository, (principal,)))
        undo(store, journal)
        undo(store, journal)
        assert store.read(repository) == before, repository.name
    assert set(refused) == {"payments/reports", "platform/sdk"}
    assert "10,240" in refused["platform/sdk"].title
    assert "nothing was sent" in refused["payments/reports"].title
    assert [entry for entry in journal.entries() if entry.outcome == FAILED] == []


def test_conflict_with_another_administrator(
    owner: AwsSession, consumer: AwsSession, store: RepositoryPolicies, journal: Journal
) -> None:
    repository = get_repository(owner, "payments/api")
    plan = plan_grant(store, repository, grant_to(consumer.identity().arn))
    theirs = json.loads(store.read(repository) or "")
    theirs["Statement"][0]["Action"] = ["ecr:BatchGetImage"]
    store.write(repository, json.dumps(theirs))
    with pytest.raises(ConflictError):
        apply(store, journal, plan)
    assert json.loads(store.read(repository) or "") == theirs


def test_user_made_seconds_ago(owner: AwsSession, sandbox: Sandbox, journal: Journal) -> None:
    repository, store = get_repository(owner, "my-first-repo"), RepositoryPolicies(owner)
    unknown = plan_grant(store, repository, grant_to(f"arn:aws:iam::{Sandbox.account_b}:user/hired-today"))
    assert unknown.after is not None
    with pytest.raises(InputError, match="does not know a principal"):
        RepositoryPolicies(owner, principal_wait=0).write(repository, unknown.after.minified())
    plan = plan_grant(store, repository, grant_to(f"arn:aws:iam::{Sandbox.account_b}:user/devusr2"))
    waits: list[float] = []

    def unknown_yet(call: AwsCall) -> ServiceError | None:
        if call.operation == "SetRepositoryPolicy" and not waits:
            message = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'"
            return ServiceError("InvalidParameterException", message)
        return None

    sandbox.fault = unknown_yet
    # IAM takes the first wait to make the user known.
    assert apply(store, journal, plan, pace=Patience(wait=waits.append)).written
    assert len(waits) == 1
    assert store.read(repository) is not None


def test_operator_without_the_right(consumer: AwsSession, owner: AwsSession, journal: Journal) -> None:
    repository = get_repository(owner, "my-first-repo")
    store = RepositoryPolicies(AwsSession(Role.OWNER, "no-access"))
    with pytest.raises(EcrTuiError) as caught:
        plan_grant(store, repository, grant_to(consumer.identity().arn))
    assert isinstance(caught.value, DeniedError | InputError)
    assert journal.entries() == ()


def test_token_is_the_callers(consumer: AwsSession) -> None:
    token = registry_token(consumer, REGION)
    assert token.username == "AWS"
    assert token.expires_at is not None
    assert token.password.reveal() not in repr(token)


def test_images(owner: AwsSession) -> None:
    repository = get_repository(owner, "payments/api")
    summary = images_summary(owner, repository)
    assert summary.count == 2
    assert summary.last_push is not None
    delete_image(owner, repository, f"sha256:{'0' * 64}")
    assert images_summary(owner, repository).count == 2
    with pytest.raises(InputError):
        images_summary(owner, replace(repository, name="ghost"))


@pytest.mark.parametrize("operation", ["GetRepositoryPolicy", "SetRepositoryPolicy"])
def test_dropped_connections_lose_nothing(
    operation: str,
    owner: AwsSession,
    consumer: AwsSession,
    store: RepositoryPolicies,
    sandbox: Sandbox,
    journal: Journal,
) -> None:
    repository = get_repository(owner, "payments/invoice-lambda")
    before = store.read(repository)
    plan = plan_grant(store, repository, grant_to(consumer.identity().arn))

    def drop(call: AwsCall) -> ServiceError | None:
        if call.operation == operation:
            raise DropConnection
        return None

    sandbox.fault = drop
    with pytest.raises(EnvironmentFailure):
        apply(store, journal, plan)
    sandbox.fault = None
    assert store.read(repository) == before
    assert apply(store, journal, plan).written
    assert {entry.outcome for entry in journal.entries()[1:]} <= {WRITTEN}
