"""The session log on the screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecr_tui.aws import calls
from tests.ui.conftest import running
from tests.ui.fake_workspace import FakeWorkspace


@pytest.fixture(autouse=True)
def log() -> Iterator[calls.CallLog]:
    calls.LOG.clear()
    yield calls.LOG
    calls.LOG.clear()


def say(log: calls.CallLog, operation: str, side: str = "account A", status: str = calls.OK) -> None:
    log.add(
        "ecr",
        operation,
        seconds=0.25,
        side=side,
        region="eu-central-1",
        subject="team/[/x]app",
        status=status,
        request_id="req-1",
        command=f"aws ecr {operation}",
    )


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
async def test_calls_arrive_are_filtered_and_copied(
    workspace: FakeWorkspace, log: calls.CallLog, size: tuple[int, int]
) -> None:
    say(log, "GetRepositoryPolicy")
    async with running(workspace, size) as ui:
        await ui.press("exclamation_mark")
        await ui.see("Session log: 1 call", "ecr:GetRepositoryPol", "aws ecr GetRepositoryPolicy")
        for _ in range(3):
            say(log, "GetAuthorizationToken", "account B")
        say(log, "SetRepositoryPolicy", status="AccessDeniedException")
        await ui.see("Session log: 5 calls")
        await ui.press("f")
        await ui.see("Session log: 1 call", "failed only", "✗ AccessD")
        await ui.press("y")
        await ui.wait(lambda: ui.copied == ["aws ecr SetRepositoryPolicy"])
        await ui.press("enter")
        await ui.see("request id  req-1", "AccessDeniedException", "team/[/x]app")
        await ui.press("escape", "f", "b", "b")
        await ui.see("Session log: 3 calls", "account B")
        await ui.press("Y")
        await ui.wait(lambda: len(ui.copied) == 2)
        assert ui.copied[1].count("GetAuthorizationToken") == 6
        await ui.press("b")
        await ui.see("Session log: 5 calls")
        await ui.press("escape")
        assert ui.dialog == ""


async def test_an_empty_log_says_so(workspace: FakeWorkspace, log: calls.CallLog) -> None:
    async with running(workspace) as ui:
        await ui.press("exclamation_mark")
        await ui.see("No calls to AWS yet.")
