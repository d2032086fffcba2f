"""Formatting of values for the screen. AWS's texts are shown literally and cannot control the terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from textual.content import Content
from textual.style import Style

from ecr_tui.text import safe as safe
from ecr_tui.text import safe_block as safe_block
from ecr_tui.text import visible as visible
from ecr_tui.ui.text.signs import NO as NO
from ecr_tui.ui.text.signs import OK as OK
from ecr_tui.ui.text.signs import PENDING as PENDING
from ecr_tui.ui.text.signs import SKIP as SKIP
from ecr_tui.ui.text.signs import UNKNOWN as UNKNOWN

MUTED = "$muted"
"""A style for what is secondary; a variable of our own (``theme.readable``)."""


def pressing(key: str, *parts: Content | tuple[str, str] | str) -> Content:
    """Words that press ``key`` when a mouse clicks on them, where their widget lets them."""
    return Content.assemble(*parts).stylize(Style.from_meta({"press": key}))


KEY = "bold $text-accent"
"""A style for a key that is to be pressed."""


def count(number: int, one: str, many: str = "") -> str:
    """ "1 repository", "12,345 repositories"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int | None) -> str:
    """Bytes in a suitable unit: "812 B", "1.4 kB", "3.2 MB"; "" for None."""
    if number is None:
        return ""
    if number < 1000:
        return f"{number} B"
    value = float(number)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 1000 or unit == "GB":
            break
    return f"{value:.1f} {unit}"


def seconds(value: float | None) -> str:
    """ "0.12 s", "12.3 s", "2 min 05 s"; "" for None."""
    if value is None:
        return ""
    if value < 10:
        return f"{value:.2f} s"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(int(value), 60)
    return f"{minutes} min {rest:02d} s"


def ago(then: datetime | None, now: datetime) -> str:
    """A past time, short: "now", "5m", "3h", "12d", then the date; "–" for None."""
    if then is None:
        return SKIP
    passed = (now - then).total_seconds()
    if passed < 60:
        return "now"
    if passed < 3600:
        return f"{int(passed // 60)}m ago"
    if passed < 86_400:
        return f"{int(passed // 3600)}h ago"
    if passed < 86_400 * 30:
        return f"{int(passed // 86_400)}d ago"
    return then.astimezone(UTC).strftime("%Y-%m-%d")


def left(until: datetime | None, now: datetime) -> str:
    """Remaining time: "expires in 3 h 12 min", "expired"; "" for None."""
    if until is None:
        return ""
    rest = int((until - now).total_seconds())
    if rest <= 0:
        return "expired"
    hours, minutes = rest // 3600, rest % 3600 // 60
    if hours >= 48:
        return f"expires in {hours // 24} days"
    if hours:
        return f"expires in {hours} h {minutes:02d} min"
    return f"expires in {minutes} min" if minutes else f"expires in {rest} s"


def utc(at: datetime) -> str:
    """ "2030-01-31 18:50 UTC"."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
