"""Errors for the user: what happened, on which side, and what to do.

Every error that leaves a package is an :class:`EcrTuiError`, never a library's own exception. ``exit_code`` is part
of the command line's contract: 1 denied, 2 usage, 3 environment, 4 the policy changed after the preview.
"""

from __future__ import annotations

from ecr_tui.secret import redact
from ecr_tui.text import hanging, safe, safe_block

MAX_DETAIL = 16_000
"""Characters kept of another system's text, which may have any length."""


class EcrTuiError(Exception):
    """``title`` is one line, ``detail`` the other system's text, verbatim, ``hint`` what to do.

    Everything shown, logged or reported about a failure comes from here, so secrets are redacted here.
    """

    exit_code = 3

    def __init__(self, title: str, *, detail: str = "", hint: str = "", side: str = "") -> None:
        title = redact(title)
        super().__init__(title)
        self.title = title
        self.detail = _shortened(redact(detail[: 4 * MAX_DETAIL]), len(detail))
        self.hint = redact(hint)
        self.side = side
        """Side of the failure: "account A", "account B", "docker", "network", or ""."""

    def __str__(self) -> str:
        return self.title

    def text(self) -> str:
        """The whole error as plain lines. The detail is indented further than the program's own text, so that no server
        can imitate it."""
        lines = [safe(f"{self.side}: {self.title}" if self.side else self.title)]
        if self.detail and self.detail != self.title:
            lines += hanging("  ", safe_block(self.detail))
        if self.hint:
            lines += hanging("Fix: ", safe_block(self.hint))
        return "\n".join(lines)

    @property
    def one_line(self) -> str:
        """:meth:`text` on one line."""
        return " ".join(self.text().split())

    @property
    def reason(self) -> str:
        """Title and detail as one sentence, for a message about something else that includes this error."""
        detail = " ".join(self.detail.split())
        return f"{self.title}: {detail}" if detail and detail != self.title else self.title


def _shortened(text: str, length: int) -> str:
    return text if length <= MAX_DETAIL else f"{text[:MAX_DETAIL]}… ({length:,} characters)"


class DeniedError(EcrTuiError):
    """The service understood the request and denied it: missing permissions."""

    exit_code = 1


class InputError(EcrTuiError):
    """Unusable input: an unknown profile, a malformed principal, an impossible flag."""

    exit_code = 2


class UnknownPrincipal(InputError):
    """ECR does not know a principal of the document. ``patience``: seconds to wait in case it is new."""

    def __init__(self, title: str, *, detail: str = "", hint: str = "", side: str = "", patience: float = 0.0) -> None:
        super().__init__(title, detail=detail, hint=hint, side=side)
        self.patience = patience


class EnvironmentFailure(EcrTuiError):
    """Credentials, network or a container engine are not usable."""

    exit_code = 3


class Throttled(EnvironmentFailure):
    """The service is rate limited and did nothing; a retry may succeed."""


class CredentialsError(EnvironmentFailure):
    """A profile has no usable credentials. ``login_command`` renews them, "" if none does."""

    def __init__(
        self, title: str, *, detail: str = "", hint: str = "", side: str = "", login_command: str = ""
    ) -> None:
        super().__init__(title, detail=detail, hint=hint, side=side)
        self.login_command = login_command


class ConflictError(EcrTuiError):
    """The live policy changed after the preview, so nothing was written."""

    exit_code = 4


class RefusedError(EcrTuiError):
    """ECR would reject the document, so it was not sent."""

    exit_code = 1


class Cancelled(EcrTuiError):
    """The user cancelled."""

    exit_code = 1

    def __init__(self, title: str = "Cancelled") -> None:
        super().__init__(title)
