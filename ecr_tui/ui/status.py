"""The words of the status line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ecr_tui.aws.role import Role
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui.text import MUTED, NO, ago, count, safe

if TYPE_CHECKING:
    from ecr_tui.ui.screens.main import MainScreen

DOT = (" · ", MUTED)
WAITS = "From a kept list: a preview is made when AWS has listed the repositories again"


def left(screen: MainScreen) -> Content:
    """Where, what is filtered, how many. A narrow terminal cuts off the end, so what failed comes early."""
    parts: list[Content] = [*_stale(screen), Content(_regions(screen))]
    if screen.listing.failures:
        failed = ", ".join(safe(region) for region in sorted(screen.listing.failures))
        parts.append(Content.styled(f"{NO} not read: {failed}", "$text-error"))
    table = screen.table
    total = len(table.rows)
    loose = table.result is not None and table.result.loose and table.shown > 0
    if table.filter:
        parts.append(Content(f"{table.shown:,} of {total:,} shown" + (", similar ones" if loose else "")))
        parts.append(Content.assemble(("filter ", MUTED), (f"“{safe(table.filter)}”", "$text-accent")))
    else:
        parts.append(Content(count(total, "repository", "repositories")))
    if screen.listing.tags:
        tags = ", ".join(f"{key}={value}" for key, value in screen.listing.tags)
        parts.append(Content.assemble(("tagged ", MUTED), (safe(tags), "$text-accent")))
    if screen.listing.one_by_one:
        parts.append(Content.styled("tags read one by one: tag:GetResources is denied", "$text-warning"))
    if table.marks:
        hidden = table.model.hidden_marks
        parts.append(Content.styled(f"● {table.marks:,} marked" + (f" ({hidden:,} hidden)" if hidden else ""), "bold"))
    return Content.assemble(*_joined(parts))


def right(screen: MainScreen) -> Content:
    """What is going on, and in which mode."""
    parts: list[Content] = []
    if screen.listing.busy:
        parts.append(Content.styled("listing…", "$text-primary"))
    if screen.writes.writer.busy:
        again = screen.writes.writer.retrying
        words = f"{screen.writes.writer.busy}…" + (f" retrying: {safe(again)}" if again else "")
        parts.append(Content.styled(words, "bold $text-accent"))
    if screen.runs.words:
        parts.append(Content.styled(screen.runs.words, "bold $text-accent"))
    if screen.proving.verifier.running:
        parts.append(Content.styled("verifying…", "$text-primary"))
    many = screen.many.verifier
    if many.run is not None and many.running:
        parts.append(Content.styled(f"verifying {many.run.done} of {len(many.run.rows)}…", "$text-primary"))
    if screen.workspace.settings.production_reason:
        parts.append(Content.styled("PRODUCTION", "bold"))
    if screen.read_only:
        parts.append(Content.styled("READ-ONLY", "bold $text-warning"))
    parts.append(Content.styled(f"engine {safe(screen.workspace.settings.engine)}", MUTED))
    return Content.assemble(*_joined(parts))


def kept(screen: MainScreen) -> str:
    """How old the list shown is, where it is one that a former run left behind; "" where it is not."""
    if not screen.listing.stale:
        return ""
    since = screen.listing.stale_since
    if since is None:
        return "kept list"
    age = ago(since, screen.now())
    return "list of a moment ago" if age == "now" else f"list of {age}"


def failures(screen: MainScreen) -> EcrTuiError | None:
    """Why a part of the listing, or all of it, is missing."""
    failed = screen.listing.failures
    if not failed:
        return screen.listing.error
    detail = "\n\n".join(f"{region}: {error.text()}" for region, error in sorted(failed.items()))
    title = f"{count(len(failed), 'region')} could not be read"
    return EcrTuiError(title, detail=detail, hint="r lists the repositories again.")


def _stale(screen: MainScreen) -> list[Content]:
    words, listing = kept(screen), screen.listing
    if not words:
        return []
    if listing.busy or listing.error is None:
        return [Content.styled(f"{words}, refreshing…", "bold $text-warning")]
    return [Content.styled(f"{NO} {words}: {safe(listing.error.title)}", "bold $text-error")]


def _regions(screen: MainScreen) -> str:
    regions = tuple(screen.workspace.settings.regions)
    if not regions:
        owner = screen.listing.accounts.get(Role.OWNER)
        regions = (owner.identity.region,) if owner and owner.identity and owner.identity.region else ()
    return safe(", ".join(regions)) or "no region yet"


def _joined(parts: list[Content]) -> list[Content | tuple[str, str]]:
    found: list[Content | tuple[str, str]] = []
    for part in parts:
        found += [DOT] if found else []
        found.append(part)
    return found
