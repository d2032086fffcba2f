"""An option that may be given once is refused when it is given twice, whatever the command."""

from __future__ import annotations

import click
import pytest

from ecr_tui.cli import cli
from tests.cli.test_help import EVERY
from tests.support.cli import ecr_tui

ONCE = [
    pytest.param(context, option, id=f"{context.command_path} {option.opts[-1]}")
    for context in EVERY
    for option in context.command.get_params(context)
    if isinstance(option, click.Option) and not option.multiple and not option.is_eager
]


def words(option: click.Option, context: click.Context, name: str) -> list[str]:
    """The option as it may be given: with a value that its type takes."""
    if option.is_flag:
        return [name]
    kind = option.type
    value = kind.choices[0] if isinstance(kind, click.Choice) else "1" if isinstance(kind, click.IntRange) else "x"
    return [name, str(value)]


def parse(context: click.Context, arguments: list[str]) -> None:
    """As click does before a command runs; what is missing beside the options does not matter here."""
    context.command.make_context(context.info_name, arguments, parent=context.parent)


@pytest.mark.parametrize(("context", "option"), ONCE)
def test_twice_is_refused_by_name(context: click.Context, option: click.Option) -> None:
    arguments = [
        *words(option, context, option.opts[0]),
        *words(option, context, option.opts[-1]),
        *(word for needed in required(context, option) for word in needed),
    ]
    with pytest.raises(click.UsageError) as refused:
        parse(context, arguments)
    assert refused.value.exit_code == 2
    assert option.opts[0] in refused.value.message
    assert "2 times" in refused.value.message


def required(context: click.Context, but: click.Option) -> list[list[str]]:
    """What the command insists on beside that option."""
    found = []
    for parameter in context.command.params:
        if parameter is but or not parameter.required:
            continue
        kind = parameter.type
        value = str(kind.choices[0]) if isinstance(kind, click.Choice) else "x"
        found.append([parameter.opts[0], value] if isinstance(parameter, click.Option) else [value])
    return found


@pytest.mark.parametrize(
    ("context", "option"),
    [
        pytest.param(context, option, id=f"{context.command_path} {option.opts[-1]}")
        for context in EVERY
        if context.parent is not None
        for option in context.command.params
        if isinstance(option, click.Option)
        and not option.multiple
        and option.name in {above.name for above in cli.params}
    ],
)
def test_before_and_after_the_name_is_twice(context: click.Context, option: click.Option) -> None:
    root = cli.make_context("ecr-tui", [*words(option, context, option.opts[0]), "list"])
    with pytest.raises(click.UsageError, match="before and after"):
        context.command.make_context(
            context.info_name,
            [*words(option, context, option.opts[0]), *(word for one in required(context, option) for word in one)],
            parent=root,
        )


def test_the_program_ends_with_a_usage_error() -> None:
    ran = ecr_tui("plan", "my-repo", "--access", "pull", "--access", "push")
    assert ran.code == 2
    assert "Option '--access' is given 2 times. Give it once." in ran.err
    assert ran.out == ""
    assert ecr_tui("--profile-a", "one", "list", "--profile-a", "two").code == 2


def test_help_is_shown_all_the_same() -> None:
    ran = ecr_tui("grant", "--access", "pull", "--access", "push", "--help")
    assert ran.code == 0
    assert "Usage:" in ran.out
