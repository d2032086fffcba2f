"""``--help`` is a manual: complete, right, and readable at 80 columns."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from ecr_tui.cli import cli, manual
from ecr_tui.cli.helping import Documented
from ecr_tui.cli.pages import PAGES
from ecr_tui.config import VARIABLES
from ecr_tui.config.file import VARIABLE

WIDTH = 80


def contexts(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from contexts(below, click.Context(below, info_name=name, parent=context, terminal_width=WIDTH))


EVERY = list(contexts(cli, click.Context(cli, info_name="ecr-tui", terminal_width=WIDTH)))
COMMANDS = [context for context in EVERY if not isinstance(context.command, click.Group)]
named = pytest.mark.parametrize("context", EVERY, ids=lambda context: context.command_path)
commands = pytest.mark.parametrize("context", COMMANDS, ids=lambda context: context.command_path)


def part(text: str, title: str) -> str:
    found = re.search(rf"^{re.escape(title)}:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no {title} in:\n{text}"
    return found[1]


def examples(context: click.Context) -> list[str]:
    told = part(context.get_help(), "Examples").splitlines()
    return [line.strip() for line in told if line.strip() and not line.startswith("  # ")]


def test_every_command_has_a_page_and_a_place() -> None:
    paths = {manual.key_of(context) for context in EVERY} - {""}
    assert set(PAGES) == paths
    for group, sections in manual.SECTIONS.items():
        listed = [name for names in sections.values() for name in names]
        below = {path.removeprefix(group).strip() for path in paths if path.rpartition(" ")[0] == group}
        assert sorted(listed) == sorted(below)


@named
def test_it_fits_and_no_summary_is_cut_short(context: click.Context) -> None:
    text = context.get_help()
    assert [line for line in text.splitlines() if len(line) > WIDTH] == []
    assert "..." not in part(text, "Other") if context.command is cli else True
    assert text.split("\n\n")[1].strip(), "what it does"


@named
def test_every_option_and_argument_is_explained(context: click.Context) -> None:
    for parameter in context.command.get_params(context):
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
    assert re.findall(r"^  (?! )[^-].*", part(context.get_help(), "Options"), re.MULTILINE) == []
    arguments = [one for one in context.command.params if isinstance(one, click.Argument)]
    page = manual.page_of(context)
    told = dict(page.arguments) if page is not None else {}
    shown = {re.sub(r"\W", "", (one.metavar or "").replace("TEXT|-", "TEXT")) for one in arguments}
    assert {name for name in shown if name.isupper()} == set(told)


@commands
def test_it_says_what_is_read_and_written_and_shows_how(context: click.Context) -> None:
    assert isinstance(context.command, Documented)
    text = context.get_help()
    told = part(text, "Reads and writes")
    assert "Reads" in told
    assert "Writes" in told
    assert any(context.command_path in line for line in examples(context))


def lines() -> Iterator[tuple[str, list[str]]]:
    """(the command line, the arguments of each ecr-tui in it)."""
    for context in (EVERY[0], *COMMANDS):
        for line in examples(context):
            for inner in re.findall(r"ecr-tui(?: [^|)<>;&]*)?", line):
                yield line, shlex.split(inner)[1:]


@pytest.mark.parametrize(("line", "arguments"), list(lines()))
def test_every_example_parses(line: str, arguments: list[str]) -> None:
    if not arguments or arguments[0].startswith("-"):
        cli.make_context("ecr-tui", arguments)
        return
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        found = command.get_command(context, arguments.pop(0))
        assert found is not None, line
        command, context = found, click.Context(found, parent=context)
    command.make_context("x", arguments, parent=context.parent)


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        ("grant", {1, 4, 130}),
        ("revoke", {1, 4, 130}),
        ("repair", {1, 4, 130}),
        ("undo", {1, 4, 130}),
        ("redo", {1, 4, 130}),
        ("tag", {1, 4}),
        ("verify", {1, 3, 130}),
        ("cleanup", {1}),
        ("audit", {1}),
        ("simulate", {1}),
        ("demo", {3}),
    ],
)
def test_special_exit_codes_are_told(path: str, codes: set[int]) -> None:
    (context,) = [context for context in EVERY if manual.key_of(context) == path]
    told = part(context.get_help(), "Exit codes")
    assert {int(code) for code in re.findall(r"^  (\d+) ", told, re.MULTILINE)} == {0, *codes}


def test_the_program_tells_codes_and_variables() -> None:
    from ecr_tui import errors

    text = EVERY[0].get_help()
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.EcrTuiError)]
    told = {int(code) for code in re.findall(r"^  (\d+) ", part(text, "Exit codes"), re.MULTILINE)}
    assert told == {0, 130, *(kind.exit_code for kind in kinds)}
    known = {VARIABLE, *(name for names in VARIABLES.values() for name in names)}
    assert set(re.findall(r"ECR_TUI_\w+", part(text, "Environment"))) == known
