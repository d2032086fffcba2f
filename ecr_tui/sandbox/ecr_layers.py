"""ECR: layers by the API, on the same store as the registry side."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from ecr_tui.sandbox.aws_errors import ServiceError, invalid
from ecr_tui.sandbox.blobs import BlobStore, BlobTooLarge, DigestMismatch, OffsetMismatch, UploadMissing
from ecr_tui.sandbox.ecr_access import RepositoryAccess
from ecr_tui.sandbox.world import AwsCall, World

PART_SIZE = 10 * 1024 * 1024
URL_LIFETIME = timedelta(hours=1)
DOWNLOADS = "/layers/"
_DIGEST = re.compile(r"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+")
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class Layers:
    """``base_url`` is set by the sandbox once its port is known."""

    def __init__(self, world: World, access: RepositoryAccess) -> None:
        self._world = world
        self._access = access
        self._downloads: dict[str, tuple[BlobStore, str, str, datetime]] = {}
        self.base_url = ""
        self.operations = {
            "BatchCheckLayerAvailability": self.check,
            "GetDownloadUrlForLayer": self.url,
            "InitiateLayerUpload": self.start,
            "UploadLayerPart": self.part,
            "CompleteLayerUpload": self.finish,
        }

    def check(self, call: AwsCall) -> dict[str, Any]:
        store, name, _ = self._open(call, "ecr:BatchCheckLayerAvailability")
        layers: list[dict[str, Any]] = []
        failures = []
        for digest in _digests(call):
            size = store.size(name, digest)
            if not _DIGEST.fullmatch(digest):
                code, reason = "InvalidLayerDigest", f"Invalid layer digest: '{digest}'"
                failures.append({"layerDigest": digest, "failureCode": code, "failureReason": reason})
            elif size is None:
                layers.append({"layerDigest": digest, "layerAvailability": "UNAVAILABLE", "mediaType": _LAYER_TYPE})
            else:
                layers.append(
                    {
                        "layerDigest": digest,
                        "layerAvailability": "AVAILABLE",
                        "layerSize": size,
                        "mediaType": _LAYER_TYPE,
                    }
                )
        return {"layers": layers, "failures": failures}

    def url(self, call: AwsCall) -> dict[str, Any]:
        store, name, where = self._open(call, "ecr:GetDownloadUrlForLayer")
        digest = str(call.params.get("layerDigest", ""))
        if store.size(name, digest) is None:
            raise ServiceError("LayersNotFoundException", f"The layer with digest '{digest}' does not exist {where}")
        now = self._world.clock()
        self._downloads = {key: one for key, one in self._downloads.items() if one[3] > now}
        key = secrets.token_urlsafe(32)
        self._downloads[key] = (store, name, digest, now + URL_LIFETIME)
        return {"downloadUrl": f"{self.base_url}{DOWNLOADS}{key}", "layerDigest": digest}

    def download(self, key: str) -> bytes | None:
        """The bytes behind a download URL's last part; None when it is unknown or has expired."""
        with self._world.lock:
            found = self._downloads.get(key)
        if found is None or found[3] <= self._world.clock():
            return None
        store, name, digest, _ = found
        return store.get(name, digest)

    def start(self, call: AwsCall) -> dict[str, Any]:
        store, name, _ = self._open(call, "ecr:InitiateLayerUpload")
        return {"uploadId": store.start(name), "partSize": PART_SIZE}

    def part(self, call: AwsCall) -> dict[str, Any]:
        store, name, where = self._open(call, "ecr:UploadLayerPart")
        upload = str(call.params.get("uploadId", ""))
        try:
            data = base64.b64decode(str(call.params.get("layerPartBlob", "")), validate=True)
        except binascii.Error:
            raise invalid("layerPartBlob", "Invalid base64") from None
        first = call.params.get("partFirstByte")
        try:
            received = store.append(name, upload, data, first if isinstance(first, int) else None)
        except UploadMissing:
            raise _no_upload(upload, where) from None
        except OffsetMismatch:
            raise ServiceError(
                "InvalidLayerPartException", f"Invalid layer part upload for upload with id '{upload}' {where}"
            ) from None
        except BlobTooLarge as large:
            raise ServiceError("LimitExceededException", str(large)) from None
        return _ids(call, name) | {"uploadId": upload, "lastByteReceived": received - 1}

    def finish(self, call: AwsCall) -> dict[str, Any]:
        store, name, where = self._open(call, "ecr:CompleteLayerUpload")
        upload = str(call.params.get("uploadId", ""))
        stated = _digests(call)
        digest = next((one for one in stated if one.startswith("sha256:")), "")
        try:
            if not store.uploaded(name, upload):
                raise ServiceError(
                    "EmptyUploadException", f"Upload with id '{upload}' {where} does not contain any layer parts"
                )
            if store.size(name, digest) is not None:
                store.cancel(name, upload)
                raise ServiceError(
                    "LayerAlreadyExistsException", f"The layer with digest '{digest}' already exists {where}"
                )
            store.finish(name, upload, digest)
        except UploadMissing:
            raise _no_upload(upload, where) from None
        except DigestMismatch:
            raise ServiceError(
                "InvalidLayerException",
                f"The layer digest given does not match the digest calculated by ECR for upload '{upload}' {where}",
            ) from None
        return _ids(call, name) | {"uploadId": upload, "layerDigest": digest}

    def _open(self, call: AwsCall, action: str) -> tuple[BlobStore, str, str]:
        """(the registry's store, the repository's name, AWS's words for where). Raises as ``access.record``."""
        record = self._access.record(call, action)
        where = f"in the repository with name '{record.name}' in the registry with id '{record.account_id}'"
        return self._world.blobs[record.account_id, call.region], record.name, where


def _ids(call: AwsCall, name: str) -> dict[str, Any]:
    return {"registryId": call.params.get("registryId") or call.principal.account, "repositoryName": name}


def _digests(call: AwsCall) -> list[str]:
    wanted = call.params.get("layerDigests")
    return [str(digest) for digest in wanted] if isinstance(wanted, list) else []


def _no_upload(upload: str, where: str) -> ServiceError:
    return ServiceError("UploadNotFoundException", f"Upload with id '{upload}' could not be found {where}")
