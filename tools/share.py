"""Write the manual page and the shell completions that the wheel installs under ``share/``: ``make docs``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ecr_tui import __version__
from ecr_tui.cli import cli
from ecr_tui.cli.shells import NAME
from ecr_tui.cli.shells import script as completion

SHARE = Path(__file__).resolve().parent.parent / "share"
COMPLETIONS = {
    "bash": "bash-completion/completions/ecr-tui",
    "zsh": "zsh/site-functions/_ecr-tui",
    "fish": "fish/vendor_completions.d/ecr-tui.fish",
}


def roff(text: str) -> str:
    """``text`` with what roff would read as a command, an escape or a typographic sign made literal."""
    return re.sub(r"^(?=[.'])", r"\\&", text.replace("\\", r"\e").replace("-", r"\-"), flags=re.MULTILINE)


class Manual(click.HelpFormatter):
    """What ``--help`` prints, as roff. ``title`` is the macro for the headings: ``SH``, or ``SS`` below a command."""

    def __init__(self, title: str) -> None:
        super().__init__(width=1000)
        self._title = title
        self._literal = False

    def write(self, string: str) -> None:
        super().write(roff(string) if self._literal else string)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        self.write(
            f".{self._title} {'SYNOPSIS' if self._title == 'SH' else 'Synopsis'}\n.B {roff(prog)}\n{roff(args)}\n"
        )

    def write_paragraph(self) -> None:
        self.write(".PP\n")

    def write_text(self, text: str) -> None:
        self.write(roff(" ".join(text.split())) + "\n")

    def write_heading(self, heading: str) -> None:
        self.write(f".{self._title} {roff(heading.upper() if self._title == 'SH' else heading)}\n")

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        self.write_heading(name)
        if name != "Examples":
            yield
            return
        self.write(".nf\n")
        self._literal = True
        yield
        self._literal = False
        self.write(".fi\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:  # type: ignore[override]
        for term, meaning in rows:
            self.write(f".TP\n\\fB{roff(term)}\\fR\n{roff(meaning)}\n")


def manual() -> str:
    """One page: the program, then each command as a section."""
    context = click.Context(cli, info_name=NAME)
    page = Manual("SH")
    cli.format_help(context, page)
    name = roff(f"{NAME} - {cli.get_short_help_str(200)}")
    parts = [f'.TH ECR\\-TUI 1 "" "ecr\\-tui {__version__}"\n.SH NAME\n{name}\n', page.getvalue()]
    for command in cli.all_commands().values():
        page = Manual("SS")
        command.format_help(click.Context(command, context, info_name=command.name), page)
        parts += [f".SH {roff(f'{NAME} {command.name}'.upper())}\n", page.getvalue()]
    return "".join(parts)


def files() -> dict[str, str]:
    """The files' text by their path below ``share/``."""
    scripts = {place: completion(cli, shell) for shell, place in COMPLETIONS.items()}
    return {"man/man1/ecr-tui.1": manual(), **scripts}


if __name__ == "__main__":
    for place, text in files().items():
        (SHARE / place).parent.mkdir(parents=True, exist_ok=True)
        (SHARE / place).write_text(text, encoding="utf-8")
