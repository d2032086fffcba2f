"""A small HTTP/1.1 server for the AWS side: keep-alive, one daemon thread a connection, loopback only, silent."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

LOOPBACK = "127.0.0.1"
MAX_BODY = 32 * 1024 * 1024
_IDLE_SECONDS = 120.0


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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = _IDLE_SECONDS
    server: _Server

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding") or not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self._answer(HttpResponse(413 if length.isdecimal() and int(length) > MAX_BODY else 411))
            return
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = HttpRequest(self.command, self.path, headers, body, self.client_address[0])
        try:
            response = self.server.application(request)
        except DropConnection:
            self._reset()
            return
        except Exception:
            self.server.failures.append(traceback.format_exc())
            self.close_connection = True
            response = HttpResponse(500, {"Content-Type": "application/json"}, b'{"__type":"InternalFailure"}')
        self._answer(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def handle_expect_100(self) -> bool:
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def _answer(self, response: HttpResponse) -> None:
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string())
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """The terminal belongs to the interface."""


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, application: Application) -> None:
        self.application = application
        self.failures: deque[str] = deque(maxlen=50)
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__((LOOPBACK, 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news; the terminal belongs to the interface."""


class AwsServer:
    """Serves ``application`` on a free loopback port from construction until :meth:`stop` (idempotent)."""

    def __init__(self, application: Application) -> None:
        self._server = _Server(application)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="sandbox-aws", daemon=True)
        self._thread.start()
        self._stopped = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def failures(self) -> list[str]:
        """Tracebacks of requests that broke the sandbox itself; the client got a 500."""
        return list(self._server.failures)

    def forget_failures(self) -> None:
        self._server.failures.clear()

    def stop(self) -> None:
        if not self._stopped.acquire(blocking=False):
            return
        stopper = threading.Thread(target=self._server.shutdown, daemon=True)
        stopper.start()
        # The loop looks at its flag when something arrives, else only every half second.
        with contextlib.suppress(OSError):
            socket.create_connection((LOOPBACK, self.port), timeout=1).close()
        stopper.join(5)
        self._server.server_close()
        self._server.hang_up()
        self._thread.join(5)
