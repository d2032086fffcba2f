from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_tui.access.tag_effect import TagEffect, effect_lines, tag_effects
from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.changes import attempts
from ecr_tui.changes import tags as tags_module
from ecr_tui.changes.entries import FAILED, UNKNOWN, WRITTEN
from ecr_tui.changes.history import LIVE, TAKEN_BACK, PastWrites
from ecr_tui.changes.journal import Journal
from ecr_tui.changes.tag_plans import changed_tags, plan_back, plan_half, plan_tags
from ecr_tui.changes.tags import apply_tags
from ecr_tui.changes.undo import settle, target
from ecr_tui.errors import ConflictError, DeniedError, EnvironmentFailure, InputError
from ecr_tui.policy.document import PolicyDocument
from tests.changes.test_apply import OTHER, USER, A, repo

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PUSH = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
]
CI = "arn:aws:iam::222222222222:role/ci"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def statement(principal: str, actions: list[str], effect: str = "Allow", **condition: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": effect, "Principal": {"AWS": principal}, "Action": actions}
    return made | ({"Condition": condition} if condition else {})


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def team(value: str) -> dict[str, str]:
    return {"aws:ResourceTag/Team": value}


TEXT = policy(
    statement(USER, [*PULL, *PUSH], StringEquals=team("Payments")),
    statement(CI, PULL, StringEquals=team("Payments")),
    statement(OTHER, PULL, StringEquals=team("Web")),
    statement("arn:aws:iam::222222222222:user/always", PULL),
)


def told(text: str, before: dict[str, str], after: dict[str, str], registry: RegistryFacts | None = None) -> list[str]:
    where = replace(repo(), tags=before)
    effects, _ = tag_effects(where, PolicyDocument.parse(text), after, registry, now=NOW)
    return effect_lines(before, after, effects)


# --- the effect ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (
            {"Team": "Payments"},
            {},
            [
                "removing Team revokes 2 principals: user devusr2 in 222222222222 (pull, push), "
                "role ci in 222222222222 (pull)"
            ],
        ),
        ({}, {"Team": "Web"}, ["adding Team=Web GRANTS access to 1 principal: user other in 222222222222 (pull)"]),
        ({"Team": "Payments"}, {"Team": "Payments", "Env": "x"}, ["adding Env=x changes no access"]),
        # IAM takes tag keys without regard to case.
        (
            {"team": "Payments"},
            {"Team": "Payments"},
            ["removing team and adding Team=Payments changes no access"],
        ),
    ],
)
def test_who_gains_and_who_loses(before: dict[str, str], after: dict[str, str], lines: list[str]) -> None:
    assert told(TEXT, before, after) == lines


def test_what_opens_access_is_said_first() -> None:
    gives, revokes = told(TEXT, {"Team": "Payments"}, {"Team": "Web"})
    assert gives.startswith("changing Team to Web GRANTS access to 1 principal: user other")
    assert revokes.startswith("changing Team to Web revokes 2 principals: user devusr2")


def test_a_deny_that_ends_gives_access_and_parts_and_conditions_are_told() -> None:
    locked = policy(
        statement(USER, PULL), statement(USER, ["ecr:*"], "Deny", StringEquals={"aws:ResourceTag/Locked": "yes"})
    )
    assert told(locked, {"Locked": "yes"}, {}) == [
        "removing Locked GRANTS access to 1 principal: user devusr2 in 222222222222 (pull)"
    ]
    some = policy(statement(USER, ["ecr:PutImage"], StringEquals=team("Web")))
    assert "(ecr:PutImage)" in told(some, {}, {"Team": "Web"})[0]
    only_describe = policy(statement(USER, ["ecr:DescribeImages"], StringEquals=team("Web")))
    assert "(ecr:DescribeImages)" in told(only_describe, {}, {"Team": "Web"})[0]
    address = policy(statement(USER, PULL, StringEquals=team("Web"), IpAddress={"aws:SourceIp": "10.0.0.0/8"}))
    assert "(pull on a condition)" in told(address, {}, {"Team": "Web"})[0]


def effects_of(text: str, before: dict[str, str], after: dict[str, str]) -> dict[str, TagEffect]:
    found, _ = tag_effects(replace(repo(), tags=before), PolicyDocument.parse(text), after, now=NOW)
    return {effect.principal: effect for effect in found}


def test_a_variable_decides_together_with_the_tag() -> None:
    same = policy(statement("222222222222", PULL, StringEquals=team("${aws:PrincipalTag/Team}")))
    assert told(same, {"Team": "Payments"}, {"Team": "Web"}) == [
        "changing Team to Web may change the access of 1 principal: account 222222222222 (pull); "
        "depends on aws:PrincipalTag/Team"
    ]
    assert told(same, {"Team": "Web"}, {"Team": "Web", "Env": "x"}) == ["adding Env=x changes no access"]
    assert effects_of(same, {}, {"Team": "Web"})["222222222222"].gains == ("pull on a condition",)
    turned = policy(statement(USER, PULL, StringEquals={"aws:PrincipalTag/Team": "${aws:ResourceTag/Team}"}))
    assert effects_of(turned, {"Team": "a"}, {"Team": "b"})[USER].may_change == ("pull",)
    deny = policy(
        statement(USER, PULL),
        statement("*", ["ecr:*"], "Deny", StringNotEquals=team("${aws:PrincipalTag/Team}")),
    )
    assert effects_of(deny, {"Team": "a"}, {"Team": "b"})[USER].may_change == ("pull",)


def test_a_deny_on_the_tag_tells_whom_it_names() -> None:
    frozen = policy(statement("222222222222", PULL), statement(USER, PULL, "Deny", StringEquals=team("Frozen")))
    found = effects_of(frozen, {"Team": "Web"}, {"Team": "Frozen"})
    assert {name: (one.gains, one.loses, one.may_change) for name, one in found.items()} == {USER: ((), ("pull",), ())}
    path = policy(
        statement("222222222222", PULL),
        statement(
            "*", PULL, "Deny", StringEquals=team("Frozen"), ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/*"}
        ),
    )
    found = effects_of(path, {}, {"Team": "Frozen"})
    assert (found["222222222222"].may_change, found["222222222222"].loses) == (("pull",), ())
    assert found["222222222222"].depends_on == ("aws:PrincipalArn",)


def test_a_deny_on_the_tag_takes_from_account_as_own_principals_what_their_policies_give() -> None:
    deny = policy(statement("*", ["ecr:*"], "Deny", StringNotEquals=team("Web")))
    (own,) = effects_of(deny, {"Team": "Web"}, {}).values()
    assert (own.principal, own.may_change) == (A, ("read", "pull", "push", "delete", "administer"))
    assert own.depends_on == ("its own policies",)
    assert effects_of(deny, {"Team": "a"}, {"Team": "b"}) == {}


def test_open_statements_that_change_places_may_change_access() -> None:
    offices = policy(
        statement(USER, PULL, StringEquals=team("a"), IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
        statement(USER, PULL, StringEquals=team("b"), IpAddress={"aws:SourceIp": "192.168.0.0/16"}),
    )
    assert effects_of(offices, {"Team": "a"}, {"Team": "b"})[USER].may_change == ("pull",)
    assert effects_of(offices, {"Team": "a"}, {"Team": "a", "Env": "x"}) == {}


def test_the_registry_policy_counts_where_it_is_known() -> None:
    deny = policy({**statement(USER, ["ecr:*"], "Deny"), "Resource": "*"})
    facts = RegistryFacts("eu-central-1", policy_text=deny, scope="V2")
    assert told(TEXT, {"Team": "Payments"}, {}, facts) == [
        "removing Team revokes 1 principal: role ci in 222222222222 (pull)"
    ]
    unreadable = RegistryFacts("eu-central-1", policy_unreadable="AccessDenied", scope="V2")
    _, doubt = tag_effects(repo(Team="Payments"), PolicyDocument.parse(TEXT), {}, unreadable, now=NOW)
    assert "not readable" in doubt


# --- what can be --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "unset", "says"),
    [
        ({"aws:x": "1"}, (), "reserved by AWS"),
        ({}, ("AWS:x",), "reserved by AWS"),
        ({"": "1"}, (), "1 to 128"),
        ({"k" * 129: "1"}, (), "1 to 128"),
        ({"k": "v" * 257}, (), "up to 256"),
        ({"k": "a;b"}, (), "';'"),
        ({"k": "1"}, ("k",), "both"),
        ({f"k{n}": "" for n in range(51)}, (), "up to 50"),
    ],
)
def test_what_ecr_would_refuse_is_refused_before(tags: dict[str, str], unset: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError) as caught:
        changed_tags({}, tags, unset)
    assert says in caught.value.text()


def test_all_tags_afterwards() -> None:
    assert changed_tags({"a": "1", "b": "2"}, {"b": "", "c": "ü x@y"}, ["a", "z"]) == {"b": "", "c": "ü x@y"}


# --- writing ------------------------------------------------------------------------------------------------------


class Store:
    def __init__(self, text: str | None = TEXT, **live: str) -> None:
        self.live = dict(live)
        self.text = text
        self.log: list[str] = []
        self.on: Callable[[str], None] = lambda call: None

    def tags(self, repository: Repository) -> dict[str, str]:
        return dict(self.live)

    def set_tags(self, repository: Repository, tags: Mapping[str, str]) -> None:
        self.on("set")
        self.log.append("set")
        self.live |= tags

    def remove_tags(self, repository: Repository, keys: Iterable[str]) -> None:
        self.on("remove")
        self.log.append("remove")
        for key in keys:
            self.live.pop(key, None)

    def policy_text(self, repository: Repository) -> str | None:
        self.on("policy")
        return self.text


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags_module, "READ_BACK_PAUSES", (0.0,))
    monkeypatch.setattr(attempts, "PAUSES", (0.0, 0.0))


def test_written_noted_taken_back_and_made_again(journal: Journal) -> None:
    store = Store(Team="Payments", Env="prod")
    plan = plan_tags(store, repo(), {"Owner": "me"}, ["Team"])
    assert plan.asks
    outcome = apply_tags(store, journal, plan, operator="me")
    assert store.live == {"Env": "prod", "Owner": "me"}
    # What ends access comes first.
    assert store.log == ["remove", "set"]
    history = journal.read()
    (entry,) = history.entries
    assert (entry.id, entry.record.kind, entry.record.subject, entry.outcome) == (
        outcome.entry_id,
        "tag",
        "tags",
        WRITTEN,
    )
    back = plan_back(store, repo(), entry)
    assert back.kind == "undo"
    assert back.lines()[0].startswith("removing Owner and adding Team=Payments GRANTS access to 2 principals")
    apply_tags(store, journal, back)
    assert store.live == {"Team": "Payments", "Env": "prod"}
    undone = journal.entries()[1]
    again = plan_back(store, repo(), undone)
    assert again.kind == "redo"
    apply_tags(store, journal, again)
    assert store.live == {"Env": "prod", "Owner": "me"}
    past = PastWrites(journal.read())
    assert [past.state(row, json.dumps(store.live)) for row in past.rows] == [LIVE, TAKEN_BACK, TAKEN_BACK]
    told = past.rows[2].to_json()
    assert (told["before"], told["after"]) == ({"Team": "Payments", "Env": "prod"}, {"Env": "prod", "Owner": "me"})
    assert past.rows[2].text_diff == ((" ", "Env=prod"), ("+", "Owner=me"), ("-", "Team=Payments"))
    store.live["Env"] = "other"
    with pytest.raises(ConflictError, match="changed after that write"):
        plan_back(store, repo(), journal.entries()[2])


def test_tags_or_policy_that_changed_meanwhile_are_a_conflict(journal: Journal) -> None:
    store = Store(Team="Payments")
    plan = plan_tags(store, repo(), {}, ["Team"])
    store.live["Env"] = "x"
    with pytest.raises(ConflictError, match="tags of"):
        apply_tags(store, journal, plan)
    store.live.pop("Env")
    store.text = policy(statement(OTHER, PULL, StringNotEquals=team("Payments")))
    with pytest.raises(ConflictError, match="policy of"):
        apply_tags(store, journal, plan)
    with pytest.raises(InputError, match="read-only"):
        apply_tags(store, journal, plan, read_only="It is read-only.")
    assert (store.log, journal.entries()) == ([], ())


def test_a_policy_that_cannot_be_read_is_asked_about(journal: Journal) -> None:
    store = Store(Team="Payments")

    def refuse(call: str) -> None:
        if call == "policy":
            raise DeniedError("no GetRepositoryPolicy")

    store.on = refuse
    plan = plan_tags(store, repo(), {"Env": "x"})
    assert plan.asks
    assert "unknown: no GetRepositoryPolicy" in plan.lines()[-1]
    assert apply_tags(store, journal, plan).written


@pytest.mark.parametrize(("at", "outcome"), [("remove", FAILED), ("set", UNKNOWN)])
def test_a_failure_leaves_a_true_record(at: str, outcome: str, journal: Journal) -> None:
    store = Store(Team="Payments")

    def refuse(call: str) -> None:
        if call == at:
            raise DeniedError("no TagResource")

    plan = plan_tags(store, repo(), {"Env": "x"}, ["Team"])
    store.on = refuse
    with pytest.raises(DeniedError if outcome == FAILED else EnvironmentFailure):
        apply_tags(store, journal, plan)
    assert [entry.outcome for entry in journal.entries()] == [outcome]
    # Once it can be told it is.
    store.live = {"Env": "x"}
    found = settle(None, journal, tags_for=lambda _: store.live)  # type: ignore[arg-type]
    assert found.entries[0].outcome == (FAILED if outcome == FAILED else WRITTEN)
    assert [entry.outcome for entry in journal.entries()] == [found.entries[0].outcome]


def test_a_change_that_was_carried_out_in_part_is_taken_back_or_completed(journal: Journal) -> None:
    store = Store(Team="Payments", Other="x")
    earlier = apply_tags(store, journal, plan_tags(store, repo(), {"Other": "y"})).entry_id
    plan = plan_tags(store, repo(), {"Env": "x"}, ["Team"])

    def die(call: str) -> None:
        if call == "set":
            raise KeyboardInterrupt

    store.on = die
    with pytest.raises(KeyboardInterrupt):
        apply_tags(store, journal, plan)
    store.on = lambda call: None
    # Somebody else changes another tag meanwhile, which is not ours to put back.
    store.live["Other"] = "z"
    history = settle(None, journal, tags_for=lambda _: store.live)  # type: ignore[arg-type]
    entry = history.entries[-1]
    assert (history.half, entry.outcome) == ({entry.id}, UNKNOWN)
    assert next(history.undoable()) is entry
    assert target(history, entry) is target(history, entry, redo=True) is entry
    # Also once something was written upon it, and taken back.
    upon = apply_tags(store, journal, plan_tags(store, repo(), {"Upon": "u"})).entry_id
    history = settle(None, journal, tags_for=lambda _: store.live)  # type: ignore[arg-type]
    assert (history.half, next(history.undoable()).id) == (frozenset(), upon)
    apply_tags(store, journal, plan_back(store, repo(), history.entries[-1]))
    history = settle(None, journal, tags_for=lambda _: store.live)  # type: ignore[arg-type]
    assert next(history.undoable()).id == entry.id
    assert plan_half(store, repo(), entry, complete=True).after == {"Other": "z", "Env": "x"}
    back = plan_half(store, repo(), entry)
    assert (back.after, back.kind, back.undoes) == ({"Other": "z", "Team": "Payments"}, "undo", entry.id)
    apply_tags(store, journal, back)
    assert store.live == {"Other": "z", "Team": "Payments"}
    history = settle(None, journal, tags_for=lambda _: store.live)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="is already undone"):
        target(history, history.entries[1])
    # What was written before it stands again.
    assert [one.id for one in history.undoable()] == [earlier]


def test_an_undo_that_was_carried_out_in_part_is_completed_or_taken_back(journal: Journal) -> None:
    store = Store(Team="Payments")
    written = apply_tags(store, journal, plan_tags(store, repo(), {"Env": "x"}, ["Team"])).entry_id

    def die(call: str) -> None:
        if call == "set":
            raise KeyboardInterrupt

    store.on = die
    with pytest.raises(KeyboardInterrupt):
        apply_tags(store, journal, plan_back(store, repo(), journal.entries()[0]))
    store.on = lambda call: None
    assert store.live == {}
    # Something is written upon it, and taken back.
    apply_tags(store, journal, plan_tags(store, repo(), {"Upon": "u"}))
    apply_tags(store, journal, plan_back(store, repo(), journal.entries()[-1]))
    history = settle(None, journal, tags_for=lambda _: store.live)  # type: ignore[arg-type]
    first, cut, *_ = history.entries
    assert next(history.undoable()).id == written
    assert (target(history, first), target(history, first, redo=True)) == (first, cut)
    assert history.cut_undo(first) is cut
    back = plan_half(store, repo(), cut)
    assert (back.after, back.kind, back.undoes) == ({"Env": "x"}, "redo", cut.id)
    on = plan_half(store, repo(), cut, complete=True)
    assert (on.after, on.kind, on.undoes) == ({"Team": "Payments"}, "undo", written)
    apply_tags(store, journal, on)
    history = settle(None, journal, tags_for=lambda _: store.live)  # type: ignore[arg-type]
    assert list(history.undoable()) == []


def test_a_lost_answer_of_a_write_that_arrived_is_a_success(journal: Journal) -> None:
    store = Store()
    plan = plan_tags(store, repo(), {"Env": "x"})

    def lose(call: str) -> None:
        if call == "set":
            store.live["Env"] = "x"
            raise EnvironmentFailure("reset")

    store.on = lose
    outcome = apply_tags(store, journal, plan)
    assert outcome.written
    assert "response was lost" in outcome.notes[0]
    assert A in journal.entries()[0].record.arn
