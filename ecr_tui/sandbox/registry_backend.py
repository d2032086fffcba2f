"""The AWS side of one account's registry, as the Docker Registry V2 side asks for it."""

from __future__ import annotations

from ecr_tui.sandbox import images
from ecr_tui.sandbox.aws_errors import repository_missing
from ecr_tui.sandbox.backend import Caller, RepositoryMissing, StoredManifest
from ecr_tui.sandbox.ecr_access import RepositoryAccess, arn_of
from ecr_tui.sandbox.ecr_replication import replicate
from ecr_tui.sandbox.principals import Principal
from ecr_tui.sandbox.world import World

SOURCE = "ecr.amazonaws.com"


class SandboxRegistry:
    """Implements :class:`ecr_tui.sandbox.backend.RegistryBackend`."""

    def __init__(self, world: World, access: RepositoryAccess, account: str, region: str) -> None:
        self.account = account
        self.region = region
        self._world = world
        self._access = access

    def resolve_token(self, password: str) -> Caller:
        return self._world.tokens.resolve(password)

    def denial(self, caller: Caller, action: str, repository: str) -> str | None:
        principal = caller if isinstance(caller, Principal) else self._principal(caller)
        with self._world.lock:
            denial = self._access.denial(principal, action, self.account, self.region, repository)
            self._note(principal, action, repository, denial)
            return denial

    def _note(self, principal: Principal, action: str, repository: str, denial: str | None) -> None:
        """The request as an event of the trail: what the registry then finds in the repository is no matter of it."""
        missing = self._world.records.find(self.account, self.region, repository) is None
        code, message = ("AccessDenied", denial) if denial else ("", "")
        if missing and not denial:
            failure = repository_missing(repository, self.account)
            code, message = failure.code, failure.message
        self._world.trail.note(
            SOURCE,
            action.removeprefix("ecr:"),
            self.region,
            principal,
            params={"repositoryName": repository, "registryId": self.account},
            owner=self.account,
            arn=arn_of(self.account, self.region, repository),
            code=code,
            message=message,
        )

    def _principal(self, caller: Caller) -> Principal:
        found = self._world.directory.by_arn(caller.arn, caller.access_key)
        return found or Principal(caller.account, caller.arn, caller.access_key, iam_arn=caller.arn)

    def has_repository(self, repository: str) -> bool:
        with self._world.lock:
            return self._world.records.find(self.account, self.region, repository) is not None

    def put_manifest(self, repository: str, reference: str, media_type: str, body: bytes) -> str:
        with self._world.lock:
            record = self._world.records.find(self.account, self.region, repository)
            if record is None:
                raise RepositoryMissing(repository)
            tag = None if reference.startswith("sha256:") else reference
            digest = images.put(record, tag, media_type, body, self._world.clock())
            replicate(self._world, self._access, record, digest, tag)
            return digest

    def manifest(self, repository: str, reference: str, *, pull: bool = False) -> StoredManifest | None:
        with self._world.lock:
            record = self._world.records.find(self.account, self.region, repository)
            image = None if record is None else images.find(record, reference)
            if image is not None and pull:
                images.record_pull(image, self._world.clock())
            return None if image is None else images.stored(image)

    def tags(self, repository: str) -> list[str]:
        with self._world.lock:
            record = self._world.records.find(self.account, self.region, repository)
            return [] if record is None else images.tags(record)

    def delete_manifest(self, repository: str, reference: str) -> bool:
        with self._world.lock:
            record = self._world.records.find(self.account, self.region, repository)
            return record is not None and images.delete(record, reference) is not None
