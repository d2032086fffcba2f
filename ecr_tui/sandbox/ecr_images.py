"""ECR: images. Listing, reading, putting and deleting by the API; the registry side uses the same records."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from moto.ecr.models import Image, Repository

from ecr_tui.sandbox import images, paging
from ecr_tui.sandbox.aws_errors import ServiceError, invalid
from ecr_tui.sandbox.backend import TagImmutable
from ecr_tui.sandbox.ecr_access import RepositoryAccess
from ecr_tui.sandbox.ecr_replication import replicate
from ecr_tui.sandbox.manifests import ManifestInvalid, MissingContent, check_manifest, digest_of
from ecr_tui.sandbox.world import AwsCall, World

_PAGE, _PAGE_MAX, _IDS_MAX = 100, 1000, 100


class EcrImages:
    def __init__(self, world: World, access: RepositoryAccess) -> None:
        self._world = world
        self._access = access
        self.operations = {
            "ListImages": self.list_images,
            "DescribeImages": self.describe,
            "BatchGetImage": self.batch_get,
            "BatchDeleteImage": self.batch_delete,
            "PutImage": self.put,
        }

    def list_images(self, call: AwsCall) -> dict[str, Any]:
        record = self._access.record(call, "ecr:ListImages")
        entries = sorted(
            (image.image_digest, tag) for image in _filtered(call, record) for tag in sorted(image.image_tags) or [""]
        )
        page, token = _page(call, entries, "images")
        ids = [{"imageDigest": digest} | ({"imageTag": tag} if tag else {}) for digest, tag in page]
        return {"imageIds": ids} | token

    def describe(self, call: AwsCall) -> dict[str, Any]:
        record = self._access.record(call, "ecr:DescribeImages")
        wanted = _image_ids(call)
        if wanted:
            return {"imageDetails": [_detail(record, _required(record, one)) for one in wanted]}
        found = {image.image_digest: image for image in _filtered(call, record)}
        page, token = _page(call, sorted((digest, "") for digest in found), "details")
        return {"imageDetails": [_detail(record, found[digest]) for digest, _ in page]} | token

    def batch_get(self, call: AwsCall) -> dict[str, Any]:
        record = self._access.record(call, "ecr:BatchGetImage")
        found, failures = [], []
        for wanted in _image_ids(call):
            image = _match(record, wanted)
            if image is None:
                failures.append(_failure(wanted, "ImageNotFound", "Requested image not found"))
            else:
                images.record_pull(image, self._world.clock())
                found.append(_image(record, image, wanted.get("imageTag")))
        return {"images": found, "failures": failures}

    def batch_delete(self, call: AwsCall) -> dict[str, Any]:
        record = self._access.record(call, "ecr:BatchDeleteImage")
        deleted: list[dict[str, str]] = []
        failures = []
        for wanted in _image_ids(call):
            image = _match(record, wanted)
            if image is None:
                failures.append(_failure(wanted, "ImageNotFound", "Requested image not found"))
                continue
            whole = "imageTag" not in wanted or image.image_tags == [wanted["imageTag"]]
            parent = images.parent_of(record, image.image_digest) if whole else None
            if parent is not None:
                reason = f"Requested image referenced by manifest list: [{parent}]"
                failures.append(_failure(wanted, "ImageReferencedByManifestList", reason))
                continue
            gone = [wanted["imageTag"]] if "imageTag" in wanted else [*image.image_tags]
            images.delete(record, wanted.get("imageTag") or image.image_digest)
            deleted += [
                {"imageDigest": image.image_digest} | ({"imageTag": tag} if tag else {}) for tag in gone or [""]
            ]
        return {"imageIds": deleted, "failures": failures}

    def put(self, call: AwsCall) -> dict[str, Any]:
        record = self._access.record(call, "ecr:PutImage")
        body = str(call.params.get("imageManifest", "")).encode()
        tag = str(call.params["imageTag"]) if call.params.get("imageTag") else None
        blobs = self._world.blobs[record.account_id, call.region]
        try:
            media_type = check_manifest(
                body,
                str(call.params.get("imageManifestMediaType") or ""),
                has_blob=lambda digest: blobs.size(record.name, digest) is not None,
                has_manifest=lambda digest: images.by_digest(record, digest) is not None,
            )
        except ManifestInvalid as problem:
            raise ServiceError("InvalidParameterException", str(problem)) from None
        except MissingContent as missing:
            code = "LayersNotFoundException" if missing.is_layer else "ReferencedImagesNotFoundException"
            raise ServiceError(code, missing.text(record.name, record.account_id)) from None
        return {"image": self._put(record, tag, media_type, body, call.params.get("imageDigest"))}

    def _put(self, record: Repository, tag: str | None, media_type: str, body: bytes, stated: object) -> dict[str, Any]:
        digest = digest_of(body)
        if stated is not None and stated != digest:
            raise ServiceError(
                "ImageDigestDoesNotMatchException",
                f"The specified image digest '{stated}' does not match the digest calculated by ECR: '{digest}'",
            )
        image = images.by_digest(record, digest)
        where = f"in the repository with name '{record.name}' in registry with id '{record.account_id}'"
        if image is not None and (tag is None or tag in image.image_tags):
            raise ServiceError(
                "ImageAlreadyExistsException",
                f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists {where}",
            )
        try:
            images.put(record, tag, media_type, body, self._world.clock())
        except TagImmutable:
            raise ServiceError(
                "ImageTagAlreadyExistsException",
                f"The image tag '{tag}' already exists in the '{record.name}' repository and cannot be overwritten "
                "because the repository is immutable.",
            ) from None
        replicate(self._world, self._access, record, digest, tag)
        put = images.by_digest(record, digest)
        if put is None:
            raise LookupError(digest)
        return _image(record, put, tag)


def _page(call: AwsCall, entries: list[tuple[str, str]], kind: str) -> tuple[list[tuple[str, str]], dict[str, str]]:
    size = paging.page_size(call.params, _PAGE, _PAGE_MAX)
    digest, _, tag = paging.marker_of(call.params.get("nextToken"), kind).partition(" ")
    start = bisect_right(entries, (digest, tag)) if digest else 0
    page, token = paging.take(entries[start:], size, kind, " ".join)
    return page, {"nextToken": token} if token else {}


def _filtered(call: AwsCall, record: Repository) -> list[Image]:
    chosen = call.params.get("filter")
    status = chosen.get("tagStatus", "ANY") if isinstance(chosen, dict) else "ANY"
    return [image for image in record.images if status == "ANY" or bool(image.image_tags) == (status == "TAGGED")]


def _image_ids(call: AwsCall) -> list[dict[str, str]]:
    wanted = call.params.get("imageIds")
    ids = [one for one in wanted if isinstance(one, dict)] if isinstance(wanted, list) else []
    if len(ids) > _IDS_MAX:
        raise invalid("imageIds", f"Member must have length less than or equal to {_IDS_MAX}")
    for one in ids:
        if not one.get("imageTag") and not one.get("imageDigest"):
            raise invalid("imageIds", "Invalid request parameters: both tag and digest cannot be null")
    return ids


def _match(record: Repository, wanted: dict[str, str]) -> Image | None:
    """By digest, by tag, or by both if both are given."""
    image = images.find(record, wanted.get("imageDigest") or wanted["imageTag"])
    if image is not None and wanted.get("imageTag") and wanted["imageTag"] not in image.image_tags:
        return None
    return image


def _required(record: Repository, wanted: dict[str, str]) -> Image:
    image = _match(record, wanted)
    if image is None:
        digest, tag = wanted.get("imageDigest") or "null", wanted.get("imageTag") or "null"
        raise ServiceError(
            "ImageNotFoundException",
            f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the repository "
            f"with name '{record.name}' in the registry with id '{record.account_id}'",
        )
    return image


def _detail(record: Repository, image: Image) -> dict[str, Any]:
    found: dict[str, Any] = {
        "registryId": record.account_id,
        "repositoryName": record.name,
        "imageDigest": image.image_digest,
        "imagePushedAt": image.image_pushed_at,
        "imageManifestMediaType": image.image_manifest_media_type,
    }
    if image.image_tags:
        found["imageTags"] = [*image.image_tags]
    pulled = images.last_pull(image)
    if pulled is not None:
        found["lastRecordedPullTime"] = pulled
    size = images.size(image)
    return found if size is None else found | {"imageSizeInBytes": size}


def _image(record: Repository, image: Image, tag: str | None) -> dict[str, Any]:
    return {
        "registryId": record.account_id,
        "repositoryName": record.name,
        "imageId": {"imageDigest": image.image_digest} | ({"imageTag": tag} if tag else {}),
        "imageManifest": image.image_manifest,
        "imageManifestMediaType": image.image_manifest_media_type,
    }


def _failure(wanted: dict[str, str], code: str, reason: str) -> dict[str, Any]:
    return {"imageId": wanted, "failureCode": code, "failureReason": reason}
