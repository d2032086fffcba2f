from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecr_tui.config import DEFAULT, ConfigFile, Settings, parse_tag, parse_tags, read, resolve
from ecr_tui.errors import InputError


def written(folder: Path, text: str) -> ConfigFile:
    path = folder / "config.toml"
    path.write_text(text, "utf-8")
    return read(path)


def test_defaults() -> None:
    settings = resolve(environ={})
    assert settings == Settings()
    assert (settings.profile_a, settings.regions, settings.read_only, settings.engine) == (None, (), False, "auto")
    assert settings.origin("profile_a") == DEFAULT


def test_each_variable(tmp_path: Path) -> None:
    settings = resolve(
        environ={
            "ECR_TUI_PROFILE_A": "a",
            "ECR_TUI_PROFILE_B": "b",
            "ECR_TUI_REGIONS": "eu-central-1, us-east-1 eu-central-1",
            "ECR_TUI_TAG": "Team=Payments,Env=prod",
            "ECR_TUI_READ_ONLY": "Yes",
            "ECR_TUI_ENGINE": "direct",
            "ECR_TUI_STATE_DIR": str(tmp_path),
        }
    )
    assert settings == Settings(
        "a", "b", ("eu-central-1", "us-east-1"), (("Team", "Payments"), ("Env", "prod")), True, "direct", tmp_path
    )
    assert settings.origin("regions") == "ECR_TUI_REGIONS"
    assert settings.state_folder == tmp_path
    assert resolve(environ={"ECR_TUI_REGION": "eu-west-1"}).regions == ("eu-west-1",)


def test_flag_beats_environment_beats_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'profile-a = "file"\nprofile-b = "file"\nengine = "docker"')
    environ = {"ECR_TUI_PROFILE_A": "env", "ECR_TUI_PROFILE_B": "env"}
    settings = resolve({"profile_a": "flag", "profile_b": None, "regions": ()}, environ=environ, file=file)
    assert (settings.profile_a, settings.profile_b, settings.engine) == ("flag", "env", "docker")
    assert [settings.origin(name) for name in ("profile_a", "profile_b", "engine", "tags")] == [
        "--profile-a",
        "ECR_TUI_PROFILE_B",
        f"{file.path}:3",
        DEFAULT,
    ]


def test_empty_variables_are_unset() -> None:
    assert resolve(environ={"ECR_TUI_PROFILE_A": "", "ECR_TUI_READ_ONLY": ""}) == Settings()


@pytest.mark.parametrize(
    ("flags", "environ", "expected"),
    [
        ({"read_only": True}, {}, True),
        ({"read_only": False}, {"ECR_TUI_READ_ONLY": "1"}, True),
        ({"read_only": True}, {"ECR_TUI_READ_ONLY": "0"}, True),
        ({"read_only": False}, {"ECR_TUI_READ_ONLY": "off"}, False),
    ],
)
def test_read_only_cannot_be_switched_off_again(
    flags: dict[str, Any], environ: dict[str, str], expected: bool, tmp_path: Path
) -> None:
    assert resolve(flags, environ=environ).read_only is expected
    assert resolve(flags, environ=environ, file=written(tmp_path, "read-only = true")).read_only is True
    assert resolve(flags, environ=environ, file=written(tmp_path, "read-only = false")).read_only is expected


@pytest.mark.parametrize(
    ("flags", "environ", "names"),
    [
        ({}, {"ECR_TUI_READ_ONLY": "perhaps"}, "ECR_TUI_READ_ONLY: 'perhaps'"),
        ({}, {"ECR_TUI_ENGINE": "podman"}, "ECR_TUI_ENGINE: 'podman'"),
        ({"regions": ["eu central"]}, {}, "--region: 'eu central'"),
        ({"regions": ["-x"]}, {}, "--region: '-x'"),
        ({"regions": ["a/b@evil.example"]}, {}, "--region"),
        ({}, {"ECR_TUI_TAG": "Team"}, "ECR_TUI_TAG: 'Team'"),
        ({"tags": ["=x"]}, {}, "--tag: '=x'"),
        ({"tags": ["Team=A", "Team=B"]}, {}, "--tag: the tag 'Team' is given twice"),
        ({"tags": ["Team=A", "team=A"]}, {}, "--tag: the tag keys 'Team' and 'team' differ only in case"),
    ],
)
def test_unusable_values_name_their_origin(flags: dict[str, Any], environ: dict[str, str], names: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(flags, environ=environ)
    assert names in caught.value.title
    assert caught.value.exit_code == 2


def test_a_misspelt_choice_has_a_hint() -> None:
    with pytest.raises(InputError) as caught:
        resolve({"engine": "dokcer"}, environ={})
    assert "'docker'" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("Team=Payments", ("Team", "Payments")),
        ("Team=", ("Team", "")),
        ("url=a=b", ("url", "a=b")),
        (" Team = Payments ", ("Team", "Payments")),
        ("aws:cloudformation:stack-name=x", ("aws:cloudformation:stack-name", "x")),
    ],
)
def test_tags(text: str, pair: tuple[str, str]) -> None:
    assert parse_tag(text) == pair


@pytest.mark.parametrize("text", ["", "Team", "=", " =x", "k" * 129 + "=v", "k=" + "v" * 257])
def test_no_tags(text: str) -> None:
    with pytest.raises(InputError):
        parse_tag(text)


def test_same_tag_twice_is_one() -> None:
    assert parse_tags(["A=1", "B=2", "A=1"]) == (("A", "1"), ("B", "2"))


def test_changed_values_know_their_origin() -> None:
    settings = resolve({"profile_a": "a"}, environ={}).changed("chosen in the app", profile_b="b")
    assert (settings.profile_a, settings.profile_b) == ("a", "b")
    assert (settings.origin("profile_a"), settings.origin("profile_b")) == ("--profile-a", "chosen in the app")
