"""From an error's text and HTTP status to what happened, on whose side, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ecr_tui.registry.catalogue import (
    CATALOGUE,
    EITHER_POLICY,
    IDENTITY_POLICY,
    OTHER_POLICY,
    REPOSITORY_POLICY,
    UNKNOWN,
    Row,
)

__all__ = ["CATALOGUE", "Diagnosis", "action_of", "diagnose", "request_of"]

# What they capture ends up in commands to copy, so only characters that a shell takes literally are captured.
_SENTENCE = re.compile(
    r"(?:user:\s*(?P<user>[\w+=,.@:/-]+)\s+is\s+)?not authorized to perform:\s*(?P<action>[a-z0-9-]+:[a-z*]+)"
    r"(?:\s+on resource:\s*(?P<resource>[\w.:/*-]+))?",
    re.IGNORECASE,
)
_DENY_TYPE = re.compile(
    r"explicit deny in (?:an? |the )?(?P<type>[a-z][a-z -]*?(?:policy|boundary))(?=[\s.,:;)\"'\]}]|$)", re.IGNORECASE
)
_NO_ALLOW_TYPE = re.compile(r"because no (?P<type>[a-z -]+?) allows", re.IGNORECASE)
_HOST = re.compile(
    r"(?<![\w.-])(?:\d{12}\.dkr[.-]ecr[\w.-]+|(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]):\d+)", re.IGNORECASE
)
_REGISTRY_HOST = re.compile(r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.", re.IGNORECASE)
_LOOPBACK = re.compile(r"localhost|127\.|\[::1\]")
_REPOSITORY_ARN = re.compile(r"arn:[\w-]+:ecr:(?P<region>[\w-]*):(?P<account>\d{12}):repository/(?P<name>[\w./-]*\w)")
_REPOSITORY_NAME = re.compile(r"repository with name ['\"]([\w./-]+)['\"]", re.IGNORECASE)
_IN_REPOSITORY = re.compile(r"in the ['\"]([\w./-]+)['\"] repository", re.IGNORECASE)
_REGISTRY_ID = re.compile(r"registry with id ['\"](\d{12})['\"]", re.IGNORECASE)
_REQUEST = re.compile(r"\b(HEAD|GET|POST|PATCH|PUT|DELETE)\b[^\n]*?/v2/(?P<path>\S+)", re.IGNORECASE)
_PHRASES = (
    ("trying to reuse blob", "HEAD", "blob"),
    ("initiating layer upload", "POST", "uploads"),
    ("uploading layer chunked", "PATCH", "upload"),
    ("uploading layer to", "PUT", "upload"),
    ("uploading manifest", "PUT", "manifest"),
    ("reading manifest", "GET", "manifest"),
    ("fetching blob", "GET", "blob"),
)
"""What podman and skopeo say that they were doing; they do not quote the request."""

# The fixes are written to be copied: what a text does not tell appears as a word to fill in.
_BLANKS = {
    "action": "the action",
    "user": "PRINCIPAL_OF_B",
    "repository": "REPOSITORY",
    "resource": "REPOSITORY_ARN",
    "account": "ACCOUNT_A",
    "region": "REGION",
    "host": "REGISTRY_HOST",
    "policy": "a policy of the organisation, the account or the session",
}


@dataclass(frozen=True)
class Diagnosis:
    """What a failure means. ``pattern`` is the catalogue row's id, "unknown" when none fits; ``text`` the raw words.

    ``action``, ``principal`` and ``resource`` come from AWS's sentence where there is one ("" where not told);
    ``policy_type`` from an explicit deny ("service control policy") or a missing Allow that names another policy.
    """

    pattern: str
    title: str
    stage: str
    action: str
    side: str
    cause: str
    fix: str
    text: str = ""
    number: int | None = None
    principal: str = ""
    resource: str = ""
    policy_type: str = ""
    denied: bool = False
    """A refusal for want of permission; False for stale credentials, missing repositories, broken networks."""
    proves_access: bool = False
    """Refused for another reason after the permission had been checked and found."""

    @property
    def known(self) -> bool:
        return self.pattern != UNKNOWN

    @property
    def blames_repository_policy(self) -> bool:
        """A's repository policy is, or may be, what lacks an Allow: a grant could help."""
        return self.side in (REPOSITORY_POLICY, EITHER_POLICY)


def action_of(method: str, kind: str) -> str:
    """The ECR action behind a registry request; ``kind``: "blob", "uploads", "upload", "manifest" or "tags"."""
    return _ACTIONS.get((method.upper(), kind), "")


_ACTIONS = {
    ("HEAD", "blob"): "ecr:BatchCheckLayerAvailability",
    ("GET", "blob"): "ecr:GetDownloadUrlForLayer",
    ("POST", "uploads"): "ecr:InitiateLayerUpload",
    ("PATCH", "upload"): "ecr:UploadLayerPart",
    ("PUT", "upload"): "ecr:CompleteLayerUpload",
    ("HEAD", "manifest"): "ecr:BatchGetImage",
    ("GET", "manifest"): "ecr:BatchGetImage",
    ("PUT", "manifest"): "ecr:PutImage",
    ("DELETE", "manifest"): "ecr:BatchDeleteImage",
    ("GET", "tags"): "ecr:ListImages",
}


def request_of(text: str) -> tuple[str, str]:
    """The (method, kind) of the registry request that an engine's message quotes, ("", "") when it quotes none."""
    low = text.lower()
    for phrase, method, kind in _PHRASES:
        if phrase in low:
            return method, kind
    match = _REQUEST.search(text)
    if match is None:
        return "", ""
    path = match["path"].lower()
    for part, kind in (
        ("/manifests/", "manifest"),
        ("/blobs/uploads", "upload"),
        ("/blobs/", "blob"),
        ("/tags/", "tags"),
    ):
        if part in path:
            method = match[1].upper()
            return method, "uploads" if kind == "upload" and method == "POST" else kind
    return "", ""


def diagnose(
    text: str,
    *,
    stage: str = "",
    status: int | None = None,
    action: str = "",
    known: Mapping[str, str] | None = None,
) -> Diagnosis:
    """Classify by AWS's wording first, then by what engines say, then by ``status``.

    ``stage`` and ``action`` say where it happened, as far as the caller knows; AWS's own sentence wins over ``action``.
    ``known`` fills what the text does not tell into the fix: "user", "repository", "resource", "account", "region",
    "host".
    """
    facts = _facts(text)
    row = next((row for row in CATALOGUE if _matches(row, text)), None)
    if row is None:
        row = _by_status(status, text)
    sentence_action = facts.get("action", "")
    known_action = sentence_action or action or action_of(*request_of(text)) or (row.action if row else "")
    if row is None:
        return Diagnosis(
            UNKNOWN,
            text.strip().splitlines()[0][:200] if text.strip() else "It failed without a word",
            stage,
            known_action,
            UNKNOWN,
            "This failure is not in the catalogue; its own words are all there is.",
            "",
            text,
        )
    policy_type = facts.pop("type", "")
    words = {**_BLANKS, **_host_facts((known or {}).get("host", "")), **{k: v for k, v in (known or {}).items() if v}}
    words |= facts
    words["url"] = f"{'http' if _LOOPBACK.match(words['host']) else 'https'}://{words['host']}"
    if known_action:
        words["action"] = known_action
    if policy_type:
        words["policy"] = policy_type if row.id == "no-other-policy" else f"{_article(policy_type)} {policy_type}"
    return Diagnosis(
        pattern=row.id,
        title=_fill(row.title, words),
        stage=stage or row.stage,
        action=known_action,
        side=_side(row, policy_type),
        cause=_fill(row.cause, words),
        fix=_fill(row.fix, words),
        text=text,
        number=row.number,
        principal=facts.get("user", ""),
        resource=facts.get("resource", ""),
        policy_type=policy_type,
        denied=row.denied,
        proves_access=row.proves_access,
    )


def _facts(text: str) -> dict[str, str]:
    facts: dict[str, str] = {}
    sentence = _SENTENCE.search(text)
    if sentence:
        facts |= {name: value.rstrip(".") for name, value in sentence.groupdict().items() if value}
    deny = _DENY_TYPE.search(text) or _NO_ALLOW_TYPE.search(text)
    if deny:
        facts["type"] = " ".join(deny["type"].lower().split())
    arn = _REPOSITORY_ARN.search(text)
    if arn:
        facts |= {"resource": arn[0], "repository": arn["name"], "account": arn["account"], "region": arn["region"]}
    for pattern in (_REPOSITORY_NAME, _IN_REPOSITORY):
        name = pattern.search(text)
        if name:
            facts.setdefault("repository", name[1])
    registry = _REGISTRY_ID.search(text)
    if registry:
        facts.setdefault("account", registry[1])
    host = _HOST.search(text)
    return _host_facts(host[0] if host else "") | facts


def _host_facts(host: str) -> dict[str, str]:
    parts = _REGISTRY_HOST.match(host)
    return ({"host": host} if host else {}) | (parts.groupdict() if parts else {})


def _side(row: Row, policy_type: str) -> str:
    if row.id != "explicit-deny" or not policy_type:
        return row.side
    if policy_type == "resource-based policy":
        return f"{REPOSITORY_POLICY} (explicit deny)"
    if policy_type == "identity-based policy":
        return f"{IDENTITY_POLICY} (explicit deny)"
    return f"{OTHER_POLICY} (explicit deny in {_article(policy_type)} {policy_type})"


def _article(noun: str) -> str:
    return "an" if noun[:1] in "aeio" else "a"


def _fill(template: str, words: dict[str, str]) -> str:
    filled = template.format_map(words)
    return filled[:1].upper() + filled[1:] if template.startswith("{") and words["action"] == "the action" else filled


@cache
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(part, re.IGNORECASE | re.DOTALL)


def _matches(row: Row, text: str) -> bool:
    return any(all(_compiled(part).search(text) for part in parts) for parts in row.patterns)


def _row(pattern: str) -> Row:
    return next(row for row in CATALOGUE if row.id == pattern)


def _by_status(status: int | None, text: str) -> Row | None:
    """Only what a status says by itself, for answers whose text is empty or nobody's known wording."""
    if status == 403:
        return _row("head-without-body" if not text.strip() else "status-403")
    if status is not None and status >= 500:
        return _row("registry-failure")
    pattern = {401: "no-basic-auth", 407: "proxy", 429: "throttled"}.get(status or 0)
    return _row(pattern) if pattern else None
