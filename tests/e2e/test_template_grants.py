"""Grants in creation templates: for repositories to come, undone to the letter, and never over a foreign change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ecr_tui.aws.model import TemplatePlace
from ecr_tui.changes.bulk import Intent
from ecr_tui.changes.entries import STOPPED, TEMPLATE
from ecr_tui.changes.plans import Plan
from ecr_tui.config import Settings
from ecr_tui.errors import ConflictError, InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.sandbox.sandbox import DEMO_REGIONS, Sandbox
from ecr_tui.sandbox.seed_repositories import push_image
from ecr_tui.workspace import Workspace
from tests.support.cli import ecr_tui

REGION, OTHER = DEMO_REGIONS
DEVUSR2 = f"arn:aws:iam::{Sandbox.account_b}:user/devusr2"
GRANT = Grant((DEVUSR2,), Access.PULL, (("Team", "Payments"),))
FOREIGN = (
    '{ "Version":"2012-10-17",\n  "Statement": [{"Sid":"Ci","Effect":"Allow",'
    '"Principal":{"AWS":"%s"},"Action":["ecr:PutImage"]}]}'
)
"""Formatted as no program would write it."""
DIGEST = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(regions=DEMO_REGIONS) as sandbox:
        yield sandbox


@pytest.fixture
def owner(sandbox: Sandbox) -> Any:
    return boto3.Session(profile_name="account-a").client("ecr", REGION)


@pytest.fixture
def space(sandbox: Sandbox) -> Iterator[Workspace]:
    opened = Workspace(Settings(profile_a="account-a", profile_b="dev-acc"))
    yield opened
    opened.close()


def template(owner: Any, prefix: str = "payments") -> dict[str, Any]:
    (found,) = owner.describe_repository_creation_templates(prefixes=[prefix])["repositoryCreationTemplates"]
    return {name: value for name, value in found.items() if name != "updatedAt"}


def planned(space: Workspace) -> Plan:
    plan = space.changes.plan_in_template(space.listing.repository("payments/api"), GRANT)
    assert plan is not None
    return plan


def test_a_repository_that_replication_makes_later_is_open_to_account_b(sandbox: Sandbox) -> None:
    to = ("--to", "user/devusr2", "--access", "pull", "--if-tag", "Team=Search", "--region", OTHER)
    shown = ecr_tui("plan", "--template", "search", *to)
    assert "below search/ (replication). Existing ones keep their policies." in shown.out
    (row,) = ecr_tui("grant", "--template", "search/", *to, "--yes", "--json").json
    assert (row["repository"], row["written"]) == ("template search", True)
    there = boto3.Session(profile_name="account-a").client("ecr", OTHER)
    there.delete_repository(repositoryName="search/indexer", force=True)
    with sandbox.world.lock:
        push_image(sandbox.world, sandbox.account_a, REGION, "search/indexer", "v3", "v3")
    owner = boto3.Session(profile_name="account-a").client("ecr", REGION)
    (image,) = owner.batch_get_image(repositoryName="search/indexer", imageIds=[{"imageTag": "v3"}])["images"]
    owner.put_image(repositoryName="search/indexer", imageManifest=image["imageManifest"], imageTag="v3.1")
    consumer = boto3.Session(profile_name="dev-acc").client("ecr", OTHER)
    asked = {"registryId": sandbox.account_a, "repositoryName": "search/indexer", "layerDigests": [DIGEST]}
    consumer.batch_check_layer_availability(**asked)
    with pytest.raises(ClientError, match="not authorized"):
        consumer.batch_check_layer_availability(**{**asked, "repositoryName": "search/other"})


def test_only_the_policy_changes_and_the_undo_restores_it_to_the_letter(space: Workspace, owner: Any) -> None:
    owner.update_repository_creation_template(
        prefix="payments",
        description="theirs",
        imageTagMutability="IMMUTABLE",
        lifecyclePolicy='{"rules":[]}',
        repositoryPolicy=FOREIGN % "333333333333",
    )
    before = template(owner)
    outcome = space.changes.apply(planned(space))
    assert outcome.written
    after = template(owner)
    assert after.pop("repositoryPolicy") == outcome.plan.after_text
    assert after == {name: value for name, value in before.items() if name != "repositoryPolicy"}
    sids = [one["Sid"] for one in json.loads(outcome.plan.after_text or "")["Statement"]]
    assert (sids[0], len(sids)) == ("Ci", 2)
    (entry,) = space.changes.journal.entries()
    assert (entry.record.subject, entry.record.before_text) == (TEMPLATE, FOREIGN % "333333333333")
    assert space.changes.live_text(entry) == entry.record.after_text

    assert space.changes.undo().written
    assert template(owner) == before
    assert space.changes.redo().plan.kind == "redo"
    assert space.changes.undo(entry.id).written
    assert template(owner) == before


def test_a_template_without_a_policy_has_none_after_the_undo(space: Workspace, owner: Any) -> None:
    before = template(owner)
    space.changes.apply(planned(space))
    space.changes.undo()
    assert template(owner) == before
    assert "repositoryPolicy" not in before


def test_a_change_by_somebody_else_is_refused(space: Workspace, owner: Any) -> None:
    plan = planned(space)
    owner.update_repository_creation_template(prefix="payments", repositoryPolicy=FOREIGN % "333333333333")
    theirs = template(owner)
    with pytest.raises(ConflictError, match="the policy of template payments changed after this preview"):
        space.changes.apply(plan)
    assert (template(owner), space.changes.journal.entries()) == (theirs, ())

    written = space.changes.apply(planned(space))
    owner.update_repository_creation_template(prefix="payments", repositoryPolicy=FOREIGN % "444444444444")
    with pytest.raises(ConflictError, match="changed by another writer; nothing was undone"):
        space.changes.undo(written.entry_id or "")
    assert template(owner)["repositoryPolicy"] == FOREIGN % "444444444444"


def test_a_run_that_was_interrupted_finds_its_template_again(space: Workspace, owner: Any) -> None:
    places = [space.listing.repository("payments/api"), space.access.template("payments")]
    intent = Intent.to_grant(GRANT)
    targets = [(one.name, one.arn, one.region) for one in places]
    run = space.changes.journal.begin_run("grant", Sandbox.account_a, "tests", intent.to_json(), targets)
    space.changes.journal.end_run(run, STOPPED)
    bulk = space.changes.bulk()
    (left,) = bulk.unfinished()
    assert isinstance(left.rest[1], TemplatePlace)
    plans = [one for one in bulk.resume(left) if isinstance(one, Plan)]
    assert bulk.run(plans, intent, resumes=left.run).exit_code == 0
    assert DEVUSR2 in template(owner)["repositoryPolicy"]


def test_refusals(space: Workspace, owner: Any) -> None:
    with pytest.raises(InputError, match="no creation template 'nope'") as caught:
        space.access.template("nope")
    assert caught.value.hint == "Use one of payments."
    refused = ecr_tui("grant", "--template", "payments", "--to", "user/devusr2", "--yes", "--read-only")
    assert (refused.code, "read-only: no policy was written" in refused.err) == (2, True)
    gone = planned(space)
    owner.delete_repository_creation_template(prefix="payments")
    with pytest.raises(InputError, match=f"no creation template payments in {REGION}"):
        space.changes.apply(gone)
