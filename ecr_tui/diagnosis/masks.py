"""Names out of a record, so that they never decide: a repository may be called ``kms/token-expired``.

What the catalogue's patterns meet in place of a URL or an image reference says whose it is, and nothing else:
``<ecr>``, ``<ecr-api>``, ``<public-ecr>``, ``<hub>`` (Docker Hub), ``<registry>`` (any other), ``<s3>``, ``<aws>``,
``<url>``; after a registry's, what of it was asked: ``/manifests``, ``/blobs``, ``/uploads``, ``/tags``, ``/v2``.
``<engine-socket>`` is a container engine's, ``<arn>``, ``<digest>``, ``<id>``, ``<address>``, ``<file>`` and
``<name>`` stand for themselves.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ecr_tui.diagnosis.places import LOOPBACK, REGISTRY_HOST, host_kind

_URL = re.compile(r"\b(?P<scheme>https?|docker|oci|tcp|unix|npipe|ssh|s3)://(?P<rest>[^\s\"'<>`)}\]]+)", re.IGNORECASE)
_REFERENCE = re.compile(
    rf"(?<![\w./@-])(?P<host>{REGISTRY_HOST})(?P<rest>(?:/[\w.*/-]*)?(?::[\w.-]*\w)?(?:@sha256:[0-9a-f]*)?)(?![\w])",
    re.IGNORECASE,
)
_API_PATH = re.compile(r"(?<![\w.])/v2/[\w./*-]+", re.IGNORECASE)
_ENGINE_SOCKET = re.compile(
    r"(?:[\w./\\-]*/)?[\w.-]*(?:docker|podman|containerd|buildkitd?|crio|backend)[\w.-]*\.sock\b|"
    r"[\w./\\:-]*pipe[/\\][\w-]*(?:docker|podman)[\w-]*",
    re.IGNORECASE,
)
_KEPT_PATHS = re.compile(
    r"(?:i/o|net/http|username/password|and/or|tls/ssl|ssl/tls|n/a|application/[\w.+-]+|(?:linux|windows|darwin)/[\w/.-]+|read/write)$",
    re.IGNORECASE,
)
# A name follows these words, whatever it looks like.
_NAMED = re.compile(
    r"(?P<before>\b(?:destination repository|in repository|(?:access )?denied for|reading manifest|no such image:|"
    r"(?:tag|image) does not exist:|with the tag:|config profile|profile|(?:error: )?image|"
    r"repository name|role|pulling|"
    r"pushing|pull image|push|container|for ref|manifest for|tag|ref|requested image|source image|secret|bucket)"
    r"(?: named)?\s+)(?P<name>[\"'(`]?[\w][\w.*+@:/-]*[\"')`]?)",
    re.IGNORECASE,
)
_ALWAYS_NAMED = re.compile(
    r"destination repository|in repository|denied for|reading manifest|no such image|does not exist:|with the tag|"
    r"profile|manifest for|for ref|role",
    re.IGNORECASE,
)
_NAMELIKE = re.compile(r"[./:@_\d-]")
_ORDINARY = re.compile(
    r"[\"'(`]*(?:is|was|has|have|had|in|on|at|of|to|for|from|with|and|or|not|does|do|did|could|can|cannot|may|must|the|"
    r"a|an|this|that|failed|access|already|exists?|invalid|config|manifests?|policy|denied|error|unknown|source|"
    r"trust|name|named|layers?|files?|image|images|index|list|associated|session|credentials?)[\"')`.,:;]*$",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"(?P<open>[\"'`])(?P<inside>[^\"'`\s]{1,300})(?P=open)")
_KEPT_QUOTES = re.compile(r"(?:exec:|parameter at|keyword|expected|parameter)\s*$", re.IGNORECASE)
_REST = (
    (re.compile(r"\barn:[\w*-]+:[\w-]+:[\w*-]*:[\w*-]*:[^\s\"',;)]+", re.IGNORECASE), "<arn>"),
    (re.compile(r"\b(?:manifest-|config-|layer-|index-)?sha256[:-][0-9a-f*]{4,}(?:\.\w+)?", re.IGNORECASE), "<digest>"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"(?i)\brequest[ -]?id:? *[\w-]+"), "<id>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\[[0-9a-f:]+\]:\d+", re.IGNORECASE), "<address>"),
)
_FILE = re.compile(r"(?<![\w<>.])(?:~|\.{1,2}|[A-Za-z]:)?[/\\][\w.@+/\\-]+")
_PATH = re.compile(r"(?<![\w<>/.:-])[\w.@+-]+(?:/[\w.@+*-]+)+(?::[\w.-]*\w)?")


@lru_cache(maxsize=256)
def masked(record: str, registry: str = "") -> str:
    """``record`` without its names. ``registry``: a host that is known to be ECR's, whatever it is called."""
    text = _URL.sub(lambda match: _url(match["scheme"].lower(), match["rest"], registry), record)
    text = _ENGINE_SOCKET.sub("<engine-socket>", text)
    text = _API_PATH.sub(lambda match: f"<ecr>{asked(match[0])}", text)
    text = _REFERENCE.sub(lambda match: f"<{_kind(match['host'], registry)}>", text)
    for pattern, mask in _REST:
        text = pattern.sub(mask, text)
    text = _NAMED.sub(_named, text)
    text = _QUOTED.sub(_quoted, text)
    text = _PATH.sub(lambda match: match[0] if _KEPT_PATHS.match(match[0]) else "<name>", text)
    return _FILE.sub("<file>", text)


def asked(path: str) -> str:
    """What of a registry a URL's path means: "/manifests", "/blobs", "/uploads", "/tags", "/v2", or ""."""
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
        kind = "ecr" if LOOPBACK.match(host) or "." not in host or re.fullmatch(r"[\d.:]+", host) else "registry"
    return f"<{kind}>{what}{end}"


def _kind(host: str, registry: str) -> str:
    return "ecr" if registry and host.lower() == registry.lower() else host_kind(host)


def _named(match: re.Match[str]) -> str:
    name = match["name"]
    if _ORDINARY.match(name) or _KEPT_PATHS.match(name) or name.startswith("<"):
        return match[0]
    core = name.strip("\"'()`.,:;")
    if not _ALWAYS_NAMED.search(match["before"]) and not _NAMELIKE.search(core):
        return match[0]
    return f"{match['before']}<name>{':' if name.endswith(':') else ''}"


def _quoted(match: re.Match[str]) -> str:
    if _KEPT_QUOTES.search(match.string[: match.start()]) or match["inside"].startswith(("<", "docker-credential")):
        return match[0]
    # A quoted constant of a protocol ("UNSUPPORTED") is content, and so is a JSON key.
    if re.fullmatch(r"[A-Z][A-Z_]{3,}|[A-Z][a-z]+(?:[A-Z][a-z]+)+", match["inside"]):
        return match[0]
    return match[0] if match.string[match.end() : match.end() + 1] == ":" and "/" not in match["inside"] else "<name>"
