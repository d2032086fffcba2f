"""The query language: what each term selects, half-typed input, order and highlights; and for every query the same rows
whether they are looked at one by one, all at once, or narrowed from an earlier result."""

from __future__ import annotations

import dataclasses
import itertools
from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_tui.aws.model import Repository
from ecr_tui.filters import RANKED, Index, Order, Result, Rows, parse
from ecr_tui.policy.access import AccessSummary

A = "111111111111"


def repository(
    name: str, tags: dict[str, str] | None = None, *, mutability: str = "MUTABLE", region: str = "eu-central-1"
) -> Repository:
    return Repository(name, f"arn:aws:ecr:{region}:{A}:repository/{name}", f"host/{name}", region, A, tags, mutability)


ROWS = (
    repository("my-first-repo", {"Team": "Payments"}),
    repository("payments/api", {"Team": "Payments", "Stage": "prod"}),
    repository("payments/ledger", {"Team": "Payments", "Cost Centre": "4 711"}, mutability="IMMUTABLE"),
    repository("search/api-gateway", {"team": "search"}, region="us-east-1"),
    repository("tools/scratch", {}),
    repository("tools/new", None, mutability="IMMUTABLE_WITH_EXCLUSION", region="eu-west-1"),
    repository(
        "platform/base", {"Team": "Platform", "aws:cloudformation:stack": 'a"b'}, mutability="MUTABLE_WITH_EXCLUSION"
    ),
)
ACCESS = (
    AccessSummary(pull=True, push=True),
    AccessSummary(pull=True, push=False),
    AccessSummary(pull=False, push=True),
    AccessSummary(pull=False, push=False),
    None,
    AccessSummary(pull=False, push=False),
    None,
)


def index(rows: Sequence[Repository] = ROWS, access: Sequence[AccessSummary | None] = ACCESS) -> Index:
    made = Index(rows)
    for at, summary in enumerate(access):
        made.set_access(at, summary)
    return made


def names(result: Result, rows: Sequence[Repository] = ROWS) -> list[str]:
    return [rows[i].name for i in result.rows]


@pytest.mark.parametrize(
    ("query", "expected", "unknown"),
    [
        ("", [row.name for row in ROWS], 0),
        ("   ", [row.name for row in ROWS], 0),
        ("api", ["payments/api", "search/api-gateway"], 0),
        ("API", ["payments/api", "search/api-gateway"], 0),
        ("api pay", ["payments/api"], 0),
        ("team=search", ["search/api-gateway"], 0),
        ("!payments", ["search/api-gateway", "tools/scratch", "tools/new", "platform/base"], 0),
        ("!payments !tools !search", ["platform/base"], 0),
        ("tag:Team", ["my-first-repo", "payments/api", "payments/ledger", "platform/base"], 1),
        ("tag:Team=Payments", ["my-first-repo", "payments/api", "payments/ledger"], 1),
        ("tag:Team=Payments tag:Stage=prod", ["payments/api"], 1),
        ("tag:team", ["search/api-gateway"], 1),
        ("!tag:Team", ["search/api-gateway", "tools/scratch"], 1),
        ("!tag:Team=Payments", ["search/api-gateway", "tools/scratch", "platform/base"], 1),
        ('tag:"Cost Centre"="4 711"', ["payments/ledger"], 1),
        ('tag:"Cost Centre=4 711"', [], 1),
        ('"aws:cloudformation"', ["platform/base"], 0),
        ('tag:aws:cloudformation:stack="a\\"b"', ["platform/base"], 1),
        ('"4 711"', ["payments/ledger"], 0),
        ('"!"', [], 0),
        ("access:none", ["search/api-gateway", "tools/new"], 2),
        ("access:pull", ["my-first-repo", "payments/api"], 2),
        ("access:push", ["my-first-repo", "payments/ledger"], 2),
        ("access:push-pull", ["my-first-repo"], 2),
        ("access:pull !access:push", ["payments/api"], 2),
        ("!access:none", ["my-first-repo", "payments/api", "payments/ledger"], 2),
        ("access:none tools", ["tools/new"], 1),
        ("mutable:no", ["payments/ledger", "tools/new"], 0),
        ("!mutable:no", ["my-first-repo", "payments/api", "search/api-gateway", "tools/scratch", "platform/base"], 0),
        ("mutable:yes api", ["payments/api", "search/api-gateway"], 0),
        ("region:us-east-1", ["search/api-gateway"], 0),
        ("region:eu-w", ["tools/new"], 0),
        ("!region:eu", ["search/api-gateway"], 0),
        ("Region:US", ["search/api-gateway"], 0),
    ],
)
def test_what_a_query_selects(query: str, expected: list[str], unknown: int) -> None:
    result = parse(query).apply(index(), loose=False)
    assert (names(result), result.unknown, result.loose) == (expected, unknown, False)
    wanted = parse(query)
    assert [r.name for r, a in zip(ROWS, ACCESS, strict=True) if wanted.matches(r, a)] == expected
    assert [wanted.matches(r, a) for r, a in zip(ROWS, ACCESS, strict=True)].count(None) == unknown


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("mfr", ["my-first-repo"]),
        ("pyld", ["payments/ledger"]),
        ("srch gw", ["search/api-gateway"]),
        ("tag:stage", ["payments/api"]),
        ("tag:TEAM=pay", ["my-first-repo", "payments/api", "payments/ledger"]),
        ("tag:Team=pl bse", ["platform/base"]),
        ("mfr !first", []),
        ("ptfb mutable:no", []),
        ("zzz", []),
    ],
)
def test_where_nothing_matches_it_is_read_loosely(query: str, expected: list[str]) -> None:
    rows = [row for row in ROWS if row.tags is not None]
    result = parse(query).apply(index(rows, ()))
    assert (names(result, rows), result.loose) == (expected, True)


def test_a_literal_match_is_never_mixed_with_loose_ones() -> None:
    rows = [repository("mfr", {}), repository("my-first-repo", {})]
    result = parse("mfr").apply(index(rows, ()))
    assert (names(result, rows), result.loose) == (["mfr"], False)


@pytest.mark.parametrize(
    ("query", "start", "end", "unfinished"),
    [
        ("api !", 4, 5, True),
        ("api tag:", 4, 8, True),
        ("api access:", 4, 11, True),
        ("access:pu", 0, 9, True),
        ("access:all", 0, 10, False),
        ("mutable:maybe api", 0, 13, False),
        ("acess:none", 0, 10, False),
        ("x foo:bar", 2, 9, False),
        ("tag:=x", 0, 6, False),
        ('api "my', 4, 7, True),
        ("api :x", 4, 6, False),
    ],
)
def test_a_term_that_cannot_be_used_is_named_with_its_place(query: str, start: int, end: int, unfinished: bool) -> None:
    problem = parse(query).problems[0]
    assert (problem.start, problem.end, problem.unfinished) == (start, end, unfinished)
    assert problem.message


@pytest.mark.parametrize(
    ("query", "hint"), [("acess:none", "access:"), ("access:puhs", "access:push"), ("foo:bar", '"foo:bar"')]
)
def test_a_slip_gets_a_hint(query: str, hint: str) -> None:
    assert hint in parse(query).problems[0].hint


def test_what_is_wrong_does_not_select() -> None:
    assert names(parse("api acess:none").apply(index())) == ["payments/api", "search/api-gateway"]
    assert not parse("acess:none")
    assert names(parse('api "my').apply(index(), loose=False)) == []
    assert names(parse('"payments/l').apply(index())) == ["payments/ledger"]


def test_equal_queries_are_equal() -> None:
    assert parse("API  tag:Team") == parse('"api" tag:"Team"')
    assert parse("api api").terms == parse("api").terms
    assert parse("!api") != parse("api")
    assert parse("access:pull").needs_access
    assert not parse("api tag:x region:eu mutable:no").needs_access


# -- order -------------------------------------------------------------------------------------------------------


def test_the_best_matches_come_first_and_equal_ones_keep_the_tables_order() -> None:
    rows = [
        repository(name, tags)
        for name, tags in [
            ("zeta", {"Kind": "api"}),
            ("capital/x", {}),
            ("b/my-api", {}),
            ("apiary", {}),
            ("a/api", {}),
            ("api", {}),
            ("a/my-api", {}),
        ]
    ]
    made = index(rows, ())
    result = parse("api").apply(made)
    ranked = [rows[i].name for i in result.ranked(made, Order())]
    assert ranked == ["a/api", "api", "apiary", "b/my-api", "a/my-api", "capital/x", "zeta"]
    backwards = Order(range(len(rows) - 1, -1, -1))
    assert [rows[i].name for i in result.ranked(made, backwards)] == [
        "api",
        "a/api",
        "apiary",
        "a/my-api",
        "b/my-api",
        "capital/x",
        "zeta",
    ]
    assert list(result.ordered(backwards)) == [6, 5, 4, 3, 2, 1, 0]


def test_loosely_initials_come_before_letters_far_apart() -> None:
    rows = [repository(name, {}) for name in ("mxxxfxxxxr", "my-first-repo", "mf-r", "m-f-r")]
    made = index(rows, ())
    result = parse("mfr").apply(made)
    assert [rows[i].name for i in result.ranked(made, Order())] == ["my-first-repo", "m-f-r", "mf-r", "mxxxfxxxxr"]


def test_very_many_matches_stay_in_the_tables_order() -> None:
    rows = [repository(f"x-api{n}", {}) for n in range(RANKED)] + [repository("api", {})]
    made = index(rows, ())
    assert parse("api").apply(made).ranked(made, Order())[0] == 0
    assert parse("api !api7").apply(made).ranked(made, Order())[0] == RANKED


@given(st.permutations(range(40)), st.sets(st.integers(0, 39)))
def test_an_order_is_only_an_order(order: list[int], chosen: set[int]) -> None:
    assert list(Order(order).of(Rows(sorted(chosen)))) == [i for i in order if i in chosen]
    assert list(Order().of(Rows(sorted(chosen)))) == sorted(chosen)


@given(st.permutations(range(40)), st.sets(st.integers(0, 39)))
def test_an_order_made_by_and_by_is_the_same_and_puts_a_mask_in_order(order: list[int], chosen: set[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ecr_tui.filters.order.STEP", 7)
        making, pauses = Order.by_and_by(array("I", order)), 0
        try:
            while True:
                next(making)
                pauses += 1
        except StopIteration as end:
            made: Order = end.value
    assert pauses == (5 if order == list(range(40)) else 6)
    assert [made.place(row) for row in order] == list(range(40))
    mask = bytes(at in chosen for at in range(40))
    wanted = [i for i in order if i in chosen]
    assert list(made.of(Rows(mask=mask))) == wanted
    assert list(made.copy().of(Rows(mask=mask))) == wanted
    made.extend(range(40, 42))
    assert list(made.of(Rows(mask=mask))) == wanted
    assert list(made.of(Rows(mask=mask + b"\0\1"))) == [*wanted, 41]


@given(
    st.lists(st.sampled_from(["pay", "web", "data"]), max_size=400),
    st.booleans(),
    st.sampled_from(["pay", "y", "q", "a\x1ew", "pay-1", "-2", "pay-25"]),
)
def test_many_rows_are_looked_through_as_few_are(names: list[str], sort: bool, word: str) -> None:
    names = [f"{name}-{number}" for number, name in enumerate(sorted(names) if sort else names)]
    rows = [repository(name, {"Team": "q"}) for name in names]
    made = index(rows[:100], ())
    made.extend(rows[100:])
    for at in range(0, len(rows), 7):
        made.update(at, dataclasses.replace(rows[at], tags={"Team": "pay"}))
    wanted = [at for at, hay in enumerate(made.haystacks) if word in hay]
    assert list(parse(f'"{word}"').apply(made, loose=False).rows) == wanted
    tags = ["team=q" if at % 7 else "team=pay" for at in range(len(rows))]
    assert wanted == [at for at in range(len(rows)) if word in names[at] or word in tags[at]]


@given(st.sets(st.integers(0, 39)))
def test_rows_are_the_same_as_numbers_and_as_a_mask(chosen: set[int]) -> None:
    numbers, mask = Rows(sorted(chosen)), Rows(mask=bytes(at in chosen for at in range(40)))
    for rows in (numbers, mask):
        assert (len(rows), list(rows), bool(rows)) == (len(chosen), sorted(chosen), bool(chosen))
        assert {at for at in range(-3, 50) if at in rows} == chosen
        assert rows[:2] == sorted(chosen)[:2]
        assert "3" not in rows


# -- highlights --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("api", "payments/api-api", ["api", "api"]),
        ("aa", "caaaat", ["aaaa"]),
        ("pay ent", "payments", ["pay", "ent"]),
        ("paym ymen", "payments", ["paymen"]),
        ("!api", "api", []),
        ("TEAM", "Team=Payments", ["Team"]),
        ("tag:Team", "Team=Payments", ["Team"]),
        ("tag:Team=Payments", "Team=Payments", ["Team=Payments"]),
        ("tag:Team=Pay", "Team=Payments", []),
        ("tag:Team", "Team", []),
        ("region:eu access:none", "eu", []),
        ("ss", "straße", []),
        ("", "api", []),
    ],
)
def test_what_is_highlighted(query: str, text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in parse(query).spans(text)] == expected


def test_loose_matches_are_highlighted_letter_by_letter() -> None:
    found = parse("mfr").spans("my-first-repo", loose=True)
    assert ["my-first-repo"[start:end] for start, end in found] == ["m", "f", "r"]
    assert parse("tag:team=pay").spans("Team=Payments", loose=True) == ((0, 8),)
    assert parse("mfr").spans("my-first-repo") == ()


# -- for every query ---------------------------------------------------------------------------------------------

LETTERS = st.text("ab-/=", min_size=1, max_size=3)
NAMES = st.text("ab-/", min_size=1, max_size=6)
TAGS = st.none() | st.dictionaries(st.text("abAB", min_size=1, max_size=2), st.text("abAB=", max_size=2), max_size=2)
ROW = st.builds(
    repository,
    NAMES,
    TAGS,
    mutability=st.sampled_from(["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION"]),
    region=st.sampled_from(["eu-central-1", "us-east-1"]),
)
SUMMARY = st.none() | st.builds(AccessSummary, pull=st.booleans(), push=st.booleans())
TABLE = st.lists(st.tuples(ROW, SUMMARY), max_size=12)
FIELD = st.one_of(
    LETTERS,
    st.builds("tag:{}".format, st.text("abAB", min_size=1, max_size=2)),
    st.builds("tag:{}={}".format, st.text("abAB", min_size=1, max_size=2), st.text("abAB", max_size=2)),
    st.sampled_from(["access:none", "access:pull", "access:push", "access:push-pull", "mutable:no", "mutable:yes"]),
    st.sampled_from(["region:eu", "region:u", "region:us-east-1", "access:pu", "tag:", '"a b', "bad:x"]),
)
TERM = st.builds(lambda sign, text: sign + text, st.sampled_from(["", "", "!"]), FIELD)
QUERY = st.lists(TERM, max_size=3).map(" ".join)


@given(st.text(max_size=40) | st.text('!:="\\ tagcesmubl', max_size=30))
def test_parsing_never_fails_and_every_place_is_in_the_text(text: str) -> None:
    found = parse(text)
    places = [*((p.start, p.end) for p in found.problems), *((t.start, t.end) for t in found.terms)]
    assert all(0 <= start < end <= len(text) for start, end in places)
    found.apply(index())
    assert parse(found.text) == found


@given(QUERY, TABLE)
def test_all_rows_at_once_are_judged_as_one_by_one(
    query: str, table: list[tuple[Repository, AccessSummary | None]]
) -> None:
    rows, access = [row for row, _ in table], [summary for _, summary in table]
    wanted = parse(query)
    verdicts = [wanted.matches(row, summary) for row, summary in table]
    result = wanted.apply(index(rows, access), loose=False)
    assert list(result.rows) == [at for at, verdict in enumerate(verdicts) if verdict]
    assert result.unknown == verdicts.count(None)


@given(QUERY, TABLE, st.data())
def test_narrowing_while_typing_changes_nothing(
    query: str, table: list[tuple[Repository, AccessSummary | None]], data: st.DataObject
) -> None:
    made = index([row for row, _ in table], [summary for _, summary in table])
    previous: Result | None = None
    for length in sorted(data.draw(st.sets(st.integers(0, len(query)), max_size=6)) | {len(query)}):
        wanted = parse(query[:length])
        narrowed, afresh = wanted.apply(made, previous), wanted.apply(made)
        assert (list(narrowed.rows), narrowed.unknown, narrowed.loose) == (
            list(afresh.rows),
            afresh.unknown,
            afresh.loose,
        )
        previous = narrowed


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("mr", "mfr", ["other"]),  # loose, then literally in a tag
        ("!mid", "!mid-x", ["m-r", "mid", "other"]),
        ("tag:te", "tag:zo", ["other"]),
        ("tag:te", "tag:team", ["m-r"]),
        ("mr tag:te", "mr tag:te zz", []),
        ("mr", "m-", ["m-r"]),
        ("region:us-e", "region:us", ["mid-x", "other"]),
        ("region:us", "region:eu", ["m-r", "mid"]),
        ("access:push-pull", "access:pull", ["m-r", "mid"]),
    ],
)
def test_what_cannot_be_built_upon(first: str, second: str, expected: list[str]) -> None:
    rows = [
        repository("m-r", {"Team": "x"}),
        repository("mid", {}),
        repository("mid-x", {}, region="us-west-1"),
        repository("other", {"Zone": "y", "mfr": "1"}, region="us-east-1"),
    ]
    made = index(rows, [AccessSummary(pull=at < 2, push=at < 1) for at in range(4)])
    result = parse(second).apply(made, parse(first).apply(made))
    assert names(result, rows) == expected


@given(QUERY, QUERY, TABLE)
def test_one_query_after_any_other(
    first: str, second: str, table: list[tuple[Repository, AccessSummary | None]]
) -> None:
    made = index([row for row, _ in table], [summary for _, summary in table])
    wanted = parse(second)
    after, afresh = wanted.apply(made, parse(first).apply(made)), wanted.apply(made)
    assert (list(after.rows), after.unknown, after.loose) == (list(afresh.rows), afresh.unknown, afresh.loose)


@given(QUERY, TABLE, SUMMARY, ROW)
def test_an_older_result_is_not_built_upon(
    query: str, table: list[tuple[Repository, AccessSummary | None]], summary: AccessSummary | None, row: Repository
) -> None:
    made = index([row for row, _ in table], [summary for _, summary in table])
    wanted = parse(query)
    before = wanted.apply(made)
    if table:
        made.set_access(0, summary)
        made.update(len(table) - 1, repository(table[-1][0].name, row.tags, mutability=row.mutability))
    made.extend([row])
    assert list(wanted.apply(made, before).rows) == list(wanted.apply(made).rows)


@given(QUERY, TABLE)
def test_negation_splits_what_is_known(query: str, table: list[tuple[Repository, AccessSummary | None]]) -> None:
    for term in parse(query).terms:
        opposite = type(term)(term.kind, term.value, term.tag_value, not term.negated)
        for row, summary in table:
            here, there = term.holds(row, summary), opposite.holds(row, summary)
            assert (here is None) == (there is None)
            assert here is None or here != there


@given(QUERY, ROW)
def test_highlights_are_ascending_places_without_overlap(query: str, row: Repository) -> None:
    for loose in (False, True):
        spans = parse(query).spans(row.name, loose=loose)
        assert all(0 <= start < end <= len(row.name) for start, end in spans)
        assert all(one[1] < two[0] for one, two in itertools.pairwise(spans))


def test_rows_that_get_known_later() -> None:
    rows = [repository("a", None), repository("b", {"Team": "x"})]
    made = Index(rows)
    assert parse("tag:Team").apply(made).unknown == 1
    made.update(0, repository("a", {"Team": "y"}))
    result = parse("tag:Team").apply(made)
    assert (list(result.rows), result.unknown) == ([0, 1], 0)
    made.set_access(0, AccessSummary(pull=True, push=False))
    assert list(parse("access:pull").apply(made).rows) == [0]
    made.forget_access()
    assert parse("access:pull").apply(made).unknown == 2


def test_policies_that_arrive_while_typing_cost_nothing_where_they_do_not_count() -> None:
    made = index()
    before = parse("pay").apply(made)
    made.set_access(4, AccessSummary(pull=True, push=True))
    assert parse("paym").narrow(before, made) is before.rows
    made.update(4, ROWS[4])
    assert parse("paym").narrow(before, made) == made.all_rows
