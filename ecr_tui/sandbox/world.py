"""Shared state of the AWS side: the accounts, the clock, moto's records, and their lock.

moto is not made for threads, so every read or write of its records happens under :attr:`World.lock`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ecr_tui.sandbox.authorizations import Authorizations
from ecr_tui.sandbox.blobs import BlobStore
from ecr_tui.sandbox.directory import Directory
from ecr_tui.sandbox.http_server import LOOPBACK as LOOPBACK
from ecr_tui.sandbox.organization import ACCOUNT_B as ACCOUNT_B
from ecr_tui.sandbox.organization import ACCOUNT_C as ACCOUNT_C
from ecr_tui.sandbox.organization import MANAGEMENT
from ecr_tui.sandbox.organization import ORGANIZATION as ORGANIZATION
from ecr_tui.sandbox.organization import ORGANIZATION_PATH as ORGANIZATION_PATH
from ecr_tui.sandbox.principals import Principal
from ecr_tui.sandbox.records import Records
from ecr_tui.sandbox.registry_settings import AllRegistrySettings
from ecr_tui.sandbox.tokens import Tokens
from ecr_tui.sandbox.trail import Trail

Clock = Callable[[], datetime]

ACCOUNT_A = "111111111111"
ACCOUNT_CI = "333333333333"
"""The company's build servers, so that a policy can name someone who is neither B nor C."""
REGION = "eu-central-1"
REPLICA_REGION = "eu-west-1"
"""Region of the demo's copy; a sandbox serves it only on request."""
PARTNERS = tuple(
    f"{number:012d}" for number in range(400_000_000_017, 400_000_000_017 + 40 * 7_919_351_003, 7_919_351_003)
)
"""Accounts that exist and may be named as principals, without users that we know."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class AwsCall:
    """One verified AWS API call, as its handler and the fault hook see it."""

    service: str
    operation: str
    params: Mapping[str, object]
    principal: Principal
    region: str
    client: str


class World:
    def __init__(self, clock: Clock, regions: tuple[str, ...]) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.regions = regions
        self.accounts = (ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, ACCOUNT_CI)
        self.directory = Directory(self.accounts, (*PARTNERS, MANAGEMENT))
        self.blobs: dict[tuple[str, str], BlobStore] = {
            (account, region): BlobStore() for account in self.accounts for region in regions
        }
        self.records = Records(self.accounts, regions)
        self.registries = AllRegistrySettings()
        self.tokens = Tokens(clock)
        self.trail = Trail(clock)
        self.authorizations = Authorizations(clock)
