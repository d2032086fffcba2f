"""Choosing accounts in the app: completion, roles, swapping, what a switch drops, sign-in, and the time left."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.aws.model import Identity, Profile, Role, RoleToAssume
from ecr_tui.errors import CredentialsError, EnvironmentFailure
from ecr_tui.ui.screens.accounts import AccountsScreen
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import NOW, FakeWorkspace

ROLE = "arn:aws:iam::333333333333:role/EcrAdmin"
PROFILES = (
    Profile("account-a", "sso", "eu-central-1", "111111111111", "corp", "aws sso login --profile account-a"),
    Profile("dev-acc", "keys", "eu-central-1"),
    Profile("prod-payments", "assume-role", "eu-west-1", "444444444444", "account-a"),
    Profile("prod-web", "process", None, "", "helper"),
)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeWorkspace:
    monkeypatch.setattr(FakeWorkspace, "profiles", lambda self: PROFILES)
    return FakeWorkspace(tmp_path)


async def fill(ui: Session, name: str, text: str) -> None:
    ui.app.screen.query_one(f"#{name}").focus()
    await ui.pilot.pause()
    await ui.press("ctrl+u", "end", "ctrl+u")
    await ui.type(text)


async def opened(ui: Session) -> AccountsScreen:
    await ui.press("A")
    await ui.wait(lambda: ui.dialog == "AccountsScreen")
    await ui.see("prod-payments")
    screen = ui.app.screen
    assert isinstance(screen, AccountsScreen)
    return screen


async def test_switching_completes_names_and_carries_nothing_over(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        former = ui.main
        await ui.press("space", "p")
        assert former.table.marks == 1
        workspace.gate.hold("images")  # work for the former account that is still under way
        await opened(ui)
        # What each profile is, and what was typed so far completes to the first of what fits.
        await ui.see("SSO · 111111111111 · eu-central-1 · through corp", "assumed role · 444444444444 · eu-west-1")
        await fill(ui, "profile-a", "pay")
        await ui.see("prod-payments")
        assert "prod-web" not in ui.text()
        await ui.press("enter")
        await ui.see("✓ assumed role · 444444444444 · eu-west-1")
        # The former account's region means nothing here; another is completed, as the second of two.
        assert ui.app.screen._value("regions") == ""
        await fill(ui, "regions", "us-east-1, west")
        await ui.press("enter")
        assert ui.app.screen._value("regions") == "us-east-1, eu-west-1"
        await ui.press("enter")
        await ui.wait(lambda: ui.main is not former)
        await ui.settle()
        assert workspace.settings.profile_a == "prod-payments"
        assert workspace.settings.profile_b == "dev-acc"
        assert workspace.settings.regions == ("us-east-1", "eu-west-1")
        assert ui.main.table.marks == 0
        assert ui.main.selection.choice != former.selection.choice
        assert ui.main.desk.busy == ""
        # Only what changed was chosen anew: B keeps its session.
        (use,) = [subject for call, subject in workspace.gate.calls if call == "use"]
        assert "profile_b" not in use
        workspace.gate.release("images")
        await ui.see("prod-payments")
        # Keys reach the new screen, and the same choice again changes nothing.
        now = ui.main
        await opened(ui)
        await ui.press("enter")
        await ui.wait(lambda: ui.dialog == "")
        assert ui.main is now


async def test_a_role_is_checked_and_assumed_and_the_sides_are_swapped(workspace: FakeWorkspace) -> None:
    async with running(workspace, size=(60, 20)) as ui:
        await opened(ui)
        await fill(ui, "role-b", "nonsense")
        await ui.press("enter")
        await ui.see("not the ARN of a role")
        assert ui.dialog == "AccountsScreen"
        await fill(ui, "role-b", ROLE)
        await ui.see("MFA", "in memory")
        await fill(ui, "external-b", "ext-1")
        await ui.press("ctrl+t", "enter")
        await ui.wait(lambda: ui.dialog == "")
        await ui.settle()
        assert (workspace.settings.profile_a, workspace.settings.profile_b) == ("dev-acc", "account-a")
        assert workspace.accounts.assumed(Role.OWNER) == RoleToAssume(ROLE, "ext-1")
        assert workspace.accounts.assumed(Role.CONSUMER) is None
        # An unknown profile is refused before anything is asked.
        await opened(ui)
        await fill(ui, "profile-b", "nope")
        await ui.press("enter")
        await ui.see("unknown profile 'nope'")
        await ui.press("escape")
        assert workspace.settings.profile_b == "account-a"


async def test_no_switch_while_something_runs_and_esc_changes_nothing(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        workspace.gate.hold("apply")
        await ui.press("g")
        await ui.wait(lambda: ui.main.desk.busy == "writing")
        await ui.press("A")
        await ui.wait(lambda: "Wait until it ends to switch accounts" in ui.toasts())
        assert ui.dialog == ""
        workspace.gate.release("apply")
        await ui.wait(lambda: not ui.main.desk.busy)
        former = ui.main
        await opened(ui)
        await ui.press("escape")
        assert ui.main is former


async def test_a_broken_config_is_said_and_names_can_be_typed(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: FakeWorkspace) -> Any:
        raise EnvironmentFailure("cannot read the AWS config /x, line 3: not in the format of an AWS config")

    monkeypatch.setattr(FakeWorkspace, "profiles", broken)
    workspace.errors["owner"] = CredentialsError("no credentials for the default profile", side="account A")
    workspace.settings = replace(workspace.settings, profile_a=None, profile_b=None)
    async with running(workspace, size=(80, 24)) as ui:
        await ui.see("no credentials")
        await ui.press("A")
        await ui.see("cannot read the AWS config /x, line 3")
        await fill(ui, "profile-a", "typed")
        del workspace.errors["owner"]
        await ui.press("enter")
        await ui.wait(lambda: workspace.settings.profile_a == "typed")
        await ui.settle()
        await ui.see("111111111111")


async def test_accounts_of_two_partitions_are_refused(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = "arn:aws-cn:iam::222222222222:user/devusr2"
    monkeypatch.setattr(
        FakeWorkspace,
        "consumer",
        lambda self: Identity(Role.CONSUMER, "dev-acc", "222222222222", arn, "AIDA", "cn-north-1"),
    )
    async with running(workspace) as ui:
        await ui.see("B is in partition aws-cn, A in aws")
        assert ui.main.selection.grant is None
        ui.main.accounts.cards[Role.CONSUMER].focus()
        await ui.press("enter")
        await ui.see("Access never crosses partitions")
        await ui.press("escape")
        await ui.wait(lambda: ui.dialog == "")
        # A principal that is named explicitly is no way around it.
        await ui.principal("")
        await fill(ui, "answer", arn)
        await ui.press("enter")
        await ui.press("g")
        await ui.see("partition aws-cn")
        assert workspace.writes == []


# -- signing in ------------------------------------------------------------------------------------------------------


@pytest.fixture
def fake_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ``aws`` on the PATH that notes how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "aws"
    script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\nexit ${{FAKE_AWS_EXIT:-0}}\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "called"


def called(fake_cli: Path) -> list[str]:
    return fake_cli.read_text().splitlines() if fake_cli.exists() else []


EXPIRED = CredentialsError(
    "the sign-in session of profile 'account-a' has expired",
    side="account A",
    login_command="aws sso login --profile account-a",
)


async def test_signing_in_hands_the_terminal_over_and_reads_afresh(
    workspace: FakeWorkspace, fake_cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.errors["owner"] = workspace.errors["repositories"] = EXPIRED
    handed_over: list[str] = []

    @contextlib.contextmanager
    def suspend(self: Any) -> Iterator[None]:
        handed_over.append("out")
        yield
        handed_over.append("back")

    async with running(workspace) as ui:
        monkeypatch.setattr(type(ui.app), "suspend", suspend)
        ui.main.accounts.cards[Role.OWNER].focus()
        await ui.press("enter")
        await ui.see("l sign in here", "aws sso login --profile account-a")
        workspace.errors.clear()
        await ui.press("l")
        await ui.wait(lambda: handed_over == ["out", "back"])
        assert called(fake_cli) == ["sso login --profile account-a"]
        await ui.wait(lambda: {("renew", "OWNER"), ("renew", "CONSUMER")} <= set(workspace.gate.calls))
        await ui.settle()
        await ui.see("111111111111")
        # From the dialog, for the profile in hand; one that failed says so and changes nothing.
        monkeypatch.setenv("FAKE_AWS_EXIT", "3")
        await opened(ui)
        await ui.press("ctrl+l")
        await ui.wait(lambda: "ended with code 3" in ui.toasts())
        await fill(ui, "profile-b", "dev-acc")
        await ui.press("ctrl+l")
        await ui.see("Profile dev-acc has no sign-in")
        assert len(called(fake_cli)) == 2


@pytest.mark.parametrize("there", [True, False])
async def test_where_it_cannot_be_run_the_command_is_there_to_copy(
    workspace: FakeWorkspace, fake_cli: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    workspace.errors["owner"] = workspace.errors["repositories"] = EXPIRED
    if not there:
        monkeypatch.setenv("PATH", "")
    async with running(workspace, size=(80, 24)) as ui:
        ui.main.accounts.cards[Role.OWNER].focus()
        await ui.press("enter", "l")
        await ui.see("cannot be handed over" if there else "'aws' is not on the PATH")
        await ui.press("y")
        await ui.wait(lambda: ui.copied == [EXPIRED.login_command])
        assert called(fake_cli) == []


async def test_refreshing_after_dead_credentials_reads_them_afresh(workspace: FakeWorkspace) -> None:
    workspace.errors["owner"] = workspace.errors["repositories"] = CredentialsError("expired", side="account A")
    async with running(workspace) as ui:
        assert ("renew", "OWNER") not in workspace.gate.calls
        workspace.errors.clear()
        await ui.press("r")
        await ui.settle()
        assert ("renew", "OWNER") in workspace.gate.calls
        assert ("renew", "CONSUMER") not in workspace.gate.calls
        await ui.see("111111111111")


# -- the time left ---------------------------------------------------------------------------------------------------


async def test_the_time_left_ticks_warns_and_ends_without_asking_aws(workspace: FakeWorkspace) -> None:
    now = [NOW]
    workspace.expires = NOW + timedelta(minutes=12)
    async with running(workspace, now=lambda: now[0]) as ui:
        card = ui.main.accounts.cards[Role.OWNER]
        await ui.see("expires in 12 min")
        asked = workspace.gate.count("owner")
        timer = card._timer
        assert timer is not None
        assert timer._interval == 60
        for passed, words in (
            (timedelta(minutes=7, seconds=30), "! account-a"),
            (timedelta(minutes=11, seconds=18), "expires in 42 s"),
            (timedelta(minutes=12, seconds=1), "expired"),
        ):
            now[0] = NOW + passed
            card._draw()
            await ui.see(words)
            if "42" in words:
                assert card._timer is not None
                assert card._timer._interval == 1
        assert card._timer is None
        assert workspace.gate.count("owner") == asked


async def test_the_same_account_on_both_sides_is_said(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await opened(ui)
        assert "same" not in ui.text()
        await fill(ui, "profile-b", "account-a")
        await ui.see("! A and B are the same account (111111111111). Cross-account access needs two.")
        await fill(ui, "role-b", ROLE)
        await ui.press("shift+tab")
        await ui.wait(lambda: "same account" not in ui.text())
