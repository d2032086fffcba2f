"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ecr_tui import config
from ecr_tui.cli import completing

F = TypeVar("F", bound=Callable[..., Any])

ENGINES = click.Choice(config.ENGINES)


def all_of(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    """One decorator for several options, in the order of the help."""
    return lambda command: functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def config_option(words: str) -> Callable[[F], F]:
    path = click.Path(path_type=Path, dir_okay=False)
    return click.option("--config", "config_file", type=path, metavar="FILE", help=words)


def _profile(*names: str, words: str, **more: Any) -> Callable[[F], F]:
    return click.option(*names, metavar="P", shell_complete=completing.profiles, help=words, **more)


def _consumer(*names: str, words: str, **more: Any) -> Callable[[F], F]:
    return click.option(*names, metavar="NAME", shell_complete=completing.consumers, help=words, **more)


_OWNER = _profile("--profile-a", words="AWS profile of the owner, account A.")
_CONSUMER = _consumer("--consumer", "consumer_name", words="Configured consumer as account B.")


def _account_options(
    *, owner: Callable[[Any], Any] = _OWNER, consumer: Callable[[Any], Any] = _CONSUMER
) -> Callable[[Any], Any]:
    return all_of(
        owner,
        _profile("--profile-b", words="AWS profile of the consumer, account B."),
        consumer,
        click.option(
            "--region",
            "regions",
            multiple=True,
            metavar="R",
            shell_complete=completing.regions,
            help="AWS region; repeatable.",
        ),
        click.option("--read-only", is_flag=True, help="Refuse every write."),
        config_option("Configuration file. Default: see ecr-tui config path."),
    )


account_options = _account_options()
"""Options for accounts and regions, accepted before and after the command name."""
owners_account_options = _account_options(
    owner=_profile(
        "--profile-a",
        "profiles_a",
        words="AWS profile of the owner, account A; repeatable, for one report about several owners.",
        multiple=True,
    )
)
"""As :data:`account_options`, for reports about several owners."""
grantee_account_options = _account_options(
    consumer=_consumer(
        "--consumer",
        "consumer_names",
        words="Configured consumer as account B. Default of --to: its principals, else its caller. Repeatable.",
        multiple=True,
    )
)
"""As :data:`account_options`, for commands about several grantees."""


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout; see ecr-tui schema."
)


plain_option = click.option(
    "--plain",
    is_flag=True,
    default=None,
    help="No frames and no signs on the screen, one pane at a time: for screen readers and logs of terminals.",
)


yes_option = all_of(
    click.option("--yes", "-y", is_flag=True, help="Skip the confirmation."),
    click.option(
        "--production",
        metavar="PROFILE",
        shell_complete=completing.profiles,
        help="With --yes: the name of the production profile in use, to confirm it.",
    ),
)
"""Flags that replace the prompt (``asking.Asking``)."""


write_options = all_of(
    click.option(
        "--reason",
        metavar="TEXT",
        default="",
        callback=lambda _context, _option, text: " ".join(text.split()),
        help="Reason for the journal and history, such as a ticket.",
    ),
    yes_option,
    json_option,
)
"""Of commands that change access."""


def tags_option(words: str) -> Callable[[F], F]:
    return click.option("--tag", "tags", multiple=True, metavar="K=V", shell_complete=completing.tags, help=words)


def principals_option(*names: str, words: str) -> Callable[[F], F]:
    return click.option(
        *names, "principals", multiple=True, metavar="PRINCIPAL", shell_complete=completing.principals, help=words
    )


def parallel_option(preset: int, words: str) -> Callable[[F], F]:
    return click.option(
        "--parallel", type=click.IntRange(1, 16), default=preset, show_default=True, metavar="N", help=words
    )


run_options = all_of(
    click.option("--resume", is_flag=True, help="Resume the last interrupted run of this command."),
    parallel_option(8, "Repositories to write in parallel; fewer when AWS throttles."),
    write_options,
)
"""As :data:`write_options`, for several repositories."""
tag_option = tags_option("Repositories with this tag; repeatable.")
repositories_argument = click.argument(
    "repositories", nargs=-1, metavar="[REPO]...", shell_complete=completing.repositories
)
