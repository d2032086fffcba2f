"""Denials without a reason, and engines that hide the registry's message: diagnosed by status and request."""

from __future__ import annotations

from ecr_tui.diagnosis.catalogue.denials import GRANT
from ecr_tui.diagnosis.failure import DOCKER, EITHER_POLICY, REPOSITORY_STATE, UNKNOWN, Failure

_403 = r"\b403\b"

REFUSALS: tuple[Failure, ...] = (
    Failure(
        "repository-full",
        10,
        "push",
        EITHER_POLICY,
        "{action} is denied, or the repository is full (the error has no text)",
        "The registry accepted the layers and rejected the manifest. An account's policy lacks {action}, or the "
        "repository has reached its quota of images: ECR answers 403 in both cases.",
        "aws ecr list-images --repository-name {repository} --query 'length(imageIds)'   # as account A; at "
        "the quota of images, add a lifecycle policy. Otherwise: " + GRANT,
        ("unexpected status from PUT request to https://…/manifests/v1: 403 Forbidden",),
        (("put request|\\bput\\b", "<ecr>/manifests|\\bmanifest\\b", _403), ("writing manifest|push manifest", _403)),
        action="ecr:PutImage",
        denied=True,
    ),
    Failure(
        "head-without-body",
        9,
        "push",
        EITHER_POLICY,
        "{action} is denied (the error has no text)",
        "The registry denied a HEAD request, whose response has no body with a reason. Docker uses it to check whether "
        "a layer exists (ecr:BatchCheckLayerAvailability).",
        GRANT,
        ('error parsing HTTP 403 response body: unexpected end of JSON input: ""',),
        (
            ("error parsing HTTP 403 response body",),
            ("HEAD blob: HTTP 403",),
            ("failed to read from destination repository", _403),
        ),
        action="ecr:BatchCheckLayerAvailability",
        denied=True,
    ),
    Failure(
        "hub-denied",
        23,
        "push",
        DOCKER,
        "The image reference has no ECR host",
        "A name without a registry host goes to Docker Hub, which denies the push.",
        "docker tag IMAGE {host}/{repository}:TAG",
        ("denied: requested access to the resource is denied",),
        (("requested access to the resource is denied",),),
    ),
    Failure(
        "pull-access-denied",
        22,
        "pull",
        EITHER_POLICY,
        "The pull was denied, or went to another registry",
        "Either the reference has no ECR host and Docker Hub answered, or the registry denied access to the image.",
        "docker pull {host}/{repository}:TAG   # with the full host",
        ("pull access denied for app, repository does not exist or may require 'docker login'", "insufficient_scope"),
        (("pull access denied",), ("insufficient_scope",), ("does not exist or no pull access",)),
        action="ecr:BatchGetImage",
        denied=True,
    ),
    Failure(
        "status-403",
        10,
        "push",
        EITHER_POLICY,
        "{action} is denied (the error has no text)",
        "A request was denied without a reason: an account's policy lacks the action, the token has expired, or the "
        "repository has reached its quota of images.",
        GRANT,
        ("unexpected status from POST request to https://…/blobs/uploads/: 403 Forbidden",),
        (
            ("(?:unexpected|invalid|unsupported|http|response)? ?status", _403),
            (r"\b403:? \(?forbidden",),
            (rf"\bhttp {_403}",),
            ("<ecr>", _403),
            ("<ecr>", r"\bdenied\b|\bforbidden\b"),
            (r"^(?:error:? )?(?:denied|forbidden)(?=:|\s|$)",),
        ),
        denied=True,
    ),
    Failure(
        "access-denied",
        None,
        "api",
        UNKNOWN,
        "AWS denied access without details",
        "An AWS service denied a call. The text names neither the caller nor the policy.",
        "aws sts get-caller-identity   # shows the caller; then find the AccessDenied event in CloudTrail",
        ("An error occurred (AccessDeniedException) when calling the DescribeRepositories operation",),
        (("access ?denied",), ("access (?:was|is) denied",)),
        codes=("AccessDenied", "AccessDeniedException", "AuthorizationError"),
        denied=True,
    ),
    Failure(
        "image-not-found",
        None,
        "pull",
        REPOSITORY_STATE,
        "The image does not exist, or is not visible",
        "No image has this reference: the tag or digest does not exist or was deleted, the repository is another one, "
        "or the reference has no ECR host.",
        "aws ecr describe-images --repository-name {repository}   # as account A; compare with the reference",
        ('failed to resolve reference "…/app:nope": not found',),
        (
            ("(?:ref|reference|image|manifest|tag|<ecr>|<name>)\\b.{0,200}(?<!file )(?<!command )\\bnot found\\b",),
            ("<ecr>[^ ]* ?.{0,80}not found",),
            ("tag .{0,80}not found in repository",),
            ("cannotpull\\w*", "not found|does not exist"),
            ("failed to perform .{0,40}not found",),
        ),
    ),
    Failure(
        "retrying",
        8,
        "push",
        EITHER_POLICY,
        "The upload fails and the engine retries without a reason",
        "A denied ecr:InitiateLayerUpload or ecr:UploadLayerPart often appears only as EOF, like a network failure. A "
        "malformed ARN in a policy has had this effect as well.",
        "ecr-tui verify {repository} --engine direct   # shows the response of each request",
        ("Retrying in 5 seconds", 'Post "https://…/blobs/uploads/": EOF'),
        ((r"retrying in \d+ second",), (r"\bEOF\b",), ("giving up after|max retries exceeded|retry (?:limit|budget)",)),
        action="ecr:InitiateLayerUpload",
        consequence=True,
    ),
)
