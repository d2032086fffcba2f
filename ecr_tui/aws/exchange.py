"""HTTP exchange with limits on total time and size: botocore limits only single socket reads.

A handler of botocore's "before-send" event may return the response. It uses botocore's HTTP client, so that proxies,
certificates and errors behave the same, but reads the body here.
"""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ecr_tui.errors import EnvironmentFailure

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.httpsession import URLLib3Session

ANSWER_SECONDS = 20.0
"""Limit for a whole response. A page of 1,000 repositories has 0.4 MB."""
MAX_ANSWER = 32 * 1024 * 1024
"""Bytes. The largest AWS responses are pages of repositories and policy documents."""
_CHUNK = 64 * 1024


class Exchange:
    """A "before-send" handler for the clients of one botocore session. Thread-safe.

    ``make`` creates botocore's HTTP client for given proxies. Raises that client's exceptions, and EnvironmentFailure
    for an endless response, which must not be retried.
    """

    def __init__(self, make: Callable[[dict[str, str]], URLLib3Session], side: str) -> None:
        self._make = make
        self._side = side
        self._lock = threading.Lock()
        self._clients: dict[tuple[tuple[str, str], ...], URLLib3Session] = {}

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        from botocore.awsrequest import AWSResponse
        from botocore.exceptions import ConnectionClosedError, HTTPClientError, ReadTimeoutError

        client = self._client(request.url)
        # Not read by the client, which has no size limit.
        request.stream_output = True
        with _guarded(ANSWER_SECONDS) as guard:
            failure: Exception | None = None
            try:
                answer = client.send(request)
                body = self._body(answer.raw, request.url)
            except Exception as error:
                failure = error
        if guard.overdue:
            # Check regardless of the data: a connection closed on timeout looks like a complete response.
            late = f"the response was incomplete after {ANSWER_SECONDS:g} s"
            raise ReadTimeoutError(endpoint_url=request.url, error=late)
        if isinstance(failure, HTTPClientError | EnvironmentFailure):
            raise failure
        if failure is not None and "timed out" in str(failure):
            raise ReadTimeoutError(endpoint_url=request.url, error=failure)
        if failure is not None:
            raise ConnectionClosedError(endpoint_url=request.url, error=failure, request=request)
        return AWSResponse(answer.url, answer.status_code, answer.headers, _Body(body))  # type: ignore[arg-type]

    def _client(self, url: str) -> URLLib3Session:
        from botocore.utils import get_environ_proxies

        proxies = get_environ_proxies(url)
        key = tuple(sorted(proxies.items()))
        with self._lock:
            if key not in self._clients:
                _watch_connections()
                self._clients[key] = self._make(proxies)
            return self._clients[key]

    def _body(self, raw: Any, url: str) -> bytes:
        data = bytearray()
        for chunk in raw.stream(_CHUNK):
            data += chunk
            if len(data) > MAX_ANSWER:
                raw.close()
                raise EnvironmentFailure(
                    f"the response from {url} is too long for AWS",
                    detail=f"Stopped after {len(data):,} bytes.",
                    hint="Check endpoint_url. A proxy or another program may have answered.",
                    side=self._side,
                )
        return bytes(data)


class _Body(io.BytesIO):
    """The interface that botocore needs of a raw response."""

    def stream(self, amount: int = _CHUNK) -> Iterator[bytes]:
        yield self.getvalue()


def certificates(ca_bundle: Any) -> Any:
    """botocore's CA bundle for TLS: the session's setting, then REQUESTS_CA_BUNDLE, else its default (True)."""
    return ca_bundle if ca_bundle is not None else os.environ.get("REQUESTS_CA_BUNDLE", True)


# -- sockets closed on timeout --------------------------------------------------------------------


class _Guard:
    def __init__(self) -> None:
        self.overdue = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    def add(self, one: socket.socket | None) -> None:
        with self._lock:
            if one is not None:
                self._sockets.append(one)
        if self.overdue:
            self.shut()

    def shut(self) -> None:
        self.overdue = True
        with self._lock:
            for one in self._sockets:
                try:
                    # Also for TLS sockets, whose own shutdown would wait for the peer.
                    socket.socket.shutdown(one, socket.SHUT_RDWR)
                except OSError:
                    continue

    def let_go(self) -> None:
        """The connection returns to its pool and may be reused."""
        with self._lock:
            self._sockets.clear()


_present = threading.local()


@contextmanager
def _guarded(seconds: float) -> Iterator[_Guard]:
    guard = _present.guard = _Guard()
    timer = threading.Timer(seconds, guard.shut)
    timer.daemon = True
    timer.start()
    try:
        yield guard
    finally:
        _present.guard = None
        timer.cancel()
        guard.let_go()


def _guard_socket(one: socket.socket | None) -> None:
    guard: _Guard | None = getattr(_present, "guard", None)
    if guard is not None:
        guard.add(one)


def _watch_connections() -> None:
    """Make botocore's pools create connections that register their socket with the using thread's guard.

    ``ConnectionCls`` is urllib3's way to replace a pool's connections; without a guard they behave as before.
    """
    from botocore import awsrequest

    pools: tuple[Any, ...] = (awsrequest.AWSHTTPConnectionPool, awsrequest.AWSHTTPSConnectionPool)
    for pool in pools:
        if not issubclass(pool.ConnectionCls, _Named):
            pool.ConnectionCls = type(f"Named{pool.ConnectionCls.__name__}", (_Named, pool.ConnectionCls), {})


class _Named:
    sock: socket.socket | None

    def request(self, *given: Any, **named: Any) -> Any:
        # A reused connection has its socket already; a new one opens it in this call.
        _guard_socket(self.sock)
        return super().request(*given, **named)  # type: ignore[misc]

    def getresponse(self, *given: Any, **named: Any) -> Any:
        _guard_socket(self.sock)
        return super().getresponse(*given, **named)  # type: ignore[misc]
