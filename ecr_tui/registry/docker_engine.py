"""A Docker-API daemon as an engine: Docker Engine, Docker Desktop, Podman's service.

Credentials are passed per call in ``auth_config``, so the user's config.json and credential helpers are neither read
nor written. The SDK does not raise for a failed push or pull: errors are in the event stream.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from threading import Event
from typing import Any, TypeVar

import urllib3
from docker.errors import APIError, DockerException, NotFound

from ecr_tui.aws import calls
from ecr_tui.errors import Cancelled, EnvironmentFailure
from ecr_tui.registry import failures
from ecr_tui.registry.docker_endpoints import PING_SECONDS, Answering, find_engine
from ecr_tui.registry.engine import Credentials, Progress, ProgressSink, Reference, RegistryError, Transfer, Unreachable
from ecr_tui.registry.probe import ProbeImage, is_probe_tag
from ecr_tui.registry.running import Overdue, Silent, Stopped, run
from ecr_tui.registry.wiring import is_loopback
from ecr_tui.secret import Secret

T = TypeVar("T")

SILENCE_SECONDS = 30.0
"""Maximum seconds without an event before the daemon (or its registry) counts as unreachable."""

LIMIT_SECONDS = 1800.0
"""Limit for a whole operation, regardless of events."""

CLEANUP_SECONDS = 10.0

_NO_SECRET = Secret("")
_SIDE = "account B"
_FETCHED = ("Downloading", "Download complete", "Extracting", "Pull complete")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_RETRYING = re.compile(r"retrying in (\d+) second", re.IGNORECASE)
_CONNECTION_TROUBLE = (OSError, urllib3.exceptions.HTTPError, DockerException, ValueError, AttributeError)
"""Exceptions of the SDK if a daemon dies, stalls or sends invalid data; errors of requests are OSErrors."""


class DockerEngine:
    """An :class:`~ecr_tui.registry.engine.Engine` on one daemon."""

    name = "docker"

    def __init__(self, answering: Answering) -> None:
        self._api = answering.api
        self._sockets = answering.sockets
        self.description = f"{answering.product} at {answering.endpoint.url}"
        self.reaches_loopback = answering.reaches_loopback
        """Whether a plain-http registry on loopback is probably usable."""
        self._podman = answering.product.startswith("Podman")
        self._loaded: dict[Reference, str] = {}
        self._pulled: set[Reference] = set()
        self._closed = False

    @classmethod
    def connect(cls, timeout: float = PING_SECONDS) -> DockerEngine:
        """The engine from DOCKER_HOST, the docker context or a usual socket. Raises EnvironmentFailure."""
        return cls(find_engine(timeout))

    def login(self, host: str, credentials: Credentials, cancel: Event) -> None:
        """The daemon's /auth, which requests /v2/ from the registry. Stores nothing."""

        def work(_: ProgressSink) -> None:
            # Otherwise the SDK reads the user's logins and runs credential helpers; an empty file prevents that.
            with tempfile.NamedTemporaryFile(prefix="ecr-tui-", suffix=".json") as empty:
                empty.write(b"{}")
                empty.flush()
                self._api.login(
                    credentials.username,
                    credentials.password.reveal(),
                    registry=self._login_host(host),
                    reauth=True,
                    dockercfg_path=empty.name,
                )

        self._run(work, cancel, "login", secret=credentials.password, host=host)

    def _login_host(self, host: str) -> str:
        """Podman's /auth requires TLS regardless of configuration, except for a registry named localhost."""
        if self._podman and is_loopback(host):
            return f"localhost:{host.rpartition(':')[2]}"
        return host

    def tag(self, image: ProbeImage, reference: Reference, cancel: Event) -> None:
        """Load the image under its name, in one call."""

        def work(_: ProgressSink) -> None:
            for event in self._api.load_image(image.docker_archive(str(reference))):  # type: ignore[no-untyped-call]
                _raise_error(event, _NO_SECRET, "tag", reference.host)

        self._loaded[reference] = image.image_id
        self._run(work, cancel, "tag", host=reference.host, subject=str(reference))

    def push(self, reference: Reference, credentials: Credentials, progress: ProgressSink, cancel: Event) -> Transfer:
        return self._transfer("push", self._api.push, reference, credentials, progress, cancel)

    def pull(self, reference: Reference, credentials: Credentials, progress: ProgressSink, cancel: Event) -> Transfer:
        """Remove the local image first; otherwise nothing would be downloaded.

        Raises EnvironmentFailure if this machine has an image of that name that is not a probe, because it is the
        user's.
        """
        if reference in self._loaded or is_probe_tag(reference.tag):
            self._remove(reference, self._loaded.get(reference))
        elif self._has(reference, cancel):
            raise EnvironmentFailure(
                f"{reference} already exists on this machine, so a pull would prove nothing",
                hint="Remove the local image, or verify with --engine direct, which ignores local images.",
                side="docker",
            )
        else:
            self._pulled.add(reference)
        return self._transfer("pull", self._api.pull, reference, credentials, progress, cancel)

    def remove_local(self, reference: Reference) -> None:
        """Remove images from :meth:`tag` and :meth:`pull`, and images with a probe's tag; others are the user's."""
        image_id = self._loaded.pop(reference, None)
        if image_id is not None or reference in self._pulled or is_probe_tag(reference.tag):
            self._pulled.discard(reference)
            self._remove(reference, image_id)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._sockets.shut()
        self._api.close()

    def _remove(self, reference: Reference, image_id: str | None) -> None:
        def work(_: ProgressSink) -> None:
            with contextlib.suppress(NotFound):
                self._api.remove_image(str(reference))
                return
            # It may still exist by id without the name, after a failed load or an interrupted pull.
            if image_id is not None:
                with contextlib.suppress(NotFound):
                    self._api.remove_image(image_id, force=True)

        self._run(work, Event(), "cleanup", host=reference.host, subject=str(reference), silence=CLEANUP_SECONDS)

    def _has(self, reference: Reference, cancel: Event) -> bool:
        def work(_: ProgressSink) -> bool:
            try:
                self._api.inspect_image(str(reference))  # type: ignore[no-untyped-call]
            except NotFound:
                return False
            return True

        return self._run(work, cancel, "pull", host=reference.host, subject=str(reference), called="inspect")

    def _transfer(
        self,
        stage: str,
        call: Callable[..., Iterable[dict[str, Any]]],
        reference: Reference,
        credentials: Credentials,
        progress: ProgressSink,
        cancel: Event,
    ) -> Transfer:
        account = _Account(stage, reference, credentials.password, progress)

        def work(tell: Callable[[dict[str, Any]], None]) -> None:
            auth = {"username": credentials.username, "password": credentials.password.reveal()}
            for event in call(reference.name, tag=reference.tag, stream=True, decode=True, auth_config=auth):
                tell(event)

        self._run(
            work,
            cancel,
            stage,
            on_event=account.hear,
            secret=credentials.password,
            host=reference.host,
            subject=str(reference),
        )
        if stage == "pull" and self._podman and not account.digest:
            account.digest = self._stored_digest(reference, cancel)
        return account.transfer()

    def _stored_digest(self, reference: Reference, cancel: Event) -> str:
        """The digest of the pulled manifest, which Podman's events lack."""

        def work(_: ProgressSink) -> str:
            found = self._api.inspect_image(str(reference))  # type: ignore[no-untyped-call]
            names = [str(one).partition("@") for one in found.get("RepoDigests") or ()]
            return next((digest for name, _, digest in names if name == reference.name), "")

        return self._run(work, cancel, "pull", host=reference.host, subject=str(reference), called="inspect")

    def _run(
        self,
        work: Callable[[Callable[[Any], None]], T],
        cancel: Event,
        stage: str,
        *,
        on_event: Callable[[Any], None] = lambda _: None,
        secret: Secret = _NO_SECRET,
        host: str = "",
        subject: str = "",
        called: str = "",
        silence: float | None = None,
    ) -> T:
        failure: RegistryError | Cancelled
        started, ended = time.monotonic(), calls.NO_ANSWER
        try:
            done = run(
                work,
                cancel=cancel,
                abort=self._sockets.shut,
                on_event=on_event,
                silence=SILENCE_SECONDS if silence is None else silence,
                limit=LIMIT_SECONDS,
            )
            ended = calls.OK
            return done
        except Silent as silent:
            failure = _gone(f"sent nothing for {silent.seconds:g} s ({stage})", secret, host)
        except Overdue as overdue:
            failure = _gone(f"was {overdue} ({stage})", secret, host)
        except APIError as refused:
            words, ended = str(refused.explanation or refused), str(refused.status_code or "refused")
            failure = failures.from_words(words, secret=secret, stage=stage, host=host)
        except Stopped:
            failure, ended = Cancelled(), "stopped"
        except _CONNECTION_TROUBLE as trouble:
            failure = Cancelled() if self._closed else _gone(f"disconnected ({stage}): {trouble}", secret, host)
        except RegistryError as refused_later:
            ended = refused_later.code or str(refused_later.status or "refused")
            raise
        finally:
            calls.LOG.add(
                "docker",
                called or stage,
                seconds=time.monotonic() - started,
                status=ended,
                side=_SIDE,
                subject=subject or host,
                command=calls.docker_command(called or stage, subject or host),
            )
        # Raised outside the handlers, because the SDK's frames contain the password.
        raise failure


class _Account:
    """Collects the events of one transfer and derives its result."""

    def __init__(self, stage: str, reference: Reference, secret: Secret, progress: ProgressSink) -> None:
        self._stage = stage
        self._reference = reference
        self._secret = secret
        self._progress = progress
        self.digest = ""
        self._bytes: dict[str, int] = {}
        self._fetched: set[str] = set()
        self._countdown: dict[str, int] = {}

    def hear(self, event: Mapping[str, Any]) -> None:
        _raise_error(event, self._secret, self._stage, self._reference.host)
        aux = event.get("aux")
        if isinstance(aux, Mapping) and _DIGEST.fullmatch(str(aux.get("Digest", ""))):
            self.digest = str(aux["Digest"])
        status = str(event.get("status") or event.get("stream") or "").strip()
        layer = str(event.get("id") or "")
        self._refuse_endless_retries(layer, status)
        found = _DIGEST.search(status) if "digest:" in status.lower() else None
        if found and not self.digest:
            self.digest = found[0]
        detail = event.get("progressDetail") or {}
        current, total = _count(detail.get("current")), _count(detail.get("total"))
        # Docker may drop events of a small layer; extraction is counted in compressed bytes, too.
        if current is not None and status in ("Downloading", "Extracting"):
            self._bytes[layer] = max(self._bytes.get(layer, 0), current)
        if layer and status in _FETCHED:
            self._fetched.add(layer)
        if status and layer != self._reference.tag:
            # Docker's total has another unit than its progress: cap at the total.
            total = max(total, current) if total is not None and current is not None else total
            self._progress(Progress(layer, status, current, total))
        elif status:
            self._progress(Progress("", status))

    def transfer(self) -> Transfer:
        if not self.digest:
            raise _gone(f"ended the {self._stage} without a result", self._secret, self._reference.host)
        if self._stage == "push":
            # Docker counts layers before compression.
            return Transfer(self.digest, None)
        whole = self._fetched <= self._bytes.keys()
        return Transfer(self.digest, sum(self._bytes.values()) if whole else None, fresh=bool(self._fetched))

    def _refuse_endless_retries(self, layer: str, status: str) -> None:
        """Docker retries a failed upload for more than a minute and hides the reason; stop after one retry."""
        match = _RETRYING.search(status)
        if match is None:
            return
        seconds, before = int(match[1]), self._countdown.get(layer)
        if before is not None and seconds > before:
            raise failures.from_words(
                f"The upload of layer {layer} failed twice, and the engine gives no reason: {status}",
                secret=self._secret,
                stage=self._stage,
                host=self._reference.host,
            )
        self._countdown[layer] = seconds


def _raise_error(event: Mapping[str, Any], secret: Secret, stage: str, host: str) -> None:
    detail = event.get("errorDetail")
    message = detail.get("message") if isinstance(detail, Mapping) else None
    message = message or event.get("error")
    if message:
        raise failures.from_words(str(message), secret=secret, stage=stage, host=host)


def _gone(what: str, secret: Secret, host: str) -> Unreachable:
    return failures.engine_gone(f"the Docker engine {what}", secret=secret, host=host)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
