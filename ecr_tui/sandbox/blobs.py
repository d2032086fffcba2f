"""The layers and configs behind one registry: kept in memory, per repository, until the sandbox stops.

A blob belongs to the repositories it was uploaded or mounted to; its bytes are kept once. All methods are
thread-safe. An upload is a session of its own until :meth:`BlobStore.finish` checks its digest.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MIB = 1024 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class BlobTooLarge(Exception):
    """The store is bounded so that a pushed image cannot eat the machine's memory."""


class DigestMismatch(Exception):
    """The bytes do not have the digest they were announced with, or it is no sha256 digest."""


class UploadMissing(Exception):
    """No such upload in this repository: never started, finished, cancelled, or idle for too long."""


class OffsetMismatch(Exception):
    """A chunk does not start where the last one ended; ``size`` is how much is there."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes are uploaded")
        self.size = size


@dataclass
class _Upload:
    repository: str
    touched: float
    data: bytearray = field(default_factory=bytearray)
    lock: threading.Lock = field(default_factory=threading.Lock)


class BlobStore:
    """``max_blob`` bounds one blob, ``max_total`` all blobs and open uploads together (bytes).

    Uploads idle for ``idle_seconds`` are dropped when a new one starts.
    """

    def __init__(
        self,
        max_blob: int = 256 * MIB,
        max_total: int = 1024 * MIB,
        idle_seconds: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_blob = max_blob
        self.max_total = max_total
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._total = 0
        self._contents: dict[str, bytes] = {}
        self._repositories: dict[str, set[str]] = {}
        self._uploads: dict[str, _Upload] = {}

    def get(self, repository: str, digest: str) -> bytes | None:
        with self._lock:
            return self._contents[digest] if digest in self._repositories.get(repository, ()) else None

    def size(self, repository: str, digest: str) -> int | None:
        data = self.get(repository, digest)
        return None if data is None else len(data)

    def put(self, repository: str, digest: str, data: bytes) -> None:
        """Store a whole blob. Raises :class:`DigestMismatch`, :class:`BlobTooLarge`."""
        self.finish(repository, self.start(repository, data), digest)

    def mount(self, source: str, target: str, digest: str) -> bool:
        """Share a blob of ``source`` with ``target``; False when ``source`` has none."""
        with self._lock:
            if digest not in self._repositories.get(source, ()):
                return False
            self._repositories.setdefault(target, set()).add(digest)
            return True

    def start(self, repository: str, data: bytes = b"") -> str:
        """Open an upload and return its id."""
        now = self._clock()
        upload = secrets.token_hex(16)
        with self._lock:
            stale = [key for key, one in self._uploads.items() if now - one.touched > self._idle_seconds]
            for key in stale:
                self._total -= len(self._uploads.pop(key).data)
            self._uploads[upload] = _Upload(repository, now)
        if data:
            try:
                self.append(repository, upload, data)
            except BlobTooLarge:
                self.cancel(repository, upload)
                raise
        return upload

    def append(self, repository: str, upload: str, data: bytes, offset: int | None = None) -> int:
        """Add bytes and return how many are there now; ``offset`` (if given) must be the end of the last chunk.

        Raises :class:`UploadMissing`, :class:`OffsetMismatch`, :class:`BlobTooLarge`.
        """
        session = self._session(repository, upload)
        with session.lock:
            if offset is not None and offset != len(session.data):
                raise OffsetMismatch(len(session.data))
            with self._lock:
                if upload not in self._uploads:
                    raise UploadMissing(upload)
                if len(session.data) + len(data) > self.max_blob or self._total + len(data) > self.max_total:
                    raise BlobTooLarge(
                        f"this sandbox keeps layers in memory: at most {_size(self.max_blob)} a layer "
                        f"and {_size(self.max_total)} in all"
                    )
                self._total += len(data)
                session.touched = self._clock()
                session.data += data
            return len(session.data)

    def uploaded(self, repository: str, upload: str) -> int:
        """How many bytes an open upload holds. Raises :class:`UploadMissing`."""
        return len(self._session(repository, upload).data)

    def finish(self, repository: str, upload: str, digest: str) -> int:
        """Close the upload and keep its bytes as ``digest``; returns the size.

        Raises :class:`UploadMissing`, :class:`DigestMismatch` (the upload is gone then).
        """
        session = self._session(repository, upload)
        with session.lock:
            data = bytes(session.data)
            good = is_digest(digest) and f"sha256:{hashlib.sha256(data).hexdigest()}" == digest
            with self._lock:
                if self._uploads.pop(upload, None) is None:
                    raise UploadMissing(upload)
                if not good or digest in self._contents:
                    self._total -= len(data)
                if good:
                    self._contents.setdefault(digest, data)
                    self._repositories.setdefault(repository, set()).add(digest)
        if not good:
            raise DigestMismatch(digest)
        return len(data)

    def cancel(self, repository: str, upload: str) -> None:
        """Drop an open upload. Raises :class:`UploadMissing`."""
        self._session(repository, upload)
        with self._lock:
            session = self._uploads.pop(upload, None)
            if session is None:
                raise UploadMissing(upload)
            self._total -= len(session.data)

    def forget(self, repository: str) -> None:
        """Drop a deleted repository's open uploads, and its blobs that no other repository has."""
        with self._lock:
            gone = self._repositories.pop(repository, set())
            kept = set().union(*self._repositories.values())
            for digest in gone - kept:
                self._total -= len(self._contents.pop(digest))
            for key in [key for key, one in self._uploads.items() if one.repository == repository]:
                self._total -= len(self._uploads.pop(key).data)

    def open_uploads(self) -> int:
        with self._lock:
            return len(self._uploads)

    def _session(self, repository: str, upload: str) -> _Upload:
        with self._lock:
            session = self._uploads.get(upload)
        if session is None or session.repository != repository:
            raise UploadMissing(upload)
        return session


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def _size(count: int) -> str:
    return f"{count // MIB} MiB" if count >= MIB else f"{count} bytes"
