"""CloudTrail's events added up, read in parts, kept, and held against grants."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_tui.access import usage_file, usage_reading
from ecr_tui.access.usage import MESSAGE, Attempt, Kind, Tally, Use, complete_from, covering, gaps
from ecr_tui.access.usage_grants import Answer, Period, grant_uses
from ecr_tui.access.usage_reading import LATE, Reading, Record, read
from ecr_tui.access.usage_report import RegionUsage, UsageReport
from ecr_tui.aws.model import Repository
from ecr_tui.aws.trail import Caller, TrailEvent, TrailPage, parsed
from ecr_tui.errors import DeniedError, EnvironmentFailure, Throttled
from ecr_tui.policy.document import PolicyDocument
from ecr_tui.policy.who import Capability, who_can
from ecr_tui.render.usage import usage_text
from ecr_tui.secret import remember

A, B, C = "111111111111", "222222222222", "333333333333"
NOW = datetime(2026, 11, 29, 9, 0, 0, tzinfo=UTC)
NAME = "payments/api"
REPOSITORY = Repository(NAME, f"arn:aws:ecr:eu-central-1:{A}:repository/{NAME}", "", "eu-central-1", A, {})
USER = f"arn:aws:iam::{B}:user/devusr2"
SECOND = timedelta(seconds=1)


def event(days: float, name: str = "BatchGetImage", caller: Caller | None = None, **more: Any) -> TrailEvent:
    at = (NOW - timedelta(days=days)).replace(microsecond=0)
    return TrailEvent(at, name, caller or Caller(B, USER), (NAME,), **more)


@pytest.fixture(autouse=True)
def no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_reading, "INTERVAL", 0.0)


class Trail:
    """LookupEvents as CloudTrail has it, over a list of events: newest first, ``size`` a page."""

    def __init__(self, events: Sequence[TrailEvent], size: int = 50) -> None:
        self.events = sorted(events, key=lambda one: one.at, reverse=True)
        self.size = size
        self.calls: list[tuple[datetime, datetime]] = []
        self.fails_after = -1
        self.failure: Exception = Throttled("throttled")

    def __call__(self, start: datetime, end: datetime, token: str) -> TrailPage:
        if len(self.calls) == self.fails_after:
            raise self.failure
        self.calls.append((start, end))
        found = [one for one in self.events if start <= one.at <= end]
        first = int(token or 0)
        more = first + self.size < len(found)
        return TrailPage(tuple(found[first : first + self.size]), str(first + self.size) if more else "")


def counted(record: Record) -> int:
    return sum(span.number for span in record.tally.uses.values())


def test_events_become_uses_by_principal_repository_and_kind() -> None:
    record = {
        "eventTime": "2026-11-20T10:00:00Z",
        "eventName": "BatchGetImage",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:i-1",
            "arn": f"arn:aws:sts::{B}:assumed-role/node/i-1",
            "accountId": B,
            "sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{B}:role/eks/node", "accountId": B}},
            "invokedBy": "AWS Internal",
        },
        "requestParameters": {"repositoryName": NAME, "registryId": A},
        "resources": [{"ARN": REPOSITORY.arn, "accountId": A}],
    }
    found = parsed(json.dumps(record), A)
    assert found is not None
    assert (found.caller, found.repositories) == (Caller(B, f"arn:aws:iam::{B}:role/eks/node"), (NAME,))
    other = record | {"resources": [{"ARN": REPOSITORY.arn.replace(A, B), "accountId": B}]}
    assert parsed(json.dumps(other), A) == TrailEvent(found.at, found.name, found.caller)
    unnamed = record | {"userIdentity": {"type": "AWSAccount", "accountId": B, "principalId": "AIDAEXAMPLE"}}
    anonymous = parsed(json.dumps(unnamed), A)
    assert anonymous is not None
    assert anonymous.caller == Caller(B, "", "AIDAEXAMPLE")
    assert parsed("{}", A) is None
    assert parsed("nonsense", A) is None

    tally = Tally()
    denial = f"User: arn:aws:sts::{B}:assumed-role/ci/run is not authorized to perform: ecr:PutImage on resource: x"
    tally.add(
        [
            event(3),
            event(1, "GetDownloadUrlForLayer"),
            event(2, "PutImage"),
            event(2, "PutImage", code="ImageTagAlreadyExistsException"),
            event(2, "PutImage", code="ThrottlingException"),
            event(2, "PutImage", Caller(B, "", "AROAEXAMPLE:run"), code="AccessDenied", message=denial),
            event(2, "DescribeImages", by_us=True),
        ]
    )
    uses = {(use.kind.value, span.number) for use, span in tally.uses.items()}
    assert uses == {("pull", 2), ("push", 2)}
    pull = tally.uses[Use(Caller(B, USER), NAME, Kind.PULL)]
    assert (pull.first, pull.last) == (event(3).at, event(1).at)
    assert list(tally.denials) == [Attempt(Caller(B, f"arn:aws:iam::{B}:role/ci"), NAME, "PutImage")]


HOURS = st.integers(0, 100).map(lambda hours: NOW - timedelta(hours=hours))
RANGES = st.lists(st.tuples(HOURS, HOURS).map(sorted).map(tuple))


@given(RANGES, st.tuples(HOURS, HOURS).map(sorted))
def test_ranges_and_gaps_are_each_others_complement(ranges: list[Any], wanted: list[datetime]) -> None:
    covered: tuple[Any, ...] = ()
    for one in ranges:
        covered = covering(covered, one)
    start, end = wanted
    missing = gaps(covered, start, end)
    for hours in range(101):
        at = NOW - timedelta(hours=hours)
        inside = any(begins <= at < ends for begins, ends in covered)
        assert inside == any(begins <= at < ends for begins, ends in ranges)
        assert any(begins <= at < ends for begins, ends in missing) == (start <= at < end and not inside)
    assert missing == sorted(missing, reverse=True)
    since = complete_from(covered, end)
    assert since is None or gaps(covered, since, end) == []


@given(
    st.lists(st.integers(0, 40 * 86_400), max_size=60),
    st.integers(1, 7),
    st.lists(st.integers(1, 4), max_size=6),
    st.integers(0, 3),
)
def test_however_often_it_is_cut_each_event_counts_once(
    seconds: list[int], size: int, cuts: list[int], burst: int
) -> None:
    """``burst``: several events in each second, so that a page ends within one."""
    trail = Trail([event(at / 86_400) for at in seconds for _ in range(burst + 1)], size)
    record = Record(A, "eu-central-1")
    start = NOW - timedelta(days=30)
    wanted = sum(one.at >= start for one in trail.events)
    for pages in cuts:
        read(record, trail, start=start, now=NOW, pages=pages)
        since = record.complete_from
        known = [one for one in trail.events if since is not None and one.at >= since]
        assert counted(record) >= len(known)
        assert counted(record) <= wanted
    done = read(record, trail, start=start, now=NOW, pages=10_000)
    assert (done.stopped, counted(record), record.complete_from) == ("", wanted, start)
    before = len(trail.calls)
    read(record, trail, start=start, now=NOW + timedelta(minutes=5))
    assert counted(record) == wanted
    assert trail.calls[before:][-1][0] >= NOW - LATE - SECOND


def test_a_limit_a_throttling_and_a_cancel_say_since_when_all_is_known() -> None:
    trail = Trail([event(days / 10) for days in range(1, 300)], 50)
    record = Record(A, "eu-central-1")
    start = NOW - timedelta(days=60)
    cut = read(record, trail, start=start, now=NOW, pages=2)
    assert (cut.stopped, cut.pages, cut.events) == ("limit", 2, 100)
    since = record.complete_from
    assert since == event(10).at + SECOND
    trail.fails_after = 3
    assert read(record, trail, start=start, now=NOW).stopped == "throttled"
    cancel = threading.Event()
    cancel.set()
    trail.fails_after = -1
    before = counted(record)
    assert read(record, trail, start=start, now=NOW, cancel=cancel).stopped == "cancelled"
    assert (counted(record), record.complete_from) == (before, since)
    read(record, trail, start=start, now=NOW)
    assert (counted(record), record.complete_from) == (299, start)


def test_an_event_that_arrives_late_is_not_missed() -> None:
    trail = Trail([event(1)])
    record = Record(A, "eu-central-1")
    read(record, trail, start=NOW - timedelta(days=2), now=NOW)
    trail.events.append(event(10 / 1440))
    later = NOW + timedelta(minutes=10)
    read(record, trail, start=later - timedelta(days=2), now=later)
    assert counted(record) == 2
    read(record, trail, start=later - timedelta(days=2), now=later + timedelta(hours=1))
    assert counted(record) == 2


def test_what_was_read_is_kept_for_this_user_alone(tmp_path: Path) -> None:
    denied = "User: x is not authorized to perform: ecr:PutImage"
    events = [event(1), event(2, "PutImage", code="AccessDenied", message=denied, by_us=True)]
    record = Record(A, "eu-central-1")
    folder = tmp_path / "state"
    read(
        record,
        Trail(events),
        start=NOW - timedelta(days=30),
        now=NOW,
        save=lambda: usage_file.save(folder, record),
    )
    path = usage_file.path_of(folder, A, "eu-central-1")
    assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert usage_file.load(folder, A, "eu-central-1") == (record, "")
    assert usage_file.load(folder, A, "eu-west-1") == (Record(A, "eu-west-1"), "")
    path.write_text(path.read_text()[:-20])
    again, note = usage_file.load(folder, A, "eu-central-1")
    assert (again, "damaged" in note) == (Record(A, "eu-central-1"), True)
    path.write_text(json.dumps({"v": 99}))
    with pytest.raises(EnvironmentFailure, match="newer version"):
        usage_file.load(folder, A, "eu-central-1")


def test_a_call_that_fails_loses_nothing_of_what_was_read(tmp_path: Path) -> None:
    trail = Trail([event(days / 10) for days in range(1, 300)], 50)
    trail.fails_after, trail.failure = 2, DeniedError("denied")
    record = Record(A, "eu-central-1")
    kept: list[int] = []
    with pytest.raises(DeniedError):
        read(record, trail, start=NOW - timedelta(days=60), now=NOW, save=lambda: kept.append(counted(record)))
    assert kept == [99]


# -- grants ----------------------------------------------------------------------------------------------------------

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


def answers(
    principal: Any,
    events: Sequence[TrailEvent],
    *,
    condition: Any = None,
    days: int = 30,
    covered: float | None = 90,
    last_pull: datetime | None = None,
) -> tuple[Answer, str]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": PULL}
    if condition:
        statement["Condition"] = condition
    document = PolicyDocument.from_json({"Version": "2012-10-17", "Statement": [statement]})
    rows = who_can(document, repository_arn=REPOSITORY.arn, tags={}, now=NOW)
    tally = Tally()
    tally.add(events)
    since = None if covered is None else NOW - timedelta(days=covered)
    period = Period(NOW - timedelta(days=days), since, NOW)
    (found,) = grant_uses(REPOSITORY, rows, tally, period, last_pull)
    assert found.capability is Capability.PULL
    return found.answer, found.reason


NODE = f"arn:aws:iam::{B}:role/node"
UNNAMED_ROLE, UNNAMED_USER = Caller(B, "", "AROAEXAMPLE"), Caller(B, "", "AIDAEXAMPLE")


@pytest.mark.parametrize(
    ("principal", "caller", "answer"),
    [
        ({"AWS": USER}, Caller(B, USER), Answer.USED),
        ({"AWS": USER}, Caller(B, NODE), Answer.NO_EVENT),
        ({"AWS": USER}, UNNAMED_USER, Answer.UNKNOWN),
        ({"AWS": USER}, UNNAMED_ROLE, Answer.NO_EVENT),
        ({"AWS": NODE}, Caller(B, f"arn:aws:iam::{B}:role/eks/node"), Answer.USED),
        ({"AWS": NODE}, UNNAMED_ROLE, Answer.UNKNOWN),
        ({"AWS": f"arn:aws:sts::{B}:assumed-role/node/i-1"}, Caller(B, NODE), Answer.UNKNOWN),
        ({"AWS": B}, UNNAMED_ROLE, Answer.USED),
        ({"AWS": B}, Caller(C, f"arn:aws:iam::{C}:user/x"), Answer.NO_EVENT),
        ("*", Caller(B, USER), Answer.USED),
        ("*", Caller(A, f"arn:aws:iam::{A}:user/own"), Answer.NO_EVENT),
        ({"Service": "lambda.amazonaws.com"}, Caller(B, USER), Answer.UNKNOWN),
        ({"Service": "lambda.amazonaws.com"}, Caller("", "", "", "lambda.amazonaws.com"), Answer.USED),
    ],
)
def test_a_grant_is_matched_by_as_much_as_the_event_tells(principal: Any, caller: Caller, answer: Answer) -> None:
    assert answers(principal, [event(5, caller=caller)])[0] is answer


def test_an_organization_is_matched_by_account_and_stays_unknown() -> None:
    organization = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    found, reason = answers("*", [event(5)], condition=organization)
    assert (found, "user devusr2 in 222222222222" in reason) == (Answer.UNKNOWN, True)
    assert answers("*", [], condition=organization)[0] is Answer.NO_EVENT


def test_no_more_is_said_than_the_events_cover() -> None:
    old = [event(40)]
    assert answers({"AWS": USER}, old)[0] is Answer.NO_EVENT
    assert answers({"AWS": USER}, old, days=60)[0] is Answer.USED
    assert answers({"AWS": USER}, [], covered=None) == (Answer.UNKNOWN, "no events read yet")
    period = Period(NOW - timedelta(days=30), NOW - timedelta(days=2), NOW)
    assert (period.start, period.whole) == (NOW - timedelta(days=2), False)


def test_a_pull_that_ecr_recorded_and_no_event_explains_makes_it_unknown() -> None:
    found, reason = answers({"AWS": USER}, [event(20)], days=10, last_pull=NOW - timedelta(days=3))
    assert (found, "no event explains" in reason) == (Answer.UNKNOWN, True)
    own = [event(3, caller=Caller(A, f"arn:aws:iam::{A}:user/own"))]
    assert answers({"AWS": USER}, own, days=10, last_pull=NOW - timedelta(days=3))[0] is Answer.NO_EVENT
    assert answers({"AWS": USER}, [], days=10, last_pull=NOW - timedelta(days=20))[0] is Answer.NO_EVENT


def test_a_secret_that_the_limit_would_cut_is_hidden_whole() -> None:
    key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    remember(key)
    tally = Tally()
    tally.add([event(1, code="AccessDenied", message="." * (MESSAGE - 12) + key)])
    (refused,) = tally.denials.values()
    assert key[:8] not in refused.message


def test_the_table_has_each_number_below_its_head() -> None:
    tally = Tally()
    tally.add([event(5), event(2)])
    region = RegionUsage("eu-central-1", Period(NOW - timedelta(days=30), None, NOW), Reading(), (*tally.uses.items(),))
    shown = usage_text(UsageReport(A, NOW, 30, 30, (REPOSITORY,), (region,), unreadable={REPOSITORY.arn: "denied"}))
    heads, row = next((one, two) for one, two in pairwise(shown.splitlines()) if "REPOSITORY" in one)
    below = {head: row[heads.index(head) :].split("  ")[0].strip() for head in ("EVENTS", "FIRST", "LAST (UTC)")}
    assert below == {"EVENTS": "2", "FIRST": "2026-11-24 09:00", "LAST (UTC)": "2026-11-27 09:00"}
    assert f"policy of {NAME} unknown: denied" in shown
