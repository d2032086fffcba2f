"""All output to the terminal. Text from AWS, a registry or a file cannot control the terminal or forge a line."""

from __future__ import annotations

from typing import Any

import click

from ecr_tui.errors import EcrTuiError
from ecr_tui.text import json_text, safe, safe_block


def line(text: str = "", *, err: bool = False) -> None:
    """One line; a line break inside it is shown as a symbol."""
    click.echo(safe(text), err=err)


def block(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Several lines from ``text.block`` or a renderer; line breaks stay."""
    click.echo(safe_block(text), err=err, nl=nl)


def failure(error: EcrTuiError, about: str = "Error") -> None:
    """On stderr, after the subject ``about``."""
    block(f"{safe(about)}: {error.text()}", err=True)


def document(value: Any) -> None:
    """The one JSON document of a command with ``--json``."""
    click.echo(json_text(value))


def code(text: str, *, nl: bool = True) -> None:
    """For another program, unchanged: its strings are already escaped for its language."""
    click.echo(text, nl=nl)


def progress(text: str) -> None:
    """On stderr, over the current line."""
    click.echo(f"\r{safe(text)}", nl=False, err=True)


def confirm(question: str) -> bool:
    return click.confirm(safe(question), default=False, err=True)


def ask(question: str, *, hidden: bool = False) -> str:
    return str(click.prompt(safe(question), err=True, hide_input=hidden, default="", show_default=False))
