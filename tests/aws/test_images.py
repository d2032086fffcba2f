"""Choosing an image to pull, questions that change nothing, and single tags: on the sandbox."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from ecr_tui.aws.access import PROBES, probe_action
from ecr_tui.aws.images import image_by_tag, newest_image
from ecr_tui.aws.inventory import first_repositories, get_repository, live_tags
from ecr_tui.aws.model import Role
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.aws.tags import RepositoryTags
from ecr_tui.errors import DeniedError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.seed_repositories import push_image
from ecr_tui.sandbox.world import ACCOUNT_A, REGION

NAME = "payments/api"


@pytest.fixture
def owner(sandbox: Sandbox) -> AwsSession:
    return AwsSession(Role.OWNER, "account-a")


@pytest.fixture
def push(sandbox: Sandbox) -> Callable[[str, str], str]:
    def pushed(tag: str, content: str) -> str:
        with sandbox.world.lock:
            return push_image(sandbox.world, ACCOUNT_A, REGION, NAME, tag, content)

    return pushed


def test_the_newest_that_is_not_too_large(owner: AwsSession, push: Callable[[str, str], str]) -> None:
    repository = get_repository(owner, NAME, REGION)
    assert (newest_image(owner, repository, largest=10**6) or pytest.fail("none")).tag == "v1.4.1"
    content = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(100))
    digest = push("large", content)
    newest = newest_image(owner, repository, largest=10**6)
    assert newest is not None
    assert (newest.tag, newest.digest) == ("large", digest)
    assert newest.size is not None
    assert newest.size > 1000
    below = newest_image(owner, repository, largest=newest.size - 1)
    assert below is not None
    assert below.tag != "large"
    # Where all are too large, the smallest has to do.
    smallest = newest_image(owner, repository, largest=1)
    assert smallest is not None
    assert smallest.size == min(
        one.size or 0 for tag in ("v1.4.1", "v1.4.2", "large") if (one := image_by_tag(owner, repository, tag))
    )


def test_a_probe_is_no_image_to_pull(owner: AwsSession, push: Callable[[str, str], str]) -> None:
    repository = get_repository(owner, NAME, REGION)
    push("ecr-tui-verify-1", "probe")
    found = newest_image(owner, repository, largest=10**6, except_for="ecr-tui-verify-")
    assert found is not None
    assert found.tag == "v1.4.1"
    empty = get_repository(owner, "tools/scratch", REGION)
    assert newest_image(owner, empty, largest=10**6) is None
    assert image_by_tag(owner, repository, "nowhere") is None


@pytest.mark.parametrize("action", sorted(PROBES))
def test_a_question_changes_nothing(sandbox: Sandbox, owner: AwsSession, action: str) -> None:
    consumer = AwsSession(Role.CONSUMER, "dev-acc")
    denied = get_repository(owner, "my-first-repo", REGION)
    granted = get_repository(owner, "payments/legacy", REGION)
    words = probe_action(consumer, denied, f"ecr:{action}")
    assert words is not None
    assert f"is not authorized to perform: ecr:{action}" in words
    assert probe_action(consumer, granted, action) is None
    assert sum(store.open_uploads() for store in sandbox.world.blobs.values()) == 0


def test_one_tag_at_a_time(owner: AwsSession) -> None:
    repository = get_repository(owner, "payments/ledger", REGION)
    before = live_tags(owner, repository)
    RepositoryTags(owner).remove_tags(repository, ["Team"])
    RepositoryTags(owner).remove_tags(repository, ["Team"])
    assert live_tags(owner, repository) == {"Stage": "prod"}
    RepositoryTags(owner).set_tags(repository, {"Team": "Payments"})
    assert live_tags(owner, repository) == before
    with pytest.raises(DeniedError, match="UntagResource"):
        RepositoryTags(AwsSession(Role.CONSUMER, "dev-acc")).remove_tags(repository, ["Team"])


def test_a_page_of_repositories(owner: AwsSession) -> None:
    assert len(first_repositories(owner, REGION, 3)) == 3
