"""Image records: moto's Image objects, kept by ECR's rules (true digests, tags that move, immutability).

moto's own put_image drops the image that loses its tag and makes digests up, so only its records are used.
Callers hold the world's lock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime

from moto.ecr.models import Image, Repository

from ecr_tui.sandbox.backend import StoredManifest, TagImmutable
from ecr_tui.sandbox.manifests import digest_of


def put(repository: Repository, tag: str | None, media_type: str, body: bytes, now: datetime) -> str:
    """Record a manifest; returns its digest. Raises :class:`TagImmutable`."""
    digest = digest_of(body)
    if tag is not None and by_tag(repository, tag) is not None and is_immutable(repository, tag):
        raise TagImmutable(tag)
    image = by_digest(repository, digest)
    if image is None:
        image = Image(
            repository.account_id,
            None,  # type: ignore[arg-type]
            body.decode("utf-8", "surrogateescape"),
            repository.name,
            media_type,
            digest,
        )
        image.image_pushed_at = int(now.timestamp())
        repository.images.append(image)
    if tag is not None:
        holder = by_tag(repository, tag)
        if holder is not None and holder is not image:
            holder.image_tags.remove(tag)
        if holder is not image:
            image.image_tags.append(tag)
    return digest


_PULLED = "last_recorded_pull"


def record_pull(image: Image, now: datetime) -> None:
    """moto keeps no time of pulls. ECR's own lags behind by up to 24 hours."""
    setattr(image, _PULLED, int(now.timestamp()))


def last_pull(image: Image) -> int | None:
    found: int | None = getattr(image, _PULLED, None)
    return found


def by_digest(repository: Repository, digest: str) -> Image | None:
    return next((image for image in repository.images if image.image_digest == digest), None)


def by_tag(repository: Repository, tag: str) -> Image | None:
    return next((image for image in repository.images if tag in image.image_tags), None)


def find(repository: Repository, reference: str) -> Image | None:
    """By tag or by digest."""
    return by_digest(repository, reference) if reference.startswith("sha256:") else by_tag(repository, reference)


def stored(image: Image) -> StoredManifest:
    return StoredManifest(
        image.image_digest,
        image.image_manifest_media_type or "",
        image.image_manifest.encode("utf-8", "surrogateescape"),
        tuple(image.image_tags),
    )


def delete(repository: Repository, reference: str) -> Image | None:
    """By tag: the tag, and the image with its last one. By digest: the image. Returns what it was, or None."""
    image = find(repository, reference)
    if image is None:
        return None
    if not reference.startswith("sha256:") and len(image.image_tags) > 1:
        image.image_tags.remove(reference)
    else:
        repository.images.remove(image)
    return image


def tags(repository: Repository) -> list[str]:
    return sorted(tag for image in repository.images for tag in image.image_tags)


def is_immutable(repository: Repository, tag: str) -> bool:
    """Whether a tag that exists may be put again, by the repository's setting and its exclusion filters."""
    setting = str(getattr(repository.image_tag_mutability, "value", repository.image_tag_mutability))
    excluded = any(
        re.fullmatch(re.escape(one["filter"]).replace(r"\*", ".*"), tag)
        for one in repository.image_tag_mutability_exclusion_filters or ()
    )
    return setting.startswith("IMMUTABLE") != (excluded and setting.endswith("_WITH_EXCLUSION"))


def parts(image: Image) -> Iterator[dict[str, object]]:
    """The descriptors of config and layers, or of an index's manifests."""
    document = json.loads(image.image_manifest)
    for key in ("config", "layers", "manifests"):
        found = document.get(key, [])
        yield from [found] if isinstance(found, dict) else found


def size(image: Image) -> int | None:
    """Bytes of config and layers; None for an index."""
    document = json.loads(image.image_manifest)
    if "manifests" in document:
        return None
    return sum(int(str(part.get("size", 0))) for part in parts(image))


def parent_of(repository: Repository, digest: str) -> str | None:
    """The index that refers to this image, if any: ECR does not delete such an image."""
    for image in repository.images:
        if '"manifests"' in image.image_manifest and any(part.get("digest") == digest for part in parts(image)):
            return image.image_digest
    return None
