"""What `ecr-tui demo` passes on to the interface: read-only, tags, theme, production, and a configuration file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ecr_tui.cli import cli, demo
from ecr_tui.config import Settings
from ecr_tui.workspace import Workspace


@pytest.fixture
def opened(isolated_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Settings]]:
    """Runs the command up to the interface; returns the settings that it would have been opened with."""
    found: list[Settings] = []

    def take(workspace: Workspace, **_: Any) -> None:
        found.append(workspace.settings)

    monkeypatch.setattr(demo, "run_interface", take)
    before = dict(os.environ)

    def run(*arguments: str) -> Settings:
        result = CliRunner().invoke(cli, ["demo", *arguments])
        assert result.exit_code == 0, result.output
        return found.pop()

    yield run
    os.environ.clear()
    os.environ.update(before)


def test_the_options_reach_the_interface(opened: Callable[..., Settings]) -> None:
    settings = opened("--read-only", "--tag", "Team=Payments", "--theme", "nord", "--production")
    assert settings.read_only_reason
    assert settings.tags == (("Team", "Payments"),)
    assert settings.theme == "nord"
    assert settings.production_profile == "account-a"
    assert opened().production_profile == ""


def test_a_configuration_file_applies_but_for_its_accounts(opened: Callable[..., Settings], tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('profile-a = "real"\ntheme = "gruvbox"\naccess = "pull"\n')
    settings = opened("--config", str(file))
    assert (settings.profile_a, settings.theme, settings.access) == ("account-a", "gruvbox", "pull")


def test_the_demo_shows_the_code_of_its_mfa_device(isolated_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hints: list[str] = []

    def take(workspace: Workspace, *, mfa_hint: Callable[[], str]) -> None:
        hints.append(mfa_hint())
        workspace.accounts.owner()  # starts the sandbox
        hints.append(mfa_hint())

    monkeypatch.setattr(demo, "run_interface", take)
    before = dict(os.environ)
    try:
        result = CliRunner().invoke(cli, ["demo"])
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert result.exit_code == 0, result.output
    assert hints[0] == ""
    assert re.fullmatch(r"The demo's MFA device shows \d{6}\.", hints[1])
