"""Waiting for an access preview: bounded, cancellable, and a failure with its reason."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ecr_tui.aws import access_analyzer
from ecr_tui.aws.access_analyzer import Analyzer, preview
from ecr_tui.aws.model import Repository
from ecr_tui.errors import Cancelled, EnvironmentFailure

ANALYZER = Analyzer("arn:aws:access-analyzer:eu-central-1:111111111111:analyzer/a", "a", "ACCOUNT")
REPOSITORY = Repository(
    "r", "arn:aws:ecr:eu-central-1:111111111111:repository/r", "h/r", "eu-central-1", "111111111111"
)


class Session:
    """An AwsSession whose previews go through ``states``, the last one for ever."""

    def __init__(self, *states: str, code: str = "") -> None:
        self._states = list(states)
        self._reason = {"statusReason": {"code": code}} if code else {}
        self.policies: list[str] = []
        self.looks = 0

    def client(self, service: str, region: str) -> Any:
        assert (service, region) == ("accessanalyzer", "eu-central-1")
        return self

    @contextmanager
    def calling(self, operation: str) -> Iterator[None]:
        yield

    def create_access_preview(self, analyzerArn: str, configurations: Any) -> Any:
        self.policies.append(configurations[REPOSITORY.arn]["ecrRepository"]["repositoryPolicy"])
        return {"id": "p-1"}

    def get_access_preview(self, **about: str) -> Any:
        self.looks += 1
        status = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        return {"accessPreview": {"status": status, **self._reason}}

    def list_access_preview_findings(self, **about: str) -> Any:
        finding = {"id": about.get("nextToken", "1"), "status": "ACTIVE", "changeType": "NEW"}
        return {"findings": [finding]} | ({} if "nextToken" in about else {"nextToken": "2"})


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_analyzer, "PAUSES", (0.0,))


def test_a_preview_is_looked_at_until_it_is_complete_and_all_its_pages_are_read() -> None:
    session: Any = Session("CREATING", "CREATING", "COMPLETED")
    waits: list[float] = []
    found = preview(session, ANALYZER, REPOSITORY, None, on_wait=waits.append)
    assert (session.looks, len(waits), session.policies) == (3, 3, [""])
    assert (found.id, [one.id for one in found.findings]) == ("p-1", ["1", "2"])


@pytest.mark.parametrize(
    ("code", "hint"), [("INVALID_CONFIGURATION", "Check the policy"), ("INTERNAL_ERROR", "Retry later.")]
)
def test_a_preview_that_fails_says_why(code: str, hint: str) -> None:
    session: Any = Session("CREATING", "FAILED", code=code)
    with pytest.raises(EnvironmentFailure, match=code) as failure:
        preview(session, ANALYZER, REPOSITORY, "{}")
    assert failure.value.hint.startswith(hint)


def test_waiting_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_analyzer, "PATIENCE", 0.01)
    with pytest.raises(EnvironmentFailure, match="not complete") as failure:
        preview(Session("CREATING"), ANALYZER, REPOSITORY, "{}")  # type: ignore[arg-type]
    assert "get-access-preview --access-preview-id p-1 --analyzer-arn arn:" in failure.value.hint


def test_waiting_is_cancelled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_analyzer, "PAUSES", (60.0,))
    cancel = threading.Event()
    session: Any = Session("CREATING")
    with pytest.raises(Cancelled):
        preview(session, ANALYZER, REPOSITORY, "{}", on_wait=lambda _: cancel.set(), cancel=cancel)
    assert session.looks == 0
