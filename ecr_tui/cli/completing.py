"""Shell completion of option values (click's ``shell_complete``).

Reads local files only (the AWS configuration, the cached listing, the journal), makes no AWS calls and loads no AWS
library; unreadable files offer nothing. A list is complete or empty, because shells insert the common prefix of its
entries.
"""

from __future__ import annotations

import configparser
import functools
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from shlex import split
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ecr_tui.config import FLAGS, Settings, locate, read, resolve

if TYPE_CHECKING:
    from ecr_tui.changes.journal import Head
    from ecr_tui.listing.cache import ListingCache, Remembered

    # Generic for the type checker only: before click 8.2 it is a plain class.
    Item = CompletionItem[str]
    Completing = Callable[[click.Context, click.Parameter, str], list[Item]]

VARIABLE = "_ECR_TUI_COMPLETE"
"""Environment variable under which click completes a command line instead of running it."""
FOLDED_FROM = 100
"""From this many names on, offer them like folders: up to the next slash."""


def _offered(find: Callable[[click.Context, str], Iterable[str | Item]]) -> Completing:
    """Entries that begin with the typed text, without duplicates; none on any error."""

    @functools.wraps(find)
    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[Item]:
        try:
            items = (CompletionItem(one) if isinstance(one, str) else one for one in find(context, incomplete))
            found = {item.value: item for item in items if item.value.startswith(incomplete)}
        except Exception:  # a shell cannot show the reason
            return []
        return list(found.values())

    return complete


@_offered
def profiles(_: click.Context, __: str) -> Iterable[str]:
    return sorted(aws_profiles())


@_offered
def consumers(context: click.Context, _: str) -> Iterable[Item]:
    """Of the configuration, with what is known of each."""
    file = read(*locate(_given(context, "config_file")))
    return [CompletionItem(one.name, help=one.words) for one in resolve(file=file).consumers]


@_offered
def regions(context: click.Context, _: str) -> Iterable[str]:
    """Regions of profiles, of the environment and of cached listings."""
    named = [os.environ.get(name, "") for name in ("AWS_REGION", "AWS_DEFAULT_REGION")]
    kept = [region for _, region in _cache(_settings(context)).kept()]
    return sorted({*filter(None, named), *filter(None, aws_profiles().values()), *kept})


@_offered
def accounts(context: click.Context, _: str) -> Iterable[str]:
    """Owner accounts with a cached listing."""
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
    "auto": "one repository without a grant",
    "all": "up to 25 repositories without a grant",
    "none": "no isolation check",
}


@_offered
def tags(context: click.Context, incomplete: str) -> Iterable[str]:
    """``K=``, then the values in use."""
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
    """Principals of earlier grants: short, or in full when an ARN or an account id was begun."""
    named = {arn for head in _heads(context) for arn in head.principal.split(", ")}
    arns = sorted(arn for arn in named if arn.startswith("arn:"))
    if incomplete.startswith("arn:"):
        return arns
    if incomplete[:1].isdigit():
        return sorted({arn.split(":")[4] for arn in arns})
    return [CompletionItem(arn.split(":", 5)[5], help=arn) for arn in arns if arn.split(":", 5)[5] != "root"]


@_offered
def writes(context: click.Context, _: str) -> Iterable[Item]:
    """IDs of writes, newest first."""
    return [
        CompletionItem(head.id, help=f"{head.kind} {head.repository} {head.at[:16].replace('T', ' ')} UTC")
        for head in reversed(_heads(context))
    ]


@_offered
def schemas(context: click.Context, _: str) -> Iterable[Item]:
    from ecr_tui.cli.schemas import NAMES, title_of

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
    """The cached listing of profile A. Raises LookupError if there is none."""
    from ecr_tui.listing.cache import Remembered, profile_key

    settings = _settings(context)
    cache = _cache(settings)
    known = cache.recall(profile_key(settings.profile_a))
    if known is None:
        raise LookupError
    return cache, Remembered(known.account, settings.regions or known.regions)


def _settings(context: click.Context) -> Settings:
    """The settings of the command, without printing warnings."""
    file = read(*locate(_given(context, "config_file")))
    return resolve({name: _given(context, name) for name in FLAGS if name not in _APART}, file=file)


_APART = ("tags", "consumer_name")


def _cache(settings: Settings) -> ListingCache:
    from ecr_tui.listing.cache import ListingCache

    return ListingCache(settings.cache_dir)


def _heads(context: click.Context) -> list[Head]:
    from ecr_tui.changes.journal import Journal

    return Journal(_settings(context).state_folder / "journal.jsonl").heads()


def _given(context: click.Context, name: str) -> Any:
    """Value of a flag of the command or of the program."""
    while not context.params.get(name) and context.parent is not None:
        context = context.parent
    return context.params.get(name)


def aws_profiles() -> dict[str, str]:
    """Profile name to region ("" for none), from the AWS configuration and credentials files."""
    found: dict[str, str] = {}
    for variable, standard, prefix in (
        ("AWS_CONFIG_FILE", "~/.aws/config", "profile"),
        ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", ""),
    ):
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read(Path(os.environ.get(variable) or standard).expanduser(), encoding="utf-8")
        except (OSError, ValueError, configparser.Error):  # boto3 refuses such a file, too
            continue
        for title in parser.sections():
            words = _words(title)
            if words == ["default"] or (len(words) == 2 and words[0] == prefix) or (not prefix and words):
                found[words[-1]] = found.get(words[-1]) or str(parser.get(title, "region", fallback=""))
    return found


def _words(title: str) -> list[str]:
    try:
        return split(title)
    except ValueError:
        return []
