"""Connections to a registry: address, proxy, certificates, sockets."""

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
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from ecr_tui.errors import EnvironmentFailure, InputError
from ecr_tui.secret import remember_url

BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0

_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")
"""The characters of RFC 3986. Parsers disagree about the host of a URL with a backslash, blank or control character."""
_AUTHORITY = re.compile(r"[A-Za-z]+://([^/?#]*)")


def registry_at(host: str) -> Address:
    """https for every registry, except plain http on loopback. Raises InputError for an invalid host."""
    found = address(f"{'http' if is_loopback(host) else 'https'}://{host}") if _HOST.fullmatch(host) else None
    if found is None:
        raise InputError(f"{host!r} is not a registry host", hint="Use HOST or HOST:PORT, without https:// or a path.")
    return found


def is_loopback(host: str) -> bool:
    """``host`` with or without a port, an IPv6 address with or without brackets."""
    for name in (host, urlsplit(f"//{host}").hostname or ""):
        if name == "localhost":
            return True
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(name).is_loopback
    return False


@dataclass(frozen=True)
class Address:
    """The address of a request. Used for both the decision about credentials and the connection.

    ``host`` is in lower case, an IPv6 address in brackets. ``target`` is the path with the query.
    """

    scheme: str
    host: str
    port: int
    target: str = "/"

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def netloc(self) -> str:
        usual = 443 if self.scheme == "https" else 80
        return self.host if self.port == usual else f"{self.host}:{self.port}"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"

    def at(self, location: str) -> Address | None:
        """Resolve a path or a Location header in the response to a request for this address.

        None unless it is an http or https URL, and for one with a user name or invalid characters.
        """
        return address(urljoin(str(self), location)) if location and _URL.fullmatch(location) else None


def address(url: str) -> Address | None:
    """Parse ``url`` as urllib3 does; None if its host is ambiguous."""
    authority = _AUTHORITY.match(url)
    if not _URL.fullmatch(url) or authority is None or not _HOST.fullmatch(authority[1]):
        return None
    try:
        parts = parse_url(url)
    except LocationParseError:
        return None
    if parts.scheme not in ("http", "https") or not parts.host or parts.auth is not None:
        return None
    return Address(parts.scheme, parts.host, parts.port or (443 if parts.scheme == "https" else 80), parts.request_uri)


class Sockets:
    """The open sockets of one client, so that another thread can interrupt their readers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[Any] = set()

    def add(self, one: Any) -> None:
        """``one`` is a socket, or the Docker SDK's closable equivalent for ssh."""
        with self._lock:
            self._open = {other for other in self._open if _is_open(other)} | {one}

    def shut(self) -> None:
        """Break every connection: reads and writes on them fail at once."""
        with self._lock:
            sockets, self._open = self._open, set()
        for one in sockets:
            with contextlib.suppress(OSError, ValueError):
                if isinstance(one, socket.socket):
                    # SSLSocket.shutdown would first wait for the peer, which may not answer.
                    socket.socket.shutdown(one, socket.SHUT_RDWR)
                else:
                    one.close()


def _is_open(one: Any) -> bool:
    return not isinstance(one, socket.socket) or one.fileno() >= 0


def make_manager(where: Address, sockets: Sockets) -> urllib3.PoolManager:
    """A connection manager for one origin, using the environment's proxy.

    Raises EnvironmentFailure for an unusable CA bundle or proxy.
    """
    options: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        "retries": False,
        "maxsize": 2,
        "headers": {},
    }
    if where.scheme == "https":
        options["ssl_context"] = _ssl_context()
    manager = _manager(proxy_for(where), options)
    if manager is None:
        # Raised outside the handler, because the proxy's address may contain a password.
        raise EnvironmentFailure("HTTPS_PROXY is not a usable proxy", hint="Use http://HOST:PORT.", side="network")
    manager.pool_classes_by_scheme = _pool_classes(sockets.add)
    return manager


def proxy_for(where: Address) -> str | None:
    """HTTPS_PROXY or HTTP_PROXY, subject to NO_PROXY; loopback is never proxied."""
    if is_loopback(where.netloc) or urllib.request.proxy_bypass(where.netloc):
        return None
    proxy = urllib.request.getproxies().get(where.scheme) or None
    remember_url(proxy)
    return proxy


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
                f"{name} is not a usable certificate bundle",
                detail=f"{path}: {error}",
                hint=f"Set {name} to a PEM file, or unset it.",
                side="network",
            ) from None
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not _has_system_directory():
        # Python without the system's certificates, as on macOS from python.org.
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
            # Registered before the TLS handshake, which can stall, too.
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
