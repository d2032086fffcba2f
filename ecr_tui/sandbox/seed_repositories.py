"""The repositories of account A, one for each state that a user may meet, and as many more as asked for."""

from __future__ import annotations

import contextlib
import gc
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ecr_tui.policy.actions import Access
from ecr_tui.policy.document import LIMIT
from ecr_tui.sandbox import images
from ecr_tui.sandbox.directory import new_id
from ecr_tui.sandbox.ecr_policies import store_unchecked
from ecr_tui.sandbox.manifests import DOCKER_MANIFEST
from ecr_tui.sandbox.seed_iam import CI_ROLE, CONSUMER
from ecr_tui.sandbox.seed_states import states
from ecr_tui.sandbox.world import ACCOUNT_A, ACCOUNT_B, ACCOUNT_CI, PARTNERS, REGION, World

PAYMENTS = {"Team": "Payments"}
_B_ROOT = f"arn:aws:iam::{ACCOUNT_B}:root"
_B_USER = f"arn:aws:iam::{ACCOUNT_B}:user/{CONSUMER}"
_CI = f"arn:aws:iam::{ACCOUNT_CI}:role/{CI_ROLE}"
_PULL, _PUSH, _PUSH_PULL = ([*access.actions] for access in (Access.PULL, Access.PUSH, Access.PUSH_PULL))

SEED_DOCUMENT_ACTIONS = [
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:GetRepositoryPolicy",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:DescribeImages",
    "ecr:BatchGetImage",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
]
"""As the guide that this program follows has them, the one that ECR refuses today included."""

_TEAMS = ("Payments", "Platform", "Search", "Data", "Identity", "Mobile", "Billing", "Fulfilment")
_PARTS = ("api", "worker", "web", "ingest", "scheduler", "gateway", "exporter", "migrations", "cron", "proxy")


def seed_repositories(world: World) -> None:
    """Seeded policies stand as AWS once took them, so they are stored without today's checks."""
    _create(world, "my-first-repo", PAYMENTS, pushed=("latest",))
    _create(world, "payments/api", PAYMENTS, _policy(_allow("BuildPush", _CI, _PUSH)), pushed=("v1.4.2", "v1.4.1"))
    _create(
        world, "payments/ledger", {**PAYMENTS, "Stage": "prod"}, mutability="IMMUTABLE", pushed=("2024.11.0", "stable")
    )
    _create(world, "search/indexer", {"Team": "Search"}, pushed=("main",))
    _create(world, "tools/scratch", {})
    _create(world, "payments/invoice-lambda", PAYMENTS, _policy(_lambda()), pushed=("prod",))
    _create(
        world, "platform/base-images", {"Team": "Platform"}, _policy(_allow("OpenPull", "*", _PULL)), pushed=("3.20",)
    )
    _create(world, "payments/reports", PAYMENTS, _policy(_allow("FormerDeveloper", [new_id("AIDA"), _CI], _PULL)))
    _create(world, "payments/vault", PAYMENTS, _policy(*_denied()), pushed=("v7",))
    _create(world, "platform/sdk", {"Team": "Platform"}, _policy(*_partners()), pushed=("v2",))
    _create(world, "billing/export", {"Team": "Billing"}, _policy(_stale_grant()), pushed=("v3",))
    _create(world, "payments/legacy", PAYMENTS, _seed_document(), pushed=("v0.9",))
    stack = {"aws:cloudformation:stack-name": "payments-frontend", "aws:cloudformation:logical-id": "Repository"}
    _create(world, "payments/frontend", {**PAYMENTS, **stack}, pushed=("v12",))
    for name, tags, policy in states(world.clock()):
        _create(world, name, tags, policy)
    _create(world, "devtools/runner", {"Team": "Tools"}, account=ACCOUNT_B)


def seed_many(world: World, count: int) -> None:
    """``count`` more, with varied names, teams and settings; about one in twelve has no tags."""
    with _no_garbage_collection():
        _seed_many(world, count)


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Nothing of what is made here becomes garbage, and looking for some takes a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _seed_many(world: World, count: int) -> None:
    for number in range(count):
        team = _TEAMS[number % len(_TEAMS)]
        tags = {} if number % 12 == 7 else {"Team": team, "Stage": ("prod", "test", "dev")[number % 3]}
        name = f"{team.lower()}/{_PARTS[number // len(_TEAMS) % len(_PARTS)]}-{number:05d}"
        options = {"imageTagMutability": "IMMUTABLE"} if number % 9 == 4 else {}
        world.records.create(ACCOUNT_A, REGION, name, tags, options)


def push_image(world: World, account: str, region: str, repository: str, tag: str, content: str) -> str:
    """A small real image with one layer; returns its digest."""
    record = world.records.find(account, region, repository)
    if record is None:
        raise LookupError(repository)
    layer, diff_id = _layer(content)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/hello"]},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [{"created": "2024-11-05T09:30:00Z", "created_by": "ecr-tui sandbox"}],
        }
    ).encode()
    blobs = world.blobs[account, region]
    for data in (layer, config):
        blobs.put(repository, _digest(data), data)
    manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": _descriptor("application/vnd.docker.container.image.v1+json", config),
        "layers": [_descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
    }
    body = json.dumps(manifest, indent=3).encode()
    return images.put(record, tag, DOCKER_MANIFEST, body, world.clock())


def _create(
    world: World,
    name: str,
    tags: Mapping[str, str],
    policy: dict[str, Any] | None = None,
    *,
    mutability: str = "MUTABLE",
    pushed: tuple[str, ...] = (),
    account: str = ACCOUNT_A,
) -> None:
    record = world.records.create(account, REGION, name, tags, {"imageTagMutability": mutability})
    age = timedelta(days=int(hashlib.sha256(name.encode()).hexdigest()[:4], 16) % 400 + 30)
    record.created_at = world.clock() - age
    for number, tag in enumerate(pushed):
        digest = push_image(world, account, REGION, name, tag, f"{name}:{tag}\n")
        image = images.by_digest(record, digest)
        if image is not None:
            image.image_pushed_at = int((world.clock() - age / (number + 2)).timestamp())
    if policy is not None:
        store_unchecked(world, account, REGION, name, policy)


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, principal: str | list[str], actions: list[str], effect: str = "Allow") -> dict[str, Any]:
    named: object = "*" if principal == "*" else {"AWS": principal}
    return {"Sid": sid, "Effect": effect, "Principal": named, "Action": actions}


def _lambda() -> dict[str, Any]:
    return {
        "Sid": "LambdaECRImageRetrievalPolicy",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Condition": {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:{REGION}:{ACCOUNT_A}:function:*"}},
    }


def _denied() -> tuple[dict[str, Any], ...]:
    return (
        _allow("PartnerPull", _B_ROOT, _PULL),
        _allow("NoPushFromOutside", _B_ROOT, _PUSH, effect="Deny"),
    )


def _partners() -> list[dict[str, Any]]:
    """As many statements as leave no room for another one."""
    statements: list[dict[str, Any]] = []
    for number, account in enumerate(PARTNERS):
        for actions in (_PUSH_PULL, _PULL):
            added = _allow(f"Partner{number:02d}", f"arn:aws:iam::{account}:root", actions)
            if len(json.dumps(_policy(*statements, added), separators=(",", ":"))) <= LIMIT:
                statements.append(added)
                break
    return statements


def _stale_grant() -> dict[str, Any]:
    return _allow("EcrTuiPushPull", _B_USER, _PUSH_PULL) | {
        "Condition": {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}
    }


def _seed_document() -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Action": SEED_DOCUMENT_ACTIONS,
        "Condition": {"StringLike": {"aws:ResourceTag/Team": "Payments"}},
        "Principal": {"AWS": [_B_USER]},
        "Sid": "AllowCrossAccountPushAndPull",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _layer(content: str) -> tuple[bytes, str]:
    """(a gzipped tar with one file, the digest of the tar)."""
    raw = io.BytesIO()
    data = content.encode()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        entry = tarfile.TarInfo("hello")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), mtime=0), _digest(raw.getvalue())


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(data), "digest": _digest(data)}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
