"""The preview's B tab: would it get through, action by action, as far as both accounts can be read."""

from __future__ import annotations

import pytest

from ecr_tui.aws.model import IdentityPolicies, NamedPolicy
from ecr_tui.errors import DeniedError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.identity import identity_policy
from ecr_tui.ui.text import safe
from tests.ui.conftest import Session, running
from tests.ui.fake_workspace import DEVUSR2, FakeWorkspace, repository

pytestmark = pytest.mark.thorough


def holding(document: PolicyDocument, name: str = "EcrAccess") -> IdentityPolicies:
    return IdentityPolicies(DEVUSR2, DEVUSR2, (NamedPolicy(name, "inline policy", document),))


async def turn(ui: Session) -> None:
    ui.main.preview.turn_to("consumer")
    await ui.press("2")


async def test_what_cannot_be_read_is_unknown_with_the_reason(workspace: FakeWorkspace) -> None:
    async with running(workspace, (180, 60)) as ui:
        await ui.select("my-first-repo")
        await turn(ui)
        await ui.see(
            "? Access of user devusr2", "? unknown", "unknown, not readable: AccessDenied: iam:ListUserPolicies [/x]"
        )
        line = next(line for line in ui.text().splitlines() if "PutImage   " in line)
        assert line.index("✓ yes") < line.index("? unknown")


async def test_both_sides_allow(workspace: FakeWorkspace) -> None:
    arn = workspace.by_name("my-first-repo").arn
    workspace.identities[DEVUSR2] = holding(identity_policy([arn], Access.PUSH_PULL))
    async with running(workspace, (180, 60)) as ui:
        await ui.select("my-first-repo")
        await turn(ui)
        await ui.see("✓ Both accounts allow user devusr2", "✓ allowed", "B's policies: EcrAccess (inline policy)")
        assert "✗ denied" not in ui.text()


async def test_the_size_of_bs_policy_stands_against_iams_limit(workspace: FakeWorkspace) -> None:
    async with running(workspace, (180, 60)) as ui:
        await ui.select("my-first-repo")
        await turn(ui)
        await ui.see("Size: ", "of 2,048 characters for the inline policies of a user")


async def test_what_b_lacks_is_named_and_follows_the_choice(workspace: FakeWorkspace) -> None:
    arn = workspace.by_name("my-first-repo").arn
    workspace.identities[DEVUSR2] = holding(identity_policy([arn], Access.PULL))
    async with running(workspace, (180, 60)) as ui:
        await ui.select("my-first-repo")
        await turn(ui)
        await ui.see("is denied: account B", "✗ denied", "B: ", "PutImage")
        await ui.press("p")
        await ui.ready()
        await ui.see("✓ Both accounts allow user devusr2")
        await ui.principal("role/deploy")
        await ui.press("enter")
        await ui.see("? Access of role deploy", "unknown, not readable")


async def test_a_late_answer_is_dropped_and_pending_is_said(workspace: FakeWorkspace) -> None:
    async with running(workspace, (180, 60)) as ui:
        await ui.select("my-first-repo")
        workspace.gate.hold("verdicts:my-first-repo")
        await turn(ui)
        await ui.see("… Both sides: reading")
        await ui.wait(lambda: ("verdicts", "my-first-repo") in workspace.gate.calls)
        await ui.press("1")
        await ui.select("web-frontend")
        await ui.see("? Access of user devusr2")
        shown = ui.main.preview.both
        workspace.gate.release()
        await ui.pilot.pause()
        assert ui.main.preview.both is shown
        assert {found.repository for found in shown.verdicts or ()} == {"web-frontend"}


async def test_iam_is_asked_only_where_it_is_looked_at(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        assert workspace.gate.count("verdicts") == 0
        await turn(ui)
        await ui.wait(lambda: workspace.gate.count("verdicts") == 1)


async def test_a_failure_is_said_and_the_policy_stays(workspace: FakeWorkspace) -> None:
    workspace.errors["verdicts"] = DeniedError("denied [/x]", detail="esc\x1b[31m")
    async with running(workspace, (180, 60)) as ui:
        await turn(ui)
        await ui.see("Verdict of both accounts unknown: denied [/x]", "EcrToken")
        assert "\x1b" not in ui.text()


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_small(workspace: FakeWorkspace, size: tuple[int, int]) -> None:
    async with running(workspace, size) as ui:
        await turn(ui)
        await ui.see("? unknown")


async def test_hostile_names_show_literally(tmp_path) -> None:
    name = "[red]x[/red]\x1b[31m\u202e"
    workspace = FakeWorkspace(tmp_path, [repository("[/x]")])
    workspace.identities[DEVUSR2] = holding(identity_policy([workspace.all[0].arn], Access.PUSH_PULL), name)
    async with running(workspace, (180, 60)) as ui:
        await turn(ui)
        await ui.see("✓ Both accounts allow", safe(name))
