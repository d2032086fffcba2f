"""Validation of pushed manifests: the four kinds that clients send, and their references."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_IMAGES = (DOCKER_MANIFEST, OCI_MANIFEST)
_INDEXES = (DOCKER_LIST, OCI_INDEX)
INVALID_JSON = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
"""ECR's message for every manifest of an unsupported form, including valid JSON."""


class ManifestInvalid(Exception):
    """Not JSON, of an unknown kind, or its parts are not descriptors; the text is ECR's, as its registry says it."""


class MissingContent(Exception):
    """It refers to a blob or a manifest that the repository does not hold; ``code`` is the registry's error code."""

    def __init__(self, code: str, kind: str, digest: str) -> None:
        super().__init__(digest)
        self.code = code
        self._kind, self._digest = kind, digest

    @property
    def is_layer(self) -> bool:
        return self._kind == "Layers"

    def text(self, repository: str, registry: str) -> str:
        """In ECR's words; ``registry``: its account."""
        return (
            f"{self._kind} with digests '[{self._digest}]' required for pushing image into repository with name "
            f"'{repository}' in the registry with id '{registry}' do not exist"
        )


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def check_manifest(
    body: bytes, content_type: str, *, has_blob: Callable[[str], bool], has_manifest: Callable[[str], bool]
) -> str:
    """The manifest's media type. Raises :class:`ManifestInvalid`, :class:`MissingContent`."""
    try:
        document = json.loads(body)
    except ValueError:
        raise ManifestInvalid(INVALID_JSON) from None
    if not isinstance(document, dict):
        raise ManifestInvalid(INVALID_JSON)
    media_type = content_type.split(";", 1)[0].strip() or str(document.get("mediaType", ""))
    if media_type not in _IMAGES + _INDEXES:
        raise ManifestInvalid(f'Unsupported manifest type: "{media_type}"' if media_type else INVALID_JSON)
    if document.get("schemaVersion") != 2 or document.get("mediaType", media_type) != media_type:
        raise ManifestInvalid(INVALID_JSON)
    if media_type in _IMAGES:
        for descriptor in [document.get("config"), *_list(document, "layers")]:
            digest = _digest(descriptor)
            # A foreign layer names where to fetch it and is never pushed.
            if not has_blob(digest) and not (isinstance(descriptor, dict) and descriptor.get("urls")):
                raise MissingContent("BLOB_UPLOAD_UNKNOWN", "Layers", digest)
    else:
        for descriptor in _list(document, "manifests"):
            digest = _digest(descriptor)
            if not has_manifest(digest):
                raise MissingContent("MANIFEST_BLOB_UNKNOWN", "Images", digest)
    return media_type


def _list(document: dict[str, Any], key: str) -> list[Any]:
    value = document.get(key)
    if not isinstance(value, list):
        raise ManifestInvalid(INVALID_JSON)
    return value


def _digest(descriptor: Any) -> str:
    if not isinstance(descriptor, dict) or not isinstance(descriptor.get("digest"), str):
        raise ManifestInvalid(INVALID_JSON)
    digest: str = descriptor["digest"]
    return digest
