"""The failures a user can meet, each with what happened, on which side, and what to do.

Every error that crosses a room's border is an :class:`EcrTuiError`; a library's own
exception never does. ``exit_code`` is the command line's contract (DESIGN):
0 done, 1 denied, 2 bad input, 3 environment, 4 the policy changed meanwhile.
"""

from __future__ import annotations

from ecr_tui.secret import redact
from ecr_tui.text import hanging, safe, safe_block

MAX_DETAIL = 16_000
"""Characters of another system's words that are kept; nobody reads more, and an answer may be of any length."""


class EcrTuiError(Exception):
    """A failure in the user's terms. ``title`` is one line; ``detail`` is the server's own text.

    Whatever is shown, noted or reported of a failure comes from here, so here secrets are taken out of it.
    """

    exit_code = 3

    def __init__(self, title: str, *, detail: str = "", hint: str = "", side: str = "") -> None:
        title = redact(title)
        super().__init__(title)
        self.title = title
        self.detail = _shortened(redact(detail[: 4 * MAX_DETAIL]), len(detail))
        self.hint = redact(hint)
        self.side = side
        """Whose side it happened on: "account A", "account B", "docker", "network", "" when it has none."""

    def __str__(self) -> str:
        return self.title

    def text(self) -> str:
        """All of it as plain lines, for the terminal and for a copyable modal. A detail stands further in than what
        this program itself says, so that no server can speak in its place."""
        lines = [safe(f"{self.side}: {self.title}" if self.side else self.title)]
        if self.detail and self.detail != self.title:
            lines += hanging("  ", safe_block(self.detail))
        if self.hint:
            lines += hanging("What to do: ", safe_block(self.hint))
        return "\n".join(lines)


def _shortened(text: str, length: int) -> str:
    return text if length <= MAX_DETAIL else f"{text[:MAX_DETAIL]}… ({length:,} characters)"


class DeniedError(EcrTuiError):
    """The service understood the request and refused it: permissions, not plumbing."""

    exit_code = 1


class InputError(EcrTuiError):
    """What the user gave cannot be used: an unknown profile, a malformed principal, an impossible flag."""

    exit_code = 2


class UnknownPrincipal(InputError):
    """ECR does not know a principal of the document. ``patience``: seconds for which it may be one that is new."""

    def __init__(self, title: str, *, detail: str = "", hint: str = "", side: str = "", patience: float = 0.0) -> None:
        super().__init__(title, detail=detail, hint=hint, side=side)
        self.patience = patience


class EnvironmentFailure(EcrTuiError):
    """Credentials, network or a container engine are not in a usable state."""

    exit_code = 3


class Throttled(EnvironmentFailure):
    """The service did nothing because too much was asked of it at once; the same request may succeed in a moment."""


class CredentialsError(EnvironmentFailure):
    """A profile has no usable credentials. ``login_command`` is what would renew them, "" where nothing would."""

    def __init__(
        self, title: str, *, detail: str = "", hint: str = "", side: str = "", login_command: str = ""
    ) -> None:
        super().__init__(title, detail=detail, hint=hint, side=side)
        self.login_command = login_command


class ConflictError(EcrTuiError):
    """The live policy is no longer the one that was previewed, so nothing was written."""

    exit_code = 4


class RefusedError(EcrTuiError):
    """ECR would refuse the document, so it was not sent."""

    exit_code = 1


class Cancelled(EcrTuiError):
    """The user stopped it."""

    exit_code = 1

    def __init__(self, title: str = "Cancelled") -> None:
        super().__init__(title)
