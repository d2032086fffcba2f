"""AWS's own evaluation of a denial: asked as the denied side, shown beside the diagnosis, and never in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Event
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from jsonschema import Draft202012Validator

from ecr_tui.aws import troubleshooter
from ecr_tui.aws.calls import LOG
from ecr_tui.cli.schemas import schema_of
from ecr_tui.diagnosis.failure import IDENTITY_POLICY
from ecr_tui.diagnosis.opinion import Opinion
from ecr_tui.policy.operators import Operator, operator_policy
from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.verification.report import Status
from tests.support.cli import ecr_tui
from tests.support.proving import REPOSITORY, prove, workspace

ACCOUNTS = ("--profile-a", "account-a", "--profile-b", "dev-acc")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(troubleshooter, "WAITS", (0.0, 0.0))


def denied(sandbox: Sandbox, profile: str = "dev-acc", *, service: str = "iam") -> str:
    """AWS's words to a principal that may not list users, or with ``service`` "ecr" not push."""
    sandbox.world.authorizations.services = frozenset({service})
    session = boto3.Session(profile_name=profile)
    call: Callable[[], Any] = session.client("iam").list_users
    if service == "ecr":
        where = {"registryId": sandbox.account_a, "repositoryName": REPOSITORY}
        call = lambda: session.client("ecr").initiate_layer_upload(**where)  # noqa: E731
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value)


def asked(text: str, side: str = IDENTITY_POLICY, **flags: Any) -> Opinion:
    return workspace(**flags).troubleshooter.ask(text, side, cancel=Event())


def test_verify_shows_what_aws_says_of_the_denial(sandbox: Sandbox) -> None:
    """As it will be once ECR's denials have ids. In the app the verdict does not wait for it."""
    sandbox.world.authorizations.services = frozenset({"ecr"})
    sandbox.world.authorizations.unready = 1
    ran = ecr_tui("verify", REPOSITORY, "--engine", "direct", "--isolation", "none", *ACCOUNTS, "--json")
    assert ran.code == 1
    Draft202012Validator(schema_of("verify")).validate(ran.json)
    (stage,) = [one for one in ran.json["stages"] if one["troubleshooter"]]
    found = stage["troubleshooter"]
    assert (stage["status"], found["agrees"], found["reason"]) == ("denied", True, None)
    (evaluation,) = found["evaluations"]
    assert [(one["type"], one["effect"]) for one in evaluation["checks"]] == [
        ("RESOURCE", "IMPLICIT_DENY"),
        ("PRINCIPAL", "ALLOW"),
    ]
    assert {one["key"]: one["aws"] for one in found["context"]}["aws:username"] == "devusr2"
    for line in ("AWS: Agrees.", "implicit deny: resource's policies", "aws:username = devusr2"):
        assert line in ran.err
    history = ecr_tui("verify", "--history", *ACCOUNTS, "--json")
    Draft202012Validator(schema_of("verify-history")).validate(history.json)
    assert "troubleshooter" in history.out

    space = workspace()
    report = prove(space)
    assert report.awaits_opinion
    told = space.verification.with_opinion(report, space.listing.repository(REPOSITORY), Event())
    assert told.denied is not None
    assert told.denied.opinion is not None
    assert told.denied.opinion.agrees is True
    assert not told.awaits_opinion
    cancel = Event()
    cancel.set()
    late = space.verification.with_opinion(report, space.listing.repository(REPOSITORY), cancel)
    assert late.denied is not None
    assert late.denied.opinion == Opinion("Access Troubleshooter was not called: cancelled.")


def test_a_denial_without_an_id_asks_nobody_and_says_so_in_a_line(sandbox: Sandbox) -> None:
    """ECR's denials of today."""
    LOG.clear()
    report = prove(workspace())
    (stage,) = [one for one in report.stages if one.status is Status.DENIED]
    assert stage.opinion == Opinion("No authorization id in the error.")
    assert not any(call.service == troubleshooter.SERVICE for call in LOG.calls())


def test_what_keeps_aws_from_answering_is_one_line(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    text = denied(sandbox)
    LOG.clear()
    assert asked(text).agrees is True
    calls = [call for call in LOG.calls() if call.service == troubleshooter.SERVICE]
    assert [(call.side, call.region) for call in calls] == [("account B", "us-east-1")]

    gone = asked(text.replace("authorization id: ", "authorization id: 0"))
    assert gone.reason.startswith("Access Troubleshooter: no details for this authorization id")
    other = asked(text, profile_b="partner-c")
    assert other.reason.startswith("Access Troubleshooter: the denied principal is in account 222222222222")
    newcomer = asked(text, profile_b="no-access")
    assert newcomer.reason.endswith("did not answer: account B needs iam:GetRequestAuthorizationDetails.")
    level = operator_policy(Operator.TROUBLESHOOTER).text
    sandbox.world.directory.backend(sandbox.account_b).put_user_policy("newcomer", "Ask", level)
    assert asked(text, profile_b="no-access").agrees is True
    for region in ("evil.example", "cn-north-1"):
        elsewhere = asked(text.replace("us-east-1", region))
        assert elsewhere.reason.startswith("Access Troubleshooter: the denial's region")
    assert asked("denied: requested access").reason == "No authorization id in the error."
    sandbox.fault = lambda call: ServiceError("ValidationException", "no") if call.service == "iam-toolbox" else None
    assert asked(text).reason.startswith("Access Troubleshooter did not answer: ")
    sandbox.fault = None
    monkeypatch.setattr(troubleshooter, "OPERATION", "GetSomethingElse")
    older = "Access Troubleshooter: the installed botocore does not have IAM Access Troubleshooter."
    assert asked(text).reason == older
    monkeypatch.setattr(troubleshooter, "SERVICE", "iam-of-tomorrow")
    assert asked(text).reason == older
    for one in (gone, other, newcomer):
        assert len(one.lines) == 1
        assert "\n" not in one.reason


def test_explain_asks_with_aws_only_and_shows_a_disagreement(sandbox: Sandbox) -> None:
    text = denied(sandbox, service="ecr")
    without = ecr_tui("explain", text, "--json")
    assert (without.code, without.json["troubleshooter"]) == (0, None)
    agreeing = ecr_tui("explain", text, "--aws", *ACCOUNTS, "--json")
    Draft202012Validator(schema_of("explain")).validate(agreeing.json)
    assert agreeing.json["troubleshooter"]["agrees"] is True
    wrong = ecr_tui("explain", text.replace("resource-based", "identity-based"), "--aws", *ACCOUNTS)
    assert wrong.code == 0
    expected = "The diagnosis names the principal's policies; AWS's checks deny in the resource's policies."
    assert f"AWS: Disagrees. {expected}" in wrong.out
    nothing = ecr_tui("explain", json.dumps("no basic auth credentials"), "--aws", *ACCOUNTS)
    assert nothing.code == 0
    assert "AWS: No authorization id in the error." in nothing.out


def test_a_denial_of_account_a_is_asked_about_as_account_a(sandbox: Sandbox) -> None:
    """With the credentials of the side that was denied, and of no other."""
    iam = sandbox.world.directory.backend(sandbox.account_a)
    deny = {"Sid": "No", "Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}
    iam.put_user_policy("ecr-admin", "NoUsers", json.dumps({"Version": "2012-10-17", "Statement": deny}))
    text = denied(sandbox, "account-a")
    LOG.clear()
    found = asked(text)
    assert found.agrees is True, found
    assert [call.side for call in LOG.calls() if call.service == troubleshooter.SERVICE] == ["account A"]
