"""Copies of a repository by ECR replication, and access differences from the original.

A copy is a separate repository: replication copies images, but no policies. It has the original's name, and tags only
from a creation template. Replicated images are not replicated again. (ECR User Guide, "Private image replication in
Amazon ECR", considerations: docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html.) Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ecr_tui.aws.model import Replication, Repository

LACKS, GRANTED, PRESENT = "not granted", "granted", "present"
ABSENT, UNKNOWN, FOREIGN = "absent", "unknown", "other account"
SAME, DIFFERS, OUTSIDE = "same", "differs", "not in this audit"


class Copy(NamedTuple):
    """State of a copy with respect to a grant on the original.

    ``state``: LACKS or GRANTED (the grant is not, or is, in its policy; PRESENT without a grant to check), ABSENT
    (nothing replicated yet), UNKNOWN, or FOREIGN (in another account, which manages it). ``detail``: why it is unknown,
    or "no effect: " and the reason for the grant there. ``repository`` with its live tags, if read.
    """

    region: str
    account: str
    state: str
    repository: Repository | None = None
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """An element of "copies" in ``plan --json``."""
        return {
            "region": self.region,
            "account": self.account,
            "arn": None if self.repository is None else self.repository.arn,
            "state": self.state,
            "detail": self.detail or None,
        }


def places(replication: Replication, name: str, account: str) -> tuple[tuple[str, str], ...]:
    """(region, account) of each copy of a repository of this name; ``account`` is the original's."""
    found: dict[tuple[str, str], None] = {}
    for rule in replication.rules:
        if not rule.prefixes or name.startswith(rule.prefixes):
            found |= dict.fromkeys(rule.destinations)
    found.pop((replication.region, account), None)
    return tuple(found)


def sentences(copies: Sequence[Copy]) -> list[str]:
    """A line for each state, without a period."""
    return [_sentence(state, found) for state in _WORDS if (found := [one for one in copies if one.state == state])]


_WORDS = {
    LACKS: ("that copy has no such policy", "those copies have no such policy"),
    GRANTED: ("that copy has this grant", "those copies have this grant"),
    ABSENT: ("no copy there yet", "no copies there yet"),
    UNKNOWN: ("the policy of that copy is unknown", "the policies of those copies are unknown"),
    FOREIGN: ("that copy is not in account A", "those copies are not in account A"),
}


def _sentence(state: str, copies: Sequence[Copy]) -> str:
    where = ", ".join(one.region if state != FOREIGN else f"{one.region} of account {one.account}" for one in copies)
    words = _WORDS[state][len(copies) > 1]
    details = "; ".join(dict.fromkeys(one.detail for one in copies if one.detail))
    if details and state in (LACKS, GRANTED):
        details = f"it {'would have' if state == LACKS else 'has'} {details}"
    return f"replicated to {where}: {words}" + (f" ({details})" if details else "")
