"""README tells the truth: its key table is the app's catalogue, its commands parse, its exit codes and files exist."""

from __future__ import annotations

import contextlib
import itertools
import re
import shlex
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """With the sections below it."""
    found = re.search(rf"^(##+) {re.escape(title)}\n(.*)", README, re.MULTILINE | re.DOTALL)
    assert found, title
    return re.split(rf"^##{{1,{len(found[1]) - 1}}} ", found[2], maxsplit=1, flags=re.MULTILINE)[0]


def table(text: str) -> list[tuple[str, ...]]:
    """The cells of the rows below the header."""
    rows = [line.strip().strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in row) for row in rows[2:]]


def test_what_is_made_from_the_code_is_current() -> None:
    """The tables of keys and failures; ``make readme`` writes them."""
    from tools.readme import renewed

    assert renewed(README) == README, "make readme"


def test_a_text_of_every_failure_is_shown_and_known_by_it() -> None:
    from ecr_tui.diagnosis.catalogue import CATALOGUE
    from ecr_tui.diagnosis.diagnose import diagnose

    assert [(row.id, text) for row in CATALOGUE for text in row.seen if diagnose(text).pattern != row.id] == []
    assert [row.id for row in CATALOGUE if not row.seen] == []
    assert len(table(section("What registries, engines and AWS say"))) == len(CATALOGUE)


def test_the_example_of_a_policy_test_is_right() -> None:
    from ecr_tui.policy.simulate import simulate

    (text,) = re.findall(r"^```json\n(.*?)^```", section("Unit tests for policies"), re.MULTILINE | re.DOTALL)
    assert [(result.response, result.matches) for result in simulate(text)] == [("Allowed", True)]


def test_the_operators_policy_is_the_one_that_is_proved() -> None:
    from ecr_tui.policy.operators import Operator, operator_policy

    (text,) = re.findall(r"^```json\n(.*?)^```", section("What it must be allowed to do"), re.MULTILINE | re.DOTALL)
    assert text.strip() == operator_policy(Operator.FULL).pretty().strip()
    assert {row[0].strip("`") for row in table(section("What it must be allowed to do"))} == set(Operator)


def test_the_configuration_is_the_example() -> None:
    from ecr_tui.config.example import EXAMPLE

    assert f"```toml\n{EXAMPLE}```\n" in section("Configuration")


def shell_blocks(title: str = "") -> list[str]:
    """Below a title, or all of them."""
    return re.findall(r"^```sh\n(.*?)^```", section(title) if title else README, re.MULTILINE | re.DOTALL)


def shell_lines(title: str = "") -> list[str]:
    return [line for block in shell_blocks(title) for line in block.splitlines()]


def words(line: str) -> list[str]:
    return shlex.split(line, comments=True)


def ecr_tui_commands() -> list[list[str]]:
    """The arguments of every `ecr-tui` in shell examples, up to a pipe or a redirection, and in running text."""
    found = []
    for line in shell_lines():
        parts = words(line)
        if "ecr-tui" in parts:
            rest = parts[parts.index("ecr-tui") + 1 :]
            found.append(list(itertools.takewhile(lambda part: part not in ("|", ">"), rest)))
    return [*found, *(words(text) for text in re.findall(r"`ecr-tui ([^`]+)`", README))]


@pytest.mark.parametrize("arguments", ecr_tui_commands(), ids=" ".join)
def test_every_command_parses(arguments: list[str]) -> None:
    """By click itself, as far as calling it: unknown options, commands, choices and missing arguments fail here."""
    from ecr_tui.cli import cli

    name = arguments[0] if arguments else ""
    if name.startswith("-") or not name:
        with contextlib.suppress(click.exceptions.Exit):  # --version and --help are done with that
            cli.make_context("ecr-tui", list(arguments))
    else:
        cli.all_commands()[name].make_context(name, arguments[1:], parent=click.Context(cli))


def test_the_examples_cover_every_command() -> None:
    from ecr_tui.cli import cli

    shown = {arguments[0] for arguments in ecr_tui_commands()}
    assert set(cli.list_commands(click.Context(cli))) - shown == set()


def test_every_option_in_running_text_exists() -> None:
    from ecr_tui.cli import cli

    known = {"--help"}
    for command in (cli, *cli.all_commands().values()):
        known.update(option for parameter in command.params for option in parameter.opts)
    text = re.sub(r"^```.*?^```", "", README, flags=re.MULTILINE | re.DOTALL)
    others = ("aws ", "curl ", "docker ")
    ours = [quoted for quoted in re.findall(r"`([^`]+)`", text) if not quoted.startswith(others)]
    named = {word for quoted in ours for word in quoted.split() if word.startswith("--")}
    assert named
    assert named - known == set()


def test_the_exit_codes_are_the_errors_own() -> None:
    from ecr_tui import errors

    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.EcrTuiError)
    }
    rows = table(section("Exit codes"))
    assert [int(row[0]) for row in rows] == [*sorted({0, *codes}), 130]


def test_the_table_of_documents_names_every_schema() -> None:
    from ecr_tui.cli.schemas import NAMES, schema_of

    rows = table(section("JSON"))
    assert sorted(name for row in rows for name in re.findall(r"`([^`]+)`", row[0])) == sorted(NAMES)
    for names, told in rows:
        name = re.findall(r"`([^`]+)`", names)[0]
        schema = str(schema_of(name))
        wrong = [word for word in re.findall(r"`([a-z_]+)`", told) if f"'{word}'" not in schema and word not in NAMES]
        assert wrong == [], name


def test_the_variables_are_those_that_are_read() -> None:
    from ecr_tui.config import VARIABLES
    from ecr_tui.config.file import VARIABLE

    known = {VARIABLE, *(name for names in VARIABLES.values() for name in names)}
    named = set(re.findall(r"ECR_TUI_[A-Z_]+", README))
    assert named - known == set()
    assert [names for names in VARIABLES.values() if not named.intersection(names)] == []


def test_make_targets_and_files_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {words(line)[1] for line in shell_lines() if line.startswith("make ")}
    assert named
    assert named - targets == set()
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^##+ (.*)", README, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) - headings == set()


def test_every_file_that_contributors_are_sent_to_exists() -> None:
    named = set(re.findall(r"`((?:ecr_tui|tests|tools)/[^`]*)`", README))
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_how_it_is_built_names_every_room() -> None:
    listed = re.findall(r"^    (  )?([a-z_*]+(?:/|\.py)) ", section("How it is built"), re.MULTILINE)
    top = [ROOT / name for inner, name in listed if not inner]
    rooms = [path for inner, name in listed if inner for path in ROOT.glob(f"ecr_tui/{name.rstrip('/')}")]
    assert [path.name for path in top if not path.exists()] == []
    assert len(rooms) == len(set(rooms))
    there = {path for path in (ROOT / "ecr_tui").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {path.name for path in rooms} == {path.name for path in there} - {"__init__.py"}


def pictures() -> list[str]:
    return re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)


def test_the_pictures_shown_are_those_that_are_taken() -> None:
    from tools.screenshots import FOLDER, NAMES

    shown = pictures()
    assert sorted(shown) == sorted(f"{FOLDER.name}/{name}.svg" for name in NAMES)
    assert sorted(shown) == sorted(str(path.relative_to(ROOT)) for path in FOLDER.iterdir())
