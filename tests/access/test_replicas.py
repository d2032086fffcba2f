"""Which copies a repository has by the replication rules, and what is said of them."""

from __future__ import annotations

import pytest

from ecr_tui.access.replicas import ABSENT, FOREIGN, GRANTED, LACKS, UNKNOWN, Copy, places, sentences
from ecr_tui.aws.model import Replication, ReplicationRule

A, OTHER = "111111111111", "999999999999"
HERE, THERE, FAR = "eu-central-1", "eu-west-1", "us-east-1"


def rules(*found: ReplicationRule) -> Replication:
    return Replication(HERE, found)


@pytest.mark.parametrize(
    ("prefixes", "name", "copied"),
    [
        ((), "any/thing", True),
        (("prod",), "prod/api", True),
        (("prod",), "production", True),  # a plain prefix of the name, which no slash ends
        (("prod/",), "production", False),
        (("prod/", "test/"), "test/api", True),
        (("api",), "prod/api", False),
    ],
)
def test_a_filter_is_a_prefix_of_the_name(prefixes: tuple[str, ...], name: str, copied: bool) -> None:
    found = places(rules(ReplicationRule(((THERE, A),), prefixes)), name, A)
    assert found == (((THERE, A),) if copied else ())


def test_each_destination_counts_once_and_the_registry_itself_never() -> None:
    found = places(
        rules(
            ReplicationRule(((THERE, A), (HERE, A), (HERE, OTHER))),
            ReplicationRule(((THERE, A), (FAR, A)), ("api",)),
        ),
        "api",
        A,
    )
    assert found == ((THERE, A), (HERE, OTHER), (FAR, A))


def test_unreadable_rules_name_no_copy() -> None:
    assert places(Replication(HERE, unreadable="denied"), "api", A) == ()


def test_what_is_said_of_copies_is_a_line_for_each_state() -> None:
    void = "no effect: the repository has no tag Team"
    assert sentences([Copy(THERE, A, LACKS)]) == [f"replicated to {THERE}: that copy has no such policy"]
    assert sentences(
        [
            Copy(HERE, OTHER, FOREIGN),
            Copy(THERE, A, GRANTED),
            Copy(FAR, A, LACKS),
            Copy("ap-south-1", A, LACKS, detail=void),
            Copy("sa-east-1", A, ABSENT),
            Copy("eu-north-1", A, UNKNOWN, detail="AccessDenied"),
        ]
    ) == [
        f"replicated to {FAR}, ap-south-1: those copies have no such policy (it would have {void})",
        f"replicated to {THERE}: that copy has this grant",
        "replicated to sa-east-1: no copy there yet",
        "replicated to eu-north-1: the policy of that copy is unknown (AccessDenied)",
        f"replicated to {HERE} of account {OTHER}: that copy is not in account A",
    ]
