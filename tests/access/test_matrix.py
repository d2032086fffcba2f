"""The matrix of repositories and grantees: each cell is the evaluator's answer, shared only where nothing differs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_tui.access.matrix import PARTS, AccessMatrix, Proof, answer_of, proof_key
from ecr_tui.aws.model import RegistryFacts, Repository
from ecr_tui.changes.entries import WRITTEN, Entry, History, Record
from ecr_tui.policy.answer import Verdict, answer
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.who import ACTIONS, Capability
from ecr_tui.render.matrix import matrix_csv, matrix_text
from ecr_tui.verification.proofs import proofs
from ecr_tui.verification.records import Past
from tests.policy import strategies
from tests.policy.build import BOB, CAROL, PULL, REPOSITORY, ROOT_B, SESSION, A, B, allow, deny, policy

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}


def repository(name: str = "app", tags: dict[str, str] | None = None) -> Repository:
    arn = f"{REPOSITORY.rpartition('/')[0]}/{name}"
    return Repository(name, arn, "", "eu-central-1", A, {} if tags is None else tags)


def matrix(*given: tuple[Repository, PolicyDocument | None], **more: Any) -> AccessMatrix:
    made = AccessMatrix(A, now=NOW, **more)
    for one, document in given:
        made.read(one, None if document is None else document.text)
    return made


def cell(found: AccessMatrix, one: Repository, principal: str) -> dict[str, str]:
    row = found.row(one, principal)
    assert row is not None
    return {part.value: answer_of(row.cells[part]).value for part in PARTS}


@settings(max_examples=150, deadline=None)
@given(st.lists(strategies.documents(), min_size=1, max_size=3), st.data())
def test_a_cell_is_the_answer_of_the_evaluator(documents: list[PolicyDocument], data: st.DataObject) -> None:
    rows = [repository(f"r{n}", data.draw(st.sampled_from(strategies.TAGS))) for n in range(len(documents))]
    found = matrix(*zip(rows, documents, strict=True))
    principals = [BOB, CAROL, SESSION, ROOT_B, "*", "org/o-a1b2c3d4e5", "lambda.amazonaws.com"]
    for one, document in zip(rows, documents, strict=True):
        for principal in principals:
            row = found.row(one, principal)
            assert row is not None
            for part in PARTS:
                expected = answer(
                    document, principal, ACTIONS[part], repository_arn=one.arn, tags=one.tags, now=NOW
                ).verdict
                assert answer_of(row.cells[part]) is expected, (principal, part, document.text)


def test_columns_are_those_whom_an_allow_names_others_first() -> None:
    document = policy(
        allow({"AWS": [B, BOB, f"arn:aws:iam::{A}:user/own"]}, PULL),
        allow("*", PULL, ORG),
        allow({"AWS": "*"}, PULL, ORG),
        allow({"Service": "lambda.amazonaws.com"}, PULL, {"StringEquals": {"aws:SourceAccount": B}}),
        deny(CAROL),
    )
    registry = RegistryFacts("eu-central-1", policy(allow(ROOT_B, PULL, Resource="*"), allow(CAROL, PULL)).text)
    found = matrix((repository(), document), (repository("none"), None), registries=[registry])
    assert [one.title for one in found.named()] == [
        "organization o-a1b2c3d4e5",
        f"service lambda.amazonaws.com for account {B}",
        f"account {B}",
        f"user bob in {B}",
        f"user carol in {B}",
        f"user own in {A}",
    ]
    assert found.count(BOB) == found.count(ROOT_B) == 1
    assert cell(found, repository("none"), CAROL) == {"read": "no", "pull": "yes", "push": "no"}
    assert cell(found, repository(), CAROL) == {"read": "no", "pull": "no", "push": "no"}


def test_a_policy_that_is_read_again_counts_once_and_anew() -> None:
    found = matrix((repository(), policy(allow(BOB, PULL))))
    assert cell(found, repository(), BOB)["pull"] == "yes"
    found.read(repository(), policy(allow(CAROL, PULL)).text)
    assert cell(found, repository(), BOB)["pull"] == "no"
    assert (found.count(BOB), found.count(CAROL)) == (0, 1)


def test_what_is_not_known_is_no_answer() -> None:
    found = matrix()
    assert found.row(repository(), BOB) is None
    found.read(repository(), None, unreadable="access denied")
    found.read(repository("odd"), "{")
    assert found.row(repository(), BOB) is found.row(repository("odd"), BOB) is None
    odd = found.policy(repository("odd"))
    assert odd is not None
    assert "not valid" in odd.unreadable
    doubt = matrix(registries=[RegistryFacts("eu-central-1", policy_unreadable="denied")])
    assert "registry policy in eu-central-1 not evaluated" in doubt.notes[0]


def test_equal_policies_share_their_cells_unless_tags_matter() -> None:
    tagged = policy(allow(BOB, PULL, {"StringEquals": {"aws:ResourceTag/Team": "blue"}}))
    one, same, other = (repository(name, {"Team": team}) for name, team in (("1", "blue"), ("2", "blue"), ("3", "red")))
    found = matrix((one, tagged), (same, tagged), (other, tagged))
    assert found.row(one, BOB) is found.row(same, BOB)
    assert cell(found, other, BOB)["pull"] == "no"


def past(principal: str, can: Mapping[str, bool], hours: int = 1) -> Past:
    at = NOW - timedelta(hours=hours)
    return Past(f"{hours}", at, REPOSITORY, {"principal": principal, "can": can})


def test_a_proof_is_the_newest_and_goes_stale_by_a_write_or_by_the_policy() -> None:
    session, role = SESSION, f"arn:aws:iam::{B}:role/path/puller"
    records = [past(session, {"pull": True}), past(session, {"pull": False}, 5), past(BOB, {"push": False}, 9)]
    written = Entry("1", NOW - timedelta(hours=3), Record("grant", "app", REPOSITORY, "", A), WRITTEN)
    found = proofs(records, History((written,)))
    ours = found[proof_key(REPOSITORY, role)]
    assert (ours.can, ours.stale) == ({Capability.PULL: True}, "")
    assert "grant at 2026-11-29 09:00 UTC" in found[proof_key(REPOSITORY, BOB)].stale
    row = matrix((repository(), None)).row(repository(), role)
    assert row is not None
    assert ours.stale_by(row) == "policy no longer allows pull"
    assert proofs([past(BOB, {})], History(())) == {}


def test_text_fits_by_signs_and_by_further_tables_and_csv_holds_no_formula() -> None:
    who = [f"arn:aws:iam::{B}:user/{name}" for name in ("u1", "u2", "u3")]
    condition = {"StringEquals": {"=cmd": "1"}}
    document = policy(allow(who[0], PULL), allow(who[1], PULL, condition))
    found = matrix((repository(), document), proofs={proof_key(repository().arn, who[0]): Proof(NOW, {PARTS[1]: True})})
    columns, rows = found.columns(who), [repository()]
    assert "pull, verified 0m ago  pull?  -" in matrix_text(found, rows, columns, None)
    assert "–✓– 0m  –?–" in matrix_text(found, rows, columns, 30)
    narrow = matrix_text(found, rows, columns, 18)
    assert narrow.count("REPOSITORY") == 3
    assert max(len(line) for line in narrow.split("\n\n", 1)[1].splitlines()) <= 20
    lines = matrix_csv(found, rows, columns).splitlines()
    assert lines[2].split(",")[4:8] == ["no", "depends", "no", "'=cmd"]
    assert json.dumps(lines[1]).count("pull:yes") == 1


def test_values_of_verdicts_are_those_of_the_schema() -> None:
    assert {one.value for one in Verdict} == {"yes", "no", "depends"}
