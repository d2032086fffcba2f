"""A registry with a certificate of an authority that nobody knows, and a proxy that leads to it."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults import RawServer, Script, response
from tests.support.registry_backend import InMemoryBackend, Registry

NAME = "registry.example"
"""What the certificate is for. The proxy leads there, so no name is ever looked up."""
ECR_NAME = "111111111111.dkr.ecr.eu-central-1.amazonaws.com"
"""The certificate is for it, too: a verification sends no token to a host that is not ECR's."""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a self-signed certificate of ``registry.example`` (cert.pem) and its key (key.pem)."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(NAME), x509.DNSName(ECR_NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


@contextlib.contextmanager
def tls_registry(backend: InMemoryBackend, authority: Path) -> Iterator[Registry]:
    """Reached by :data:`NAME` through a :class:`Proxy` to its port."""
    registry = Registry(backend)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    server = registry.server._server
    server.socket = context.wrap_socket(server.socket, server_side=True)
    try:
        yield registry
    finally:
        registry.close()


class Proxy:
    """An HTTP CONNECT proxy that leads every name to one port."""

    def __init__(self, port: int, refuse: str = "") -> None:
        self.port = port
        self.refuse = refuse
        self.heads: list[bytes] = []

    def __call__(self, _: RawServer) -> Script:
        def script(connection: socket.socket, head: bytes) -> None:
            self.heads.append(head)
            if self.refuse:
                connection.sendall(response(self.refuse, b""))
                return
            with socket.create_connection(("127.0.0.1", self.port)) as upstream:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=pump, args=(upstream, connection), daemon=True)
                back.start()
                pump(connection, upstream)
                back.join(10)

        return script


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
