"""A tiny AWS on loopback: answers by operation name, over real HTTP, and counts the calls.

It speaks what botocore speaks: JSON 1.0/1.1 (X-Amz-Target) for ECR and the tagging API, the query protocol for STS,
REST-JSON for SSO. It checks nothing; that is the sandbox's business.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = dict[str, Any] | str
Handler = Callable[[dict[str, Any]], Answer]


class AwsError(Exception):
    """Raise in a handler to answer with an error of AWS."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


class Raw(Exception):
    """Raise in a handler to answer with these bytes."""

    def __init__(self, body: bytes, status: int = 200, content_type: str = "application/x-amz-json-1.1") -> None:
        super().__init__("raw")
        self.body, self.status, self.content_type = body, status, content_type


class FakeAws:
    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.calls: Counter[str] = Counter()
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()
        fake = self

        class _Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            timeout = 30

            def do_POST(self) -> None:
                fake._serve(self)

            do_GET = do_POST

            def log_message(self, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, operation: str, answer: Answer | Handler) -> None:
        self.handlers[operation] = answer if callable(answer) else lambda _: answer

    def fail(self, operation: str, code: str, message: str = "", status: int = 400) -> None:
        def handler(_: dict[str, Any]) -> Answer:
            raise AwsError(code, message, status)

        self.handlers[operation] = handler

    def sent(self, operation: str) -> list[dict[str, Any]]:
        with self._lock:
            return [parameters for name, parameters in self.requests if name == operation]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        target = request.headers.get("X-Amz-Target", "")
        if target:
            operation, parameters, xml = target.rpartition(".")[2], json.loads(body or b"{}"), False
        elif request.path.startswith("/federation/credentials"):
            query = parse_qs(urlsplit(request.path).query)
            operation, parameters, xml = "GetRoleCredentials", {k: v[0] for k, v in query.items()}, False
            parameters["token"] = request.headers.get("x-amz-sso_bearer_token", "")
        elif request.path == "/token":
            operation, parameters, xml = "CreateToken", json.loads(body), False
        else:
            form = {key: value[0] for key, value in parse_qs(body.decode()).items()}
            operation, parameters, xml = form.pop("Action", "?"), form, True
        with self._lock:
            self.calls[operation] += 1
            self.requests.append((operation, parameters))
        status, content_type, payload = self._answer(operation, parameters, xml)
        request.send_response(status)
        request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(payload)))
        request.end_headers()
        request.wfile.write(payload)

    def _answer(self, operation: str, parameters: dict[str, Any], xml: bool) -> tuple[int, str, bytes]:
        json_type = "text/xml" if xml else "application/x-amz-json-1.1"
        try:
            handler = self.handlers.get(operation)
            if handler is None:
                raise AwsError("InternalFailure", f"the test has no answer for {operation}", 500)
            answer = handler(parameters)
        except Raw as raw:
            return raw.status, raw.content_type, raw.body
        except AwsError as exc:
            if xml:
                text = (
                    f"<ErrorResponse><Error><Type>Sender</Type><Code>{exc.code}</Code>"
                    f"<Message>{exc.message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
                )
                return exc.status, json_type, text.encode()
            return exc.status, json_type, json.dumps({"__type": exc.code, "message": exc.message}).encode()
        if isinstance(answer, str):
            text = f"<{operation}Response><{operation}Result>{answer}</{operation}Result></{operation}Response>"
            return 200, json_type, text.encode()
        return 200, json_type, json.dumps(answer).encode()


def caller_xml(account: str = "111111111111", arn: str = "arn:aws:iam::111111111111:user/ops") -> str:
    return f"<Arn>{arn}</Arn><UserId>AIDAEXAMPLE</UserId><Account>{account}</Account>"


def assumed_xml(expiration: str, account: str = "111111111111") -> str:
    return (
        "<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>assumed</SecretAccessKey>"
        f"<SessionToken>token</SessionToken><Expiration>{expiration}</Expiration></Credentials>"
        f"<AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId>"
        f"<Arn>arn:aws:sts::{account}:assumed-role/r/x</Arn></AssumedRoleUser>"
    )


def repository_item(name: str, account: str = "111111111111", region: str = "eu-central-1") -> dict[str, Any]:
    return {
        "repositoryName": name,
        "repositoryArn": f"arn:aws:ecr:{region}:{account}:repository/{name}",
        "registryId": account,
        "repositoryUri": f"{account}.dkr.ecr.{region}.amazonaws.com/{name}",
        "createdAt": 1_700_000_000,
        "imageTagMutability": "MUTABLE",
    }
