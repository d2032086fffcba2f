"""Images of a repository, as account A: count them, and remove the probe image after a verification."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from ecr_tui.aws.model import ImagesSummary, Repository
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import EnvironmentFailure

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import ImageDetailTypeDef, ImageIdentifierTypeDef

MAX_PAGES = 10
"""Maximum pages of 1,000 to count: ECR has no cheaper way to count, and allows 100,000 images."""


def images_summary(session: AwsSession, repository: Repository, *, max_pages: int = MAX_PAGES) -> ImagesSummary:
    """Count through DescribeImages, bounded by ``max_pages``."""
    pages = session.client("ecr", repository.region, background=True).get_paginator("describe_images")
    count = 0
    pushed: list[datetime] = []
    pulled: list[datetime] = []
    complete = True
    with session.calling("ecr:DescribeImages"):
        answers = pages.paginate(repositoryName=repository.name, PaginationConfig={"PageSize": 1000})
        for page in islice(answers, max_pages):
            count += len(page["imageDetails"])
            pushed += [image["imagePushedAt"] for image in page["imageDetails"] if "imagePushedAt" in image]
            pulled += [
                image["lastRecordedPullTime"] for image in page["imageDetails"] if "lastRecordedPullTime" in image
            ]
            complete = not page.get("nextToken")
    return ImagesSummary(count, _latest(pushed), _latest(pulled), complete)


def _latest(times: Sequence[datetime]) -> datetime | None:
    return max(times).astimezone(UTC) if times else None


class TaggedImage(NamedTuple):
    """``size``: compressed bytes in the repository; None if unknown."""

    tag: str
    digest: str
    size: int | None
    pushed_at: datetime | None


def image_by_tag(session: AwsSession, repository: Repository, tag: str) -> TaggedImage | None:
    """The image with ``tag``, or None."""
    client = session.client("ecr", repository.region)
    with session.calling("ecr:DescribeImages"):
        try:
            answer = client.describe_images(repositoryName=repository.name, imageIds=[{"imageTag": tag}])
        except client.exceptions.ImageNotFoundException:
            return None
        details = answer["imageDetails"]
    return _tagged(details[0], tag) if details else None


def newest_image(
    session: AwsSession, repository: Repository, *, largest: int, except_for: str = ""
) -> TaggedImage | None:
    """The newest tagged image of at most ``largest`` bytes; if all are larger, the smallest. None without images.

    Tags that begin with ``except_for`` (unless "") are ignored. Only the first 1,000 images returned by ECR are
    considered; any image will do.
    """
    client = session.client("ecr", repository.region)
    with session.calling("ecr:DescribeImages"):
        details = client.describe_images(
            repositoryName=repository.name, filter={"tagStatus": "TAGGED"}, maxResults=1000
        )["imageDetails"]
    images = [
        _tagged(one, tags[0])
        for one in details
        if (tags := [tag for tag in one.get("imageTags", []) if not except_for or not tag.startswith(except_for)])
    ]
    fitting = [one for one in images if one.size is not None and one.size <= largest]
    epoch = datetime.fromtimestamp(0, UTC)
    if fitting:
        return max(fitting, key=lambda one: one.pushed_at or epoch)
    return min(images, key=lambda one: (one.size is None, one.size or 0), default=None)


def _tagged(detail: ImageDetailTypeDef, tag: str) -> TaggedImage:
    pushed = detail.get("imagePushedAt")
    return TaggedImage(
        tag, detail["imageDigest"], detail.get("imageSizeInBytes"), pushed.astimezone(UTC) if pushed else None
    )


def delete_image(session: AwsSession, repository: Repository, digest: str) -> None:
    """Delete an image with all its tags; a missing image is not an error."""
    _delete(session, repository, [{"imageDigest": digest}])


def delete_tag(session: AwsSession, repository: Repository, tag: str) -> None:
    """Remove a tag, and the image with its last tag; a missing image is not an error."""
    _delete(session, repository, [{"imageTag": tag}])


def _delete(session: AwsSession, repository: Repository, ids: Sequence[ImageIdentifierTypeDef]) -> None:
    client = session.client("ecr", repository.region)
    with session.calling("ecr:BatchDeleteImage"):
        failures = client.batch_delete_image(repositoryName=repository.name, imageIds=ids)["failures"]
    for failure in failures:
        if failure.get("failureCode") != "ImageNotFound":
            raise EnvironmentFailure(
                f"cannot delete the image from {repository.name}",
                detail=f"{failure.get('failureCode', '')}: {failure.get('failureReason', '')}",
                side=str(session.role),
            )
