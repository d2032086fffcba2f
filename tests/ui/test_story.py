"""The whole story through the interface, keys only, on the real sandbox: real boto3, real HTTP, the direct engine."""

from __future__ import annotations

from typing import Any

import pytest

from ecr_tui.config import resolve
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.workspace import Workspace
from tests.ui.conftest import Session, running

REPOSITORY = "my-first-repo"


@pytest.fixture
def real(sandbox: Sandbox) -> Any:
    flags = {"profile_a": "account-a", "profile_b": "dev-acc", "regions": [sandbox.region], "engine": "direct"}
    workspace = Workspace(resolve(flags))
    yield workspace
    workspace.close()


async def select(ui: Session, name: str) -> None:
    for _ in range(100):
        if ui.selected == name:
            break
        await ui.press("down")
    await ui.wait(lambda: ui.selected == name)
    await ui.ready()


async def test_denied_granted_proved_undone_denied(sandbox: Sandbox, real: Workspace) -> None:
    images = sandbox.owner_backend().tags(REPOSITORY)
    async with running(real, size=(140, 50)) as ui:  # type: ignore[arg-type]
        repository = real.listing.repository(REPOSITORY)
        before = real.listing.policy_text(repository)
        await select(ui, REPOSITORY)

        await ui.press("v")
        await ui.see("✗ DENIED at push", "A's repository policy")
        await ui.wait(lambda: not ui.main.verification.running)

        await ui.see("if Team=Payments")  # the condition begins as the repository's own tag
        await ui.press("g")
        await ui.see("✓ written and read back")
        await ui.wait(lambda: "✓ pull  ✓ push" in row(ui, REPOSITORY))

        await ui.press("v")
        await ui.see("✓ ALLOWED")
        await ui.wait(lambda: not ui.main.verification.running)
        report = ui.main.verification.run.report
        assert report.passed
        assert report.isolation.status == "denied"
        assert sandbox.owner_backend().tags(REPOSITORY) == images

        await ui.press("1", "u")
        await ui.wait(lambda: "exact previous policy" in ui.told())
        assert real.listing.policy_text(repository) == before

        await ui.press("v")
        await ui.see("✗ DENIED at push")


def row(ui: Session, name: str) -> str:
    return next((line for line in ui.text().splitlines() if f" {name} " in line), "")
