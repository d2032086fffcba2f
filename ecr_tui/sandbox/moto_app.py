"""moto, called in process: its WSGI application without its server, so that nothing is printed and no port is open."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from ecr_tui.sandbox.aws_http import HttpRequest, HttpResponse

_KEPT = ("content-type", "authorization", "x-amz-target", "user-agent", "host", "x-amz-date")
_OVERRIDES = ("MOTO_ACCOUNT_ID",)
"""Environment variables of a user's own moto setup that would send every account's calls to one."""


class MotoApp:
    def __init__(self) -> None:
        for name in _OVERRIDES:
            os.environ.pop(name, None)
        self._application = DomainDispatcherApplication(create_backend_app)

    def forward(self, request: HttpRequest, account: str) -> HttpResponse | None:
        """moto's answer as ``account``; None when moto has no such operation. The caller holds the world's lock."""
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            started[:] = [status, headers]
            return lambda data: None

        environ = _environ(request, account)
        try:
            chunks: Iterable[bytes] = self._application(environ, start)
            body = b"".join(chunks)
        except NotImplementedError:
            return None
        status = int(started[0].split()[0])
        if status in (404, 501) and b"<title>" in body:
            return None
        kept = {
            name: value
            for name, value in started[1]
            if name.lower() in ("content-type", "x-amzn-requestid", "x-amzn-errortype")
        }
        return HttpResponse(status, kept, body)


def reset_moto() -> None:
    """Drop all of moto's records; they belong to the process."""
    BackendDict.reset()
    reset_model_data()


def _environ(request: HttpRequest, account: str) -> dict[str, Any]:
    parts = urlsplit(request.target)
    host = request.headers.get("host", "127.0.0.1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "SERVER_NAME": host.rsplit(":", 1)[0],
        "SERVER_PORT": host.rsplit(":", 1)[-1] if ":" in host else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.client,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name in _KEPT:
        if name in request.headers:
            key = name.upper().replace("-", "_")
            environ[key if name == "content-type" else f"HTTP_{key}"] = request.headers[name]
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
    return environ
