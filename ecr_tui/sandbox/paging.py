"""Pages as AWS's list operations give them: a bounded size, and an opaque token that names the last entry."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TypeVar

from ecr_tui.sandbox.aws_errors import ServiceError, invalid

T = TypeVar("T")


def page_size(params: Mapping[str, object], default: int, maximum: int) -> int:
    """The call's maxResults. Raises ServiceError unless it is within 1..maximum."""
    key = "maxResults"
    wanted = params.get(key)
    if wanted is None:
        return default
    if not isinstance(wanted, int) or wanted < 1:
        raise invalid(key, "Member must have value greater than or equal to 1")
    if wanted > maximum:
        raise invalid(key, f"Member must have value less than or equal to {maximum}")
    return wanted


def marker_of(token: object, kind: str) -> str:
    """The marker inside a token of this kind, "" for no token. Raises ServiceError for anything else."""
    if token in (None, ""):
        return ""
    try:
        found = json.loads(base64.urlsafe_b64decode(str(token).encode()))
        if found["k"] == kind:
            return str(found["m"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        pass
    raise invalid("nextToken", "Invalid nextToken")


def token_of(marker: str, kind: str) -> str:
    return base64.urlsafe_b64encode(json.dumps({"k": kind, "m": marker}).encode()).decode()


def take(entries: Iterable[T], size: int, kind: str, marker: Callable[[T], str]) -> tuple[list[T], str | None]:
    """(the page, the token of the next one or None when nothing follows)."""
    found = list(islice(entries, size + 1))
    if len(found) <= size:
        return found, None
    return found[:size], token_of(marker(found[size - 1]), kind)


def checked_tags(tags: object) -> dict[str, str]:
    """ECR's tag list as a mapping. Raises ServiceError (limits of the TagResource reference)."""
    if not isinstance(tags, list):
        return {}
    found: dict[str, str] = {}
    for tag in tags:
        key, value = str(tag.get("Key", "")), str(tag.get("Value", ""))
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise ServiceError("InvalidTagParameterException", "Tag keys have 1 to 128 characters, values up to 256.")
        if key.lower().startswith("aws:"):
            raise ServiceError("InvalidTagParameterException", "Tag keys must not start with 'aws:'.")
        found[key] = value
    return found
