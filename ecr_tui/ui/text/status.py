"""Text of the status line."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from textual.content import Content

from ecr_tui.aws.role import Role
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui.text import MUTED, NO, ago, count, safe
from ecr_tui.ui.text.bulk import run_words

if TYPE_CHECKING:
    from ecr_tui.config import Settings
    from ecr_tui.ui.batch import BatchRun
    from ecr_tui.ui.bulk import Running
    from ecr_tui.ui.panes.listing import Listing
    from ecr_tui.ui.widgets.virtual_table import VirtualTable

HINT_WIDTH = 72
"""Width of a hint in an empty list: fits 80 columns."""
DOT = (" · ", MUTED)


def left(listing: Listing, table: VirtualTable[Any], regions: Sequence[str], now: datetime) -> Content:
    """Regions, filters and counts. A narrow terminal cuts off the end, so failures come early."""
    parts = _stale(listing, now)
    if where := _regions(listing, regions) or ("" if listing.failures else "region unknown"):
        parts.append(Content(where))
    if listing.failures:
        failed = ", ".join(safe(region) for region in sorted(listing.failures))
        parts.append(Content.styled(f"{NO} not read: {failed}", "$text-error"))
    total = len(table.rows)
    loose = table.model.result is not None and table.model.result.loose and table.shown > 0
    if table.filter:
        parts.append(Content(f"{table.shown:,} of {total:,} shown" + (", similar ones" if loose else "")))
        parts.append(Content.assemble(("filter ", MUTED), (f"“{safe(table.filter)}”", "$text-accent")))
    else:
        parts.append(Content(count(total, "repository", "repositories")))
    if listing.tags:
        tags = ", ".join(f"{key}={value}" for key, value in listing.tags)
        parts.append(Content.assemble(("tagged ", MUTED), (safe(tags), "$text-accent")))
    if listing.one_by_one:
        parts.append(Content.styled("tags read one by one: tag:GetResources is denied", "$text-warning"))
    if table.marks:
        hidden = table.model.hidden_marks
        parts.append(Content.styled(f"● {table.marks:,} marked" + (f" ({hidden:,} hidden)" if hidden else ""), "bold"))
    return Content.assemble(*_joined(parts))


def nothing(listing: Listing, table: VirtualTable[Any]) -> tuple[str, ...]:
    """The message of an empty list."""
    if table.rows and table.filter:
        words = "The filter has an error." if table.model.query.broken else "No repository matches the filter."
        return words, "", "pay* is a pattern   ·   !word excludes   ·   Esc clears it"
    if listing.error is not None:
        hint = textwrap.wrap(safe(listing.error.hint), HINT_WIDTH)
        return f"{NO} {safe(listing.error.title)}", *hint, "", "Enter: details   ·   r: retry"
    if listing.tags:
        tags = safe(", ".join(f"{key}={value}" for key, value in listing.tags))
        return f"No repositories tagged {tags}.", "", "t: change tags   ·   Esc: clear"
    return "Account A has no repositories here.", "", "r: refresh"


class Work(Protocol):
    """The current activity (see ``Desk``)."""

    busy: str
    retrying: str
    run: Running | None
    batch: BatchRun | None


def right(desk: Work, settings: Settings, *, listing: bool, verifying: bool) -> Content:
    """Current activity and mode."""
    parts: list[Content] = []
    if listing:
        parts.append(Content.styled("listing…", "$text-primary"))
    if desk.busy:
        words = f"{desk.busy}…" + (f" retrying: {safe(desk.retrying)}" if desk.retrying else "")
        parts.append(Content.styled(words, "bold $text-accent"))
    if words := run_words(desk.run):
        parts.append(Content.styled(words, "bold $text-accent"))
    if verifying:
        parts.append(Content.styled("verifying…", "$text-primary"))
    batch = desk.batch
    if batch is not None and batch.running:
        parts.append(Content.styled(f"verifying {batch.done} of {len(batch.rows)}…", "$text-primary"))
    if settings.production_reason:
        parts.append(Content.styled("PRODUCTION", "bold"))
    if settings.read_only_reason:
        parts.append(Content.styled("READ-ONLY", "bold $text-warning"))
    return Content.assemble(*_joined(parts))


def kept(listing: Listing, now: datetime) -> str:
    """Age of the shown list if it is cached; else ""."""
    if not listing.stale:
        return ""
    since = listing.stale_since
    if since is None:
        return "cached list"
    age = ago(since, now)
    return "cached just now" if age == "now" else f"cached {age}"


def rows_line(table: VirtualTable[Any], kept: str, *, listing: bool) -> str:
    """Number of rows. ``kept``: age of a cached list; ``listing``: more may come."""
    total = len(table.rows)
    parts = [f"{table.shown:,} of {total:,}" if table.model.query else count(total, "repository", "repositories")]
    if table.marks:
        hidden = table.model.hidden_marks
        parts.append(f"● {table.marks:,} marked" + (f", {hidden:,} of them hidden" if hidden else ""))
    if kept:
        parts.append(kept)
    if listing:
        parts.append("refreshing…" if kept else "listing…")
    return " · ".join(parts)


def failures(listing: Listing) -> EcrTuiError | None:
    """The error of a partial or failed listing."""
    failed = listing.failures
    if not failed:
        return listing.error
    detail = "\n\n".join(f"{region}: {error.text()}" for region, error in sorted(failed.items()))
    title = f"{count(len(failed), 'region')} could not be read"
    return EcrTuiError(title, detail=detail, hint="Press r to list them again.")


def _stale(listing: Listing, now: datetime) -> list[Content]:
    words = kept(listing, now)
    if not words:
        return []
    if listing.busy or listing.error is None:
        return [Content.styled(f"{words}, refreshing…", "bold $text-warning")]
    return [Content.styled(f"{NO} {words}: {safe(listing.error.title)}", "bold $text-error")]


def _regions(listing: Listing, regions: Sequence[str]) -> str:
    """``regions``: those asked for; without any it is the owner's own; "" for none."""
    if not regions:
        owner = listing.accounts.get(Role.OWNER)
        regions = (owner.identity.region,) if owner and owner.identity and owner.identity.region else ()
    return safe(", ".join(regions))


def _joined(parts: list[Content]) -> list[Content | tuple[str, str]]:
    found: list[Content | tuple[str, str]] = []
    for part in parts:
        found += [DOT] if found else []
        found.append(part)
    return found
