"""Grants and their opposite touch our statements and nothing else."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ecr_tui.errors import InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Change, Grant, equivalent, group, merge, revoke
from ecr_tui.policy.document import LIMIT, PolicyDocument
from ecr_tui.policy.lint import lint
from ecr_tui.policy.ours import Own, read_own, tag_covers
from tests.policy.build import BOB, CAROL, PULL, ROOT_B, SEED, A, B, allow, deny, policy

PAYMENTS = (("Team", "Payments"),)
FOREIGN = {"Sid": "Lambda", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": PULL}


def grant(*principals: str, access: Access = Access.PULL, **more: Any) -> Grant:
    return Grant(principals or (BOB,), access, **more)


def owns(document: PolicyDocument) -> dict[tuple[str, ...], Access]:
    return {own.principals: own.access for own in map(read_own, document.statements) if own}


def after(change: Any) -> PolicyDocument:
    assert change.after is not None
    document: PolicyDocument = change.after
    return document


def test_the_first_grant_makes_the_whole_document() -> None:
    change = merge(None, grant(access=Access.PUSH_PULL, tags=PAYMENTS))
    assert change.changed
    assert change.before is None
    (statement,) = after(change).json["Statement"]
    assert after(change).json["Version"] == "2012-10-17"
    assert list(statement) == ["Sid", "Effect", "Principal", "Action", "Condition"]
    assert statement["Sid"].startswith("EcrTuiPushPull")
    assert statement["Sid"].isalnum()
    assert statement["Principal"] == {"AWS": BOB}
    assert set(statement["Action"]) == set(Access.PUSH_PULL.actions)
    assert statement["Condition"] == {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}
    assert after(change).text == after(change).minified()


@pytest.mark.parametrize("access", list(Access))
@pytest.mark.parametrize("tags", [(), PAYMENTS, (("Team", "A"), ("Team", "B")), (("a", "1"), ("b", "2"))])
def test_what_we_write_is_ours_again_and_lints_clean(access: Access, tags: Any) -> None:
    until = datetime(2031, 1, 1, tzinfo=UTC)
    document = after(merge(None, grant(access=access, tags=tags, until=until)))
    own = read_own(document.statements[0])
    assert own is not None
    assert (own.principals, own.access, own.tags, own.until) == ((BOB,), access, tuple(sorted(tags)), until)
    present = dict(tags)
    assert lint(document, tags=present, account=A, now=datetime(2030, 1, 1, tzinfo=UTC)) == ()


def test_no_resource_and_no_token_is_ever_written() -> None:
    for access in Access:
        text = after(merge(None, grant(access=access))).text
        assert "Resource" not in text
        assert "GetAuthorizationToken" not in text


def test_the_same_again_changes_nothing() -> None:
    for tags, until in itertools.product([(), PAYMENTS], [None, datetime(2031, 1, 1, tzinfo=UTC)]):
        wanted = grant(tags=tags, until=until)
        document = after(merge(policy(FOREIGN), wanted))
        again = merge(document, wanted)
        assert not again.changed
        assert again.after is document


def test_sids_are_the_same_for_the_same_content() -> None:
    first = after(merge(None, grant(tags=PAYMENTS)))
    second = after(merge(policy(FOREIGN), grant(tags=PAYMENTS)))
    assert first.statements[0].sid == second.statements[1].sid
    assert first.statements[0].sid != after(merge(None, grant())).statements[0].sid


def test_foreign_statements_keep_text_and_place() -> None:
    odd = '{"Statement":[{"Later":1.10,"Effect":"Deny","Principal":"*","Action":"ecr:*"}],"Id":"x"}'
    document = after(merge(PolicyDocument.parse(odd), grant()))
    assert document.text.startswith('{"Statement":[{"Later":1.10,"Effect":"Deny","Principal":"*","Action":"ecr:*"},{')
    assert document.text.endswith('],"Id":"x"}')
    assert document.version is None


def test_an_old_version_is_kept() -> None:
    assert after(merge(policy(FOREIGN, version="2008-10-17"), grant())).version == "2008-10-17"


def test_a_narrower_grant_is_widened_in_its_place() -> None:
    document = after(merge(after(merge(policy(FOREIGN), grant())), grant(CAROL)))
    wider = after(merge(document, grant(access=Access.PUSH_PULL)))
    assert len(wider.statements) == 3
    own = read_own(wider.statements[1])
    assert own is not None
    assert (own.principals, own.access) == ((BOB,), Access.PUSH_PULL)
    assert wider.statements[2].raw == document.statements[2].raw


LATER = datetime(2031, 1, 1, tzinfo=UTC)
EVERY_GRANT = [
    Grant((BOB,), access, tags, until)
    for access, tags, until in itertools.product(
        Access, [(), PAYMENTS, (("Team", "Other"),), (("Team", "Pay*"), ("Env", "prod"))], [None, LATER]
    )
]


def test_a_pattern_is_written_with_string_like() -> None:
    wanted = grant(tags=(("Team", "Pay*"), ("Team", "Data"), ("Env", "prod")))
    statement = after(merge(None, wanted)).statements[0]
    assert statement.raw["Condition"] == {
        "StringEquals": {"aws:ResourceTag/Env": "prod"},
        "StringLike": {"aws:ResourceTag/Team": ["Data", "Pay*"]},
    }
    assert read_own(statement) == Own.of_grant(wanted)[0]


@pytest.mark.parametrize(
    ("wanted", "value", "covers"),
    [
        ("Pay*", "Payments", True),
        ("Pay*", "Data", False),
        ("Payment?", "Payments", True),
        ("P*", "Pay*", True),
        ("Pay?", "Pay*", False),
        ("Pay*", "P*", False),
        ("Payments", "Pay*", False),
        ("Pay*", "Pay*", True),
    ],
)
def test_what_a_condition_covers(wanted: str, value: str, covers: bool) -> None:
    assert tag_covers(wanted, value) is covers


@pytest.mark.parametrize("wanted", EVERY_GRANT)
def test_a_grant_replaces_what_we_granted_the_principal(wanted: Grant) -> None:
    """Narrower or wider: one statement, which says what was asked for, and foreign ones are as they were."""
    for before in EVERY_GRANT:
        document = after(merge(policy(FOREIGN), before))
        change = merge(document, wanted)
        assert change.changed is (before != wanted)
        foreign, ours = after(change).statements
        assert foreign.raw == FOREIGN
        assert read_own(ours) == read_own(after(merge(None, wanted)).statements[0])


def test_statements_of_ours_for_one_principal_become_one() -> None:
    """As earlier versions wrote them: one for each condition."""
    several = [after(merge(None, one)).json["Statement"][0] for one in EVERY_GRANT]
    (statement,) = after(merge(policy(*several), grant(tags=PAYMENTS))).statements
    assert statement.raw == after(merge(None, grant(tags=PAYMENTS))).statements[0].raw


def test_several_principals_share_one_statement() -> None:
    change = merge(None, grant(BOB, CAROL, BOB, tags=PAYMENTS))
    (statement,) = after(change).statements
    assert statement.raw["Principal"] == {"AWS": [BOB, CAROL]}
    assert not merge(after(change), grant(BOB, CAROL, tags=PAYMENTS)).changed
    assert not merge(after(change), grant(CAROL, tags=PAYMENTS)).changed
    assert read_own(statement) is not None


def test_an_account_named_twice_is_one_principal() -> None:
    (statement,) = after(merge(None, grant(ROOT_B, B))).statements
    assert statement.raw["Principal"] == {"AWS": ROOT_B}


def test_a_principal_that_has_it_already_joins_the_statement_of_the_others() -> None:
    document = after(merge(None, grant(BOB)))
    assert owns(after(merge(document, grant(BOB, CAROL)))) == {(BOB, CAROL): Access.PULL}
    apart = after(merge(document, grant(CAROL)))
    assert owns(apart) == {(BOB,): Access.PULL, (CAROL,): Access.PULL}
    assert not merge(apart, grant(BOB, CAROL)).changed


def test_several_of_a_shared_statement_leave_it_together() -> None:
    shared = after(merge(policy(FOREIGN), grant(BOB, CAROL, ROOT_B)))
    assert owns(after(merge(shared, grant(BOB, ROOT_B, access=Access.PUSH)))) == {
        (CAROL,): Access.PULL,
        (BOB, ROOT_B): Access.PUSH,
    }
    assert owns(after(revoke(shared, (BOB, ROOT_B)))) == {(CAROL,): Access.PULL}
    assert after(revoke(shared, (BOB, CAROL, B))).minified() == policy(FOREIGN).minified()


def test_several_lose_a_part_of_it_together() -> None:
    shared = after(merge(None, grant(BOB, CAROL, ROOT_B, access=Access.PUSH_PULL)))
    assert owns(after(revoke(shared, (BOB, ROOT_B), Access.PUSH))) == {
        (CAROL,): Access.PUSH_PULL,
        (BOB, ROOT_B): Access.PULL,
    }


def test_a_grant_to_nobody_is_refused() -> None:
    with pytest.raises(InputError, match="needs a principal"):
        Grant((), Access.PULL)


def test_tag_keys_are_the_same_whatever_their_case() -> None:
    document = after(merge(None, grant(tags=PAYMENTS)))
    assert not merge(document, grant(tags=(("team", "Payments"),))).changed
    assert merge(document, grant(tags=(("Team", "payments"),))).changed


def test_an_account_id_is_its_root_arn() -> None:
    document = after(merge(None, grant(ROOT_B)))
    assert not merge(PolicyDocument.parse(document.text.replace(ROOT_B, B)), grant(ROOT_B)).changed


def test_a_statement_of_ours_that_was_edited_is_foreign() -> None:
    document = after(merge(None, grant()))
    raw = document.json["Statement"][0]
    raw["Action"].append("ecr:ListImages")
    edited = document.replace([raw])
    widened = after(merge(edited, grant(access=Access.PUSH_PULL)))
    assert widened.statements[0].raw == raw
    assert len(widened.statements) == 2
    foreign_sid = raw["Sid"]
    assert merge(edited, grant(access=Access.PULL, tags=PAYMENTS)).changed
    assert [item.sid for item in widened.statements].count(foreign_sid) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Deny"},
        {"Principal": "*"},
        {"Principal": {"Service": "x.amazonaws.com"}},
        {"Condition": {"StringLike": {"aws:ResourceTag/Team": "x"}}},
        {"Condition": {"StringEquals": {"aws:ResourceTag/Team": "x*"}}},
        {"Condition": {"StringEquals": {"aws:ResourceTag/Team": "x"}, "StringLike": {"aws:resourcetag/team": "x*"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Condition": {"StringEquals": {"aws:ResourceTag/Team": "${aws:username}"}}},
        {"Condition": {"DateLessThan": {"aws:CurrentTime": "tomorrow"}}},
        {"Condition": "x"},
        {"Resource": "*"},
        {"Sid": "Other"},
        {"Later": 1},
    ],
)
def test_only_what_we_could_have_written_is_ours(change: dict[str, Any]) -> None:
    raw = {**after(merge(None, grant())).json["Statement"][0], **change}
    assert read_own(policy(raw).statements[0]) is None


def test_a_foreign_statement_that_says_it_already_is_enough() -> None:
    (seed,) = SEED["Statement"]  # type: ignore[misc]
    assert not merge(
        policy(seed), grant(f"arn:aws:iam::{B}:user/devusr2", access=Access.PUSH_PULL, tags=PAYMENTS)
    ).changed
    assert merge(policy(seed), grant(f"arn:aws:iam::{B}:user/devusr2", access=Access.PUSH_PULL)).changed


def test_an_end_is_written_in_the_condition() -> None:
    soon, later = datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
    document = after(merge(None, grant(until=soon)))
    assert document.json["Statement"][0]["Condition"] == {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}
    assert "2031-01-01" in after(merge(document, grant(until=later))).text


def test_ends_are_written_in_utc_whole_seconds() -> None:
    end = datetime(2030, 1, 1, 1, 0, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    assert "2029-12-31T23:00:00Z" in after(merge(None, grant(until=end))).text


@pytest.mark.parametrize(
    "bad",
    [
        {"tags": (("", "x"),)},
        {"tags": (("k" * 129, "x"),)},
        {"tags": (("k", "v" * 257),)},
        {"tags": (("k", "${aws:username}"),)},
        {"until": datetime(2030, 1, 1)},
    ],
)
def test_a_grant_that_cannot_be_written_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        grant(**bad)


# --- the limit ---------------------------------------------------------------------------------------------------


def full() -> PolicyDocument:
    """Separate statements up to the brim: the next one does not fit."""
    document: PolicyDocument | None = None
    for number in itertools.count():
        change = merge(document, grant(f"arn:aws:iam::{B}:user/user-number-{number}", access=Access.PUSH_PULL))
        if change.notes:
            assert document is not None
            return document
        document = change.after
    raise AssertionError


def test_principals_share_a_statement_only_when_the_limit_makes_them() -> None:
    document = full()
    assert all(len(statement.principals) == 1 for statement in document.statements)
    change = merge(document, grant(CAROL, access=Access.PUSH_PULL))
    assert "were combined" in change.notes[0]
    (statement,) = after(change).statements
    assert len(statement.principals) == len(document.statements) + 1
    assert after(change).size < LIMIT
    assert not merge(after(change), grant(CAROL, access=Access.PUSH_PULL)).changed
    assert equivalent(after(revoke(after(change), (CAROL,))), document)


def test_one_leaves_a_shared_statement_and_the_others_stay() -> None:
    shared = after(group(full()))
    count = len(shared.statements[0].principals)
    left = after(revoke(shared, (f"arn:aws:iam::{B}:user/user-number-3",)))
    assert len(left.statements[0].principals) == count - 1
    assert f'"arn:aws:iam::{B}:user/user-number-3"' not in left.text


def test_one_of_a_shared_statement_is_widened_alone() -> None:
    shared = after(group(after(merge(after(merge(None, grant())), grant(CAROL)))))
    wider = after(merge(shared, grant(access=Access.PUSH_PULL)))
    assert owns(wider) == {(CAROL,): Access.PULL, (BOB,): Access.PUSH_PULL}


def test_what_does_not_fit_is_refused_with_its_size() -> None:
    big = policy({**FOREIGN, "Later": "x" * LIMIT})
    with pytest.raises(InputError, match=r"1\d,\d{3} characters; the limit is 10,240"):
        merge(big, grant())


@pytest.mark.parametrize(
    ("principals", "hints"),
    [
        # Hundreds of one account, or one each of hundreds: what is offered fits.
        (
            [f"arn:aws:iam::{B}:user/user-number-{number}" for number in range(250)],
            [f"grant account {B} in place of its 250 principals", "grant their organization (org/o-ID)"],
        ),
        ([f"arn:aws:iam::{number:012}:root" for number in range(300)], ["grant their organization (org/o-ID)"]),
        ([f"org/o-{number:010}" for number in range(900)], []),
    ],
)
def test_what_does_not_fit_is_told_what_would(principals: list[str], hints: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        merge(policy(FOREIGN), Grant(tuple(principals), Access.PULL))
    offered = caught.value.hint.partition("To fit: ")[2].partition(". ")[0].split("; or ")
    assert offered == [*hints, "revoke those that are not needed"]
    assert "that are not ecr-tui's have" in caught.value.hint


def test_one_condition_for_all_is_offered_where_it_would_fit() -> None:
    document: PolicyDocument | None = None

    def add(number: int) -> None:
        nonlocal document
        document = merge(document, grant(f"{BOB}{number}", tags=(("Team", f"number-{number}"),))).after

    with pytest.raises(InputError, match="characters") as caught:
        [add(number) for number in range(60)]
    assert "use one tag condition for all" in caught.value.hint


def test_grouping_leaves_different_access_and_conditions_apart() -> None:
    document: PolicyDocument | None = None
    for access, tags in itertools.product((Access.PULL, Access.PUSH), ((), PAYMENTS)):
        for principal in (BOB, CAROL):
            if access is Access.PUSH and principal == BOB:
                continue
            document = merge(document, grant(principal, access=access, tags=tags)).after
    assert document is not None
    grouped = after(group(document))
    assert equivalent(grouped, document)
    assert group(grouped) == Change(grouped, grouped, False)


def test_grouping_keeps_the_documents_own_elements() -> None:
    document = after(merge(after(merge(policy(FOREIGN, version="2008-10-17", Id="own"), grant())), grant(CAROL)))
    change = group(document)
    assert (change.before, change.changed) == (document, True)
    assert (after(change).json["Version"], after(change).json["Id"]) == ("2008-10-17", "own")


# --- the opposite ------------------------------------------------------------------------------------------------


def test_revoking_the_only_grant_leaves_no_policy() -> None:
    change = revoke(after(merge(None, grant())), (BOB,))
    assert change.changed
    assert change.after is None


def test_revoking_takes_every_condition() -> None:
    foreign = policy(FOREIGN, version="2008-10-17", Id="own")
    document = after(merge(after(merge(foreign, grant())), grant(tags=PAYMENTS)))
    change = revoke(document, (BOB,))
    assert change.before is document
    assert after(change).minified() == foreign.minified()


def test_revoking_nothing_changes_nothing() -> None:
    for document in (None, policy(FOREIGN)):
        change = revoke(document, (BOB,))
        assert not change.changed
        assert change.after is document


@pytest.mark.parametrize(
    ("had", "taken", "left"),
    [
        (Access.PUSH_PULL, Access.PUSH, Access.PULL),
        (Access.PUSH_PULL, Access.PULL, Access.PUSH),
        (Access.PULL, Access.PUSH_PULL, None),
        (Access.PULL, Access.PULL, None),
        (Access.PULL, Access.PUSH, Access.PULL),
        (Access.PUSH_PULL, Access.PUSH_PULL, None),
    ],
)
def test_revoking_part_of_it(had: Access, taken: Access, left: Access | None) -> None:
    change = revoke(after(merge(None, grant(access=had))), (BOB,), taken)
    assert (change.after is None) is (left is None)
    assert change.changed is (had is not left)
    if left is not None:
        assert set(after(change).statements[0].actions) == set(left.actions)


def test_foreign_statements_are_left_alone_and_mentioned() -> None:
    document = policy({**allow([BOB, CAROL]), "Sid": "Theirs"})
    note = f"Theirs, which ecr-tui did not write, also names user bob in {B} and was kept"
    assert revoke(document, (BOB,)) == Change(document, document, False, (note,))


def test_foreign_statements_are_edited_only_when_asked_for_and_it_is_said() -> None:
    document = policy({**allow([BOB, CAROL]), "Sid": "Theirs"}, allow(BOB), deny(BOB))
    change = revoke(document, (BOB,), foreign=True)
    assert change.notes[0] == f"user bob in {B} was removed from Theirs, which ecr-tui did not write"
    assert [dict(item.raw) for item in after(change).statements] == [{**allow([CAROL]), "Sid": "Theirs"}, deny(BOB)]


def test_other_kinds_of_principals_stay_in_an_edited_foreign_statement() -> None:
    service = {"Service": "lambda.amazonaws.com"}
    for named, left in ((BOB, service), ([BOB, CAROL], {"AWS": [CAROL], **service})):
        change = revoke(policy(allow({"AWS": named, **service})), (BOB,), foreign=True)
        assert after(change).json["Statement"][0]["Principal"] == left


def test_tag_keys_that_differ_in_case_are_refused() -> None:
    with pytest.raises(InputError, match="'Team' and 'team' differ only in case"):
        grant(tags=(("Team", "A"), ("team", "B")))


# --- companions --------------------------------------------------------------------------------------------------

LAMBDA = f"service/lambda.amazonaws.com@arn:aws:lambda:*:{B}:function:*"


def test_an_account_is_let_in_with_its_functions_and_goes_with_them() -> None:
    change = merge(policy(FOREIGN), grant(LAMBDA))
    assert owns(after(change)) == {(LAMBDA,): Access.PULL, (ROOT_B,): Access.PULL}
    assert change.notes == (
        f"Lambda needs the account of its functions to pull as well, so account {B} is granted the same.",
    )
    assert not merge(after(change), grant(LAMBDA)).changed
    assert after(revoke(after(change), (LAMBDA,))).minified() == policy(FOREIGN).minified()
    wider = merge(after(change), grant(LAMBDA, access=Access.PUSH_PULL))
    assert owns(after(wider)) == {(LAMBDA,): Access.PUSH_PULL, (ROOT_B,): Access.PUSH_PULL}


def test_a_companion_that_is_revoked_on_purpose_stays_revoked() -> None:
    document = after(merge(None, grant(LAMBDA)))
    left = after(revoke(document, (ROOT_B,)))
    assert owns(left) == {(LAMBDA,): Access.PULL}
    assert owns(after(revoke(after(merge(left, grant(BOB))), (BOB,)))) == {(LAMBDA,): Access.PULL}


def test_a_companion_of_two_stays_under_the_condition_of_the_one_that_is_left() -> None:
    other = f"service/lambda.amazonaws.com@arn:aws:lambda:*:{B}:function:other-*"
    document = after(merge(after(merge(None, grant(LAMBDA))), grant(other, tags=PAYMENTS)))
    left = after(revoke(document, (LAMBDA,)))
    found = [read_own(one) for one in left.statements]
    assert sorted((own.principals, own.tags) for own in found if own) == [((ROOT_B,), PAYMENTS), ((other,), PAYMENTS)]
