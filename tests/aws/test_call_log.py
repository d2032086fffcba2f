"""The session log: what each API call leaves there, and what never gets there."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ecr_tui.aws import calls
from ecr_tui.aws.model import Repository, Role
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import EcrTuiError
from tests.aws.fake_aws import AwsError, FakeAws

POLICY = '{"Version":"2012-10-17","Statement":[{"Sid":"SECRETSECRET"}]}'


@pytest.fixture(autouse=True)
def own_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions of other tests, whose threads may still be at work in this process, keep their own."""
    monkeypatch.setattr(calls, "LOG", calls.CallLog())


def test_a_call_is_told_with_its_command_and_without_its_document(
    session: AwsSession, fake: FakeAws, repository: Repository
) -> None:
    fake.on("SetRepositoryPolicy", {"policyText": POLICY})
    RepositoryPolicies(session).write(repository, POLICY)
    (call,) = calls.LOG.calls()
    assert (call.side, call.service, call.operation) == ("account A", "ecr", "SetRepositoryPolicy")
    assert (call.region, call.subject, call.status, call.ok, call.retries) == (
        "eu-central-1",
        "team/app",
        "ok",
        True,
        0,
    )
    assert call.seconds > 0
    words = call.command
    assert words.startswith("aws ecr set-repository-policy ")
    for part in ("--repository-name team/app", "--policy-text file://policy.json", "--region eu-central-1 --profile a"):
        assert part in words
    assert "SECRETSECRET" not in call.line() + call.command


def test_refusals_throttling_and_retries_have_their_names(
    session: AwsSession, fake: FakeAws, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    codes = iter(["ThrottlingException", None])

    def sometimes(_: dict[str, Any]) -> dict[str, Any]:
        code = next(codes, "AccessDeniedException")
        if code:
            raise AwsError(code, "SECRETSECRET")
        return {"policyText": "{}"}

    fake.on("GetRepositoryPolicy", sometimes)
    store = RepositoryPolicies(session)
    store.read(repository)
    with pytest.raises(EcrTuiError):
        store.read(repository)
    fake.fail("GetRepositoryPolicy", "ThrottlingException", "Rate exceeded")
    with pytest.raises(EcrTuiError):
        store.read(repository)
    first, denied, throttled = calls.LOG.calls()
    assert (first.status, first.retries) == ("ok", 1)
    assert (denied.status, denied.ok) == ("AccessDeniedException", False)
    assert (throttled.status, throttled.ok, throttled.retries) == ("throttled (ThrottlingException)", False, 2)
    assert "SECRETSECRET" not in "".join(call.line() for call in calls.LOG.calls())


def test_an_endpoint_that_is_gone_is_a_call_without_answer(session: AwsSession, fake: FakeAws) -> None:
    client = session.client("sts")
    fake.close()
    with pytest.raises(EcrTuiError), session.calling("sts:GetCallerIdentity"):
        client.get_caller_identity()
    call = calls.LOG.calls()[-1]
    assert (call.operation, call.ok) == ("GetCallerIdentity", False)
    assert call.status.endswith("Error")
    assert call.command == "aws sts get-caller-identity --region eu-central-1 --profile a"


def test_the_log_is_a_ring_and_its_revision_goes_on() -> None:
    log = calls.CallLog(capacity=3)
    for number in range(5):
        log.add("ecr", f"Op{number}", seconds=0.1)
    assert [call.operation for call in log.calls()] == ["Op2", "Op3", "Op4"]
    assert [call.number for call in log.calls()] == [3, 4, 5]
    assert log.revision == 5


def test_commands_of_registries_and_engines_show_no_secret() -> None:
    assert "Basic TOKEN" in calls.registry_command("PUT", "https://host/v2/a/manifests/x")
    assert calls.docker_command("push", "host/a:x") == "docker push host/a:x"
    assert "--password-stdin host" in calls.docker_command("login", "host")


def test_sides_are_told_apart(session: AwsSession) -> None:
    session.identity()
    AwsSession(Role.CONSUMER, "a").identity()
    assert [call.side for call in calls.LOG.calls()] == ["account A", "account B"]


def test_a_session_keeps_the_log_that_it_was_made_with(session: AwsSession, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = calls.LOG
    session.identity()
    monkeypatch.setattr(calls, "LOG", calls.CallLog())
    session.client("sts").get_caller_identity()
    assert [call.operation for call in earlier.calls()] == ["GetCallerIdentity"] * 2
    assert calls.LOG.calls() == ()


def test_a_refusal_that_ends_the_retries_is_told_by_its_code(
    session: AwsSession, fake: FakeAws, repository: Repository
) -> None:
    fake.fail("GetRepositoryPolicy", "ThrottlingException", "Rate exceeded")
    with pytest.raises(EcrTuiError):
        RepositoryPolicies(session, client=session.ecr_once).read(repository)
    (call,) = calls.LOG.calls()
    assert (call.status, call.ok, call.retries) == ("throttled (ThrottlingException)", False, 0)


def test_that_there_is_no_policy_is_an_answer_not_a_failure(
    session: AwsSession, fake: FakeAws, repository: Repository
) -> None:
    fake.fail("GetRepositoryPolicy", "RepositoryPolicyNotFoundException", "none")
    assert RepositoryPolicies(session).read(repository) is None
    (call,) = calls.LOG.calls()
    assert (call.status, call.ok) == ("none (RepositoryPolicyNotFoundException)", True)
