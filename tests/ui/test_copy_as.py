"""Y: the previewed grant in another form, exactly as the policy room exports it."""

from __future__ import annotations

import json

import pytest

from ecr_tui.policy.export import Format
from ecr_tui.ui.tasks.copies import FORMS
from tests.ui.conftest import running
from tests.ui.fake_workspace import FakeWorkspace, repository

EXPECTED = {
    (Format.CLI, "a"): "aws ecr set-repository-policy",
    (Format.TERRAFORM, "a"): 'resource "aws_ecr_repository_policy"',
    (Format.CLOUDFORMATION, "a"): "AWS::ECR::Repository",
    (Format.JSON, "a"): '"Principal"',
    (Format.CLI, "b"): "aws iam put-user-policy",
    (Format.TERRAFORM, "b"): 'resource "aws_iam_user_policy"',
    (Format.CLOUDFORMATION, "b"): "AWS::IAM::Policy",
    (Format.JSON, "b"): "ecr:GetAuthorizationToken",
}


async def test_each_form_of_each_side(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("my-first-repo")
        for (form, side), words in EXPECTED.items():
            steps = FORMS.index(form) + (len(FORMS) if side == "b" else 0)
            await ui.press("Y")
            await ui.see("Copy the grant on my-first-repo as", "Terraform")
            await ui.press(*["down"] * steps, "enter")
            told = f"Copied {form.words}, {side.upper()}'s side, to the clipboard (test)."
            await ui.wait(lambda told=told: told in ui.told(), told)
            assert words in ui.copied[-1]
        assert workspace.writes == []


async def test_it_is_the_document_previewed(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.select("billing-api")
        await ui.press("Y", *["down"] * FORMS.index(Format.JSON), "enter")
        await ui.wait(lambda: ui.copied)
        assert json.loads(ui.copied[0]) == ui.main.preview.made.plan.after.json


async def test_esc_copies_nothing(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("Y", "escape")
        assert ui.dialog == ""
        assert ui.copied == []


async def test_without_a_preview_it_says_so(tmp_path) -> None:
    async with running(FakeWorkspace(tmp_path, [])) as ui:
        await ui.press("Y")
        await ui.wait(lambda: "No preview to copy yet." in ui.toasts())
        assert ui.dialog == ""


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_small_and_hostile(tmp_path, size: tuple[int, int]) -> None:
    async with running(FakeWorkspace(tmp_path, [repository("[/x]")]), size) as ui:
        await ui.press("Y")
        await ui.see("Copy the grant on [/x] as", "CloudFormation")
        await ui.press("end", "enter")
        await ui.wait(lambda: ui.copied)
