"""Registries that are not a private ECR: no grant of ecr-tui reaches them."""

from __future__ import annotations

from ecr_tui.diagnosis.failure import NETWORK, OTHER_REGISTRY, Failure

_REFUSED = (
    r"\b40[13]\b|denied|unauthorized|not authorized|incorrect username|authentication|insufficient_scope|"
    r"bad credentials"
)

OTHERS: tuple[Failure, ...] = (
    Failure(
        "other-registry-rate",
        None,
        "pull",
        f"{OTHER_REGISTRY} ({{host}})",
        "{host} limits the rate of pulls",
        "Public registries limit pulls, anonymous ones by IP address, so machines behind one NAT share a limit. The "
        "limit of {host} is not related to access to ECR.",
        "Log in to {host}, wait, or use a pull through cache rule in your own ECR.",
        ("toomanyrequests: You have reached your unauthenticated pull rate limit",),
        (
            ("<(?:public-ecr|hub|registry)>", r"toomanyrequests|rate (?:exceeded|limit)|\b429\b|too many requests"),
            ("pull rate limit",),
            ("data limit exceeded",),
        ),
    ),
    Failure(
        "public-ecr-refused",
        None,
        "pull",
        f"{OTHER_REGISTRY} (public.ecr.aws)",
        "Amazon ECR Public (public.ecr.aws) denies the request",
        "Pulls from public.ecr.aws need no login, but fail with a stored login that has expired. A push needs a login "
        "as the gallery's owner, in us-east-1.",
        "docker logout public.ecr.aws   # helm: helm registry logout public.ecr.aws",
        ("unexpected status from HEAD request to https://public.ecr.aws/v2/…: 403 Forbidden",),
        (("<public-ecr>", rf"{_REFUSED}|authorization token.{{0,20}}expired"),),
    ),
    Failure(
        "hub-refused",
        None,
        "pull",
        f"{OTHER_REGISTRY} (Docker Hub)",
        "Docker Hub (docker.io) denies the request",
        "The image is on Docker Hub, not in ECR. The login there is missing or wrong, or the image is private.",
        "docker login docker.io   # with a Docker Hub account; or name the ECR host in the reference",
        ("Head https://registry-1.docker.io/v2/…: unauthorized: incorrect username or password",),
        (("<hub>", _REFUSED),),
    ),
    Failure(
        "other-registry-refused",
        None,
        "pull",
        f"{OTHER_REGISTRY} ({{host}})",
        "{host} denies the request",
        "This host is not ECR. Its own login and permissions apply.",
        "docker login {host}   # with that registry's credentials",
        ("unexpected status from GET request to https://ghcr.io/v2/…: 401 Unauthorized",),
        (("<registry>", _REFUSED), ("<registry>", "no basic auth")),
    ),
    Failure(
        "other-registry-image",
        None,
        "pull",
        f"{OTHER_REGISTRY} ({{host}})",
        "The image does not exist on {host}",
        "The registry in the reference is not ECR. The repository or tag does not exist there, or is private.",
        "Check the host, name and tag of the reference.",
        ("ghcr.io/app:v1: manifest unknown",),
        (("<(?:public-ecr|hub|registry)>", r"manifest unknown|not found|\b404\b|name unknown|does not exist"),),
    ),
    Failure(
        "other-registry-failed",
        None,
        "pull",
        f"{NETWORK} (to {{host}})",
        "{host} closed the connection or failed",
        "The connection to {host}, which is not ECR, ended without a response. Access to ECR is not involved.",
        "Retry. If it persists, check the status page of {host} and the proxy.",
        ('Get "https://auth.docker.io/token": EOF',),
        (("<(?:public-ecr|hub|registry)>", r"\bEOF\b|connection reset|\b50[0234]\b"),),
    ),
)
