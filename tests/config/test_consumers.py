"""Consumers: which one is current, and how flags, environment and file decide that."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecr_tui.config import Consumer, Settings, read, resolve
from ecr_tui.errors import InputError
from tests.support.cli import ecr_tui

FILE = """
[[consumers]]
name = "payments"
profile = "dev"
principals = ["role/ci"]

[[consumers]]
name = "billing"
profile = "bill"

[[consumers]]
name = "partner"
account = "333333333333"

[[consumers]]
name = "people of dev"
profile = "dev"
"""


def settings(folder: Path, text: str = FILE, environ: dict[str, str] | None = None, **flags: str) -> Settings:
    path = folder / "config.toml"
    path.write_text(text, "utf-8")
    return resolve(flags, environ=environ or {}, file=read(path))


def test_profile_b_is_the_only_consumer_where_none_is_configured() -> None:
    assert Settings(profile_b="dev").consumers == (Consumer("dev", "dev"),)
    assert (Settings().consumers, Settings().consumer) == ((), None)


@pytest.mark.parametrize(
    ("head", "environ", "flags", "current", "profile"),
    [
        ("", {}, {}, "payments", "dev"),
        ('profile-b = "bill"', {}, {}, "billing", "bill"),
        ('profile-b = "bill"', {"ECR_TUI_PROFILE_B": "dev"}, {}, "payments", "dev"),
        ("", {}, {"profile_b": "bill"}, "billing", "bill"),
        ("", {}, {"profile_b": "other"}, "other", "other"),
        ("", {}, {"consumer_name": "people of dev"}, "people of dev", "dev"),
        ('profile-b = "bill"', {"ECR_TUI_PROFILE_B": "dev"}, {"consumer_name": "partner"}, "partner", None),
        ("", {}, {"consumer_name": "payments", "profile_b": "dev"}, "payments", "dev"),
    ],
)
def test_the_current_one(
    tmp_path: Path,
    head: str,
    environ: dict[str, str],
    flags: dict[str, str],
    current: str,
    profile: str | None,
) -> None:
    found = settings(tmp_path, f"{head}\n{FILE}", environ, **flags)
    assert found.consumer is not None
    assert (found.consumer.name, found.profile_b) == (current, profile)
    assert found.consumer in found.consumers
    assert [one.name for one in found.consumers if one.name != "other"] == [
        "payments",
        "billing",
        "partner",
        "people of dev",
    ]


def test_a_profile_chosen_later_is_a_consumer_and_stays_one(tmp_path: Path) -> None:
    found = settings(tmp_path).changed("chosen in the app", profile_b="other")
    assert found.consumer == Consumer("other", "other")
    after = found.consuming("chosen in the app", "partner")
    assert (after.profile_b, after.consumer) == (None, Consumer("partner", account="333333333333"))
    assert Consumer("other", "other") in after.consumers
    assert after.changed("chosen in the app", profile_b=None, consumer_name="").consumer is None


@pytest.mark.parametrize(
    ("flags", "title", "hint"),
    [
        ({"consumer_name": "paymnts"}, "--consumer: unknown consumer 'paymnts'", "'payments'"),
        ({"consumer_name": "xyz"}, "--consumer: unknown consumer 'xyz'", "payments, billing, partner"),
        (
            {"consumer_name": "billing", "profile_b": "dev"},
            "--consumer billing and --profile-b dev exclude each other: billing has profile bill",
            "",
        ),
        ({"consumer_name": "partner", "profile_b": "dev"}, "partner has no profile", "Remove one"),
    ],
)
def test_who_is_not_there_or_contradicts(tmp_path: Path, flags: dict[str, str], title: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        settings(tmp_path, **flags)
    assert title in caught.value.title
    assert hint in caught.value.hint


def test_none_configured(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no consumers are configured") as caught:
        settings(tmp_path, "", consumer_name="x")
    assert "[[consumers]]" in caught.value.hint


def test_config_show_has_them_with_their_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text(FILE, "utf-8")
    monkeypatch.setenv("ECR_TUI_CONFIG", str(path))
    shown = ecr_tui("config", "show", "--json").json["settings"]
    assert shown["consumers.payments.principals"] == {"value": ["role/ci"], "origin": f"{path}:5"}
    assert shown["consumers.partner.account"] == {"value": "333333333333", "origin": f"{path}:13"}
    assert shown["profile-b"] == {"value": "dev", "origin": f"{path}:4"}
