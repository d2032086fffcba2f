"""A replicated repository through the command line: granted with its copy, audited, revoked, undone."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError

from ecr_tui.access.audit_result import CopyAudit, CopyDifference
from ecr_tui.access.replicas import DIFFERS, GRANTED, SAME
from ecr_tui.aws.inventory import get_repository
from ecr_tui.aws.model import Role
from ecr_tui.config import Settings
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.policy.who import Capability, Verdict
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import DEMO_REGIONS, Sandbox
from ecr_tui.sandbox.world import AwsCall
from ecr_tui.workspace import Workspace
from tests.support.cli import ecr_tui

NAME, REGION, OTHER = "search/indexer", *DEMO_REGIONS
TO = ("--to", "user/devusr2", "--access", "pull", "--if-tag", "Team=Search")
DIGEST = "sha256:" + "0" * 64
DEVUSR2 = f"arn:aws:iam::{Sandbox.account_b}:user/devusr2"
GRANT = Grant((DEVUSR2,), Access.PULL, (("Team", "Search"),))


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(regions=DEMO_REGIONS) as sandbox:
        yield sandbox


def allowed(sandbox: Sandbox) -> list[bool]:
    """Whether account B may pull the original, and the copy."""
    found = []
    for region in DEMO_REGIONS:
        consumer = boto3.Session(profile_name="dev-acc").client("ecr", region)
        try:
            consumer.batch_check_layer_availability(
                registryId=sandbox.account_a, repositoryName=NAME, layerDigests=[DIGEST]
            )
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "AccessDeniedException":
                raise
            found.append(False)
        else:
            found.append(True)
    return found


@pytest.fixture
def space(sandbox: Sandbox) -> Iterator[Workspace]:
    opened = Workspace(Settings(profile_a="account-a", profile_b="dev-acc", regions=DEMO_REGIONS))
    yield opened
    opened.close()


def grant(space: Workspace, *regions: str) -> None:
    session = space.accounts.session(Role.OWNER)
    for region in regions:
        space.changes.apply(space.changes.plan(get_repository(session, NAME, region), GRANT))


def found(space: Workspace) -> CopyAudit:
    (copy,) = space.access.audit().copies
    return copy


def test_a_grant_with_copies_opens_both_and_its_undo_closes_both(sandbox: Sandbox) -> None:
    (row,) = ecr_tui("plan", NAME, *TO, "--json").json
    arn = f"arn:aws:ecr:{OTHER}:{sandbox.account_a}:repository/{NAME}"
    assert row["copies"] == [
        {"region": OTHER, "account": sandbox.account_a, "arn": arn, "state": "not granted", "detail": None}
    ]
    assert ecr_tui("grant", NAME, *TO, "--yes").code == 0
    assert allowed(sandbox) == [True, False]
    again = ecr_tui("grant", NAME, *TO, "--replicas", "--yes", "--json")
    assert [(row["arn"].split(":")[3], row["written"]) for row in again.json] == [(REGION, False), (OTHER, True)]
    assert allowed(sandbox) == [True, True]
    revoked = ecr_tui("revoke", NAME, "--to", "user/devusr2", "--replicas", "--yes")
    assert revoked.code == 0, revoked.err
    assert allowed(sandbox) == [False, False]
    assert ecr_tui("undo", "--yes").code == 0
    assert allowed(sandbox) == [True, True]


def test_the_audit_names_what_differs_between_copies(sandbox: Sandbox, space: Workspace) -> None:
    assert found(space).state == SAME
    grant(space, REGION)
    assert (found(space).state, found(space).differences) == (
        DIFFERS,
        (
            CopyDifference(DEVUSR2, Capability.PULL, Verdict.YES, Verdict.NO),
            CopyDifference(DEVUSR2, Capability.PUSH, Verdict.PARTLY, Verdict.NO),
        ),
    )
    grant(space, OTHER)
    assert found(space).state == SAME
    space.changes.apply(
        space.changes.plan_revoke(get_repository(space.accounts.session(Role.OWNER), NAME, REGION), (DEVUSR2,))
    )
    ran = ecr_tui("audit", "--region", REGION, "--region", OTHER, "--json").json
    assert [(one["copy_region"], one["state"]) for one in ran["replicas"]] == [(OTHER, "differs")]
    (row,) = (one for one in ran["repositories"] if (one["repository"], one["region"]) == (NAME, REGION))
    assert [one["severity"] for one in row["findings"] if one["id"] == "copy-differs"] == ["warning"]
    shown = ecr_tui("audit").out
    assert f"{OTHER}: not in this audit (add --region {OTHER}): {NAME}" in shown


def test_a_copy_without_the_tag_is_said_to_stay_closed(sandbox: Sandbox, space: Workspace) -> None:
    there = boto3.Session(profile_name="account-a").client("ecr", OTHER)
    there.untag_resource(resourceArn=f"arn:aws:ecr:{OTHER}:{sandbox.account_a}:repository/{NAME}", tagKeys=["Team"])
    grant(space, REGION, OTHER)
    assert allowed(sandbox) == [True, False]
    (copy,) = space.access.copies(get_repository(space.accounts.session(Role.OWNER), NAME, REGION), GRANT)
    assert copy.state == GRANTED
    assert copy.detail.startswith("no effect: ")
    assert found(space).state == DIFFERS


def test_copies_that_are_not_there_or_not_known(sandbox: Sandbox) -> None:
    owner = boto3.Session(profile_name="account-a").client("ecr", REGION)
    elsewhere = {"destinations": [{"region": REGION, "registryId": "999999999999"}]}
    missing = {"destinations": [{"region": OTHER, "registryId": sandbox.account_a}]}
    owner.put_replication_configuration(replicationConfiguration={"rules": [elsewhere, missing]})
    granted = ecr_tui("grant", "my-first-repo", "--to", "user/devusr2", "--replicas", "--yes", "--json")
    assert [row["arn"].split(":")[3] for row in granted.json] == [REGION]
    assert f"my-first-repo: replicated to {OTHER}: no copy there yet" in granted.err
    assert f"replicated to {REGION} of account 999999999999: that copy is not in account A" in granted.err

    def refuse(call: AwsCall) -> ServiceError | None:
        return ServiceError("AccessDeniedException", "no") if call.operation == "DescribeRegistry" else None

    sandbox.fault = refuse
    assert ecr_tui("plan", NAME, *TO, "--json").json[0]["copies"] is None
    refused = ecr_tui("grant", "payments/api", "--to", "user/devusr2", "--replicas", "--yes")
    assert refused.code == 3
    assert f"the replication rules of {REGION} are unknown" in refused.err
    assert ecr_tui("audit", "--json").json["replication_unknown"][0]["region"] == REGION


def test_the_copies_of_several_come_from_one_listing_a_region(sandbox: Sandbox, space: Workspace) -> None:
    original, copy = (get_repository(space.accounts.session(Role.OWNER), NAME, one) for one in (REGION, OTHER))
    assert [(one.arn, one.tags) for one in space.access.copies_of([original])] == [(copy.arn, copy.tags)]
    assert space.access.copies_of([original, copy]) == []
