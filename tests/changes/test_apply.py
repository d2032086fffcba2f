from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.aws.model import Repository
from ecr_tui.changes import undo as undo_module
from ecr_tui.changes.apply import Overwritten, apply
from ecr_tui.changes.entries import FAILED, UNKNOWN, WRITTEN
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.plans import Plan, plan_grant_from, plan_revoke_from
from ecr_tui.changes.undo import plan_undo_from, settle, undo
from ecr_tui.errors import (
    Cancelled,
    ConflictError,
    CredentialsError,
    DeniedError,
    EcrTuiError,
    EnvironmentFailure,
    InputError,
)
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant, equivalent
from ecr_tui.policy.document import LIMIT, PolicyDocument
from tests.support.planning import plan_document, plan_grant, plan_revoke

A, B = "111111111111", "222222222222"
USER = f"arn:aws:iam::{B}:user/devusr2"
OTHER = f"arn:aws:iam::{B}:user/other"
LAMBDA = {
    "Sid": "LambdaECRImageRetrievalPolicy",
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    "Condition": {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:eu-central-1:{A}:function:*"}},
}
FOREIGN = json.dumps({"Version": "2008-10-17", "Id": "theirs", "Statement": [LAMBDA]}, indent=4)
GRANT = Grant((USER,), Access.PUSH_PULL, (("Team", "Payments"),))


def repo(name: str = "my-first-repo", **tags: str) -> Repository:
    arn = f"arn:aws:ecr:eu-central-1:{A}:repository/{name}"
    return Repository(name, arn, f"{A}.dkr.ecr.eu-central-1.amazonaws.com/{name}", "eu-central-1", A, tags)


REPO = repo(Team="Payments")


class Store:
    """Keeps texts as ECR does; hooks run around the calls."""

    def __init__(self, text: str | None = None) -> None:
        self.texts: dict[str, str | None] = {REPO.arn: text}
        self.log: list[str] = []
        self.before_write: Callable[[], None] = lambda: None
        self.after_write: Callable[[], None] = lambda: None
        self.before_read: Callable[[], None] = lambda: None
        self.stored: Callable[[str], str] = lambda text: text

    @property
    def text(self) -> str | None:
        return self.texts[REPO.arn]

    @text.setter
    def text(self, text: str | None) -> None:
        self.texts[REPO.arn] = text

    def read(self, repository: Repository) -> str | None:
        self.log.append("read")
        self.before_read()
        return self.texts.get(repository.arn)

    def write(self, repository: Repository, text: str) -> None:
        self.log.append("write")
        self.before_write()
        self.texts[repository.arn] = self.stored(text)
        self.after_write()

    def delete(self, repository: Repository) -> None:
        self.log.append("delete")
        self.before_write()
        self.texts[repository.arn] = None
        self.after_write()

    @property
    def writes(self) -> int:
        return sum(call != "read" for call in self.log)


def outcomes(journal: Journal) -> list[tuple[str, str]]:
    return [(entry.record.kind, entry.outcome) for entry in journal.entries()]


def statements(text: str | None) -> list[Any]:
    return list(json.loads(text or '{"Statement":[]}')["Statement"])


def after_text(plan: Plan) -> str:
    assert plan.after is not None
    return plan.after.text


# --- plans --------------------------------------------------------------------------------------------------------


def test_first_grant() -> None:
    store = Store()
    plan = plan_grant(store, REPO, GRANT)
    assert plan.changed
    assert plan.before is None
    assert plan.after is not None
    assert {d.action for d in plan.diff} == set(Access.PUSH_PULL.actions)
    assert all((d.op, d.effect, d.principal) == ("add", "Allow", USER) for d in plan.diff)
    assert plan.diff[0].condition == {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}
    assert plan.risks == ()
    assert store.writes == 0


def test_plan_keeps_foreign_statements_and_elements() -> None:
    plan = plan_grant_from(REPO, FOREIGN, GRANT)
    assert plan.after is not None
    assert plan.after.json["Id"] == "theirs"
    assert plan.after.json["Version"] == "2008-10-17"
    assert plan.after.json["Statement"][0] == LAMBDA
    assert all(d.op == "add" for d in plan.diff)


def test_plan_json_is_the_designs() -> None:
    made = plan_grant_from(REPO, FOREIGN, GRANT).to_json()
    designed = ["repository", "arn", "changed", "written", "before", "after", "diff", "findings"]
    more = ["risks", "notes", "refused", "refusals", "registry_policy", "void", "remaining", "affected", "reason"]
    assert list(made) == [*designed, *more]
    assert (made["repository"], made["arn"], made["changed"], made["written"]) == (REPO.name, REPO.arn, True, False)
    assert made["before"] == json.loads(FOREIGN)
    assert set(made["diff"][0]) == {"op", "effect", "principal", "action", "condition"}
    assert all(set(found) == {"id", "severity", "title", "where", "fix"} for found in made["findings"])
    assert json.loads(json.dumps(made)) == made
    assert plan_grant_from(REPO, None, GRANT).to_json(written=True)["before"] is None
    assert plan_grant_from(REPO, None, GRANT).to_json(written=True)["written"] is True


def test_same_grant_again_changes_nothing() -> None:
    after = plan_grant_from(REPO, FOREIGN, GRANT).after
    assert after is not None
    plan = plan_grant_from(REPO, after.pretty(), GRANT)
    assert (plan.changed, plan.diff, plan.risks) == (False, (), ())


@pytest.mark.parametrize(
    ("repository", "grant", "says"),
    [
        (repo(Team="Web"), GRANT, "no effect: requires Team=Payments, repository is Team=Web"),
        (repo(), GRANT, "has no tag Team"),
        (repo(Team="payments"), GRANT, "repository is Team=payments"),
        (REPO, replace(GRANT, until=datetime(2020, 1, 1, tzinfo=UTC)), "ended"),
    ],
)
def test_grant_that_would_not_work_is_a_risk(repository: Repository, grant: Grant, says: str) -> None:
    plan = plan_grant_from(repository, None, grant)
    assert any(says in risk for risk in plan.risks)


@pytest.mark.parametrize(
    ("principal", "arn"),
    [
        (f"arn:aws-cn:iam::{B}:user/x", REPO.arn),
        (f"arn:aws:iam::{B}:root", "arn:aws-us-gov:ecr:us-gov-west-1:111111111111:repository/my-first-repo"),
        (f"arn:aws-iso:iam::{B}:role/x", "arn:aws-cn:ecr:cn-north-1:111111111111:repository/my-first-repo"),
    ],
)
def test_a_grant_into_another_partition_is_refused_and_a_revoke_is_not(principal: str, arn: str) -> None:
    there = replace(REPO, arn=arn)
    with pytest.raises(InputError, match="partition") as caught:
        plan_grant_from(there, None, Grant((principal,), Access.PULL))
    assert "never crosses partitions" in caught.value.hint
    assert plan_revoke_from(there, None, (principal,)).changed is False


@pytest.mark.parametrize(
    ("repository", "tags"),
    [
        (repo(Team="Payments"), (("team", "Payments"),)),
        (repo(Team="Web"), (("Team", "Payments"), ("Team", "Web"))),
        (replace(REPO, tags=None), (("Team", "Nobody knows"),)),
    ],
)
def test_conditions_that_are_met_or_unknown_are_no_risk(
    repository: Repository, tags: tuple[tuple[str, str], ...]
) -> None:
    plan = plan_grant_from(repository, None, Grant((USER,), Access.PULL, tags))
    assert not any("no effect" in risk for risk in plan.risks)


def test_unmet_condition_is_told_again_for_the_next_principal() -> None:
    web = repo(Team="Web")
    first = plan_grant_from(web, None, GRANT)
    assert first.after is not None
    second = plan_grant_from(web, first.after.text, replace(GRANT, principals=(OTHER,)))
    assert any("no effect" in risk for risk in second.risks)


def test_what_widens_a_grant_is_a_risk_and_what_narrows_it_is_none() -> None:
    narrow = replace(GRANT, until=datetime(2040, 1, 1, tzinfo=UTC))
    for had, wanted, says in (
        (narrow, GRANT, "after this change it has no end"),
        (GRANT, replace(GRANT, tags=()), "after this change it requires no tag"),
        (replace(GRANT, access=Access.PULL), GRANT, "also gets push"),
        (GRANT, narrow, None),
        (replace(GRANT, tags=()), GRANT, None),
    ):
        text = after_text(plan_grant_from(REPO, FOREIGN, had))
        plan = plan_grant_from(REPO, text, wanted)
        assert plan.changed
        assert len(plan.risks) == (says is not None)
        assert (says or "") in " ".join(plan.to_json()["risks"])
        assert statements(plan.after_text)[0] == LAMBDA
        assert len(statements(plan.after_text)) == 2


def test_a_policy_file_that_widens_a_grant_is_a_risk() -> None:
    text = after_text(plan_grant_from(REPO, None, GRANT))
    statement = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "ecr:BatchGetImage"}
    plan = plan_document(Store(text), REPO, PolicyDocument.from_json({"Statement": [statement]}))
    assert any("after this change it requires no tag" in risk for risk in plan.risks)


@pytest.mark.parametrize("kind", ["grant", "revoke", "merge"])
def test_a_repository_that_another_tool_manages_is_a_risk_of_every_change(kind: str) -> None:
    managed = repo(Team="Payments", ManagedBy="terraform")
    text = after_text(plan_grant_from(managed, FOREIGN, GRANT))
    incoming = PolicyDocument.from_json({"Statement": [{**LAMBDA, "Action": "ecr:ListImages"}]})
    plans = {
        "grant": lambda at: plan_grant_from(managed, at, replace(GRANT, principals=(OTHER,))),
        "revoke": lambda at: plan_revoke_from(managed, at, (USER,)),
        "merge": lambda at: plan_document(Store(at), managed, incoming),
    }
    plan = plans[kind](text)
    assert any("managed by terraform" in risk and "overwrites this policy" in risk for risk in plan.risks)
    assert "managed by terraform" not in " ".join(plan_grant_from(managed, text, GRANT).risks), "nothing is written"


def test_an_undo_that_widens_is_a_risk(journal: Journal) -> None:
    store = Store()
    apply(store, journal, plan_grant(store, REPO, replace(GRANT, tags=())))
    apply(store, journal, plan_grant(store, REPO, GRANT))
    first, second = journal.entries()
    assert any("after this change it requires no tag" in risk for risk in plan_undo_from(second, store.text).risks)
    assert plan_undo_from(first, first.record.after_text).risks == ()


def test_several_principals_are_one_grant_one_revoke_and_one_undo(journal: Journal) -> None:
    store = Store(FOREIGN)
    both = replace(GRANT, principals=(USER, OTHER))
    plan = plan_grant(store, REPO, both)
    assert plan.principals == (USER, OTHER)
    apply(store, journal, plan)
    assert statements(store.text)[1]["Principal"] == {"AWS": [USER, OTHER]}
    assert not plan_grant(store, REPO, both).changed
    revoke = plan_revoke(store, REPO, (USER, OTHER))
    assert sum("loses 7 actions" in risk for risk in revoke.risks) == 2
    apply(store, journal, revoke)
    assert statements(store.text) == [LAMBDA]
    assert [entry.record.principal for entry in journal.entries()] == [f"{USER}, {OTHER}"] * 2
    undo(store, journal)
    assert statements(store.text)[1]["Principal"] == {"AWS": [USER, OTHER]}


def test_what_others_did_wrong_is_a_finding_and_no_risk() -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [{**LAMBDA, "Principal": "*", "Condition": {}}]})
    plan = plan_grant_from(REPO, text, GRANT)
    assert any(found.severity == "error" for found in plan.findings)
    assert plan.risks == ()


def test_deny_that_beats_the_grant_is_a_risk() -> None:
    deny = {"Sid": "NoB", "Effect": "Deny", "Principal": {"AWS": USER}, "Action": "ecr:*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    assert any("Deny" in risk for risk in plan_grant_from(REPO, text, GRANT).risks)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ({"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}, "everyone on AWS"),
        (
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "ecr:BatchGetImage",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}},
            },
            "organization o-1234567890",
        ),
        (
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "ecr:BatchGetImage",
                "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
            },
            "everyone who meets the condition",
        ),
        ({"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "ecr:SetRepositoryPolicy"}, "External principals"),
    ],
)
def test_pasted_statement_that_opens_too_much_is_a_risk(statement: dict[str, Any], says: str) -> None:
    incoming = PolicyDocument.from_json({"Version": "2012-10-17", "Statement": [statement]})
    plan = plan_document(Store(FOREIGN), REPO, incoming)
    assert any(says in risk for risk in plan.risks)
    assert plan.after is not None
    assert plan.after.json["Statement"][0] == LAMBDA


def test_pasted_document_loses_the_token_action() -> None:
    statement = {
        "Sid": "AllowCrossAccountPushAndPull",
        "Effect": "Allow",
        "Principal": {"AWS": [USER]},
        "Action": ["ecr:GetAuthorizationToken", "ecr:BatchGetImage"],
        "Condition": {"StringLike": {"aws:ResourceTag/Team": "Payments"}},
    }
    incoming = PolicyDocument.from_json({"Version": "2012-10-17", "Statement": [statement]})
    plan = plan_document(Store(), REPO, incoming)
    assert plan.moved == ("ecr:GetAuthorizationToken",)
    assert plan.after is not None
    assert plan.after.json["Statement"][0]["Action"] == ["ecr:BatchGetImage"]
    assert plan.principal == USER


def test_revoke_asks_and_names_what_it_leaves() -> None:
    granted = plan_grant_from(REPO, FOREIGN, GRANT).after
    assert granted is not None
    plan = plan_revoke(Store(granted.text), REPO, (USER,))
    assert plan.changed
    assert any("loses 7 actions" in risk for risk in plan.risks)
    theirs = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": USER}, "Action": "ecr:BatchGetImage"}
    document = granted.json
    document["Statement"].append(theirs)
    plan = plan_revoke(Store(json.dumps(document)), REPO, (USER,))
    assert any("Access remains through Theirs" in risk for risk in plan.risks)
    assert any("Theirs" in note and "was kept" in note for note in plan.notes)


def test_revoking_the_last_statement_deletes_the_policy() -> None:
    granted = plan_grant_from(REPO, None, GRANT).after
    assert granted is not None
    plan = plan_revoke(Store(granted.text), REPO, (USER,))
    assert plan.after is None
    assert any("deleted" in risk for risk in plan.risks)
    assert plan.to_json()["after"] is None


@pytest.mark.parametrize("text", ["", "not json", '{"Statement": [1]}', '{"a":1,"a":2}'])
def test_policy_that_cannot_be_understood_is_not_touched(text: str, journal: Journal) -> None:
    store = Store(text)
    calls: list[Callable[[], object]] = [
        lambda: plan_grant(store, REPO, GRANT),
        lambda: plan_revoke(store, REPO, (USER,)),
        lambda: plan_document(store, REPO, PolicyDocument.empty()),
        lambda: apply(store, journal, plan_grant_from(REPO, None, GRANT)),
    ]
    for call in calls:
        with pytest.raises(InputError, match="cannot parse the policy of my-first-repo") as caught:
            call()
        assert caught.value.side == "account A"
    assert store.text == text
    assert store.writes == 0


def test_place_of_the_fault_is_told() -> None:
    with pytest.raises(InputError, match=r"line 2, column 3"):
        plan_grant_from(REPO, '{"Version":\n  x}', GRANT)


def test_result_beyond_the_limit_is_refused() -> None:
    big = {**LAMBDA, "Sid": "x" * (LIMIT - 400)}
    text = json.dumps({"Version": "2012-10-17", "Statement": [big]}, separators=(",", ":"))
    assert len(text) < LIMIT
    with pytest.raises(InputError, match=r"10,240"):
        plan_grant_from(REPO, text, GRANT)


# --- apply --------------------------------------------------------------------------------------------------------


def test_apply_writes_minified_reads_back_and_notes_it(journal: Journal) -> None:
    store = Store(FOREIGN)
    plan = plan_grant(store, REPO, GRANT)
    store.log.clear()
    outcome = apply(store, journal, plan, operator="arn:aws:iam::111111111111:user/ops")
    assert store.log == ["read", "write", "read"]
    assert outcome.written
    assert plan.after is not None
    assert store.text == plan.after.minified()
    (entry,) = journal.entries()
    assert (entry.id, entry.outcome) == (outcome.entry_id, WRITTEN)
    record = entry.record
    assert (record.kind, record.repository, record.arn, record.account) == ("grant", REPO.name, REPO.arn, A)
    assert (record.principal, record.operator) == (USER, "arn:aws:iam::111111111111:user/ops")
    assert record.before_text == FOREIGN
    assert record.after_text == store.text


def test_entry_is_on_disk_before_the_write(journal: Journal) -> None:
    store = Store()
    seen: list[list[tuple[str, str]]] = []
    store.before_write = lambda: seen.append(outcomes(journal))
    apply(store, journal, plan_grant(store, REPO, GRANT))
    assert seen == [[("grant", UNKNOWN)]]


def test_nothing_to_change_is_not_written(journal: Journal) -> None:
    store = Store()
    apply(store, journal, plan_grant(store, REPO, GRANT))
    again = apply(store, journal, plan_grant(store, REPO, GRANT))
    assert (again.written, again.entry_id, store.writes) == (False, None, 1)
    assert len(journal.entries()) == 1


@pytest.mark.parametrize("changing", [True, False])
def test_read_only_gates_every_write(changing: bool, journal: Journal) -> None:
    store = Store()
    if not changing:
        apply(store, journal, plan_grant(store, REPO, GRANT))
    before, log = store.text, store.writes
    with pytest.raises(InputError, match="read-only"):
        apply(store, journal, plan_grant(store, REPO, GRANT), read_only="why")
    with pytest.raises(InputError, match="read-only"):
        apply(store, journal, plan_revoke(store, REPO, (USER,)), read_only="why")
    with pytest.raises(InputError, match="read-only"):
        undo(store, journal, read_only="why")
    assert (store.text, store.writes) == (before, log)


def test_changed_meanwhile_is_a_conflict_and_writes_nothing(journal: Journal) -> None:
    store = Store(FOREIGN)
    plan = plan_grant(store, REPO, GRANT)
    theirs = json.dumps({"Version": "2012-10-17", "Statement": [LAMBDA, {**LAMBDA, "Sid": "x", "Action": "ecr:*"}]})
    store.text = theirs
    with pytest.raises(ConflictError) as caught:
        apply(store, journal, plan)
    assert caught.value.exit_code == 4
    assert "ecr:*" in caught.value.detail
    assert (store.text, store.writes) == (theirs, 0)
    assert journal.entries() == ()


@pytest.mark.parametrize("live", [None, json.dumps({"Version": "2012-10-17", "Statement": []})])
def test_policy_that_vanished_is_a_conflict(live: str | None, journal: Journal) -> None:
    store = Store(FOREIGN)
    plan = plan_grant(store, REPO, GRANT)
    store.text = live
    with pytest.raises(ConflictError):
        apply(store, journal, plan)


def test_policy_that_appeared_is_a_conflict(journal: Journal) -> None:
    store = Store()
    plan = plan_grant(store, REPO, GRANT)
    store.text = FOREIGN
    with pytest.raises(ConflictError):
        apply(store, journal, plan)
    assert store.text == FOREIGN


def test_same_meaning_in_another_spelling_is_no_conflict_and_keeps_that_spelling(journal: Journal) -> None:
    statement = {**LAMBDA, "Principal": {"AWS": [f"arn:aws:iam::{B}:root", OTHER]}}
    store = Store(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    plan = plan_grant(store, REPO, GRANT)
    # As ECR may hand it out a moment later; and somebody gave the statement another name, which means nothing.
    respelt = {**statement, "Sid": "Renamed", "Principal": {"AWS": [OTHER, B]}}
    live = json.dumps({"Version": "2012-10-17", "Statement": [respelt]}, indent=2)
    store.text = live
    outcome = apply(store, journal, plan)
    assert outcome.written
    assert statements(store.text)[0] == respelt
    assert len(statements(store.text)) == 2
    assert journal.entries()[0].record.before_text == live


def test_ecrs_own_spelling_reads_back_as_equal(journal: Journal) -> None:
    store = Store()
    store.stored = lambda text: json.dumps(json.loads(text.replace(f'"{B}"', f'"arn:aws:iam::{B}:root"')), indent=2)
    plan = plan_grant(store, REPO, Grant((f"arn:aws:iam::{B}:root",), Access.PULL))
    assert apply(store, journal, plan).written


def test_other_text_read_back_is_an_error(journal: Journal) -> None:
    store = Store()
    store.after_write = lambda: setattr(store, "text", FOREIGN)
    with pytest.raises(Overwritten, match="overwrote this grant") as caught:
        apply(store, journal, plan_grant(store, REPO, GRANT))
    assert caught.value.exit_code == 4
    assert caught.value.restore is not None
    assert equivalent(caught.value.restore.before, PolicyDocument.parse(FOREIGN))
    assert "ecr:PutImage" in caught.value.detail
    (entry,) = journal.entries()
    assert entry.outcome == UNKNOWN
    assert "differs" in entry.detail


def test_policy_that_takes_a_moment_to_show_is_waited_for(journal: Journal) -> None:
    store = Store()
    plan = plan_grant(store, REPO, GRANT)
    written: list[str | None] = []

    def lag() -> None:
        written.append(store.text)
        store.text = None
        reads = iter([None, written[0]])
        store.before_read = lambda: setattr(store, "text", next(reads))

    store.after_write = lag
    assert apply(store, journal, plan).written
    assert outcomes(journal) == [("grant", WRITTEN)]


@pytest.mark.parametrize(
    "error",
    [
        DeniedError("ecr:SetRepositoryPolicy was denied", detail="User: x is not authorized"),
        InputError("ECR rejected the policy document"),
        CredentialsError("the credentials have expired"),
        Cancelled(),
    ],
)
def test_refused_write_is_noted_as_failed(error: EcrTuiError, journal: Journal) -> None:
    store = Store(FOREIGN)

    def refuse() -> None:
        raise error

    store.before_write = refuse
    with pytest.raises(type(error)) as caught:
        apply(store, journal, plan_grant(store, REPO, GRANT))
    assert caught.value is error
    assert outcomes(journal) == [("grant", FAILED)]
    assert list(journal.read().undoable()) == []
    assert store.text == FOREIGN


def lost_answer() -> None:
    raise EnvironmentFailure("api.ecr did not answer in time")


def test_lost_answer_of_a_write_that_arrived_is_a_success(journal: Journal) -> None:
    store = Store(FOREIGN)
    store.after_write = lost_answer
    outcome = apply(store, journal, plan_grant(store, REPO, GRANT))
    assert outcome.written
    assert "lost" in outcome.notes[0]
    assert outcomes(journal) == [("grant", WRITTEN)]


def test_lost_answer_that_cannot_be_told_is_unknown(journal: Journal) -> None:
    store = Store(FOREIGN)
    store.before_write = lost_answer
    with pytest.raises(EnvironmentFailure, match="did not answer") as caught:
        apply(store, journal, plan_grant(store, REPO, GRANT))
    assert "unknown" in caught.value.hint
    assert outcomes(journal) == [("grant", UNKNOWN)]


def test_write_that_cannot_be_read_back_is_written_and_said(journal: Journal) -> None:
    store = Store(FOREIGN)
    plan = plan_grant(store, REPO, GRANT)
    store.after_write = lambda: setattr(store, "before_read", lost_answer)
    outcome = apply(store, journal, plan)
    assert outcome.written
    assert "reading it back failed" in outcome.notes[0]
    assert outcomes(journal) == [("grant", WRITTEN)]


def test_without_a_journal_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(FOREIGN)
    with pytest.raises(EnvironmentFailure, match="journal"):
        apply(store, Journal(tmp_path / "file" / "journal.jsonl"), plan_grant(store, REPO, GRANT))
    assert (store.text, store.writes) == (FOREIGN, 0)


def test_journal_that_fails_after_the_write_does_not_hide_it(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()

    def full(*_: object) -> None:
        raise EnvironmentFailure("the disk is full")

    store.before_write = lambda: monkeypatch.setattr(journal, "finish", full)
    outcome = apply(store, journal, plan_grant(store, REPO, GRANT))
    assert outcome.written
    assert "disk is full" in outcome.notes[0]


def test_two_instances_never_overwrite_each_other(journal: Journal) -> None:
    """Both have seen the same policy; the second one must notice the first one's write."""
    store = Store()
    users = [f"arn:aws:iam::{B}:user/u{n}" for n in range(6)]
    plans = [plan_grant(store, REPO, Grant((user,), Access.PULL)) for user in users]
    start = threading.Barrier(len(plans))
    results: list[str] = []

    def work(plan: Plan, own: Journal) -> None:
        start.wait()
        while True:
            try:
                apply(store, own, plan)
            except ConflictError:
                assert plan.grant is not None
                plan = plan_grant(store, REPO, plan.grant)
                results.append("again")
            else:
                return

    threads = [threading.Thread(target=work, args=(plan, Journal(journal.path))) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {s["Principal"]["AWS"] for s in statements(store.text)}
    assert found == set(users)
    assert len(results) >= len(users) - 1


# --- undo ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [None, FOREIGN])
def test_undo_restores_the_exact_text(before: str | None, journal: Journal) -> None:
    store = Store(before)
    granted = apply(store, journal, plan_grant(store, REPO, GRANT))
    outcome = undo(store, journal, account=A, operator="me")
    assert store.text == before
    assert outcome.written
    assert outcome.plan.kind == "undo"
    assert outcome.plan.repository.arn == REPO.arn
    assert {d.op for d in outcome.plan.diff} == {"remove"}
    assert store.log[-2:] == ["delete" if before is None else "write", "read"]
    entry = journal.entries()[-1]
    assert (entry.record.undoes, entry.record.operator, entry.outcome) == (granted.entry_id, "me", WRITTEN)
    with pytest.raises(InputError, match="nothing to undo"):
        undo(store, journal, account=A)


def test_undo_goes_back_write_by_write(journal: Journal) -> None:
    store = Store(FOREIGN)
    texts = [store.text]
    for principal in (USER, OTHER):
        apply(store, journal, plan_grant(store, REPO, replace(GRANT, principals=(principal,))))
        texts.append(store.text)
    apply(store, journal, plan_revoke(store, REPO, (USER,)))
    for expected in reversed(texts):
        undo(store, journal)
        assert store.text == expected


def test_undo_refuses_when_someone_else_has_written(journal: Journal) -> None:
    store = Store(FOREIGN)
    apply(store, journal, plan_grant(store, REPO, GRANT))
    theirs = json.loads(store.text or "")
    theirs["Statement"].append({**LAMBDA, "Sid": "New", "Action": "ecr:ListImages"})
    store.text = json.dumps(theirs)
    writes = store.writes
    with pytest.raises(ConflictError) as caught:
        undo(store, journal)
    assert caught.value.exit_code == 4
    assert (json.loads(store.text), store.writes) == (theirs, writes)
    store.text = None
    with pytest.raises(ConflictError):
        undo(store, journal)
    assert store.text is None


def test_undo_survives_ecrs_spelling(journal: Journal) -> None:
    store = Store(FOREIGN)
    store.stored = lambda text: json.dumps(json.loads(text), indent=2, sort_keys=True)
    apply(store, journal, plan_grant(store, REPO, GRANT))
    store.stored = lambda text: text
    undo(store, journal)
    assert store.text == FOREIGN


def test_undo_fits_where_ecrs_spelling_was_longer_than_its_limit(journal: Journal) -> None:
    """ECR hands policies out reformatted: one close to the limit comes back longer than what can be sent."""
    crowd = [{**LAMBDA, "Sid": f"S{number}"} for number in range(36)]
    document = {"Version": "2012-10-17", "Statement": crowd}
    text = json.dumps(document, indent=8)
    assert len(json.dumps(document, separators=(",", ":"))) < LIMIT - 1000 < LIMIT < len(text)
    store = Store(text)
    apply(store, journal, plan_grant(store, REPO, GRANT))
    undo(store, journal)
    assert json.loads(store.text or "") == document
    assert len(store.text or "") <= LIMIT


def test_undo_of_another_account_is_left_alone(journal: Journal) -> None:
    store = Store()
    apply(store, journal, plan_grant(store, REPO, GRANT))
    with pytest.raises(InputError, match="nothing to undo"):
        undo(store, journal, account="999999999999")
    assert store.text is not None


def test_refused_undo_can_be_repeated(journal: Journal) -> None:
    store = Store(FOREIGN)
    apply(store, journal, plan_grant(store, REPO, GRANT))

    def refuse() -> None:
        raise DeniedError("no")

    store.before_write = refuse
    with pytest.raises(DeniedError):
        undo(store, journal)
    store.before_write = lambda: None
    undo(store, journal)
    assert store.text == FOREIGN
    assert outcomes(journal) == [("grant", WRITTEN), ("undo", FAILED), ("undo", WRITTEN)]


@pytest.mark.parametrize("arrived", [True, False])
def test_undo_finds_out_about_a_write_whose_fate_is_unknown(arrived: bool, journal: Journal) -> None:
    store = Store(FOREIGN)
    apply(store, journal, plan_grant(store, REPO, replace(GRANT, principals=(OTHER,))))
    first = store.text
    if arrived:
        store.after_write = lambda: setattr(store, "before_read", lost_answer) or lost_answer()
    else:
        store.before_write = lost_answer
    plan = plan_grant(store, REPO, GRANT)
    with pytest.raises(EnvironmentFailure):
        apply(store, journal, plan)
    assert outcomes(journal)[-1] == ("grant", UNKNOWN)
    store.before_write = store.after_write = store.before_read = lambda: None
    undo(store, journal)
    assert store.text == (first if arrived else FOREIGN)
    assert journal.entries()[1].outcome == (WRITTEN if arrived else FAILED)


def test_what_cannot_be_told_stays_unknown(journal: Journal) -> None:
    store = Store(FOREIGN)
    store.before_write = lost_answer
    with pytest.raises(EnvironmentFailure):
        apply(store, journal, plan_grant(store, REPO, GRANT))
    store.text = json.dumps({"Version": "2012-10-17", "Statement": [{**LAMBDA, "Action": "ecr:*"}]})
    settle(store, journal)
    assert outcomes(journal) == [("grant", UNKNOWN)]
    store.before_read = lost_answer
    settle(store, journal)
    assert outcomes(journal) == [("grant", UNKNOWN)]


# --- a kill -------------------------------------------------------------------------------------------------------


VICTIM = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from ecr_tui.changes.apply import apply
from tests.support.planning import plan_grant
from ecr_tui.changes.journal import Journal
from tests.changes.test_apply import GRANT, REPO

class FileStore:
    path = Path(sys.argv[1])
    def read(self, repository):
        return self.path.read_text() if self.path.exists() else None
    def write(self, repository, text):
        if sys.argv[3] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        self.path.write_text(text)
        os.kill(os.getpid(), signal.SIGKILL)

store = FileStore()
apply(store, Journal(Path(sys.argv[2])), plan_grant(store, REPO, GRANT))
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_kill_around_the_write_leaves_a_true_record(
    moment: str, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(FOREIGN)
    process = subprocess.run(
        [sys.executable, "-c", VICTIM, str(policy), str(journal.path), moment],
        cwd=Path(__file__).parents[2],
        env={**os.environ},
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    assert outcomes(journal) == [("grant", UNKNOWN)]
    store = Store(policy.read_text())
    if moment == "before":
        with pytest.raises(InputError, match="nothing to undo"):
            undo(store, journal)
        # The request may be on its way yet.
        assert outcomes(journal) == [("grant", UNKNOWN)]
        monkeypatch.setattr(undo_module, "LATE", timedelta(0))
        settle(store, journal)
        assert outcomes(journal) == [("grant", FAILED)]
    else:
        undo(store, journal)
        assert outcomes(journal) == [("grant", WRITTEN), ("undo", WRITTEN)]
    assert store.text == FOREIGN
    assert equivalent(PolicyDocument.parse(store.text or ""), PolicyDocument.parse(FOREIGN))
