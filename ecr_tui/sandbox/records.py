"""moto's repository records, with what moto lacks: a registry host per account, ordered names for paging, the index.

Callers hold the world's lock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from moto.ecr.models import ECRBackend, Repository, ecr_backends

from ecr_tui.sandbox.aws_errors import invalid


@dataclass
class _Names:
    """The sorted names of one registry; ``size`` tells a stale one, since names only come and go."""

    names: list[str]
    generation: int
    size: int


class Records:
    def __init__(self, accounts: tuple[str, ...], regions: tuple[str, ...]) -> None:
        self._accounts = accounts
        self._regions = regions
        self.hosts: dict[tuple[str, str], str] = {}
        """(account, region) -> "127.0.0.1:PORT" of its registry."""
        self._backends: dict[tuple[str, str], ECRBackend] = {}
        self._names: dict[tuple[str, str], _Names] = {}
        self._generation = 0
        self.ever_tagged: set[str] = set()
        """ARNs of repositories that lost a tag: the tagging API keeps listing those."""

    def backend(self, account: str, region: str) -> ECRBackend:
        """Raises ServiceError for a region that the sandbox does not serve."""
        if region not in self._regions:
            raise invalid("region", f"The sandbox serves {', '.join(self._regions)}")
        found = self._backends.get((account, region))
        if found is None:
            found = self._backends[account, region] = ecr_backends[account][region]
        return found

    def find(self, account: str, region: str, name: str) -> Repository | None:
        if account not in self._accounts or region not in self._regions:
            return None
        return self.backend(account, region).repositories.get(name)

    def create(
        self, account: str, region: str, name: str, tags: Mapping[str, str], options: Mapping[str, object] | None = None
    ) -> Repository:
        """Raises moto's ServiceException (exists already, bad name or setting)."""
        chosen = options or {}
        repository = self.backend(account, region).create_repository(
            repository_name=name,
            registry_id=None,
            encryption_config=chosen.get("encryptionConfiguration"),  # type: ignore[arg-type]
            image_scan_config=chosen.get("imageScanningConfiguration"),
            image_tag_mutability=chosen.get("imageTagMutability"),  # type: ignore[arg-type]
            tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            image_tag_mutability_exclusion_filters=chosen.get("imageTagMutabilityExclusionFilters"),  # type: ignore[arg-type]
        )
        repository.uri = f"{self.hosts[account, region]}/{name}"
        self._generation += 1
        return repository

    def delete(self, account: str, region: str, name: str) -> None:
        gone = self.backend(account, region).delete_repository(name, force=True)
        self.ever_tagged.discard(gone.arn)
        self._generation += 1

    def tags(self, repository: Repository) -> dict[str, str]:
        """A copy."""
        found = self.backend(repository.account_id, repository.region_name).tagger.tags.get(repository.arn, {})
        return {key: value or "" for key, value in found.items()}

    def set_tags(self, repository: Repository, tags: Mapping[str, str]) -> None:
        tagger = self.backend(repository.account_id, repository.region_name).tagger
        tagger.tag_resource(repository.arn, [{"Key": key, "Value": value} for key, value in tags.items()])

    def remove_tags(self, repository: Repository, keys: list[str]) -> None:
        tagger = self.backend(repository.account_id, repository.region_name).tagger
        tagger.untag_resource_using_names(repository.arn, keys)
        self.ever_tagged.add(repository.arn)

    def after(self, account: str, region: str, marker: str) -> Iterator[Repository]:
        """The registry's repositories by name, those after ``marker`` ("" for all)."""
        if account not in self._accounts or region not in self._regions:
            return
        repositories = self.backend(account, region).repositories
        names = self._sorted(account, region)
        for position in range(bisect_right(names, marker) if marker else 0, len(names)):
            found = repositories.get(names[position])
            if found is not None:
                yield found

    def _sorted(self, account: str, region: str) -> list[str]:
        repositories = self.backend(account, region).repositories
        known = self._names.get((account, region))
        if known is None or known.generation != self._generation or known.size != len(repositories):
            known = _Names(sorted(repositories), self._generation, len(repositories))
            self._names[account, region] = known
        return known.names

    def clear(self) -> None:
        """After moto's records were dropped."""
        self._backends.clear()
        self._names.clear()
        self.ever_tagged.clear()
        self._generation += 1
