"""Mask names in a record, so that they never match a pattern: a repository may be called ``kms/token-expired``.

URLs and image references are replaced by placeholders for their kind:
``<ecr>``, ``<ecr-api>``, ``<public-ecr>``, ``<hub>`` (Docker Hub), ``<registry>`` (any other), ``<s3>``, ``<aws>``,
``<url>``; after a registry's, the requested path: ``/manifests``, ``/blobs``, ``/uploads``, ``/tags``, ``/v2``.
``<engine-socket>`` is a container engine's socket. Others are ``<arn>``, ``<digest>``, ``<id>``, ``<address>``,
``<file>`` and ``<name>``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ecr_tui.diagnosis.places import LOOPBACK, REGISTRY_HOST, host_kind

_URL = r"(?i)\b(?P<scheme>https?|docker|oci|tcp|unix|npipe|ssh|s3)://(?P<rest>[^\s\"'<>`)}\]]+)"
_REFERENCE = (
    rf"(?i)(?<![\w./@-])(?P<host>{REGISTRY_HOST})(?P<rest>(?:/[\w.*/-]*)?(?::[\w.-]*\w)?(?:@sha256:[0-9a-f]*)?)(?![\w])"
)
_API_PATH = r"(?i)(?<![\w.])/v2/[\w./*-]+"
_ENGINE_SOCKET = (
    r"(?i)(?:[\w./\\-]*/)?[\w.-]*(?:docker|podman|containerd|buildkitd?|crio|backend)[\w.-]*\.sock\b|"
    r"[\w./\\:-]*pipe[/\\][\w-]*(?:docker|podman)[\w-]*"
)
_KEPT_PATHS = (
    r"(?i)(?:i/o|net/http|username/password|and/or|tls/ssl|ssl/tls|n/a|application/[\w.+-]+|"
    r"(?:linux|windows|darwin)/[\w/.-]+|read/write)$"
)
# Any word after these is a name.
_NAMED = (
    r"(?i)(?P<before>\b(?:destination repository|in repository|(?:access )?denied for|reading manifest|no such image:|"
    r"(?:tag|image) does not exist:|with the tag:|config profile|profile|(?:error: )?image|"
    r"repository name|role|pulling|"
    r"pushing|pull image|push|container|for ref|manifest for|tag|ref|requested image|source image|secret|bucket)"
    r"(?: named)?\s+)(?P<name>[\"'(`]?[\w][\w.*+@:/-]*[\"')`]?)"
)
_ALWAYS_NAMED = (
    r"(?i)destination repository|in repository|denied for|reading manifest|no such image|does not exist:|with the tag|"
    r"profile|manifest for|for ref|role"
)
_NAMELIKE = r"[./:@_\d-]"
_ORDINARY = (
    r"(?i)[\"'(`]*(?:is|was|has|have|had|in|on|at|of|to|for|from|with|and|or|not|does|do|did|could|can|cannot|may|must|the|"
    r"a|an|this|that|failed|access|already|exists?|invalid|config|manifests?|policy|denied|error|unknown|source|"
    r"trust|name|named|layers?|files?|image|images|index|list|associated|session|credentials?)[\"')`.,:;]*$"
)
_QUOTED = r"(?P<open>[\"'`])(?P<inside>[^\"'`\s]{1,300})(?P=open)"
_KEPT_QUOTES = r"(?i)(?:exec:|parameter at|keyword|expected|parameter)\s*$"
_REST = (
    (r"(?i)\barn:[\w*-]+:[\w-]+:[\w*-]*:[\w*-]*:[^\s\"',;)]+", "<arn>"),
    (r"(?i)\b(?:manifest-|config-|layer-|index-)?sha256[:-][0-9a-f*]{4,}(?:\.\w+)?", "<digest>"),
    (r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "<id>"),
    (r"(?i)\brequest[ -]?id:? *[\w-]+", "<id>"),
    (r"(?i)\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\[[0-9a-f:]+\]:\d+", "<address>"),
)
_FILE = r"(?<![\w<>.])(?:~|\.{1,2}|[A-Za-z]:)?[/\\][\w.@+/\\-]+"
_PATH = r"(?<![\w<>/.:-])[\w.@+-]+(?:/[\w.@+*-]+)+(?::[\w.-]*\w)?"


@lru_cache(maxsize=256)
def masked(record: str, registry: str = "") -> str:
    """``record`` with masked names. ``registry``: a host known to be ECR's, regardless of its name."""
    text = re.sub(_URL, lambda match: _url(match["scheme"].lower(), match["rest"], registry), record)
    text = re.sub(_ENGINE_SOCKET, "<engine-socket>", text)
    text = re.sub(_API_PATH, lambda match: f"<ecr>{asked(match[0])}", text)
    text = re.sub(_REFERENCE, lambda match: f"<{_kind(match['host'], registry)}>", text)
    for pattern, mask in _REST:
        text = re.sub(pattern, mask, text)
    text = re.sub(_NAMED, _named, text)
    text = re.sub(_QUOTED, _quoted, text)
    text = re.sub(_PATH, lambda match: match[0] if re.match(_KEPT_PATHS, match[0]) else "<name>", text)
    return re.sub(_FILE, "<file>", text)


def asked(path: str) -> str:
    """The registry resource of a URL's path: "/manifests", "/blobs", "/uploads", "/tags", "/v2", or ""."""
    low = path.lower()
    for part in ("/manifests", "/blobs/uploads", "/blobs", "/tags", "/v2"):
        if part in low:
            return "/uploads" if part == "/blobs/uploads" else part
    return ""


def _url(scheme: str, rest: str, registry: str) -> str:
    host, _, path = rest.partition("/")
    if scheme in ("unix", "npipe") or re.search(
        r"%2f.*(?:pipe|\.sock)|docker_engine|docker\.sock", rest, re.IGNORECASE
    ):
        return "<engine-socket>"
    end = rest[-1] if rest[-1] in ".,;:" else ""
    kind = _kind(host.rstrip(".,;:"), registry)
    what = asked(f"/{path}")
    if kind == "url" and (what or scheme in ("docker", "oci")):
        kind = "ecr" if re.match(LOOPBACK, host) or "." not in host or re.fullmatch(r"[\d.:]+", host) else "registry"
    return f"<{kind}>{what}{end}"


def _kind(host: str, registry: str) -> str:
    return "ecr" if registry and host.lower() == registry.lower() else host_kind(host)


def _named(match: re.Match[str]) -> str:
    name = match["name"]
    if re.match(_ORDINARY, name) or re.match(_KEPT_PATHS, name) or name.startswith("<"):
        return match[0]
    core = name.strip("\"'()`.,:;")
    if not re.search(_ALWAYS_NAMED, match["before"]) and not re.search(_NAMELIKE, core):
        return match[0]
    return f"{match['before']}<name>{':' if name.endswith(':') else ''}"


def _quoted(match: re.Match[str]) -> str:
    if re.search(_KEPT_QUOTES, match.string[: match.start()]) or match["inside"].startswith(("<", "docker-credential")):
        return match[0]
    # A quoted constant of a protocol ("UNSUPPORTED") is content, and so is a JSON key.
    if re.fullmatch(r"[A-Z][A-Z_]{3,}|[A-Z][a-z]+(?:[A-Z][a-z]+)+", match["inside"]):
        return match[0]
    return match[0] if match.string[match.end() : match.end() + 1] == ":" and "/" not in match["inside"] else "<name>"
