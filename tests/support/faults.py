"""Servers that misbehave on purpose: on TCP in a registry's place, on a Unix socket in a Docker daemon's."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Script = Callable[[socket.socket, bytes], Any]
"""Gets a connection and the head of the request that came on it; closes the connection unless it returns "again"."""


class RawServer:
    """Accepts connections, reads each request's head, and lets ``script`` do what it wants with the socket."""

    def __init__(self, listener: socket.socket, script: Script) -> None:
        self.script = script
        self.heads: list[bytes] = []
        self.arrived = threading.Event()
        """Set as soon as a request has come."""
        self.reached = threading.Event()
        """For scripts to tell that it has come to the point."""
        self.left = threading.Event()
        self._listener = listener
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while True:
                head = b""
                while b"\r\n\r\n" not in head:
                    data = connection.recv(65536)
                    if not data:
                        return
                    head += data
                    if head[0] == 0x16:
                        # A TLS hello: docker tries that first, and would wait 10 s for an answer.
                        return
                head, _, body = head.partition(b"\r\n\r\n")
                match = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
                while match and len(body) < int(match[1]):
                    data = connection.recv(65536)
                    if not data:
                        return
                    body += data
                self.heads.append(head)
                self.arrived.set()
                if self.script(connection, head) != "again":
                    return

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def tcp_server(script: Callable[[RawServer], Script], address: str = "127.0.0.1") -> Iterator[tuple[RawServer, str]]:
    """A server and its "127.0.0.1:PORT"; ``script`` is made with the server at hand."""
    listener = socket.create_server((address, 0))
    server = RawServer(listener, lambda *_: None)
    server.script = script(server)
    try:
        yield server, f"{address}:{listener.getsockname()[1]}"
    finally:
        server.close()


@contextlib.contextmanager
def unix_server(script: Callable[[RawServer], Script]) -> Iterator[tuple[RawServer, str]]:
    """A server and its "unix://..." address."""
    folder = Path(tempfile.mkdtemp(prefix="ecr-tui-"))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "docker.sock"))
    listener.listen()
    server = RawServer(listener, lambda *_: None)
    server.script = script(server)
    try:
        yield server, f"unix://{folder}/docker.sock"
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


def stall(server: RawServer) -> Script:
    """Takes the request and never answers; ``server.left`` is set when the client gives up."""

    def script(connection: socket.socket, _: bytes) -> None:
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                pass
        server.left.set()

    return script


def reset(_: RawServer) -> Script:
    """Closes in the middle of everything, without an answer."""

    def script(connection: socket.socket, _: bytes) -> None:
        linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return script


def say(data: bytes) -> Callable[[RawServer], Script]:
    """Answers every request with the same bytes and closes."""
    return lambda _: lambda connection, _head: connection.sendall(data)


def response(status: str, body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


class FakeDockerd:
    """A Docker daemon that plays back: ``answers`` maps a part of the request line to (status, events or object).

    Events (a list) are streamed in chunks, as a daemon does; "stall" among them waits until the client leaves, "cut"
    ends the connection without the last chunk.
    """

    VERSION = {"Version": "99.0-fake", "ApiVersion": "1.41", "Components": [{"Name": "Engine"}]}  # noqa: RUF012

    def __init__(self, server: RawServer, answers: dict[str, tuple[int, Any]]) -> None:
        self.server = server
        self.answers = {"/version": (200, self.VERSION), "DELETE ": (404, {"message": "no such image"}), **answers}
        self.events_sent = threading.Event()

    def __call__(self, connection: socket.socket, head: bytes) -> Any:
        line = head.split(b"\r\n", 1)[0].decode()
        status, answer = next(
            (answer for part, answer in self.answers.items() if part in line), (404, {"message": line})
        )
        if isinstance(answer, list):
            connection.sendall(f"HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            for event in answer:
                if event == "stall":
                    self.events_sent.set()
                    return stall(self.server)(connection, head)
                if event == "cut":
                    return None
                data = json.dumps(event).encode() + b"\r\n"
                connection.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
            return "again"
        if answer == "stall":
            return stall(self.server)(connection, head)
        connection.sendall(response(f"{status} X", json.dumps(answer).encode(), "Content-Type: application/json\r\n"))
        return "again"


@contextlib.contextmanager
def fake_dockerd(**answers: tuple[int, Any]) -> Iterator[tuple[FakeDockerd, str]]:
    """Keyword names: ``push``, ``pull``, ``load``, ``login``, ``version``, ``inspect``."""
    parts = {"push": "/push", "pull": "/images/create", "load": "/images/load", "login": "/auth"}
    mapped = {parts.get(name, f"/{name}"): answer for name, answer in answers.items()}
    daemons: list[FakeDockerd] = []

    def script(server: RawServer) -> Script:
        daemons.append(FakeDockerd(server, mapped))
        return daemons[0]

    with unix_server(script) as (_, url):
        yield daemons[0], url
