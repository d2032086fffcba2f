"""Standard streams that never fail in the middle of a command.

A reader that leaves early (``| head``), a full disk or a closed descriptor must not stop work that has begun, such as
the removal of a probe image. So a write that fails is kept, not raised, and told at the end.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import IO, Any

from ecr_tui.errors import EnvironmentFailure


class _Descriptor(io.FileIO):
    """Takes everything; after the first failure it drops it. ``failure``: what that was."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        if self.failure is None:
            try:
                return super().write(data)
            except OSError as error:
                self.failure = error
        return len(memoryview(data).cast("B"))


class Streams:
    """The process's stdin, stdout and stderr, from now on. Streams that are not its descriptors, as in a test, and
    those of Windows, whose console is no file, are left as they are."""

    def __init__(self) -> None:
        self._out: _Descriptor | None = None
        if sys.platform == "win32":
            return
        _fill_closed()
        if sys.stdin is None:
            sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout, self._out = _sturdy(sys.stdout, 1)
        sys.stderr, _ = _sturdy(sys.stderr, 2)

    def close(self) -> None:
        """At the end of the command. Raises EnvironmentFailure where output was lost that somebody still wanted: a
        reader that has left did not."""
        if sys.stdout is not None:
            sys.stdout.flush()
        failure = self._out.failure if self._out is not None else None
        if failure is not None and failure.errno != errno.EPIPE:
            raise EnvironmentFailure(
                "standard output cannot be written",
                detail=failure.strerror or str(failure),
                hint="Write it elsewhere. The command itself ran to its end; ecr-tui history shows what it wrote.",
            )


def _fill_closed() -> None:
    """A closed descriptor's number would go to the next file that is opened, the journal for one."""
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
        # What an encoding lacks stays apart: a check mark and a cross must not both become a question mark.
        errors="backslashreplace" if stream.errors == "strict" else stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    return wrapped, descriptor
