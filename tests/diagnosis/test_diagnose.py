"""Every row of the failure catalogue by the words that AWS, docker and others use for it."""

from __future__ import annotations

import pytest

from ecr_tui.diagnosis.catalogue import CATALOGUE
from ecr_tui.diagnosis.diagnose import diagnose
from ecr_tui.diagnosis.failure import (
    CREDENTIALS,
    DOCKER,
    EITHER_POLICY,
    IDENTITY_POLICY,
    NETWORK,
    OTHER_POLICY,
    REGISTRY_POLICY,
    REPOSITORY_POLICY,
    REPOSITORY_STATE,
)

USER = "arn:aws:iam::222222222222:user/devusr2"
ARN = "arn:aws:ecr:eu-central-1:111111111111:repository/team/my-first-repo"
HOST = "111111111111.dkr.ecr.eu-central-1.amazonaws.com"


def sentence(action: str, tail: str = "", resource: str = ARN) -> str:
    return f"User: {USER} is not authorized to perform: {action} on resource: {resource}{tail}"


RESOURCE = " because no resource-based policy allows the {} action"
IDENTITY = " because no identity-based policy allows the {} action"
PUSH, LAYER, GET, PUT = (
    "ecr:InitiateLayerUpload",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:PutImage",
)

# number, text, action, side
ROWS = [
    (1, "no basic auth credentials", "", CREDENTIALS),
    (1, f"Get https://{HOST}/v2/: no basic auth credentials", "", CREDENTIALS),
    (
        2,
        "denied: Your Authorization Token has expired. Please run 'aws ecr get-login' to fetch a new one.",
        "",
        CREDENTIALS,
    ),
    (2, "Your authorization token has expired. Reauthenticate and try again.", "", CREDENTIALS),
    (3, sentence("ecr:GetAuthorizationToken", IDENTITY, "*"), "ecr:GetAuthorizationToken", IDENTITY_POLICY),
    (4, "denied: " + sentence(PUSH, RESOURCE.format(PUSH)), PUSH, REPOSITORY_POLICY),
    (4, "error from registry: " + sentence(GET, RESOURCE.format(GET)), GET, REPOSITORY_POLICY),
    (
        4,
        f"pull access denied for {HOST}/team/my-first-repo, repository does not exist or may require 'docker login': "
        "denied: " + sentence(GET, RESOURCE.format(GET)),
        GET,
        REPOSITORY_POLICY,
    ),
    (5, "denied: " + sentence(PUT, IDENTITY.format(PUT)), PUT, IDENTITY_POLICY),
    (6, sentence(PUSH, " with an explicit deny"), PUSH, OTHER_POLICY),
    (
        6,
        sentence(PUSH, " with an explicit deny in a service control policy"),
        PUSH,
        f"{OTHER_POLICY} (explicit deny in a service control policy)",
    ),
    (
        6,
        sentence(PUSH, " with an explicit deny in a resource-based policy"),
        PUSH,
        f"{REPOSITORY_POLICY} (explicit deny)",
    ),
    (
        6,
        sentence(PUSH, " with an explicit deny in an identity-based policy: arn:aws:iam::222222222222:policy/x"),
        PUSH,
        f"{IDENTITY_POLICY} (explicit deny)",
    ),
    (
        6,
        sentence("ecr:GetAuthorizationToken", " with an explicit deny in a permissions boundary", "*"),
        "ecr:GetAuthorizationToken",
        f"{OTHER_POLICY} (explicit deny in a permissions boundary)",
    ),
    (7, "denied: " + sentence(GET), GET, EITHER_POLICY),
    (8, "Retrying in 5 seconds", PUSH, EITHER_POLICY),
    (8, f'Post "https://{HOST}/v2/team/my-first-repo/blobs/uploads/": EOF', PUSH, EITHER_POLICY),
    (8, "EOF", PUSH, EITHER_POLICY),
    (9, "HEAD blob: HTTP 403 without an error text", LAYER, EITHER_POLICY),
    (9, 'error parsing HTTP 403 response body: unexpected end of JSON input: ""', LAYER, EITHER_POLICY),
    (
        10,
        f"failed to copy: unexpected status from HEAD request to https://{HOST}/v2/x/manifests/v1: 403 Forbidden",
        GET,
        EITHER_POLICY,
    ),
    (
        10,
        f"unexpected status from PUT request to https://{HOST}/v2/team/x/manifests/latest: 403 Forbidden",
        PUT,
        EITHER_POLICY,
    ),
    (
        10,
        f"unexpected status from HEAD request to https://{HOST}/v2/x/blobs/sha256:00: 403 Forbidden",
        LAYER,
        EITHER_POLICY,
    ),
    (
        11,
        "name unknown: The repository with name 'team/x' does not exist in the registry with id '111111111111'",
        "",
        REPOSITORY_STATE,
    ),
    (
        12,
        "An error occurred (RepositoryNotFoundException) when calling the DescribeImages operation: The repository "
        "with name 'team/x' does not exist in the registry with id '111111111111'",
        "",
        REPOSITORY_STATE,
    ),
    (
        13,
        "RepositoryPolicyNotFoundException: Repository policy does not exist for the repository with name 'x' in the "
        "registry with id '111111111111'",
        "ecr:GetRepositoryPolicy",
        REPOSITORY_STATE,
    ),
    (
        14,
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
        "ecr:SetRepositoryPolicy",
        REPOSITORY_POLICY,
    ),
    (
        15,
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
        "ecr:SetRepositoryPolicy",
        REPOSITORY_POLICY,
    ),
    (
        16,
        "tag invalid: The image tag 'v1' already exists in the 'team/x' repository and cannot be overwritten because "
        "the repository is immutable.",
        PUT,
        REPOSITORY_STATE,
    ),
    (16, "ImageTagAlreadyExistsException: The image tag 'v1' already exists", PUT, REPOSITORY_STATE),
    (
        17,
        "ImageAlreadyExistsException: Image with digest 'sha256:00' and tag 'v1' already exists",
        PUT,
        REPOSITORY_STATE,
    ),
    (18, "toomanyrequests: Rate exceeded", "", NETWORK),
    (18, "Unknown: Rate exceeded", "", NETWORK),
    (18, "An error occurred (ThrottlingException) when calling the X operation: slow down", "", NETWORK),
    (19, "KmsException: KMS key is disabled", "", REPOSITORY_STATE),
    (
        19,
        f"User: {USER} is not authorized to perform: kms:GenerateDataKey on resource: *",
        "kms:GenerateDataKey",
        REPOSITORY_STATE,
    ),
    (
        20,
        "Error saving credentials: error storing credentials - err: exit status 1, out: `not implemented`",
        "",
        DOCKER,
    ),
    (21, "Error: Cannot perform an interactive login from a non TTY device", "", CREDENTIALS),
    (
        22,
        "pull access denied for my-image, repository does not exist or may require 'docker login'",
        GET,
        EITHER_POLICY,
    ),
    (22, "pull failed: insufficient_scope: authorization failed", GET, EITHER_POLICY),
    (23, "denied: requested access to the resource is denied", "", DOCKER),
    (
        24,
        f"failed commit: unexpected status from PUT request to https://{HOST}/v2/x/manifests/v1: 400 Bad Request",
        PUT,
        REPOSITORY_STATE,
    ),
    (25, "LayersNotFoundException: The specified layers could not be found", "", REPOSITORY_STATE),
    (25, "LayerInaccessibleException: not available", "", REPOSITORY_STATE),
    (26, "UnableToGetUpstreamImageException: x", "", REPOSITORY_STATE),
    (27, "BlockedByOrganizationPolicyException: x", "", OTHER_POLICY),
    (28, "An error occurred (ExpiredToken) when calling the GetCallerIdentity operation", "", CREDENTIALS),
    (28, "The SSO session associated with this profile has expired or is otherwise invalid.", "", CREDENTIALS),
    (28, "InvalidClientTokenId: The security token included in the request is invalid.", "", CREDENTIALS),
    (28, "UnrecognizedClientException: The security token included in the request is invalid.", "", CREDENTIALS),
    (
        29,
        "Error while fetching server API version: ('Connection aborted.', FileNotFoundError(2, 'No such file'))",
        "",
        DOCKER,
    ),
    (29, "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", "", DOCKER),
    (
        30,
        sentence("ecr:CreateRepository", RESOURCE.format("ecr:CreateRepository")),
        "ecr:CreateRepository",
        REGISTRY_POLICY,
    ),
    (30, "The repository creation template for CREATE_ON_PUSH failed", "ecr:CreateRepository", REGISTRY_POLICY),
]


@pytest.mark.parametrize(("number", "text", "action", "side"), ROWS)
def test_rows(number: int, text: str, action: str, side: str) -> None:
    for wording in (text, text.upper(), text.lower(), f"Error response from daemon: {text}\n"):
        found = diagnose(wording)
        assert (found.number, found.side) == (number, side), found
        assert found.action.lower() == action.lower()
        assert found.title
        assert found.cause
        assert found.fix
        assert "{" not in found.title + found.cause
        assert found.text == wording


def test_every_row_is_tried_here() -> None:
    assert {row.number for row in CATALOGUE if row.number} == set(range(1, 31)) == {number for number, *_ in ROWS}
    assert len({row.id for row in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize(
    ("text", "pattern", "side"),
    [
        ("login attempt to https://x/v2/ failed with status: 400 Bad Request", "token-invalid", CREDENTIALS),
        ("login attempt to https://x/v2/ failed with status: 403 Forbidden", "token-invalid", CREDENTIALS),
        ("manifest unknown: Requested image not found", "manifest-unknown", REPOSITORY_STATE),
        (sentence(PUSH, " because no service control policy allows the x action"), "no-other-policy", OTHER_POLICY),
        ("http: server gave HTTP response to HTTPS client", "http-on-https", DOCKER),
        ("x509: certificate signed by unknown authority", "tls", NETWORK),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "tls", NETWORK),
        ("dial tcp: lookup nosuch.invalid: no such host", "dns", NETWORK),
        ("dial tcp 127.0.0.1:1: connect: connection refused", "unreachable", NETWORK),
        ("proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused", "proxy", NETWORK),
        ("net/http: TLS handshake timeout", "tls", NETWORK),
        ("Read timed out. (read timeout=10.0)", "timeout", NETWORK),
        ("read tcp 10.0.0.1->10.0.0.2: connection reset by peer", "broken-connection", NETWORK),
        ("the Docker engine sent nothing for 30 s (push)", "docker-stalled", DOCKER),
        ("filesystem layer verification failed for digest sha256:00", "content-changed", NETWORK),
        ("received unexpected HTTP status: 503 Service Unavailable", "registry-failure", NETWORK),
        ("invalid character '<' looking for beginning of value", "garbage", NETWORK),
        ("LimitExceededException: The maximum number of images is reached", "quota", REPOSITORY_STATE),
    ],
)
def test_what_the_catalogue_does_not_number(text: str, pattern: str, side: str) -> None:
    found = diagnose(text)
    assert (found.pattern, found.side, found.number) == (pattern, side, None)


@pytest.mark.parametrize(
    ("status", "action", "pattern", "denied"),
    [
        (403, LAYER, "head-without-body", True),
        (401, "", "no-basic-auth", False),
        (429, PUT, "throttled", False),
        (502, PUT, "registry-failure", False),
        (407, "", "proxy", False),
        (404, GET, "unknown", False),
        (None, "", "unknown", False),
    ],
)
def test_without_words_the_status_tells_what_it_can(
    status: int | None, action: str, pattern: str, denied: bool
) -> None:
    found = diagnose("", status=status, action=action, stage="push")
    assert (found.pattern, found.denied, found.action, found.stage) == (pattern, denied, action, "push")


def test_a_head_refusal_blames_both_sides_until_more_is_known() -> None:
    found = diagnose("", status=403, action=GET)
    assert found.side == EITHER_POLICY
    assert found.blames_repository_policy
    assert GET in found.title


def test_words_beat_the_status() -> None:
    assert diagnose("Your Authorization Token has expired", status=403).pattern == "token-expired"
    assert diagnose("we do not like you", status=403).pattern == "status-403"


def test_the_sentence_beats_the_callers_action() -> None:
    found = diagnose(sentence("ecr:UploadLayerPart", RESOURCE), status=403, action="ecr:CompleteLayerUpload")
    assert found.action == "ecr:UploadLayerPart"


def test_the_unknown_stays_unknown_with_its_words() -> None:
    text = "the flux capacitor is low\nsecond line"
    found = diagnose(text, stage="push", action=PUT)
    assert (found.pattern, found.side, found.known, found.denied) == ("unknown", "unknown", False, False)
    assert (found.title, found.text, found.stage, found.action) == ("the flux capacitor is low", text, "push", PUT)


def test_it_extracts_who_what_and_where() -> None:
    found = diagnose("denied: " + sentence(PUSH, RESOURCE.format(PUSH)))
    assert (found.principal, found.resource, found.action) == (USER, ARN, PUSH)
    assert found.fix == f"ecr-tui grant team/my-first-repo --to {USER}"
    assert diagnose(sentence(PUSH)[:-1] + "o.").resource == ARN


def test_an_explicit_deny_offers_no_grant_and_names_the_policy() -> None:
    found = diagnose(sentence(PUSH, " with an explicit deny in a resource control policy"))
    assert found.policy_type == "resource control policy"
    assert "resource control policy" in found.cause
    assert "grant" not in found.fix
    assert not found.blames_repository_policy
    assert not diagnose(sentence(PUSH, " with an explicit deny in a resource-based policy")).blames_repository_policy


def test_b_side_fixes_are_statements_to_paste() -> None:
    import json

    found = diagnose(sentence(GET, IDENTITY.format(GET)))
    assert json.loads(found.fix) == {"Effect": "Allow", "Action": GET, "Resource": ARN}


def test_what_the_text_lacks_comes_from_the_caller_or_stays_a_blank() -> None:
    text = 'error parsing HTTP 403 response body: unexpected end of JSON input: ""'
    assert diagnose(text).fix == "ecr-tui grant REPOSITORY --to PRINCIPAL_OF_B"
    assert diagnose(text, known={"repository": "x", "user": USER}).fix == f"ecr-tui grant x --to {USER}"
    assert (
        f"--region eu-central-1 | docker login --username AWS --password-stdin {HOST}"
        in diagnose("no basic auth credentials", known={"host": HOST}).fix
    )


def test_nothing_from_a_hostile_text_reaches_a_command() -> None:
    hostile = (
        "User: arn:aws:iam::222222222222:user/x;curl is not authorized to perform: ecr:PutImage on resource: "
        "arn:aws:ecr:eu-central-1:111111111111:repository/x$(reboot) because no resource-based policy allows it"
    )
    found = diagnose(hostile)
    assert not set(found.fix) & set(";$()`&|\n")


def test_which_refusals_are_about_permission() -> None:
    assert diagnose(sentence(PUSH, RESOURCE)).denied
    assert not diagnose("denied: Your Authorization Token has expired.", status=403).denied
    assert diagnose("ImageTagAlreadyExistsException").proves_access
    assert not diagnose(sentence(PUSH, RESOURCE)).proves_access


def test_an_unknown_text_has_the_errors_own_line_and_a_way_to_report_it() -> None:
    text = "Step 1/2 : RUN make\nbuilding ...\nERROR: the flux capacitor is low\nmake: *** [all] Error 1\nexit status 2"
    found = diagnose(text)
    assert (found.pattern, found.title) == ("unknown", "ERROR: the flux capacitor is low")
    assert found.fix.startswith("Report")


def test_the_cause_beats_its_consequence() -> None:
    found = diagnose(
        'Unable to locate credentials. You can configure credentials by running "aws login".\n'
        "Error: Cannot perform an interactive login from a non TTY device"
    )
    assert found.pattern == "credentials-missing"


def test_a_long_log_is_read_in_a_moment_and_to_its_end() -> None:
    noise = "\n".join(f"#8 3.{n} https://pypi.org/simple/package-{n}" for n in range(20000))
    assert diagnose(f"{noise}\nERROR: failed to push x: no basic auth credentials").pattern == "no-basic-auth"
