"""``--help`` as a manual page: arguments, options, reads and writes, examples, exit codes.

The texts are in :mod:`ecr_tui.cli.manual`; options and defaults come from click.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from ecr_tui.cli import manual
from ecr_tui.cli.manual import SECTIONS, key_of, page_of
from ecr_tui.cli.pages import PAGES
from ecr_tui.cli.repeats import OnceEach

COMMON = frozenset(
    {"profile_a", "profiles_a", "profile_b", "consumer_name", "consumer_names", "regions", "read_only", "config_file"}
)
"""Options of nearly every command, listed last under their own heading."""


class Documented(OnceEach):
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        page = page_of(ctx)
        if page is not None:
            _write(formatter, "Arguments", page.arguments)
        _write_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        page = page_of(ctx)
        if page is None:
            return
        _write(formatter, "Reads and writes", (("Reads", page.reads), ("Writes", page.writes)))
        write_examples(formatter, page.examples)
        codes = [(str(code), meaning) for code, meaning in page.codes]
        if codes:
            _write(formatter, "Exit codes", [("0", "done"), *codes, ("others", "see ecr-tui --help")])


class DocumentedGroup(OnceEach, click.Group):
    """Lists its commands under the headings of the manual, with uncut summaries."""

    command_class = Documented

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        prefix = key_of(ctx)
        for title, names in SECTIONS[prefix].items():
            _write(formatter, title, [(name, PAGES[f"{prefix} {name}".strip()].summary) for name in names])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if manual.key_of(ctx):
            return
        write_examples(formatter, manual.EXAMPLES)
        _write(formatter, "Exit codes", manual.CODES)
        _write(formatter, "Environment", manual.ENVIRONMENT)
        _write(formatter, "Files", manual.FILES)


def command(name: str | None = None) -> Callable[[Callable[..., Any]], Documented]:
    return click.command(name, cls=Documented)


def write_examples(formatter: click.HelpFormatter, examples: Iterable[tuple[str, str]]) -> None:
    """``examples``: (purpose, command line); a command line is never wrapped."""
    with formatter.section("Examples"):
        for what, line in examples:
            formatter.write(f"{'':>{formatter.current_indent}}# {what}\n")
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def own_and_common(command: click.Command, ctx: click.Context) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Options as (option, help): those of the command, then those of nearly every command."""
    own: list[tuple[str, str]] = []
    common: list[tuple[str, str]] = []
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None and isinstance(parameter, click.Option):
            (common if parameter.name in COMMON else own).append(record)
    return own, common


def _write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    own, common = own_and_common(command, ctx)
    _write(formatter, "Options", own)
    _write(formatter, "Accounts and settings", common)


def _write(formatter: click.HelpFormatter, title: str, rows: Iterable[tuple[str, str]]) -> None:
    rows = list(rows)
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)
