"""Cache of the repository list, displayed until AWS responds.

For display only: no write to AWS depends on it, and it is dropped if the profile belongs to another account. One
private file per account and region, replaced as a whole; the folder may be deleted at any time. Unusable files are
skipped and reported. The account of each profile is stored separately, under a hash, so that the list can be shown
before credentials are available.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ecr_tui.aws.model import Repository
from ecr_tui.config import default_cache_dir
from ecr_tui.config.folders import replace_private
from ecr_tui.errors import Cancelled

CACHED = "cache"
"""``Repository.tags_source`` of cached rows."""

_FORMAT = 1
_ROWS_A_LINE = 1000
"""Rows per line. Parsing a line blocks other threads: 1,000 rows take 2 ms."""
_PROFILES = "profiles.json"
_PROFILES_KEPT = 200
_DECIDING = (
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_ECR",
    "AWS_ENDPOINT_URL_STS",
)
_DECIDING_WITHOUT_PROFILE = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN")


class Cached(NamedTuple):
    """A listing of a previous run; ``at`` (UTC) is the time of its oldest part.

    Always stale. ``problems``: sentences about skipped files.
    """

    account: str
    regions: tuple[str, ...]
    repositories: tuple[Repository, ...]
    at: datetime
    problems: tuple[str, ...] = ()


class Remembered(NamedTuple):
    """The last known account of a profile."""

    account: str
    regions: tuple[str, ...]


class Unusable(Exception):
    """An unusable cache file; the text is a sentence."""


def profile_key(profile: str | None, environ: Mapping[str, str] | None = None) -> str:
    """A hash that identifies a profile of the current AWS config before its account is known; no name is stored."""
    environ = os.environ if environ is None else environ
    names = (*_DECIDING, *(() if profile else _DECIDING_WITHOUT_PROFILE))
    home = str(Path("~").expanduser())
    parts = [profile or "", home, *(f"{name}={environ.get(name, '')}" for name in names)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


class ListingCache:
    """A folder of listings. Only :meth:`read` and, if canceled, :meth:`load` raise.

    ``folder`` None means ECR_TUI_CACHE_DIR or the platform's cache folder; created by the first :meth:`store`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        if folder is None:
            named = os.environ.get("ECR_TUI_CACHE_DIR")
            folder = Path(named).expanduser() if named else default_cache_dir()
        self.folder = folder

    def path(self, account: str, region: str) -> Path:
        name = "".join(letter if letter.isalnum() or letter == "-" else "_" for letter in f"{account}-{region}")
        return self.folder / f"repositories-{name}.jsonl"

    # -- listings ------------------------------------------------------------------------------------------------

    def store(self, account: str, region: str, repositories: Sequence[Repository]) -> str:
        """Replace a region's listing; returns "" or a sentence with the error."""
        return self._replace(self.path(account, region), _lines(account, region, repositories))

    def load(
        self,
        account: str,
        regions: Sequence[str],
        *,
        on_page: Callable[[list[Repository]], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Cached | None:
        """The cached listing of these regions, None if there is none. ``on_page`` gets rows as they are read, including
        those of a file that later proves damaged; the result excludes them."""
        rows: list[Repository] = []
        problems: list[str] = []
        times: list[datetime] = []
        for region in regions:
            try:
                at, found = self.read(account, region, on_page=on_page, cancel=cancel)
            except FileNotFoundError:
                continue
            except Unusable as unusable:
                problems.append(str(unusable))
                continue
            times.append(at)
            rows += found
        if not times and not problems:
            return None
        at = min(times, default=datetime.now(UTC))
        return Cached(account, tuple(regions), tuple(rows), at, tuple(problems))

    def read(
        self,
        account: str,
        region: str,
        *,
        on_page: Callable[[list[Repository]], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> tuple[datetime, list[Repository]]:
        """(when it was listed, the rows). Raises FileNotFoundError, :class:`Unusable`, Cancelled."""
        path = self.path(account, region)
        try:
            with path.open(encoding="utf-8") as file:
                head = json.loads(file.readline())
                if (head["v"], head["account"], head["region"]) != (_FORMAT, account, region):
                    raise ValueError("another format, account or region")
                at = datetime.fromisoformat(head["at"])
                rows: list[Repository] = []
                shared: _Shared = {}
                for line in file:
                    if cancel is not None and cancel.is_set():
                        raise Cancelled
                    page = [_row(item, head, shared) for item in json.loads(line)]
                    rows += page
                    if on_page is not None:
                        on_page(page)
                if len(rows) != head["count"]:
                    raise ValueError("not complete")
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise Unusable(f"cannot read the cached listing {path}: {exc.strerror or exc}") from exc
        except (ValueError, KeyError, TypeError, IndexError, RecursionError, AttributeError) as exc:
            raise Unusable(f"the cached listing {path} is damaged and ignored; the next listing replaces it") from exc
        return at, rows

    # -- shell completion ---------------------------------------------------------------------------

    def kept(self) -> list[tuple[str, str]]:
        """(account, region) of each listing."""
        found = (path.stem.removeprefix("repositories-") for path in self.folder.glob("repositories-*.jsonl"))
        return sorted((account, region) for account, dash, region in (one.partition("-") for one in found) if dash)

    def names(self, account: str, regions: Sequence[str], start: str = "") -> list[str]:
        """Names with this prefix. Raises ValueError for a truncated listing.

        Rows are not parsed: names have no characters that JSON escapes, and JSON text never has a quote between a
        bracket and a letter.
        """
        named = re.compile(rf'\["({re.escape(start)}[a-z0-9._/-]*)","')
        return list(dict.fromkeys(name for line in self._pages(account, regions) for name in named.findall(line)))

    def tags(self, account: str, regions: Sequence[str]) -> dict[str, set[str]]:
        """Each key with its values, over all repositories. Raises ValueError and the like for a damaged listing."""
        found: dict[str, set[str]] = {}
        for line in self._pages(account, regions):
            for tags in _tags(line):
                for key, value in tags.items():
                    found.setdefault(key, set()).add(value)
        return found

    def _pages(self, account: str, regions: Sequence[str]) -> Iterator[str]:
        for region in regions:
            with contextlib.suppress(OSError, UnicodeDecodeError), self.path(account, region).open() as file:
                file.readline()
                for line in file:
                    if not line.endswith("]\n"):
                        raise ValueError("truncated")
                    yield line

    # -- profiles ------------------------------------------------------------------------------------------------

    def remember(self, key: str, account: str, regions: Sequence[str]) -> None:
        """``key``: see :func:`profile_key`."""
        known = self._profiles()
        value = {"account": account, "regions": list(regions)}
        if known.get(key) == value:
            return
        known.pop(key, None)
        # The latest last; limits the number.
        kept = list(known.items())[-_PROFILES_KEPT + 1 :]
        self._replace(
            self.folder / _PROFILES, iter([json.dumps({"v": _FORMAT, "profiles": dict([*kept, (key, value)])})])
        )

    def recall(self, key: str) -> Remembered | None:
        found = self._profiles().get(key)
        try:
            return Remembered(str(found["account"]), tuple(map(str, found["regions"]))) if found else None
        except (KeyError, TypeError):
            return None

    def _profiles(self) -> dict[str, Any]:
        try:
            known = json.loads((self.folder / _PROFILES).read_text("utf-8"))
            return dict(known["profiles"]) if known["v"] == _FORMAT else {}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}

    # -- files ---------------------------------------------------------------------------------------------------

    def _replace(self, path: Path, lines: Iterator[str]) -> str:
        try:
            replace_private(path, lines)
        except (OSError, ValueError) as exc:
            reason = exc.strerror or exc if isinstance(exc, OSError) else exc
            return f"cannot cache the listing in {self.folder}: {reason}"
        return ""


def _lines(account: str, region: str, repositories: Sequence[Repository]) -> Iterator[str]:
    """ARNs and URIs differ only in the name, so their prefixes are stored once; other rows store them in full."""
    first = repositories[0] if repositories else None
    arn = first.arn.removesuffix(first.name) if first else ""
    uri = first.uri.removesuffix(first.name) if first else ""
    head = {"v": _FORMAT, "account": account, "region": region, "at": datetime.now(UTC).isoformat()}
    yield _dump({**head, "count": len(repositories), "arn": arn, "uri": uri})
    for start in range(0, len(repositories), _ROWS_A_LINE):
        yield _dump([_item(row, arn, uri) for row in repositories[start : start + _ROWS_A_LINE]])


def _item(row: Repository, arn: str, uri: str) -> list[Any]:
    created = None if row.created_at is None else row.created_at.timestamp()
    item: list[Any] = [row.name, row.mutability, created, row.tags]
    return item if (row.arn, row.uri) == (arn + row.name, uri + row.name) else [*item, row.arn, row.uri]


def _tags(line: str) -> list[dict[str, str]]:
    """Distinct tag sets of a line of rows, because most repositories share theirs."""
    texts = {row[row.find("{") :] for row in line.split('],["') if "{" in row}
    try:
        return [_DECODER.raw_decode(text)[0] for text in texts]
    except ValueError:
        # A tag may contain the row separator.
        return [item[3] for item in json.loads(line) if item[3]]


_DECODER = json.JSONDecoder()
_Shared = dict[tuple[tuple[str, str], ...], dict[str, str]]


def _row(item: list[Any], head: dict[str, Any], shared: _Shared) -> Repository:
    name, mutability, created, tags = item[:4]
    arn, uri = item[4:] or (head["arn"] + name, head["uri"] + name)
    if not all(isinstance(text, str) for text in (name, mutability, arn, uri, *(tags or {}), *(tags or {}).values())):
        raise TypeError("malformed row")
    if tags is not None:
        tags = shared.setdefault(tuple(tags.items()), tags)
    return Repository(
        name=name,
        arn=arn,
        uri=uri,
        region=head["region"],
        account=head["account"],
        tags=tags,
        mutability=sys.intern(mutability),
        created_at=None if created is None else datetime.fromtimestamp(created, UTC),
        tags_source=CACHED if tags is not None else "",
    )


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
