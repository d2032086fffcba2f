"""Read-only probes as account B: one API call that needs exactly one action on A's repository."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from ecr_tui.aws.model import Repository
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import DeniedError

ABSENT_DIGEST = f"sha256:{'0' * 64}"
"""A digest of no image: AWS checks permission before existence, so "not found" proves access."""


def probe_action(session_b: AwsSession, repository: Repository, action: str, digest: str = "") -> str | None:
    """None if B may do ``action`` on A's ``repository`` (also if the object is missing), else AWS's message.

    ``action`` with or without "ecr:"; one of :data:`PROBES`, ValueError otherwise. ``digest``: of an image for
    BatchGetImage, else of a layer. Changes nothing: CompleteLayerUpload names an upload that does not exist. Raises
    other failures.
    """
    name = action.removeprefix("ecr:")
    if name not in PROBES:
        raise ValueError(f"no read-only probe for {action}")
    client = session_b.client("ecr", repository.region)
    try:
        with session_b.calling(f"ecr:{name}"):
            try:
                # Without registryId the call uses B's own registry.
                PROBES[name](client, repository, digest or ABSENT_DIGEST)
            except (
                client.exceptions.LayersNotFoundException,
                client.exceptions.LayerInaccessibleException,
                client.exceptions.UploadNotFoundException,
                client.exceptions.RepositoryPolicyNotFoundException,
            ):
                return None
    except DeniedError as exc:
        return exc.detail
    return None


def _layer_availability(client: Any, repository: Repository, digest: str) -> None:
    client.batch_check_layer_availability(
        registryId=repository.account, repositoryName=repository.name, layerDigests=[digest]
    )


def _get_image(client: Any, repository: Repository, digest: str) -> None:
    client.batch_get_image(
        registryId=repository.account, repositoryName=repository.name, imageIds=[{"imageDigest": digest}]
    )


def _download_url(client: Any, repository: Repository, digest: str) -> None:
    client.get_download_url_for_layer(registryId=repository.account, repositoryName=repository.name, layerDigest=digest)


def _complete_upload(client: Any, repository: Repository, digest: str) -> None:
    client.complete_layer_upload(
        registryId=repository.account,
        repositoryName=repository.name,
        uploadId=str(uuid.uuid4()),
        layerDigests=[digest],
    )


def _describe_images(client: Any, repository: Repository, digest: str) -> None:
    client.describe_images(registryId=repository.account, repositoryName=repository.name, maxResults=1)


def _describe_repository(client: Any, repository: Repository, digest: str) -> None:
    client.describe_repositories(registryId=repository.account, repositoryNames=[repository.name])


def _list_images(client: Any, repository: Repository, digest: str) -> None:
    client.list_images(registryId=repository.account, repositoryName=repository.name, maxResults=1)


def _get_policy(client: Any, repository: Repository, digest: str) -> None:
    client.get_repository_policy(registryId=repository.account, repositoryName=repository.name)


PROBES: dict[str, Callable[[Any, Repository, str], None]] = {
    "BatchCheckLayerAvailability": _layer_availability,
    "BatchGetImage": _get_image,
    "GetDownloadUrlForLayer": _download_url,
    "CompleteLayerUpload": _complete_upload,
    "DescribeImages": _describe_images,
    "DescribeRepositories": _describe_repository,
    "GetRepositoryPolicy": _get_policy,
    "ListImages": _list_images,
}
