"""Requests to one registry: credentials only to its own origin, bounded in time, counted, retried where safe."""

from __future__ import annotations

import base64
import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError, ProxyError, TimeoutError

from ecr_tui.aws import calls
from ecr_tui.registry import failures
from ecr_tui.registry.engine import Credentials, Unreachable
from ecr_tui.registry.failures import Asked
from ecr_tui.registry.running import Stopped
from ecr_tui.registry.wiring import Address, Sockets, is_loopback, make_manager, registry_at

RETRIES = 3
FIRST_PAUSE = 0.25
MAX_REDIRECTS = 5
MAX_ERROR_BODY = 64 * 1024
_RETRIED = frozenset({429, 500, 502, 503, 504})
_REFUSED_UNSEEN = frozenset({429, 503})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_PAUSE = 5.0
_CHUNK = 256 * 1024
_SIDE = "account B"
"""Engines always use account B's token (``engine``)."""
_UPLOAD = re.compile(r"/uploads/.+")
_NAME = re.compile(r"/v2/(.+?)/(?:blobs|manifests|tags)/")


class Answer:
    """A successful response; its body can be read once, by ``read`` or ``chunks``."""

    def __init__(
        self, transport: Transport, asked: Asked, address: Address, response: urllib3.BaseHTTPResponse
    ) -> None:
        self._transport = transport
        self._asked = asked
        self._address = address
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    def upload(self) -> Address:
        """The upload's address in the Location header. Raises :class:`Unreachable` if it is outside this registry."""
        location = self.headers.get("Location", "")
        if not location:
            raise self._transport.garbage(self._asked, "an upload without a Location")
        found = self._address.at(location)
        if found is None or found.origin != self._address.origin:
            raise self._transport.garbage(self._asked, "an upload Location outside the registry")
        return found

    def read(self, limit: int) -> bytes:
        data = bytearray()
        for chunk in self.chunks():
            data += chunk
            if len(data) > limit:
                raise self._transport.garbage(self._asked, f"more than {limit} bytes")
        return bytes(data)

    def chunks(self) -> Iterator[bytes]:
        """The body in chunks, without a size limit: callers stop at the expected size."""
        with self._transport.translating(self._asked):
            yield from self._response.stream(_CHUNK, decode_content=False)
            self._response.release_conn()


class Transport:
    """For one operation at a time; :meth:`abort` may be called from any thread."""

    def __init__(self, host: str, credentials: Credentials) -> None:
        self.host = host
        self.requests = 0
        """Number of HTTP requests sent, including retries and redirects."""
        self._home = registry_at(host)
        self._secret = credentials.password
        token = base64.b64encode(f"{credentials.username}:{credentials.password.reveal()}".encode()).decode()
        self._authorization = f"Basic {token}"
        self._sockets = Sockets()
        self._stopped = threading.Event()
        self._managers = {self._home.origin: make_manager(self._home, self._sockets)}
        """One per origin: the registry's, and those that it redirects to."""

    def abort(self) -> None:
        """Send no more requests and abort the current one."""
        self._stopped.set()
        self._sockets.shut()

    def close(self) -> None:
        self.abort()
        for manager in tuple(self._managers.values()):
            manager.clear()

    def unreachable(self, asked: Asked, why: str) -> Unreachable:
        return failures.unreachable(asked, why, host=self.host, secret=self._secret)

    def garbage(self, asked: Asked, what: str) -> Unreachable:
        return failures.garbage(asked, what, host=self.host, secret=self._secret)

    def ask(
        self,
        asked: Asked,
        where: str | Address,
        *,
        expect: frozenset[int],
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        repeatable: bool = True,
    ) -> Answer:
        """Send a request; the response's status is in ``expect``. Retries 5xx and 429 with backoff.

        ``where``: an absolute path at the registry, or an address from a response. ``repeatable``: may be sent again
        after a connection error, if it may have arrived. Raises :class:`RegistryError` for any other result.
        """
        address = where if isinstance(where, Address) else replace(self._home, target=where)
        broken = attempt = 0
        while True:
            try:
                with self.translating(asked):
                    answered_by, response = self._follow(asked, address, headers or {}, body)
            except _Lost:
                broken += 1
                if broken > 1 or not repeatable:
                    raise
                continue
            if response.status in expect:
                if asked.method == "HEAD":
                    response.drain_conn()
                return Answer(self, asked, answered_by, response)
            text = b""
            with self.translating(asked):
                if asked.method != "HEAD":
                    text = response.read(MAX_ERROR_BODY, decode_content=True)
                response.close()
            if attempt < RETRIES and response.status in (_RETRIED if repeatable else _REFUSED_UNSEEN):
                self._back_off(attempt, response.headers.get("Retry-After", ""))
                attempt += 1
                continue
            raise failures.from_answer(
                asked,
                response.status,
                text,
                content_type=response.headers.get("Content-Type", ""),
                host=self.host,
                secret=self._secret,
            )

    def _back_off(self, attempt: int, retry_after: str) -> None:
        seconds = FIRST_PAUSE * 2**attempt * (1 + random.random() / 2)  # noqa: S311 (jitter)
        if retry_after.isdecimal():
            seconds = min(max(seconds, float(retry_after)), _MAX_PAUSE)
        self._stopped.wait(seconds)

    def _follow(
        self, asked: Asked, address: Address, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[Address, urllib3.BaseHTTPResponse]:
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(asked, address, headers, body)
            if response.status not in _REDIRECTS or asked.method not in ("GET", "HEAD"):
                return address, response
            location = response.headers.get("Location", "")
            response.read(MAX_ERROR_BODY)
            response.close()
            target = address.at(location)
            if target is None or not _may_redirect(address, target):
                raise self.garbage(asked, "a redirect to an address without https")
            address = target
        raise self.garbage(asked, "too many redirects")

    def _send(
        self, asked: Asked, address: Address, headers: Mapping[str, str], body: bytes | None
    ) -> urllib3.BaseHTTPResponse:
        if self._stopped.is_set():
            raise Stopped
        sent = {"User-Agent": "ecr-tui", "Accept-Encoding": "identity", **headers}
        if address.origin == self._home.origin:
            sent["Authorization"] = self._authorization
        if address.origin not in self._managers:
            self._managers[address.origin] = make_manager(address, self._sockets)
        # Not manager.request, which would parse the host from a URL again.
        pool = self._managers[address.origin].connection_from_host(address.host, address.port, address.scheme)
        self.requests += 1
        started, status = time.monotonic(), 0
        try:
            response = pool.urlopen(
                asked.method, address.target, body=body, headers=sent, redirect=False, preload_content=False
            )
            status = response.status
            return response
        finally:
            self._record(asked, address, status, time.monotonic() - started)

    def _record(self, asked: Asked, address: Address, status: int, seconds: float) -> None:
        """For the session log: a redirect's target is a signed URL, so only its host is shown."""
        own = address.origin == self._home.origin
        path = _UPLOAD.sub("/uploads/UPLOAD", address.path) if own else "/"
        named = _NAME.match(address.path) if own else None
        calls.LOG.add(
            "registry",
            str(asked),
            seconds=seconds,
            status=str(status) if status >= 400 else calls.OK if status else calls.NO_ANSWER,
            ok=0 < status < 400 or (status == 404 and asked.method == "HEAD"),
            side=_SIDE,
            subject=named[1] if named else address.netloc,
            command=calls.registry_command(asked.method, f"{address.scheme}://{address.netloc}{path}"),
        )

    @contextmanager
    def translating(self, asked: Asked) -> Iterator[None]:
        """Convert the HTTP library's exceptions into this package's errors, without their frames, which contain the
        token."""
        failure: Exception | None = None
        try:
            yield
        except (HTTPError, OSError, ValueError) as raised:
            failure = self._translated(asked, raised)
        if failure is not None:
            raise failure

    def _translated(self, asked: Asked, raised: Exception) -> Exception:
        if self._stopped.is_set():
            return Stopped()
        if isinstance(raised, ProxyError):
            why = f"proxy: {raised.original_error}"
        elif isinstance(raised, NewConnectionError):
            # Its text begins with the connection object; urllib3 classifies it as a timeout.
            why = str(raised).partition(": ")[2] or str(raised)
        elif isinstance(raised, TimeoutError):
            why = f"timed out: {raised}"
        else:
            why = str(raised) or type(raised).__name__
        kind = _Lost if isinstance(raised, ProtocolError) else Unreachable
        return failures.unreachable(asked, why, host=self.host, secret=self._secret, kind=kind)


def _may_redirect(source: Address, target: Address) -> bool:
    """Whether a redirect is allowed: always to https; from http (a loopback registry only) also to http on loopback."""
    return target.scheme == "https" or (source.scheme == "http" and is_loopback(target.host))


class _Lost(Unreachable):
    """The connection ended without a response; it is unknown whether the request arrived."""
