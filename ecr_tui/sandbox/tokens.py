"""Registry tokens of GetAuthorizationToken: for the caller, for 12 hours, for all registries."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from ecr_tui.sandbox.backend import TokenRejected
from ecr_tui.sandbox.principals import Principal

LIFETIME = timedelta(hours=12)
_KEPT = 10_000


class Tokens:
    """Only digests are kept. Thread-safe."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minted: OrderedDict[bytes, tuple[Principal, datetime]] = OrderedDict()

    def mint(self, principal: Principal) -> tuple[str, datetime]:
        """(password, when it expires). The password is opaque and long, in the shape of AWS's."""
        expires = self._clock() + LIFETIME
        envelope = {
            "payload": secrets.token_urlsafe(900),
            "datakey": secrets.token_urlsafe(150),
            "version": "2",
            "type": "DATA_KEY",
            "expiration": int(expires.timestamp()),
        }
        password = base64.b64encode(json.dumps(envelope, separators=(",", ":")).encode()).decode()
        with self._lock:
            self._minted[_key(password)] = (principal, expires)
            while len(self._minted) > _KEPT:
                self._minted.popitem(last=False)
        return password, expires

    def resolve(self, password: str) -> Principal:
        """Raises :class:`TokenRejected`."""
        with self._lock:
            found = self._minted.get(_key(password))
        if found is None:
            raise TokenRejected(expired=False)
        principal, expires = found
        if self._clock() >= expires:
            raise TokenRejected(expired=True)
        return principal

    def clear(self) -> None:
        with self._lock:
            self._minted.clear()


def _key(password: str) -> bytes:
    return hashlib.sha256(password.encode()).digest()
