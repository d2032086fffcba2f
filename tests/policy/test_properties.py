"""What holds for every policy, not only for those that somebody thought of."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ecr_tui.errors import InputError
from ecr_tui.policy.access import ESSENTIAL_PULL
from ecr_tui.policy.actions import all_actions
from ecr_tui.policy.answer import answer
from ecr_tui.policy.change import Grant, adopt, differences, equivalent, group, merge, revoke, text_diff
from ecr_tui.policy.document import PolicyDocument, PolicyError
from ecr_tui.policy.evaluate import ALLOWED, Policies, Request, decide
from ecr_tui.policy.known import context_for
from ecr_tui.policy.lint import lint
from ecr_tui.policy.ours import read_own
from ecr_tui.policy.principal import same_principal
from ecr_tui.policy.repair import repair
from ecr_tui.policy.simulate import simulate
from ecr_tui.policy.who import Capability, who_can
from tests.policy.build import BOB, FULL, REPOSITORY, A
from tests.policy.strategies import TAGS, callers, documents, grants, json_values, statements

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
FEW = settings(max_examples=50, deadline=None)


def error_of(kind: type[InputError], call: Callable[[], object]) -> InputError | None:
    try:
        call()
    except kind as error:
        return error
    return None


def responses(document: PolicyDocument | None, caller: str, tags: dict[str, str]) -> list[str]:
    policies = Policies((FULL,), document)
    context = context_for(caller, A, tags)
    return [decide(Request(action, REPOSITORY, A, caller, context), policies).response for action in all_actions()]


@FEW
@given(documents(), grants, callers, st.sampled_from(TAGS))
def test_granting_changes_no_decision_about_anybody_else(
    document: PolicyDocument, grant: Grant, caller: str, tags: dict[str, str]
) -> None:
    after = merge(document, grant).after
    before, now = responses(document, caller, tags), responses(after, caller, tags)
    for action, old, new in zip(all_actions(), before, now, strict=True):
        if old != new:
            # Unknown: a Deny may apply, whether or not that is known.
            assert {old, new} in ({"ImplicitlyDenied", ALLOWED}, {"ImplicitlyDenied", "Unknown"})
            assert new == "ImplicitlyDenied" or action in grant.access.actions
            session = caller.replace(":sts:", ":iam:").replace("assumed-role", "role").rsplit("/", 1)[0]
            account = f"arn:aws:iam::{caller.split(':')[4] if ':' in caller else ''}:root"
            names = (caller, session, account)
            assert any(same_principal(one, name) for one in grant.principals for name in names)


@FEW
@given(documents(), grants)
def test_a_grant_grants_unless_something_denies(document: PolicyDocument, grant: Grant) -> None:
    tags: dict[str, str] = dict(grant.tags)
    after = merge(document, grant).after
    for principal in grant.principals:
        found = dict(zip(all_actions(), responses(after, principal, tags), strict=True))
        # Unknown: a Deny of which AWS's text leaves open whether it holds, such as NotPrincipal with the user alone.
        assert all(found[action] in (ALLOWED, "ExplicitlyDenied", "Unknown") for action in grant.access.actions)


@FEW
@given(documents(), grants)
def test_granting_twice_is_granting_once(document: PolicyDocument, grant: Grant) -> None:
    once = merge(document, grant)
    twice = merge(once.after, grant)
    assert not twice.changed
    assert twice.after is once.after


@FEW
@given(documents(), grants)
def test_revoking_a_grant_restores_an_equal_document(document: PolicyDocument, grant: Grant) -> None:
    owns = [own for own in map(read_own, document.statements) if own]
    assume(not any(own.names(one) for own in owns for one in grant.principals))
    restored = revoke(merge(document, grant).after, grant.principals).after
    assert equivalent(restored, document)
    assert differences(restored, document) == ()
    if restored is not None:
        assert [dict(item.raw) for item in restored.statements] == [dict(item.raw) for item in document.statements]


@FEW
@given(documents(), grants)
def test_nothing_unknown_is_lost_and_nothing_foreign_is_moved(document: PolicyDocument, grant: Grant) -> None:
    after = merge(document, grant).after
    assert after is not None
    foreign = [item.raw for item in document.statements if read_own(item) is None]
    assert [item.raw for item in after.statements if read_own(item) is None] == foreign
    for key, value in document.raw.items():
        if key != "Statement":
            assert after.raw[key] == value
    assert list(after.raw) == list(document.raw)


@FEW
@given(st.lists(grants, max_size=8), grants, callers, st.sampled_from(TAGS))
def test_grouping_changes_no_decision(given_: list[Grant], last: Grant, caller: str, tags: dict[str, str]) -> None:
    document: PolicyDocument | None = merge(None, last).after
    for grant in given_:
        document = merge(document, grant).after
    assert document is not None
    grouped = group(document).after
    assert equivalent(grouped, document)
    assert responses(grouped, caller, tags) == responses(document, caller, tags)


@FEW
@given(documents())
def test_documents_survive_the_round_trip(document: PolicyDocument) -> None:
    assert json.loads(document.minified()) == json.loads(document.text)
    assert PolicyDocument.parse(document.pretty()).minified() == document.minified()
    assert equivalent(PolicyDocument.parse(document.minified()), document)
    assert text_diff(document, PolicyDocument.parse(document.minified())) == tuple(
        (" ", line) for line in document.pretty().splitlines()
    )


@FEW
@given(documents(), documents())
def test_differences_are_empty_exactly_for_equal_documents(a: PolicyDocument, b: PolicyDocument) -> None:
    assert equivalent(a, a)
    assert equivalent(a, b) == equivalent(b, a)
    if equivalent(a, b):
        assert differences(a, b) == ()
    assert len(differences(a, b)) == len(differences(b, a))


@FEW
@given(documents(), callers, st.sampled_from(TAGS))
def test_decisions_give_reasons_and_never_raise(document: PolicyDocument, caller: str, tags: dict[str, str]) -> None:
    context = context_for(caller, A, tags)
    for identity in ((FULL,), (), None):
        decision = decide(
            Request("ecr:PutImage", REPOSITORY, A, caller, context), Policies(identity, document, registry=document)
        )
        assert decision.reasons
        assert all(reason.text and reason.to_json() for reason in decision.reasons)
        if decision.denied_by:
            assert decision.response in ("ExplicitlyDenied", "Unknown")
        assert decision.denied_by or decision.response != "ExplicitlyDenied"
        if decision.response == "ImplicitlyDenied":
            assert decision.missing
            assert {reason.where for reason in decision.reasons if reason.kind == "missing"} == set(decision.missing)


@FEW
@given(documents(), st.sampled_from([None, *TAGS]))
def test_who_and_lint_take_every_document(document: PolicyDocument, tags: dict[str, str] | None) -> None:
    for row in who_can(document, repository_arn=REPOSITORY, tags=tags):
        assert all(cell.reason for cell in row.cells.values())
    for finding in lint(document, tags=tags, account=A):
        assert finding.title
        assert "{subject}" not in finding.title


@FEW
@given(documents(), callers, st.sampled_from(TAGS))
def test_who_agrees_with_the_decisions(document: PolicyDocument, caller: str, tags: dict[str, str]) -> None:
    (row,) = who_can(document, repository_arn=REPOSITORY, tags=tags, principals=[caller], now=NOW)
    found = answer(document, caller, ESSENTIAL_PULL, repository_arn=REPOSITORY, tags=tags, now=NOW)
    assert row.cells[Capability.PULL].allowed is found.verdict.allowed


@given(st.text())
@example("{" * 10_000)
@example('{"a\\nb":1,"a\\nb":2}')
@example('{"a":1e400}')
@example('{"Statement":[null]}')
@settings(max_examples=100, deadline=None)
def test_parsing_raises_nothing_but_its_own_error(text: str) -> None:
    error = error_of(PolicyError, lambda: PolicyDocument.parse(text))
    assert error is None or len(error.title.splitlines()) == 1


@given(json_values)
@settings(max_examples=100, deadline=None)
def test_any_json_parses_or_raises_its_own_error(value: Any) -> None:
    text = json.dumps(value)
    try:
        document = PolicyDocument.parse(text)
    except PolicyError:
        return
    assert document.text == text
    assert json.loads(document.minified()) == value


@given(st.lists(json_values | statements(), max_size=3), json_values)
@settings(max_examples=100, deadline=None)
def test_any_document_like_thing_is_handled_by_everything(items: list[Any], extra: Any) -> None:
    try:
        document = PolicyDocument.from_json({"Statement": items, "Extra": extra})
    except PolicyError:
        return
    lint(document, tags={}, account=A)
    who_can(document, repository_arn=REPOSITORY, tags={})
    differences(None, document)
    repair(document, REPOSITORY)
    error = error_of(InputError, lambda: adopt(None, document))
    assert error is None or "Resource" in error.title


FIELDS = ["request", "name", "expected", "identityPolicies", "resourcePolicy", "serviceControlPolicies"]


@given(json_values | st.lists(st.dictionaries(st.sampled_from(FIELDS), json_values)))
@settings(max_examples=100, deadline=None)
def test_any_cases_are_decided_or_refused(value: Any) -> None:
    error = error_of(InputError, lambda: simulate(json.dumps(value)))
    assert error is None or len(error.title.splitlines()) == 1


@given(st.lists(statements() | json_values, max_size=2), st.dictionaries(st.text(max_size=5), json_values, max_size=2))
@settings(max_examples=100, deadline=None)
def test_any_documents_of_a_case_are_decided_or_refused(items: list[Any], context: dict[str, Any]) -> None:
    asked = {"action": "ecr:PutImage", "resource": REPOSITORY, "principal": BOB, "context": context}
    case = {"request": asked, "resourcePolicy": {"Statement": items}, "expected": "Allowed"}
    error = error_of(InputError, lambda: simulate(json.dumps(case)))
    assert error is None or len(error.title.splitlines()) == 1
