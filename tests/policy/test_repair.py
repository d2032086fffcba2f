"""A repair makes a policy one that ECR takes, and changes nobody's access."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecr_tui.errors import InputError
from ecr_tui.policy.acceptance import LIKELY, POSSIBLE, Refusal, refusals
from ecr_tui.policy.actions import Access, repository_actions
from ecr_tui.policy.change import Grant, merge
from ecr_tui.policy.document import LIMIT, PolicyDocument
from ecr_tui.policy.evaluate import Policies, Request, context_for, decide
from ecr_tui.policy.lint import lint
from ecr_tui.policy.principal import is_dead
from ecr_tui.policy.repair import FormerName, former_names, parse_repin, repair
from ecr_tui.policy.rules import RULES
from ecr_tui.sandbox.directory import Directory
from ecr_tui.sandbox.policy_check import checked_policy
from tests.policy.build import BOB, CAROL, FULL, PULL, REPOSITORY, SESSION, A, B, allow, deny, policy
from tests.policy.strategies import TAGS, callers, one_or_more

USER_ID, ROLE_ID = "AIDAJQABLZS4A3QDU576Q", "AROAJQABLZS4A3QDU576Q"
ROLE = f"arn:aws:iam::{B}:role/puller"
OTHER = f"arn:aws:ecr:eu-central-1:{A}:repository/other"
TOKEN = "ecr:GetAuthorizationToken"


class Everybody(Directory):
    """Every well-formed user and role lives; only unique ids do not."""

    def __init__(self) -> None:
        super().__init__((A, B))

    def principals(self) -> Any:
        return ((f"AIDA{n:017}", arn) for n, arn in enumerate([BOB, CAROL, ROLE, f"arn:aws:iam::{A}:user/alice"]))

    def role(self, account: str, name: str) -> Any:
        return name == "puller" or None


def accepted(document: PolicyDocument) -> bool:
    from ecr_tui.sandbox.aws_errors import ServiceError

    try:
        checked_policy(document.minified(), Everybody())
    except ServiceError:
        return False
    return True


def found(document: PolicyDocument, read: PolicyDocument | None = None) -> tuple[Refusal, ...]:
    return refusals(document, lint(document, account=A, partition="aws"), read=read)


def repaired(*statements: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    after = repair(policy(*statements), REPOSITORY, **more).change.after
    return after.json["Statement"] if after is not None else []


# --- what ECR refuses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "id", "likely"),
    [
        (allow(USER_ID, PULL), "dead-principal", True),
        (deny({"AWS": [BOB, ROLE_ID]}), "dead-principal", True),
        (allow(BOB, [*PULL, TOKEN]), "token-action", True),
        (allow(BOB, PULL, Resource="*"), "resource-element", False),
        (allow(BOB, PULL, Resource="arn:aws:s3:::x"), "other-resource", True),
        (allow("bob", PULL), "bad-principal", True),
        (allow(f"arn:aws:iam::{B}:user/*", PULL), "principal-wildcard", True),
        (allow(None, PULL), "no-principal", True),
        (allow(BOB, PULL, {"Odd": {"aws:x": "y"}}), "unknown-operator", True),
        (allow(BOB, ["ecr:DescribeRegistry"]), "registry-action", False),
        (allow(BOB, ["ecr:Nope"]), "unknown-action", False),
    ],
)
def test_likely_refusals_are_told_from_possible_ones(statement: dict[str, Any], id: str, likely: bool) -> None:
    document = policy({**statement, "Sid": "It"})
    (refusal,) = [one for one in found(document, read=document) if one.id == id]
    assert (refusal.statement, refusal.likely) == ("It", likely)
    assert not accepted(document)


def test_a_unique_id_that_ecr_did_not_hand_out_may_still_live() -> None:
    (refusal,) = found(policy(allow(USER_ID, PULL)), read=policy(allow(BOB)))
    assert not refusal.likely
    assert "unless its user or role exists" in refusal.reason


def test_what_ecr_took_before_it_is_expected_to_take_again() -> None:
    document = policy({**allow(BOB, PULL), "Later": 1})
    findings = lint(document, account=A, partition="aws")
    assert [one.likely for one in refusals(document, findings, read=None)] == [True]
    assert [one.likely for one in refusals(document, findings, read=document, standing=findings)] == [False]


def test_a_sound_policy_has_no_refusals_and_each_finding_is_known() -> None:
    document = policy(allow([BOB, ROLE, SESSION], PULL), deny({"AWS": CAROL}))
    assert (found(document), accepted(document)) == ((), True)
    assert set(RULES) >= LIKELY | POSSIBLE


# --- repairs ----------------------------------------------------------------------------------------------------------


def test_deleted_principals_are_taken_out_wherever_they_stand() -> None:
    statements = repaired(
        allow([USER_ID, BOB]),
        allow(USER_ID, Sid="Gone"),
        allow({"AWS": ROLE_ID, "Service": "lambda.amazonaws.com"}),
        deny({"AWS": [USER_ID, CAROL]}),
        {"Effect": "Deny", "NotPrincipal": {"AWS": [USER_ID, BOB]}, "Action": "ecr:PutImage"},
        {"Effect": "Deny", "NotPrincipal": {"AWS": USER_ID}, "Action": "ecr:PutImage"},
    )
    assert [one.get("Principal") or one["NotPrincipal"] for one in statements] == [
        {"AWS": [BOB]},
        {"Service": "lambda.amazonaws.com"},
        {"AWS": [CAROL]},
        {"AWS": [BOB]},
        "*",
    ]


def test_what_remains_keeps_its_shape_and_its_neighbours_theirs() -> None:
    sound = {"Later": 1, **allow(CAROL, "ecr:PutImage")}
    document = policy(sound, allow([USER_ID, BOB], [*PULL, TOKEN], Sid="Odd"), version="2008-10-17", Id="x")
    done = repair(document, REPOSITORY).change
    assert done.after is not None
    assert done.after.json == {
        "Version": "2008-10-17",
        "Id": "x",
        "Statement": [sound, allow([BOB], PULL, Sid="Odd")],
    }
    assert len(done.notes) == 2
    assert not repair(done.after, REPOSITORY).change.changed


def test_actions_of_the_registry_and_of_nobody_are_taken_out() -> None:
    done = repair(policy(allow(BOB, [*PULL, "ecr:getauthorizationtoken", "ecr:Newer", "s3:GetObject"])), REPOSITORY)
    assert done.change.after is not None
    assert done.change.after.statements[0].actions == tuple(PULL)
    (risk,) = done.risks
    assert "ecr-tui does not know ecr:Newer" in risk
    assert repaired(allow(BOB, TOKEN)) == []
    assert repaired({"Effect": "Deny", "Principal": "*", "NotAction": TOKEN}) == [
        {"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}
    ]


@pytest.mark.parametrize("resource", ["*", REPOSITORY, [OTHER, REPOSITORY], f"arn:aws:ecr:*:{A}:repository/team/*"])
def test_a_resource_that_is_this_repository_is_dropped(resource: Any) -> None:
    assert repaired(allow(BOB, PULL, Resource=resource)) == [allow(BOB, PULL)]


def test_a_statement_about_other_resources_goes_and_is_a_risk() -> None:
    done = repair(policy(allow(BOB, PULL, Resource=OTHER, Sid="Else"), allow(CAROL, PULL)), REPOSITORY)
    assert done.change.after is not None
    assert [one.principals for one in done.change.after.statements] == [(("AWS", CAROL),)]
    assert "Else is removed. It names only other resources" in done.risks[0]
    assert repaired(allow(BOB, PULL, NotResource=OTHER)) == [allow(BOB, PULL)]


def test_a_resource_with_a_variable_is_left_and_said() -> None:
    statement = allow(BOB, PULL, Resource="arn:aws:ecr:*:*:repository/${aws:username}", Sid="Own")
    change = repair(policy(statement), REPOSITORY).change
    assert not change.changed
    assert "Own is unchanged" in change.notes[0]


def test_grants_of_ours_share_a_statement_only_where_room_is_short() -> None:
    few: PolicyDocument | None = None
    many: PolicyDocument | None = None
    for number in range(45):
        grant = Grant((f"arn:aws:iam::{B}:user/{'long' * 3}{number}",), Access.PULL)
        many = merge(many, grant).after
        few = few if number > 3 else many
    assert few is not None
    assert many is not None
    assert not repair(few, REPOSITORY).change.changed
    assert LIMIT * 85 // 100 < many.size <= LIMIT
    gathered = repair(many, REPOSITORY).change.after
    assert gathered is not None
    assert len(gathered.statements) == 1


# --- re-pinning -------------------------------------------------------------------------------------------------------


def test_an_id_is_re_pinned_only_where_that_is_asked_for() -> None:
    document = policy(allow([ROLE_ID, BOB], Sid="Deploy"))
    done = repair(document, REPOSITORY, {ROLE_ID: ROLE, USER_ID: CAROL})
    assert done.change.after is not None
    assert [value for _, value in done.change.after.statements[0].principals] == [ROLE, BOB]
    assert done.risks == (f"role puller in {B} gets the access that Deploy granted the deleted principal.",)
    twice = repair(policy(allow([ROLE_ID, ROLE])), REPOSITORY, {ROLE_ID: ROLE}).change.after
    assert twice is not None
    assert twice.statements[0].principals == (("AWS", ROLE),)


def test_the_former_text_tells_who_an_id_was() -> None:
    document = policy(allow([ROLE_ID, BOB], Sid="Deploy"), allow(USER_ID, Sid="Two"), allow(USER_ID))
    former = policy(allow([BOB, ROLE], Sid="Deploy"), allow([CAROL, f"arn:aws:iam::{B}:user/eve"], Sid="Two"))
    assert former_names(document, [None, "no policy", former.text]) == {ROLE_ID: ROLE}
    assert former_names(document, [policy(allow(ROLE)).text]) == {}


def test_the_sid_of_a_grant_of_ours_tells_who_an_id_was() -> None:
    granted = merge(None, Grant((ROLE,), Access.PULL)).after
    assert granted is not None
    statement = {**granted.json["Statement"][0], "Principal": {"AWS": ROLE_ID}}
    assert former_names(policy(statement), [], [BOB, f"{ROLE}2", ROLE]) == {ROLE_ID: ROLE}
    assert former_names(policy(statement), [], [BOB]) == {}


def test_an_offer_says_what_is_known() -> None:
    assert "recreated" in FormerName(ROLE, True).offer(ROLE_ID)
    assert f"--repin {ROLE_ID}={ROLE}" in FormerName(ROLE).offer(ROLE_ID)
    assert "--repin" not in FormerName(ROLE, False).offer(ROLE_ID)


@pytest.mark.parametrize("text", ["", ROLE_ID, f"{ROLE_ID}=", f"{ROLE}=role/x", "AROA=role/x"])
def test_a_malformed_re_pin(text: str) -> None:
    with pytest.raises(InputError, match="not a re-pin"):
        parse_repin(text)


# --- for every policy -------------------------------------------------------------------------------------------------

principals = st.fixed_dictionaries(
    {"AWS": one_or_more(st.sampled_from([BOB, CAROL, B, SESSION, ROLE, A, USER_ID, USER_ID, ROLE_ID]))},
    optional={"Service": st.just("lambda.amazonaws.com")},
)
actions = one_or_more(
    st.sampled_from(
        [*repository_actions(), "ecr:*", "ecr:Batch*", TOKEN, "ecr:DescribeRegistry", "ecr:Nope", "s3:Get*"]
    )
)
resources = one_or_more(
    st.sampled_from(["*", REPOSITORY, OTHER, f"arn:aws:ecr:*:{A}:repository/team/*", "arn:aws:ecr:*"])
)
conditions = st.sampled_from(
    [
        {"StringEquals": {"aws:ResourceTag/Team": "blue"}},
        {"StringNotEquals": {"aws:ResourceTag/Team": "${aws:username}"}},
    ]
)


@st.composite
def broken(draw: st.DrawFn) -> PolicyDocument:
    made = []
    for _ in range(draw(st.integers(1, 5))):
        statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
        statement[draw(st.sampled_from(["Principal", "Principal", "NotPrincipal"]))] = draw(principals)
        statement[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(actions)
        if draw(st.booleans()):
            statement["Condition"] = draw(conditions)
        if draw(st.integers(0, 2)) == 0:
            statement[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(resources)
        made.append(statement)
    version = draw(st.sampled_from(["2012-10-17", "2008-10-17"]))
    return PolicyDocument.parse(json.dumps({"Version": version, "Statement": made}))


def responses(document: PolicyDocument | None, caller: str, tags: dict[str, str]) -> list[str]:
    context = context_for(caller, A, tags)
    policies = Policies((FULL,), document)
    return [
        decide(Request(action, REPOSITORY, A, caller, context), policies).response for action in repository_actions()
    ]


@settings(max_examples=150, deadline=None)
@given(broken(), callers, st.sampled_from(TAGS))
@example(policy({"Effect": "Allow", "NotPrincipal": {"AWS": USER_ID}, "NotAction": TOKEN}), BOB, {})
def test_a_repair_is_accepted_and_changes_no_decision(
    document: PolicyDocument, caller: str, tags: dict[str, str]
) -> None:
    change = repair(document, REPOSITORY).change
    after = change.after
    assert responses(after, caller, tags) == responses(document, caller, tags)
    if after is not None:
        assert not any(
            is_dead(value) for one in after.statements for _, value in (*one.principals, *one.not_principals)
        )
        left = any("is unchanged" in note for note in change.notes)
        assert accepted(after) is not left
        assert left or not any(one.likely for one in found(after, read=after))
