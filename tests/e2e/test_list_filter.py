"""``ecr-tui list --filter`` as a user calls it."""

from __future__ import annotations

import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.cli import ecr_tui

pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture(autouse=True)
def profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_TUI_PROFILE_A", "account-a")
    monkeypatch.setenv("ECR_TUI_PROFILE_B", "dev-acc")


def names(*arguments: str) -> list[str]:
    ran = ecr_tui("list", "--json", *arguments)
    assert ran.code == 0, ran.err
    return [row["repository"] for row in ran.json]


def test_words_tags_and_negation() -> None:
    everything = names()
    assert names("--filter", "first") == ["my-first-repo"]
    payments = names("--tag", "Team=Payments")
    assert names("--filter", "tag:Team=Payments") == payments
    rest = names("--filter", "!tag:Team=Payments")
    assert sorted(payments + rest) == sorted(everything)
    assert "payments/ledger" in names("--filter", "mutable:no")


def test_access_is_what_the_table_says(sandbox: Sandbox) -> None:
    listed = {row["repository"]: row["access"] for row in ecr_tui("list", "--json").json}
    pulling = [name for name, access in listed.items() if access and access["pull"]]
    assert pulling
    assert names("--filter", "access:pull") == pulling
    assert names("--filter", "access:none") == [
        name for name, access in listed.items() if access and access["pull"] is access["push"] is False
    ]
    depends = [name for name, access in listed.items() if access and access["depends_on"]]
    assert depends == [name for name, access in listed.items() if access and None in (access["pull"], access["push"])]
    assert depends == ["platform/charts"]
    assert listed["platform/charts"] == {"pull": None, "push": False, "depends_on": ["aws:PrincipalOrgID"]}
    assert names("--filter", "access:depends") == depends
    assert not {"platform/charts"} & {*names("--filter", "access:pull"), *names("--filter", "!access:pull")}
    calls: list[str] = []
    sandbox.fault = lambda call: calls.append(call.operation)  # type: ignore[func-returns-value]
    assert names("--filter", "ledger access:none") == ["payments/ledger"]
    assert calls.count("GetRepositoryPolicy") == 1


def test_globs_principals_and_findings_need_no_account_b(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = names()
    assert names("--filter", "payments/*") == [name for name in everything if name.startswith("payments/")]
    assert names("--filter", "name:*api") == [name for name in everything if name.endswith("api")]
    monkeypatch.delenv("ECR_TUI_PROFILE_B")
    audited = {one["repository"]: one["findings"] for one in ecr_tui("audit", "--json").json["repositories"]}
    severe = [name for name in everything if any(one["severity"] == "error" for one in audited[name])]
    assert severe
    assert names("--filter", "finding:error") == severe
    assert names("--filter", "principal:*") == ["platform/base-images", "platform/charts"]
    assert "payments/ledger" not in names("--filter", "principal:222222222222")


def test_a_slip_is_shown_with_its_place() -> None:
    ran = ecr_tui("list", "--filter", "api acess:none")
    assert (ran.code, ran.out) == (2, "")
    assert "  api acess:none\n      ^^^^^^^^^^\n" in ran.err
    assert "access:" in ran.err


def test_nothing_found_is_no_failure_and_offers_what_is_near() -> None:
    ran = ecr_tui("list", "--json", "--filter", "mfrp")
    assert (ran.code, ran.json) == (0, [])
    assert "my-first-repo" in ran.err


def test_access_needs_an_account_b(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECR_TUI_PROFILE_B")
    ran = ecr_tui("list", "--filter", "access:none")
    assert ran.code == 2
    assert "--profile-b" in ran.err
