"""What a connection to a registry needs to know of this machine: scheme, proxy, certificates, and its open sockets."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ecr_tui.errors import EnvironmentFailure, InputError

BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0

_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


def base_url(host: str) -> str:
    """https for every registry but one on loopback, which is plain http. Raises InputError for what is no host."""
    if not _HOST.fullmatch(host):
        raise InputError(
            f"{host!r} is no registry host", hint="Expected HOST or HOST:PORT, without https:// or a path."
        )
    return f"{'http' if is_loopback(host) else 'https'}://{host}"


def is_loopback(host: str) -> bool:
    """``host`` with or without a port, an IPv6 address with or without brackets."""
    for name in (host, urlsplit(f"//{host}").hostname or ""):
        if name == "localhost":
            return True
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(name).is_loopback
    return False


def origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


class Sockets:
    """The open sockets of one client, so that another thread can wake whoever waits on them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[Any] = set()

    def add(self, one: Any) -> None:
        """``one`` is a socket, or what the Docker SDK has in its place for ssh: something to close."""
        with self._lock:
            self._open = {other for other in self._open if _is_open(other)} | {one}

    def shut(self) -> None:
        """Break every connection: reads and writes on them fail at once."""
        with self._lock:
            sockets, self._open = self._open, set()
        for one in sockets:
            with contextlib.suppress(OSError, ValueError):
                if isinstance(one, socket.socket):
                    # SSLSocket.shutdown would first say goodbye to a peer that may not listen.
                    socket.socket.shutdown(one, socket.SHUT_RDWR)
                else:
                    one.close()


def _is_open(one: Any) -> bool:
    return not isinstance(one, socket.socket) or one.fileno() >= 0


def make_manager(url: str, sockets: Sockets) -> urllib3.PoolManager:
    """A manager for one registry and the places it redirects to, through the proxy that the environment names.

    Raises EnvironmentFailure for a CA bundle or a proxy that cannot be used.
    """
    options: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        "retries": False,
        "maxsize": 2,
        "headers": {},
    }
    parts = urlsplit(url)
    if parts.scheme == "https":
        options["ssl_context"] = _ssl_context()
    manager = _manager(proxy_for(url), options)
    if manager is None:
        # Raised where the proxy's address, which may hold a password, is out of sight.
        raise EnvironmentFailure(
            "HTTPS_PROXY does not name a usable proxy", hint="Expected http://HOST:PORT.", side="network"
        )
    manager.pool_classes_by_scheme = _pool_classes(sockets.add)
    return manager


def proxy_for(url: str) -> str | None:
    """HTTPS_PROXY or HTTP_PROXY as NO_PROXY allows; loopback is never proxied."""
    parts = urlsplit(url)
    if is_loopback(parts.netloc) or urllib.request.proxy_bypass(parts.netloc):
        return None
    return urllib.request.getproxies().get(parts.scheme) or None


def _manager(proxy: str | None, options: dict[str, Any]) -> urllib3.PoolManager | None:
    if not proxy:
        return urllib3.PoolManager(**options)
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        headers = None
        if parts.username:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers = urllib3.make_headers(proxy_basic_auth=user)
        netloc = parts.netloc.rpartition("@")[2]
        return urllib3.ProxyManager(f"{parts.scheme}://{netloc}", proxy_headers=headers, **options)
    except (ValueError, urllib3.exceptions.HTTPError):
        return None


def _ssl_context() -> ssl.SSLContext:
    for name in BUNDLES:
        path = os.environ.get(name)
        if not path:
            continue
        try:
            return ssl.create_default_context(
                cafile=None if os.path.isdir(path) else path, capath=path if os.path.isdir(path) else None
            )
        except (OSError, ssl.SSLError) as error:
            raise EnvironmentFailure(
                f"{name} does not name a usable certificate bundle",
                detail=f"{path}: {error}",
                hint=f"Point {name} at a PEM file, or unset it.",
                side="network",
            ) from None
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not _has_system_directory():
        # A Python that was not linked to the system's certificates, as on macOS from python.org.
        with contextlib.suppress(ImportError):
            import certifi

            context.load_verify_locations(certifi.where())
    return context


def _has_system_directory() -> bool:
    directory = ssl.get_default_verify_paths().capath
    return bool(directory and os.path.isdir(directory) and os.listdir(directory))


def _pool_classes(opened: Callable[[socket.socket], None]) -> dict[str, Any]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            if self.sock is not None:
                opened(self.sock)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            # Told before the TLS handshake, which can stall too.
            fresh = super()._new_conn()
            opened(fresh)
            return fresh

        def connect(self) -> None:
            super().connect()
            if self.sock is not None:
                opened(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
