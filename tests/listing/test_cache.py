"""The kept list: what comes back, what is left out, who may read it, and that nothing is written because of it."""

from __future__ import annotations

import json
import os
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecr_tui.aws.model import Repository
from ecr_tui.config import Settings, resolve
from ecr_tui.errors import Cancelled, DeniedError, EcrTuiError, InputError
from ecr_tui.listing.cache import Cached, ListingCache, Unusable, profile_key
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import ACCOUNT_A, AwsCall
from ecr_tui.workspace import Workspace

REGION = "eu-central-1"


def repository(name: str, tags: dict[str, str] | None = None, **more: Any) -> Repository:
    return Repository(
        name,
        more.pop("arn", f"arn:aws:ecr:{REGION}:{ACCOUNT_A}:repository/{name}"),
        more.pop("uri", f"{ACCOUNT_A}.dkr.ecr.{REGION}.amazonaws.com/{name}"),
        REGION,
        ACCOUNT_A,
        tags,
        **more,
    )


ROWS = [
    repository(
        "a/b", {"Team": "Payments"}, mutability="IMMUTABLE", created_at=datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    ),
    repository("c", {}),
    repository("d", None),
    repository("odd", {"x": "ü\u202e\n"}, uri="elsewhere:5000/odd", arn="arn:aws-cn:ecr:odd"),
]


@pytest.fixture
def cache(tmp_path: Path) -> ListingCache:
    return ListingCache(tmp_path / "cache")


def test_what_was_stored_comes_back_and_says_that_it_is_old(cache: ListingCache) -> None:
    before = datetime.now(UTC)
    assert cache.store(ACCOUNT_A, REGION, ROWS) == ""
    found = cache.load(ACCOUNT_A, [REGION])
    assert found is not None
    assert (list(found.repositories), found.account, found.problems) == (ROWS, ACCOUNT_A, ())
    assert before <= found.at <= datetime.now(UTC)
    assert [row.tags_source for row in found.repositories] == ["cache", "cache", "", "cache"]


def test_it_comes_in_pages(cache: ListingCache) -> None:
    rows = [repository(f"r{number:05d}", {"n": str(number)}) for number in range(2500)]
    cache.store(ACCOUNT_A, REGION, rows)
    pages: list[list[Repository]] = []
    found = cache.load(ACCOUNT_A, [REGION], on_page=pages.append)
    assert found is not None
    assert [len(page) for page in pages] == [1000, 1000, 500]
    assert [row for page in pages for row in page] == list(found.repositories) == rows
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        cache.load(ACCOUNT_A, [REGION], on_page=lambda page: cancel.set(), cancel=cancel)


def test_accounts_and_regions_are_kept_apart(cache: ListingCache) -> None:
    cache.store(ACCOUNT_A, REGION, ROWS[:1])
    cache.store("222222222222", REGION, ROWS[1:2])
    cache.store(ACCOUNT_A, "us-east-1", [])
    assert cache.load(ACCOUNT_A, [REGION]).repositories == (ROWS[0],)  # type: ignore[union-attr]
    assert cache.load(ACCOUNT_A, ["us-east-1"]).repositories == ()  # type: ignore[union-attr]
    assert cache.load(ACCOUNT_A, ["us-east-1", "eu-west-1", REGION]).repositories == (ROWS[0],)  # type: ignore[union-attr]
    assert cache.load(ACCOUNT_A, ["eu-west-1"]) is None
    cache.store(ACCOUNT_A, REGION, [])
    assert cache.load(ACCOUNT_A, [REGION]).repositories == ()  # type: ignore[union-attr]


def test_files_are_for_their_owner_alone(cache: ListingCache) -> None:
    old = os.umask(0)
    try:
        cache.store(ACCOUNT_A, REGION, ROWS)
        cache.remember("key", ACCOUNT_A, [REGION])
    finally:
        os.umask(old)
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    files = list(cache.folder.iterdir())
    assert len(files) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def lines(cache: ListingCache) -> list[str]:
    return cache.path(ACCOUNT_A, REGION).read_text().splitlines(keepends=True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.splitlines(keepends=True)[0],
        lambda text: text.replace('"v":1', '"v":99', 1),
        lambda text: text.replace(f'"account":"{ACCOUNT_A}"', '"account":"999999999999"', 1),
        lambda text: text.replace('"Payments"', "7", 1),
        lambda text: text.replace('["a/b"', "[null", 1),
        lambda text: "[" * 100_000,
        lambda text: "[]\n" + text,
        lambda text: text.replace("\n", "\n[[1]]\n", 1),
        lambda text: "\0" * 100,
    ],
)
def test_a_damaged_file_is_left_out_and_said_and_replaced(cache: ListingCache, damage: Any) -> None:
    cache.store(ACCOUNT_A, REGION, ROWS)
    path = cache.path(ACCOUNT_A, REGION)
    path.write_text(damage(path.read_text()))
    found = cache.load(ACCOUNT_A, [REGION])
    assert found is not None
    assert found.repositories == ()
    assert str(path) in found.problems[0]
    with pytest.raises(Unusable):
        cache.read(ACCOUNT_A, REGION)
    cache.store(ACCOUNT_A, REGION, ROWS)
    assert cache.read(ACCOUNT_A, REGION)[1] == ROWS


def test_one_damaged_region_leaves_the_others(cache: ListingCache) -> None:
    cache.store(ACCOUNT_A, REGION, ROWS)
    cache.store(ACCOUNT_A, "us-east-1", [])
    cache.path(ACCOUNT_A, "us-east-1").write_bytes(b"\xff\xfe")
    found = cache.load(ACCOUNT_A, [REGION, "us-east-1"])
    assert found is not None
    assert (list(found.repositories), len(found.problems)) == (ROWS, 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_bytes_make_it_fail(cache: ListingCache, junk: bytes, at: int) -> None:
    cache.store(ACCOUNT_A, REGION, ROWS)
    path = cache.path(ACCOUNT_A, REGION)
    data = path.read_bytes()
    path.write_bytes(data[:at] + junk + data[at + len(junk) :])
    found = cache.load(ACCOUNT_A, [REGION])
    assert found is not None
    assert all(isinstance(row.name, str) for row in found.repositories)
    (cache.folder / "profiles.json").write_bytes(junk)
    assert cache.recall("x") is None


def test_a_folder_that_cannot_be_used_costs_only_the_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = ListingCache(tmp_path / "file" / "cache")
    assert "cannot cache" in cache.store(ACCOUNT_A, REGION, ROWS)
    assert cache.load(ACCOUNT_A, [REGION]) is None or cache.load(ACCOUNT_A, [REGION]).repositories == ()  # type: ignore[union-attr]
    cache.remember("key", ACCOUNT_A, [REGION])
    assert cache.recall("key") is None


def test_a_write_that_is_killed_leaves_the_former_list(cache: ListingCache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store(ACCOUNT_A, REGION, ROWS[:1])

    def killed(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        cache.store(ACCOUNT_A, REGION, ROWS)
    monkeypatch.undo()
    assert cache.read(ACCOUNT_A, REGION)[1] == ROWS[:1]
    left = next(cache.folder.glob(".*.tmp"))
    os.utime(left, (0, 0))
    cache.store(ACCOUNT_A, REGION, ROWS)
    assert [file.name for file in cache.folder.iterdir()] == [cache.path(ACCOUNT_A, REGION).name]


def test_a_region_is_no_path(cache: ListingCache) -> None:
    assert cache.path("1", "../../x").parent == cache.folder


# -- profiles ----------------------------------------------------------------------------------------------------


def test_a_profile_is_remembered_by_a_hash(cache: ListingCache) -> None:
    key = profile_key("secret-customer", {})
    cache.remember(key, ACCOUNT_A, [REGION, "us-east-1"])
    cache.remember("other", "222222222222", [])
    found = cache.recall(key)
    assert found is not None
    assert (found.account, found.regions) == (ACCOUNT_A, (REGION, "us-east-1"))
    assert "secret-customer" not in (cache.folder / "profiles.json").read_text()
    cache.remember(key, "222222222222", [REGION])
    assert cache.recall(key).account == "222222222222"  # type: ignore[union-attr]
    for number in range(300):
        cache.remember(f"k{number}", ACCOUNT_A, [])
    assert cache.recall("k299") is not None
    assert cache.recall("k0") is None
    assert len(json.loads((cache.folder / "profiles.json").read_text())["profiles"]) == 200


def test_what_a_profile_is_depends_on() -> None:
    base = profile_key("a", {})
    assert profile_key("a", {"LANG": "C", "AWS_REGION": "x"}) == base
    assert profile_key("b", {}) != base
    assert profile_key("a", {"AWS_CONFIG_FILE": "/x"}) != base
    assert profile_key("a", {"AWS_ENDPOINT_URL": "http://localhost:1"}) != base
    assert profile_key("a", {"AWS_ACCESS_KEY_ID": "AKIA1"}) == base
    assert profile_key(None, {"AWS_ACCESS_KEY_ID": "AKIA1"}) != profile_key(None, {"AWS_ACCESS_KEY_ID": "AKIA2"})
    assert profile_key(None, {"AWS_PROFILE": "a"}) != profile_key(None, {})


def test_where_it_is_kept(isolated_environment: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert isolated_environment in ListingCache().folder.parents
    assert isolated_environment in Settings().cache_folder.parents
    monkeypatch.setenv("ECR_TUI_CACHE_DIR", str(tmp_path))
    assert ListingCache().folder == tmp_path
    assert resolve().cache_folder == tmp_path


# -- in a workspace ----------------------------------------------------------------------------------------------


@pytest.fixture
def workspace(sandbox: Sandbox, tmp_path: Path) -> Workspace:
    return Workspace(Settings("account-a", "dev-acc", state_dir=tmp_path, cache_dir=tmp_path / "cache"))


def again(workspace: Workspace, **changes: Any) -> Workspace:
    """The next start of the program."""
    return Workspace(workspace.settings.changed("test", **changes))


def kept(workspace: Workspace, **arguments: Any) -> Cached:
    found = workspace.listing.cached_repositories(**arguments)
    assert found is not None
    return found


def test_the_next_start_has_the_list_before_any_call(workspace: Workspace, sandbox: Sandbox) -> None:
    assert workspace.listing.cached_repositories() is None
    listed = workspace.listing.repositories()
    calls: list[AwsCall] = []
    sandbox.fault = lambda call: calls.append(call)  # type: ignore[func-returns-value]
    pages: list[list[Repository]] = []
    found = kept(again(workspace), on_page=pages.append)
    assert list(found.repositories) == listed
    assert [row for page in pages for row in page] == listed
    assert found.account == ACCOUNT_A == again(workspace).accounts.owner().account
    assert [call.operation for call in calls] == ["GetCallerIdentity"]
    payments = kept(again(workspace), tags={"Team": "Payments"})
    assert {row.name for row in payments.repositories} == {
        row.name for row in listed if (row.tags or {}).get("Team") == "Payments"
    }
    assert again(workspace, profile_a="dev-acc").listing.cached_repositories() is None
    assert again(workspace, regions=("us-east-1",)).listing.cached_repositories() is None


def test_only_a_complete_list_is_kept(workspace: Workspace, sandbox: Sandbox) -> None:
    workspace.listing.repositories({"Team": "Payments"})
    assert workspace.listing.cached_repositories() is None
    sandbox.fault = lambda call: ServiceError("AccessDeniedException", "no") if call.service != "sts" else None
    with pytest.raises(DeniedError):
        workspace.listing.repositories(on_failure=lambda region, error: None)
    assert workspace.listing.cached_repositories() is None
    sandbox.fault = None
    complete = workspace.listing.repositories()
    failures: list[EcrTuiError] = []
    sandbox.fault = lambda call: (
        ServiceError("AccessDeniedException", "no") if "Tag" in call.operation or call.service == "tagging" else None
    )
    without_tags = workspace.listing.repositories(on_failure=lambda region, error: failures.append(error))
    assert {row.tags for row in without_tags if row.tags is None} == {None}
    assert failures
    assert list(kept(workspace).repositories) == complete


def test_it_is_safe_to_delete_and_to_spoil(workspace: Workspace) -> None:
    listed = workspace.listing.repositories()
    for file in workspace.settings.cache_folder.glob("repositories-*"):
        file.write_text("no list")
    found = kept(again(workspace))
    assert (found.repositories, len(found.problems)) == ((), 1)
    for file in workspace.settings.cache_folder.iterdir():
        file.unlink()
    workspace.settings.cache_folder.rmdir()
    assert workspace.listing.cached_repositories() is None
    assert workspace.listing.repositories() == listed
    assert list(kept(workspace).repositories) == listed


def test_a_list_of_another_account_is_known_as_such_and_replaced(workspace: Workspace) -> None:
    other = "999999999999"
    workspace.listing.cache.store(other, REGION, [repository("theirs", {})])
    workspace.listing.cache.remember(profile_key("account-a"), other, [REGION])
    found = kept(workspace)
    assert [row.name for row in found.repositories] == ["theirs"]
    assert found.account != workspace.accounts.owner().account
    workspace.listing.repositories()
    assert kept(again(workspace)).account == ACCOUNT_A


def test_nothing_is_written_for_a_row_of_another_account(workspace: Workspace, sandbox: Sandbox) -> None:
    """The name alone is what AWS is told: the write would hit a repository of the same name."""
    stale = Repository(
        "my-first-repo", f"arn:aws:ecr:{REGION}:999999999999:repository/my-first-repo", "", REGION, "999999999999", {}
    )
    grant = Grant(("arn:aws:iam::222222222222:user/devusr2",), Access.PULL)
    plan = workspace.changes.preview(stale, grant, None)
    calls: list[str] = []
    sandbox.fault = lambda call: calls.append(call.operation)  # type: ignore[func-returns-value]
    with pytest.raises(InputError, match="999999999999"):
        workspace.changes.apply(plan)
    assert "SetRepositoryPolicy" not in calls
    assert workspace.changes.journal.entries() == ()


def test_a_plan_for_a_kept_row_reads_everything_afresh(workspace: Workspace, sandbox: Sandbox) -> None:
    workspace.listing.repositories()
    row = next(row for row in kept(again(workspace)).repositories if row.name == "my-first-repo")
    with sandbox.world.lock:
        record = sandbox.world.records.find(ACCOUNT_A, REGION, "my-first-repo")
        assert record is not None
        sandbox.world.records.set_tags(record, {"Team": "Other"})
    plan = workspace.changes.plan(
        row, Grant(("arn:aws:iam::222222222222:user/devusr2",), Access.PULL, (("Team", "Payments"),))
    )
    assert plan.repository.tags == {"Team": "Other"}
    assert plan.repository.tags_source == "live"
    assert any("Team=Payments" in risk for risk in plan.risks)


def test_policies_to_look_at_are_read_anew_after_a_write(workspace: Workspace) -> None:
    row = workspace.listing.repository("my-first-repo")
    assert workspace.listing.policies.read_all([row])[0].value is None
    plan = workspace.changes.plan(row, Grant(("arn:aws:iam::222222222222:user/devusr2",), Access.PULL))
    workspace.changes.apply(plan)
    assert "devusr2" in (workspace.listing.policies.read_all([row])[0].value or "")
    workspace.changes.undo()
    assert workspace.listing.policies.read_all([row])[0].value is None
