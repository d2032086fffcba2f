"""The policies of docs/safety.md for account A's operator: enough for what each is for, and nothing more."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest

from ecr_tui.aws.model import Role
from ecr_tui.aws.tags import RepositoryTags
from ecr_tui.config import Settings
from ecr_tui.errors import EcrTuiError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.operators import (
    ANALYZER,
    ANALYZERS,
    FULL,
    GRANT,
    READ,
    REGISTRY,
    SETTINGS,
    USAGE,
    WORKLOADS,
    Operator,
    operator_policy,
)
from ecr_tui.policy.ours import Grant
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.workspace import Workspace
from tests.support.cli import ecr_tui

pytestmark = pytest.mark.thorough

REPOSITORY = "my-first-repo"
PRINCIPAL = "arn:aws:iam::222222222222:user/devusr2"
NAME = "operator"

Story = Callable[[Workspace], Any]


@pytest.fixture
def allowed(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a user of account A, as whom the profile "operator" calls; gives what sets the one policy it has."""
    boto3.Session(profile_name="account-a").client("ecr").create_repository_creation_template(
        prefix="ROOT", appliedFor=["CREATE_ON_PUSH"]
    )
    iam = boto3.Session(profile_name="account-a").client("iam")
    iam.create_user(UserName=NAME)
    key = iam.create_access_key(UserName=NAME)["AccessKey"]
    config = ConfigParser()
    config.read(os.environ["AWS_CONFIG_FILE"])
    config["profile operator"] = {
        **config["profile account-a"],
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    with (tmp_path / "config").open("w") as file:
        config.write(file)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return lambda text: iam.put_user_policy(UserName=NAME, PolicyName="all", PolicyDocument=text)


@contextmanager
def workspace(profile: str, consumer: str = "dev-acc") -> Iterator[Workspace]:
    opened = Workspace(Settings(profile_a=profile, profile_b=consumer))
    try:
        yield opened
    finally:
        opened.close()


# -- what each level is for: the result, or the error that there was ---------------------------------------------------


def look(work: Workspace) -> Any:
    rows = sorted(work.listing.repositories(), key=lambda row: row.name)
    facts = work.access.registry_facts("eu-central-1")
    repository = work.listing.repository(REPOSITORY)
    plan = work.changes.plan(repository, Grant((PRINCIPAL,), Access.PULL))
    return [
        [(row.name, row.tags, row.tags_source) for row in rows],
        [work.listing.policy_text(row) is not None for row in rows],
        [work.listing.images(row).count for row in rows],
        (facts.policy_text, facts.policy_unreadable, facts.scope_unreadable, facts.templates_unreadable),
        plan.to_json(),
    ]


def change(work: Workspace) -> Any:
    repository = work.listing.repository(REPOSITORY)
    done = [work.changes.apply(work.changes.plan(repository, Grant((PRINCIPAL,), Access.PULL))).written]
    done.append(work.changes.apply(work.changes.plan_revoke(repository, (PRINCIPAL,))).written)
    done.append(work.changes.undo().written)
    return [*done, work.listing.policy_text(repository)]


def prove_and_tag(work: Workspace) -> Any:
    repository = work.listing.repository(REPOSITORY)
    work.changes.apply(work.changes.plan(repository, Grant((PRINCIPAL,), Access.PUSH_PULL)))
    report = work.verification.run(repository, engine="direct", on_event=lambda _: None, cancel=Event())
    session = work.accounts.session(Role.OWNER)
    RepositoryTags(session).set_tags(repository, {"Stage": "test"})
    with_tag = work.listing.repository(REPOSITORY).tags
    RepositoryTags(session).remove_tags(repository, ["Stage"])
    return [report.verdict, report.cleaned_up, with_tag, work.listing.repository(REPOSITORY).tags]


def use(work: Workspace) -> Any:
    return [one.answer for one in work.access.usage.report([work.listing.repository("payments/legacy")]).grants]


def beyond(work: Workspace) -> Any:
    """Copies, and repositories to come."""
    repository, grant = work.listing.repository(REPOSITORY), Grant((PRINCIPAL,), Access.PULL)
    rules = work.access.replication(repository.region)
    plan = work.changes.plan_in_template(repository, grant)
    assert plan is not None
    written = work.changes.apply(plan).written
    return [rules.unreadable, written, work.changes.undo().written]


STORIES: dict[Operator, list[Story]] = {
    Operator.READ_ONLY: [look],
    Operator.USAGE: [look],
    Operator.WORKLOADS: [look],
    Operator.TROUBLESHOOTER: [look],
    Operator.ANALYZER: [look],
    Operator.GRANT: [look, change],
    Operator.FULL: [look, change, prove_and_tag],
    Operator.REGISTRY: [look, change, prove_and_tag, beyond],
}


def told(sandbox: Sandbox, profile: str, stories: list[Story]) -> Any:
    found: list[Any] = []
    with workspace(profile) as work:
        for story in stories:
            try:
                found.append(story(work))
            except EcrTuiError as error:
                found.append(error.title)
    _as_before(sandbox)
    return found


_expected: list[Any] = []


def expected(sandbox: Sandbox) -> list[Any]:
    """What an administrator is told."""
    if not _expected:
        _expected.extend(told(sandbox, "account-a", STORIES[Operator.REGISTRY]))
        assert not any(isinstance(one, str) for one in _expected), _expected
    return _expected


def _as_before(sandbox: Sandbox) -> None:
    """What a story that failed half-way has left."""
    ecr = boto3.Session(profile_name="account-a").client("ecr")
    arn = ecr.describe_repositories(repositoryNames=[REPOSITORY])["repositories"][0]["repositoryArn"]
    ecr.untag_resource(resourceArn=arn, tagKeys=["Stage"])
    with suppress(ecr.exceptions.RepositoryPolicyNotFoundException):
        ecr.delete_repository_policy(repositoryName=REPOSITORY)
    images = ecr.list_images(repositoryName=REPOSITORY)["imageIds"]
    if probes := [one for one in images if one.get("imageTag", "").startswith("ecr-tui-verify-")]:
        ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=probes)


@pytest.mark.parametrize("operator", list(Operator))
def test_each_policy_is_enough_for_its_work_and_for_nothing_beyond(
    sandbox: Sandbox, allowed: Callable[[str], None], operator: Operator
) -> None:
    stories = STORIES[Operator.REGISTRY]
    allowed(operator_policy(operator, account=sandbox.account_a).text)
    found, administrators = told(sandbox, "operator", stories), expected(sandbox)
    enough = len(STORIES[operator])
    assert found[:enough] == administrators[:enough]
    assert all(one != other for one, other in zip(found[enough:], administrators[enough:], strict=True))


NEEDED = {look: (*REGISTRY, *READ), change: (*GRANT,), prove_and_tag: (*FULL,), beyond: (*SETTINGS,)}


@pytest.mark.parametrize(("story", "action"), [(story, action) for story in NEEDED for action in NEEDED[story]])
def test_no_action_is_there_for_nothing(
    sandbox: Sandbox, allowed: Callable[[str], None], story: Story, action: str
) -> None:
    policy = operator_policy(Operator.REGISTRY).json
    for statement in policy["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one != action]
    allowed(json.dumps(policy))
    assert told(sandbox, "operator", [story]) != [expected(sandbox)[STORIES[Operator.REGISTRY].index(story)]]


def test_usage_takes_the_event_history_and_nothing_else(sandbox: Sandbox, allowed: Callable[[str], None]) -> None:
    allowed(operator_policy(Operator.USAGE, account=sandbox.account_a).text)
    assert told(sandbox, "operator", [use]) == told(sandbox, "account-a", [use])
    allowed(operator_policy(Operator.FULL, account=sandbox.account_a).text)
    assert told(sandbox, "operator", [use]) == [f"{next(iter(USAGE))} was denied"]


@pytest.mark.parametrize("action", ["", *WORKLOADS])
def test_workloads_takes_each_of_its_actions(sandbox: Sandbox, allowed: Callable[[str], None], action: str) -> None:
    policy = operator_policy(Operator.WORKLOADS, account=sandbox.account_a).json
    for statement in policy["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one != action] or ["ecr:DescribeImages"]
    allowed(json.dumps(policy))
    with workspace("operator") as work:
        found = work.access.workloads(work.listing.repository("payments/api"))
    (reasons,) = [place.read.unknown for place in found.places if place.role is Role.OWNER and place.read is not None]
    assert [reason.partition(",")[0] for reason in reasons] == ([f"{action} is denied"] if action else [])
    assert bool(found.found) is not action.startswith("ecs:")


@pytest.mark.parametrize("action", ["", *ANALYZERS, *ANALYZER])
def test_a_second_opinion_takes_each_of_its_actions(
    sandbox: Sandbox, allowed: Callable[[str], None], action: str
) -> None:
    policy = operator_policy(Operator.ANALYZER, account=sandbox.account_a).json
    for statement in policy["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one != action] or ["ecr:DescribeImages"]
    allowed(json.dumps(policy))
    with workspace("operator") as work:
        repository = work.listing.repository(REPOSITORY)
        opinion = work.second_opinions.ask(work.changes.plan(repository, Grant((PRINCIPAL,), Access.PULL)))
    assert [reason.partition(" ")[0] for reason in opinion.unavailable] == ([action] if action else [])
    assert (opinion.preview is None) is (action not in ("", "access-analyzer:ListFindings"))


def test_account_b_needs_the_other_half_of_the_grant_and_nothing_more(sandbox: Sandbox) -> None:
    principal = f"arn:aws:iam::{sandbox.account_b}:user/newcomer"
    directory = sandbox.world.directory.backend(sandbox.account_b)

    def verdict(policy: dict[str, Any]) -> str:
        directory.put_user_policy("newcomer", "all", json.dumps(policy))
        with workspace("account-a", "no-access") as work:
            report = work.verification.run(
                work.listing.repository(REPOSITORY), engine="direct", on_event=lambda _: None, cancel=Event()
            )
            return report.verdict.value

    with workspace("account-a", "no-access") as work:
        work.changes.apply(
            work.changes.plan(work.listing.repository(REPOSITORY), Grant((principal,), Access.PUSH_PULL))
        )
    policy = json.loads(ecr_tui("export", REPOSITORY, "--to", principal, "--side", "b", "--format", "json").out)
    assert verdict(policy) == "allowed"
    for statement in policy["Statement"]:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            statement["Action"] = (
                ["ecr:ListImages"] if isinstance(actions, str) else [one for one in actions if one != action]
            )
            assert verdict(policy) != "allowed", action
        statement["Action"] = actions


def test_the_command_prints_what_is_proved() -> None:
    printed = ecr_tui("operator-policy", "grant", "--account", "111111111111", "--region", "eu-central-1")
    assert printed.code == 0
    assert (
        json.loads(printed.out) == operator_policy(Operator.GRANT, account="111111111111", region="eu-central-1").json
    )
    assert ecr_tui("operator-policy", "everything").code == 2
