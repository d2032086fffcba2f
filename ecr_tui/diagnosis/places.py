"""Where an error text plays: registry hosts, repositories, accounts, regions, and the request that was made."""

from __future__ import annotations

import re

LOOPBACK = re.compile(r"localhost\b|127\.|\[::1\]", re.IGNORECASE)
# Log masking hides account ids ("***.dkr.ecr…"), and people write XXXX for theirs.
_ECR_HOST = (
    r"(?:[\w*-]+\.|\[[\w ]+\]\.)?dkr[.-]ecr(?:-fips)?\.[\w*-]+\.(?:vpce\.)?"
    r"(?:amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|[\w.]+\.(?:gov|uk))"
)
_OTHER_HOSTS = (
    r"public\.ecr\.aws|(?:registry-1\.|index\.|auth\.|registry\.hub\.|hub\.|production\.cloudflare\.)?docker\.(?:io|com)|"
    r"ghcr\.io|quay\.io|(?:[\w-]+\.)?gcr\.io|[\w-]+-docker\.pkg\.dev|mcr\.microsoft\.com|[\w-]+\.azurecr\.io|"
    r"(?:registry|k8s)\.(?:k8s|gcr)\.io|nvcr\.io|registry\.gitlab\.com|registry\.(?:access\.)?redhat\.(?:com|io)|"
    r"docker\.elastic\.co|[\w-]+\.jfrog\.io|cgr\.dev|xpkg\.upbound\.io|lscr\.io|registry\.(?:suse|opensuse)\.\w+"
)
REGISTRY_HOST = rf"(?:{_ECR_HOST}|{_OTHER_HOSTS}|(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]):\d+)(?![\w-])"

_PRIVATE = re.compile(_ECR_HOST, re.IGNORECASE)
_KINDS = (
    (
        "ecr-api",
        re.compile(r"(?:^|\.)api\.ecr(?:-fips)?\.|^ecr(?:-fips)?\.[\w-]+\.(?:api\.aws|amazonaws)", re.IGNORECASE),
    ),
    ("public-ecr", re.compile(r"public\.ecr\.aws|ecr-public\.", re.IGNORECASE)),
    ("hub", re.compile(r"(?:^|\.)docker\.(?:io|com)(?::\d+)?$", re.IGNORECASE)),
    ("s3", re.compile(r"(?:^|\.)s3[.-]|starport-layer-bucket", re.IGNORECASE)),
    ("registry", re.compile(rf"^(?:{_OTHER_HOSTS})(?::\d+)?$", re.IGNORECASE)),
    ("aws", re.compile(r"\.amazonaws\.|\.api\.aws$", re.IGNORECASE)),
)


def host_kind(host: str) -> str:
    """ "ecr" (a private registry, and loopback), "ecr-api", "public-ecr", "hub", "registry", "s3", "aws" or "url"."""
    if _PRIVATE.fullmatch(host) or LOOPBACK.match(host):
        return "ecr"
    return next((kind for kind, pattern in _KINDS if pattern.search(host)), "url")


# What is captured here ends up in commands to copy: only characters that a shell takes literally.
_REGISTRY = re.compile(
    r"(?<![\w.-])(?:(?P<account>\d{12})\.)?(?:vpce-[\w-]+\.)?dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z]{2}[a-z0-9-]*-\d)\."
    r"(?:vpce\.)?[a-z0-9.]*[a-z]",
    re.IGNORECASE,
)
_LOOPBACK_HOST = re.compile(r"(?<![\w.-])(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]):\d+", re.IGNORECASE)
_API = re.compile(
    r"(?<![\w.-])(?:[\w-]+\.)?(?:api\.)?ecr(?:-fips|-public)?\.(?P<region>[a-z]{2}[a-z0-9-]*-\d)\.[a-z0-9.]*[a-z]",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    rf"(?<![\w.-])(?:{_OTHER_HOSTS})(?![\w-])|(?<=//)[\w-]+(?:\.[\w-]+)+(?::\d+)?(?=/v2)", re.IGNORECASE
)
_HOST_OF_URL = re.compile(r"https?://(?P<host>[\w-]+(?:\.[\w-]+)+(?::\d+)?)", re.IGNORECASE)
_REPOSITORY_ARN = re.compile(
    r"arn:[\w-]+:ecr:(?P<region>[\w-]*):(?P<account>\d{12}):repository/(?P<repository>[\w./-]*\w)", re.IGNORECASE
)
_NAME = r"[a-z0-9][\w./-]*"
_REPOSITORIES = (
    re.compile(rf"repository with name ['\"](?P<repository>{_NAME})['\"]", re.IGNORECASE),
    re.compile(rf"in the ['\"](?P<repository>{_NAME})['\"] repository", re.IGNORECASE),
    re.compile(rf"/v2/(?P<repository>{_NAME}?)/(?:manifests|blobs|tags)\b", re.IGNORECASE),
    re.compile(rf"{_REGISTRY.pattern}/(?!v2/)(?P<repository>{_NAME}?)(?=[:@\s\"',;)\]`]|\.\.\.|$)", re.IGNORECASE),
    re.compile(rf"{_LOOPBACK_HOST.pattern}/(?!v2/)(?P<repository>{_NAME}?)(?=[:@\s\"',;)\]`]|$)", re.IGNORECASE),
    re.compile(rf"destination repository (?P<repository>{_NAME}?)(?=[:\s]|$)", re.IGNORECASE),
    re.compile(rf"The push refers to (?:a )?repository \[[^\]/]+/(?P<repository>{_NAME})\]", re.IGNORECASE),
)
_REGISTRY_ID = re.compile(r"registry with id ['\"](?P<account>\d{12})['\"]", re.IGNORECASE)
_PROFILE = re.compile(
    r"\bprofile(?: |[\"'(=:]){1,3}(?P<profile>(?!has\b|is\b|could\b|with\b|was\b|not\b)[\w.@+-]*\w)", re.IGNORECASE
)
_REGION_NAME = re.compile(
    r"(?<![\w-])(?P<region>(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso\w?)?-[a-z]+-\d)(?![\w-])"
)


def places(text: str) -> dict[str, str]:
    """ "host", "account", "region", "repository" and "resource", as far as the text tells; safe in a shell command."""
    found: dict[str, str] = {}
    arn = _REPOSITORY_ARN.search(text)
    if arn:
        found |= {"resource": arn[0], **{name: value for name, value in arn.groupdict().items() if value}}
    for pattern in _REPOSITORIES:
        match = pattern.search(text)
        if match:
            found.setdefault("repository", match["repository"].rstrip("./"))
    registry = _REGISTRY_ID.search(text)
    if registry:
        found.setdefault("account", registry["account"])
    found |= {key: value for key, value in host_facts(text).items() if key not in found}
    region = _REGION_NAME.search(text)
    if region:
        found.setdefault("region", region["region"])
    return found


def host_facts(text: str) -> dict[str, str]:
    """The registry's host in the text, and what its name says of account and region."""
    registry = _REGISTRY.search(text)
    if registry:
        return {"host": registry[0], **{name: value for name, value in registry.groupdict().items() if value}}
    loopback = _LOOPBACK_HOST.search(text)
    return {"host": loopback[0]} if loopback else {}


def other_host(text: str) -> str:
    """A registry's host that is not a private ECR's, "" where there is none."""
    match = _FOREIGN.search(text)
    return match[0] if match else ""


def endpoint(text: str) -> dict[str, str]:
    """The host of AWS's own API, or of the first URL, and its region."""
    api = _API.search(text)
    if api:
        return {"endpoint": api[0], "region": api["region"]}
    match = _HOST_OF_URL.search(text)
    return {"endpoint": match["host"]} if match else {}


def profile_of(text: str) -> str:
    """The AWS profile that a text names, "" where it names none."""
    match = _PROFILE.search(text)
    return match["profile"] if match else ""


# Requests

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
_REQUEST = re.compile(r"\b(HEAD|GET|POST|PATCH|PUT|DELETE)\b[^\n]{0,200}?/v2/(?P<path>[^\s\"']*)", re.IGNORECASE)
_PHRASES = (
    (re.compile(r"trying to reuse blob|checking whether a blob"), "HEAD", "blob"),
    (re.compile(r"initiating layer upload"), "POST", "uploads"),
    (re.compile(r"uploading layer chunked"), "PATCH", "upload"),
    (re.compile(r"uploading layer to"), "PUT", "upload"),
    (re.compile(r"(?:uploading|writing|pushing) manifest|push manifest"), "PUT", "manifest"),
    (re.compile(r"reading manifest|(?:status code )?\[manifests \S+\]"), "GET", "manifest"),
    (
        re.compile(
            r"fetching blob|reading blob|httpreadseeker|pulling image configuration|copying config|\[blobs \S+\]"
        ),
        "GET",
        "blob",
    ),
    (re.compile(r"fetching tags list|listing repository tags"), "GET", "tags"),
)
"""What engines say that they were doing, where they do not quote the request."""


def action_of(method: str, kind: str) -> str:
    """The ECR action behind a registry request; ``kind``: "blob", "uploads", "upload", "manifest" or "tags"."""
    return _ACTIONS.get((method.upper(), kind), "")


def request_of(text: str) -> tuple[str, str]:
    """The (method, kind) of the registry request that an engine's message tells, ("", "") when it tells none."""
    low = text.lower()
    for phrase, method, kind in _PHRASES:
        if phrase.search(low):
            return method, kind
    # The last one: engines put what they were asked to do before what they did.
    for match in reversed(list(_REQUEST.finditer(text))):
        path = f"/{match['path'].lower()}"
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


_PUSHING = re.compile(
    r"\b(?:failed to push|push(?:ing|ed)?\b(?! refers)|the push refers|writing (?:blob|manifest)|layer upload|"
    r"upload(?:ing)?\b|commit on ref|export(?:ing)? to|checking push|put request|send blob)",
    re.IGNORECASE,
)
_PULLING = re.compile(
    r"\b(?:pull(?:ing|ed)?\b(?! request)|cannotpull\w*|errimagepull|imagepull\w*|download(?:ing)?\b|"
    r"initializing source|"
    r"copy from source|reading manifest|fetch(?:ing)?\b|runpodsandbox|httpreadseeker|copying config|get sandbox image|"
    r"failed to resolve (?:ref|reference|source)|trying to pull|docker image ls|unpack image)",
    re.IGNORECASE,
)


def transfer_of(text: str, words: str) -> str:
    """ "push" or "pull", as a text tells by its requests or its ``words`` (names masked); "" where it does not."""
    method, kind = request_of(text)
    if method in ("POST", "PATCH", "PUT") or kind in ("upload", "uploads"):
        return "push"
    pulling, pushing = _PULLING.search(words), _PUSHING.search(words)
    if pulling and pushing:
        return "pull" if pulling.start() < pushing.start() else "push"
    if pulling or pushing:
        return "pull" if pulling else "push"
    return "pull" if kind else ""
