"""A whole registry: who may do what, what is odd, what is not known; and that it stays quick when it is large."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_tui.access.audit import examine
from ecr_tui.access.audit_pulls import not_pulled, pulled_from_outside
from ecr_tui.access.audit_reading import WORKERS, Entry, read_policies
from ecr_tui.access.audit_result import Audit, RepositoryAudit
from ecr_tui.aws.model import ImagesSummary, RegistryFacts, Repository
from ecr_tui.errors import Cancelled, DeniedError
from ecr_tui.policy import who
from ecr_tui.policy.actions import Access
from ecr_tui.policy.lint import lint
from ecr_tui.policy.ours import Grant, Own
from ecr_tui.policy.who import Capability, Verdict

A, B, C = "111111111111", "222222222222", "333333333333"
REGION = "eu-central-1"
USER, OTHER = f"arn:aws:iam::{B}:user/devusr2", f"arn:aws:iam::{B}:user/other"
CI = f"arn:aws:iam::{C}:role/build-agent"
ADMIN = f"arn:aws:iam::{A}:role/admin"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
PAYMENTS = {"Team": "Payments"}
DEAD = "AIDAEXAMPLEEXAMPLE12"


def repository(name: str, tags: dict[str, str] | None = None, region: str = REGION) -> Repository:
    return Repository(name, f"arn:aws:ecr:{region}:{A}:repository/{name}", "", region, A, tags)


def entry(
    name: str, *statements: dict[str, Any], tags: dict[str, str] | None = PAYMENTS, region: str = REGION
) -> Entry:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None
    return Entry(repository(name, tags, region), text)


def allow(principal: Any, action: Any = "ecr:*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    named = principal if isinstance(principal, dict) or principal == "*" else {"AWS": principal}
    return {"Effect": effect, "Principal": named, "Action": action, **more}


def by_tag(principal: str, value: str = "Payments", access: Access = Access.PUSH_PULL) -> dict[str, Any]:
    return Own.of_grant(Grant((principal,), access, (("Team", value),)))[0].statement()


PULL = list(Access.PULL.actions)


def audit(*entries: Entry, **more: Any) -> Audit:
    return examine(entries, account=A, now=NOW, **more)


def item(found: Audit, name: str) -> RepositoryAudit:
    return next(one for one in found.repositories if one.repository.name == name)


# --- cells


def test_each_principal_and_capability_with_a_reason() -> None:
    found = audit(
        entry("api", allow(USER, PULL, Sid="Reads"), allow(CI, "ecr:*", Sid="All"), allow(ADMIN, PULL)),
        entry("web"),
    )
    rows = {row.principal: row for row in item(found, "api").rows}
    assert rows[USER].verdict(Capability.PULL) is Verdict.YES
    assert "Reads" in rows[USER].cells[Capability.PULL].reason
    assert rows[USER].verdict(Capability.PUSH) in (Verdict.NO, Verdict.PARTLY)
    assert all(rows[CI].verdict(capability) is Verdict.YES for capability in Capability)
    assert (rows[USER].external, rows[ADMIN].external) == (True, False)
    assert item(found, "web").rows == ()
    assert (found.account, found.regions, found.at) == (A, (REGION,), NOW)


def test_kinds_of_principals_over_the_registry() -> None:
    found = audit(
        entry("open", allow("*", PULL)),
        entry("dead", allow([DEAD, CI], PULL)),
        entry("lambda", allow({"Service": "lambda.amazonaws.com"}, PULL)),
        entry("account", allow(B, PULL)),
    )
    for kind, name in (("everyone", "open"), ("deleted", "dead"), ("service", "lambda"), ("account", "account")):
        ((row, repositories),) = found.of_kind(kind)
        assert [one.name for one in repositories] == [name], (kind, row)
    findings = {finding.id for one in found.repositories for finding in one.findings}
    assert {"public", "dead-principal", "service-without-source"} <= findings


def test_findings_are_those_of_lint_with_the_repositorys_own_tags() -> None:
    stack = {"aws:cloudformation:stack-name": "web", **PAYMENTS}
    entries = [
        entry("one", by_tag(USER), tags={"Team": "Search"}),
        entry("two", by_tag(USER)),
        entry("three", by_tag(USER), tags={**stack}),
        entry("four", tags=stack),
        entry("five", by_tag(USER), tags=None),
        entry("six", allow(USER, PULL, Condition={"StringEquals": {"aws:ResourceTag/Team": "${aws:ResourceTag/Org}"}})),
    ]
    found = audit(*entries)
    for one, given in zip(found.repositories, entries, strict=True):
        expected = lint(one.document, tags=given.repository.tags, account=A, partition="aws", now=NOW)
        assert set(one.findings) == set(expected), given.repository.name
    assert {finding.id for finding in item(found, "one").findings} == {"tag-not-met"}
    assert {finding.id for finding in item(found, "four").findings} == {"managed-elsewhere"}


# --- what cannot be read


def test_an_unreadable_policy_is_listed_with_its_reason() -> None:
    reason = "ecr:GetRepositoryPolicy on repository/secret was denied: User: ... is not authorized"
    found = audit(
        Entry(repository("secret", PAYMENTS), unreadable=reason),
        Entry(repository("broken", PAYMENTS), "{"),
        entry("fine", allow(USER)),
    )
    assert [(one.repository.name, one.rows) for one in found.unknown] == [("secret", ()), ("broken", ())]
    assert found.unknown[0].unreadable == reason
    assert "is not valid" in found.unknown[1].unreadable
    assert len(found.repositories) == 3


@pytest.mark.parametrize(
    ("entries", "error", "warning"),
    [
        ([entry("clean", by_tag(USER))], False, False),
        ([entry("warned", by_tag(USER, "Search"))], False, True),
        ([entry("open", allow("*"))], True, True),
        ([Entry(repository("secret"), unreadable="denied")], True, True),
    ],
    ids=["clean", "warning", "error", "unreadable"],
)
def test_what_fails_a_build(entries: list[Entry], error: bool, warning: bool) -> None:
    found = audit(*entries)
    assert (found.fails("error"), found.fails("warning")) == (error, warning)


def test_a_region_that_failed_fails_a_build() -> None:
    assert audit(entry("clean"), failures={"us-east-1": "timed out"}).fails("error")


# --- drift


def test_drift_by_the_condition_most_used() -> None:
    found = audit(
        entry("granted", by_tag(USER)),
        entry("moved", by_tag(USER), tags={"Team": "Search"}),
        entry("forgotten"),
        entry("to-others", allow(CI, PULL)),
        entry("to-all", allow("*", PULL)),
        entry("elsewhere", by_tag(CI, "Search"), tags={"Team": "Search"}),
        entry("untagged", tags={}),
        entry("unknown", tags=None),
    )
    assert (found.interest.tags, found.interest.origin, found.interest.principals) == (
        (("Team", "Payments"),),
        "most used",
        (USER,),
    )
    not_granted = {one.repository.name: one.not_granted for one in found.repositories if one.not_granted}
    assert not_granted == {"forgotten": (USER,), "to-others": (USER,)}
    unmet = {one.repository.name: one.unmet for one in found.repositories if one.unmet}
    assert set(unmet) == {"moved"}
    assert unmet["moved"][0].principals == (USER,)
    assert "Team" in unmet["moved"][0].reason
    assert "Search" in unmet["moved"][0].reason
    assert {one.repository.name for one in found.drift} == {"forgotten", "to-others", "moved"}


def test_drift_for_a_given_tag_and_principal() -> None:
    entries = [
        entry("granted", by_tag(USER, "Search"), tags={"Team": "Search"}),
        entry("bare", tags={"team": "Search"}),
        entry("case", tags={"Team": "search"}),
        entry("payments", by_tag(USER)),
        entry("partly", tags={"Team": "Search", "Stage": "prod"}),
    ]
    found = audit(*entries, tags=[("Team", "Search")], asked=[OTHER])
    assert found.interest.origin == "given"
    assert {one.repository.name: one.not_granted for one in found.repositories if one.not_granted} == {
        "granted": (OTHER,),
        "bare": (OTHER,),
        "partly": (OTHER,),
    }
    both = audit(*entries, tags=[("Team", "Search"), ("Stage", "prod")], asked=[USER])
    assert [one.repository.name for one in both.repositories if one.not_granted] == ["partly"]


def test_a_void_or_denied_grant_is_none() -> None:
    past = Own.of_grant(Grant((USER,), Access.PULL, (), NOW - timedelta(days=1)))[0].statement()
    deny = allow(USER, "ecr:*", "Deny")
    found = audit(
        entry("expired", past), entry("denied", by_tag(USER), deny), tags=[("Team", "Payments")], asked=[USER]
    )
    assert {one.repository.name for one in found.repositories if one.not_granted} == {"expired", "denied"}


def test_without_tag_conditions_there_is_no_drift() -> None:
    found = audit(entry("one", allow(USER)), entry("two"))
    assert (found.interest.tags, found.interest.origin, found.drift) == ((), "", ())


# --- ends


def test_grants_that_end() -> None:
    soon, past = NOW + timedelta(days=3), NOW - timedelta(days=3)
    found = audit(
        entry("soon", Own.of_grant(Grant((USER,), Access.PULL, (), soon))[0].statement()),
        entry("past", Own.of_grant(Grant((USER,), Access.PULL, (), past))[0].statement()),
        entry("never", by_tag(USER)),
    )
    ends = {one.repository.name: [(end.ends, end.expired) for end in one.endings] for one in found.repositories}
    assert ends == {"soon": [(soon, False)], "past": [(past, True)], "never": []}
    assert {row.verdict(Capability.PULL) for row in item(found, "past").rows} == {Verdict.VOID}


# --- the registry policy


def registry(*statements: dict[str, Any], region: str = REGION, **more: Any) -> RegistryFacts:
    return RegistryFacts(region, json.dumps({"Version": "2012-10-17", "Statement": statements}), **more)


def resource(name: str, region: str = REGION) -> str:
    return f"arn:aws:ecr:{region}:{A}:repository/{name}"


def test_a_registry_policy_counts_where_its_resource_says() -> None:
    facts = registry(
        allow(USER, "ecr:PutImage", "Deny", Resource=resource("pay/*")),
        allow(CI, PULL, Resource="*"),
    )
    found = audit(
        entry("pay/api", by_tag(USER)),
        entry("pay/web", by_tag(USER)),
        entry("search", by_tag(USER)),
        entry("us", by_tag(USER), region="us-east-1"),
        registries=[facts, RegistryFacts("us-east-1")],
    )
    verdicts = {
        one.repository.name: {row.principal: row.verdict(Capability.PUSH) for row in one.rows}
        for one in found.repositories
    }
    assert verdicts["pay/api"][USER] is Verdict.DENIED
    assert verdicts["search"][USER] is Verdict.YES
    assert verdicts["us"] == {USER: Verdict.YES}
    assert {row.principal: row.verdict(Capability.PULL) for row in item(found, "search").rows}[CI] is Verdict.YES
    changes = {(change.principal, change.capability): change for change in found.changes}
    denied = changes[USER, Capability.PUSH]
    assert (denied.without, denied.now, denied.repositories, denied.region) == (
        Verdict.YES,
        Verdict.DENIED,
        2,
        REGION,
    )
    assert changes[CI, Capability.PULL].repositories == 3
    assert (USER, Capability.PULL) not in changes


@pytest.mark.parametrize(
    "more", [{"scope": "V1"}, {"scope": "", "scope_unreadable": "denied"}], ids=["V1", "unknown scope"]
)
def test_a_registry_policy_without_a_say(more: dict[str, str]) -> None:
    found = audit(entry("api", by_tag(USER)), registries=[registry(allow(USER, "ecr:*", "Deny", Resource="*"), **more)])
    assert item(found, "api").rows[0].verdict(Capability.PULL) is Verdict.YES
    assert found.changes == ()


# --- reading


def test_reading_keeps_order_and_reasons_and_tells_progress() -> None:
    repositories = [repository(f"r{number}") for number in range(40)]
    seen: list[tuple[int, int]] = []
    caller = threading.current_thread()

    def read(one: Repository) -> str | None:
        if one.name == "r7":
            raise DeniedError("ecr:GetRepositoryPolicy was denied", detail="User: x\nis not authorized")
        if one.name == "r8":
            raise RuntimeError("surprise")
        return None if one.name == "r9" else f"text of {one.name}"

    def progress(done: int, total: int) -> None:
        assert threading.current_thread() is caller
        seen.append((done, total))

    entries = read_policies(read, repositories, on_progress=progress)
    assert [one.repository for one in entries] == repositories
    assert entries[7].unreadable == "ecr:GetRepositoryPolicy was denied: User: x is not authorized"
    assert "surprise" in entries[8].unreadable
    assert (entries[9].text, entries[9].unreadable) == (None, "")
    assert entries[10].text == "text of r10"
    assert seen == [(number, 40) for number in range(1, 41)]


def test_reading_runs_eight_at_a_time() -> None:
    together = threading.Barrier(WORKERS, timeout=10)
    running: set[int] = set()

    def read(one: Repository) -> str | None:
        running.add(threading.get_ident())
        together.wait()
        return None

    read_policies(read, [repository(f"r{number}") for number in range(WORKERS * 3)])
    assert len(running) == WORKERS == 8


def test_reading_is_left_at_once_when_cancelled() -> None:
    cancel, release = threading.Event(), threading.Event()

    def read(one: Repository) -> str | None:
        cancel.set()
        release.wait(20)
        return None

    started = time.monotonic()
    with pytest.raises(Cancelled):
        read_policies(read, [repository(f"r{number}") for number in range(100)], cancel=cancel)
    assert time.monotonic() - started < 10, "it waited for calls on their way"
    release.set()


def test_nothing_to_read() -> None:
    assert read_policies(lambda one: None, []) == []


def test_working_it_out_can_be_cancelled() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        audit(entry("api", by_tag(USER)), cancel=cancel)


# --- a large registry


def test_equal_policies_and_tags_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 repositories × 20 principals: what is worked out is bounded by the policies, not by the repositories."""
    principals = [f"arn:aws:iam::{B}:user/u{number}" for number in range(20)]
    texts = [
        json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [by_tag(name, team, access) for name in principals],
            }
        )
        for team in ("Payments", "Search", "Data")
        for access in Access
    ]
    entries = [
        Entry(repository(f"r{number}", {"Team": ("Payments", "Search")[number % 2], "Name": f"r{number}"}), text)
        for number, text in ((number, texts[number % 9]) for number in range(10_000))
    ]
    worked_out: list[str] = []
    new_row = who.Matrix._new_row

    def counted(self: Any, principal: str, *rest: Any) -> Any:
        worked_out.append(principal)
        return new_row(self, principal, *rest)

    monkeypatch.setattr(who.Matrix, "_new_row", counted)
    facts = registry(allow(principals[0], "ecr:PutImage", "Deny", Resource=resource("r1*")))
    found = audit(*entries, registries=[facts])
    assert len(found.repositories) == 10_000
    assert sum(len(repositories) for _, repositories in found.rows) == 200_000
    # 9 policies × 2 teams × 20 principals: with and without the registry's statement, with no registry policy at all,
    # and once more for those who are expected by the tag.
    assert len(worked_out) <= 9 * 2 * 20 * 4


# --- access to what nobody pulls


def test_access_from_outside_to_what_is_not_pulled_has_three_answers() -> None:
    names = ("pulled", "idle", "never", "many", "denied", "own", "push")
    statements = {"own": allow(ADMIN, PULL), "push": allow(USER, "ecr:PutImage")}
    found = audit(*(entry(name, statements.get(name, allow(USER, PULL))) for name in names))
    assert [one.name for one in pulled_from_outside(found)] == ["pulled", "idle", "never", "many", "denied"]
    old = NOW - timedelta(days=40)
    images: dict[str, ImagesSummary | str] = {
        "pulled": ImagesSummary(3, old, NOW - timedelta(days=5)),
        "idle": ImagesSummary(2, old, old),
        "never": ImagesSummary(0, None),
        "many": ImagesSummary(10_000, old, old, complete=False),
        "denied": "ecr:DescribeImages was denied",
    }
    by_arn = {repository(name).arn: one for name, one in images.items()}
    pulls = not_pulled(found, 30, by_arn)
    assert [(one.repository.name, one.principals, one.last_pull) for one in pulls.found] == [
        ("idle", (USER,), old),
        ("never", (USER,), None),
    ]
    assert {one.name: reason for one, reason in pulls.unknown} == {
        "many": "only 10,000 of its images were read",
        "denied": "ecr:DescribeImages was denied",
    }
    young = replace(repository("idle", PAYMENTS), created_at=NOW - timedelta(days=3))
    assert not_pulled(audit(Entry(young, entry("idle", allow(USER, PULL)).text)), 30, by_arn).found == ()
