"""Places in an error text: registry hosts, repositories, accounts, regions, and the request."""

from __future__ import annotations

import re

LOOPBACK = r"(?i)localhost\b|127\.|\[::1\]"
# Account ids may be masked by log filters ("***.dkr.ecr…") or people (XXXX).
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

_PRIVATE = rf"(?i){_ECR_HOST}"
_KINDS = (
    (
        "ecr-api",
        r"(?i)(?:^|\.)api\.ecr(?:-fips)?\.|^ecr(?:-fips)?\.[\w-]+\.(?:api\.aws|amazonaws)",
    ),
    ("public-ecr", r"(?i)public\.ecr\.aws|ecr-public\."),
    ("hub", r"(?i)(?:^|\.)docker\.(?:io|com)(?::\d+)?$"),
    ("s3", r"(?i)(?:^|\.)s3[.-]|starport-layer-bucket"),
    ("registry", rf"(?i)^(?:{_OTHER_HOSTS})(?::\d+)?$"),
    ("aws", r"(?i)\.amazonaws\.|\.api\.aws$"),
)


def host_kind(host: str) -> str:
    """ "ecr" (a private registry, and loopback), "ecr-api", "public-ecr", "hub", "registry", "s3", "aws" or "url"."""
    if re.fullmatch(_PRIVATE, host) or re.match(LOOPBACK, host):
        return "ecr"
    return next((kind for kind, pattern in _KINDS if re.search(pattern, host)), "url")


# Captured values end up in commands to copy: only characters that are literal in a shell.
_REGISTRY = (
    r"(?<![\w.-])(?:(?P<account>\d{12})\.)?(?:vpce-[\w-]+\.)?dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z]{2}[a-z0-9-]*-\d)\."
    r"(?:vpce\.)?[a-z0-9.]*[a-z]"
)
_LOOPBACK_HOST = r"(?<![\w.-])(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]):\d+"
_API = (
    r"(?i)(?<![\w.-])(?:[\w-]+\.)?(?:api\.)?ecr(?:-fips|-public)?\.(?P<region>[a-z]{2}[a-z0-9-]*-\d)\.[a-z0-9.]*[a-z]"
)
_FOREIGN = rf"(?i)(?<![\w.-])(?:{_OTHER_HOSTS})(?![\w-])|(?<=//)[\w-]+(?:\.[\w-]+)+(?::\d+)?(?=/v2)"
_HOST_OF_URL = r"(?i)https?://(?P<host>[\w-]+(?:\.[\w-]+)+(?::\d+)?)"
_REPOSITORY_ARN = r"(?i)arn:[\w-]+:ecr:(?P<region>[\w-]*):(?P<account>\d{12}):repository/(?P<repository>[\w./-]*\w)"
_NAME = r"[a-z0-9][\w./-]*"
_REPOSITORIES = (
    rf"(?i)repository with name ['\"](?P<repository>{_NAME})['\"]",
    rf"(?i)in the ['\"](?P<repository>{_NAME})['\"] repository",
    rf"(?i)/v2/(?P<repository>{_NAME}?)/(?:manifests|blobs|tags)\b",
    rf"(?i){_REGISTRY}/(?!v2/)(?P<repository>{_NAME}?)(?=[:@\s\"',;)\]`]|\.\.\.|$)",
    rf"(?i){_LOOPBACK_HOST}/(?!v2/)(?P<repository>{_NAME}?)(?=[:@\s\"',;)\]`]|$)",
    rf"(?i)destination repository (?P<repository>{_NAME}?)(?=[:\s]|$)",
    rf"(?i)The push refers to (?:a )?repository \[[^\]/]+/(?P<repository>{_NAME})\]",
)
_REGISTRY_ID = r"(?i)registry with id ['\"](?P<account>\d{12})['\"]"
_PROFILE = r"(?i)\bprofile(?: |[\"'(=:]){1,3}(?P<profile>(?!has\b|is\b|could\b|with\b|was\b|not\b)[\w.@+-]*\w)"
_REGION_NAME = r"(?<![\w-])(?P<region>(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso\w?)?-[a-z]+-\d)(?![\w-])"


def places(text: str) -> dict[str, str]:
    """ "host", "account", "region", "repository" and "resource", if in the text; safe in a shell command."""
    found: dict[str, str] = {}
    arn = re.search(_REPOSITORY_ARN, text)
    if arn:
        found |= {"resource": arn[0], **{name: value for name, value in arn.groupdict().items() if value}}
    for pattern in _REPOSITORIES:
        match = re.search(pattern, text)
        if match:
            found.setdefault("repository", match["repository"].rstrip("./"))
    registry = re.search(_REGISTRY_ID, text)
    if registry:
        found.setdefault("account", registry["account"])
    found |= {key: value for key, value in host_facts(text).items() if key not in found}
    region = re.search(_REGION_NAME, text)
    if region:
        found.setdefault("region", region["region"])
    return found


def host_facts(text: str) -> dict[str, str]:
    """The registry's host in the text, with the account and region in its name."""
    registry = re.search(_REGISTRY, text, re.IGNORECASE)
    if registry:
        return {"host": registry[0], **{name: value for name, value in registry.groupdict().items() if value}}
    loopback = re.search(_LOOPBACK_HOST, text, re.IGNORECASE)
    return {"host": loopback[0]} if loopback else {}


def other_host(text: str) -> str:
    """The host of a registry that is not a private ECR, or ""."""
    match = re.search(_FOREIGN, text)
    return match[0] if match else ""


def endpoint(text: str) -> dict[str, str]:
    """The host of AWS's API, or of the first URL, and its region."""
    api = re.search(_API, text)
    if api:
        return {"endpoint": api[0], "region": api["region"]}
    match = re.search(_HOST_OF_URL, text)
    return {"endpoint": match["host"]} if match else {}


def profile_of(text: str) -> str:
    """The AWS profile named in a text, or ""."""
    match = re.search(_PROFILE, text)
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
_REQUEST = r"(?i)\b(HEAD|GET|POST|PATCH|PUT|DELETE)\b[^\n]{0,200}?/v2/(?P<path>[^\s\"']*)"
_PHRASES = (
    (r"trying to reuse blob|checking whether a blob", "HEAD", "blob"),
    (r"initiating layer upload", "POST", "uploads"),
    (r"uploading layer chunked", "PATCH", "upload"),
    (r"uploading layer to", "PUT", "upload"),
    (r"(?:uploading|writing|pushing) manifest|push manifest", "PUT", "manifest"),
    (r"reading manifest|(?:status code )?\[manifests \S+\]", "GET", "manifest"),
    (
        r"fetching blob|reading blob|httpreadseeker|pulling image configuration|copying config|\[blobs \S+\]",
        "GET",
        "blob",
    ),
    (r"fetching tags list|listing repository tags", "GET", "tags"),
)
"""Engines' descriptions of operations, for messages without the request."""


def action_of(method: str, kind: str) -> str:
    """The ECR action behind a registry request; ``kind``: "blob", "uploads", "upload", "manifest" or "tags"."""
    return _ACTIONS.get((method.upper(), kind), "")


def request_of(text: str) -> tuple[str, str]:
    """The (method, kind) of the registry request in an engine's message, or ("", "")."""
    low = text.lower()
    for phrase, method, kind in _PHRASES:
        if re.search(phrase, low):
            return method, kind
    # The last one: engines print the command before the request.
    for match in reversed(list(re.finditer(_REQUEST, text))):
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


_PUSHING = (
    r"(?i)\b(?:failed to push|push(?:ing|ed)?\b(?! refers)|the push refers|writing (?:blob|manifest)|layer upload|"
    r"upload(?:ing)?\b|commit on ref|export(?:ing)? to|checking push|put request|send blob)"
)
_PULLING = (
    r"(?i)\b(?:pull(?:ing|ed)?\b(?! request)|cannotpull\w*|errimagepull|imagepull\w*|download(?:ing)?\b|"
    r"initializing source|"
    r"copy from source|reading manifest|fetch(?:ing)?\b|runpodsandbox|httpreadseeker|copying config|get sandbox image|"
    r"failed to resolve (?:ref|reference|source)|trying to pull|docker image ls|unpack image)"
)


def transfer_of(text: str, words: str) -> str:
    """ "push" or "pull", derived from the text's requests or its ``words`` (names masked); "" if unknown."""
    method, kind = request_of(text)
    if method in ("POST", "PATCH", "PUT") or kind in ("upload", "uploads"):
        return "push"
    pulling, pushing = re.search(_PULLING, words), re.search(_PUSHING, words)
    if pulling and pushing:
        return "pull" if pulling.start() < pushing.start() else "push"
    if pulling or pushing:
        return "pull" if pulling else "push"
    return "pull" if kind else ""
