"""When a grant ends: what a person types for it, and how it is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ecr_tui.errors import InputError


def parse_until(text: str, *, now: datetime | None = None) -> datetime:
    """ "2030-01-31" (that day's end in UTC) or "2030-01-31T18:00:00+01:00". Raises InputError, also for the past."""
    given = text.strip()
    try:
        until = datetime.combine(date.fromisoformat(given) + timedelta(days=1), datetime.min.time(), UTC)
    except OverflowError:
        raise _unusable(given) from None
    except ValueError:
        try:
            until = datetime.fromisoformat(given)
        except ValueError:
            raise _unusable(given) from None
        if until.tzinfo is None:
            raise InputError(
                f"--until {given} has no time zone", hint=f"Write {given}Z for UTC, or an offset like +01:00."
            ) from None
    try:
        until = until.astimezone(UTC)
    except OverflowError:
        raise _unusable(given) from None
    if until <= (now or datetime.now(UTC)):
        raise InputError(f"--until {given} has passed already", hint="A grant needs an end that is still to come.")
    return until


def _unusable(given: str) -> InputError:
    return InputError(
        f"--until {given!r} is no date", hint="Write 2030-01-31 (to that day's end in UTC) or 2030-01-31T18:00:00Z."
    )


def ending(until: datetime, now: datetime | None = None) -> str:
    """An end with the time that is left: "2030-02-01 00:00 UTC, in 30 days"."""
    left = until - (now or datetime.now(UTC))
    shown = until.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    hours = int(left.total_seconds() // 3600)
    if hours < 0:
        return f"{shown}, which has passed"
    if hours == 0:
        return f"{shown}, in less than an hour"
    return f"{shown}, in {hours // 24} days" if hours >= 48 else f"{shown}, in {hours} hour{'s' if hours > 1 else ''}"
