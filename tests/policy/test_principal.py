"""Principals as people type them, and as policies hold them."""

from __future__ import annotations

import pytest

from ecr_tui.errors import InputError
from ecr_tui.policy.principal import (
    account_of,
    canonical,
    describe,
    is_dead,
    parse_grantee,
    parse_principal,
    same_principal,
)
from tests.policy.build import BOB, ROOT_B, SESSION, B


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BOB, BOB),
        (f" {BOB}\n", BOB),
        (B, ROOT_B),
        (ROOT_B, ROOT_B),
        (SESSION, SESSION),
        ("user/bob", BOB),
        ("role/team/puller", f"arn:aws:iam::{B}:role/team/puller"),
        (f"arn:aws:sts::{B}:federated-user/bob", f"arn:aws:sts::{B}:federated-user/bob"),
        (f"arn:aws-cn:iam::{B}:user/a+=,.@-_b", f"arn:aws-cn:iam::{B}:user/a+=,.@-_b"),
    ],
)
def test_the_forms_that_people_type(text: str, expected: str) -> None:
    assert parse_principal(text, account_b=B) == expected


def test_short_forms_take_the_partition_of_the_repository() -> None:
    assert parse_principal(B, partition="aws-us-gov") == f"arn:aws-us-gov:iam::{B}:root"
    assert parse_principal("user/x", account_b=B, partition="aws-cn") == f"arn:aws-cn:iam::{B}:user/x"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "bob",
        "12345",
        "2222222222222",
        "user/",
        "user/*",
        "user/a b",
        f"arn:aws:iam::{B}:user/*",
        f"arn:aws:iam::{B}:user/b?b",
        f"arn:aws:iam::{B}:group/devs",
        f"arn:aws:iam::{B}:user/",
        f"arn:aws:iam::{B}:policy/x",
        "arn:aws:iam::222:user/bob",
        f"arn:aws:sts::{B}:assumed-role/puller",
        f"arn:aws:iam::{B}:assumed-role/puller/s1",
        f"arn:aws:s3::{B}:user/bob",
        "AIDAJQABLZS4A3QDU576Q",
        "lambda.amazonaws.com",
        "org/o-a1b2c3d4e5",
        f"arn:aws:iam::{B}:user/bob\nx",
        "٢٢٢٢٢٢٢٢٢٢٢٢",
    ],
)
def test_everything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_principal(text, account_b=B)
    assert caught.value.hint


def test_a_short_form_needs_account_b() -> None:
    with pytest.raises(InputError, match="account B is unknown"):
        parse_principal("user/bob", account_b=None)


def test_an_account_id_is_its_root_arn_and_names_are_case_sensitive() -> None:
    assert same_principal(B, ROOT_B)
    assert same_principal(ROOT_B, B)
    assert not same_principal(BOB, BOB.replace("bob", "Bob"))
    assert not same_principal(B, BOB)
    assert canonical(BOB) == BOB


def test_accounts_of_principals() -> None:
    assert [account_of(item) for item in (B, ROOT_B, BOB, SESSION)] == [B] * 4
    assert [account_of(item) for item in ("*", "lambda.amazonaws.com", "AIDAJQABLZS4A3QDU576Q")] == [None] * 3


def test_dead_principals() -> None:
    assert is_dead("AIDAJQABLZS4A3QDU576Q")
    assert is_dead("AROAEXAMPLE1234567890")
    assert not is_dead("AIDA")
    assert not is_dead(BOB)
    assert not is_dead("ABCDEFGHIJKLMNOPQRSTU")


@pytest.mark.parametrize(
    ("principal", "text"),
    [
        (BOB, f"user bob in {B}"),
        (B, f"account {B}"),
        (ROOT_B, f"account {B}"),
        (SESSION, f"session s1 of role puller in {B}"),
        (f"arn:aws:iam::{B}:role/team/puller", f"role team/puller in {B}"),
        (f"arn:aws:sts::{B}:federated-user/bob", f"federated user bob in {B}"),
        ("*", "everyone"),
        ("AIDAJQABLZS4A3QDU576Q", "deleted user AIDAJQABLZS4A3QDU576Q"),
        ("lambda.amazonaws.com", "lambda.amazonaws.com"),
    ],
)
def test_descriptions(principal: str, text: str) -> None:
    assert describe(principal) == text


@pytest.mark.parametrize("text", ["a\nb", "arn:aws:iam::222222222222:user/a\nb", "*\n*", "user/\n", "x" * 5000])
def test_the_complaint_is_one_line_of_bearable_length(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_principal(text)
    assert len(caught.value.title.splitlines()) == 1
    assert len(caught.value.title) < 200


def test_a_bare_name_may_be_a_user_or_a_role() -> None:
    with pytest.raises(InputError) as caught:
        parse_principal("devusr2", account_b=B)
    assert caught.value.hint == "Write user/devusr2 or role/devusr2."


@pytest.mark.parametrize(
    ("text", "title", "hint"),
    [
        ("o-a1b2c3d4e5", "not a principal", "Write it as org/o-a1b2c3d4e5."),
        ("arn:aws:organizations::1:organization/o-a1b2c3d4e5", "not a principal", "Write it as org/o-a1b2c3d4e5."),
        ("org/o-A1B2C3D4E5", "not an organization", "org/o-a1b2c3d4e5"),
        ("ou-ab12-11111111", "not a principal", "ou/o-ID/r-ID/ou-ab12-11111111"),
        (
            "arn:aws:organizations::1:ou/o-a1b2c3d4e5/ou-ab12-11111111",
            "not a principal",
            "ou/o-ID/r-ID/ou-ab12-11111111",
        ),
        ("ou/r-ab12/ou-ab12-11111111", "not an organizational unit", "path from the organization: ou/o-a1b2c3d4e5/r-"),
        ("lambda.amazonaws.com", "not a principal", "Write it as service/lambda.amazonaws.com."),
        ("codebuild.amazonaws.com", "not a principal", "Write it as service/codebuild.amazonaws.com@SOURCE."),
        ("service/codebuild.amazonaws.com", "needs a source", "service/codebuild.amazonaws.com@222222222222"),
        ("service/codebuild.amazonaws.com@22", "not a source: 22", "Add an account or an ARN"),
        (f"arn:aws:iam::{B}:group/devs", "a group cannot be a principal", "Name the users"),
        ("group/devs", "a group cannot be a principal", "Name the users"),
    ],
)
def test_another_form_names_the_right_one(text: str, title: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_grantee(text, account_b=B)
    assert title in caught.value.title
    assert hint in caught.value.hint
