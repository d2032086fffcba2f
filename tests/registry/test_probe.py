from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from datetime import UTC, datetime, timedelta, timezone

from ecr_tui.registry.probe import TAG_PREFIX, ProbeImage, digest_of, is_probe_tag, make_probe

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_it_is_small_and_unique() -> None:
    one, two = make_probe(NOW), make_probe(NOW)
    assert len(one.config) + len(one.layer) + len(one.manifest) < 2000
    assert one.tag != two.tag
    assert digest_of(one.layer) != digest_of(two.layer)
    assert digest_of(one.config) != digest_of(two.config)


def test_the_same_input_makes_the_same_bytes() -> None:
    assert make_probe(NOW, unique="a") == make_probe(NOW, unique="a")


def test_the_tag_is_one_that_every_registry_takes() -> None:
    moment = datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    assert make_probe(moment, unique="abc").tag == "ecr-tui-verify-20260102t030405z-abc"
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,127}", make_probe(NOW).tag)
    assert is_probe_tag(make_probe(NOW).tag)
    assert not is_probe_tag("latest")
    assert TAG_PREFIX.startswith("ecr-tui-verify")


def test_the_manifest_describes_its_parts() -> None:
    image = make_probe(NOW)
    manifest = json.loads(image.manifest)
    config, (layer,) = manifest["config"], manifest["layers"]
    assert (config["digest"], config["size"]) == (digest_of(image.config), len(image.config))
    assert (layer["digest"], layer["size"]) == (digest_of(image.layer), len(image.layer))
    assert gzip.decompress(image.layer) == image.layer_tar
    assert json.loads(image.config)["rootfs"]["diff_ids"] == [digest_of(image.layer_tar)]
    with tarfile.open(fileobj=io.BytesIO(image.layer_tar)) as archive:
        (member,) = archive.getmembers()
        assert archive.extractfile(member).read() == f"{image.tag}\n".encode()


def test_the_docker_archive_carries_the_name() -> None:
    image: ProbeImage = make_probe(NOW)
    with tarfile.open(fileobj=io.BytesIO(image.docker_archive("host/repo:tag"))) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive.getmembers()}
    (entry,) = json.loads(files["manifest.json"])
    assert entry["RepoTags"] == ["host/repo:tag"]
    assert files[entry["Config"]] == image.config
    assert [files[name] for name in entry["Layers"]] == [image.layer_tar]
