"""Write the generated parts of ``docs/``, ``make docs``: keys, failures, commands, exit codes, settings, a policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from ecr_tui.cli import cli, manual
from ecr_tui.cli.helping import own_and_common
from ecr_tui.config.example import EXAMPLE
from ecr_tui.diagnosis.catalogue import CATALOGUE
from ecr_tui.diagnosis.diagnose import diagnose
from ecr_tui.policy.operators import Operator, operator_policy
from ecr_tui.ui.keys import CATALOGUE as KEYS
from ecr_tui.ui.keys import GROUPS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
_COMMANDS = ("aws ", "curl ", "docker ", "DOCKER_CONFIG=", "ecr-tui ", "export ", "getent ", "kubectl ", "pass ", "{")
_PART = re.compile(
    r"(?<=<!-- )(?P<what>[a-z ]+)(?P<by>: written by make docs -->\n).*?(?=<!-- end of (?P=what) -->)", re.S
)


def _code(text: str) -> str:
    return "`" + text.replace("`", "'") + "`"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(header), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


def keys() -> str:
    rows = [(_code(key.shown), key.label, key.tooltip) for group in GROUPS for key in KEYS if key.group == group]
    return _table(("Key", "Action", "What it does"), rows)


def failures() -> str:
    rows = []
    for row in CATALOGUE:
        found = diagnose(row.seen[0])
        fix = _code(found.fix) if found.fix.startswith(_COMMANDS) else found.fix
        rows.append((" or ".join(map(_code, row.seen)), f"{found.stage}, {found.side}", found.cause, fix))
    return _table(("You see", "Stage, side", "Cause", "Fix"), rows)


def exit_codes() -> str:
    return _table(("Exit code", "Meaning"), [row for row in manual.CODES if row[0]])


def environment() -> str:
    return _table(("Variable", "Meaning"), [(_code(name), _plain(text)) for name, text in manual.ENVIRONMENT])


def files() -> str:
    return _table(("File", "Content"), [(name, _plain(text)) for name, text in manual.FILES])


def example() -> str:
    return f"```toml\n{EXAMPLE}```\n"


def policy() -> str:
    return f"```json\n{operator_policy(Operator.FULL).pretty().strip()}\n```\n"


def _plain(text: str) -> str:
    """Text that Markdown would take as markup, marked as text."""
    return re.sub(r"([*<])", r"\\\1", text)


def _contexts(group: click.Group, parent: click.Context) -> Iterator[click.Context]:
    """In the order of ``--help``, the commands of a group after it."""
    for names in manual.SECTIONS[manual.key_of(parent)].values():
        for name in names:
            if command := group.get_command(parent, name):
                context = click.Context(command, info_name=name, parent=parent)
                if isinstance(command, click.Group):
                    yield from _contexts(command, context)
                else:
                    yield context


def _options(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(_code(name), _plain(text)) for name, text in rows]


def _command(context: click.Context) -> str:
    command, page = context.command, manual.PAGES[manual.key_of(context)]
    own, common = own_and_common(command, context)
    options = [row for row in own if not row[0].endswith("--help")]
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    also = ", ".join(_code(name.split()[0]) for name, _ in common)
    paragraphs = re.split(r"\n\s*\n", (command.help or "").strip())
    parts = [
        f"### {manual.key_of(context)}\n",
        *(_plain(" ".join(text.split())) + "\n" for text in paragraphs),
        f"```text\n{usage}\n```\n",
    ]
    if rows := _options([*page.arguments, *options]):
        parts.append(_table(("Argument or option", "Meaning"), rows))
    if also:
        parts.append(f"[Accounts and settings](#accounts-and-settings): {also}.\n")
    parts.append(f"- Reads: {_plain(page.reads)}\n- Writes: {_plain(page.writes)}\n")
    if page.codes:
        parts[-1] += "".join(f"- Exit code {code}: {meaning}\n" for code, meaning in page.codes)
    parts.append("```sh\n" + "".join(f"# {what}\n{line}\n" for what, line in page.examples) + "```\n")
    return "\n".join(parts)


def program() -> str:
    context = click.Context(cli, info_name="ecr-tui")
    own, common = own_and_common(cli, context)
    header = ("Option", "Meaning")
    return "\n".join(
        [
            "### Global options\n",
            _table(header, _options(own)),
            "### Accounts and settings\n",
            _table(header, _options(common)),
        ]
    )


def commands() -> str:
    context = click.Context(cli, info_name="ecr-tui")
    return "\n".join([program(), *map(_command, _contexts(cli, context))])


PARTS: dict[str, Callable[[], str]] = {
    "keys": keys,
    "failures": failures,
    "exit codes": exit_codes,
    "commands": commands,
    "environment": environment,
    "files": files,
    "example": example,
    "policy": policy,
}


def renewed(text: str) -> str:
    """The text with each generated part as the code says now. Raises KeyError for a part that nothing writes."""
    return _PART.sub(lambda part: f"{part['what']}{part['by']}\n{PARTS[part['what']]()}\n", text)


def without_parts(text: str) -> str:
    """The text as people wrote it."""
    return _PART.sub(lambda part: f"{part['what']}{part['by']}", text)


if __name__ == "__main__":
    for path in sorted(DOCS.glob("*.md")):
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
