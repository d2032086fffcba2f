"""How fast the policy room decides, and an audit of a whole registry is. Prints; asserts nothing about time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from ecr_tui.policy.actions import Access, all_actions
from ecr_tui.policy.change import Grant, merge
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.evaluate import Policies, Request, context_for, decide
from ecr_tui.policy.lint import lint
from ecr_tui.policy.who import Matrix
from tests.benchmarks.measures import Row, times

A, B = "111111111111", "222222222222"
ARN = f"arn:aws:ecr:eu-central-1:{A}:repository/"
USERS = [f"arn:aws:iam::{B}:user/user{number}" for number in range(20)]


def typical() -> PolicyDocument:
    """Three grants, one of them by tag, the statement of Lambda and a Deny outside TLS."""
    document: PolicyDocument | None = None
    for grant in (
        Grant((USERS[0],), Access.PUSH_PULL, (("Team", "Payments"),)),
        Grant((USERS[1],), Access.PULL),
        Grant((f"arn:aws:iam::{B}:role/ci",), Access.PUSH),
    ):
        document = merge(document, grant).after
    assert document is not None
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    more = [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": pull},
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "ecr:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
    return document.replace([*[item.raw for item in document.statements], *more])


def rate(name: str, call: Callable[[int], object], seconds: float = 1.0) -> float:
    """Calls a second, the best of three rounds (the first warms up)."""
    best = 0.0
    for _ in range(3):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            for _ in range(500):
                call(count)
                count += 1
        best = max(best, count / (time.perf_counter() - start))
    print(f"{name:<64} {best:>12,.0f} /s")
    return best


def main() -> list[Row]:
    document = typical()
    identity = PolicyDocument.from_json({"Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]})
    policies = Policies((identity,), document)
    actions = all_actions()
    context = context_for(USERS[0], A, {"Team": "Payments"})
    requests = [Request(action, ARN + "app", A, USERS[0], context) for action in actions]
    warm = rate("decide, both sides, requests made before", lambda n: decide(requests[n % len(requests)], policies))
    rate(
        "decide, both sides, a new request each time",
        lambda n: decide(Request(actions[n % len(actions)], ARN + "app", A, USERS[n % 20], context), policies),
    )
    rate("decide and say why", lambda n: decide(requests[n % len(requests)], policies).reasons)
    cold = rate(
        "parse and compile", lambda n: decide(requests[0], Policies((identity,), PolicyDocument.parse(document.text)))
    )
    rate("lint", lambda n: lint(document, tags={"Team": "Payments"}, account=A))
    rate("grant", lambda n: merge(document, Grant((USERS[5],), Access.PULL)))

    texts = [
        merge(document, Grant((f"arn:aws:iam::{B}:role/team{number}",), Access.PULL, (("Team", f"t{number}"),))).after
        for number in range(100)
    ]
    start = time.perf_counter()
    matrix = Matrix(USERS, account=A, now=datetime.now(UTC))
    for number in range(10_000):
        matrix.rows(texts[number % 100], {"Team": f"t{number % 7}", "Name": f"r{number}"}, f"{ARN}r{number}")
    took = time.perf_counter() - start
    print(f"{'who: 10,000 repositories × 20 principals, 100 policies':<64} {took:>12.2f} s")
    return [
        Row(
            "Decisions a second, a policy of five statements",
            f"{warm:,.0f} /s",
            f"the policy parsed for each: {cold:,.0f} /s",
            times(warm, cold),
        )
    ]


if __name__ == "__main__":
    main()
