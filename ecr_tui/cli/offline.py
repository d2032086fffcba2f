"""``ecr-tui explain``: what needs no account."""

from __future__ import annotations

import sys

import click

from ecr_tui.cli.common import json_option, print_json
from ecr_tui.errors import InputError


@click.command()
@click.argument("text", metavar="TEXT|-")
@json_option
def explain(text: str, as_json: bool) -> None:
    """What an error of docker or AWS means: stage, action, side, cause and fix. "-" reads it from stdin."""
    from ecr_tui import present
    from ecr_tui.registry.diagnose import diagnose

    words = sys.stdin.read() if text == "-" else text
    if not words.strip():
        raise InputError("there is no error text to explain")
    diagnosis = diagnose(words)
    if as_json:
        print_json(present.diagnosis_json(diagnosis))
    else:
        click.echo(present.diagnosis_text(diagnosis))
