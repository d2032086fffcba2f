"""The main job, end to end through the command line: denied, granted, allowed, undone, denied again.

Real boto3, real HTTP, and each engine for real; the sandbox decides as AWS does.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecr_tui.sandbox.sandbox import Sandbox
from tests.support.cli import ecr_tui

pytest_plugins = ["tests.support.engines"]

REPOSITORY = "my-first-repo"
CONSUMER = "arn:aws:iam::222222222222:user/devusr2"


@pytest.fixture(params=["direct", pytest.param("docker", marks=pytest.mark.docker), "podman"])
def engine(request: pytest.FixtureRequest, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """For --engine; Podman's service is one of the engines of "docker"."""
    if request.param == "podman":
        podman = request.getfixturevalue("podman")
        podman.allow(sandbox.registry_host())
        monkeypatch.setenv("DOCKER_HOST", podman.url)
        return "docker"
    if request.param == "docker":
        monkeypatch.setenv("DOCKER_HOST", request.getfixturevalue("docker_host"))
    return str(request.param)


def _stage(report: dict, name: str) -> dict:
    return next(stage for stage in report["stages"] if stage["name"] == name)


def _images(sandbox: Sandbox) -> list[str]:
    return sandbox.owner_backend().tags(REPOSITORY)


def _policy_text(name: str = REPOSITORY) -> str | None:
    import boto3

    client = boto3.Session(profile_name="account-a").client("ecr")
    try:
        return client.get_repository_policy(repositoryName=name)["policyText"]
    except client.exceptions.RepositoryPolicyNotFoundException:
        return None


def test_the_whole_story(sandbox: Sandbox, engine: str) -> None:
    images_before = _images(sandbox)
    policy_before = _policy_text()

    denied = ecr_tui("verify", REPOSITORY, "--engine", engine, "--json")
    assert denied.code == 1
    report = denied.json
    assert report["verdict"] == "denied"
    assert report["engine"] == engine
    assert report["principal"] == CONSUMER
    push = _stage(report, "push")
    assert push["status"] == "denied"
    assert push["action"] in ("ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload")
    assert "A's repository policy" in push["side"]
    assert "no repository policy" in push["cause"]
    assert push["fix"].startswith("ecr-tui grant my-first-repo")
    assert _stage(report, "pull")["status"] == "skipped"
    assert report["cleaned_up"] is True

    granted = ecr_tui("grant", REPOSITORY, "--to", "user/devusr2", "--if-tag", "Team=Payments", "--yes", "--json")
    assert granted.code == 0, granted.err
    (plan,) = granted.json
    assert (plan["changed"], plan["written"]) == (True, True)
    statement = json.loads(_policy_text() or "")["Statement"]
    assert [s["Condition"] for s in statement] == [{"StringEquals": {"aws:ResourceTag/Team": "Payments"}}]

    allowed = ecr_tui("verify", REPOSITORY, "--engine", engine, "--json")
    assert allowed.code == 0, allowed.err
    report = allowed.json
    assert report["verdict"] == "allowed"
    assert [s["name"] for s in report["stages"]] == [
        "identity", "token", "login", "tag", "push", "pull", "digest", "isolation", "cleanup",
    ]  # fmt: skip
    assert {s["status"] for s in report["stages"]} == {"ok"}
    assert _stage(report, "push")["message"] == _stage(report, "pull")["message"] == report["digest"]
    assert report["isolation"]["status"] == "denied"
    assert report["isolation"]["repository"] != REPOSITORY
    assert report["cleaned_up"] is True
    assert _images(sandbox) == images_before

    undone = ecr_tui("undo", "--json")
    assert undone.code == 0, undone.err
    assert _policy_text() == policy_before

    again = ecr_tui("verify", REPOSITORY, "--engine", engine, "--json")
    assert again.code == 1
    assert again.json["verdict"] == "denied"
    assert _images(sandbox) == images_before


@pytest.mark.docker
def test_docker_leaves_nothing_behind(sandbox: Sandbox, docker_host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import docker

    monkeypatch.setenv("DOCKER_HOST", docker_host)
    client = docker.DockerClient(base_url=docker_host)
    before = {image.id for image in client.images.list(all=True)}
    ecr_tui("grant", REPOSITORY, "--to", CONSUMER, "--yes")
    assert ecr_tui("verify", REPOSITORY, "--engine", "docker").code == 0
    assert {image.id for image in client.images.list(all=True)} == before
    client.close()


def test_a_second_grant_changes_nothing(sandbox: Sandbox) -> None:
    arguments = ("grant", REPOSITORY, "--to", CONSUMER, "--if-tag", "Team=Payments", "--yes", "--json")
    first = ecr_tui(*arguments)
    text = _policy_text()
    second = ecr_tui(*arguments)
    assert first.json[0]["written"] is True
    assert (second.code, second.json[0]["changed"], second.json[0]["written"]) == (0, False, False)
    assert _policy_text() == text


def test_a_grant_keeps_what_others_wrote(sandbox: Sandbox) -> None:
    name = "payments/invoice-lambda"
    before = json.loads(_policy_text(name) or "")["Statement"]
    assert ecr_tui("grant", name, "--to", CONSUMER, "--yes").code == 0
    after = json.loads(_policy_text(name) or "")["Statement"]
    assert after[: len(before)] == before
    assert len(after) == len(before) + 1


def test_plan_writes_nothing(sandbox: Sandbox) -> None:
    ran = ecr_tui("plan", REPOSITORY, "--to", "222222222222", "--access", "pull", "--json")
    assert ran.code == 0
    (plan,) = ran.json
    assert set(plan) >= {"repository", "arn", "changed", "written", "before", "after", "diff", "findings"}
    assert (plan["changed"], plan["written"], plan["before"]) == (True, False, None)
    assert {d["action"] for d in plan["diff"]} == {
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchCheckLayerAvailability",
    }
    assert {d["principal"] for d in plan["diff"]} == {"arn:aws:iam::222222222222:root"}
    assert _policy_text() is None


def test_list_tells_tags_and_access(sandbox: Sandbox) -> None:
    ecr_tui("grant", REPOSITORY, "--to", CONSUMER, "--yes")
    rows = {row["repository"]: row for row in ecr_tui("list", "--json").json}
    assert rows[REPOSITORY]["tags"] == {"Team": "Payments"}
    assert rows[REPOSITORY]["access"] == {"pull": True, "push": True, "depends_on": []}
    assert rows["billing/export"]["access"] == {"pull": False, "push": False, "depends_on": []}
    assert rows[REPOSITORY]["uri"].endswith("/my-first-repo")
    tagged = {row["repository"] for row in ecr_tui("list", "--tag", "Team=Payments", "--json").json}
    assert REPOSITORY in tagged
    assert "billing/export" not in tagged
    assert tagged == {name for name, row in rows.items() if row["tags"].get("Team") == "Payments"}


def test_all_of_a_tag_at_once(sandbox: Sandbox) -> None:
    ran = ecr_tui("grant", "--tag", "Team=Search", "--tag", "Team=Search", "--to", CONSUMER, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert [p["repository"] for p in ran.json] == ["search/indexer"]
    assert ran.json[0]["written"] is True


SEED_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "ecr:GetAuthorizationToken",
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
            ],
            "Condition": {"StringLike": {"aws:ResourceTag/Team": "Payments"}},
            "Principal": {"AWS": [CONSUMER]},
            "Sid": "AllowCrossAccountPushAndPull",
        }
    ],
}


def test_the_seed_policy_can_be_given_as_a_file(sandbox: Sandbox, tmp_path: Path) -> None:
    """The article's own policy: its GetAuthorizationToken is useless there and rejected, so it is left out and said."""
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(SEED_POLICY, indent=4))
    shown = ecr_tui("plan", REPOSITORY, "--from", str(file))
    assert shown.code == 0, shown.err
    assert "ecr:GetAuthorizationToken" in shown.out
    assert "identity policy" in shown.out
    granted = ecr_tui("grant", REPOSITORY, "--from", str(file), "--yes", "--json")
    assert granted.code == 0, granted.err
    assert "GetAuthorizationToken" not in (_policy_text() or "")
    assert ecr_tui("verify", REPOSITORY, "--engine", "direct").code == 0


def test_undo_refuses_when_someone_else_wrote_since(sandbox: Sandbox) -> None:
    import boto3

    ecr_tui("grant", REPOSITORY, "--to", CONSUMER, "--yes")
    theirs = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "ecr:BatchGetImage"}],
        }
    )
    boto3.Session(profile_name="account-a").client("ecr").set_repository_policy(
        repositoryName=REPOSITORY, policyText=theirs
    )
    live = _policy_text()
    refused = ecr_tui("undo")
    assert refused.code == 4
    assert _policy_text() == live


def test_a_leak_fails_the_verification(sandbox: Sandbox) -> None:
    """Proved on a repository that is open to everyone: the push works, and still the verification must not pass."""
    ecr_tui("grant", REPOSITORY, "--to", CONSUMER, "--yes")
    ran = ecr_tui("verify", REPOSITORY, "--engine", "direct", "--isolation", "platform/base-images", "--json")
    assert ran.code == 1
    assert ran.json["isolation"]["status"] == "leaked"
    assert ran.json["isolation"]["repository"] == "platform/base-images"
