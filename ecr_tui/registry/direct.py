"""The registry protocol without a container engine: each request is one ECR action, so each denial has its action.

A cold push is seven requests: HEAD, POST and one PUT for each of layer and config, and the manifest's PUT. Blobs go
in a single PUT, never in chunks: ECR drops every chunk after the first (aws/containers-roadmap#2831). A pull is three.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any, TypeVar
from urllib.parse import quote

from ecr_tui.errors import Cancelled, InputError
from ecr_tui.registry.engine import Credentials, Progress, ProgressSink, Reference, RegistryError, Transfer
from ecr_tui.registry.failures import Asked
from ecr_tui.registry.probe import MANIFEST_TYPE, ProbeImage, digest_of
from ecr_tui.registry.running import Overdue, Stopped, run
from ecr_tui.registry.transport import Transport

T = TypeVar("T")

SILENCE_SECONDS = 30.0
"""Maximum seconds of an operation without progress; single reads and connects have shorter limits."""

LIMIT_SECONDS = 120.0
"""Limit for a whole operation; the pushed image is a probe of 2 kB."""
PULL_SECONDS = 1800.0
"""Limit for a whole pull: the image may be the user's."""
SLOWEST = 16 * 1024
"""Minimum bytes per second of a blob download."""

MAX_MANIFEST = 4 * 1024 * 1024
MAX_LAYERS = 1000
"""Maximum layers of an image. Docker accepts 127; OCI has no limit."""
ACCEPT = ", ".join(
    (
        MANIFEST_TYPE,
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.index.v1+json",
    )
)

_DIGEST = re.compile("sha256:[0-9a-f]{64}")

_OK = frozenset({200})
_CREATED = frozenset({201})
_ACCEPTED = frozenset({202, 201})
_MAYBE = frozenset({200, 404})

_HEAD_BLOB = Asked("HEAD", "blob")
_GET_BLOB = Asked("GET", "blob")
_START = Asked("POST", "uploads")
_UPLOAD = Asked("PUT", "upload")
_PUT_MANIFEST = Asked("PUT", "manifest")
_GET_MANIFEST = Asked("GET", "manifest")
_GET_ROOT = Asked("GET", "/v2/")


class DirectEngine:
    """An :class:`~ecr_tui.registry.engine.Engine` that needs no daemon and leaves nothing on this machine."""

    name = "direct"

    def __init__(self, description: str = "direct (registry protocol, no container engine)") -> None:
        self.description = description
        self._images: dict[Reference, ProbeImage] = {}
        self._connected: tuple[str, Credentials, Transport] | None = None

    def login(self, host: str, credentials: Credentials, cancel: Event) -> None:
        """GET /v2/, one request: checks that the registry accepts the token, not access to a repository."""
        self._run(host, credentials, cancel, lambda transport, _: _login(transport))

    def tag(self, image: ProbeImage, reference: Reference, cancel: Event) -> None:
        self._images[reference] = image

    def push(self, reference: Reference, credentials: Credentials, progress: ProgressSink, cancel: Event) -> Transfer:
        image = self._images.get(reference)
        if image is None:
            raise InputError(f"no image prepared for {reference}")
        return self._run(
            reference.host,
            credentials,
            cancel,
            lambda transport, tell: _push(transport, reference, image, tell),
            progress,
        )

    def pull(self, reference: Reference, credentials: Credentials, progress: ProgressSink, cancel: Event) -> Transfer:
        return self._run(
            reference.host,
            credentials,
            cancel,
            lambda transport, tell: _pull(transport, reference, tell),
            progress,
            PULL_SECONDS,
        )

    def remove_local(self, reference: Reference) -> None:
        self._images.pop(reference, None)

    def close(self) -> None:
        self._disconnect()
        self._images.clear()

    def _run(
        self,
        host: str,
        credentials: Credentials,
        cancel: Event,
        work: Callable[[Transport, ProgressSink], T],
        progress: ProgressSink = lambda _: None,
        limit: float | None = None,
    ) -> T:
        transport = self._connect(host, credentials)
        transport.requests = 0
        try:
            return _run(transport, cancel, lambda tell: work(transport, tell), progress, limit)
        except BaseException:
            self._disconnect()
            raise

    def _connect(self, host: str, credentials: Credentials) -> Transport:
        """One keep-alive connection for login, push and pull."""
        if self._connected and self._connected[:2] == (host, credentials):
            return self._connected[2]
        self._disconnect()
        transport = Transport(host, credentials)
        self._connected = (host, credentials, transport)
        return transport

    def _disconnect(self) -> None:
        connected, self._connected = self._connected, None
        if connected:
            connected[2].close()


class DirectClient:
    """Read-only checks of a repository through the registry protocol."""

    def check(
        self, host: str, repository: str, credentials: Credentials, cancel: Event | None = None
    ) -> dict[str, str]:
        """Per ECR action "allowed", "denied" or "unknown", from read requests for missing objects.

        GET of a random tag needs BatchGetImage (GET, because its denial has a text), HEAD of a random digest
        BatchCheckLayerAvailability: "not found" means that it was authorized. A missing repository, an expired token
        and a failing registry are "unknown". Raises :class:`RegistryError` if the registry is unreachable.
        """
        transport = Transport(host, credentials)
        try:
            return _run(transport, cancel or Event(), lambda _: _check(transport, repository))
        finally:
            transport.close()


def _run(
    transport: Transport,
    cancel: Event,
    work: Callable[[ProgressSink], T],
    progress: ProgressSink = lambda _: None,
    limit: float | None = None,
) -> T:
    try:
        return run(
            work,
            cancel=cancel,
            abort=transport.abort,
            on_event=progress,
            silence=SILENCE_SECONDS,
            limit=LIMIT_SECONDS if limit is None else limit,
        )
    except Overdue as overdue:
        raise transport.unreachable(Asked("", "transfer"), str(overdue)) from None
    except Stopped:
        # The engine was closed during the operation.
        raise Cancelled from None


def _login(transport: Transport) -> None:
    transport.ask(_GET_ROOT, "/v2/", expect=_OK).read(MAX_MANIFEST)


def _push(transport: Transport, reference: Reference, image: ProbeImage, tell: ProgressSink) -> Transfer:
    sent = 0
    for blob in (image.layer, image.config):
        sent += _push_blob(transport, reference.repository, blob, tell)
    tell(Progress("", "Pushing manifest", 0, len(image.manifest)))
    answer = transport.ask(
        _PUT_MANIFEST,
        _manifest_path(reference.repository, reference.tag),
        expect=_CREATED,
        headers={"Content-Type": MANIFEST_TYPE},
        body=image.manifest,
    )
    answer.read(MAX_MANIFEST)
    told = answer.headers.get("Docker-Content-Digest") or image.digest
    if told != image.digest:
        raise transport.unreachable(_PUT_MANIFEST, f"digest mismatch: pushed {image.digest}, stored as {told}")
    tell(Progress("", "Pushed", len(image.manifest), len(image.manifest)))
    return Transfer(image.digest, sent, transport.requests)


def _push_blob(transport: Transport, repository: str, blob: bytes, tell: ProgressSink) -> int:
    digest, size = digest_of(blob), len(blob)
    layer = _short(digest)
    tell(Progress(layer, "Checking", None, size))
    if transport.ask(_HEAD_BLOB, _blob_path(repository, digest), expect=_MAYBE).status == 200:
        tell(Progress(layer, "Layer already exists", size, size))
        return 0
    tell(Progress(layer, "Pushing", 0, size))
    started = transport.ask(_START, f"/v2/{quote(repository)}/blobs/uploads/", expect=_ACCEPTED, body=b"")
    started.read(MAX_MANIFEST)
    upload = started.upload()
    separator = "&" if "?" in upload.target else "?"
    done = transport.ask(
        _UPLOAD,
        replace(upload, target=f"{upload.target}{separator}digest={quote(digest, safe='')}"),
        expect=_CREATED,
        headers={"Content-Type": "application/octet-stream"},
        body=blob,
        repeatable=False,
    )
    done.read(MAX_MANIFEST)
    tell(Progress(layer, "Pushed", size, size))
    return size


def _pull(transport: Transport, reference: Reference, tell: ProgressSink) -> Transfer:
    repository = reference.repository
    manifest, digest = _get_manifest(transport, repository, reference.tag, tell)
    if "manifests" in manifest:
        children = _descriptors(transport, manifest, "manifests")
        if not children:
            raise transport.garbage(_GET_MANIFEST, "an index without images")
        manifest, _ = _get_manifest(transport, repository, next(iter(children)), tell)
    if not isinstance(manifest.get("config"), dict):
        raise transport.garbage(_GET_MANIFEST, "a manifest without a config")
    manifest["config"] = [manifest["config"]]
    received = 0
    blobs = _descriptors(transport, manifest, "config") | _descriptors(transport, manifest, "layers")
    for blob, size in blobs.items():
        received += _pull_blob(transport, repository, blob, size, tell)
    tell(Progress("", "Pulled", received, received))
    return Transfer(digest, received, transport.requests)


def _get_manifest(transport: Transport, repository: str, tag: str, tell: ProgressSink) -> tuple[dict[str, Any], str]:
    tell(Progress("", "Pulling manifest"))
    answer = transport.ask(_GET_MANIFEST, _manifest_path(repository, tag), expect=_OK, headers={"Accept": ACCEPT})
    body = answer.read(MAX_MANIFEST)
    digest = digest_of(body)
    for expected in (tag if tag.startswith("sha256:") else "", answer.headers.get("Docker-Content-Digest", "")):
        if expected.startswith("sha256:") and expected != digest:
            raise transport.unreachable(_GET_MANIFEST, f"digest mismatch: asked for {expected}, got {digest}")
    try:
        manifest = json.loads(body)
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("schemaVersion") != 2:
        raise transport.garbage(_GET_MANIFEST, "not a manifest of schema version 2")
    return manifest, digest


def _pull_blob(transport: Transport, repository: str, digest: str, size: int, tell: ProgressSink) -> int:
    layer = _short(digest)
    tell(Progress(layer, "Downloading", 0, size))
    hasher = hashlib.sha256()
    received = 0
    deadline = time.monotonic() + SILENCE_SECONDS + size / SLOWEST
    for chunk in transport.ask(_GET_BLOB, _blob_path(repository, digest), expect=_OK).chunks():
        hasher.update(chunk)
        received += len(chunk)
        if received > size:
            raise transport.garbage(_GET_BLOB, f"more than the {size:,} bytes of {digest} that the manifest declares")
        if time.monotonic() > deadline:
            raise transport.unreachable(_GET_BLOB, f"timed out: {received:,} of {size:,} bytes of {digest}")
        tell(Progress(layer, "Downloading", received, size))
    arrived = f"sha256:{hasher.hexdigest()}"
    if arrived != digest:
        raise transport.unreachable(_GET_BLOB, f"digest mismatch: asked for {digest}, got {arrived}")
    tell(Progress(layer, "Pull complete", received, size))
    return received


def _descriptors(transport: Transport, manifest: dict[str, Any], key: str) -> dict[str, int]:
    """The size by digest of each descriptor stored in the registry, in order."""
    found: dict[str, int] = {}
    entries = manifest.get(key)
    for entry in entries if isinstance(entries, list) else [None]:
        entry = entry if isinstance(entry, dict) else {}
        digest, size = str(entry.get("digest", "")), entry.get("size")
        if not _DIGEST.fullmatch(digest) or not isinstance(size, int) or size < 0:
            raise transport.garbage(_GET_MANIFEST, f"a manifest whose {key} are not descriptors")
        if not entry.get("urls"):
            found[digest] = size
    if len(found) > MAX_LAYERS:
        raise transport.garbage(_GET_MANIFEST, f"a manifest with {len(found):,} {key}, more than {MAX_LAYERS:,}")
    return found


def _check(transport: Transport, repository: str) -> dict[str, str]:
    nowhere = f"ecr-tui-absent-{secrets.token_hex(8)}"
    image = _probe(transport, _GET_MANIFEST, _manifest_path(repository, nowhere), headers={"Accept": ACCEPT})
    layer = _probe(transport, _HEAD_BLOB, _blob_path(repository, digest_of(nowhere.encode())))
    if image == "unknown":
        # The cause of an inconclusive first answer (an expired token, no repository) also applies to the second, which
        # has no text.
        layer = "unknown"
    return {_GET_MANIFEST.action: image, _HEAD_BLOB.action: layer}


def _probe(transport: Transport, asked: Asked, path: str, headers: dict[str, str] | None = None) -> str:
    try:
        transport.ask(asked, path, expect=_OK, headers=headers).read(MAX_MANIFEST)
    except RegistryError as error:
        if error.status is None:
            raise
        if error.status == 404 and error.code in ("", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN"):
            return "allowed"
        if error.status == 403 and "expired" not in error.detail.lower():
            return "denied"
        return "unknown"
    return "allowed"


def _manifest_path(repository: str, reference: str) -> str:
    return f"/v2/{quote(repository)}/manifests/{quote(reference, safe=':')}"


def _blob_path(repository: str, digest: str) -> str:
    return f"/v2/{quote(repository)}/blobs/{digest}"


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
