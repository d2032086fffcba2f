"""The registry on a socket: bodies in chunks, as layers are large."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

from ecr_tui.sandbox.http_server import Handler, HttpServer
from ecr_tui.sandbox.registry_app import RegistryApp, Request, error_response

_CHUNK = 256 * 1024
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


class _Handler(Handler):
    app: RegistryApp

    def _serve(self) -> None:
        try:
            body = _Body(self)
            response = self.app.handle(Request(self.command, self.path, self.lower_headers(), body.chunks))
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
        headers = {"Docker-Distribution-Api-Version": "registry/2.0", **response.headers}
        self.answer(response.status, headers, response.body, response.length)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve


class RegistryServer(HttpServer):
    def __init__(self, app: RegistryApp, port: int = 0) -> None:
        super().__init__(type("RegistryHandler", (_Handler,), {"app": app}), port)
