"""A replicated repository through the command line: granted with its copy, audited, revoked, undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import DEMO_REGIONS, Sandbox
from ecr_tui.sandbox.world import AwsCall
from tests.support.cli import ecr_tui

NAME, REGION, OTHER = "search/indexer", *DEMO_REGIONS
TO = ("--to", "user/devusr2", "--access", "pull", "--if-tag", "Team=Search")
DIGEST = "sha256:" + "0" * 64
BOTH = ("--region", REGION, "--region", OTHER)


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


def copies(*arguments: str) -> Any:
    (row,) = ecr_tui("plan", NAME, *TO, "--json", *arguments).json
    return row["copies"]


def test_a_grant_with_copies_opens_both_and_its_undo_closes_both(sandbox: Sandbox) -> None:
    (copy,) = copies()
    arn = f"arn:aws:ecr:{OTHER}:{sandbox.account_a}:repository/{NAME}"
    assert copy == {"region": OTHER, "account": sandbox.account_a, "arn": arn, "state": "not granted", "detail": None}
    assert f"copies: replicated to {OTHER}: that copy has no such policy" in ecr_tui("plan", NAME, *TO).out

    assert ecr_tui("grant", NAME, *TO, "--yes").code == 0
    assert allowed(sandbox) == [True, False]
    again = ecr_tui("grant", NAME, *TO, "--replicas", "--yes", "--json")
    assert [(row["arn"].split(":")[3], row["written"]) for row in again.json] == [(REGION, False), (OTHER, True)]
    assert allowed(sandbox) == [True, True]
    assert copies()[0]["state"] == "granted"

    revoked = ecr_tui("revoke", NAME, "--to", "user/devusr2", "--replicas", "--yes")
    assert revoked.code == 0, revoked.err
    assert allowed(sandbox) == [False, False]
    assert ecr_tui("undo", "--yes").code == 0
    assert allowed(sandbox) == [True, True]


def test_the_audit_names_what_differs_between_copies(sandbox: Sandbox) -> None:
    ecr_tui("grant", NAME, *TO, "--yes")
    found = ecr_tui("audit", *BOTH, "--json").json
    (copy,) = found["replicas"]
    assert (copy["repository"], copy["copy_region"], copy["state"]) == (NAME, OTHER, "differs")
    assert {"principal": f"arn:aws:iam::{sandbox.account_b}:user/devusr2", "capability": "pull"} | {
        "original": "yes",
        "copy": "no",
    } in copy["differences"]
    (row,) = (one for one in found["repositories"] if (one["repository"], one["region"]) == (NAME, REGION))
    assert [one["severity"] for one in row["findings"] if one["id"] == "copy-differs"] == ["info"]
    assert f"{NAME}: {OTHER}: user devusr2 in {sandbox.account_b}: pull yes becomes no" in ecr_tui("audit", *BOTH).out

    alone = ecr_tui("audit", "--json").json["replicas"]
    assert [(one["state"], one["reason"]) for one in alone] == [("not in this audit", f"add --region {OTHER}")]

    ecr_tui("grant", NAME, *TO, "--replicas", "--yes")
    assert [one["state"] for one in ecr_tui("audit", *BOTH, "--json").json["replicas"]] == ["same"]
    ecr_tui("revoke", NAME, "--to", "user/devusr2", "--yes")
    (row,) = (
        one
        for one in ecr_tui("audit", *BOTH, "--json").json["repositories"]
        if (one["repository"], one["region"]) == (NAME, REGION)
    )
    assert [one["severity"] for one in row["findings"] if one["id"] == "copy-differs"] == ["warning"]


def test_a_copy_without_the_tag_is_said_to_stay_closed(sandbox: Sandbox) -> None:
    there = boto3.Session(profile_name="account-a").client("ecr", OTHER)
    there.untag_resource(resourceArn=f"arn:aws:ecr:{OTHER}:{sandbox.account_a}:repository/{NAME}", tagKeys=["Team"])
    ecr_tui("grant", NAME, *TO, "--replicas", "--yes")
    assert allowed(sandbox) == [True, False]
    (copy,) = copies()
    assert copy["state"] == "granted"
    assert copy["detail"].startswith("no effect: ")


def test_copies_that_are_not_there_or_not_known(sandbox: Sandbox) -> None:
    owner = boto3.Session(profile_name="account-a").client("ecr", REGION)
    elsewhere = {"destinations": [{"region": REGION, "registryId": "999999999999"}]}
    missing = {"destinations": [{"region": OTHER, "registryId": sandbox.account_a}]}
    owner.put_replication_configuration(replicationConfiguration={"rules": [elsewhere, missing]})
    granted = ecr_tui("grant", "my-first-repo", "--to", "user/devusr2", "--replicas", "--yes", "--json")
    assert [row["arn"].split(":")[3] for row in granted.json] == [REGION]
    assert f"my-first-repo: replicated to {OTHER}: no copy there yet" in granted.err
    assert f"replicated to {REGION} of account 999999999999: that copy is not account A's" in granted.err

    def refuse(call: AwsCall) -> ServiceError | None:
        return ServiceError("AccessDeniedException", "no") if call.operation == "DescribeRegistry" else None

    sandbox.fault = refuse
    assert copies() is None
    refused = ecr_tui("grant", "payments/api", "--to", "user/devusr2", "--replicas", "--yes")
    assert refused.code == 3
    assert f"the replication rules of {REGION} are unknown" in refused.err
    assert ecr_tui("audit", "--json").json["replication_unknown"][0]["region"] == REGION
