"""Images and layers by the ECR API."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_tui.sandbox.manifests import DOCKER_MANIFEST, OCI_INDEX
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.seed_repositories import push_image
from ecr_tui.sandbox.world import utc_now

A, REGION = "111111111111", "eu-central-1"
REPOSITORY = "search/indexer"
NOWHERE = "sha256:" + "0" * 64


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def upload(client: Any, data: bytes, repository: str = REPOSITORY) -> str:
    started = client.initiate_layer_upload(repositoryName=repository)
    half = len(data) // 2
    for first, last in ((0, half - 1), (half, len(data) - 1)):
        answer = client.upload_layer_part(
            repositoryName=repository,
            uploadId=started["uploadId"],
            partFirstByte=first,
            partLastByte=last,
            layerPartBlob=data[first : last + 1],
        )
        assert answer["lastByteReceived"] == last
    done = client.complete_layer_upload(
        repositoryName=repository, uploadId=started["uploadId"], layerDigests=[digest(data)]
    )
    return str(done["layerDigest"])


def manifest(config: bytes, layer: bytes, note: str = "") -> str:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": {"mediaType": "a", "size": len(config), "digest": digest(config)},
            "layers": [{"mediaType": "b", "size": len(layer), "digest": digest(layer)}],
            "note": note,
        },
        indent=2,
    )


def put(client: Any, text: str, tag: str | None = None, repository: str = REPOSITORY, **more: Any) -> Any:
    named = {"imageTag": tag} if tag else {}
    return client.put_image(repositoryName=repository, imageManifest=text, **named, **more)["image"]


@pytest.fixture
def pushed(owner: Any) -> tuple[bytes, bytes]:
    """(config, layer) that are in REPOSITORY."""
    config, layer = b'{"os":"linux"}', b"layer-bytes" * 100
    for data in (config, layer):
        upload(owner, data)
    return config, layer


def test_an_image_by_the_api_alone(sandbox: Sandbox, owner: Any, pushed: tuple[bytes, bytes]) -> None:
    text = manifest(*pushed)
    image = put(owner, text, "v1")
    assert image["imageId"] == {"imageDigest": digest(text.encode()), "imageTag": "v1"}
    assert image["imageManifest"] == text
    (detail,) = owner.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": "v1"}])["imageDetails"]
    assert detail["imageDigest"] == digest(text.encode())
    assert detail["imageTags"] == ["v1"]
    assert detail["imageSizeInBytes"] == sum(map(len, pushed))
    assert detail["imageManifestMediaType"] == DOCKER_MANIFEST
    assert abs(detail["imagePushedAt"] - utc_now()) < timedelta(minutes=1)
    backend = sandbox.owner_backend()
    stored = backend.manifest(REPOSITORY, "v1")
    assert stored is not None
    assert (stored.digest, stored.body, stored.media_type) == (digest(text.encode()), text.encode(), DOCKER_MANIFEST)


def test_a_pull_is_recorded(sandbox: Sandbox, owner: Any, pushed: tuple[bytes, bytes]) -> None:
    put(owner, manifest(*pushed), "v1")
    described = {"repositoryName": REPOSITORY, "imageIds": [{"imageTag": "v1"}]}
    sandbox.owner_backend().manifest(REPOSITORY, "v1")
    (detail,) = owner.describe_images(**described)["imageDetails"]
    assert "lastRecordedPullTime" not in detail, "looked at, not pulled"
    sandbox.owner_backend().manifest(REPOSITORY, "v1", pull=True)
    (detail,) = owner.describe_images(**described)["imageDetails"]
    assert abs(detail["lastRecordedPullTime"] - utc_now()) < timedelta(minutes=1)


def test_the_registry_sides_images_are_the_apis(sandbox: Sandbox, owner: Any, pushed: tuple[bytes, bytes]) -> None:
    body = manifest(*pushed).encode()
    backend = sandbox.owner_backend()
    assert backend.put_manifest(REPOSITORY, "v1", DOCKER_MANIFEST, body) == digest(body)
    answer = owner.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": digest(body)}])
    assert answer["images"][0]["imageManifest"].encode() == body
    assert backend.tags(REPOSITORY) == ["main", "v1"]
    assert backend.delete_manifest(REPOSITORY, "v1")
    assert not backend.delete_manifest(REPOSITORY, digest(body))
    assert owner.describe_images(repositoryName=REPOSITORY)["imageDetails"][0]["imageTags"] == ["main"]


def test_a_tag_moves_and_leaves_an_untagged_image(owner: Any, pushed: tuple[bytes, bytes]) -> None:
    first, second = manifest(*pushed, note="1"), manifest(*pushed, note="2")
    put(owner, first, "v1")
    put(owner, second, "v1")
    put(owner, second, "v2")
    untagged = owner.list_images(repositoryName=REPOSITORY, filter={"tagStatus": "UNTAGGED"})["imageIds"]
    assert untagged == [{"imageDigest": digest(first.encode())}]
    tagged = owner.list_images(repositoryName=REPOSITORY, filter={"tagStatus": "TAGGED"})["imageIds"]
    assert {one["imageTag"] for one in tagged} == {"main", "v1", "v2"}
    details = owner.describe_images(repositoryName=REPOSITORY, filter={"tagStatus": "UNTAGGED"})["imageDetails"]
    assert "imageTags" not in details[0]


def test_the_same_image_again(owner: Any, pushed: tuple[bytes, bytes]) -> None:
    text = manifest(*pushed)
    put(owner, text, "v1")
    code, message = refusal(lambda: put(owner, text, "v1"))
    assert code == "ImageAlreadyExistsException"
    assert message == (
        f"Image with digest '{digest(text.encode())}' and tag 'v1' already exists in the repository with name "
        f"'{REPOSITORY}' in registry with id '{A}'"
    )


@pytest.mark.parametrize(
    ("setting", "filters", "tag", "refused"),
    [
        ("MUTABLE", [], "v1", False),
        ("IMMUTABLE", [], "v1", True),
        ("IMMUTABLE_WITH_EXCLUSION", ["dev-*"], "v1", True),
        ("IMMUTABLE_WITH_EXCLUSION", ["dev-*"], "dev-1", False),
        ("MUTABLE_WITH_EXCLUSION", ["rel-*"], "v1", False),
        ("MUTABLE_WITH_EXCLUSION", ["rel-*"], "rel-1", True),
        ("IMMUTABLE_WITH_EXCLUSION", ["d.v*"], "dev1", True),
    ],
)
def test_immutability(
    owner: Any, pushed: tuple[bytes, bytes], setting: str, filters: list[str], tag: str, refused: bool
) -> None:
    excluded = [{"filterType": "WILDCARD", "filter": one} for one in filters]
    more = {"imageTagMutabilityExclusionFilters": excluded} if excluded else {}
    owner.put_image_tag_mutability(repositoryName=REPOSITORY, imageTagMutability=setting, **more)
    put(owner, manifest(*pushed, note="1"), tag)
    if not refused:
        put(owner, manifest(*pushed, note="2"), tag)
        return
    code, message = refusal(lambda: put(owner, manifest(*pushed, note="2"), tag))
    assert code == "ImageTagAlreadyExistsException"
    assert message == (
        f"The image tag '{tag}' already exists in the '{REPOSITORY}' repository and cannot be overwritten because the "
        "repository is immutable."
    )


def test_an_immutable_tag_stays_even_for_the_same_image_by_the_registry(sandbox: Sandbox) -> None:
    from ecr_tui.sandbox.backend import TagImmutable

    backend = sandbox.owner_backend()
    stored = backend.manifest("payments/ledger", "stable")
    assert stored is not None
    with pytest.raises(TagImmutable):
        backend.put_manifest("payments/ledger", "stable", stored.media_type, stored.body)
    assert backend.put_manifest("payments/ledger", "another", stored.media_type, stored.body) == stored.digest


def test_images_that_are_refused(owner: Any, pushed: tuple[bytes, bytes]) -> None:
    assert refusal(lambda: put(owner, "{", "v1")) == (
        "InvalidParameterException",
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
    )
    code, message = refusal(lambda: put(owner, manifest(pushed[0], b"never uploaded"), "v1"))
    assert code == "LayersNotFoundException"
    assert digest(b"never uploaded") in message
    wrong = refusal(lambda: put(owner, manifest(*pushed), "v1", imageDigest=NOWHERE))
    assert wrong[0] == "ImageDigestDoesNotMatchException"
    assert refusal(lambda: put(owner, manifest(*pushed), "v1", "no/such"))[0] == "RepositoryNotFoundException"


def test_reading_what_is_not_there(owner: Any) -> None:
    answer = owner.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "nope"}, {"imageTag": "main"}])
    assert len(answer["images"]) == 1
    assert answer["failures"] == [
        {"imageId": {"imageTag": "nope"}, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
    ]
    code, message = refusal(
        lambda: owner.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageDigest": NOWHERE}])
    )
    assert code == "ImageNotFoundException"
    assert f"{{imageDigest:'{NOWHERE}', imageTag:'null'}}" in message


def test_a_tag_of_another_digest_is_not_found(owner: Any) -> None:
    wanted = [{"imageTag": "main", "imageDigest": NOWHERE}]
    assert owner.batch_get_image(repositoryName=REPOSITORY, imageIds=wanted)["images"] == []
    found = owner.list_images(repositoryName=REPOSITORY)["imageIds"]
    assert owner.batch_get_image(repositoryName=REPOSITORY, imageIds=found)["images"]


def test_deleting(owner: Any, pushed: tuple[bytes, bytes]) -> None:
    text = manifest(*pushed)
    name = digest(text.encode())
    for tag in ("one", "two", "three"):
        put(owner, text, tag)
    answer = owner.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "one"}])
    assert answer["imageIds"] == [{"imageDigest": name, "imageTag": "one"}]
    answer = owner.batch_delete_image(
        repositoryName=REPOSITORY, imageIds=[{"imageDigest": name}, {"imageDigest": NOWHERE}]
    )
    assert {one["imageTag"] for one in answer["imageIds"]} == {"two", "three"}
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageNotFound"]
    assert [one["imageTag"] for one in owner.list_images(repositoryName=REPOSITORY)["imageIds"]] == ["main"]


def test_the_last_tag_takes_the_image_along(owner: Any) -> None:
    owner.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "main"}])
    assert owner.list_images(repositoryName=REPOSITORY)["imageIds"] == []


def test_an_image_of_an_index_stays(owner: Any, pushed: tuple[bytes, bytes]) -> None:
    text = manifest(*pushed)
    put(owner, text)
    name = digest(text.encode())
    index = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [{"mediaType": DOCKER_MANIFEST, "size": len(text), "digest": name}],
        }
    )
    put(owner, index, "multi")
    failed = owner.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": name}])["failures"]
    assert failed[0]["failureCode"] == "ImageReferencedByManifestList"
    (detail,) = owner.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": "multi"}])["imageDetails"]
    assert detail["imageManifestMediaType"] == OCI_INDEX
    owner.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "multi"}])
    assert not owner.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": name}])["failures"]


@pytest.mark.parametrize(("operation", "key"), [("list_images", "imageIds"), ("describe_images", "imageDetails")])
def test_pages(sandbox: Sandbox, owner: Any, operation: str, key: str) -> None:
    for number in range(24):
        push_image(sandbox.world, A, REGION, REPOSITORY, f"t{number}", f"content {number}")
    with sandbox.world.lock:
        record = sandbox.world.records.find(A, REGION, REPOSITORY)
        assert record is not None
        record.images[-1].image_tags.clear()
    pages = owner.get_paginator(operation).paginate(repositoryName=REPOSITORY, PaginationConfig={"PageSize": 10})
    found = [[one["imageDigest"] for one in page[key]] for page in pages]
    assert [len(page) for page in found] == [10, 10, 5]
    assert len({one for page in found for one in page}) == 25
    assert refusal(lambda: getattr(owner, operation)(repositoryName=REPOSITORY, maxResults=1001))[0] == (
        "InvalidParameterException"
    )


def test_layers(owner: Any, pushed: tuple[bytes, bytes]) -> None:
    answer = owner.batch_check_layer_availability(
        repositoryName=REPOSITORY, layerDigests=[digest(pushed[1]), NOWHERE, "not a digest"]
    )
    there, absent = answer["layers"]
    assert (there["layerAvailability"], there["layerSize"]) == ("AVAILABLE", len(pushed[1]))
    assert absent["layerAvailability"] == "UNAVAILABLE"
    assert [one["failureCode"] for one in answer["failures"]] == ["InvalidLayerDigest"]


def test_a_layer_is_of_its_repository_only(owner: Any, pushed: tuple[bytes, bytes]) -> None:
    answer = owner.batch_check_layer_availability(repositoryName="tools/scratch", layerDigests=[digest(pushed[1])])
    assert answer["layers"][0]["layerAvailability"] == "UNAVAILABLE"


def test_a_download_url_needs_no_credentials_and_ends(
    sandbox: Sandbox, owner: Any, pushed: tuple[bytes, bytes]
) -> None:
    name = digest(pushed[1])
    url = owner.get_download_url_for_layer(repositoryName=REPOSITORY, layerDigest=name)["downloadUrl"]
    assert urllib.request.urlopen(url, timeout=5).read() == pushed[1]
    sandbox.clock = lambda: utc_now() + timedelta(hours=2)
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(url, timeout=5)
    sandbox.clock = utc_now
    missing = refusal(lambda: owner.get_download_url_for_layer(repositoryName=REPOSITORY, layerDigest=NOWHERE))
    assert missing[0] == "LayersNotFoundException"


def test_uploads_that_are_refused(owner: Any) -> None:
    upload_id = owner.initiate_layer_upload(repositoryName=REPOSITORY)["uploadId"]
    part = {"repositoryName": REPOSITORY, "uploadId": upload_id, "layerPartBlob": b"abc"}
    assert refusal(lambda: owner.upload_layer_part(**part, partFirstByte=5, partLastByte=7))[0] == (
        "InvalidLayerPartException"
    )
    complete = {"repositoryName": REPOSITORY, "layerDigests": [digest(b"other")]}
    assert refusal(lambda: owner.complete_layer_upload(**complete, uploadId=upload_id))[0] == "EmptyUploadException"
    owner.upload_layer_part(**part, partFirstByte=0, partLastByte=2)
    assert refusal(lambda: owner.complete_layer_upload(**complete, uploadId=upload_id))[0] == "InvalidLayerException"
    assert refusal(lambda: owner.complete_layer_upload(**complete, uploadId=upload_id))[0] == "UploadNotFoundException"
    unknown = {**part, "uploadId": "x"}
    assert refusal(lambda: owner.upload_layer_part(**unknown, partFirstByte=0, partLastByte=2))[0] == (
        "UploadNotFoundException"
    )


def test_a_repository_made_again_has_no_layers(owner: Any, pushed: tuple[bytes, bytes]) -> None:
    owner.delete_repository(repositoryName=REPOSITORY, force=True)
    owner.create_repository(repositoryName=REPOSITORY)
    answer = owner.batch_check_layer_availability(repositoryName=REPOSITORY, layerDigests=[digest(pushed[1])])
    assert answer["layers"][0]["layerAvailability"] == "UNAVAILABLE"
    upload(owner, pushed[1])


def test_a_layer_that_is_there_already(owner: Any, pushed: tuple[bytes, bytes]) -> None:
    assert refusal(lambda: upload(owner, pushed[1]))[0] == "LayerAlreadyExistsException"


@pytest.mark.parametrize("operation", ["batch_get_image", "batch_delete_image", "describe_images"])
def test_an_image_id_must_say_something(owner: Any, operation: str) -> None:
    call = getattr(owner, operation)
    assert refusal(lambda: call(repositoryName=REPOSITORY, imageIds=[{}]))[0] == "InvalidParameterException"
    many = [{"imageTag": f"t{number}"} for number in range(101)]
    assert refusal(lambda: call(repositoryName=REPOSITORY, imageIds=many))[0] == "InvalidParameterException"
