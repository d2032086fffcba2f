"""Parse values of settings from any layer."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ecr_tui.errors import InputError

ENGINES = ("auto", "docker", "direct")
ACCESSES = ("push-pull", "pull", "push", "read", "read-pull", "read-push", "read-push-pull", "guide")
COLUMNS = ("region", "tags", "access", "findings", "verified", "mutability", "images", "pushed", "pulled")
"""Columns of the interface's list, in addition to the name."""

Tag = tuple[str, str]

_REGION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def parse(name: str, raw: Any, origin: str) -> Any:
    """Parse the value of a field of :class:`~ecr_tui.config.Settings`. Raises InputError, prefixed by ``origin``."""
    if name == "regions":
        return tuple(dict.fromkeys(_region(part, origin) for part in _words(raw)))
    if name in ("tags", "condition"):
        return _tags(raw, origin)
    if name in ("read_only", "plain", "reduced_motion"):
        return raw if isinstance(raw, bool) else _bool(str(raw), origin)
    if name == "columns":
        return tuple(dict.fromkeys(choice(part, COLUMNS, origin) for part in _words(raw)))
    if name == "engine":
        return choice(str(raw), ENGINES, origin)
    if name == "access":
        return choice(str(raw), ACCESSES, origin)
    if name in ("state_dir", "cache_dir"):
        return Path(raw).expanduser()
    return str(raw)


def parse_tag(text: str, *, origin: str = "") -> Tag:
    """ "K=V" as a pair; the value may be empty or contain "=". Raises InputError.

    Limits are ECR's: a key of up to 128 characters, a value of up to 256.
    """
    key, equals, value = text.partition("=")
    prefix = f"{origin}: " if origin else ""
    if not equals or not key.strip():
        raise InputError(f"{prefix}{text!r} is not a tag", hint="Write it as KEY=VALUE, for example Team=Payments.")
    key, value = key.strip(), value.strip()
    if len(key) > 128 or len(value) > 256:
        raise InputError(
            f"{prefix}the tag {key[:40]!r} is too long",
            hint="Use at most 128 characters for the key and 256 for the value.",
        )
    return key, value


def parse_tags(texts: Iterable[str], *, origin: str = "", to_write: bool = False) -> tuple[Tag, ...]:
    """Several tags. Raises InputError for a key with two values, because nothing can match both.

    Keys that differ only in case are one key in IAM, but two as tags ``to_write``.
    """
    pairs: dict[str, str] = {}
    prefix = f"{origin}: " if origin else ""
    for text in texts:
        key, value = parse_tag(text, origin=origin)
        twin = next((one for one in pairs if one != key and one.lower() == key.lower()), "")
        if twin and not to_write:
            raise InputError(
                f"{prefix}the tag keys {twin!r} and {key!r} differ only in case and can never both match",
                hint="Use the key of the repositories. IAM ignores case in tag keys.",
            )
        if pairs.setdefault(key, value) != value:
            raise InputError(f"{prefix}the tag {key!r} is given twice, as {pairs[key]!r} and as {value!r}")
    return tuple(pairs.items())


def choice(text: str, choices: Iterable[str], origin: str) -> str:
    known = tuple(choices)
    if text in known:
        return text
    raise InputError(f"{origin}: {text!r} is not one of {', '.join(known)}", hint=close_match(text, known))


def close_match(text: str, known: Iterable[str]) -> str:
    """ "Did you mean 'x'?" for the closest of ``known``, or ""."""
    found = difflib.get_close_matches(text, tuple(known), n=1)
    return f"Did you mean {found[0]!r}?" if found else ""


def _tags(raw: Any, origin: str) -> tuple[Tag, ...]:
    if isinstance(raw, Mapping):
        return parse_tags((f"{key}={value}" for key, value in raw.items()), origin=origin)
    if not isinstance(raw, str) and all(isinstance(pair, tuple) for pair in raw):
        return tuple(raw)
    return parse_tags(raw.split(",") if raw and isinstance(raw, str) else raw, origin=origin)


def _words(raw: Any) -> list[str]:
    return re.split(r"[,\s]+", raw.strip()) if isinstance(raw, str) else [str(part) for part in raw]


def _region(text: str, origin: str) -> str:
    if not _REGION.fullmatch(text):
        raise InputError(f"{origin}: {text!r} is not an AWS region", hint="Use a region such as eu-central-1.")
    return text


def _bool(text: str, origin: str) -> bool:
    low = text.strip().lower()
    if low in _TRUE or low in _FALSE:
        return low in _TRUE
    raise InputError(f"{origin}: {text!r} is neither true nor false", hint="Use 1 or 0.")
