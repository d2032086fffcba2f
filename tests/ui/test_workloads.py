"""Who uses the images: on a key, and in what asks before a revoke or an edit of tags."""

from __future__ import annotations

from ecr_tui.aws.workloads import FUNCTION, Workload
from ecr_tui.changes.apply import apply
from ecr_tui.errors import EnvironmentFailure
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from tests.support.planning import plan_grant
from tests.ui.conftest import running
from tests.ui.fake_workspace import DEVUSR2, FakeWorkspace


async def test_w_tells_and_the_revoke_repeats_it(workspace: FakeWorkspace) -> None:
    where = workspace.by_name("my-first-repo")
    apply(workspace, workspace.changes.journal, plan_grant(workspace, where, Grant((DEVUSR2,), Access.PULL)))
    workspace.running = (Workload(FUNCTION, "checkout", f"{where.uri}:v2"), Workload(FUNCTION, "other", "app:v1"))
    async with running(workspace) as session:
        await session.select("my-first-repo")
        await session.press("x")
        await session.see("Revoke on my-first-repo?", "user devusr2", "Press W in the list to read them.")
        assert workspace.gate.count("workloads") == 0
        await session.press("escape")
        await session.press("W")
        await session.see(
            "Workloads that use my-first-repo",
            "Lambda function checkout uses v2 (account A 111111111111, eu-central-1)",
            "unknown: ecs:ListTaskDefinitions is denied",
        )
        assert "other" not in session.text()
        await session.press("escape")
        await session.press("x")
        await session.see("Revoke on my-first-repo?", "Lambda function checkout uses v2")
        assert workspace.gate.count("workloads") == 1


async def test_a_failure_is_told_in_its_place(workspace: FakeWorkspace) -> None:
    def broken(*_: object, **__: object) -> None:
        raise EnvironmentFailure("the credentials of account A have expired")

    workspace.workloads = broken  # type: ignore[method-assign, assignment]
    async with running(workspace) as session:
        await session.select("my-first-repo")
        await session.press("W")
        await session.see("the credentials of account A have expired")
        await session.press("escape")
        await session.wait(lambda: session.dialog == "")
