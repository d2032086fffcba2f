"""Standard streams whose failures are reported at the end of a command.

A closed pipe (``| head``), a full disk or a closed descriptor must not stop work in progress, such as the removal of
a probe image.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import IO, Any

from ecr_tui.errors import EnvironmentFailure


class _Descriptor(io.FileIO):
    """Accepts every write, and drops all after the first ``failure``."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        if self.failure is None:
            try:
                return super().write(data)
            except OSError as error:
                self.failure = error
        return len(memoryview(data).cast("B"))


class Streams:
    """Replaces the process's stdin, stdout and stderr. Keeps streams that are not its descriptors, as in a test."""

    def __init__(self) -> None:
        self._out: _Descriptor | None = None
        _fill_closed()
        if sys.stdin is None:
            sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout, self._out = _sturdy(sys.stdout, 1)
        sys.stderr, _ = _sturdy(sys.stderr, 2)

    def close(self) -> None:
        """Call at the end of the command. Raises EnvironmentFailure if output was lost, except to a closed pipe."""
        if sys.stdout is not None:
            sys.stdout.flush()
        failure = self._out.failure if self._out is not None else None
        if failure is not None and failure.errno != errno.EPIPE:
            raise EnvironmentFailure(
                "cannot write to standard output",
                detail=failure.strerror or str(failure),
                hint="Redirect the output elsewhere. The command finished; run ecr-tui history to see its writes.",
            )


def _fill_closed() -> None:
    """The number of a closed descriptor would go to the next file opened, such as the journal."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _sturdy(stream: Any, number: int) -> tuple[IO[str], _Descriptor | None]:
    if stream is None:
        stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    try:
        if stream.fileno() != number:
            return stream, None
    except (OSError, ValueError):
        return stream, None
    stream.flush()
    descriptor = _Descriptor(number, "w", closefd=False)
    wrapped = io.TextIOWrapper(
        io.BufferedWriter(descriptor),
        encoding=stream.encoding,
        # Unencodable characters stay distinct: a check mark and a cross must not both become "?".
        errors="backslashreplace" if stream.errors == "strict" else stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    return wrapped, descriptor
