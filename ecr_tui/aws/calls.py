"""Session log of calls to AWS, registries and container engines: one record per call, without secrets.

Records contain only allowlisted names; other parameters, bodies and headers are never recorded.
"""

from __future__ import annotations

import shlex
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ecr_tui.secret import redact

CAPACITY = 5_000
"""Maximum calls kept; older ones are dropped."""

OK = "ok"
NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Call:
    """``side``: "account A", "account B" or "". ``service``: the AWS CLI's name of the service, "registry" or "docker".
    ``status``: :data:`OK`, the error's code, or the name of the connection error. ``command``: the equivalent shell
    command, with placeholders for documents and secrets."""

    number: int
    at: datetime
    side: str
    service: str
    operation: str
    region: str
    subject: str
    status: str
    ok: bool
    seconds: float
    retries: int
    request_id: str
    command: str

    def line(self) -> str:
        """The record without its command, on one line."""
        return "  ".join(
            part
            for part in (
                self.at.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3],
                self.side.removeprefix("account ") or "-",
                f"{self.service}:{self.operation}",
                self.region or "-",
                self.subject or "-",
                self.status,
                f"{self.seconds:.3f} s",
                f"{self.retries} retries" if self.retries else "",
                self.request_id,
            )
            if part
        )


class CallLog:
    """The newest calls. Thread-safe."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=capacity)
        self._number = 0

    @property
    def revision(self) -> int:
        """Total number of calls, including dropped ones."""
        return self._number

    def add(
        self,
        service: str,
        operation: str,
        *,
        seconds: float,
        status: str = OK,
        ok: bool | None = None,
        side: str = "",
        region: str = "",
        subject: str = "",
        retries: int = 0,
        request_id: str = "",
        command: str = "",
    ) -> None:
        """Record a call that just ended. ``ok`` None: derived from ``status``."""
        at = datetime.now(UTC)
        good = status == OK if ok is None else ok
        with self._lock:
            self._number += 1
            self._calls.append(
                Call(
                    self._number,
                    at,
                    side,
                    service,
                    operation,
                    region,
                    redact(subject),
                    status,
                    good,
                    seconds,
                    retries,
                    request_id,
                    redact(command),
                )
            )

    def calls(self) -> tuple[Call, ...]:
        """Oldest first."""
        with self._lock:
            return tuple(self._calls)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()


LOG = CallLog()
"""One log per process: engines and sessions are created in many places for one user session."""


def aws_command(
    service: str,
    operation: str,
    *,
    arguments: Mapping[str, str | Iterable[str]],
    region: str = "",
    profile: str | None = None,
    note: str = "",
) -> str:
    """The AWS CLI command for a call. ``operation`` and options in the CLI's spelling (without leading dashes).
    ``note`` is added as a comment."""
    words = ["aws", service, operation]
    for name, value in arguments.items():
        words += [f"--{name}", *([value] if isinstance(value, str) else value)]
    if region:
        words += ["--region", region]
    if profile:
        words += ["--profile", profile]
    return shlex.join(words) + (f"  # {note}" if note else "")


def registry_command(method: str, url: str) -> str:
    """A shell command for a registry request; it reads the token from a file, to keep it out of process lists."""
    how = ["--head"] if method == "HEAD" else [] if method == "GET" else ["--request", method]
    body = ["--data-binary", "@body"] if method in ("PUT", "PATCH") else []
    words = ["curl", "--silent", "--show-error", *how, "--header", "@authorization.txt", *body, url]
    return f"{shlex.join(words)}  # authorization.txt: Authorization: Basic TOKEN, of aws ecr get-authorization-token"


def docker_command(what: str, reference: str) -> str:
    """The docker command for an operation of a container engine; ``reference`` is an image or, for a
    login, a registry's host."""
    words = {
        "login": ["docker", "login", "--username", "AWS", "--password-stdin", reference],
        "tag": ["docker", "load", "--input", "probe.tar"],
        "push": ["docker", "push", reference],
        "pull": ["docker", "pull", reference],
        "inspect": ["docker", "image", "inspect", reference],
        "cleanup": ["docker", "image", "rm", reference],
    }.get(what, [])
    prefix = "aws ecr get-login-password | " if what == "login" else ""
    return prefix + shlex.join(words) if words else ""
