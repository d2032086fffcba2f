"""``ecr-tui completion``, and the answers to its scripts.

Uses click, except for its bash script, which splits ``Team=Payments`` and ARNs at ``=`` and ``:`` and inserts values
unquoted. The protocol of the bash script here is one line per entry: type, tab, replacement for bash's current word.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

import click
from click import shell_completion
from click.shell_completion import CompletionItem

from ecr_tui.cli import output
from ecr_tui.cli.completing import VARIABLE
from ecr_tui.cli.helping import command

NAME = "ecr-tui"
SHELLS = ("bash", "zsh", "fish")

_BASH = """\
%(complete_func)s() {
    local response type value
    COMPREPLY=()
    response=$(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null) || return 0
    while IFS=$'\\t' read -r type value; do
        case $type in
            plain) COMPREPLY+=("$value") ;;
            open) COMPREPLY+=("$value"); compopt -o nospace 2>/dev/null ;;
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
        esac
    done <<< "$response"
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null || complete -F %(complete_func)s %(prog_name)s
"""


@command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script for commands, options, profiles, repositories, tags and principals."""
    output.code(script(click.get_current_context().find_root().command, shell), nl=False)


def script(program: click.Command, shell: str) -> str:
    # click's bash class would first check that bash is installed, and warn if not.
    return shell_completion.ShellComplete.source(CLASSES[shell](program, {}, NAME, VARIABLE))


def answer(cli: click.Command) -> NoReturn:
    """Answer the request in the environment; print nothing if it is invalid."""
    code = 0
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            for kind in CLASSES.values():
                shell_completion.add_completion_class(kind)
            code = shell_completion.shell_complete(cli, {}, NAME, VARIABLE, os.environ[VARIABLE])
        except Exception:  # a shell would print the traceback into the line being typed
            code = 1
    sys.exit(code)


class _Whole(shell_completion.ShellComplete):
    """Entries with the whole word: for ``--tag=Team`` click returns only the part after ``=``. Unprintable values,
    which could control the terminal or break the protocol, are dropped."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        option, equals, _ = incomplete.partition("=")
        start = f"{option}=" if equals and option.startswith("-") else ""
        return [
            CompletionItem(f"{start}{item.value}", item.type, item.help) if item.type == "plain" else item
            for item in super().get_completions(args, incomplete)
            if item.type != "plain" or str(item.value).isprintable()
        ]


class _Zsh(_Whole, shell_completion.ZshComplete):
    """Adds no space after an incomplete entry (``Team=``, ``team/``)."""

    source_template = shell_completion.ZshComplete.source_template.replace(
        "compadd -U -V unsorted -a completions",
        "local -a begun\n        begun=(${(M)completions:#*[=/]})\n        completions=(${completions:#*[=/]})\n"
        "        (( $#begun )) && compadd -U -S '' -V unsorted -a begun\n"
        "        (( $#completions )) && compadd -U -V unsorted -a completions",
    )


class _Fish(_Whole, shell_completion.FishComplete):
    """Allows commas in values."""

    source_template = shell_completion.FishComplete.source_template.replace('split ","', 'split -m 1 ","')


@dataclass
class Typed:
    """A command line up to the cursor, split as bash does; the last word is being typed.

    ``quote``: the open quote, "" for none; ``quoted_from``: characters of the last word before it.
    """

    words: list[str]
    quote: str = ""
    quoted_from: int = 0


def typed(line: str) -> Typed:
    words, word, quote, begun, escaped, quoted_from = [], "", "", False, False, 0
    for letter in line:
        if escaped:
            word, escaped, begun = word + letter, False, True
        elif letter == "\\" and quote != "'":
            escaped = True
        elif quote:
            if letter == quote:
                quote = ""
            else:
                word += letter
        elif letter in "'\"":
            quote, quoted_from, begun = letter, len(word), True
        elif letter.isspace():
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + letter, True
    return Typed([*words, word], quote, quoted_from)


class _Bash(_Whole, shell_completion.BashComplete):
    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        found = typed(os.environ["COMP_LINE"])
        return found.words[1:-1], found.words[-1]

    def complete(self) -> str:
        found = typed(os.environ["COMP_LINE"])
        word = found.words[-1]
        # The word that bash replaces starts after the open quote, else after the last of these.
        breaks = set(os.environ.get("COMP_WORDBREAKS", "")) & set("=:@")
        start = found.quoted_from if found.quote else 1 + max((word.rfind(sign) for sign in breaks), default=-1)
        lines = []
        for item in self.get_completions(found.words[1:-1], word):
            if item.type != "plain":
                lines.append(f"{item.type}\t")
                continue
            value = str(item.value)
            quoted = _quoted(value[start:], found.quote)
            if quoted is not None:
                lines.append(f"{'open' if value.endswith(('=', '/')) else 'plain'}\t{quoted}")
        return "\n".join(lines)


CLASSES: dict[str, type[shell_completion.ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def _quoted(text: str, quote: str) -> str | None:
    """``text`` quoted for bash; None if that is impossible."""
    if quote == "'":
        return None if "'" in text else text
    if quote == '"':
        # History expansion has no escape within double quotes.
        return None if "!" in text else "".join(f"\\{sign}" if sign in '\\"$`' else sign for sign in text)
    return "".join(sign if sign.isalnum() or sign in "_-./=:@+,%" else f"\\{sign}" for sign in text)
