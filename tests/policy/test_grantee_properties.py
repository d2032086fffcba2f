"""What holds for every mix of grantees: granted, changed and revoked in any order and any part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ecr_tui.errors import InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.actions import Access
from ecr_tui.policy.answer import Verdict, answer
from ecr_tui.policy.change import Grant, equivalent, merge, revoke
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.ours import read_own
from ecr_tui.policy.principal import canonical
from tests.policy.build import BOB, CAROL, ROOT_B, A, B
from tests.policy.strategies import documents

C = "444444444444"
ORG, OTHER_ORG = "org/o-a1b2c3d4e5", "org/o-z9y8x7w6v5"
UNIT = "ou/o-z9y8x7w6v5/r-ab12/ou-ab12-11111111"
LAMBDA = f"service/lambda.amazonaws.com@arn:aws:lambda:*:{B}:function:*"
ONE_FUNCTION = f"service/lambda.amazonaws.com@arn:aws:lambda:eu-central-1:{B}:function:one"
LAMBDA_C = f"service/lambda.amazonaws.com@{C}"
BUILD = f"service/codebuild.amazonaws.com@{B}"
GRANTEES = [BOB, CAROL, ROOT_B, ORG, OTHER_ORG, UNIT, f"{UNIT}/*", LAMBDA, ONE_FUNCTION, LAMBDA_C, BUILD]
ARN = f"arn:aws:ecr:eu-central-1:{A}:repository/app"
NOW = datetime(2026, 11, 29, tzinfo=UTC)
FEW = settings(max_examples=60, deadline=None)

some = st.lists(st.sampled_from(GRANTEES), min_size=1, max_size=5, unique=True).map(tuple)
conditions = st.sampled_from([(), (("Team", "blue"),), (("Team", "bl*"), ("Env", "prod"))])
ends = st.sampled_from([None, NOW + timedelta(days=3)])


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    principals = draw(some)
    access = st.just(Access.PULL) if grantees.only_pulls(principals) else st.sampled_from(list(Access))
    return Grant(principals, draw(access), draw(conditions), draw(ends))


def foreign(document: PolicyDocument | None) -> list[Any]:
    return [one.raw for one in (document.statements if document else ()) if read_own(one) is None]


def without_ours(document: PolicyDocument) -> PolicyDocument:
    return document.replace(foreign(document))


def verdict(document: PolicyDocument | None, grantee: str, grant: Grant) -> Verdict:
    tags = {key: value.replace("*", "ue") for key, value in grant.tags}
    return answer(document, grantee, grant.access.actions, repository_arn=ARN, tags=tags, now=NOW).verdict


def merged(document: PolicyDocument | None, grant: Grant) -> PolicyDocument | None:
    try:
        return merge(document, grant).after
    except InputError:  # more than ECR takes
        assume(False)
        raise


@FEW
@given(documents(), st.lists(grants(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_revoking_all_that_was_granted_leaves_what_was_there(
    document: PolicyDocument, given_away: list[Grant], random: Any
) -> None:
    before = without_ours(document)
    now: PolicyDocument | None = before
    for grant in given_away:
        now = merged(now, grant)
        assert foreign(now) == foreign(before)
    everyone = sorted({one for grant in given_away for one in grant.principals})
    random.shuffle(everyone)
    while everyone:
        part = tuple(everyone.pop() for _ in range(random.randint(1, len(everyone))))
        now = revoke(now, part).after
        assert foreign(now) == foreign(before)
    assert [one.raw for one in (now.statements if now else ())] == foreign(before)


@FEW
@given(grants(), st.sets(st.sampled_from(GRANTEES)))
def test_a_part_is_revoked_as_if_it_had_not_been_granted(grant: Grant, part: set[str]) -> None:
    kept = tuple(one for one in grant.principals if one not in part)
    part &= set(grant.principals)
    # Nobody can tell what the account was given for Lambda from what it was given for itself.
    assume(not (ROOT_B in kept and part & {LAMBDA, ONE_FUNCTION}))
    left = revoke(merged(None, grant), tuple(part)).after
    expected = merged(None, Grant(kept, grant.access, grant.tags, grant.until)) if kept else None
    companions = {canonical(one) for name in kept for one in grantees.companions(name)}
    if ROOT_B in part and canonical(ROOT_B) in companions:
        expected = revoke(expected, (ROOT_B,)).after
    assert equivalent(left, expected)


@FEW
@given(documents(), grants())
def test_what_is_granted_is_what_is_decided(document: PolicyDocument, grant: Grant) -> None:
    allows = [one for one in foreign(document) if one.get("Effect") == "Allow"]
    before = document.replace(allows) if allows else None
    after = merged(before, grant)
    for grantee in (*grant.principals, *grant.companions):
        assert verdict(after, grantee, grant) is Verdict.YES
    back = revoke(after, grant.principals).after
    for grantee in GRANTEES:
        assert verdict(back, grantee, grant) is verdict(without_ours(before) if before else None, grantee, grant)


@FEW
@given(grants(), grants())
def test_lambda_never_narrows_what_its_account_has(first: Grant, lambdas: Grant) -> None:
    of_root = Grant((ROOT_B,), first.access, first.tags, first.until)
    to_lambda = Grant((LAMBDA,), Access.PULL, lambdas.tags, lambdas.until)
    before = merged(None, of_root)
    after = merged(before, to_lambda)
    assert before is not None
    assert after is not None
    texts = [one.raw for one in after.statements]
    assert all(one.raw in texts for one in before.statements)
    assert verdict(after, ROOT_B, to_lambda) is Verdict.YES
    same = (of_root.access, of_root.tags, of_root.until) == (Access.PULL, to_lambda.tags, to_lambda.until)
    assert equivalent(revoke(after, (LAMBDA,)).after, None if same else before)


@FEW
@given(grants(), grants(), st.sampled_from([(LAMBDA, ONE_FUNCTION), (ONE_FUNCTION, LAMBDA)]))
def test_a_companion_stays_for_the_other(one: Grant, other: Grant, names: tuple[str, str]) -> None:
    first, second = (
        Grant((name,), Access.PULL, grant.tags, grant.until) for name, grant in zip(names, (one, other), strict=True)
    )
    both = merged(merged(None, first), second)
    left = revoke(both, first.principals).after
    assert verdict(left, ROOT_B, second) is Verdict.YES
    assert revoke(left, second.principals).after is None
