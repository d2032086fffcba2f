"""Workloads that use a repository's images, in account A, and in account B if its profile has access."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ecr_tui.aws.model import Repository, Role
from ecr_tui.aws.workloads import FUNCTION, Workload, Workloads


class Place(NamedTuple):
    """Result for an account and region. ``read`` None: failed, with the reason in ``failure``."""

    role: Role
    region: str
    read: Workloads | None
    failure: str = ""

    @property
    def words(self) -> str:
        account = f" {self.read.account}" if self.read is not None else ""
        return f"{self.role}{account}, {self.region}"


class ImageUsers(NamedTuple):
    repository: Repository
    places: tuple[Place, ...]

    @property
    def found(self) -> tuple[tuple[Place, Workload], ...]:
        return tuple(
            (place, one)
            for place in self.places
            for one in (place.read.found if place.read is not None else ())
            if one.uses(self.repository)
        )

    @property
    def unknown(self) -> tuple[str, ...]:
        """Sentences about unknown parts."""
        told = []
        for place in self.places:
            reasons: Sequence[str] = place.read.unknown if place.read is not None else (place.failure,)
            told += [f"{reason} ({place.words})" for reason in reasons]
        return tuple(told)

    def lines(self) -> list[str]:
        """Lines of workloads, or that none is known; then lines of unknown parts."""
        lines = []
        for place, one in self.found:
            container = f" in container {one.container}" if one.container else ""
            lines.append(f"{one.kind} {one.name} uses {one.reference}{container} ({place.words})")
        if not lines:
            lines = [f"no Lambda function or ECS task definition {'is known to use' if self.unknown else 'uses'} it"]
        return [*lines, *(f"unknown: {reason}" for reason in self.unknown)]

    def to_json(self) -> dict[str, Any]:
        return {
            "repository": self.repository.name,
            "arn": self.repository.arn,
            "workloads": [
                {
                    "kind": "lambda" if one.kind == FUNCTION else "ecs",
                    "name": one.name,
                    "container": one.container or None,
                    "image": one.image,
                    "account": place.read.account if place.read is not None else None,
                    "region": place.region,
                }
                for place, one in self.found
            ],
            "unknown": list(self.unknown),
        }
