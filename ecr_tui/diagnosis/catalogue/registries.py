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
        "Public registries count pulls, and those without a login (anonymous) by address: machines behind "
        "one NAT share "
        "a rate. The limit of {host} has nothing to do with access to ECR.",
        "Log in to {host} first, wait, or take a copy in your own ECR (a pull-through cache rule).",
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
        "Amazon ECR Public (public.ecr.aws) refuses the request",
        "Anybody may pull from public.ecr.aws without a login. A stored login whose token has expired makes it refuse; "
        "a push needs a login as the gallery's owner, in us-east-1.",
        "docker logout public.ecr.aws   # helm: helm registry logout public.ecr.aws",
        ("unexpected status from HEAD request to https://public.ecr.aws/v2/…: 403 Forbidden",),
        (("<public-ecr>", rf"{_REFUSED}|authorization token.{{0,20}}expired"),),
    ),
    Failure(
        "hub-refused",
        None,
        "pull",
        f"{OTHER_REGISTRY} (Docker Hub)",
        "Docker Hub (docker.io) refuses the request",
        "The image is on Docker Hub, not in ECR: its login there is missing or wrong, or the image is private.",
        "docker login docker.io   # with a Docker Hub account; or name the ECR host in the reference",
        ("Head https://registry-1.docker.io/v2/…: unauthorized: incorrect username or password",),
        (("<hub>", _REFUSED),),
    ),
    Failure(
        "other-registry-refused",
        None,
        "pull",
        f"{OTHER_REGISTRY} ({{host}})",
        "{host} refuses the request",
        "This host is another registry than ECR; its own login and permissions count.",
        "docker login {host}   # with that registry's credentials",
        ("unexpected status from GET request to https://ghcr.io/v2/…: 401 Unauthorized",),
        (("<registry>", _REFUSED), ("<registry>", "no basic auth")),
    ),
    Failure(
        "other-registry-image",
        None,
        "pull",
        f"{OTHER_REGISTRY} ({{host}})",
        "{host} has no such image",
        "The reference names another registry than ECR; the repository or tag does not exist there, or is private.",
        "Check the reference's host, name and tag.",
        ("ghcr.io/app:v1: manifest unknown",),
        (("<(?:public-ecr|hub|registry)>", r"manifest unknown|not found|\b404\b|name unknown|does not exist"),),
    ),
    Failure(
        "other-registry-failed",
        None,
        "pull",
        f"{NETWORK} (to {{host}})",
        "{host} broke off or failed",
        "The connection to {host}, another registry than ECR, ended without an answer; access to ECR has no "
        "part in it.",
        "Try again; if it persists, look at the status page of {host} and at the proxy.",
        ('Get "https://auth.docker.io/token": EOF',),
        (("<(?:public-ecr|hub|registry)>", r"\bEOF\b|connection reset|\b50[0234]\b"),),
    ),
)
