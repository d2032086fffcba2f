"""Read a registry's replication rules, as account A."""

from __future__ import annotations

from ecr_tui.aws.identity_policies import reason_of
from ecr_tui.aws.model import Replication, ReplicationRule
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import Cancelled, EcrTuiError


def replication(session: AwsSession, region: str) -> Replication:
    """One call. A failure is recorded as a reason; raises only Cancelled."""
    client = session.client("ecr", region)
    try:
        with session.calling("ecr:DescribeRegistry"):
            rules = client.describe_registry()["replicationConfiguration"]["rules"]
    except Cancelled:
        raise
    except EcrTuiError as error:
        return Replication(region, unreadable=reason_of(error))
    return Replication(
        region,
        tuple(
            ReplicationRule(
                tuple((one["region"], one["registryId"]) for one in rule["destinations"]),
                tuple(one["filter"] for one in rule.get("repositoryFilters", ())),
            )
            for rule in rules
        ),
    )
