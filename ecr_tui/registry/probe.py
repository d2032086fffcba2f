"""The probe image of a verification: created in memory, unique, less than 2 kB.

Unique content forces a full upload (no "already exists"), and the unique tag works in immutable repositories. One small
layer and Docker's manifest v2 schema 2, which every ECR repository accepts.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import secrets
import tarfile
from datetime import UTC, datetime
from typing import NamedTuple

TAG_PREFIX = "ecr-tui-verify-"
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def is_probe_tag(tag: str) -> bool:
    """Whether a tag is a probe's, of this or an earlier run, so that it may be removed."""
    return tag.startswith(TAG_PREFIX)


class ProbeImage(NamedTuple):
    """``layer`` is the gzipped tar as transferred, ``layer_tar`` the same uncompressed (basis of its diff id)."""

    tag: str
    config: bytes
    layer: bytes
    layer_tar: bytes
    manifest: bytes

    @property
    def digest(self) -> str:
        """The manifest's digest. A container engine recompresses the layer, so it pushes another manifest."""
        return digest_of(self.manifest)

    @property
    def image_id(self) -> str:
        """The config's digest: the id that Docker's classic image store gives it."""
        return digest_of(self.config)

    def docker_archive(self, name: str) -> bytes:
        """A ``docker save`` archive that loads as ``name`` ("host/repository:tag")."""
        files = {
            "config.json": self.config,
            "layer.tar": self.layer_tar,
            "manifest.json": _json([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]),
        }
        return _tar(files, 0)


def make_probe(now: datetime, *, unique: str = "") -> ProbeImage:
    """A new probe image; ``now`` must be aware. ``unique`` replaces the random part, for repeatable tests."""
    unique = unique or secrets.token_hex(6)
    moment = now.astimezone(UTC)
    tag = f"{TAG_PREFIX}{moment:%Y%m%dt%H%M%Sz}-{unique}"
    layer_tar = _tar({"ecr-tui-verify": f"{tag}\n".encode()}, int(moment.timestamp()))
    layer = gzip.compress(layer_tar, mtime=0)
    config = _json(
        {
            "architecture": _ARCHITECTURES.get(platform.machine().lower(), "amd64"),
            "os": "linux",
            "created": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "config": {"Labels": {"ecr-tui.verify": tag}},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer_tar)]},
            "history": [{"created": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "created_by": "ecr-tui verify"}],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": _CONFIG_TYPE, "size": len(config), "digest": digest_of(config)},
            "layers": [{"mediaType": _LAYER_TYPE, "size": len(layer), "digest": digest_of(layer)}],
        }
    )
    return ProbeImage(tag, config, layer, layer_tar, manifest)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _tar(files: dict[str, bytes], mtime: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), mtime, 0o644
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
