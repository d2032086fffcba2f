from __future__ import annotations

import threading
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.aws.inventory import get_repository, list_repositories
from ecr_tui.aws.model import Repository, Role
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import Cancelled, DeniedError, EcrTuiError, EnvironmentFailure, InputError
from tests.aws.fake_aws import AwsError, FakeAws, repository_item

REGION = "eu-central-1"
GONE = "deleted/yesterday"


class Registry:
    """Pages and filters as AWS does; its tag index also remembers a deleted repository."""

    def __init__(self, fake: FakeAws, tags: dict[str, dict[str, str]], index: dict[str, dict[str, str]] | None = None):
        self.tags = tags
        self.index = {name: t for name, t in tags.items() if t} if index is None else index
        fake.on("DescribeRepositories", self.describe)
        fake.on("GetResources", self.resources)
        fake.on("ListTagsForResource", self.list_tags)

    def describe(self, p: dict[str, Any]) -> dict[str, Any]:
        if "repositoryNames" in p:
            assert len(p["repositoryNames"]) <= 100
            assert "maxResults" not in p
            for name in p["repositoryNames"]:
                if name not in self.tags:
                    raise AwsError("RepositoryNotFoundException", f"The repository with name '{name}' does not exist")
            return {"repositories": [repository_item(name) for name in p["repositoryNames"]]}
        assert p["maxResults"] == 1000
        at = int(p.get("nextToken", 0))
        names = list(self.tags)[at : at + 1000]
        more = {"nextToken": str(at + 1000)} if at + 1000 < len(self.tags) else {}
        return {"repositories": [repository_item(name) for name in names], **more}

    def resources(self, p: dict[str, Any]) -> dict[str, Any]:
        assert p["ResourceTypeFilters"] == ["ecr:repository"]
        assert p["ResourcesPerPage"] == 100
        wanted = {(f["Key"], value) for f in p.get("TagFilters", []) for value in f["Values"]}
        matching = [(n, t) for n, t in self.index.items() if wanted <= set(t.items())]
        at = int(p.get("PaginationToken") or 0)
        token = str(at + 100) if at + 100 < len(matching) else ""
        return {
            "PaginationToken": token,
            "ResourceTagMappingList": [
                {"ResourceARN": arn(n), "Tags": [{"Key": k, "Value": v} for k, v in t.items()]}
                for n, t in matching[at : at + 100]
            ],
        }

    def list_tags(self, p: dict[str, Any]) -> dict[str, Any]:
        name = p["resourceArn"].partition(":repository/")[2]
        return {"tags": [{"Key": k, "Value": v} for k, v in self.tags[name].items()]}


def arn(name: str) -> str:
    return f"arn:aws:ecr:{REGION}:111111111111:repository/{name}"


def big(count: int, tagged: int) -> dict[str, dict[str, str]]:
    return {f"r{n:05}": ({"Team": "Payments" if n % 2 else "Web"} if n < tagged else {}) for n in range(count)}


def test_repositories_get_their_tags(session: AwsSession, fake: FakeAws) -> None:
    index = {"bb": {"Team": "Payments"}, "cc": {}, GONE: {"Team": "Old"}}
    Registry(fake, {"bb": {"Team": "Payments"}, "aa": {}, "cc": {}}, index)
    found = list_repositories(session, [REGION])
    assert [(r.name, r.tags) for r in found] == [("aa", {}), ("bb", {"Team": "Payments"}), ("cc", {})]
    assert found[1].host == "111111111111.dkr.ecr.eu-central-1.amazonaws.com"
    assert found[1].region == REGION
    assert found[1].created_at is not None


def test_names_come_in_order_however_aws_sends_them(session: AwsSession, fake: FakeAws) -> None:
    names = [f"team/app{number:04}" for number in range(1200)]
    mixed = names[1::2] + names[-2::-2]
    Registry(fake, {name: {"Number": name} for name in mixed})
    found = list_repositories(session, [REGION])
    assert [one.name for one in found] == names
    assert all(one.tags == {"Number": one.name} for one in found)


@pytest.mark.parametrize(("count", "tagged"), [(0, 0), (1, 1), (100, 100), (101, 101), (2_500, 730)])
def test_as_few_calls_as_possible(count: int, tagged: int, session: AwsSession, fake: FakeAws) -> None:
    names = big(count, tagged)
    Registry(fake, names)
    found = list_repositories(session, [REGION])
    assert {r.name: r.tags for r in found} == names
    calls = fake.calls["DescribeRepositories"] + fake.calls["GetResources"]
    assert calls <= max(1, ceil(count / 1000)) + max(1, ceil(tagged / 100))
    assert fake.calls["ListTagsForResource"] == 0


@pytest.mark.parametrize("count", [30, 450])
def test_tag_filter_is_aws_business(count: int, session: AwsSession, fake: FakeAws) -> None:
    names = big(2_000, count)
    Registry(fake, names)
    pages: list[Repository] = []
    found = list_repositories(session, [REGION], tags={"Team": "Payments"}, on_page=pages.extend)
    assert [r.name for r in found] == [name for name, tags in names.items() if tags.get("Team") == "Payments"]
    assert pages == found
    assert fake.sent("GetResources")[0]["TagFilters"] == [{"Key": "Team", "Values": ["Payments"]}]
    matches = count // 2
    allowed = ceil(matches / 100) + (1 if matches <= 100 else 2)
    assert fake.calls["DescribeRepositories"] + fake.calls["GetResources"] <= allowed


def test_all_pairs_of_a_filter_must_match(session: AwsSession, fake: FakeAws) -> None:
    Registry(fake, {"aa": {"Team": "P", "Env": "prod"}, "bb": {"Team": "P"}, "cc": {"Env": "prod"}})
    found = list_repositories(session, [REGION], tags={"Team": "P", "Env": "prod"})
    assert [r.name for r in found] == ["aa"]


def test_filter_survives_a_deleted_repository_in_the_index(session: AwsSession, fake: FakeAws) -> None:
    Registry(fake, {"aa": {"Team": "P"}}, {"aa": {"Team": "P"}, GONE: {"Team": "P"}})
    found = list_repositories(session, [REGION], tags={"Team": "P"})
    assert [(r.name, r.tags) for r in found] == [("aa", {"Team": "P"})]


def test_pages_are_shown_before_the_tags_arrive(session: AwsSession, fake: FakeAws) -> None:
    registry = Registry(fake, big(1_500, 10))
    shown = threading.Event()

    def late(p: dict[str, Any]) -> dict[str, Any]:
        assert shown.wait(10)
        return registry.resources(p)

    fake.on("GetResources", late)
    pages: list[list[tuple[str, dict[str, str] | None]]] = []
    threads: set[threading.Thread] = set()

    def on_page(page: list[Repository]) -> None:
        threads.add(threading.current_thread())
        pages.append([(r.name, r.tags) for r in page])
        if len(pages) == 2:
            shown.set()

    found = list_repositories(session, [REGION], on_page=on_page)
    assert [len(page) for page in pages[:2]] == [1000, 500]
    assert all(tags is None for page in pages[:2] for _, tags in page)
    latest = {name: tags for page in pages for name, tags in page}
    assert latest == {r.name: r.tags for r in found} == registry.tags
    assert threads == {threading.current_thread()}


@pytest.mark.parametrize("tags", [None, {"Team": "Payments"}])
def test_without_permission_for_the_index_each_repository_is_asked(
    tags: dict[str, str] | None, session: AwsSession, fake: FakeAws
) -> None:
    names = big(40, 20)
    Registry(fake, names)
    fake.fail("GetResources", "AccessDeniedException", "not authorized to perform: tag:GetResources")
    open_calls = peak = 0
    lock, full = threading.Lock(), threading.Event()
    registry = fake.handlers["ListTagsForResource"]

    def counted(p: dict[str, Any]) -> Any:
        nonlocal open_calls, peak
        with lock:
            open_calls += 1
            peak = max(peak, open_calls)
            if open_calls == 8:
                full.set()
        assert full.wait(10)
        try:
            if p["resourceArn"].endswith("r00007"):
                raise AwsError("RepositoryNotFoundException", "deleted meanwhile")
            return registry(p)
        finally:
            with lock:
                open_calls -= 1

    fake.on("ListTagsForResource", counted)
    found = {r.name: r.tags for r in list_repositories(session, [REGION], tags=tags)}
    expected: dict[str, dict[str, str] | None] = {
        n: t for n, t in names.items() if not tags or tags.items() <= t.items()
    }
    if tags:
        del expected["r00007"]
    else:
        expected["r00007"] = None
    assert found == expected
    assert fake.calls["ListTagsForResource"] == 40
    assert peak == 8


def test_a_region_that_fails_does_not_spoil_the_others(session: AwsSession, fake: FakeAws, monkeypatch: Any) -> None:
    Registry(fake, {"aa": {"Team": "P"}})
    client = session.client

    def by_region(service: Any, region: str | None = None, *, background: bool = False) -> Any:
        if region == "eu-west-9":
            raise EnvironmentFailure("that region is down")
        return client(service, region, background=background)

    monkeypatch.setattr(session, "client", by_region)
    told: list[tuple[str, str]] = []
    found = list_repositories(
        session, ["eu-west-9", REGION], on_failure=lambda region, error: told.append((region, error.title))
    )
    assert [r.name for r in found] == ["aa"]
    assert set(told) == {("eu-west-9", "that region is down")}
    with pytest.raises(EnvironmentFailure):
        list_repositories(session, ["eu-west-9", REGION])
    with pytest.raises(EnvironmentFailure, match="down"):
        list_repositories(session, ["eu-west-9"], on_failure=lambda *_: None)


def test_tags_that_cannot_be_read_stay_unknown(session: AwsSession, fake: FakeAws) -> None:
    Registry(fake, {"aa": {"Team": "P"}})
    fake.fail("GetResources", "InvalidParameterException", "no")
    told: list[EcrTuiError] = []
    found = list_repositories(session, [REGION], on_failure=lambda _, error: told.append(error))
    assert [(r.name, r.tags) for r in found] == [("aa", None)]
    assert len(told) == 1


def test_denied_listing(session: AwsSession, fake: FakeAws) -> None:
    fake.fail("DescribeRepositories", "AccessDeniedException", "not authorized to perform: ecr:DescribeRepositories")
    fake.fail("GetResources", "AccessDeniedException", "not authorized to perform: tag:GetResources")
    with pytest.raises(DeniedError, match="DescribeRepositories"):
        list_repositories(session, [REGION])


def test_cut_off_page_is_an_error_not_an_empty_list(session: AwsSession, fake: FakeAws) -> None:
    Registry(fake, {"aa": {}})
    fake.on("DescribeRepositories", {})
    with pytest.raises(EnvironmentFailure, match="truncated"):
        list_repositories(session, [REGION])


def test_cancel_returns_while_a_call_hangs(session: AwsSession, fake: FakeAws) -> None:
    Registry(fake, {"aa": {}})
    cancel, release = threading.Event(), threading.Event()

    def hang(_: dict[str, Any]) -> dict[str, Any]:
        cancel.set()
        assert release.wait(20)
        return {"repositories": []}

    fake.on("DescribeRepositories", hang)
    try:
        with pytest.raises(Cancelled):
            list_repositories(session, [REGION], cancel=cancel)
        assert not release.is_set()
    finally:
        release.set()


def test_one_repository_has_its_live_tags(session: AwsSession, fake: FakeAws) -> None:
    Registry(fake, {"aa": {"Team": "Live"}}, {"aa": {"Team": "Stale"}})
    repository = get_repository(session, "aa")
    assert (repository.name, repository.region, repository.tags) == ("aa", REGION, {"Team": "Live"})
    assert fake.calls["GetResources"] == 0


@pytest.mark.parametrize("name", ["ghost", "111111111111.dkr.ecr.eu-central-1.amazonaws.com/aa"])
def test_unknown_repository_is_bad_input(name: str, session: AwsSession, fake: FakeAws) -> None:
    Registry(fake, {"aa": {}})
    with pytest.raises(InputError) as caught:
        get_repository(session, name)
    assert name in caught.value.title
    assert caught.value.exit_code == 2
    assert "registry host" in caught.value.hint


def test_unknown_profile_fails_every_region(aws_config: Callable[[str], Path]) -> None:
    aws_config("[profile a]\nregion = eu-west-1\n")
    with pytest.raises(InputError, match="ghost"):
        list_repositories(AwsSession(Role.OWNER, "ghost"), [REGION, "eu-west-1"], on_failure=lambda *_: None)
