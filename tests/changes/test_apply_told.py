"""What a write that did not go as planned tells, word by word, and the plan that restores what was lost by it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ecr_tui.changes.apply import Outcome, Overwritten, apply, check_account, look_again
from ecr_tui.changes.entries import FAILED, UNKNOWN, WRITTEN
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import plan_grant_from
from ecr_tui.errors import ConflictError, EcrTuiError, EnvironmentFailure, InputError, Throttled, UnknownPrincipal
from ecr_tui.policy.change import differences, text_diff
from ecr_tui.policy.document import PolicyDocument
from tests.changes.test_apply import (
    FOREIGN,
    GRANT,
    LAMBDA,
    OTHER,
    REPO,
    USER,
    Store,
    lost_answer,
    outcomes,
)
from tests.support.planning import plan_grant

CI = {"Sid": "Ci", "Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "ecr:ListImages"}


def text_of(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def raised(kind: type[EcrTuiError], store: Store, journal: Journal, plan: Any = None) -> Any:
    with pytest.raises(kind) as caught:
        apply(store, journal, plan or plan_grant(store, REPO, GRANT))
    return caught.value


def test_a_conflict_tells_what_changed_and_what_to_do(journal: Journal) -> None:
    store = Store(FOREIGN)
    plan = plan_grant(store, REPO, GRANT)
    store.text = text_of(LAMBDA, CI, {**CI, "Sid": "Get", "Principal": {"AWS": USER}})
    assert raised(ConflictError, store, journal, plan).text().splitlines() == [
        "account A: the policy of my-first-repo changed after this preview; nothing was written",
        f"  + Allow {OTHER}: ecr:ListImages",
        f"  + Allow {USER}: ecr:ListImages",
        "Fix: Preview it again.",
    ]


def overwritten(journal: Journal) -> tuple[Store, Overwritten]:
    """A grant on a policy of LAMBDA that somebody else replaced by one of CI as soon as it was written."""
    store = Store(FOREIGN)
    store.after_write = lambda: setattr(store, "text", text_of(CI))
    return store, raised(Overwritten, store, journal)


def test_a_grant_that_was_overwritten_tells_what_is_there_now(journal: Journal) -> None:
    _, error = overwritten(journal)
    lines = error.text().splitlines()
    assert lines[0] == "account A: a concurrent write to the policy of my-first-repo overwrote this grant"
    assert f"  + Allow {OTHER}: ecr:ListImages" in lines
    assert any(line.startswith(f"  - Allow {USER}") for line in lines)
    assert lines[-1] == "Fix: Check the policy, then repeat the grant."


def test_what_restores_a_grant_is_made_for_the_policy_that_is_there(journal: Journal) -> None:
    store, error = overwritten(journal)
    restore = error.restore
    assert restore is not None
    assert restore.before_text == store.text
    wanted = plan_grant_from(REPO, store.text, GRANT)
    assert restore.after == wanted.after
    assert restore.diff == differences(restore.before, restore.after) != ()
    assert restore.text_diff == text_diff(restore.before, restore.after)
    store.after_write = lambda: None
    apply(store, journal, restore)
    assert json.loads(store.text or "")["Statement"][0] == CI
    assert not plan_grant(store, REPO, GRANT).changed


def test_what_restores_a_grant_shows_only_what_is_lacking(journal: Journal) -> None:
    store = Store(FOREIGN)
    store.after_write = lambda: setattr(store, "text", (store.text or "").replace(',"ecr:PutImage"', ""))
    restore = raised(Overwritten, store, journal).restore
    assert [(one.op, one.action) for one in restore.diff] == [("add", "ecr:PutImage")]


def test_a_change_that_another_writer_kept_is_no_loss(journal: Journal) -> None:
    store = Store(FOREIGN)

    def add() -> None:
        document = json.loads(store.text or "")
        document["Statement"] = [*document["Statement"][1:], CI]  # theirs, without what was there before
        store.text = json.dumps(document)

    store.after_write = add
    outcome = apply(store, journal, plan_grant(store, REPO, GRANT))
    assert outcome.notes == ("another writer changed the policy right after this write, and kept its statements",)
    assert outcomes(journal) == [("grant", WRITTEN)]


def test_a_statement_that_a_look_showed_and_this_write_replaced_can_be_restored(journal: Journal) -> None:
    """ECR shows for a moment what somebody else wrote between the comparison and the write."""
    store = Store(FOREIGN)

    def show() -> None:
        written, seen = store.text, text_of(LAMBDA, CI)
        looks = iter([seen, seen, written])
        store.before_read = lambda: setattr(store, "text", next(looks, written))

    store.after_write = show
    error = raised(Overwritten, store, journal)
    lines = error.text().splitlines()
    assert lines[0] == "account A: this grant overwrote a concurrent write to the policy of my-first-repo"
    assert lines[1] == "  These statements were lost:"
    lost = PolicyDocument.parse(error.detail.partition("\n")[2])
    assert lost.json == {"Version": "2012-10-17", "Statement": [CI]}
    assert lines[-1] == "Fix: Save them to a file and restore them with: ecr-tui grant my-first-repo --from FILE"
    (entry,) = journal.entries()
    assert (entry.outcome, entry.detail) == (WRITTEN, error.title)
    apply(store, journal, error.restore)
    assert [one["Sid"] for one in json.loads(store.text or "")["Statement"]][::2] == [LAMBDA["Sid"], "Ci"]


def test_what_is_lost_and_there_again_needs_no_restoring(journal: Journal) -> None:
    store = Store(text_of(LAMBDA, CI))

    def show() -> None:
        written = store.text
        looks = iter([text_of({**CI, "Sid": "Again"}), written])
        store.before_read = lambda: setattr(store, "text", next(looks, written))

    store.after_write = show
    assert raised(Overwritten, store, journal).restore is None


def test_a_principal_that_ecr_does_not_know_is_the_grants(journal: Journal) -> None:
    store = Store(FOREIGN)
    refusal = UnknownPrincipal("Invalid parameter", detail="Principal not found", hint="Check it.", side="account A")

    def refuse() -> None:
        raise refusal

    store.before_write = refuse
    assert raised(InputError, store, journal).text().splitlines() == [
        f"account A: ECR does not know a principal in the policy, most likely {USER}",
        "  Principal not found",
        "Fix: Check it.",
    ]


@pytest.mark.parametrize("arrived", [True, False, None])
def test_the_last_lost_answer_is_looked_for_once_more(journal: Journal, arrived: bool | None) -> None:
    """``arrived`` None: it cannot be looked for."""
    store = Store(FOREIGN)

    def lose() -> None:
        if arrived is False:
            store.text = FOREIGN
        if store.writes == 3:
            store.before_read = lost_answer if arrived is None else store.before_read
            lost_answer()
        store.text = FOREIGN  # the first two attempts have not arrived
        lost_answer()

    store.after_write = lose
    if arrived:
        outcome = apply(store, journal, plan_grant(store, REPO, GRANT))
        assert outcome.notes == ("the response was lost, but the policy was written",)
        assert outcomes(journal) == [("grant", WRITTEN)]
    else:
        raised(EnvironmentFailure, store, journal)
        assert outcomes(journal) == [("grant", UNKNOWN)]


def test_a_lost_answer_that_cannot_be_looked_for_tells_all_that_is_known(journal: Journal) -> None:
    store = Store(FOREIGN)

    def lose(*_: object) -> None:
        store.before_read = lose
        raise EnvironmentFailure("api.ecr did not answer in time", detail="read timeout", side="network")

    store.after_write = lose
    assert raised(EnvironmentFailure, store, journal).text().splitlines() == [
        "network: my-first-repo: api.ecr did not answer in time",
        "  read timeout",
        "Fix: Check the policy before you retry: it is unknown whether it was written, and AWS may still write it. The "
        "journal marks this write as unknown.",
    ]
    assert outcomes(journal) == [("grant", UNKNOWN)]


def test_a_write_that_is_overwritten_later_is_seen_by_the_next_look(journal: Journal) -> None:
    store = Store(FOREIGN)
    outcome = apply(store, journal, plan_grant(store, REPO, GRANT))
    assert look_again(store, journal, outcome) is None
    store.before_read = lost_answer
    assert look_again(store, journal, outcome) is None
    assert journal.entries()[0].detail == ""
    store.before_read, store.text = (lambda: None), "not json"
    assert look_again(store, journal, outcome) is None
    store.text = FOREIGN
    error = look_again(store, journal, outcome)
    assert error is not None
    assert error.restore is not None
    assert (error.restore.before_text, error.restore.before) == (FOREIGN, PolicyDocument.parse(FOREIGN))
    assert f"- Allow {USER}" in error.detail
    (entry,) = journal.entries()
    assert (entry.outcome, entry.detail) == (WRITTEN, f"overwritten concurrently: {error.detail}")


def test_a_journal_that_fails_does_not_hide_that_a_write_was_overwritten(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(FOREIGN)
    outcome = apply(store, journal, plan_grant(store, REPO, GRANT))

    def full(*_: object) -> None:
        raise EnvironmentFailure("the disk is full")

    monkeypatch.setattr(journal, "finish", full)
    store.text = FOREIGN
    assert look_again(store, journal, outcome) is not None


def test_an_entry_names_its_run_and_a_plan_is_on_what_was_found(journal: Journal) -> None:
    store = Store(FOREIGN)
    plan = plan_grant(store, REPO, GRANT)
    store.text = respelt = json.dumps(json.loads(FOREIGN))
    outcome = apply(store, journal, plan, run="r1")
    assert (outcome.plan.before_text, outcome.plan.before) == (respelt, PolicyDocument.parse(respelt))
    again = plan_grant(store, REPO, GRANT)
    assert apply(store, journal, again) == Outcome(again, written=False)
    apply(store, journal, plan_grant(store, REPO, replace(GRANT, principals=(OTHER,))))
    assert [(one.record.run, one.record.operator) for one in journal.entries()] == [("r1", ""), ("", "")]


def test_a_policy_that_was_respelt_before_the_retry_is_a_new_entry(journal: Journal) -> None:
    store = Store(FOREIGN)
    plan = plan_grant(store, REPO, GRANT)

    def refuse_once() -> None:
        store.before_write = lambda: None
        store.text = json.dumps(json.loads(FOREIGN))
        raise Throttled("rate limited")

    store.before_write = refuse_once
    assert apply(store, journal, plan).written
    assert [(one.outcome, one.detail) for one in journal.entries()] == [
        (FAILED, "the text of the policy changed before the retry"),
        (WRITTEN, ""),
    ]


def test_a_profile_of_another_account_writes_nothing() -> None:
    check_account(REPO, "111111111111")
    with pytest.raises(InputError) as caught:
        check_account(REPO, "333333333333")
    assert caught.value.text().splitlines() == [
        "account A: my-first-repo was listed in account 111111111111, and this profile belongs to 333333333333; "
        "nothing was written",
        "Fix: List the repositories again.",
    ]
