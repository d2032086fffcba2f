"""The configuration file: what it may say, what it is told when it says something else, and what it decides."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ecr_tui.config import CONFIRMS, Settings, locate, read, resolve
from ecr_tui.config.example import EXAMPLE
from ecr_tui.config.file import CONSUMER, SETTINGS, TRAITS, TRUSTED
from ecr_tui.errors import InputError
from ecr_tui.ui.keymap import Keymap
from ecr_tui.ui.theme import check_theme
from tests.support.cli import ecr_tui


def settings(folder: Path, text: str, **flags: object) -> Settings:
    path = folder / "config.toml"
    path.write_text(text, "utf-8")
    return resolve(flags, environ={}, file=read(path))


# -- where it is -----------------------------------------------------------------------------------------------------


def test_the_flag_beats_the_variable_beats_the_platforms_place(isolated_environment: Path) -> None:
    assert locate(Path("~/mine.toml"), {"ECR_TUI_CONFIG": "/x"}) == (isolated_environment / "mine.toml", "--config")
    assert locate(None, {"ECR_TUI_CONFIG": "~/x.toml"}) == (isolated_environment / "x.toml", "ECR_TUI_CONFIG")
    path, named_by = locate(None, {"ECR_TUI_CONFIG": ""})
    assert (path.name, path.parent.name, named_by) == ("config.toml", "ecr-tui", "")
    assert isolated_environment in path.parents


def test_a_file_that_is_not_there_is_an_error_only_where_it_was_asked_for(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    assert resolve(environ={}, file=read(missing)) == Settings()
    with pytest.raises(InputError, match="--config: no such file"):
        read(missing, "--config")
    with pytest.raises(InputError, match="cannot read"):
        read(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_others_who_can_write_it_are_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("read-only = true")
    for mode, who in ((0o600, ""), (0o644, ""), (0o660, "its group"), (0o646, "everyone")):
        path.chmod(mode)
        warnings = " ".join(read(path).warnings)
        assert who in warnings
        assert bool(who) is bool(warnings)


# -- what it says ----------------------------------------------------------------------------------------------------


def test_the_example_sets_everything_there_is_and_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(EXAMPLE, "utf-8")
    file = read(path)
    assert set(file.values) == {field for field, _ in SETTINGS.values()}
    assert set(file.confirm) == set(CONFIRMS)
    assert {trait for rule in file.rules for trait, _ in rule.origins} == set(TRAITS.values())
    assert file.keys
    assert {one.name for one in file.consumers} == {"payments-dev", "everyone"}
    assert {name.rpartition(".")[2] for name in file.origins if name.startswith("consumers.")} == set(CONSUMER)
    assert file.trusted is not None
    assert all(getattr(file.trusted, key) for key in TRUSTED)
    assert Keymap.of(resolve(environ={}, file=file)).warnings == ()
    check_theme(file.values["theme"], "")
    assert file.origins["theme"] == f"{path}:{EXAMPLE.splitlines().index(_line('theme =')) + 1}"


def _line(start: str) -> str:
    return next(line for line in EXAMPLE.splitlines() if line.startswith(start))


def test_values_and_their_lines(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        '# mine\nregions = [\n  "eu-central-1",\n  "us-east-1",\n]\ntags = { Team = "Payments" }\nif-tag = []\n'
        'access = "pull"\n[confirm]\ngrant = "always"\n[keys]\nchange.grant = "G"\n"find.filter" = ["/", "ctrl+f"]\n',
    )
    assert found.regions == ("eu-central-1", "us-east-1")
    assert found.tags == (("Team", "Payments"),)
    assert (found.condition, found.access, found.confirm) == ((), "pull", {"grant": "always"})
    assert found.keys == {"change.grant": ("G",), "find.filter": ("/", "ctrl+f")}
    names = ("regions", "tags", "access", "confirm.grant", "keys.change.grant", "keys.find.filter")
    assert [found.origin(name).rsplit(":", 1)[1] for name in names] == ["2", "6", "8", "10", "12", "13"]
    assert found.origin("engine") == "default"


@pytest.mark.parametrize(
    ("text", "line", "title", "hint"),
    [
        ("profile-a = ", 1, "Invalid value", "TOML"),
        ('x = "a\n', 1, "Illegal character", "TOML"),
        ('\n\n[confirm\ngrant = "always"', 3, "Expected ']'", "TOML"),
        ('profil-a = "x"', 1, "unknown setting 'profil-a'", "'profile-a'"),
        ('profile_a = "x"', 1, "unknown setting 'profile_a'", "'profile-a'"),
        ('\nReadOnly = "x"', 2, "unknown setting 'ReadOnly'", "'read-only'"),
        ("\n\nfrobnicate = 1", 3, "unknown setting 'frobnicate'", "profile-a, "),
        ('read-only = "yes"', 1, "read-only must be true or false, not 'yes'", ""),
        ("profile-a = 1", 1, "profile-a must be a quoted string, not 1", ""),
        ("regions = [1]", 1, "regions must be a list of strings", ""),
        ('regions = ["eu central"]', 1, "regions: 'eu central' is not an AWS region", ""),
        ('tags = ["Team"]', 1, "tags: 'Team' is not a tag", ""),
        ('engine = "dokcer"', 1, "engine: 'dokcer' is not one of", "'docker'"),
        ('access = "pul"', 1, "access: 'pul' is not one of", "'pull'"),
        ('[confirm]\ngrants = "always"', 2, "unknown setting 'grants' in [confirm]", "'grant'"),
        ('[confirm]\nundo = "alway"', 2, "undo: 'alway' is not one of earlier, always", "'always'"),
        ("confirm = 1", 1, "confirm must be a table, not 1", ""),
        ('[profiles."prod-*"]\n\nreadonly = true', 3, "unknown setting 'readonly' in [profiles.prod-*]", "'read-only'"),
        ('[profiles.a]\nread-only = "true"', 2, "read-only must be true or false", ""),
        ("[profiles]\na = true", 2, "a must be a table, not true", ""),
        ("production = true", 1, "production must be a list of strings", ""),
        ("[keys]\nchange.grant = 7", 2, "grant must be a list of strings", ""),
        ("consumers = 1", 1, "consumers must be a table for each of them, under [[consumers]], not 1", ""),
        ('\n[consumers]\nname = "a"', 2, "consumers must be a table for each of them, under [[consumers]]", ""),
        ('[[consumers]]\nname = "a"\nprofil = "x"', 3, "unknown setting 'profil' in [[consumers]]", "'profile'"),
        ('[[consumers]]\nprofile = "a"\n\n[[consumers]]\n\nprofile = "b"', 1, "a consumer has no name", "Add name"),
        ('[[consumers]]\nname = "a"', 2, "name: consumer 'a' has no profile, account or principals", "Add one of them"),
        ('[[consumers]]\nname = "a\\n"\nprofile = "x"', 2, "name: not a name: ", "letters"),
        ('[[consumers]]\nname = "a"\naccount = 222222222222', 3, "account must be a quoted string", ""),
        ('[[consumers]]\nname = "a"\naccount = "2222"', 3, "account: not an account: '2222'", "12-digit"),
        (
            '[[consumers]]\nname = "a"\nprofile = "x"\n[[consumers]]\nprofile = "y"\nname = "a"',
            6,
            "name: 'a' is taken by",
            "",
        ),
        ('[[consumers]]\nname = "a"\nprincipals = ["ci"]', 3, "principals: not a principal: ci", "role/ci"),
        (
            '[[consumers]]\nname = "a"\nprincipals = "role/ci"',
            3,
            "principals: the account of role/ci",
            "full ARN",
        ),
        ('[[consumers]]\nname = "a"\nprincipals = ["org/x"]', 3, "principals: not an organization: org/x", "org/o-a1"),
        (
            '[[consumers]]\nname = "a"\naccount = "222222222222"\nprincipals = ["arn:aws:iam::333333333333:role/ci"]',
            4,
            "principals: arn:aws:iam::333333333333:role/ci is in account 333333333333, not in 222222222222",
            "optional",
        ),
    ],
)
def test_what_is_not_understood_is_said_with_its_line(
    tmp_path: Path, text: str, line: int, title: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        settings(tmp_path, text)
    assert caught.value.title.startswith(f"{tmp_path}/config.toml:{line}: ")
    assert title in caught.value.title
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'theme = "nord"\n# \xff\n')
    with pytest.raises(InputError, match=r"config\.toml:2: not UTF-8"):
        read(path)
    path.write_bytes(b'\xef\xbb\xbftheme = "nord"\r\n')
    assert read(path).values == {"theme": "nord"}


@pytest.mark.parametrize(
    ("text", "line", "title", "hint"),
    [
        ('[keys]\nchange.grnt = "G"', 2, "unknown action 'change.grnt'", "'change.grant'"),
        ('[keys]\n"pane.tab" = "G"', 2, "pane.tab cannot be changed", ""),
        ('[keys]\n\nchange.grant = "ctrll+g"', 3, "no ctrll+", "'ctrl'"),
        ('[keys]\nchange.grant = "F77"', 2, "'F77' is not a key", ""),
        ('[keys]\nchange.grant = "escpe"', 2, "'escpe' is not a key", "'escape'"),
    ],
)
def test_keys_that_do_not_exist(tmp_path: Path, text: str, line: int, title: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        Keymap.of(settings(tmp_path, text))
    assert caught.value.title.startswith(f"{tmp_path}/config.toml:{line}: ")
    assert title in caught.value.title
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("spelled", "key", "shown"),
    [
        ("G", "G", "G"),
        ("shift+g", "G", "G"),
        ("/", "slash", "/"),
        (",", "comma", ","),
        ("Ctrl+F", "ctrl+f", "ctrl+f"),
        ("shift+ctrl+f", "ctrl+shift+f", "ctrl+shift+f"),
        ("ctrl++", "ctrl+plus", "ctrl++"),
        ("+", "plus", "+"),
        ("-", "minus", "-"),
        ("esc", "escape", "esc"),
        ("PgUp", "pageup", "PgUp"),
        ("question_mark", "question_mark", "?"),
        ("F5", "f5", "F5"),
        ("up", "up", "↑"),
        ("ä", "ä", "ä"),
    ],
)
def test_how_keys_are_spelled(tmp_path: Path, spelled: str, key: str, shown: str) -> None:
    keymap = Keymap.of(settings(tmp_path, f'[keys]\nprove.audit = ["{spelled}"]'))
    found = next(one for one in keymap.keys if one.id == "prove.audit")
    assert (found.keys, found.shown) == (key, shown)


@pytest.mark.parametrize(
    ("keys", "warned", "in_force"),
    [
        ('change.grant = "J"', "", {"change.grant": "J"}),
        ('change.grant = "x"\nchange.revoke = "g"', "", {"change.grant": "x", "change.revoke": "g"}),
        (
            'change.grant = "y"',
            "y is now Grant (change.grant) instead of Copy (general.copy); Copy has no other key.",
            {"change.grant": "y", "general.copy": ""},
        ),
        (
            'prove.audit = "F5"\nchange.grant = "f5"',
            "F5 is given to Grant (change.grant) and to Audit (prove.audit): the former keeps it.",
            {"change.grant": "F5", "prove.audit": ""},
        ),
        ('change.grant = "k"', "k is Up (table.up) in the table, and Grant (change.grant) elsewhere", {}),
        ('table.mark = "g"', "g is Mark (table.mark) in the table, and Grant (change.grant) elsewhere", {}),
        ('change.grant = "ctrl+p, J"', "ctrl+p is Commands (general.palette) and cannot be", {"change.grant": "J"}),
        ('change.grant = "ctrl+q"', "ctrl+q is Quit and cannot be Grant", {"change.grant": ""}),
        ('general.quit = ""', "", {"general.quit": ""}),
        ('table.up = "Q, up"', "", {"table.up": "Q ↑"}),
    ],
)
def test_keys_that_clash_are_warnings_and_one_of_them_wins(
    tmp_path: Path, keys: str, warned: str, in_force: dict[str, str]
) -> None:
    keymap = Keymap.of(settings(tmp_path, f"[keys]\n{keys}"))
    assert (keymap.warnings == ()) is (warned == "")
    assert len(keymap.warnings) <= 1
    assert warned in " ".join(keymap.warnings)
    for identity, shown in in_force.items():
        assert keymap.shown(identity) == shown
    screens = [key for key in keymap.keys if not key.id.startswith("table.")]
    bound = [one for key in screens for one in key.keys.split(",") if one]
    assert len(set(bound)) == len(bound)


def test_the_catalogue_itself_has_no_clash(tmp_path: Path) -> None:
    assert Keymap._made({}).warnings == ()
    assert Keymap._made({}).changes == {}


def test_an_unknown_theme_has_a_hint() -> None:
    assert check_theme("", "") == "harbour"
    with pytest.raises(InputError) as caught:
        check_theme("gruvbx", "ECR_TUI_THEME")
    assert (caught.value.title, caught.value.hint) == (
        "ECR_TUI_THEME: unknown theme 'gruvbx'",
        "Did you mean 'gruvbox'?",
    )


# -- safety ----------------------------------------------------------------------------------------------------------

RULES = """
production = ["prod-*"]
[profiles."*"]
read-only = true
[profiles.dev]
read-only = false
[profiles."prod-lab"]
production = false
[profiles."prod-*"]
read-only = false
"""


@pytest.mark.parametrize(
    ("profile", "read_only", "production"),
    [
        ("other", True, False),
        ("dev", False, False),
        ("prod-eu", True, True),  # of two patterns the one that forbids
        ("prod-lab", True, False),
        ("PROD-EU", True, False),
        (None, True, False),
    ],
)
def test_a_profiles_own_name_decides_over_patterns(
    tmp_path: Path, profile: str | None, read_only: bool, production: bool
) -> None:
    found = settings(tmp_path, RULES, profile_a=profile, profile_b="dev")
    assert bool(found.read_only_reason) is read_only
    assert bool(found.production_reason) is production
    if read_only:
        assert f"Profile {profile or 'default'} is read-only ({tmp_path}/config.toml:4)." == found.read_only_reason
        with pytest.raises(InputError, match="read-only: no tag is set") as caught:
            found.check_writable("no tag is set")
        assert caught.value.hint == found.read_only_reason
    if production:
        assert found.production_reason == f"Profile {profile} is a production profile ({tmp_path}/config.toml:2)."
        assert found.production_profile == profile
        assert all(map(found.confirms, CONFIRMS))


def test_the_profile_in_use_decides_also_after_a_switch(tmp_path: Path) -> None:
    found = settings(tmp_path, RULES, profile_a="dev", profile_b="dev")
    assert found.read_only_reason == found.push_refusal == ""
    assert found.changed("in the app", profile_a="other").read_only_reason
    pushing = found.changed("in the app", profile_b="other")
    assert (pushing.read_only_reason, bool(pushing.push_refusal)) == ("", True)
    assert found.changed("in the app", profile_b="prod-x").production_profile == "prod-x"


def test_without_a_profile_awss_own_choice_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[profiles.prod]\nread-only = true\n")
    for environ in ({"AWS_PROFILE": "prod"}, {"AWS_DEFAULT_PROFILE": "prod", "AWS_PROFILE": "dev"}):
        assert resolve(environ=environ, file=read(path)).read_only_reason
    assert resolve({"profile_a": "dev"}, environ={"AWS_PROFILE": "prod"}, file=read(path)).read_only_reason == ""


def test_read_only_everywhere_beats_every_rule(tmp_path: Path) -> None:
    for flags in ({"read_only": True, "profile_a": "dev"}, {"profile_a": "dev"}):
        found = settings(tmp_path, "" if flags.get("read_only") else f"read-only = true\n{RULES}", **flags)
        assert found.read_only_reason
    assert "--read-only" in resolve({"read_only": True}, environ={}).read_only_reason
    assert "ECR_TUI_READ_ONLY" in resolve(environ={"ECR_TUI_READ_ONLY": "1"}).read_only_reason


def test_confirmations(tmp_path: Path) -> None:
    assert [Settings().confirms(what) for what in CONFIRMS] == [False] * len(CONFIRMS)
    assert settings(tmp_path, '[confirm]\ngrant = "always"').confirms("grant")


# -- the command -----------------------------------------------------------------------------------------------------


def test_config_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolated_environment: Path) -> None:
    path = ecr_tui("config", "path")
    assert path.code == 0
    assert Path(path.out.strip()).name == "config.toml"
    assert "does not exist" in path.err
    assert ecr_tui("config", "path", "--json").json["exists"] is False
    assert ecr_tui("config", "example").out == EXAMPLE

    file = tmp_path / "mine.toml"
    file.write_text('theme = "nord"\nengine = "docker"\nproduction = ["prod-*"]\n[keys]\nprove.audit = "g"\n')
    monkeypatch.setenv("ECR_TUI_CONFIG", str(file))
    monkeypatch.setenv("ECR_TUI_ENGINE", "direct")
    shown = ecr_tui("--profile-a", "prod-eu", "config", "show", "--json")
    assert shown.code == 0
    assert shown.json["settings"]["theme"] == {"value": "nord", "origin": f"{file}:1"}
    assert shown.json["settings"]["engine"] == {"value": "direct", "origin": "ECR_TUI_ENGINE"}
    assert shown.json["settings"]["profile-a"] == {"value": "prod-eu", "origin": "--profile-a"}
    assert shown.json["settings"]["access"] == {"value": "push-pull", "origin": "default"}
    assert shown.json["settings"]["keys.prove.audit"] == {"value": ["g"], "origin": f"{file}:5"}
    assert "prod-eu is a production profile" in shown.json["production"]
    assert "instead of Grant" in shown.err
    text = ecr_tui("config", "show", "--read-only").out
    for words in (f"{file}:1", "ECR_TUI_ENGINE", "nord", "Start without --read-only"):
        assert words in text
    keys = ecr_tui("config", "keys")
    assert "prove.audit" in keys.out
    assert list(isolated_environment.rglob("*.toml")) == []  # nothing is written unasked

    file.write_text('theme = "nrd"\n')
    for command in (("config", "show"), ("list",)):
        ran = ecr_tui(*command)
        if command[0] == "config":
            assert (ran.code, "Did you mean 'nord'" in ran.err) == (2, True)
    file.write_text('thme = "nord"\n')
    for command in (("config", "show"), ("list",), ("plan", "x"), ("grant", "x", "--yes"), ("undo",)):
        ran = ecr_tui(*command)
        assert (ran.code, f"{file}:1: unknown setting 'thme'" in ran.err) == (2, True), command
    assert ecr_tui("--version").code == ecr_tui("--help").code == 0


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[trusted]\nacounts = []\n", 2, "unknown setting 'acounts' in [trusted]"),
        ('[trusted]\naccounts = ["222222222222"]\nous = ["r-ab12"]\n', 3, "not an organizational unit"),
        ("[trusted]\nservices = 3\n", 2, "services must be a list of strings"),
        ("trusted = 1\n", 1, "trusted must be a table"),
    ],
)
def test_whom_it_trusts_is_strict(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.title.startswith(f"{path}:{line}: ")
    assert said in caught.value.title
