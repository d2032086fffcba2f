"""Random policies: plausible ones, odd ones, and arbitrary JSON."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from ecr_tui.policy.actions import Access, all_actions
from ecr_tui.policy.change import Grant, merge
from ecr_tui.policy.document import PolicyDocument
from tests.policy.build import BOB, CAROL, ROOT_B, SESSION, A, B

PRINCIPALS = [
    BOB,
    CAROL,
    B,
    ROOT_B,
    SESSION,
    f"arn:aws:iam::{B}:role/puller",
    f"arn:aws:iam::{A}:user/alice",
    A,
    "AIDAJQABLZS4A3QDU576Q",
]
TAGS = [{}, {"Team": "blue"}, {"Team": "red"}, {"team": "blue", "Env": "prod"}]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def one_or_more(values: Any) -> Any:
    return values | st.lists(values, min_size=1, max_size=3)


actions = one_or_more(st.sampled_from([*all_actions(), "ecr:*", "*", "ecr:Batch*", "ecr:Put?mage", "ecr:Nope"]))
principals = st.just("*") | st.fixed_dictionaries(
    {"AWS": one_or_more(st.sampled_from([*PRINCIPALS, "*"]))},
    optional={"Service": st.just("lambda.amazonaws.com")},
)
values = one_or_more(st.sampled_from(["blue", "red", "b*", "${aws:username}", "bob", "true", "o-1"]))
keys = st.sampled_from(
    ["aws:ResourceTag/Team", "ecr:ResourceTag/team", "aws:PrincipalOrgID", "aws:username", "aws:PrincipalTag/x"]
)
operators = st.sampled_from(
    ["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists", "ForAnyValue:StringLike", "Null", "Odd"]
)
conditions = st.dictionaries(operators, st.dictionaries(keys, values, min_size=1, max_size=2), min_size=1, max_size=2)


grants = st.builds(
    Grant,
    st.lists(
        st.sampled_from([BOB, CAROL, ROOT_B, SESSION, f"arn:aws:iam::{B}:role/puller"]),
        min_size=1,
        max_size=3,
        unique=True,
    ).map(tuple),
    st.sampled_from(list(Access)),
    st.sampled_from(
        [
            (),
            (("Team", "blue"),),
            (("Team", "blue"), ("Env", "prod")),
            (("Team", "a"), ("Team", "b")),
            (("Team", "bl*"),),
        ]
    ),
)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    made[draw(st.sampled_from(["Principal", "Principal", "Principal", "NotPrincipal"]))] = draw(principals)
    made[draw(st.sampled_from(["Action", "Action", "Action", "NotAction"]))] = draw(actions)
    if draw(st.booleans()):
        made["Condition"] = draw(conditions)
    if draw(st.booleans()):
        made["Sid"] = draw(st.sampled_from(["A", "B", "EcrTuiPull0123456789", "x y"]))
    if draw(st.integers(0, 5)) == 0:
        made[draw(st.sampled_from(["Later", "Resource", "Comment"]))] = draw(json_values)
    return made


@st.composite
def documents(draw: st.DrawFn) -> PolicyDocument:
    found = draw(st.lists(statements(), max_size=5))
    data: dict[str, Any] = {}
    version = draw(st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17", None]))
    if version:
        data["Version"] = version
    data["Statement"] = found[0] if len(found) == 1 and draw(st.booleans()) else found
    if draw(st.integers(0, 4)) == 0:
        data["Id"] = draw(st.text(max_size=5))
    document = PolicyDocument.parse(json.dumps(data, indent=draw(st.sampled_from([None, 2]))))
    for grant in draw(st.lists(grants, max_size=2)):
        document = merge(document, grant).after or document
    return document


callers = st.sampled_from(
    [
        BOB,
        CAROL,
        SESSION,
        f"arn:aws:iam::{B}:role/puller",
        f"arn:aws:iam::{A}:user/alice",
        "arn:aws:iam::333333333333:user/eve",
        "lambda.amazonaws.com",
    ]
)
