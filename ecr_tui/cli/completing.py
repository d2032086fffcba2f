"""What a shell offers for a value that is being typed: click's ``shell_complete`` of the options.

Known from local files alone (AWS's configuration, the last listing, the journal): AWS is never asked, no AWS library
is loaded, and what cannot be read offers nothing. A list is complete or empty, because shells type what all its
entries have in common.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from shlex import split
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ecr_tui.changes.journal import Head, Journal
from ecr_tui.cli.schemas import NAMES, title_of
from ecr_tui.config import FLAGS, Settings, locate, read, resolve
from ecr_tui.listing.cache import ListingCache, Remembered, profile_key

if TYPE_CHECKING:
    # Generic for the type checker only: click before 8.2 has a plain class.
    Item = CompletionItem[str]
    Completing = Callable[[click.Context, click.Parameter, str], list[Item]]

VARIABLE = "_ECR_TUI_COMPLETE"
"""In whose presence a command line is completed, not run; click's name for it."""
FOLDED_FROM = 100
"""More names than these are offered like folders: up to their next slash."""


def _offered(find: Callable[[click.Context, str], Iterable[str | Item]]) -> Completing:
    """What begins with what was typed, each once; nothing in case of any trouble."""

    @functools.wraps(find)
    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[Item]:
        try:
            items = (CompletionItem(one) if isinstance(one, str) else one for one in find(context, incomplete))
            found = {item.value: item for item in items if item.value.startswith(incomplete)}
        except Exception:  # a shell has no use for the reason
            return []
        return list(found.values())

    return complete


@_offered
def profiles(_: click.Context, __: str) -> Iterable[str]:
    return sorted(aws_profiles())


@_offered
def regions(context: click.Context, _: str) -> Iterable[str]:
    """Those in use: of profiles, of the environment, and of earlier listings."""
    named = [os.environ.get(name, "") for name in ("AWS_REGION", "AWS_DEFAULT_REGION")]
    kept = [region for _, region in _cache(_settings(context)).kept()]
    return sorted({*filter(None, named), *filter(None, aws_profiles().values()), *kept})


@_offered
def accounts(context: click.Context, _: str) -> Iterable[str]:
    """Account As that were listed before."""
    return sorted({account for account, _ in _cache(_settings(context)).kept()})


@_offered
def repositories(context: click.Context, incomplete: str) -> Iterable[str | Item]:
    given = context.params.get("repositories") or ()
    cache, known = _listing(context)
    names = cache.names(known.account, known.regions, incomplete)
    return _folded([name for name in names if name not in given], incomplete)


@_offered
def isolation(context: click.Context, incomplete: str) -> Iterable[str | Item]:
    words = [CompletionItem(word, help=told) for word, told in _ISOLATION.items()]
    return [*words, *repositories(context, click.Option(["--isolation"]), incomplete)]


_ISOLATION = {
    "auto": "one repository that was not granted",
    "all": "up to 25 of them",
    "none": "no check",
}


@_offered
def tags(context: click.Context, incomplete: str) -> Iterable[str]:
    """``K=``, and behind it the values that are in use."""
    cache, known = _listing(context)
    found = cache.tags(known.account, known.regions)
    key, equals, _ = incomplete.partition("=")
    if equals:
        return [f"{key}={value}" for value in sorted(found.get(key, ()))]
    return [f"{key}=" for key in sorted(found)]


@_offered
def conditions(context: click.Context, incomplete: str) -> Iterable[str | Item]:
    none = CompletionItem("none", help="no condition")
    return [none, *tags(context, click.Option(["--if-tag"]), incomplete)]


@_offered
def themes(_: click.Context, __: str) -> Iterable[str]:
    from ecr_tui.ui.theme import theme_names

    return theme_names()


@_offered
def tag_keys(context: click.Context, _: str) -> Iterable[str]:
    cache, known = _listing(context)
    return sorted(cache.tags(known.account, known.regions))


@_offered
def principals(context: click.Context, incomplete: str) -> Iterable[str | Item]:
    """Those of earlier grants: in short, and in full where an ARN or an account id was begun."""
    named = {arn for head in _heads(context) for arn in head.principal.split(", ")}
    arns = sorted(arn for arn in named if arn.startswith("arn:"))
    if incomplete.startswith("arn:"):
        return arns
    if incomplete[:1].isdigit():
        return sorted({arn.split(":")[4] for arn in arns})
    return [CompletionItem(arn.split(":", 5)[5], help=arn) for arn in arns if arn.split(":", 5)[5] != "root"]


@_offered
def writes(context: click.Context, _: str) -> Iterable[Item]:
    """The ids of writes, newest first."""
    return [
        CompletionItem(head.id, help=f"{head.kind} {head.repository} {head.at[:16].replace('T', ' ')} UTC")
        for head in reversed(_heads(context))
    ]


@_offered
def schemas(context: click.Context, _: str) -> Iterable[Item]:
    return [] if context.params.get("command") else [CompletionItem(name, help=title_of(name)) for name in NAMES]


@_offered
def files(_: click.Context, incomplete: str) -> Iterable[Item]:
    return [CompletionItem(incomplete, type="file")]


def _folded(names: list[str], incomplete: str) -> Iterable[str]:
    if len(names) <= FOLDED_FROM:
        return names
    start = len(incomplete)
    return dict.fromkeys(name[: name.find("/", start) + 1] or name for name in names)


def _listing(context: click.Context) -> tuple[ListingCache, Remembered]:
    """What profile A's last listing is kept under. Raises LookupError where there is none."""
    settings = _settings(context)
    cache = _cache(settings)
    known = cache.recall(profile_key(settings.profile_a))
    if known is None:
        raise LookupError
    return cache, Remembered(known.account, settings.regions or known.regions)


def _settings(context: click.Context) -> Settings:
    """As the command would have them, without a word about warnings."""
    file = read(*locate(_given(context, "config_file")))
    return resolve({name: _given(context, name) for name in FLAGS if name != "tags"}, file=file)


def _cache(settings: Settings) -> ListingCache:
    return ListingCache(settings.cache_dir)


def _heads(context: click.Context) -> list[Head]:
    return Journal(_settings(context).state_folder / "journal.jsonl").heads()


def _given(context: click.Context, name: str) -> Any:
    """As flag of the command or of the program."""
    while not context.params.get(name) and context.parent is not None:
        context = context.parent
    return context.params.get(name)


def aws_profiles() -> dict[str, str]:
    """Name to region ("" for none), as AWS's configuration and credentials files have them."""
    found: dict[str, str] = {}
    for variable, standard, prefix in (
        ("AWS_CONFIG_FILE", "~/.aws/config", "profile"),
        ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", ""),
    ):
        path = Path(os.environ.get(variable) or standard).expanduser()
        try:
            text = path.read_text("utf-8", errors="replace")
        except OSError:
            continue
        for name, region in _sections(text, prefix):
            found[name] = found.get(name) or region
    return found


def _sections(text: str, prefix: str) -> Iterator[tuple[str, str]]:
    """(profile, "") for its heading, and (profile, region) for its region. With ``prefix`` other sections have none."""
    name = ""
    for line in text.splitlines():
        if line.startswith("["):
            try:
                words = split(line.partition("]")[0][1:])
            except ValueError:
                words = []
            if prefix and len(words) == 2 and words[0] == prefix:
                name = words[1]
            else:
                name = words[0] if words and (not prefix or words == ["default"]) else ""
            if name:
                yield name, ""
        elif name and line.startswith("region"):
            key, equals, value = line.partition("=")
            if equals and key.strip() == "region":
                yield name, value.strip()
