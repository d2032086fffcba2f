"""An in-memory :class:`RegistryBackend`: the AWS side of the sandbox reduced to what a registry test controls."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable

from ecr_tui.sandbox.backend import Caller, RepositoryMissing, StoredManifest, TagImmutable, TokenRejected
from ecr_tui.sandbox.blobs import BlobStore
from ecr_tui.sandbox.registry_app import RegistryApp, Request, Response
from ecr_tui.sandbox.registry_http import RegistryServer

ACCOUNT = "111111111111"
CALLER = Caller("222222222222", "arn:aws:iam::222222222222:user/devusr2", "AKIAEXAMPLE")
TOKEN = "a-valid-token"
EXPIRED = "an-expired-token"


def denial_text(action: str, repository: str, side: str = "resource") -> str:
    return (
        f"User: {CALLER.arn} is not authorized to perform: {action} on resource: "
        f"arn:aws:ecr:eu-central-1:{ACCOUNT}:repository/{repository} "
        f"because no {side}-based policy allows the {action} action"
    )


class InMemoryBackend:
    """``deny`` holds (action, repository) pairs, "*" as either; ``asked`` records every decision asked for."""

    account = ACCOUNT
    region = "eu-central-1"

    def __init__(self, repositories: Iterable[str] = ("my-first-repo",), immutable: Iterable[str] = ()) -> None:
        self.repositories: dict[str, dict[str, StoredManifest]] = {name: {} for name in repositories}
        self.tagged: dict[str, dict[str, str]] = {name: {} for name in self.repositories}
        self.immutable = set(immutable)
        self.deny: set[tuple[str, str]] = set()
        self.denial_side = "resource"
        self.tokens = {TOKEN: CALLER}
        self.expired = {EXPIRED}
        self.asked: list[tuple[str, str]] = []
        self._lock = threading.RLock()

    def resolve_token(self, password: str) -> Caller:
        if password in self.expired:
            raise TokenRejected(expired=True)
        if password not in self.tokens:
            raise TokenRejected(expired=False)
        return self.tokens[password]

    def denial(self, caller: Caller, action: str, repository: str) -> str | None:
        self.asked.append((action, repository))
        if self.deny & {(action, repository), (action, "*"), ("*", repository), ("*", "*")}:
            return denial_text(action, repository, self.denial_side)
        return None

    def has_repository(self, repository: str) -> bool:
        return repository in self.repositories

    def put_manifest(self, repository: str, reference: str, media_type: str, body: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        with self._lock:
            if repository not in self.repositories:
                raise RepositoryMissing(repository)
            if not reference.startswith("sha256:"):
                if repository in self.immutable and reference in self.tagged[repository]:
                    raise TagImmutable(reference)
                self.tagged[repository][reference] = digest
            self.repositories[repository][digest] = StoredManifest(digest, media_type, body)
        return digest

    def manifest(self, repository: str, reference: str, *, pull: bool = False) -> StoredManifest | None:
        with self._lock:
            digest = self.tagged.get(repository, {}).get(reference, reference)
            return self.repositories.get(repository, {}).get(digest)

    def tags(self, repository: str) -> list[str]:
        return sorted(self.tagged.get(repository, {}))

    def delete_manifest(self, repository: str, reference: str) -> bool:
        with self._lock:
            tagged = self.tagged.get(repository, {})
            digest = tagged.pop(reference, reference)
            if reference == digest:
                for tag in [tag for tag, one in tagged.items() if one == digest]:
                    del tagged[tag]
            elif digest in tagged.values():
                return True
            return self.repositories.get(repository, {}).pop(digest, None) is not None


class _Recorded(RegistryApp):
    def __init__(self, backend: InMemoryBackend, blobs: BlobStore) -> None:
        super().__init__(backend, blobs)
        self.seen: list[Request] = []
        self.hook: Callable[[Request], Response | None] = lambda _: None

    def handle(self, request: Request) -> Response:
        self.seen.append(request)
        return self.hook(request) or super().handle(request)


class Registry:
    """A served registry with its parts at hand. ``hook`` may answer a request in the registry's place."""

    def __init__(self, backend: InMemoryBackend, blobs: BlobStore | None = None) -> None:
        self.backend = backend
        self.blobs = blobs or BlobStore()
        self.app = _Recorded(backend, self.blobs)
        self.server = RegistryServer(self.app)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    @property
    def seen(self) -> list[str]:
        """Methods and kinds of the requests so far, such as "HEAD blob"."""
        kinds = ("/blobs/uploads", "/blobs/", "/manifests/", "/tags/")
        return [
            f"{one.method} {next((kind.strip('/') for kind in kinds if kind in one.target), 'base')}"
            for one in self.app.seen
        ]

    def answer(self, part: str, *responses: Response | None) -> None:
        """Answer the requests whose "METHOD target" contains ``part`` with these, in turn; then as ever."""
        left = list(responses)
        before = self.app.hook

        def hook(request: Request) -> Response | None:
            if part in f"{request.method} {request.target}" and left:
                return left.pop(0)
            return before(request)

        self.app.hook = hook

    def close(self) -> None:
        self.server.stop()
