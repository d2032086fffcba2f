"""Lambda functions and ECS task definitions of an account, by image.

ListFunctions and ListTaskDefinitions do not return images, so each function and task definition needs a call, and their
number is limited. Read-only calls, made only on request.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ecr_tui.aws.hosts import is_registry_of
from ecr_tui.aws.model import Repository
from ecr_tui.aws.parallel import OnProgress, each
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import Cancelled, DeniedError, EcrTuiError

FUNCTION, TASK = "Lambda function", "ECS task definition"
ASKED_ABOUT = 500
"""Maximum functions, and task definitions, per region."""
MAX_PAGES = 100


class Workload(NamedTuple):
    """``name``: a function's, or a task definition's with its revision. ``container``: "" for a function."""

    kind: str
    name: str
    image: str
    container: str = ""

    @property
    def repository(self) -> str:
        """The image without tag and digest."""
        return _split(self.image)[0]

    @property
    def reference(self) -> str:
        """The tag or digest, "latest" if the image has neither."""
        return _split(self.image)[1]

    def uses(self, repository: Repository) -> bool:
        """Whether it is in the repository, under any of the registry's host names."""
        host, _, name = self.repository.partition("/")
        if name != repository.name:
            return False
        own = repository.uri.partition("/")[0]
        return host == own or is_registry_of(host, repository.account, repository.region, repository.partition)


class Workloads(NamedTuple):
    """Workloads of one account and region. ``unknown``: sentences about missing or unreadable parts."""

    account: str
    region: str
    found: tuple[Workload, ...]
    unknown: tuple[str, ...] = ()


def workloads(
    session: AwsSession,
    region: str,
    *,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> Workloads:
    """Failures are recorded in ``unknown``; raises only CredentialsError and Cancelled."""
    account = session.identity().account
    reader = _Reader(session, region, on_progress, cancel or threading.Event())
    found = (*reader.functions(), *reader.tasks())
    return Workloads(account, region, found, tuple(reader.unknown))


class _Reader:
    def __init__(
        self, session: AwsSession, region: str, on_progress: OnProgress | None, cancel: threading.Event
    ) -> None:
        self._session = session
        self._region = region
        self._on_progress = on_progress
        self._cancel = cancel
        self.unknown: list[str] = []

    def functions(self) -> list[Workload]:
        client = self._session.client("lambda", self._region, background=True)
        pages = client.get_paginator("list_functions")
        listed = self._listed("lambda:ListFunctions", lambda: pages.paginate(), "Functions")
        names = [str(one["FunctionName"]) for one in listed if one.get("PackageType") == "Image"]
        names = self._bounded(names, "Lambda functions with an image")
        answers = self._each("lambda:GetFunction", names, lambda name: client.get_function(FunctionName=name))
        images = [(name, (answer.get("Code") or {}).get("ImageUri")) for name, answer in answers]
        return [Workload(FUNCTION, name, str(image)) for name, image in images if image]

    def tasks(self) -> list[Workload]:
        """The newest revision of each family that has an image."""
        client = self._session.client("ecs", self._region, background=True)
        pages = client.get_paginator("list_task_definitions")
        listed = self._listed(
            "ecs:ListTaskDefinitions", lambda: pages.paginate(status="ACTIVE", sort="DESC"), "taskDefinitionArns"
        )
        arns = self._bounded(_newest_first([str(one) for one in listed]), "ECS task definitions")
        answers = self._each(
            "ecs:DescribeTaskDefinition", arns, lambda arn: client.describe_task_definition(taskDefinition=arn)
        )
        found: dict[tuple[str, str], Workload] = {}
        for arn, answer in answers:
            name = arn.rpartition("/")[2]
            for container in (answer.get("taskDefinition") or {}).get("containerDefinitions", ()):
                one = Workload(TASK, name, str(container.get("image", "")), str(container.get("name", "")))
                found.setdefault((name.rpartition(":")[0], one.repository), one)
        return list(found.values())

    def _listed(self, action: str, pages: Callable[[], Any], key: str) -> list[Any]:
        found: list[Any] = []
        try:
            with self._session.calling(action):
                for number, page in enumerate(pages()):
                    if self._cancel.is_set():
                        raise Cancelled
                    if number == MAX_PAGES:
                        self.unknown.append(f"{action} has more than the {len(found):,} that were read")
                        break
                    found += page.get(key) or ()
        except Cancelled:
            raise
        except EcrTuiError as error:
            self.unknown.append(_reason(action, error))
        return found

    def _bounded(self, names: list[str], what: str) -> list[str]:
        if len(names) > ASKED_ABOUT:
            self.unknown.append(f"read {ASKED_ABOUT:,} of {len(names):,} {what}")
        return names[:ASKED_ABOUT]

    def _each(self, action: str, names: Sequence[str], ask: Callable[[str], Any]) -> list[tuple[str, Any]]:
        def answer(name: str) -> Any:
            try:
                with self._session.calling(action):
                    return ask(name)
            except EcrTuiError as error:
                return error

        answers = each(answer, names, on_progress=self._on_progress, cancel=self._cancel)
        failed = Counter(_reason(action, one) for one in answers if isinstance(one, EcrTuiError))
        self.unknown += [f"{reason}, for {number:,} of {len(names):,}" for reason, number in failed.items()]
        return [(name, one) for name, one in zip(names, answers, strict=True) if not isinstance(one, EcrTuiError)]


def _reason(action: str, error: EcrTuiError) -> str:
    return f"{action} is denied" if isinstance(error, DeniedError) else error.reason


def _newest_first(arns: Sequence[str]) -> list[str]:
    """The last revisions of all families first."""

    def age(arn: str) -> int:
        revision = arn.rpartition(":")[2]
        return -int(revision) if revision.isdecimal() else 0

    seen: dict[str, int] = {}
    ranked = []
    for arn in sorted(arns, key=age):
        family = arn.rpartition(":")[0]
        seen[family] = seen.get(family, 0) + 1
        ranked.append((seen[family], arn))
    return [arn for _, arn in sorted(ranked, key=lambda one: one[0])]


def _split(image: str) -> tuple[str, str]:
    """(repository, tag or digest) of an image reference; a port is not a tag."""
    name, at, digest = image.partition("@")
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{folder}{slash}{last}", digest if at else tag or "latest"
