"""A policy that was edited as a whole: what is saved is what is written, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecr_tui.changes.apply import Overwritten, apply
from ecr_tui.changes.history import PastWrites
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import plan_edit_from
from ecr_tui.changes.undo import undo
from ecr_tui.errors import ConflictError, RefusedError
from ecr_tui.policy.document import PolicyDocument
from tests.changes.test_apply import FOREIGN, LAMBDA, REPO, USER, A, Store

PULL = {"Sid": "Pull", "Effect": "Allow", "Principal": {"AWS": USER}, "Action": ["ecr:BatchGetImage"]}


def policy(*statements: Any) -> PolicyDocument:
    return PolicyDocument.from_json({"Version": "2012-10-17", "Statement": list(statements)})


def test_the_whole_document_is_written_and_undone_to_the_letter(journal: Journal) -> None:
    store = Store(FOREIGN)
    edited = policy(LAMBDA | {"Sid": "Renamed"}, PULL)
    plan = plan_edit_from(REPO, FOREIGN, edited)
    assert (plan.kind, plan.changed, plan.named) == ("edit", True, (USER,))
    outcome = apply(store, journal, plan)
    assert outcome.written
    assert json.loads(store.text or "") == edited.json
    (row,) = PastWrites(journal.read()).rows
    assert (row.entry.record.kind, row.who) == ("edit", "user devusr2 in 222222222222")
    undo(store, journal, account=A)
    assert store.text == FOREIGN


def test_a_name_alone_is_a_change_and_formatting_is_none() -> None:
    renamed = json.loads(FOREIGN) | {"Statement": [LAMBDA | {"Sid": "Renamed"}]}
    assert plan_edit_from(REPO, FOREIGN, PolicyDocument.from_json(renamed)).changed
    assert not plan_edit_from(REPO, FOREIGN, PolicyDocument.parse(json.dumps(json.loads(FOREIGN)))).changed


def test_without_statements_the_policy_is_deleted_which_is_a_risk(journal: Journal) -> None:
    store = Store(FOREIGN)
    plan = plan_edit_from(REPO, FOREIGN, policy())
    assert plan.after is None
    assert "The policy has no statements left and is deleted." in plan.risks
    apply(store, journal, plan)
    assert store.text is None
    assert not plan_edit_from(REPO, None, policy()).changed


def test_a_policy_that_changed_meanwhile_is_a_conflict(journal: Journal) -> None:
    store = Store(policy(LAMBDA, PULL).text)
    plan = plan_edit_from(REPO, FOREIGN, policy(PULL))
    with pytest.raises(ConflictError):
        apply(store, journal, plan)
    assert store.text == policy(LAMBDA, PULL).text


def test_who_writes_at_the_same_moment_is_told_and_nothing_is_restored_over_it(journal: Journal) -> None:
    store = Store(FOREIGN)
    theirs = policy(PULL | {"Principal": {"AWS": "333333333333"}}).text
    plan = plan_edit_from(REPO, FOREIGN, policy(PULL))

    def overwrite() -> None:
        store.text = theirs

    store.after_write = overwrite
    with pytest.raises(Overwritten, match="overwrote this edit") as caught:
        apply(store, journal, plan)
    assert (caught.value.restore, store.text) == (None, theirs)


def test_what_ecr_refuses_is_not_sent(journal: Journal) -> None:
    store = Store(FOREIGN)
    plan = plan_edit_from(REPO, FOREIGN, policy(PULL | {"Action": ["ecr:GetAuthorizationToken"]}, PULL | {"Efect": 1}))
    assert plan.refused
    with pytest.raises(RefusedError):
        apply(store, journal, plan)
    assert store.text == FOREIGN
