"""The two accounts of a workspace."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ecr_tui.aws.model import Profile, Role
from ecr_tui.config import Settings
from ecr_tui.workspace import accounts as module
from ecr_tui.workspace.accounts import Accounts


def test_a_profile_of_access_keys_shows_its_account_once_it_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = (Profile("keys", "keys", None), Profile("sso", "sso", None, account="222222222222"))
    monkeypatch.setattr(module, "list_profiles", lambda: profiles)

    class Session:
        def __init__(self, role: Role, profile: str, *rest: object) -> None:
            self.profile = profile

        def identity(self) -> SimpleNamespace:
            return SimpleNamespace(account="111111111111")

    monkeypatch.setattr(module, "AwsSession", Session)
    accounts = Accounts(Settings(profile_a="keys"))
    assert [one.account for one in accounts.profiles()] == ["", "222222222222"]
    accounts.owner()
    assert [one.account for one in accounts.profiles()] == ["111111111111", "222222222222"]
