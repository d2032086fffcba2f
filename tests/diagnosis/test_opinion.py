"""AWS's evaluation of a denial beside the diagnosis: agreement, disagreement, and what cannot be compared."""

from __future__ import annotations

from typing import Any

import pytest

from ecr_tui.diagnosis.denial import Denial, parse_denial
from ecr_tui.diagnosis.failure import EITHER_POLICY, IDENTITY_POLICY, REPOSITORY_POLICY
from ecr_tui.diagnosis.opinion import Opinion, opinion
from ecr_tui.diagnosis.troubleshooter import read_details, region_of

ARN = "arn:aws:ecr:eu-central-1:111111111111:repository/team/app"
USER = "arn:aws:iam::222222222222:user/dev"
SCP = "arn:aws:organizations::555555555555:policy/o-abc/service_control_policy/p-1"
SENTENCE = f"User: {USER} is not authorized to perform: ecr:PutImage on resource: {ARN}"
NO_RESOURCE = " because no resource-based policy allows the ecr:PutImage action"
NO_IDENTITY = " because no identity-based policy allows the ecr:PutImage action"
IN_SCP = f" with an explicit deny in a service control policy: {SCP}"

IMPLICIT, EXPLICIT, ALLOW = "IMPLICIT_DENY", "EXPLICIT_DENY", "ALLOW"


def denial(tail: str) -> Denial:
    found = parse_denial(SENTENCE + tail)
    assert found is not None
    return found


def evaluated(effect: str = IMPLICIT, action: str = "ecr:PutImage", **more: Any) -> dict[str, Any]:
    return {"action": action, "resource": ARN, "evaluatedEffect": effect, **more}


def checks(**effects: str) -> dict[str, Any]:
    return {"checks": [{"checkType": kind, "evaluatedEffect": effect} for kind, effect in effects.items()]}


def of(tail: str, side: str, *evaluations: dict[str, Any], ours: Any = None, **answer: Any) -> Opinion:
    return opinion(read_details([{"evaluations": list(evaluations), **answer}]), denial(tail), side, ours or {})


DENY_BY_SCP = {
    "matchedPolicies": [{"uri": SCP, "matchedStatements": [{"sid": "NoPush", "evaluatedEffect": "DENY"}]}],
}


@pytest.mark.parametrize(
    ("tail", "side", "evaluation", "agrees", "words"),
    [
        (NO_RESOURCE, REPOSITORY_POLICY, evaluated(**checks(RESOURCE=IMPLICIT, PRINCIPAL=ALLOW)), True, "Agrees."),
        (
            NO_IDENTITY,
            IDENTITY_POLICY,
            evaluated(**checks(RESOURCE=IMPLICIT, PRINCIPAL=IMPLICIT)),
            True,
            "Also denied by: resource's policies.",
        ),
        ("", EITHER_POLICY, evaluated(**checks(PRINCIPAL=IMPLICIT)), True, "Agrees."),
        (
            IN_SCP,
            "",
            evaluated(EXPLICIT, **checks(SERVICE_CONTROL_POLICY=EXPLICIT, PRINCIPAL=IMPLICIT)),
            True,
            "Agrees.",
        ),
        (
            NO_RESOURCE,
            REPOSITORY_POLICY,
            evaluated(**checks(RESOURCE=ALLOW, PERMISSIONS_BOUNDARY=IMPLICIT)),
            False,
            "The diagnosis names the resource's policies; AWS's checks deny in the permissions boundary.",
        ),
        (NO_RESOURCE, REPOSITORY_POLICY, evaluated(**checks(RESOURCE=ALLOW)), False, "AWS's checks allow it there."),
        (NO_RESOURCE, REPOSITORY_POLICY, evaluated(ALLOW), False, "AWS evaluated ecr:PutImage as allowed."),
        (
            NO_RESOURCE,
            REPOSITORY_POLICY,
            evaluated(action="ecr:BatchGetImage"),
            False,
            "AWS evaluated ecr:BatchGetImage, not ecr:PutImage.",
        ),
        (
            NO_RESOURCE,
            REPOSITORY_POLICY,
            evaluated(EXPLICIT, **checks(RESOURCE=EXPLICIT)),
            False,
            "The error reports a missing Allow; AWS's evaluation resulted in explicit deny.",
        ),
        # The resource is another organization's, of whose policies a caller may be told nothing.
        (NO_RESOURCE, REPOSITORY_POLICY, evaluated(**checks(PRINCIPAL=ALLOW)), None, "AWS shows no check that denies"),
        (NO_RESOURCE, REPOSITORY_POLICY, evaluated(), None, "AWS returned no checks."),
        (" with an explicit deny", "", evaluated(EXPLICIT, **checks(PRINCIPAL=EXPLICIT)), None, "names no policy"),
        # As a botocore reads it that is older than the checks: AWS's deprecated list of matching policies tells a Deny.
        (IN_SCP, "", evaluated(EXPLICIT, **DENY_BY_SCP), True, "Agrees."),
        (
            NO_RESOURCE,
            REPOSITORY_POLICY,
            evaluated(EXPLICIT, **DENY_BY_SCP),
            False,
            "deny in the service control policies",
        ),
    ],
)
def test_the_verdict(tail: str, side: str, evaluation: dict[str, Any], agrees: bool | None, words: str) -> None:
    found = of(tail, side, evaluation, policies=[{"uri": SCP, "type": "SERVICE_CONTROL_POLICY"}])
    assert found.agrees is agrees
    assert bool(found.disagreements) is (agrees is False)
    label, text = found.lines[0]
    assert label == "AWS"
    assert words in text
    assert text.startswith({True: "Agrees.", False: "Disagrees.", None: "Nothing to compare."}[agrees])


def test_a_condition_key_with_another_value_is_a_disagreement() -> None:
    ours = {
        "ecr:resourcetag/team": "Payments",
        "aws:principalorgpaths": ("o-1/r-1/",),
        "aws:currenttime": "2026-11-29T12:00:00Z",
    }
    context = {
        "aws:PrincipalOrgPaths": "[o-1/r-1/]",
        "aws:CurrentTime": "2026-11-29T12:00:01Z",
        "aws:ViaAWSService": False,
    }
    evaluation = evaluated(**checks(RESOURCE=IMPLICIT), context={"ecr:ResourceTag/Team": "Search"})
    found = of(NO_RESOURCE, REPOSITORY_POLICY, evaluation, ours=ours, requestContext=context)
    assert found.agrees is False
    assert found.disagreements == ("ecr:ResourceTag/Team was Search; ecr-tui assumed Payments.",)
    shown = dict(found.lines)["context"].splitlines()
    assert "ecr:ResourceTag/Team = Search (ecr-tui: Payments)" in shown
    assert "aws:ViaAWSService = false" in shown


def test_every_check_is_shown_with_its_policies_and_no_value_of_aws_begins_a_line() -> None:
    inline, target = "inline:b6cf943c21a1966b", "arn:aws:organizations::555555555555:ou/o-abc/ou-1"
    scp = {"checkType": "SERVICE_CONTROL_POLICY", "evaluatedEffect": EXPLICIT, "targetArn": target, **DENY_BY_SCP}
    own = {
        "checkType": "PRINCIPAL",
        "evaluatedEffect": "NO_IMPACT",
        "matchedPolicies": [{"uri": inline, "matchedStatements": [{"sid": "Push\nAWS", "evaluatedEffect": "ALLOW"}]}],
    }
    new = {"checkType": "SOMETHING_NEW", "evaluatedEffect": "MAYBE"}
    found = of(
        IN_SCP,
        "",
        evaluated(ALLOW, "ecr:Other"),
        evaluated(EXPLICIT, checks=[scp, own, new]),
        policies=[{"uri": inline, "inline": True}],
    )
    assert dict(found.lines)["checks"].splitlines() == [
        f"ecr:PutImage on {ARN}: explicit deny",
        f"  explicit deny: service control policies of {target} (NoPush in {SCP})",
        "  no impact: principal's policies (Push AWS in inline policy)",
        "  maybe: something new",
        f"ecr:Other on {ARN}: allowed",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"evaluations": None, "policies": "x", "requestContext": []},
        {"evaluations": [{}, "x", {"checks": [{}], "matchedPolicies": [{"matchedStatements": 1}]}]},
    ],
)
def test_an_answer_without_what_belongs_there_is_no_fault(answer: dict[str, Any]) -> None:
    found = opinion(read_details([answer]), denial(NO_RESOURCE), REPOSITORY_POLICY, {})
    assert found.lines[0] == ("AWS", "Nothing to compare. AWS returned no evaluation.")
    assert found.to_json()["agrees"] is None


def test_pages_are_one_answer() -> None:
    pages = [
        {"evaluations": [evaluated()], "requestContext": {"a": "1"}, "policies": [{"uri": "p"}]},
        {"evaluations": [evaluated(action="ecr:B")], "requestContext": {"a": "1"}, "policies": [{"uri": "p"}]},
    ]
    found = read_details(pages)
    assert ([one.action for one in found.evaluations], len(found.policies)) == (["ecr:PutImage", "ecr:B"], 1)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://us-east-1.console.aws.amazon.com/iam/home?region=us-east-1#/authorization-details/1a", "us-east-1"),
        ("https://us-gov-west-1.console.amazonaws-us-gov.com/iam/home#/authorization-details/1a", "us-gov-west-1"),
        ("https://console.aws.amazon.com/iam/home#/authorization-details/1a", ""),
        ("", ""),
    ],
)
def test_the_region_is_the_link_s(url: str, region: str) -> None:
    assert region_of(url) == region
