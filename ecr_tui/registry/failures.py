"""Convert every failure of a registry or its engine into a :class:`RegistryError`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ecr_tui.diagnosis.diagnose import diagnose
from ecr_tui.diagnosis.failure import DOCKER, NETWORK, REPOSITORY_STATE
from ecr_tui.diagnosis.places import action_of, request_of
from ecr_tui.registry.engine import RegistryError, Unreachable
from ecr_tui.secret import Secret, redact

MAX_DETAIL = 4000

_STATUS_OF = {
    "DENIED": 403,
    "UNAUTHORIZED": 401,
    "NAME_UNKNOWN": 404,
    "MANIFEST_UNKNOWN": 404,
    "BLOB_UNKNOWN": 404,
    "BLOB_UPLOAD_UNKNOWN": 404,
    "UNSUPPORTED": 405,
    "TAG_INVALID": 400,
    "MANIFEST_INVALID": 400,
    "TOOMANYREQUESTS": 429,
}
_WORDS = {
    "denied": "DENIED",
    "unauthorized": "UNAUTHORIZED",
    "name unknown": "NAME_UNKNOWN",
    "manifest unknown": "MANIFEST_UNKNOWN",
    "blob unknown": "BLOB_UNKNOWN",
    "blob upload unknown": "BLOB_UPLOAD_UNKNOWN",
    "unsupported": "UNSUPPORTED",
    "tag invalid": "TAG_INVALID",
    "manifest invalid": "MANIFEST_INVALID",
    "toomanyrequests": "TOOMANYREQUESTS",
}
_SPOKEN_CODE = re.compile(rf"(?<![\w-])({'|'.join(_WORDS)}): ", re.IGNORECASE)
_SPOKEN_STATUS = re.compile(
    r"(?:HTTP|status(?: code)?:?|status from \w+ request to \S+?:?) (?P<status>[45]\d\d)\b"
    r"|\b(?P<named>[45]\d\d) \([A-Z][\w ]+\)",  # podman: "403 (Forbidden)"
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Asked:
    """A request in display form: ``Asked("HEAD", "blob")``; ``kind`` as in ``places.action_of``."""

    method: str
    kind: str

    def __str__(self) -> str:
        return f"{self.method} {'blob upload' if self.kind in ('upload', 'uploads') else self.kind}".strip()

    @property
    def action(self) -> str:
        return action_of(self.method, self.kind)


def from_answer(
    asked: Asked, status: int, body: bytes, *, content_type: str = "", host: str = "", secret: Secret
) -> RegistryError:
    """From a registry's response: its JSON errors, else its plain text."""
    code, message = _registry_words(body, content_type)
    message = _clean(message, secret)
    spoken = message or f"{asked}: HTTP {status} without an error text"
    found = diagnose(spoken, status=status, action=asked.action, known={"host": host})
    return _error(
        found.title if found.known else f"The registry rejected {asked} (HTTP {status})",
        detail=spoken,
        hint=found.fix,
        side=found.side,
        status=status,
        code=code or ("DENIED" if status == 403 else ""),
        request=str(asked),
        action=found.action,
    )


def from_words(
    text: str, *, secret: Secret, status: int | None = None, stage: str = "", host: str = ""
) -> RegistryError:
    """From a container engine's text, which may contain the registry's response."""
    text = _clean(text, secret)
    code, spoken_status = _spoken(text)
    status = spoken_status or status
    found = diagnose(text, stage=stage, status=status, known={"host": host})
    method, kind = request_of(text)
    asked = str(Asked(method, kind)) if method else "HEAD blob" if found.pattern == "head-without-body" else ""
    return _error(
        found.title if found.known else _first_line(text) or "The engine failed without an error text",
        detail=text,
        hint=found.fix,
        side=found.side,
        status=status,
        code=code,
        request=asked,
        action=found.action,
    )


def unreachable(
    asked: Asked, why: str, *, host: str, secret: Secret, kind: type[Unreachable] = Unreachable
) -> Unreachable:
    """No response, or not from a registry; ``why``: the transport's message."""
    detail = _clean(f"{asked} {host}: {why}", secret)
    found = diagnose(detail, known={"host": host})
    return kind(
        f"{found.title} ({host})" if found.known else f"The registry is not usable ({host})",
        detail=detail,
        hint=found.fix,
        side=NETWORK,
        request=str(asked),
        action=asked.action,
    )


def engine_gone(why: str, *, secret: Secret, host: str) -> Unreachable:
    """The container engine, or possibly the registry, ended the operation."""
    detail = _clean(why, secret)
    found = diagnose(detail, known={"host": host})
    return Unreachable(found.title, detail=detail, hint=found.fix, side="docker")


def garbage(asked: Asked, what: str, *, host: str, secret: Secret) -> Unreachable:
    return unreachable(asked, f"no registry answer: {what}", host=host, secret=secret)


def _error(
    title: str, *, detail: str, hint: str, side: str, status: int | None, code: str, request: str, action: str
) -> RegistryError:
    # The error's side is a party; the diagnosis names the policy.
    party = {NETWORK: "network", DOCKER: "docker", REPOSITORY_STATE: "account A"}.get(side, "")
    kind = Unreachable if party in ("network", "docker") and status is None else RegistryError
    return kind(title, detail=detail, hint=hint, side=party, status=status, code=code, request=request, action=action)


def _registry_words(body: bytes, content_type: str) -> tuple[str, str]:
    """(code, message) of the registry's JSON; else the readable text, for a page its title."""
    text = body.decode("utf-8", "replace").strip()
    try:
        errors = json.loads(text)["errors"] if text else []
        messages = [str(one.get("message") or one.get("detail") or "") for one in errors]
        code = str(errors[0].get("code", "")) if errors else ""
        return code, "\n".join(message for message in messages if message)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        pass
    if "html" in content_type or text[:1] == "<":
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return "", f"no registry answer, but a page: {' '.join(title[1].split()) if title else 'without a title'}"
    return "", text


def _spoken(text: str) -> tuple[str, int | None]:
    if "attempted the following formats" in text:
        # Podman then tries other formats, whose errors are less specific.
        text = text.partition("), application/")[0]
    codes = [_WORDS[match.lower()] for match in _SPOKEN_CODE.findall(text)]
    status = _SPOKEN_STATUS.search(text)
    code = codes[-1] if codes else ""
    if "error parsing http 403" in text.lower():
        return "DENIED", 403
    number = int(status["status"] or status["named"]) if status else _STATUS_OF.get(code)
    if not code and number == 403:
        code = "DENIED"
    if number is None and "not authorized to perform" in text:
        return "DENIED", 403
    return code, number


def _clean(text: str, secret: Secret) -> str:
    # Truncate twice: to limit the redaction's work, and to still redact a secret cut by the first truncation.
    cleaned = redact(secret.redact(text[: 4 * MAX_DETAIL]))
    return cleaned if len(text) <= MAX_DETAIL else f"{cleaned[:MAX_DETAIL]}… ({len(text)} characters)"


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:200] if text.strip() else ""
