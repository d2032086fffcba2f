"""The use of a repository: read with progress from the palette, and told in the description once it was read."""

from __future__ import annotations

from datetime import timedelta

from ecr_tui.access.usage import Kind, Span, Tally, Use
from ecr_tui.access.usage_grants import Period
from ecr_tui.access.usage_reading import Reading, Record
from ecr_tui.access.usage_report import RegionUsage, UsageReport
from ecr_tui.aws.trail import Caller
from ecr_tui.errors import DeniedError, EnvironmentFailure
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import DEVUSR2, NOW, REGION, A, B, FakeWorkspace

NAME = "my-first-repo"
PULLS = (Use(Caller(B, DEVUSR2), NAME, Kind.PULL), Span(NOW - timedelta(days=9), NOW - timedelta(days=2), 5))


def report(workspace: FakeWorkspace) -> UsageReport:
    period = Period(NOW - timedelta(days=90), NOW - timedelta(days=90), NOW)
    region = RegionUsage(REGION, period, Reading(3, 120), (PULLS,), outside=True)
    return UsageReport(A, NOW, 90, 90, (workspace.by_name(NAME),), (region,))


async def ask(ui: Session) -> None:
    await ui.press("ctrl+p")
    await ui.type("use of this")
    await ui.see("Inspect: usage of this repository")
    await ui.press("enter")


async def test_the_palette_reads_with_progress_and_shows_the_report(workspace: FakeWorkspace) -> None:
    workspace.usage.pages = [(50, NOW - timedelta(days=1)), (100, NOW - timedelta(days=30))]
    workspace.usage.found = report(workspace)
    workspace.gate.hold("usage")
    async with running(workspace) as ui:
        await ui.select(NAME)
        await ask(ui)
        await ui.see("Usage of my-first-repo", "100 events read, back to 2026-10-25", "esc stop")
        workspace.gate.release("usage")
        await ui.see("Last use", "user devusr2 in 222222222222", "Not in CloudTrail")
        await ui.press("y")
        await ui.wait(lambda: bool(ui.copied) and ui.copied[-1].startswith("Usage of 1 repository"))


async def test_it_is_stopped_and_fails_with_one_message(workspace: FakeWorkspace) -> None:
    workspace.usage.found = report(workspace)
    workspace.gate.hold("usage")
    async with running(workspace) as ui:
        await ui.select(NAME)
        await ask(ui)
        await ui.see("reading…")
        await ui.press("escape")
        await ui.wait(lambda: "Stopped reading CloudTrail. Events read so far are kept." in ui.toasts())
        workspace.gate.release("usage")
        workspace.errors["usage"] = DeniedError("cloudtrail:LookupEvents was denied")
        await ask(ui)
        await ui.see("cloudtrail:LookupEvents was denied")


async def test_the_description_tells_what_was_read_and_asks_aws_nothing(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select(NAME)
        await ui.press("d")
        await ui.see("Usage       not read")
        await ui.press("escape")
        workspace.usage.record = Record(
            A,
            REGION,
            ((NOW - timedelta(days=90), NOW),),
            Tally({PULLS[0]: PULLS[1]}),
            (NOW - timedelta(minutes=15), NOW),
            at=NOW,
        )
        await ui.press("d")
        await ui.see(
            "Pulled by   user devusr2 in 222222222222, last 2026-11-22 12:00 UTC",
            "Pushed by   no other account since 2026-08-26 12:00 UTC",
        )
        await ui.press("escape")
        workspace.errors["usage_known"] = EnvironmentFailure("cannot read the file")
        await ui.press("d")
        await ui.see("cannot read the file")
        assert workspace.gate.count("usage") == 0
