"""A document loses nothing, and reading one fails with PolicyError only."""

from __future__ import annotations

import json

import pytest

from ecr_tui.errors import InputError
from ecr_tui.policy.document import LIMIT, PolicyDocument, PolicyError
from tests.policy.build import SEED, allow, policy

ODD = """{ "Id" : "x",
  "Statement": {"Effect":"Allow","Principal":"*", "Action":"ecr:*",
     "Condition":{"NumericLessThan":{"aws:x":1.10},"Bool":{"aws:y":true}}, "Comment": [1e3, -0, null, "é"]} ,
  "Version":"2008-10-17" }"""


def test_text_is_exactly_what_was_read() -> None:
    assert PolicyDocument.parse(ODD).text == ODD


def test_minified_keeps_unknown_elements_order_and_the_spelling_of_numbers() -> None:
    assert PolicyDocument.parse(ODD).minified() == (
        '{"Id":"x","Statement":{"Effect":"Allow","Principal":"*","Action":"ecr:*","Condition":'
        '{"NumericLessThan":{"aws:x":1.10},"Bool":{"aws:y":true}},"Comment":[1e3,-0,null,"é"]},"Version":"2008-10-17"}'
    )


def test_pretty_reads_back_as_the_same_document() -> None:
    document = PolicyDocument.parse(ODD)
    assert PolicyDocument.parse(document.pretty()).minified() == document.minified()


def test_json_is_a_copy() -> None:
    document = PolicyDocument.from_json(SEED)
    document.json["Statement"][0]["Action"].clear()
    assert document.json == SEED


def test_a_built_document_does_not_share_its_source() -> None:
    source = json.loads(json.dumps(SEED))
    document = PolicyDocument.from_json(source)
    source["Statement"].clear()
    assert len(document.statements) == 1


def test_statement_as_an_object_is_one_statement() -> None:
    (statement,) = PolicyDocument.parse(ODD).statements
    assert statement.principals == (("AWS", "*"),)
    assert statement.condition == {"NumericLessThan": {"aws:x": ("1.10",)}, "Bool": {"aws:y": ("true",)}}
    assert statement.name == "statement 1"


def test_size_counts_the_minified_characters() -> None:
    assert PolicyDocument.parse('{ "Statement" : [ ] }').size == len('{"Statement":[]}')
    assert LIMIT == 10_240


@pytest.mark.parametrize(
    ("version", "expands"), [("2012-10-17", True), ("2008-10-17", False), (None, False), ("2020-01-01", False)]
)
def test_variables_need_the_new_version(version: str | None, expands: bool) -> None:
    assert policy(allow(), version=version).expands_variables is expands


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('{"a": 1,\n "b" 2}', 2, 6, "not valid JSON"),
        ("", 1, 1, "not valid JSON"),
        ('{"Statement": [],\n  "Statement": []}', 2, 3, 'the key "Statement" occurs twice'),
        ('{"x": {"a": 1}, "y": {"a": 1},\n "x": 1}', 2, 2, 'the key "x" occurs twice'),
        ('{"\\u0061": 1, "a": "{\\"a\\""}', 1, 15, 'the key "a" occurs twice'),
        ('{"NaN": "NaN",\n "a": NaN}', 2, 7, "NaN is not a JSON number"),
        ('{"a": -Infinity}', 1, 7, "-Infinity is not a JSON number"),
        ('{"a":\n 1e999}', 2, 2, "out of range"),
        ("[]", 1, 1, "must be a JSON object"),
        ('"x"', 1, 1, "must be a JSON object"),
        ("\ufeff{}", 1, 1, "not valid JSON"),
        ('{"a": "\n"}', 1, 8, "not valid JSON"),
    ],
)
def test_bad_json_is_told_with_its_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        PolicyDocument.parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in caught.value.title
    assert f"line {line}, column {column}" in str(caught.value)
    assert isinstance(caught.value, InputError)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 2000 + "1" + "}" * 2000,
        '{"a": ' + "1" * 5000 + "}",
        '{"a": "\\ud800"}',
        '{"a": "\ud800"}',
        '{"\\udc00": 1}',
        '{"Statement": 5}',
        '{"Statement": [5]}',
        '{"Statement": "x"}',
        "null",
    ],
)
def test_everything_else_that_is_no_policy_raises_policy_error(text: str) -> None:
    with pytest.raises(PolicyError):
        PolicyDocument.parse(text)


def test_from_json_refuses_what_is_no_json() -> None:
    endless: dict[str, object] = {}
    endless["a"] = endless
    for data in ({"a": {1}}, {1: 2}, {"a": float("nan")}, {"a": 10**2000}, [], endless, {"Statement": [[]]}):
        with pytest.raises(PolicyError):
            PolicyDocument.from_json(data)


def test_malformed_parts_are_read_as_nothing() -> None:
    document = policy({"Effect": "allow", "Principal": "bob", "Action": [5, "ecr:PutImage"], "Condition": []})
    (statement,) = document.statements
    assert (statement.effect, statement.principals, statement.actions) == ("", (), ("ecr:PutImage",))
    assert statement.condition == {}


def test_an_empty_document_is_of_the_new_version() -> None:
    assert PolicyDocument.empty().json == {"Version": "2012-10-17", "Statement": []}


def test_replace_keeps_the_other_elements_and_their_order() -> None:
    document = PolicyDocument.parse('{"Statement": [], "Version": "2008-10-17", "Later": 1.50}')
    assert document.replace([allow()]).minified().startswith('{"Statement":[{')
    assert document.replace([allow()]).minified().endswith('"Version":"2008-10-17","Later":1.50}')
