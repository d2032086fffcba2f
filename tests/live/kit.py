"""The two accounts of a live run.

A run is bounded in time and calls. The names of all it makes begin with PREFIX, and it removes all of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ecr_tui.secret import remember
from tests.live.transcript import Redaction, Step

PREFIX = "ecr-tui-live"
TAG = {"Key": "ecr-tui-live", "Value": "delete-me"}
MOST_CALLS = 1_500
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Stopped(RuntimeError):
    """The run has reached its bound of time or calls."""


class Skipped(Exception):
    """A question that these accounts cannot answer, and why."""


class Kit:
    """``profile_b``'s identity must allow ECR's push and pull actions on account A's repositories; ``role_b`` is a role
    that it may assume, for questions about its own side. Raises ValueError where both profiles are one account."""

    def __init__(
        self, profile_a: str, profile_b: str, region: str | None, *, role_b: str = "", seconds: float = 900
    ) -> None:
        self._sessions = {
            "A": boto3.Session(profile_name=profile_a, region_name=region),
            "B": boto3.Session(profile_name=profile_b, region_name=region),
        }
        self.region = self._sessions["A"].region_name
        self.steps: list[Step] = []
        self.question = ""
        self._until = time.monotonic() + seconds
        self._calls = 0
        self._clients: dict[tuple[str, str], Any] = {}
        self._undo: list[tuple[str, Callable[[], object]]] = []
        self._role_b = role_b
        callers = {side: self.client(side, "sts").get_caller_identity() for side in "AB"}
        self.account_a, self.account_b = callers["A"]["Account"], callers["B"]["Account"]
        self.caller_a, self.caller_b = callers["A"]["Arn"], callers["B"]["Arn"]
        if self.account_a == self.account_b:
            raise ValueError("both profiles belong to one account; the kit needs two")
        self.name = f"{PREFIX}/{secrets.token_hex(4)}"
        role = role_b.rpartition("/")[2]
        self._names = {
            self.name: f"{PREFIX}/RUN",
            self.caller_a: "CALLER-A",
            self.caller_b: "CALLER-B",
            f"assumed-role/{role}/{PREFIX}": "SESSION-B",
            self.account_a: "111111111111",
            self.account_b: "222222222222",
            str(self.region): "REGION",
        }

    def client(self, side: str, service: str) -> Any:
        """Without retries: every answer of AWS is one step."""
        if (side, service) not in self._clients:
            config = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=30)
            self._clients[side, service] = self._sessions[side].client(service, config=config)
        return self._clients[side, service]

    def limited(self, policy: Mapping[str, Any]) -> None:
        """Account B's role with a session policy as side "B-limited". Raises Skipped without a role."""
        if not self._role_b:
            raise Skipped("set ECR_LIVE_ROLE_B to a role that profile B may assume and that may push and pull")
        told = self.client("B", "sts").assume_role(
            RoleArn=self._role_b, RoleSessionName=PREFIX, Policy=json.dumps(policy), DurationSeconds=900
        )["Credentials"]
        remember(told["SecretAccessKey"])
        remember(told["SessionToken"])
        self._sessions["B-limited"] = boto3.Session(
            told["AccessKeyId"],
            told["SecretAccessKey"],
            told["SessionToken"],
            region_name=self.region,
            profile_name=self._sessions["B"].profile_name,
        )
        self._clients = {key: one for key, one in self._clients.items() if key[0] != "B-limited"}

    # -- what is made, and removed ---------------------------------------------------------------------------------

    def repository(self, short: str, *, immutable: bool = False, **tags: str) -> str:
        """Make a repository of account A, with nothing in it; removed at the end. Returns its name."""
        name = f"{self.name}/{short}"
        made = self.client("A", "ecr").create_repository(
            repositoryName=name,
            imageTagMutability="IMMUTABLE" if immutable else "MUTABLE",
            tags=[TAG, *({"Key": key, "Value": value} for key, value in tags.items())],
        )["repository"]
        self.later(f"repository {name}", lambda: self.remove_repository(name))
        self._names[str(made["repositoryUri"]).partition("/")[0]] = "HOST"
        return name

    def later(self, what: str, undo: Callable[[], object]) -> None:
        self._undo.append((what, undo))

    def remove_repository(self, name: str) -> None:
        """Its images by their digests, then the repository, never with force."""
        ecr = self.client("A", "ecr")
        found = ecr.list_images(repositoryName=name, maxResults=1000)["imageIds"]
        digests = [{"imageDigest": digest} for digest in sorted({one["imageDigest"] for one in found})]
        if digests:
            ecr.batch_delete_image(repositoryName=name, imageIds=digests)
        ecr.delete_repository(repositoryName=name)

    def clean(self) -> list[str]:
        """Remove what the run made, newest first; returns what could not be removed, with AWS's reason."""
        left = []
        while self._undo:
            what, undo = self._undo.pop()
            try:
                undo()
            except (ClientError, BotoCoreError) as error:
                if "NotFound" not in str(error) and "NoSuchEntity" not in str(error):
                    left.append(f"{what}: {error}")
        return left

    # -- what is asked ---------------------------------------------------------------------------------------------

    def call(self, name: str, side: str, operation: str, *, service: str = "ecr", **parameters: Any) -> dict[str, Any]:
        """Ask and note the answer as a step; returns it, or {"error": code}."""
        answer, outcome, message = self._asked(side, service, operation, parameters)
        self._note(name, side, f"{service}:{operation}", outcome, message)
        return answer

    def seen(
        self, name: str, side: str, operation: str, wanted: Callable[[str, dict[str, Any]], bool], **parameters: Any
    ) -> None:
        """Ask until ``wanted(outcome, answer)``, for 90 seconds, and note how long that took."""
        service = parameters.pop("service", "ecr")
        start, pause, seconds = time.monotonic(), 0.2, None
        while True:
            answer, outcome, message = self._asked(side, service, operation, parameters)
            if wanted(outcome, answer):
                seconds = round(time.monotonic() - start, 1)
                break
            if time.monotonic() - start > 90:
                break
            time.sleep(pause)
            pause = min(2 * pause, 3.0)
        self._note(name, side, f"{service}:{operation}", outcome, message, seconds=seconds)

    def http(self, name: str, side: str, method: str, path: str, *, body: bytes = b"", content: str = "") -> int:
        """A request to account A's registry with ``side``'s token; notes status and body. Returns the status.

        The token goes to the registry's own host over TLS, on loopback over plain HTTP, and follows no redirect.
        """
        self._bound()
        host = self._host()
        token = self._token(side)
        url = f"{'http' if host.startswith('127.0.0.1') else 'https'}://{host}{path}"
        headers = {"Authorization": f"Basic {token}", **({"Content-Type": content} if content else {})}
        answer = urllib3.request(
            method, url, body=body or None, headers=headers, redirect=False, retries=False, timeout=30.0
        )
        self.location = answer.headers.get("Location", "")
        told = "" if answer.status < 300 else _errors(answer.data[:4096].decode("utf-8", "replace"))
        self._note(name, side, f"{method} {path}", f"HTTP {answer.status}", told)
        return answer.status

    def fact(self, name: str, **facts: Any) -> None:
        """Note what follows from former answers."""
        self.steps.append(Step(self.question, name, "", "", "ok", facts=Redaction(self._names).value(facts)))

    def skip(self, why: str) -> None:
        self.steps.append(Step(self.question, "all", "", "", "skipped", why))

    def push(self, name: str, short: str, tag: str) -> int:
        """A tiny image as account A through the registry; notes the manifest's answer under ``name``."""
        config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
        digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
        repository = f"/v2/{self.name}/{short}"
        quiet = len(self.steps)
        self.http("upload", "A", "POST", f"{repository}/blobs/uploads/")
        place = urlsplit(self.location)
        joint = "&" if place.query else "?"
        path = f"{place.path}{f'?{place.query}' if place.query else ''}{joint}digest={digest}"
        self.http("blob", "A", "PUT", path, body=config, content="application/octet-stream")
        del self.steps[quiet:]
        about = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": digest}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": about, "layers": []})
        path = f"{repository}/manifests/{tag}"
        return self.http(name, "A", "PUT", path, body=manifest.encode(), content=MANIFEST)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _bound(self) -> None:
        self._calls += 1
        if self._calls > MOST_CALLS or time.monotonic() > self._until:
            raise Stopped("the run has reached its bound of time or calls")

    def _asked(
        self, side: str, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> tuple[dict[str, Any], str, str]:
        self._bound()
        client = self.client(side, service)
        known = {model: method for method, model in client.meta.method_to_api_mapping.items()}
        try:
            return getattr(client, known[operation])(**parameters), "ok", ""
        except ClientError as error:
            told = error.response["Error"]
            return {"error": told["Code"]}, told["Code"], told.get("Message", "")

    def _note(self, name: str, side: str, call: str, outcome: str, message: str, seconds: float | None = None) -> None:
        told = map(Redaction(self._names), (call, outcome, message))
        self.steps.append(Step(self.question, name, side, *told, seconds=seconds))

    def _token(self, side: str) -> str:
        told = self.client(side, "ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
        remember(told)
        remember(base64.b64decode(told).decode())
        return str(told)

    def _host(self) -> str:
        made = self.client("A", "ecr").describe_repositories(repositoryNames=[f"{self.name}/data"])["repositories"][0]
        return str(made["repositoryUri"]).partition("/")[0]


def _errors(body: str) -> str:
    """A registry's errors as "CODE: message"; another body as it is."""
    try:
        return "; ".join(f"{one['code']}: {one['message']}" for one in json.loads(body)["errors"])
    except (ValueError, KeyError, TypeError):
        return body
