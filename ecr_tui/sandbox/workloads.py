"""Workloads of an account: Lambda functions and ECS task definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ecr_tui.sandbox.world import ACCOUNT_A, REGION, World

Place = tuple[str, str]
"""(account, region)"""


@dataclass(frozen=True)
class ImageRef:
    """``reference`` is a tag or a digest."""

    account: str
    region: str
    repository: str
    reference: str


@dataclass(frozen=True)
class Function:
    name: str
    image: str
    resolved: str
    role: str
    modified: datetime


@dataclass
class Workloads:
    """Callers hold the world's lock."""

    functions: dict[Place, dict[str, Function]] = field(default_factory=dict)
    tasks: dict[Place, dict[str, list[dict[str, str]]]] = field(default_factory=dict)
    """Family -> the images of each revision, by container."""

    def clear(self) -> None:
        self.functions.clear()
        self.tasks.clear()


def image_ref(image: str, hosts: Mapping[Place, str]) -> ImageRef | None:
    """The image that a URI names: by the registry's host on loopback, or by the one that ECR would have."""
    host, _, path = image.partition("/")
    name, at, reference = path.partition("@")
    if not at:
        name, _, reference = path.partition(":")
    names = {f"{account}.dkr.ecr.{region}.amazonaws.com": (account, region) for account, region in hosts}
    place = names.get(host) or next((place for place, known in hosts.items() if known == host), None)
    return ImageRef(*place, name, reference) if place and name and reference else None


def seed_workloads(world: World, workloads: Workloads) -> None:
    """Of account A itself."""
    host = world.records.hosts[ACCOUNT_A, REGION]
    image = f"{host}/payments/invoice-lambda:prod"
    role = f"arn:aws:iam::{ACCOUNT_A}:role/invoice-pdf"
    place = (ACCOUNT_A, REGION)
    workloads.functions[place] = {"invoice-pdf": Function("invoice-pdf", image, image, role, world.clock())}
    workloads.tasks[place] = {
        "checkout": [{"web": f"{host}/my-first-repo:latest"}],
        "payments-api": [
            {"api": f"{host}/payments/api:v1.4.1"},
            {"api": f"{host}/payments/api:v1.4.2", "proxy": f"{host}/platform/base-images:3.20"},
        ],
    }
