"""End of a grant: parse user input and format it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from ecr_tui.errors import InputError

_DURATION = re.compile(r"(\d+)\s*([hdw])", re.ASCII | re.IGNORECASE)
_MOMENT = 30
"""Tolerance in seconds between entering "2w" and displaying "in 2 weeks"."""
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def parse_until(text: str, *, now: datetime | None = None) -> datetime:
    """A date ("2030-01-31": that day's end in UTC), a time with its zone, or a duration from now ("2w", "30d", "12h").

    In whole seconds of UTC. Raises InputError, also for times in the past.
    """
    given, now = text.strip(), now or datetime.now(UTC)
    try:
        until = _read(given, now).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise InputError(
            f"{given!r} is not a date or a duration",
            hint="Write 2030-01-31 (to that day's end in UTC), 2030-01-31T18:00:00Z, or 2w, 30d, 12h from now.",
        ) from None
    if until <= now:
        raise InputError(f"{given} is in the past", hint="Choose an end in the future.")
    return until


def parse_end(text: str) -> datetime:
    """As :func:`parse_until` without durations, but accepting the past: for files, which are not edited when a grant
    expires."""
    given = text.strip()
    try:
        return _read_end(given).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            f"{given!r} is not a date", hint="Write 2030-01-31 (to that day's end in UTC) or 2030-01-31T18:00:00Z."
        ) from None


def _read(given: str, now: datetime) -> datetime:
    """Raises ValueError or OverflowError for an invalid time."""
    duration = _DURATION.fullmatch(given)
    if duration is not None:
        return now + timedelta(**{_UNITS[duration[2].lower()]: int(duration[1])})
    return _read_end(given)


def _read_end(given: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(given) + timedelta(days=1), datetime.min.time(), UTC)
    except ValueError:
        until = datetime.fromisoformat(given)
    if until.tzinfo is None:
        raise InputError(f"{given} has no time zone", hint=f"Write {given}Z for UTC, or an offset like +01:00.")
    return until


def ending(until: datetime, now: datetime | None = None) -> str:
    """An end with the remaining time: "2030-02-01 00:00 UTC, in 30 days"."""
    left = until - (now or datetime.now(UTC))
    shown = until.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    hours = int((left.total_seconds() + _MOMENT) // 3600)
    if left < timedelta():
        return f"{shown} (expired)"
    if hours == 0:
        return f"{shown}, in less than an hour"
    return f"{shown}, in {hours // 24} days" if hours >= 48 else f"{shown}, in {hours} hour{'s' if hours > 1 else ''}"
