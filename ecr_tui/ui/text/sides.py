"""Text of both sides of a grant: each action with the answers of accounts A and B, and reasons."""

from __future__ import annotations

from typing import NamedTuple

from textual.content import Content

from ecr_tui.access.creation_templates import Fit
from ecr_tui.access.two_sided import ALLOWED, DENIED, ActionVerdict, Side, TwoSided, headline
from ecr_tui.errors import EcrTuiError
from ecr_tui.ui.text import MUTED, NO, OK, PENDING, SKIP, UNKNOWN, safe, safe_block

_MARKS = {ALLOWED: (OK, "$text-success"), DENIED: (NO, "$text-error")}
_HEADS = ("action", "A allows", "B allows", "verdict")
_WIDTHS = (28, 10, 10)
TABLE = sum(_WIDTHS) + 9
"""Width of the table; in less each action gets two lines."""


class BothSides(NamedTuple):
    """``verdicts`` None: unknown yet, or failed with ``error``."""

    verdicts: tuple[TwoSided, ...] | None = None
    template: Fit | None = None
    error: EcrTuiError | None = None


def both_sides(both: BothSides, width: int) -> Content:
    """The verdict for the plan's principals, ``width`` cells wide."""
    if both.error is not None:
        return Content.styled(
            f"{UNKNOWN} Verdict of both accounts unknown: {safe_block(both.error.text())}", "$text-warning"
        )
    if both.verdicts is None:
        return Content.assemble(
            (f"{PENDING} ", "bold"), ("Both sides: reading account B's policies and A's registry", MUTED)
        )
    parts = [_verdict(found, width) for found in both.verdicts]
    if not parts:
        parts.append(Content.styled("This change names no user, role or account.", MUTED))
    if both.template is not None:
        parts.append(template(both.template))
    return Content("\n\n").join(parts)


def template(found: Fit) -> Content:
    return Content.assemble(("future repositories  ", MUTED), safe(found.sentence()))


def _verdict(found: TwoSided, width: int) -> Content:
    sign, style = _MARKS.get(found.response, (UNKNOWN, "$text-warning"))
    words = headline(found)
    lines = [Content.styled(f"{sign} {safe(words[:1].upper() + words[1:])}", f"bold {style}"), *_readable(found)]
    if width >= TABLE:
        heads = "".join(head.ljust(space) for head, space in zip(_HEADS, (*_WIDTHS, 0), strict=True))
        lines.append(Content.styled(heads, MUTED))
        lines += [_row(item) for item in found.actions]
    else:
        for item in found.actions:
            lines += [Content(_action(item)), _narrow(item)]
    lines += _reasons(found)
    for finding in found.findings:
        lines.append(Content.assemble(("! ", "bold $text-warning"), safe(f"{finding.title}. {finding.fix}")))
    lines += [Content.styled(f"i {safe(note)}", MUTED) for note in found.notes]
    return Content("\n").join(lines)


def _readable(found: TwoSided) -> list[Content]:
    """The evaluated policies on account B's side."""
    identity = found.identity
    if identity.unreadable:
        return []
    names = ", ".join(f"{policy.name} ({policy.origin})" for policy in identity.policies) or "none"
    text = f"B's policies: {names}"
    if identity.boundary is not None:
        text += f"; boundary: {identity.boundary.name}"
    return [Content.styled(safe(text), MUTED)]


def _action(item: ActionVerdict) -> str:
    return safe(item.action.removeprefix("ecr:"))


def _side(side: Side | None) -> tuple[str, str]:
    if side is None:
        return f"{SKIP} n/a", MUTED
    if side.allows is None:
        return f"{UNKNOWN} unknown", "$text-warning"
    return (f"{OK} yes", "$text-success") if side.allows else (f"{NO} no", "$text-error")


def _response(item: ActionVerdict) -> tuple[str, str]:
    sign, style = _MARKS.get(item.response, (UNKNOWN, "$text-warning"))
    return f"{sign} {item.response.lower()}", f"bold {style}"


def _row(item: ActionVerdict) -> Content:
    (owner, owner_style), (consumer, consumer_style) = _side(item.owner), _side(item.consumer)
    action, a, b = _WIDTHS
    return Content.assemble(
        _action(item).ljust(action),
        (owner.ljust(a), owner_style),
        (consumer.ljust(b), consumer_style),
        _response(item),
    )


def _narrow(item: ActionVerdict) -> Content:
    return Content.assemble(
        ("  A ", MUTED), _side(item.owner), ("  B ", MUTED), _side(item.consumer), "  ", _response(item)
    )


def _reasons(found: TwoSided) -> list[Content]:
    """Denied actions, grouped by reason."""
    return [
        Content.assemble((f"{side}: ", "bold"), safe(reason), (safe(f" ({_which(actions, found)})"), MUTED))
        for (side, reason), actions in found.reasons().items()
    ]


def _which(actions: list[str], found: TwoSided) -> str:
    return "every action" if len(actions) == len(found.actions) else ", ".join(actions)
