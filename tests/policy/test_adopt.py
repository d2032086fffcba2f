"""A pasted document becomes statements of the policy, as far as a repository policy can carry them."""

from __future__ import annotations

import pytest

from ecr_tui.errors import InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Change, adopt
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.identity import identity_policy
from ecr_tui.policy.who import access_of
from tests.policy.build import BOB, CAROL, REPOSITORY, SEED, B, allow, ask, policy
from tests.policy.test_change import FOREIGN, after

TOKEN = "ecr:GetAuthorizationToken"


def test_the_token_of_the_known_sample_moves_to_account_b() -> None:
    change, moved = adopt(None, PolicyDocument.from_json(SEED))
    assert moved == ("ecr:GetAuthorizationToken",)
    (statement,) = after(change).statements
    assert "GetAuthorizationToken" not in after(change).text
    assert statement.sid == "AllowCrossAccountPushAndPull"
    assert len(statement.actions) == 11
    devusr2 = f"arn:aws:iam::{B}:user/devusr2"
    access = access_of(after(change), devusr2, repository_arn=REPOSITORY, tags={"Team": "Payments"})
    assert (access.pull, access.push) == (True, True)
    needed = identity_policy([REPOSITORY], Access.PUSH_PULL)
    token, rest = needed.statements
    assert (token.actions, token.resources) == (("ecr:GetAuthorizationToken",), ("*",))
    assert (set(rest.actions), rest.resources) == (set(Access.PUSH_PULL.actions), (REPOSITORY,))


def test_adopting_twice_adds_once() -> None:
    first, _ = adopt(policy(FOREIGN), PolicyDocument.from_json(SEED))
    again, moved = adopt(first.after, PolicyDocument.from_json(SEED))
    assert not again.changed
    assert moved == ("ecr:GetAuthorizationToken",)


def test_a_statement_about_the_registry_alone_is_dropped() -> None:
    change, moved = adopt(None, policy(allow(action=["ECR:getauthorizationtoken", "ecr:DescribeRegistry"])))
    assert moved == ("ecr:GetAuthorizationToken", "ecr:DescribeRegistry")
    assert not change.changed
    assert change.after is None


def test_a_resource_of_everything_is_dropped_and_said_and_another_refused() -> None:
    change, _ = adopt(None, policy(allow(Resource="*", Sid="Guide")))
    assert "Resource" not in after(change).text
    assert change.notes == ('Guide: Resource "*" was removed; a repository policy applies to its own repository only.',)
    for resource in (REPOSITORY, ["*", REPOSITORY], [], {"Ref": "X"}):
        with pytest.raises(InputError, match="has a Resource"):
            adopt(None, policy(allow(Resource=resource)))
    with pytest.raises(InputError, match="has a NotResource"):
        adopt(None, policy(allow(NotResource="*")))


SAME_TEAM = {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}}


def test_variables_bring_the_version_that_they_need() -> None:
    change, _ = adopt(policy(FOREIGN, version="2008-10-17", Id="old"), policy(allow(condition=SAME_TEAM)))
    assert list(after(change).json.items())[:2] == [("Version", "2012-10-17"), ("Id", "old")]
    assert "becomes 2012-10-17" in change.notes[0]
    tags = {"context": {"aws:ResourceTag/Team": "x", "aws:PrincipalTag/Team": "x"}}
    assert ask(after(change), **tags).response == "Allowed"


def test_variables_never_meet_literal_ones() -> None:
    literal = allow(CAROL, condition=SAME_TEAM, Sid="Literal")
    with pytest.raises(InputError, match="Literal of the policy has literal"):
        adopt(policy(literal, version=None), policy(allow(condition=SAME_TEAM)))


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_literal_text_stays_literal_under_another_version(version: str | None) -> None:
    incoming = policy(allow(CAROL, condition=SAME_TEAM, Sid="Old"), version=version)
    change, _ = adopt(policy(allow(BOB)), incoming)
    for value in ("x", "${aws:PrincipalTag/Team}"):
        context = {"aws:ResourceTag/Team": value, "aws:PrincipalTag/Team": "x"}
        alone = ask(incoming, principal=CAROL, context=context).response
        assert ask(after(change), principal=CAROL, context=context).response == alone
    assert "literal" in change.notes[0]
    alone_change, _ = adopt(None, incoming)
    assert "${$}" not in after(alone_change).text


def sids(change: Change) -> list[str | None]:
    return [statement.sid for statement in after(change).statements]


def test_what_is_left_out_does_not_keep_what_follows_from_being_added() -> None:
    registry, known, wanted = allow(action=TOKEN, Sid="Registry"), allow(BOB, Sid="Known"), allow(CAROL, Sid="New")
    change, moved = adopt(policy(known), policy(registry, known, wanted, {**wanted, "Sid": "Twice"}))
    assert sids(change) == ["Known", "New"]
    assert moved == (TOKEN,)


def test_what_adds_nothing_is_no_change_of_the_document() -> None:
    document = policy(allow(BOB))
    change, _ = adopt(document, policy(allow(BOB, Resource="*", Sid="Guide")))
    note = 'Guide: Resource "*" was removed; a repository policy applies to its own repository only.'
    assert change == Change(document, document, False, (note,))


def test_the_documents_own_elements_stay_and_without_one_the_pasted_ones_are_taken() -> None:
    incoming = policy(allow(CAROL), version="2008-10-17", Id="pasted")
    document = policy(allow(BOB), Id="own")
    change, _ = adopt(document, incoming)
    assert change.before is document
    assert (after(change).json["Version"], after(change).json["Id"]) == ("2012-10-17", "own")
    change, _ = adopt(None, incoming)
    assert (after(change).json["Version"], after(change).json["Id"]) == ("2008-10-17", "pasted")


def test_a_version_stays_where_nothing_needs_another() -> None:
    for version in ("2008-10-17", None):
        change, _ = adopt(policy(FOREIGN, version=version), policy(allow(CAROL)))
        assert after(change).json.get("Version") == version
        assert change.notes == ()


def test_each_refusal_says_what_to_do() -> None:
    with pytest.raises(InputError) as caught:
        adopt(None, policy(allow(Resource=REPOSITORY, Sid="Guide")))
    assert caught.value.text().splitlines() == [
        "Guide has a Resource, which a repository policy cannot restrict",
        "Fix: Remove the Resource: a repository policy applies to its own repository only.",
    ]
    with pytest.raises(InputError) as caught:
        adopt(policy(allow(CAROL, condition=SAME_TEAM, Sid="Old"), version=None), policy(allow(condition=SAME_TEAM)))
    assert caught.value.text().splitlines() == [
        "the new statements use policy variables, but Old of the policy has literal ${...}",
        'Fix: Correct Old first, or replace the variables with values. Variables need "Version": "2012-10-17", which '
        "would change the meaning of Old.",
    ]


@pytest.mark.parametrize(("version", "said"), [("2008-10-17", "Version 2008-10-17"), (None, "Version is missing and")])
def test_a_version_that_changes_is_said(version: str | None, said: str) -> None:
    change, _ = adopt(policy(FOREIGN, version=version), policy(allow(condition=SAME_TEAM)))
    assert change.notes == (
        f"The policy's {said} becomes 2012-10-17, because the new statements use policy variables; no other statement "
        "has any.",
    )


def test_literal_text_is_escaped_wherever_a_condition_has_it() -> None:
    condition = {"StringLike": {"aws:username": ["${x}", "y"]}, "Bool": {"aws:SecureTransport": True}, "Later": "odd"}
    incoming = policy(allow(CAROL, condition=condition, Sid="Old"), version="2008-10-17")
    change, _ = adopt(policy(allow(BOB)), incoming)
    assert after(change).json["Statement"][1]["Condition"] == {
        "StringLike": {"aws:username": ["${$}{x}", "y"]},
        "Bool": {"aws:SecureTransport": True},
        "Later": "odd",
    }
    assert change.notes == (
        "Old: ${...} is literal text in its document, and is written as ${$}{...} to stay literal.",
    )
