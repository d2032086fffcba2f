"""``ecr-tui config``: the effective settings and their origin. Read only."""

from __future__ import annotations

from typing import Any

import click

from ecr_tui.cli import output
from ecr_tui.cli.common import settings_of
from ecr_tui.cli.helping import DocumentedGroup
from ecr_tui.cli.options import account_options, json_option
from ecr_tui.config import CONFIRMS, Settings, locate
from ecr_tui.config.example import EXAMPLE
from ecr_tui.config.file import SETTINGS, TRUSTED


@click.group(name="config", cls=DocumentedGroup)
def config() -> None:
    """Show the effective settings and their origin."""


@config.command()
@account_options
@json_option
@click.pass_context
def show(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """Show every setting, its value and its origin: default, file and line, variable or flag."""
    from ecr_tui.ui.keymap import Keymap

    settings = settings_of(context, flags)
    for warning in Keymap.of(settings).warnings:
        output.line(f"Warning: {warning}", err=True)
    rows = rows_of(settings)
    file = settings.file
    if as_json:
        found = {name: {"value": value, "origin": origin} for name, value, origin in rows}
        path = None if file is None else str(file.path)
        output.document({"file": path, "exists": bool(file and file.exists), "settings": found, **_safety(settings)})
        return
    if file is not None:
        output.line(f"{file.name}{'' if file.exists else ' (does not exist)'}")
        output.line()
    name_width = max(len(name) for name, _, _ in rows)
    value_width = min(max(len(_words(value)) for _, value, _ in rows), 40)
    for name, value, origin in rows:
        output.line(f"{name:<{name_width}}  {_words(value):<{value_width}}  {origin}")
    for reason in (settings.read_only_reason, settings.production_reason):
        if reason:
            output.line()
            output.line(reason)


@config.command()
@account_options
@json_option
@click.pass_context
def path(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """Print the path of the configuration file, and whether it exists."""
    program = context.find_root().obj or {}
    found, named_by = locate(flags["config_file"] or program.get("config_file"))
    exists = found.is_file()
    if as_json:
        output.document({"file": str(found), "exists": exists, "named_by": named_by or "default"})
        return
    output.line(str(found))
    if not exists:
        output.line("The file does not exist. Run ecr-tui config example to print one.", err=True)


@config.command()
def example() -> None:
    """Print an example configuration file with every setting."""
    output.code(EXAMPLE, nl=False)


@config.command()
@account_options
@json_option
@click.pass_context
def keys(context: click.Context, /, as_json: bool, **flags: Any) -> None:
    """List the action ids for [keys] and their keys."""
    from ecr_tui.ui.keymap import Keymap

    keymap = Keymap.of(settings_of(context, flags))
    for warning in keymap.warnings:
        output.line(f"Warning: {warning}", err=True)
    if as_json:
        output.document([{"id": key.id, "keys": key.shown, "action": key.label} for key in keymap.keys])
        return
    for key in keymap.keys:
        output.line(f"{key.id:<20}  {key.shown or '-':<12}  {key.label}")


def rows_of(settings: Settings) -> list[tuple[str, Any, str]]:
    """(name in the file, JSON value, origin) for each setting; keys, rules and confirmations only if set."""
    from ecr_tui.ui.theme import check_theme

    rows: list[tuple[str, Any, str]] = []
    for name, (field, _) in SETTINGS.items():
        value: Any = getattr(settings, field)
        if field in ("tags", "condition") and value is not None:
            value = [f"{key}={text}" for key, text in value]
        elif field in ("regions", "columns"):
            value = list(value)
        elif field in ("state_dir", "cache_dir"):
            value = str(settings.state_folder if field == "state_dir" else settings.cache_folder)
        elif field == "theme":
            value = check_theme(settings.theme, settings.origin("theme"))
        rows.append((name, value, settings.origin(field)))
    for rule in settings.rules:
        for trait, origin in rule.origins:
            rows.append((f"profiles.{rule.pattern}.{trait.replace('_', '-')}", getattr(rule, trait), origin))
    for consumer in settings.named_consumers:
        parts = {"profile": consumer.profile, "account": consumer.account, "principals": list(consumer.principals)}
        for key, value in parts.items():
            if value:
                name = f"consumers.{consumer.name}.{key}"
                rows.append((name, value, settings.origin(name)))
    if settings.trusted is not None:
        names = [(f"trusted.{key}", key) for key in TRUSTED]
        rows += [(name, list(getattr(settings.trusted, key)), settings.origin(name)) for name, key in names]
    for what, choices in CONFIRMS.items():
        rows.append((f"confirm.{what}", settings.confirm.get(what, choices[0]), settings.origin(f"confirm.{what}")))
    for identity, spelled in settings.keys.items():
        rows.append((f"keys.{identity}", list(spelled), settings.origin(f"keys.{identity}")))
    return rows


def _safety(settings: Settings) -> dict[str, Any]:
    return {"read_only": settings.read_only_reason or None, "production": settings.production_reason or None}


def _words(value: Any) -> str:
    if value is None or value in ("", []):
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, list) else str(value)
