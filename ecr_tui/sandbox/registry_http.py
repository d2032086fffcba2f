"""The registry on a socket: HTTP/1.1 with keep-alive, one thread a connection, silent, on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ecr_tui.sandbox.registry_app import RegistryApp, Request, Response, error_response

__all__ = ["RegistryApp", "RegistryServer", "serve_registry"]

_CHUNK = 256 * 1024
_IDLE_SECONDS = 60.0
_DRAIN_LIMIT = 64 * 1024 * 1024


class BadFraming(Exception):
    """The body's framing is broken; nothing after it on this connection can be trusted."""


class _Body:
    """The request's body as chunks, by Content-Length or chunked; ``drain`` reads what the application left."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._read = handler.rfile.read
        self._readline = handler.rfile.readline
        self._chunked = "chunked" in handler.headers.get("Transfer-Encoding", "").lower()
        length = handler.headers.get("Content-Length") or "0"
        if not length.isdecimal():
            raise BadFraming("Content-Length")
        self._length = int(length)
        self.done = not self._chunked and self._length == 0
        self.chunks = self._by_chunks() if self._chunked else self._by_length()

    def _exactly(self, count: int) -> bytes:
        data = self._read(count)
        if len(data) != count:
            raise BadFraming("the body ended early")
        return data

    def _by_length(self) -> Iterator[bytes]:
        left = self._length
        while left:
            data = self._exactly(min(left, _CHUNK))
            left -= len(data)
            self.done = not left
            yield data

    def _by_chunks(self) -> Iterator[bytes]:
        while True:
            try:
                left = int(self._readline(1024).split(b";", 1)[0].strip(), 16)
            except ValueError:
                raise BadFraming("chunk size") from None
            if left < 0:
                raise BadFraming("chunk size")
            if not left:
                break
            while left:
                data = self._exactly(min(left, _CHUNK))
                left -= len(data)
                yield data
            self._exactly(2)
        while self._readline(8192).strip():
            pass
        self.done = True

    def drain(self) -> bool:
        """Read the rest so that the client, still sending, gets the answer instead of a reset. False: too much."""
        seen = 0
        for data in self.chunks:
            seen += len(data)
            if seen > _DRAIN_LIMIT:
                return False
        return self.done


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = _IDLE_SECONDS
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        try:
            with contextlib.suppress(OSError):
                super().finish()
        finally:
            self.server.closed(self.connection)

    def _serve(self) -> None:
        try:
            body = _Body(self)
            headers = {name.lower(): value for name, value in self.headers.items()}
            response = self.server.app.handle(Request(self.command, self.path, headers, body.chunks))
            if not body.done and not body.drain():
                self.close_connection = True
        except BadFraming:
            self.close_connection = True
            response = error_response(400, "UNSUPPORTED", "the request's body is cut short or badly framed")
        except OSError:
            raise
        except Exception as failure:
            self.close_connection = True
            response = error_response(500, "UNKNOWN", f"the sandbox failed: {type(failure).__name__}: {failure}")
        self._answer(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _answer(self, response: Response) -> None:
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string())
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 204:
            length = len(response.body) if response.length is None else response.length
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(response.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """The terminal belongs to the interface."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], app: RegistryApp) -> None:
        self.app = app
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look the host name up, which can take seconds where DNS is slow.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def opened(self, connection: socket.socket) -> None:
        with self._guard:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._guard:
            self._connections.discard(connection)

    def close_connections(self) -> None:
        with self._guard:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news; the terminal belongs to the interface."""


class RegistryServer:
    """A registry being served. ``shutdown`` is idempotent and also ends idle keep-alive connections."""

    def __init__(self, app: RegistryApp, host: str, port: int) -> None:
        self.app = app
        self._server = _Server((host, port), app)
        self.host: str = host
        self.port: int = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="registry", daemon=True
        )
        self._thread.start()
        self._stopped = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def shutdown(self) -> None:
        if not self._stopped.acquire(blocking=False):
            return
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()
        self._thread.join(5)


def serve_registry(app: RegistryApp, host: str = "127.0.0.1", port: int = 0) -> RegistryServer:
    """Serve ``app`` on ``host``; port 0 takes a free one. It accepts connections when this returns."""
    return RegistryServer(app, host, port)
