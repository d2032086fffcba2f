"""How many calls a listing makes, and what each page brings: counted at the door of the sandbox."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from math import ceil

import pytest

from ecr_tui.aws.inventory import list_repositories
from ecr_tui.aws.model import Repository, Role
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import CredentialsError, DeniedError, EcrTuiError, EnvironmentFailure
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.seed_repositories import seed_many
from ecr_tui.sandbox.world import ACCOUNT_A, AwsCall

REGION, OTHER = Sandbox.region, "us-east-1"


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(regions=(REGION, OTHER)) as sandbox:
        yield sandbox


@pytest.fixture
def owner(sandbox: Sandbox) -> AwsSession:
    return AwsSession(Role.OWNER, "account-a")


class Door:
    """Counts what comes in; ``refuse`` answers some of it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.calls: Counter[tuple[str, str]] = Counter()
        self.refusals: dict[tuple[str, str], ServiceError] = {}
        sandbox.fault = self

    def __call__(self, call: AwsCall) -> ServiceError | None:
        key = (call.operation, call.region)
        self.calls[key] += 1
        return self.refusals.get(key)

    def refuse(self, operation: str, region: str, code: str = "AccessDeniedException") -> None:
        self.refusals[operation, region] = ServiceError(code, "no")


def add(sandbox: Sandbox, region: str, tagged: int, untagged: int = 0) -> None:
    with sandbox.world.lock:
        for number in range(tagged):
            sandbox.world.records.create(ACCOUNT_A, region, f"many/t{number:05d}", {"Team": "Many"})
        for number in range(untagged):
            sandbox.world.records.create(ACCOUNT_A, region, f"many/u{number:05d}", {})


def known(sandbox: Sandbox, region: str) -> dict[str, dict[str, str]]:
    with sandbox.world.lock:
        records = sandbox.world.records
        return {one.name: records.tags(one) for one in records.after(ACCOUNT_A, region, "")}


@pytest.mark.parametrize(("tagged", "untagged"), [(0, 0), (100, 0), (101, 899), (1000, 0), (950, 1250)])
def test_a_listing_needs_as_many_calls_as_there_are_pages(
    sandbox: Sandbox, owner: AwsSession, tagged: int, untagged: int
) -> None:
    add(sandbox, OTHER, tagged, untagged)
    door = Door(sandbox)
    found = list_repositories(owner, [OTHER])
    assert {row.name: row.tags for row in found} == known(sandbox, OTHER)
    assert door.calls == {
        ("DescribeRepositories", OTHER): max(1, ceil((tagged + untagged) / 1000)),
        ("GetResources", OTHER): max(1, ceil(tagged / 100)),
    }


def test_regions_are_listed_with_the_calls_of_each(sandbox: Sandbox, owner: AwsSession) -> None:
    seed_many(sandbox.world, 1200)
    add(sandbox, OTHER, 150, 10)
    door = Door(sandbox)
    found = list_repositories(owner, [REGION, OTHER])
    for region in (REGION, OTHER):
        expected = known(sandbox, region)
        tagged = sum(bool(tags) for tags in expected.values())
        assert {row.name: row.tags for row in found if row.region == region} == expected
        assert door.calls["DescribeRepositories", region] == ceil(len(expected) / 1000)
        assert door.calls["GetResources", region] == ceil(tagged / 100)
    assert sum(door.calls.values()) == 2 + 1 + ceil(tagged / 100) + door.calls["GetResources", REGION]
    assert [row.region for row in found] == sorted((row.region for row in found), key=[REGION, OTHER].index)


def test_a_tag_filter_asks_for_the_matches_only(sandbox: Sandbox, owner: AwsSession) -> None:
    add(sandbox, OTHER, 250, 900)
    with sandbox.world.lock:
        for number in range(60):
            sandbox.world.records.create(ACCOUNT_A, OTHER, f"few/{number}", {"Team": "Few"})
    door = Door(sandbox)
    assert len(list_repositories(owner, [OTHER], tags={"Team": "Few"})) == 60
    assert door.calls == {("GetResources", OTHER): 1, ("DescribeRepositories", OTHER): 1}
    door.calls.clear()
    assert len(list_repositories(owner, [OTHER], tags={"Team": "Many"})) == 250
    assert door.calls == {("GetResources", OTHER): 3, ("DescribeRepositories", OTHER): 2}
    door.calls.clear()
    assert list_repositories(owner, [OTHER], tags={"Team": "Nobody"}) == []
    assert door.calls == {("GetResources", OTHER): 1}


def test_pages_come_as_they_arrive_and_in_the_end_every_row_has_its_tags(sandbox: Sandbox, owner: AwsSession) -> None:
    add(sandbox, OTHER, 2300, 200)
    pages: list[list[Repository]] = []
    found = list_repositories(owner, [OTHER], on_page=pages.append)
    shown: dict[str, Repository] = {}
    for page in pages:
        assert len({row.arn for row in page}) == len(page)
        shown |= {row.arn: row for row in page}
    assert sorted(shown.values(), key=lambda row: row.arn) == found
    assert {row.tags_source for row in shown.values()} == {"index"}
    # Tags come from 23 pages of the index, and are not handed on in as many.
    assert len(pages) < 3 + 23
    assert len(pages[0]) <= 1000


def test_a_region_that_fails_leaves_the_others(sandbox: Sandbox, owner: AwsSession) -> None:
    add(sandbox, OTHER, 5)
    door = Door(sandbox)
    door.refuse("DescribeRepositories", REGION)
    failures: dict[str, EcrTuiError] = {}
    found = list_repositories(owner, [REGION, OTHER], on_failure=failures.__setitem__)
    assert {row.region for row in found} == {OTHER}
    assert len(found) == 5
    assert isinstance(failures.pop(REGION), DeniedError)
    assert failures == {}
    with pytest.raises(DeniedError):
        list_repositories(owner, [REGION, OTHER])
    door.refuse("DescribeRepositories", OTHER)
    with pytest.raises(DeniedError):
        list_repositories(owner, [REGION, OTHER], on_failure=failures.__setitem__)
    assert set(failures) == {REGION, OTHER}


def test_a_region_that_is_not_enabled(sandbox: Sandbox, owner: AwsSession) -> None:
    door = Door(sandbox)
    for operation in ("DescribeRepositories", "GetResources"):
        door.refuse(operation, OTHER, "UnrecognizedClientException")
    failures: dict[str, EcrTuiError] = {}
    found = list_repositories(owner, [REGION, OTHER], on_failure=failures.__setitem__)
    assert {row.region for row in found} == {REGION}
    assert isinstance(failures[OTHER], CredentialsError)


def test_without_the_index_tags_are_read_one_by_one_and_say_so(sandbox: Sandbox, owner: AwsSession) -> None:
    add(sandbox, OTHER, 30, 3)
    door = Door(sandbox)
    door.refuse("GetResources", OTHER)
    pages: list[list[Repository]] = []
    found = list_repositories(owner, [REGION, OTHER], on_page=pages.append)
    assert {row.name: row.tags for row in found if row.region == OTHER} == known(sandbox, OTHER)
    assert {(row.region, row.tags_source) for row in found} == {(REGION, "index"), (OTHER, "live")}
    assert door.calls["ListTagsForResource", OTHER] == 33
    assert door.calls["ListTagsForResource", REGION] == 0
    first = {row.arn: row for row in reversed([row for page in pages for row in page])}
    assert {row.tags_source for row in first.values() if row.region == OTHER} == {""}


def test_tags_that_cannot_be_read_at_all_stay_unknown(sandbox: Sandbox, owner: AwsSession) -> None:
    add(sandbox, OTHER, 3)
    door = Door(sandbox)
    door.refuse("GetResources", OTHER)
    door.refuse("ListTagsForResource", OTHER)
    failures: dict[str, EcrTuiError] = {}
    found = list_repositories(owner, [OTHER], on_failure=failures.__setitem__)
    assert [(row.tags, row.tags_source) for row in found] == [(None, "")] * 3
    assert isinstance(failures[OTHER], DeniedError)


def test_times_are_read_without_a_detour(sandbox: Sandbox, owner: AwsSession) -> None:
    moment = datetime(2024, 2, 29, 12, 30, 15, 250_000, tzinfo=UTC)
    add(sandbox, OTHER, 1)
    with sandbox.world.lock:
        for record in sandbox.world.records.after(ACCOUNT_A, OTHER, ""):
            record.created_at = moment
    assert [row.created_at for row in list_repositories(owner, [OTHER])] == [moment]


# -- a client that is paced by its caller -----------------------------------------------------------------------------


@pytest.fixture
def repository(sandbox: Sandbox, owner: AwsSession) -> Repository:
    return next(row for row in list_repositories(owner, [REGION]) if row.name == "my-first-repo")


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_a_client_that_sends_once_leaves_every_failure_to_its_caller(
    sandbox: Sandbox, owner: AwsSession, repository: Repository, code: str
) -> None:
    door = Door(sandbox)
    door.refuse("GetRepositoryPolicy", REGION, code)
    with pytest.raises(EnvironmentFailure):
        RepositoryPolicies(owner, client=owner.ecr_once).read(repository)
    assert door.calls["GetRepositoryPolicy", REGION] == 1
    with pytest.raises(EnvironmentFailure):
        RepositoryPolicies(owner).read(repository)
    assert door.calls["GetRepositoryPolicy", REGION] == 1 + (3 if code == "ThrottlingException" else 1)


def test_the_three_kinds_of_client_share_nothing(owner: AwsSession) -> None:
    clients = [owner.client("ecr"), owner.client("ecr", background=True), owner.ecr_once()]
    assert len({id(client) for client in clients}) == 3
    assert owner.ecr_once() is clients[2]
    assert owner.ecr_once(OTHER) is not clients[2]


def test_a_grant_never_queues_at_the_rate_limiter_of_the_background(
    sandbox: Sandbox, owner: AwsSession, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The background is throttled without end and waits at its limiter; who grants passes by."""
    from botocore.retries.bucket import TokenBucket

    limited: set[int] = set()
    acquire = TokenBucket.acquire

    def watched(bucket: TokenBucket, *arguments: object, **more: object) -> object:
        limited.add(threading.get_ident())
        return acquire(bucket, *arguments, **more)

    monkeypatch.setattr(TokenBucket, "acquire", watched)
    granted, engaged = threading.Event(), threading.Event()
    throttled: list[str] = []

    def fault(call: AwsCall) -> ServiceError | None:
        if call.params.get("repositoryName") == repository.name or granted.is_set():
            return None
        throttled.append(call.operation)
        if len(throttled) >= 12:
            engaged.set()
        return ServiceError("ThrottlingException", "Rate exceeded")

    others = [row for row in list_repositories(owner, [REGION]) if row.name != repository.name]
    sandbox.fault = fault
    store = RepositoryPolicies(owner, background=True)
    readers = [threading.Thread(target=_read_quietly, args=(store, row), daemon=True) for row in others[:8]]
    for reader in readers:
        reader.start()
    assert engaged.wait(60)
    statement = {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "ecr:BatchGetImage"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    front = RepositoryPolicies(owner)
    assert front.read(repository) is None
    front.write(repository, text)
    assert front.read(repository) is not None
    waiting = [reader for reader in readers if reader.is_alive()]
    granted.set()
    assert waiting
    assert threading.get_ident() not in limited
    assert limited


def _read_quietly(store: RepositoryPolicies, repository: Repository) -> None:
    with contextlib.suppress(EcrTuiError):
        store.read(repository)
