"""Account A's repositories with their tags, in a minimum of calls.

DescribeRepositories returns no tags, and one ListTagsForResource per repository causes throttling, so the tags come
from tag:GetResources (an eventually consistent index) and are joined by ARN: ceil(N/1000) + ceil(tagged/100) calls.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ecr_tui.aws.model import Repository
from ecr_tui.aws.parallel import answered
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import Cancelled, DeniedError, EcrTuiError, InputError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import RepositoryTypeDef

OnPage = Callable[[list[Repository]], None]
OnFailure = Callable[[str, EcrTuiError], None]

INDEX, LIVE = "index", "live"
"""``Repository.tags_source``."""
_NAMES_A_CALL = 100
"""DescribeRepositories accepts up to 100 names, or lists pages of 1,000."""
_TAG_THREADS = 8
_TAGS_A_PAGE, _TAGS_EVERY = 1000, 0.25


def list_repositories(
    session: AwsSession,
    regions: Sequence[str],
    *,
    tags: Mapping[str, str] | None = None,
    on_page: OnPage | None = None,
    on_failure: OnFailure | None = None,
    cancel: threading.Event | None = None,
) -> list[Repository]:
    """The repositories of ``regions`` (in parallel), ordered by region and name.

    ``tags`` selects repositories with all of these pairs; AWS filters. ``on_page`` gets repositories as they arrive;
    one may come twice, first with ``tags`` None and then with its tags: replace by ARN. Both callbacks run in the
    calling thread. ``on_failure(region, error)`` is called for each unreadable region (None: its tags only); an error
    is raised only if every region failed, or without ``on_failure``. ``cancel`` raises Cancelled within 0.1 s; calls in
    progress are abandoned.
    """
    stop = threading.Event()
    events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
    states = {region: _Region() for region in dict.fromkeys(regions)}
    for region in states:
        work = _Work(session, region, dict(tags or {}), events, stop)
        # Daemon threads: exiting never waits for a call to time out.
        for target in (work.list_tagged,) if tags else (work.list_all, work.list_tags):
            threading.Thread(target=_guarded, args=(work, target), daemon=True).start()
            states[region].running += 1
    failures: dict[str, EcrTuiError] = {}
    pages = _Pages(on_page)
    try:
        while any(state.running for state in states.values()):
            if cancel is not None and cancel.is_set():
                raise Cancelled
            try:
                event = events.get(timeout=0.1)
            except queue.Empty:
                pages.give()
                continue
            state = states[event.region]
            state.running -= event.ended
            if event.error is not None:
                if on_failure is None:
                    raise event.error
                if not event.only_tags:
                    failures[event.region] = event.error
                on_failure(event.region, event.error)
            pages.add(state.take(event), at_once=bool(event.repositories))
        pages.give()
    finally:
        stop.set()
    if failures and len(failures) == len(states):
        raise next(iter(failures.values()))
    return [state.rows[arn] for state in states.values() for arn in sorted(state.rows)]


def first_repositories(session: AwsSession, region: str, limit: int) -> list[Repository]:
    """The first up to ``limit`` (at most 1,000) repositories of a region, in one call, without tags."""
    client = session.client("ecr", region)
    with session.calling("ecr:DescribeRepositories"):
        return [_repository(item, region) for item in client.describe_repositories(maxResults=limit)["repositories"]]


def get_repository(session: AwsSession, name: str, region: str | None = None) -> Repository:
    """One repository with its live tags from ListTagsForResource, as seen by policy conditions.

    Raises InputError if the region has no such repository.
    """
    client = session.client("ecr", region)
    where = client.meta.region_name
    try:
        with session.calling("ecr:DescribeRepositories"):
            found = client.describe_repositories(repositoryNames=[name])["repositories"]
            repository = _repository(found[0], where)
    except InputError as exc:
        raise InputError(
            f"no repository {name!r} in {where}",
            detail=exc.detail,
            hint="Use the name without registry host and image tag. Run `ecr-tui list` to see all.",
            side=exc.side,
        ) from exc
    return with_live_tags(session, repository)


def check_exists(session: AwsSession, repository: Repository) -> None:
    """Raise InputError if it does not exist; after other errors it is unknown."""
    client = session.client("ecr", repository.region)
    with session.calling("ecr:DescribeRepositories"):
        client.describe_repositories(repositoryNames=[repository.name])


def with_live_tags(session: AwsSession, repository: Repository, *, client: ECRClient | None = None) -> Repository:
    return replace(repository, tags=live_tags(session, repository, client=client), tags_source=LIVE)


def live_tags(
    session: AwsSession, repository: Repository, *, background: bool = False, client: ECRClient | None = None
) -> dict[str, str]:
    """From ListTagsForResource, as seen by policy conditions; the tag index may lag."""
    client = client or session.client("ecr", repository.region, background=background)
    with session.calling("ecr:ListTagsForResource"):
        return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(resourceArn=repository.arn)["tags"]}


def _repository(item: RepositoryTypeDef, region: str) -> Repository:
    created: Any = item.get("createdAt")  # a number, see plain_answers
    return Repository(
        name=item["repositoryName"],
        arn=item["repositoryArn"],
        uri=item["repositoryUri"],
        region=region,
        account=sys.intern(item["registryId"]),
        mutability=sys.intern(item.get("imageTagMutability", "MUTABLE")),
        created_at=None if created is None else _moment(created),
    )


def _with_tags(row: Repository, tags: dict[str, str], source: str) -> Repository:
    """As ``dataclasses.replace``, which is four times slower: a third of the final cost of a listing."""
    return Repository(row.name, row.arn, row.uri, row.region, row.account, tags, row.mutability, row.created_at, source)


def _moment(value: Any) -> datetime:
    return value.astimezone(UTC) if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)


@dataclass
class _Event:
    """A worker's result: repositories, or tags by ARN. ``ended``: the worker's last message."""

    region: str
    repositories: list[Repository] = field(default_factory=list)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    source: str = INDEX
    tags_complete: bool = False
    ended: bool = False
    error: EcrTuiError | None = None
    only_tags: bool = False


@dataclass
class _Region:
    """The known state of a region, joined by ARN. Used only by the calling thread."""

    rows: dict[str, Repository] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    tags_complete: bool = False
    running: int = 0
    untagged: dict[str, str] = field(default_factory=dict)

    def take(self, event: _Event) -> list[Repository]:
        """Add a result; returns the rows that are new or now have tags."""
        self.tags.update(event.tags)
        changed = dict.fromkeys(r.arn for r in event.repositories)
        for repository in event.repositories:
            self.rows[repository.arn] = repository
        changed.update(dict.fromkeys(arn for arn in event.tags if arn in self.rows))
        if event.tags_complete:
            # Absent from the index means untagged; formerly tagged ones are in it with [].
            self.tags_complete = True
            changed.update(dict.fromkeys(arn for arn, row in self.rows.items() if row.tags is None))
        for arn in changed:
            row = self.rows[arn]
            if row.tags is None:
                known = self.tags.get(arn, self.untagged if self.tags_complete else None)
                self.rows[arn] = row if known is None else _with_tags(row, known, event.source)
        return [self.rows[arn] for arn in changed]


class _Pages:
    """Batches for ``on_page``: new repositories at once, later tags per thousand or four times a second.

    The index has pages of 100, and each one would cause a sort and redraw of the table.
    """

    def __init__(self, on_page: OnPage | None) -> None:
        self._on_page = on_page
        self._waiting: dict[str, Repository] = {}
        self._given = time.monotonic()

    def add(self, rows: list[Repository], *, at_once: bool) -> None:
        if self._on_page is None:
            return
        self._waiting.update((row.arn, row) for row in rows)
        if at_once or len(self._waiting) >= _TAGS_A_PAGE or time.monotonic() - self._given > _TAGS_EVERY:
            self.give()

    def give(self) -> None:
        if self._waiting and self._on_page is not None:
            self._on_page(list(self._waiting.values()))
            self._waiting.clear()
        self._given = time.monotonic()


class _Work:
    """The calls of one region. Methods run in their own threads and report through the queue."""

    def __init__(
        self,
        session: AwsSession,
        region: str,
        wanted: dict[str, str],
        events: queue.SimpleQueue[_Event],
        stop: threading.Event,
    ) -> None:
        self._session = session
        self.region = region
        self._wanted = wanted
        self.events = events
        self._stop = stop
        self._listed = threading.Event()
        self._shared: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
        self.repositories: list[Repository] = []
        """Without tags; if the index is denied, :meth:`_one_by_one` reads them."""

    def list_all(self) -> None:
        try:
            for page in self._pages():
                self.repositories += page
                self.events.put(_Event(self.region, repositories=page))
        finally:
            self._listed.set()

    def list_tags(self) -> None:
        try:
            for tags in self._tag_pages():
                self.events.put(_Event(self.region, tags=tags))
            self.events.put(_Event(self.region, tags_complete=True))
        except DeniedError:
            self._listed.wait()
            for repository, known in self._one_by_one(self.repositories):
                self.events.put(_Event(self.region, tags={repository.arn: known}, source=LIVE))

    def list_tagged(self) -> None:
        """With a filter, tags are read first, and the few matches by name."""
        try:
            tags = {arn: found for page in self._tag_pages() for arn, found in page.items()}
        except DeniedError:
            for page in self._pages():
                for repository, known in self._one_by_one(page):
                    if self._wanted.items() <= known.items():
                        live = replace(repository, tags=known, tags_source=LIVE)
                        self.events.put(_Event(self.region, repositories=[live]))
            return
        for page in self._named([arn.partition(":repository/")[2] for arn in tags]):
            matching = [replace(r, tags=tags[r.arn], tags_source=INDEX) for r in page if r.arn in tags]
            self.events.put(_Event(self.region, repositories=matching))

    def _named(self, names: list[str]) -> Iterator[list[Repository]]:
        if not names:
            return
        if len(names) <= _NAMES_A_CALL:
            client = self._session.client("ecr", self.region, background=True)
            try:
                with self._session.calling("ecr:DescribeRepositories"):
                    found = client.describe_repositories(repositoryNames=names)["repositories"]
            except InputError:
                # A deleted repository that is still in the index fails the whole call.
                yield from self._pages()
            else:
                yield [_repository(item, self.region) for item in found]
        else:
            yield from self._pages()

    def _pages(self) -> Iterator[list[Repository]]:
        pages = self._session.client("ecr", self.region, background=True).get_paginator("describe_repositories")
        with self._session.calling("ecr:DescribeRepositories"):
            for page in pages.paginate(PaginationConfig={"PageSize": 1000}):
                self._check()
                found = page["repositories"]
                yield [_repository(item, self.region) for item in found]

    def _tag_pages(self) -> Iterator[dict[str, dict[str, str]]]:
        client = self._session.client("resourcegroupstaggingapi", self.region, background=True)
        pages = client.get_paginator("get_resources")
        with self._session.calling("tag:GetResources"):
            answers = pages.paginate(
                ResourceTypeFilters=["ecr:repository"],
                TagFilters=[{"Key": key, "Values": [value]} for key, value in self._wanted.items()],
                PaginationConfig={"PageSize": 100},
            )
            for page in answers:
                self._check()
                yield {
                    item["ResourceARN"]: self._share({tag["Key"]: tag["Value"] for tag in item.get("Tags", [])})
                    for item in page["ResourceTagMappingList"]
                }

    def _one_by_one(self, repositories: Sequence[Repository]) -> Iterator[tuple[Repository, dict[str, str]]]:
        """ListTagsForResource for each, a few in parallel; repositories deleted in between are omitted."""

        def fetch(repository: Repository) -> dict[str, str] | EcrTuiError:
            try:
                return live_tags(self._session, repository, background=True)
            except EcrTuiError as error:
                return error

        for repository, result in answered(fetch, repositories, workers=_TAG_THREADS):
            self._check()
            if isinstance(result, dict):
                yield repository, result
            elif not isinstance(result, InputError):
                raise result

    def _share(self, tags: dict[str, str]) -> dict[str, str]:
        """Thousands of repositories have the same tags."""
        return self._shared.setdefault(tuple(tags.items()), tags)

    def _check(self) -> None:
        if self._stop.is_set():
            raise Cancelled


def _guarded(work: _Work, target: Callable[[], None]) -> None:
    """Run a worker and always report its end, because the caller waits for it."""
    error: EcrTuiError | None = None
    try:
        target()
    except EcrTuiError as exc:
        error = exc
    except Exception as exc:
        error = EcrTuiError("cannot list the repositories", detail=repr(exc))
    work.events.put(_Event(work.region, ended=True, error=error, only_tags=target.__name__ == "list_tags"))
