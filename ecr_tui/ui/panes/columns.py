"""Columns of the repositories' table: content, sorting, visibility."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ecr_tui.aws.model import ImagesSummary, Repository
from ecr_tui.config.values import COLUMNS
from ecr_tui.errors import EcrTuiError
from ecr_tui.listing.filters import Policies
from ecr_tui.ui.text import NO, OK, PENDING, SKIP, UNKNOWN, ago, count, safe, utc
from ecr_tui.ui.widgets.columns import Column, Piece

if TYPE_CHECKING:
    from ecr_tui.ui.panes.details import Details
    from ecr_tui.verification.records import Past

NAME, REGION = "name", "region"


class RepositoryColumns:
    """Facts of a repository are read from its arguments at each drawing."""

    def __init__(
        self,
        details: Details,
        *,
        principals: Callable[[], tuple[str, ...]],
        now: Callable[[], datetime],
        policies: Policies,
        verified: Callable[[Repository], Past | None],
        scope: str,
    ) -> None:
        """``scope``: the tag of conditions; shown first."""
        self._details = details
        self._principals = principals
        self._now = now
        self._policies = policies
        self._verified = verified
        self._scope = scope

    def shown(self, chosen: Sequence[str], *, several_regions: bool) -> list[Column[Repository]]:
        """The name and the ``chosen`` columns (``config.values.COLUMNS``) in order; all if empty.

        The region is shown if rows differ in it, or if chosen.
        """
        every = self.all()
        columns = [every[NAME], *(every[one] for one in chosen or COLUMNS)]
        if not chosen and not several_regions:
            columns.remove(every[REGION])
        elif several_regions and every[REGION] not in columns:
            columns.insert(1, every[REGION])
        return columns

    def all(self) -> dict[str, Column[Repository]]:
        # Columns that arrive later: highest, newest or worst first.
        live = partial(Column[Repository], descending=True, live=True)
        columns = (
            Column(NAME, "Repository", _name, lambda r: r.name, width=22, flex=4, keep=9, search=True),
            Column(REGION, "Region", _region, lambda r: (r.region, r.name), width=14, keep=7),
            Column("tags", "Tags", self._tags, self._tags_key, width=18, flex=5, keep=6, search=True),
            live("access", "Access", self._access, self._access_key, width=15, keep=8),
            live("findings", "Findings", self._findings, self._findings_key, width=10, keep=4),
            live("verified", "Verified", self._verification, self._verified_key, width=16, keep=1),
            Column("mutability", "Image tags", _mutability, lambda r: r.mutability, width=12, keep=3),
            live("images", "Images", self._count, self._count_key, width=8, keep=4, right=True),
            live("pushed", "Last push", self._pushed, self._pushed_key, width=11, keep=5, right=True),
            live("pulled", "Last pull", self._pulled, self._pulled_key, width=11, keep=0, right=True),
        )
        return {one.id: one for one in columns}

    def facts(self, repository: Repository) -> list[tuple[str, str]]:
        """Label and text of all known facts, each tag separately."""
        tags = self._tag_words(repository)
        cells = {one.id: (one.label, "".join(text for text, _ in one.cell(repository))) for one in self.all().values()}
        created = repository.created_at
        return [
            ("Name", repository.name),
            ("ARN", repository.arn),
            ("URI", repository.uri),
            ("Account", repository.account),
            ("Region", repository.region),
            *([("Created", utc(created))] if created is not None else []),
            *zip(("Tags", *[""] * len(tags)), tags or [cells["tags"][1]], strict=False),
            *(cells[one] for one in COLUMNS if one not in (REGION, "tags")),
        ]

    def _tag_words(self, repository: Repository) -> list[str]:
        """Those of AWS itself last."""
        tags = sorted(
            (repository.tags or {}).items(), key=lambda tag: (tag[0] != self._scope, tag[0].startswith("aws:"), tag)
        )
        return [f"{key}={value}" for key, value in tags]

    def _tags(self, repository: Repository) -> list[Piece]:
        if not repository.tags:
            return [(PENDING if repository.tags is None else "no tags", "dim")]
        return [(safe("  ".join(self._tag_words(repository))), "")]

    def _tags_key(self, repository: Repository) -> str | None:
        return "\0".join(self._tag_words(repository)) or None

    def _access(self, repository: Repository) -> list[Piece]:
        found = self._details.access(repository, self._principals())
        if found is None:
            return [(PENDING, "dim")]
        if isinstance(found, EcrTuiError):
            return [(f"{UNKNOWN} not readable", "warn")]
        return [*_verdict(found.pull, "pull"), ("  ", ""), *_verdict(found.push, "push")]

    def _access_key(self, repository: Repository) -> tuple[int, int] | None:
        found = self._details.access(repository, self._principals())
        if found is None or isinstance(found, EcrTuiError):
            return None
        return _RANK[found.push], _RANK[found.pull]

    def _findings(self, repository: Repository) -> list[Piece]:
        found = self._severities(repository)
        if found is None:
            return [(PENDING, "dim")]
        severity = next((one for one in ("error", "warning") if one in found), None)
        if severity is None:
            return [(count(len(found), "note"), "dim") if found else (SKIP, "dim")]
        return [(count(found.count(severity), severity), "warn")]

    def _findings_key(self, repository: Repository) -> tuple[int, ...] | None:
        found = self._severities(repository)
        return None if found is None else tuple(found.count(one) for one in ("error", "warning", "info"))

    def _severities(self, repository: Repository) -> list[str] | None:
        found = self._policies.findings(repository)
        return None if found is None else [severity for _, severity in found]

    def _verification(self, repository: Repository) -> list[Piece]:
        past = self._verified(repository)
        if past is None:
            return [(SKIP, "dim")]
        words = f"{past.verdict} {ago(past.at, self._now())}"
        if past.stale:
            # As in the matrix.
            return [(f"({words})", "dim")]
        return [(f"{OK} {words}", "ok") if past.passed else (f"{NO} {words}", "warn")]

    def _verified_key(self, repository: Repository) -> float | None:
        past = self._verified(repository)
        return None if past is None else past.at.timestamp()

    def _images(self, repository: Repository) -> ImagesSummary | str:
        """The sign for an unknown value."""
        answer = self._details.images.get(repository.arn)
        if answer is None:
            return PENDING
        return UNKNOWN if answer.value is None else answer.value

    def _count(self, repository: Repository) -> list[Piece]:
        images = self._images(repository)
        if isinstance(images, str):
            return _unknown(images)
        more = "" if images.complete else "+"
        return [(f"{images.count:,}{more}", "" if images.count else "dim")]

    def _count_key(self, repository: Repository) -> int | None:
        images = self._images(repository)
        return None if isinstance(images, str) else images.count

    def _pushed(self, repository: Repository) -> list[Piece]:
        images = self._images(repository)
        return _unknown(images) if isinstance(images, str) else self._since(images.last_push, images)

    def _pushed_key(self, repository: Repository) -> float | None:
        images = self._images(repository)
        return None if isinstance(images, str) or images.last_push is None else images.last_push.timestamp()

    def _pulled(self, repository: Repository) -> list[Piece]:
        images = self._images(repository)
        return _unknown(images) if isinstance(images, str) else self._since(images.last_pull, images)

    def _pulled_key(self, repository: Repository) -> float | None:
        images = self._images(repository)
        return None if isinstance(images, str) or images.last_pull is None else images.last_pull.timestamp()

    def _since(self, at: datetime | None, images: ImagesSummary) -> list[Piece]:
        if at is None:
            return [(SKIP, "dim") if images.complete else (UNKNOWN, "warn")]
        # Unread images may be newer.
        return [(ago(at, self._now()) if images.complete else f"≤ {ago(at, self._now())}", "")]


def _unknown(sign: str) -> list[Piece]:
    return [(sign, "dim" if sign == PENDING else "warn")]


def _name(repository: Repository) -> list[Piece]:
    return [(safe(repository.name), "")]


def _region(repository: Repository) -> list[Piece]:
    return [(safe(repository.region), "dim")]


def _mutability(repository: Repository) -> list[Piece]:
    if repository.mutability == "MUTABLE":
        return [("mutable", "dim")]
    if repository.mutability == "IMMUTABLE":
        return [("immutable", "")]
    return [(safe(repository.mutability.lower().replace("_with_exclusion", " *").replace("_", " ")), "")]


_RANK = {False: 0, None: 1, True: 2}
"""Order of the access column: denied, depends, allowed."""


def _verdict(allowed: bool | None, word: str) -> list[Piece]:
    if allowed is None:
        return [(f"{UNKNOWN} {word}", "warn")]
    return [(f"{OK} {word}", "ok")] if allowed else [(f"{NO} {word}", "no")]
