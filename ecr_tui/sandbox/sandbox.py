"""The sandbox as one object: the AWS accounts and their registries on 127.0.0.1, from start to stop."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from ecr_tui.sandbox import profiles, seed_iam, seed_repositories
from ecr_tui.sandbox.aws_http import AwsServer
from ecr_tui.sandbox.backend import RegistryBackend
from ecr_tui.sandbox.blobs import BlobStore
from ecr_tui.sandbox.front import FaultHook, Front
from ecr_tui.sandbox.moto_app import reset_moto
from ecr_tui.sandbox.registry_app import RegistryApp, Request, Response
from ecr_tui.sandbox.registry_backend import SandboxRegistry
from ecr_tui.sandbox.registry_http import RegistryServer
from ecr_tui.sandbox.seed_replication import seed_replication
from ecr_tui.sandbox.workloads import seed_workloads
from ecr_tui.sandbox.world import ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, REGION, REPLICA_REGION, Clock, World, utc_now

DEMO_REGIONS = (REGION, REPLICA_REGION)
"""With these, one repository is seeded with a copy in the second region, and creation templates."""

RegistryFault = Callable[[str, Request], Response | None]
"""Called for every registry request with the registry's account; its result is the response."""

_running = threading.Lock()


class SandboxError(RuntimeError):
    """Two sandboxes at once in one process: moto's records belong to the process."""


class Sandbox:
    """Use as a context manager, or :meth:`start` and :meth:`stop`. Also after :meth:`stop` it can start again.

    ``clock`` (UTC, aware) may be replaced at any time; signatures, tokens and sessions go by it.
    """

    account_a = ACCOUNT_A
    account_b = ACCOUNT_B
    account_c = ACCOUNT_C
    region = REGION

    def __init__(self, clock: Clock = utc_now, regions: tuple[str, ...] = (REGION,)) -> None:
        self.clock = clock
        self.regions = regions
        self.registry_fault: RegistryFault | None = None
        self.directory: Path | None = None
        self._fault: FaultHook | None = None
        self._world: World | None = None
        self._front: Front | None = None
        self._aws: AwsServer | None = None
        self._registries: dict[tuple[str, str], RegistryServer] = {}
        self._apps: dict[tuple[str, str], RegistryApp] = {}
        self._keys: dict[tuple[str, str], seed_iam.Key] = {}
        self._many = 0
        self._mfa_code = ""

    def start(self, repositories: int = 0) -> Self:
        """Seed, with ``repositories`` more than the usual ones, and serve. Everything answers when this returns."""
        if not _running.acquire(blocking=False):
            raise SandboxError("a sandbox is already running in this process")
        try:
            self._start(repositories)
        except BaseException:
            self._release()
            raise
        return self

    def _start(self, repositories: int) -> None:
        reset_moto()
        self._many = repositories
        self._keys = seed_iam.new_keys()
        self._mfa_code = f"{secrets.randbelow(1_000_000):06d}"
        self._world = world = World(lambda: self.clock(), self.regions)
        self._front = front = Front(world, self._mfa_code)
        front.fault = self._fault
        for place in ((account, region) for account in (ACCOUNT_A, ACCOUNT_B, ACCOUNT_C) for region in self.regions):
            backend = SandboxRegistry(world, front.ecr.access, *place)
            self._apps[place] = app = _FaultyRegistry(backend, world.blobs[place], self)
            self._registries[place] = RegistryServer(app)
            world.records.hosts[place] = f"{self._registries[place].host}:{self._registries[place].port}"
        self._seed(world)
        self._aws = AwsServer(front.handle)
        front.ecr.layers.base_url = self._aws.url
        self.directory = Path(tempfile.mkdtemp(prefix="ecr-tui-sandbox-"))
        profiles.write_config(self.directory, self._profiles(self._aws.url))

    def _seed(self, world: World) -> None:
        with world.lock:
            seed_iam.seed_iam(world.directory, self._keys)
            seed_repositories.seed_repositories(world)
            seed_repositories.seed_many(world, self._many)
            seed_workloads(world, self.front.workloads)
            self.front.analyzers.reset()
            if REPLICA_REGION in self.regions:
                seed_replication(world, self.front.ecr.access)

    def reset(self) -> None:
        """Everything as it was at the start, on the same ports and with the same keys; tokens and sessions are void."""
        world = self.world
        if self._aws is not None:
            self._aws.forget_failures()
        with world.lock:
            reset_moto()
            world.records.clear()
            world.registries.clear()
            world.tokens.clear()
            world.trail.clear()
            world.authorizations.clear()
            self.front.sts.clear()
            self.front.workloads.clear()
            for place, app in self._apps.items():
                app.blobs = world.blobs[place] = BlobStore()
            self._seed(world)

    def stop(self) -> None:
        """Close the ports, remove the folder, drop the records. Idempotent."""
        if self._world is not None:
            self._release()

    def _release(self) -> None:
        try:
            if self._aws is not None:
                self._aws.stop()
            for server in self._registries.values():
                server.stop()
        finally:
            if self.directory is not None:
                shutil.rmtree(self.directory, ignore_errors=True)
            self._world = self._front = self._aws = self.directory = None
            self._registries.clear()
            self._apps.clear()
            self._keys = {}
            reset_moto()
            _running.release()

    def __enter__(self) -> Self:
        return self if self._world is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def world(self) -> World:
        """The records behind it all; take ``world.lock`` around every use."""
        if self._world is None:
            raise SandboxError("the sandbox is not running")
        return self._world

    @property
    def front(self) -> Front:
        if self._front is None:
            raise SandboxError("the sandbox is not running")
        return self._front

    @property
    def endpoint(self) -> str:
        """The URL of the AWS APIs."""
        if self._aws is None:
            raise SandboxError("the sandbox is not running")
        return self._aws.url

    @property
    def failures(self) -> list[str]:
        """Tracebacks of AWS API requests that broke the sandbox itself (none, if it is right)."""
        return [] if self._aws is None else self._aws.failures

    @property
    def mfa_code(self) -> str:
        """The code that the MFA device of profile dev-mfa shows, until the sandbox stops."""
        return self._mfa_code

    @property
    def fault(self) -> FaultHook | None:
        """Asked for every AWS call: may return an error to answer with, or raise ``aws_http.DropConnection``."""
        return self._fault

    @fault.setter
    def fault(self, hook: FaultHook | None) -> None:
        self._fault = hook
        if self._front is not None:
            self._front.fault = hook

    def registry_host(self, account: str = ACCOUNT_A, region: str = REGION) -> str:
        """ "127.0.0.1:PORT" of an account's registry."""
        return self.world.records.hosts[account, region]

    def owner_backend(self, account: str = ACCOUNT_A, region: str = REGION) -> RegistryBackend:
        """The AWS side of an account's registry, as its HTTP side uses it."""
        return self._apps[account, region].backend

    def keys(self, profile: str) -> tuple[str, str]:
        """(access key, secret) of account-a, dev-acc, no-access or partner-c."""
        key = self._keys[_PROFILE_USERS[profile]]
        return key.access_key, key.secret

    def env(self) -> dict[str, str]:
        """The environment variables that lead AWS clients and ecr-tui here."""
        if self.directory is None:
            raise SandboxError("the sandbox is not running")
        return profiles.environment(self.directory / "config", self.directory / "credentials")

    def _profiles(self, url: str) -> dict[str, dict[str, str]]:
        common = {"region": REGION, "endpoint_url": url}
        found: dict[str, dict[str, str]] = {}
        for name, user in _PROFILE_USERS.items():
            key = self._keys[user]
            found[name] = {**common, "aws_access_key_id": key.access_key, "aws_secret_access_key": key.secret}
        role = {**common, "source_profile": profiles.PROFILE_B, "role_session_name": "ecr-tui"}
        arn = f"arn:aws:iam::{ACCOUNT_B}:role/"
        found[profiles.PROFILE_ROLE] = {**role, "role_arn": arn + seed_iam.ROLE}
        found[profiles.PROFILE_MFA] = {**role, "role_arn": arn + seed_iam.MFA_ROLE, "mfa_serial": seed_iam.MFA_SERIAL}
        return found


class _FaultyRegistry(RegistryApp):
    def __init__(self, backend: RegistryBackend, blobs: BlobStore, sandbox: Sandbox) -> None:
        super().__init__(backend, blobs)
        self._sandbox = sandbox

    def handle(self, request: Request) -> Response:
        hook = self._sandbox.registry_fault
        answer = hook(self.backend.account, request) if hook is not None else None
        return super().handle(request) if answer is None else answer


_PROFILE_USERS = {
    profiles.PROFILE_A: (ACCOUNT_A, seed_iam.OWNER),
    profiles.PROFILE_B: (ACCOUNT_B, seed_iam.CONSUMER),
    profiles.PROFILE_NO_ACCESS: (ACCOUNT_B, seed_iam.NO_ACCESS),
    profiles.PROFILE_C: (ACCOUNT_C, seed_iam.PARTNER),
}
