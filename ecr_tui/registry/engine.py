"""Engine protocol: push a probe image to a registry and pull it, as account B.

Two implementations: ``docker_engine`` (a Docker-API daemon) and ``direct`` (the registry protocol itself).
Calls block and run on worker threads; each takes a :class:`threading.Event` that stops it within a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import NamedTuple, Protocol

from ecr_tui.errors import EcrTuiError, EnvironmentFailure
from ecr_tui.registry.probe import ProbeImage
from ecr_tui.secret import Secret


class Credentials(NamedTuple):
    """Basic credentials of a registry, from GetAuthorizationToken: the username is "AWS"."""

    username: str
    password: Secret


@dataclass(frozen=True)
class Reference:
    """An image in a registry; ``tag`` may also be a digest ("sha256:...")."""

    host: str
    repository: str
    tag: str

    @property
    def name(self) -> str:
        return f"{self.host}/{self.repository}"

    def __str__(self) -> str:
        return f"{self.name}{'@' if self.tag.startswith('sha256:') else ':'}{self.tag}"


class Progress(NamedTuple):
    """One step of a transfer. ``current`` and ``total`` are bytes, None if unknown.

    ``layer`` is a short digest or id, "" for the manifest or for the whole image.
    """

    layer: str
    status: str
    current: int | None = None
    total: int | None = None


ProgressSink = Callable[[Progress], None]


class Transfer(NamedTuple):
    """Result of a push or pull: the manifest's digest, and the transferred bytes.

    ``bytes``: of layers and, if known, of the config, compressed; None if the engine does not report them (docker
    counts a push before compression, podman counts nothing).
    """

    digest: str
    bytes: int | None
    requests: int | None = None
    """Number of HTTP requests, if the engine counts them."""
    fresh: bool = True
    """False for a pull that fetched no layer, because all were local: a weaker proof."""


class RegistryError(EcrTuiError):
    """A registry or an engine denied a request or failed. ``detail`` quotes it verbatim, without secrets.

    ``status``: the HTTP status where known. ``code``: the registry's error code ("DENIED", "NAME_UNKNOWN", ...), "".
    ``request``: the failed request, such as "HEAD blob" or "PUT manifest", "" if the engine hides it; ``action``: the
    ECR action of that request ("ecr:BatchCheckLayerAvailability"), "" if unknown.
    """

    def __init__(
        self,
        title: str,
        *,
        detail: str = "",
        hint: str = "",
        side: str = "",
        status: int | None = None,
        code: str = "",
        request: str = "",
        action: str = "",
    ) -> None:
        super().__init__(title, detail=detail, hint=hint, side=side)
        self.status = status
        self.code = code
        self.request = request
        self.action = action


class Unreachable(RegistryError, EnvironmentFailure):
    """No response, or not from a registry: network, proxy, TLS or the container engine, never permissions."""


class Engine(Protocol):
    """See the module. An engine belongs to one thread at a time; ``close`` is safe from any and idempotent."""

    name: str
    """ "docker" or "direct"."""
    description: str
    """Which engine this is, for the user: "Docker Engine 20.10.24 at unix:///run/docker.sock"."""

    def login(self, host: str, credentials: Credentials, cancel: Event) -> None:
        """Check the credentials at the registry. Success does not mean access to a repository."""

    def tag(self, image: ProbeImage, reference: Reference, cancel: Event) -> None:
        """Prepare ``image`` under ``reference`` (docker: import and tag in the daemon)."""

    def push(self, reference: Reference, credentials: Credentials, progress: ProgressSink, cancel: Event) -> Transfer:
        """Push the image prepared by :meth:`tag`. Raises :class:`RegistryError`."""

    def pull(self, reference: Reference, credentials: Credentials, progress: ProgressSink, cancel: Event) -> Transfer:
        """Fetch manifest, config and layers again (docker: the local tag is removed first) and verify every digest."""

    def remove_local(self, reference: Reference) -> None:
        """Remove local images of :meth:`tag` and :meth:`pull`; missing ones are not an error. Keeps the user's own
        images."""

    def close(self) -> None: ...
