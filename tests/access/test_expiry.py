"""What can be typed for the end of a grant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ecr_tui.access.expiry import ending, parse_until
from ecr_tui.errors import InputError


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2030-01-31", datetime(2030, 2, 1, tzinfo=UTC)),
        (" 2030-12-31 ", datetime(2031, 1, 1, tzinfo=UTC)),
        ("2030-01-31T18:00:00Z", datetime(2030, 1, 31, 18, tzinfo=UTC)),
        ("2030-01-31T18:00+02:00", datetime(2030, 1, 31, 16, tzinfo=UTC)),
        ("2030-01-31 18:00:00Z", datetime(2030, 1, 31, 18, tzinfo=UTC)),
        ("12h", datetime(2030, 1, 1, 12, tzinfo=UTC)),
        ("30d", datetime(2030, 1, 31, tzinfo=UTC)),
        (" 2 W ", datetime(2030, 1, 15, tzinfo=UTC)),
    ],
)
def test_what_can_be_typed_for_an_end(text: str, until: datetime) -> None:
    assert parse_until(text, now=datetime(2030, 1, 1, tzinfo=UTC)) == until


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tomorrow", "not a date or a duration"),
        ("", "not a date or a duration"),
        ("2030-02-30", "not a date or a duration"),
        ("9999-12-31", "not a date or a duration"),
        ("0001-01-01T00:00:00+23:00", "not a date or a duration"),
        ("2030-01-31T18:00:00", "no time zone"),
        ("2 weeks", "not a date or a duration"),
        ("-2w", "not a date or a duration"),
        ("99999999999w", "not a date or a duration"),
        ("\u0663d", "not a date or a duration"),
        ("0d", "in the past"),
        ("2029-12-30", "in the past"),
        ("2029-12-31T23:00:00Z", "in the past"),
    ],
)
def test_what_is_no_end(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_until(text, now=datetime(2030, 1, 1, tzinfo=UTC))


def test_a_day_lasts_to_its_end() -> None:
    assert parse_until("2030-01-01", now=datetime(2030, 1, 1, 23, 59, tzinfo=UTC)) == datetime(2030, 1, 2, tzinfo=UTC)


def test_a_duration_counts_from_now_in_whole_seconds() -> None:
    now = datetime(2030, 1, 1, 10, 20, 30, 999, tzinfo=UTC)
    assert parse_until("1h", now=now) == datetime(2030, 1, 1, 11, 20, 30, tzinfo=UTC)


def test_two_weeks_are_still_two_a_moment_later() -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    until = parse_until("2w", now=now)
    assert ending(until, now + timedelta(seconds=20)).endswith("in 14 days")
    assert ending(until, until + timedelta(seconds=1)).endswith("(expired)")
