"""A proxy in front of the sandbox's AWS endpoint that loses, refuses, delays and interposes: the faults of a real wire.

Requests pass byte for byte, so that signatures stay right. What happens to one is told by a function of its operation.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

WRITES = ("SetRepositoryPolicy", "DeleteRepositoryPolicy", "TagResource", "UntagResource")


@dataclass(frozen=True)
class Fault:
    """``arrives``: whether the request reaches AWS. ``answer`` (status, code, message) is what the client gets instead
    of AWS's own; without one the connection is reset."""

    arrives: bool
    answer: tuple[int, str, str] | None = None


LOST = Fault(arrives=True)
"""Carried out; the answer is lost."""
CUT = Fault(arrives=False)
LOST_503 = Fault(True, (503, "ServiceUnavailable", "no healthy upstream"))
LOST_500 = Fault(True, (500, "InternalFailure", ""))
THROTTLED = Fault(False, (400, "ThrottlingException", "Rate exceeded"))
DENIED = Fault(False, (400, "AccessDeniedException", "User is not authorized to perform: ecr:SetRepositoryPolicy"))
EXPIRED = Fault(False, (400, "ExpiredTokenException", "The security token included in the request is expired"))
UNKNOWN_KEY = Fault(False, (400, "UnrecognizedClientException", "The security token is invalid."))
INVALID = Fault(False, (400, "InvalidParameterException", "Invalid parameter at 'PolicyText'"))
NO_REPOSITORY = Fault(False, (400, "RepositoryNotFoundException", "The repository does not exist"))
NO_PRINCIPAL = Fault(
    False,
    (
        400,
        "InvalidParameterException",
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
    ),
)

Script = Callable[[str, int, Callable[[], bytes]], Fault | bytes | None]
"""Gets the operation, how often it came (from 1), and what carries the request out and returns AWS's answer. Returns a
fault, the bytes to answer, or None to let it pass."""


class FaultyWire:
    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.script: Script = lambda operation, count, carry_out: None
        self.seen: list[str] = []
        self.under_way = 0
        """Requests that have come and are not answered, given up or carried out yet."""
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def writes(self) -> list[str]:
        return [operation for operation in self.seen if operation in WRITES]

    def queue(self, *faults: Fault | None, operations: tuple[str, ...] = WRITES) -> None:
        """The first write meets the first fault, and so on; the rest pass."""
        left = list(faults)

        def script(operation: str, count: int, carry_out: Callable[[], bytes]) -> Fault | None:
            return left.pop(0) if operation in operations and left else None

        self.script = script

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while request := _message(connection):
                operation = _operation(request)
                with self._lock:
                    self.seen.append(operation)
                    count = self.seen.count(operation)
                with self._counted():
                    if not self._answer(connection, request, operation, count):
                        return

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self.under_way -= 1

    def _answer(self, connection: socket.socket, request: bytes, operation: str, count: int) -> bool:
        """False once the connection is to be reset."""
        found = self.script(operation, count, lambda: self._carry_out(request))
        if isinstance(found, Fault):
            if found.arrives:
                self._carry_out(request)
            if found.answer is None:
                linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return False
            found = _error(*found.answer)
        connection.sendall(self._carry_out(request) if found is None else found)
        return True

    def _carry_out(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.upstream)) as upstream:
            upstream.sendall(request)
            return _message(upstream)


def _message(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head = data.partition(b"\r\n\r\n")[0]
    found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    whole = len(head) + 4 + (int(found[1]) if found else 0)
    while len(data) < whole:
        data += connection.recv(65536)
    return data


def _operation(request: bytes) -> str:
    found = re.search(rb"x-amz-target: *\S+\.(\w+)", request, re.IGNORECASE) or re.search(rb"Action=(\w+)", request)
    return found[1].decode() if found else ""


def _error(status: int, code: str, message: str) -> bytes:
    body = json.dumps({"__type": code, "message": message}).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextlib.contextmanager
def faulty_wire(sandbox: Any, monkeypatch: Any) -> Iterator[FaultyWire]:
    """In front of ``sandbox``, for this process and every one that it starts."""
    wire = FaultyWire(int(sandbox.endpoint.rpartition(":")[2]))
    for service in ("ECR", "RESOURCE_GROUPS_TAGGING_API", "STS", "IAM"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", wire.url)
    try:
        yield wire
    finally:
        wire.close()
