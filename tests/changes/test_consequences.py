"""What a plan says of access is what the policy it writes comes to: what remains, what has no effect, what it adds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.changes.plans import Plan, plan_grant_from, plan_revoke_from, with_trust
from ecr_tui.cli.schemas import schema_of
from ecr_tui.policy.actions import Access, repository_actions
from ecr_tui.policy.answer import Verdict, answer
from ecr_tui.policy.change import Grant
from ecr_tui.policy.compiled import caller_of, principal_grip
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.ours import read_own
from ecr_tui.policy.principal import account_of, canonical, describe
from ecr_tui.policy.trusted import Trusted
from ecr_tui.policy.who import listed_principals
from tests.policy.build import BOB, CAROL, REPOSITORY, ROOT_B, SESSION, A, B, allow, deny, policy
from tests.policy.strategies import TAGS, documents, grants

ROLE = f"arn:aws:iam::{B}:role/puller"
ORG = "org/o-a1b2c3d4e5"
PAYMENTS = (("Team", "Payments"),)
SOON = datetime(2099, 1, 1, tzinfo=UTC)


def repository(**tags: str) -> Repository:
    return Repository("team/app", REPOSITORY, "", "eu-central-1", A, tags)


REPO = repository(Team="Payments")


def granted(*foreign: dict[str, Any], grant: Grant | None = None) -> str:
    text = policy(*foreign).text if foreign else None
    return plan_grant_from(REPO, text, grant or Grant((BOB,), Access.PUSH_PULL)).after_text or ""


def registry(*statements: dict[str, Any]) -> RegistryFacts:
    return RegistryFacts("eu-central-1", policy(*statements).text)


def rows(plan: Plan) -> list[tuple[str, str, bool]]:
    """(statement, who has access, certain)"""
    made = plan.to_json()
    Draft202012Validator(schema_of("revoke")).validate([made])
    return [(row["statement"], row["principal"], row["certain"]) for row in made["remaining"]]


# -- revoke ----------------------------------------------------------------------------------------------------------

THEIRS = {"Sid": "Theirs"}
IN_ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}


@pytest.mark.parametrize(
    ("foreign", "left"),
    [
        (allow(ROOT_B, **THEIRS), ("names account 222222222222", "--to arn:aws:iam::222222222222:root --foreign")),
        (allow("*", **THEIRS), ("names everyone", "change that statement")),
        (allow(BOB, **THEIRS), ("Access remains through Theirs: user bob", f"--to {BOB} --foreign")),
        (
            {"Sid": "Theirs", "Effect": "Allow", "NotPrincipal": {"AWS": CAROL}, "Action": "ecr:BatchGetImage"},
            ("everyone but", "change that statement"),
        ),
        (allow(BOB, condition={"StringLike": {"aws:ResourceTag/Team": "Pay*"}}, **THEIRS), ("can push and pull",)),
    ],
)
def test_a_revoke_names_the_statement_through_which_access_remains(foreign: Any, left: tuple[str, ...]) -> None:
    text = granted(foreign, grant=Grant((BOB,), Access.PUSH_PULL, PAYMENTS))
    plan = plan_revoke_from(REPO, text, (BOB,))
    assert plan.changed
    assert rows(plan) == [("Theirs", BOB, True)]
    (risk,) = [risk for risk in plan.risks if "Access remains through Theirs" in risk]
    assert all(part in risk for part in left)
    assert any("loses" in risk for risk in plan.risks) is (foreign["Action"] != "ecr:*"), "only what is lost"
    again = plan_revoke_from(REPO, plan.after_text, (BOB,))
    assert not again.changed
    assert rows(again) == rows(plan)


@pytest.mark.parametrize(
    ("foreign", "on"),
    [
        (allow("*", condition=IN_ORG, **THEIRS), "aws:PrincipalOrgID"),
        (allow(ROOT_B, condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, **THEIRS), "aws:SourceIp"),
    ],
)
def test_access_that_depends_may_remain(foreign: Any, on: str) -> None:
    plan = plan_revoke_from(REPO, granted(foreign), (BOB,))
    assert rows(plan) == [("Theirs", BOB, False)]
    assert any("may remain through Theirs" in risk and on in risk for risk in plan.risks)


@pytest.mark.parametrize(
    "foreign",
    [
        allow(CAROL),
        allow(BOB, "ecr:DescribeImages"),
        allow(BOB, condition={"StringEquals": {"aws:ResourceTag/Team": "Billing"}}),
        allow(BOB, condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01"}}),
        allow({"Service": "lambda.amazonaws.com"}),
        deny(BOB),
    ],
)
def test_no_access_remains(foreign: Any) -> None:
    plan = plan_revoke_from(REPO, granted(foreign), (BOB,))
    assert rows(plan) == []
    assert not any("remain" in risk for risk in plan.risks)


def test_a_deny_ends_what_statements_allow() -> None:
    assert rows(plan_revoke_from(REPO, granted(allow("*"), deny(BOB)), (BOB,))) == []
    assert rows(plan_revoke_from(REPO, granted(allow("*", **THEIRS), deny("*", condition=IN_ORG)), (BOB,))) == [
        ("Theirs", BOB, False)
    ]


def test_our_own_grant_to_the_account_remains_and_revoking_that_ends_it() -> None:
    text = granted(grant=Grant((ROOT_B,), Access.PULL))
    plan = plan_revoke_from(REPO, text, (BOB,))
    assert not plan.changed
    (row,) = plan.remaining
    assert (row.ours, row.named, row.actions) == (True, ROOT_B, Access.PULL.actions)
    assert plan.to_json()["remaining"][0]["fix"].endswith(f"ecr-tui revoke team/app --to {ROOT_B}")
    assert plan_revoke_from(REPO, text, (ROOT_B,)).remaining == ()


def test_what_a_role_or_an_account_stands_for_is_asked_about_by_name() -> None:
    text = granted(allow(SESSION, **THEIRS), grant=Grant((ROLE,), Access.PULL))
    assert rows(plan_revoke_from(REPO, text, (ROLE,))) == [("Theirs", SESSION, True)]
    text = granted(allow([BOB, CAROL], **THEIRS), grant=Grant((ROOT_B,), Access.PULL))
    assert rows(plan_revoke_from(REPO, text, (ROOT_B,))) == [("Theirs", BOB, True), ("Theirs", CAROL, True)]
    text = granted(allow(ROLE, **THEIRS), grant=Grant((SESSION,), Access.PULL))
    assert rows(plan_revoke_from(REPO, text, (SESSION,)))[0][:2] == ("Theirs", SESSION)


def test_only_what_was_taken_is_asked_about() -> None:
    text = granted(allow(ROOT_B, ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]))
    assert rows(plan_revoke_from(REPO, text, (BOB,), Access.PUSH)) == []
    assert plan_revoke_from(REPO, text, (BOB,)).remaining[0].actions == (
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    )


def test_the_registry_policy_counts() -> None:
    statement = {**allow(B, "ecr:*", Resource="*"), "Sid": "Partners"}
    plan = plan_revoke_from(REPO, granted(), (BOB,), registry=registry(statement))
    assert rows(plan) == [("Partners", BOB, True)]
    assert plan.to_json()["remaining"][0]["fix"] == "To end it, change the registry policy"


def test_within_the_account_the_other_side_is_enough() -> None:
    alice = f"arn:aws:iam::{A}:user/alice"
    plan = plan_revoke_from(REPO, granted(grant=Grant((alice,), Access.PULL)), (alice,))
    assert any("is in account A" in note for note in plan.notes)
    assert not any("is in account A" in note for note in plan_revoke_from(REPO, granted(), (BOB,)).notes)


def test_each_of_several_principals_is_asked_about() -> None:
    text = granted(allow(CAROL, **THEIRS), grant=Grant((BOB, CAROL), Access.PULL))
    plan = plan_revoke_from(REPO, text, (BOB, CAROL))
    assert rows(plan) == [("Theirs", CAROL, True)]
    assert any("user bob" in risk and "loses 3 actions" in risk for risk in plan.risks)


# -- who loses --------------------------------------------------------------------------------------------------------


def test_whoever_had_access_through_the_one_that_loses_it_is_named() -> None:
    text = granted(deny(BOB, "ecr:PutImage"), allow(CAROL, **THEIRS), grant=Grant((ROOT_B,), Access.PULL))
    plan = plan_revoke_from(REPO, text, (ROOT_B,))
    pull = sorted(Access.PULL.actions)
    assert {loss.principal: sorted(loss.lost) for loss in plan.losses} == {ROOT_B: pull, BOB: pull}
    assert "user bob in 222222222222 loses 3 actions at once: pull." in plan.risks
    (account, bob) = plan.to_json()["affected"]
    assert (account["principal"], sorted(bob["loses"]), bob["may_lose"]) == (ROOT_B, pull, [])


def test_lambda_loses_with_its_account() -> None:
    function = f"service/lambda.amazonaws.com@arn:aws:lambda:*:{B}:function:*"
    text = granted(grant=Grant((function,), Access.PULL, PAYMENTS))
    (risk,) = [one for one in plan_revoke_from(REPO, text, (ROOT_B,)).risks if "can no longer pull" in one]
    assert risk.startswith("service lambda.amazonaws.com")
    assert risk.endswith("it needs account 222222222222 to pull as well.")
    assert not any("can no longer" in one for one in plan_revoke_from(REPO, text, (function,)).risks)
    assert not any("can no longer" in one for one in plan_revoke_from(REPO, text, (BOB,)).risks)


def test_a_member_of_an_organization_may_lose() -> None:
    text = granted(deny(BOB, "ecr:PutImage"), grant=Grant((ORG,), Access.PULL))
    plan = plan_revoke_from(REPO, text, (ORG,))
    assert {loss.principal: bool(loss.lost) for loss in plan.losses} == {ORG: True, BOB: False}
    assert "user bob in 222222222222 may lose pull, depending on aws:PrincipalOrgID." in plan.risks


@settings(max_examples=60, deadline=None)
@given(documents(), st.sampled_from([BOB, ROOT_B, SESSION]), st.sampled_from(TAGS), st.booleans())
@example(policy(allow(BOB, "ecr:CreatePullThroughCacheRule")), BOB, {}, True)  # no repository policy decides it
def test_losses_are_what_the_policies_come_to(
    document: PolicyDocument, principal: str, tags: dict[str, str], foreign: bool
) -> None:
    repo = repository(**tags)
    plan = plan_revoke_from(repo, document.text, (principal,), foreign=foreign)
    told = {canonical(loss.principal): loss for loss in plan.losses}
    for one in {canonical(name): name for name in listed_principals(plan.before) if account_of(name)}.values():
        lost, perhaps = set(), set()
        for action in repository_actions():
            was, becomes = (
                answer(text, one, [action], repository_arn=REPOSITORY, tags=tags, now=datetime.now(UTC)).verdict
                for text in (plan.before, plan.after)
            )
            if (was, becomes) == (Verdict.YES, Verdict.NO):
                lost.add(action)
            elif (was, becomes) in ((Verdict.YES, Verdict.DEPENDS), (Verdict.DEPENDS, Verdict.NO)):
                perhaps.add(action)
        loss = told.get(canonical(one))
        assert (lost, perhaps) == ((set(loss.lost), set(loss.perhaps)) if loss is not None else (set(), set()))


# -- grants that have no effect --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "grant", "foreign", "says"),
    [
        (
            repository(Team="Billing"),
            Grant((BOB,), Access.PULL, PAYMENTS),
            (),
            "no effect: requires Team=Payments, repository is Team=Billing",
        ),
        (
            repository(),
            Grant((BOB,), Access.PULL, (*PAYMENTS, ("Team", "Data"))),
            (),
            "no effect: requires Team=Payments or Data, repository has no tag Team",
        ),
        (
            REPO,
            Grant((BOB,), Access.PULL, (), datetime(2020, 1, 1, tzinfo=UTC)),
            (),
            "no effect: it ended at 2020-01-01 00:00 UTC",
        ),
        (REPO, Grant((BOB,), Access.PULL), (deny(BOB, Sid="No"),), "no effect: an explicit Deny in No"),
        (
            REPO,
            Grant((BOB,), Access.PUSH_PULL),
            (deny("*", "ecr:PutImage", Sid="No"),),
            "no effect on PutImage: an explicit Deny in No",
        ),
        (
            REPO,
            Grant((BOB, CAROL), Access.PULL),
            (deny(CAROL, Sid="No"),),
            f"no effect for user carol in {B}: an explicit Deny in No",
        ),
        (REPO, Grant((BOB,), Access.PULL, (("team", "Payments"),), SOON), (deny(CAROL),), ""),
        (repository(Team="x"), Grant((BOB,), Access.PULL), (), ""),
    ],
)
def test_a_grant_without_effect_is_not_already_granted(
    where: Repository, grant: Grant, foreign: tuple[dict[str, Any], ...], says: str
) -> None:
    first = plan_grant_from(where, policy(*foreign).text if foreign else None, grant)
    assert first.void == says
    assert [risk for risk in first.risks if "no effect" in risk] == (
        [f"The grant would have no effect{says.removeprefix('no effect')}."] if says else []
    )
    again = plan_grant_from(where, first.after_text, grant)
    assert (again.changed, again.void, again.risks) == (False, says, ())
    assert again.to_json()["void"] == (says or None)


def test_what_is_not_known_is_a_note() -> None:
    unread = Repository("team/app", REPOSITORY, "", "eu-central-1", A, None)
    plan = plan_grant_from(unread, None, Grant((BOB,), Access.PULL, PAYMENTS))
    assert plan.void == ""
    assert any("depends on aws:ResourceTag/Team" in note for note in plan.notes)
    guarded = policy(deny("*", condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, Sid="OnlyVpc")).text
    plan = plan_grant_from(REPO, guarded, Grant((BOB,), Access.PULL))
    assert (plan.void, plan.risks) == ("", ())
    assert any("depends on aws:SourceVpce (OnlyVpc)" in note for note in plan.notes)


# -- grants beside which more is given -------------------------------------------------------------------------------


def test_a_narrowing_grant_names_what_it_does_not_limit() -> None:
    text = granted(allow(ROOT_B, **THEIRS))
    for narrow, words in (
        (Grant((BOB,), Access.PUSH_PULL, PAYMENTS), "push and pull"),
        (Grant((BOB,), Access.PUSH_PULL, (), SOON), "push and pull"),
        (Grant((BOB,), Access.PULL), "push"),
    ):
        plan = plan_grant_from(REPO, text, narrow)
        assert plan.changed
        (note,) = [note for note in plan.notes if "This grant does not limit that" in note]
        assert f"Access remains through Theirs (it names account {B}): user bob in {B} can {words}." in note
        assert rows(plan) == [("Theirs", BOB, True)]


def test_what_gives_no_more_than_the_grant_is_not_named() -> None:
    same = allow(ROOT_B, list(Access.PULL.actions), {"StringLike": {"aws:ResourceTag/Team": "Payments"}})
    for grant in (Grant((BOB,), Access.PULL), Grant((BOB,), Access.PULL, PAYMENTS)):
        assert plan_grant_from(REPO, policy(same).text, grant).remaining == ()
    assert plan_grant_from(REPO, policy(same).text, Grant((BOB,), Access.PULL, (), SOON)).remaining != ()


# -- for every policy ------------------------------------------------------------------------------------------------

FEW = settings(max_examples=60, deadline=None)
NOW = datetime.now(UTC)


def verdict(plan: Plan, principal: str, action: str) -> Verdict:
    """The evaluator's answer on the text that the plan writes."""
    text = plan.after_text
    document = PolicyDocument.parse(text) if text is not None else None
    tags, arn = plan.repository.tags, plan.repository.arn
    return answer(document, principal, [action], repository_arn=arn, tags=tags, now=NOW).verdict


def foreign(document: PolicyDocument | None) -> list[str]:
    statements = document.statements if document is not None else ()
    return [json.dumps(item.raw) for item in statements if read_own(item) is None]


def ours(document: PolicyDocument | None, principal: str) -> set[str]:
    owns = map(read_own, document.statements if document is not None else ())
    return {action for own in owns if own is not None and own.names(principal) for action in own.access.actions}


def said(plan: Plan, principal: str, action: str) -> bool:
    """Of the principal itself, or of one that it stands for."""
    whose = [row.principal for row in plan.remaining if action in row.actions]
    return any(one == principal or principal_grip("AWS", principal, caller_of(one)) for one in whose)


ends = st.sampled_from([None, SOON, NOW - timedelta(days=1)])


@FEW
@given(documents(), grants, ends, st.sampled_from(TAGS))
def test_after_a_grant_access_is_what_was_announced(
    document: PolicyDocument, grant: Grant, until: datetime | None, tags: dict[str, str]
) -> None:
    grant = Grant(grant.principals, grant.access, grant.tags, until)
    plan = plan_grant_from(repository(**tags), document.text, grant)
    assert foreign(plan.after) == foreign(document)
    answers = {(one, action): verdict(plan, one, action) for one in grant.principals for action in grant.access.actions}
    if not plan.void:
        assert Verdict.NO not in answers.values()
        if Verdict.DEPENDS in answers.values():
            assert any(note.startswith("Whether ") for note in plan.notes)
    elif plan.void.startswith("no effect on"):
        assert Verdict.NO in answers.values()
    beside = {(row.principal, action) for row in plan.remaining for action in row.actions}
    for principal in grant.principals:
        for action in Access.PUSH_PULL.actions:
            found = verdict(plan, principal, action)
            if found is not Verdict.NO and (plan.void.startswith("no effect: ") or action not in grant.access.actions):
                # Not by this grant, so by what is named beside it.
                assert said(plan, principal, action)
            if (principal, action) in beside:
                assert found is not Verdict.NO


@FEW
@given(documents(), grants, st.sampled_from([None, *Access]), st.sampled_from(TAGS), st.booleans())
def test_after_a_revoke_access_is_what_was_announced(
    document: PolicyDocument, grant: Grant, access: Access | None, tags: dict[str, str], given_before: bool
) -> None:
    where = repository(**tags)
    text = plan_grant_from(where, document.text, grant).after_text if given_before else document.text
    plan = plan_revoke_from(where, text, grant.principals, access)
    assert foreign(plan.after) == foreign(document)
    announced: dict[tuple[str, str], set[bool]] = {}
    for row in plan.remaining:
        for action in row.actions:
            announced.setdefault((row.principal, action), set()).add(not row.depends_on)
    for (principal, action), certain in announced.items():
        if action not in ours(plan.after, principal):
            assert verdict(plan, principal, action) is (Verdict.YES if True in certain else Verdict.DEPENDS)
    for principal in grant.principals:
        had, has = (ours(one, principal) for one in (PolicyDocument.parse(text) if text else None, plan.after))
        for action in had - has or (access or Access.PUSH_PULL).actions:
            if action not in has and verdict(plan, principal, action) is not Verdict.NO:
                assert said(plan, principal, action)
    assert all(f"{row.sentence()}." in " ".join(plan.risks) for row in plan.remaining)


# -- [trusted] -------------------------------------------------------------------------------------------------------


def test_a_new_stranger_is_a_risk_and_a_partner_a_note() -> None:
    plan = plan_grant_from(REPO, None, Grant((BOB,), Access.PULL))
    stranger, partner = with_trust(plan, Trusted()), with_trust(plan, Trusted(accounts=(B,)))
    assert stranger.risks == (
        f"Access for a stranger: user bob in {B}. [trusted] in the configuration does not list it.",
    )
    assert [one.id for one in stranger.findings] == ["stranger"]
    assert (partner.risks, [one.id for one in partner.findings]) == ((), ["trusted-partner"])
    assert with_trust(plan, None) is plan


def test_a_stranger_who_has_access_already_is_no_risk_of_the_next_change() -> None:
    plan = with_trust(plan_grant_from(REPO, granted(), Grant((CAROL,), Access.PULL)), Trusted(accounts=(A,)))
    assert len([one for one in plan.findings if one.id == "stranger"]) == 2
    assert [one for one in plan.risks if "stranger" in one] == [
        f"Access for a stranger: {describe(CAROL)}. [trusted] in the configuration does not list it."
    ]
