"""The AWS side on a socket: whole requests and answers."""

from __future__ import annotations

import socket
import struct
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ecr_tui.sandbox.http_server import Handler, HttpServer

MAX_BODY = 32 * 1024 * 1024


class DropConnection(Exception):
    """Raised by the application: close the connection with a reset instead of answering."""


@dataclass(frozen=True)
class HttpRequest:
    """``target`` is path and query as sent; header names are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    client: str


@dataclass(frozen=True)
class HttpResponse:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Application = Callable[[HttpRequest], HttpResponse]


class _Handler(Handler):
    application: Application
    failures: deque[str]

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding") or not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self.answer(413 if length.isdecimal() and int(length) > MAX_BODY else 411, {})
            return
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True
            return
        request = HttpRequest(self.command, self.path, self.lower_headers(), body, self.client_address[0])
        try:
            response = type(self).application(request)
        except DropConnection:
            self._reset()
            return
        except Exception:
            self.failures.append(traceback.format_exc())
            self.close_connection = True
            response = HttpResponse(500, {"Content-Type": "application/json"}, b'{"__type":"InternalFailure"}')
        self.answer(response.status, response.headers, response.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class AwsServer(HttpServer):
    def __init__(self, application: Application) -> None:
        self._failures: deque[str] = deque(maxlen=50)
        handler = type(
            "AwsHandler", (_Handler,), {"application": staticmethod(application), "failures": self._failures}
        )
        super().__init__(handler)

    @property
    def failures(self) -> list[str]:
        """Tracebacks of requests that broke the sandbox itself; the client got a 500."""
        return list(self._failures)

    def forget_failures(self) -> None:
        self._failures.clear()
