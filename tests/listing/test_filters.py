"""The query language: what each term selects, half-typed input, order and highlights; and for every query the same rows
whether they are looked at one by one, all at once, or narrowed from an earlier result."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_tui.aws.model import Repository
from ecr_tui.listing.filters import RANKED, UNREAD, Entry, Result, complete_query, complete_tags, parse
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


def entries(rows: Sequence[Repository] = ROWS) -> list[Entry[Repository]]:
    return [Entry(row, row.arn, row) for row in rows]


class Known:
    """Of each row in turn: access, principals and findings; None where the policy was not read."""

    def __init__(
        self,
        rows: Sequence[Repository] = ROWS,
        access: Sequence[AccessSummary | None] = ACCESS,
        principals: Sequence[Collection[str] | None] = (),
        findings: Sequence[Collection[tuple[str, str]] | None] = (),
    ) -> None:
        # Rows of a table made by hypothesis may share a name.
        self._places = {id(row): at for at, row in enumerate(rows)}
        self._access, self._principals, self._findings = access, principals, findings

    def access(self, row: Repository) -> AccessSummary | None:
        return self._of(self._access, row)

    def principals(self, row: Repository) -> Collection[str] | None:
        return self._of(self._principals, row)

    def findings(self, row: Repository) -> Collection[tuple[str, str]] | None:
        return self._of(self._findings, row)

    def _of(self, known: Sequence[object], row: Repository) -> object:
        at = self._places[id(row)]
        return known[at] if at < len(known) else None


def names(result: Result) -> list[str]:
    return [one.row.name for one in result.found]


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
    result = parse(query).apply(entries(), Known(), loose=False)
    assert (names(result), result.unknown, result.loose) == (expected, unknown, False)
    verdicts = [parse(query).matches(one, Known()) for one in entries()]
    assert [row.name for row, verdict in zip(ROWS, verdicts, strict=True) if verdict] == expected
    assert verdicts.count(None) == unknown


PRINCIPALS = (
    {"arn:aws:iam::222222222222:user/devusr2"},
    {"arn:aws:iam::222222222222:role/team/ci", "333333333333"},
    {"*"},
    set(),
    None,
    {"arn:aws:iam::222222222222:user/dev2"},
    set(),
)
FINDINGS = (
    {("tag-not-met", "warning")},
    {("deleted-principal", "error"), ("tag-not-met", "warning")},
    set(),
    {("void-condition", "info")},
    None,
    set(),
    None,
)


@pytest.mark.parametrize(
    ("query", "expected", "unknown"),
    [
        ("name:pay", ["payments/api", "payments/ledger"], 0),
        ("name:PAY !name:api", ["payments/ledger"], 0),
        ("name:search", ["search/api-gateway"], 0),
        ("!name:a", ["my-first-repo", "tools/new"], 0),
        ("my-*", ["my-first-repo"], 0),
        ("api-*", ["search/api-gateway"], 0),
        ("*api*", ["payments/api", "search/api-gateway"], 0),
        ("pay*", ["payments/api", "payments/ledger"], 0),
        ("payments/???", ["payments/api"], 0),
        ("ap?", ["payments/api"], 0),
        ("first*", [], 0),
        ("team=pay*", ["my-first-repo", "payments/api", "payments/ledger"], 0),
        ('"api-*"', [], 0),
        ("name:*gate*", ["search/api-gateway"], 0),
        ("!*a*", ["tools/new"], 0),
        ("tag:T*=Pay*", ["my-first-repo", "payments/api", "payments/ledger"], 1),
        ("tag:t*", ["search/api-gateway"], 1),
        ("!tag:Team=P*", ["search/api-gateway", "tools/scratch"], 1),
        ("principal:devusr2", ["my-first-repo"], 1),
        ("principal:222222222222", ["my-first-repo", "payments/api", "tools/new"], 1),
        ("principal:role/*", [], 1),
        ("principal:*/ci", ["payments/api"], 1),
        ("principal:dev*", ["my-first-repo", "tools/new"], 1),
        ("principal:*", ["payments/ledger"], 1),
        ("!principal:2222", ["payments/ledger", "search/api-gateway", "platform/base"], 1),
        ("finding:any", ["my-first-repo", "payments/api", "search/api-gateway"], 2),
        ("finding:none", ["payments/ledger", "tools/new"], 2),
        ("finding:error", ["payments/api"], 2),
        ("finding:tag-not-met", ["my-first-repo", "payments/api"], 2),
        ("finding:tag !finding:error", ["my-first-repo"], 2),
    ],
)
def test_what_names_globs_principals_and_findings_select(query: str, expected: list[str], unknown: int) -> None:
    known = Known(principals=PRINCIPALS, findings=FINDINGS)
    result = parse(query).apply(entries(), known, loose=False)
    assert (parse(query).problems, names(result), result.unknown) == ((), expected, unknown)
    verdicts = [parse(query).matches(one, known) for one in entries()]
    assert [row.name for row, verdict in zip(ROWS, verdicts, strict=True) if verdict] == expected


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
    result = parse(query).apply(entries(rows))
    assert (names(result), result.loose) == (expected, True)


def test_a_literal_match_is_never_mixed_with_loose_ones() -> None:
    rows = [repository("mfr", {}), repository("my-first-repo", {})]
    result = parse("mfr").apply(entries(rows))
    assert (names(result), result.loose) == (["mfr"], False)


def test_a_glob_is_never_read_loosely() -> None:
    result = parse("m?fr*").apply(entries())
    assert (names(result), result.loose) == ([], False)


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
        ("finding:erorr", 0, 13, False),
        ("principal:", 0, 10, True),
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
    ("query", "hint"),
    [
        ("acess:none", "access:none?"),
        ("access:puhs", "access:push"),
        ("finding:erorr", "finding:error"),
        ("finding:tag-not-mett", "finding:tag-not-met"),
        ("foo:bar", '"foo:bar"'),
    ],
)
def test_a_slip_gets_a_hint(query: str, hint: str) -> None:
    assert hint in parse(query).problems[0].hint


@pytest.mark.parametrize(
    "query", ["acess:none", "api acess:none", "access:all", "!acess:none", "tag:=x", "mutable:maybe"]
)
def test_a_query_with_a_wrong_term_selects_nothing(query: str) -> None:
    result = parse(query).apply(entries(), Known())
    assert (names(result), result.loose, result.unknown) == ([], False, 0)
    assert parse(query)
    assert parse(query).broken
    assert parse(query).matches(entries()[1], Known()) is False


def test_what_is_unfinished_does_not_select_yet() -> None:
    assert names(parse("api access:pu").apply(entries(), Known())) == ["payments/api", "search/api-gateway"]
    assert not parse("access:pu")
    assert names(parse('api "my').apply(entries(), loose=False)) == []
    assert names(parse('"payments/l').apply(entries())) == ["payments/ledger"]


def test_a_query_after_a_wrong_one_is_looked_for_among_all_rows() -> None:
    some = entries()
    wrong = parse("api acess:").apply(some)
    assert names(parse("api access:pull").apply(some, Known(), wrong)) == ["payments/api"]


def test_equal_queries_are_equal() -> None:
    assert parse("API  tag:Team") == parse('"api" tag:"Team"')
    assert parse("api api").terms == parse("api").terms
    assert parse("!api") != parse("api")
    assert parse("acess:pull") != parse("")
    assert parse("access:pull").needs_account_b
    assert parse("access:pull").needs_policies
    assert parse("finding:error").needs_policies
    assert not parse("finding:error principal:x").needs_account_b
    assert not parse("api tag:x region:eu mutable:no name:x").needs_policies


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
    ranked = parse("api").apply(entries(rows)).ranked()
    assert [one.row.name for one in ranked] == ["a/api", "api", "apiary", "b/my-api", "a/my-api", "capital/x", "zeta"]
    backwards = parse("api").apply(entries(rows)[::-1])
    assert [one.row.name for one in backwards.ranked()] == [
        "api",
        "a/api",
        "apiary",
        "a/my-api",
        "b/my-api",
        "capital/x",
        "zeta",
    ]
    assert names(backwards) == [row.name for row in rows[::-1]]


def test_loosely_initials_come_before_letters_far_apart() -> None:
    rows = [repository(name, {}) for name in ("mxxxfxxxxr", "my-first-repo", "mf-r", "m-f-r")]
    ranked = parse("mfr").apply(entries(rows)).ranked()
    assert [one.row.name for one in ranked] == ["my-first-repo", "m-f-r", "mf-r", "mxxxfxxxxr"]


def test_very_many_matches_stay_in_the_tables_order() -> None:
    rows = [repository(f"x-api{n}", {}) for n in range(RANKED)] + [repository("api", {})]
    assert parse("api").apply(entries(rows)).ranked()[0].row.name == "x-api0"
    assert parse("api !api7").apply(entries(rows)).ranked()[0].row.name == "api"


# -- completion --------------------------------------------------------------------------------------------------

VALUES = {"Team": ["Payments", "Search"], "Stage": ["prod"], "Cost Centre": ["4 711"], "aws:stack": ["a=b"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tag:", "tag:Team="),
        ("tag:St", "tag:Stage="),
        ("tag:st", "tag:Stage="),
        ("api tag:Team=", "api tag:Team=Payments"),
        ("tag:Team=S", "tag:Team=Search"),
        ("tag:team=pay", "tag:Team=Payments"),
        ("!tag:Team=S", "!tag:Team=Search"),
        ("tag:C", 'tag:"Cost Centre"='),
        ('tag:"Cost Centre"=4', 'tag:"Cost Centre"="4 711"'),
        ("tag:aws:st", "tag:aws:stack="),
        ("tag:aws:stack=a", 'tag:aws:stack="a=b"'),
        ("tag:Team=Payments", None),
        ("tag:Nothing", None),
        ("tag:Nothing=x", None),
        ("acc", "access:"),
        ("access:pu", "access:pull"),
        ("finding:e", "finding:error"),
        ("finding:tag-not-m", "finding:tag-not-met"),
        ("mutable:n", "mutable:no"),
        ("a", None),
        ("payments", None),
        ("region:eu", None),
        ("", None),
    ],
)
def test_what_a_query_is_completed_to(text: str, expected: str | None) -> None:
    assert complete_query(text, lambda: VALUES) == expected
    assert expected is None or not parse(expected).broken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Te", "Team="),
        ("team=pay", "Team=Payments"),
        ("Team=Payments, St", "Team=Payments, Stage="),
        ("Team=Payments,Stage=", "Team=Payments,Stage=prod"),
        ("Cost", "Cost Centre="),
        ("Team=Payments", None),
    ],
)
def test_what_a_list_of_tags_is_completed_to(text: str, expected: str | None) -> None:
    assert complete_tags(text, lambda: VALUES) == expected


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
        ("api-*", "search/api-gateway", ["api-gateway"]),
        ("*first*", "my-first-repo", ["my-first-repo"]),
        ("name:first", "my-first-repo", ["first"]),
        ("name:first", "Kind=first", []),
        ("tag:T*=P*", "Team=Payments", ["Team=Payments"]),
        ("tag:T*", "Team=Payments", ["Team"]),
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
    st.text("ab-/*?", min_size=1, max_size=4),
    st.builds("name:{}".format, LETTERS),
    st.builds("tag:{}".format, st.text("abAB*=", min_size=1, max_size=4)),
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
    found.apply(entries(), Known())
    assert parse(found.text) == found


def of(table: list[tuple[Repository, AccessSummary | None]]) -> tuple[list[Entry[Repository]], Known]:
    rows = [row for row, _ in table]
    return entries(rows), Known(rows, [summary for _, summary in table])


def told(result: Result) -> tuple[list[Entry[Repository]], int, bool]:
    return list(result.found), result.unknown, result.loose


@given(QUERY, TABLE)
def test_all_rows_at_once_are_judged_as_one_by_one(
    query: str, table: list[tuple[Repository, AccessSummary | None]]
) -> None:
    some, known = of(table)
    wanted = parse(query)
    verdicts = [wanted.matches(one, known) for one in some]
    result = wanted.apply(some, known, loose=False)
    assert list(result.found) == [one for one, verdict in zip(some, verdicts, strict=True) if verdict]
    assert result.unknown == verdicts.count(None)


@given(QUERY, TABLE, st.data())
def test_narrowing_while_typing_changes_nothing(
    query: str, table: list[tuple[Repository, AccessSummary | None]], data: st.DataObject
) -> None:
    some, known = of(table)
    previous: Result | None = None
    for length in sorted(data.draw(st.sets(st.integers(0, len(query)), max_size=6)) | {len(query)}):
        wanted = parse(query[:length])
        narrowed = wanted.apply(some, known, previous)
        assert told(narrowed) == told(wanted.apply(some, known))
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
    some = entries(rows)
    known = Known(rows, [AccessSummary(pull=at < 2, push=at < 1) for at in range(4)])
    result = parse(second).apply(some, known, parse(first).apply(some, known))
    assert names(result) == expected


@given(QUERY, QUERY, TABLE)
def test_one_query_after_any_other(
    first: str, second: str, table: list[tuple[Repository, AccessSummary | None]]
) -> None:
    some, known = of(table)
    wanted = parse(second)
    after = wanted.apply(some, known, parse(first).apply(some, known))
    assert told(after) == told(wanted.apply(some, known))


@given(QUERY, TABLE)
def test_negation_splits_what_is_known(query: str, table: list[tuple[Repository, AccessSummary | None]]) -> None:
    for term in parse(query).terms:
        opposite = dataclasses.replace(term, negated=not term.negated)
        some, known = of(table)
        for one in some:
            here, there = term.verdict(known)(one), opposite.verdict(known)(one)
            assert (here is None) == (there is None)
            assert here is None or here != there


@given(QUERY, ROW)
def test_highlights_are_ascending_places_without_overlap(query: str, row: Repository) -> None:
    for loose in (False, True):
        spans = parse(query).spans(row.name, loose=loose)
        assert all(0 <= start < end <= len(row.name) for start, end in spans)
        assert all(one[1] < two[0] for one, two in itertools.pairwise(spans))


def test_a_row_that_gets_known_later() -> None:
    one, two = entries([repository("a", None), repository("b", {"Team": "x"})])
    assert parse("tag:Team").apply([one, two]).unknown == 1
    row = repository("a", {"Team": "y"})
    one.take(row, row)
    result = parse("tag:Team").apply([one, two])
    assert (names(result), result.unknown) == (["a", "b"], 0)
    assert names(parse("team=y").apply([one, two])) == ["a"]
    assert parse("access:pull").apply([one, two], UNREAD).unknown == 2
