"""A party in the middle: passes AWS calls on to the sandbox and answers some of them as it likes."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, bytes]
"""Status and body."""
Rewrite = Callable[[Answer, BaseHTTPRequestHandler], Answer | None]
"""Gets the true answer and the request; None where it has written to the connection itself."""


class AwsProxy:
    """``rewrites`` by operation name. Signatures stay good: the sandbox checks them for the host that was asked."""

    def __init__(self, target: str) -> None:
        self.rewrites: dict[str, Rewrite] = {}
        self.calls: Counter[str] = Counter()
        self._target = urlsplit(target)
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                with contextlib.suppress(OSError):
                    proxy._serve(self)

            def log_message(self, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def body(self, operation: str, body: bytes, status: int = 200) -> None:
        """Answer ``operation`` with this body from now on."""
        self.rewrites[operation] = lambda *_: (status, body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        target = request.headers.get("X-Amz-Target", "")
        operation = target.rpartition(".")[2] or parse_qs(body.decode()).get("Action", ["?"])[0]
        with self._lock:
            self.calls[operation] += 1
        upstream = http.client.HTTPConnection(self._target.hostname or "", self._target.port, timeout=30)
        upstream.putrequest("POST", request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body)
        reply = upstream.getresponse()
        found: Answer | None = (reply.status, reply.read())
        upstream.close()
        rewrite = self.rewrites.get(operation)
        if rewrite is not None and found is not None:
            found = rewrite(found, request)
        if found is None:
            request.close_connection = True
            return
        request.send_response(found[0])
        request.send_header("Content-Type", reply.headers.get("Content-Type", ""))
        request.send_header("Content-Length", str(len(found[1])))
        request.end_headers()
        request.wfile.write(found[1])


@contextlib.contextmanager
def aws_proxy(target: str) -> Iterator[AwsProxy]:
    proxy = AwsProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
