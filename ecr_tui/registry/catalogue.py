"""The failures between login and pull, as data: what each looks like, whose side it is on, and what to do.

``patterns``: alternatives; within one, every part must be found somewhere in the text (regular expressions, case
ignored, never anchored: engines and SDKs put their own words in front of AWS's). Rows are tried in order, the first
that matches wins, so the specific ones come first. ``cause`` and ``fix`` may use {action}, {user}, {repository},
{resource}, {account}, {region}, {host}, {url} and {policy}. ``number`` is the row of the project's failure catalogue;
rows without one were met on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

REPOSITORY_POLICY = "A's repository policy"
IDENTITY_POLICY = "B's identity policy"
EITHER_POLICY = "A's repository policy or B's identity policy"
OTHER_POLICY = "organisation or other policy"
REPOSITORY_STATE = "repository state"
CREDENTIALS = "credentials"
DOCKER = "docker"
NETWORK = "network"
UNKNOWN = "unknown"

_LOGIN = (
    "aws ecr get-login-password --profile PROFILE_OF_B --region {region} "
    "| docker login --username AWS --password-stdin {host}"
)
_GRANT = "ecr-tui grant {repository} --to {user}"


@dataclass(frozen=True)
class Row:
    id: str
    number: int | None
    stage: str
    side: str
    title: str
    cause: str
    fix: str
    patterns: tuple[tuple[str, ...], ...]
    action: str = ""
    denied: bool = False
    """It is a refusal for want of permission, not a failure."""
    proves_access: bool = False
    """The registry authorised the request before it found this reason to refuse."""


CATALOGUE: tuple[Row, ...] = (
    Row(
        "explicit-deny",
        6,
        "push",
        OTHER_POLICY,
        "An explicit Deny refuses {action}",
        "A Deny in {policy} matches this request. A Deny wins over every Allow, so no grant can help.",
        "Find the Deny statement in {policy} that matches {user}, and narrow it there.",
        (("explicit deny",),),
        denied=True,
    ),
    Row(
        "login-not-allowed",
        3,
        "token",
        IDENTITY_POLICY,
        "B may not ask for a registry token (ecr:GetAuthorizationToken)",
        "B's identity policy lacks ecr:GetAuthorizationToken, or grants it on a repository: it has no resource, "
        'so it needs Resource "*". A repository policy cannot grant it.',
        '{{"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}}',
        (("not authorized to perform", "ecr:GetAuthorizationToken"),),
        action="ecr:GetAuthorizationToken",
        denied=True,
    ),
    Row(
        "create-on-push",
        30,
        "push",
        REPOSITORY_STATE,
        "The registry tried to create the repository on push",
        "The repository does not exist and a repository creation template (CREATE_ON_PUSH) answers pushes to unknown "
        "names; the new repository has no grant.",
        "Push only to a repository that `ecr-tui list` shows; remove an empty one that the push has created.",
        (("ecr:CreateRepository",), ("create_on_push",), ("create on push",), ("repository creation template",)),
        action="ecr:CreateRepository",
        denied=True,
    ),
    Row(
        "no-resource-policy",
        4,
        "push",
        REPOSITORY_POLICY,
        "A's repository policy does not allow {action}",
        "No statement of the repository policy allows {action} to {user}, or the one that would has a condition "
        "that does not hold: a repository tag that is missing, misspelt or in another case.",
        _GRANT,
        (("not authorized to perform", "no resource-based policy allows"),),
        denied=True,
    ),
    Row(
        "no-identity-policy",
        5,
        "push",
        IDENTITY_POLICY,
        "B's identity policy does not allow {action}",
        "{user} has no identity policy that allows {action} on A's repository. Across accounts both sides must allow.",
        '{{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}',
        (("not authorized to perform", "no identity-based policy allows"),),
        denied=True,
    ),
    Row(
        "no-other-policy",
        None,
        "push",
        OTHER_POLICY,
        "A {policy} does not allow {action}",
        "Besides both sides' own policies, every {policy} that applies to the request must allow it, and one does not.",
        "Ask who administers the {policy} to allow {action} to {user}.",
        (("not authorized to perform", r"because no [a-z -]+ allows"),),
        denied=True,
    ),
    Row(
        "kms",
        19,
        "push",
        REPOSITORY_STATE,
        "The repository's KMS key cannot be used",
        "A's customer managed key is disabled, deleted, or its grant to ECR is gone. B needs no kms permission to push "
        "or pull: ECR uses the key through a grant made when the repository was created.",
        "aws ecr describe-repositories --repository-names {repository} --query 'repositories[].encryptionConfiguration'"
        "   # then look at the key's state in account A",
        (("KmsException",), ("kmsError",), (r"\bkms:\w+", "denied|not authorized"), (r"\bKMS\b", "key")),
    ),
    Row(
        "not-authorized",
        7,
        "push",
        EITHER_POLICY,
        "{action} is not allowed, on one side or the other",
        "This wording does not say which side lacks the permission. Often the call was made as somebody else than "
        "expected: compare {user} with the principal that was granted.",
        _GRANT,
        (("not authorized to perform",),),
        denied=True,
    ),
    Row(
        "token-expired",
        2,
        "push",
        CREDENTIALS,
        "The registry token has expired",
        "Tokens of GetAuthorizationToken live for 12 hours; a cached login outlives them.",
        _LOGIN,
        (("authorization token", "expired"),),
    ),
    Row(
        "no-basic-auth",
        1,
        "push",
        CREDENTIALS,
        "No credentials were sent for this registry host",
        "The engine has no login for exactly this host: another account id, another region, or a login stored under "
        "another spelling of the host.",
        _LOGIN,
        (("no basic auth credentials",), (r"\b401\b", "not authorized"), ("unauthorized: not authorized",)),
    ),
    Row(
        "token-invalid",
        None,
        "login",
        CREDENTIALS,
        "The registry does not accept the token",
        "The password is expired, of another partition or region, cut short, or no token at all (ECR answers 400 "
        "to it).",
        _LOGIN,
        (
            ("authorization token", "not valid|invalid"),
            # Docker drops the registry's words at login; /v2/ needs no permission, so it can only be the token.
            ("login attempt to", r"\b40[013]\b"),
            ("unauthorized: authentication required",),
        ),
    ),
    Row(
        "sso-or-keys",
        28,
        "identity",
        CREDENTIALS,
        "The profile's credentials are expired or invalid",
        "AWS did not accept the access key or session of this profile; no grant is involved.",
        "aws sso login --profile PROFILE   # or renew the profile's keys",
        (
            (r"ExpiredToken",),
            ("security token included in the request is (expired|invalid)",),
            (r"\bSSO\b", "expired|invalid|does not exist"),
            ("InvalidClientTokenId",),
            ("UnrecognizedClientException",),
        ),
    ),
    Row(
        "policy-principal-missing",
        15,
        "apply",
        REPOSITORY_POLICY,
        "The policy names a principal that does not exist",
        "A role or user in the policy does not exist, or is only seconds old. Ids such as AROA... or AIDA... in the "
        "stored policy are principals that have been deleted, and they fail every later write too.",
        "Remove the dead principal, or name the account root instead; wait half a minute after creating a role.",
        (("principal not found",),),
        action="ecr:SetRepositoryPolicy",
    ),
    Row(
        "policy-invalid",
        14,
        "apply",
        REPOSITORY_POLICY,
        "ECR rejects the policy document",
        "Suspects: a Resource element, ecr:GetAuthorizationToken or another action without a repository, a malformed "
        "document, a principal that does not exist.",
        "Look at the findings of `ecr-tui plan {repository}`.",
        (("invalid repository policy provided",), ("PolicyText", "failed to satisfy constraint")),
        action="ecr:SetRepositoryPolicy",
    ),
    Row(
        "no-policy-yet",
        13,
        "read policy",
        REPOSITORY_STATE,
        "The repository has no policy yet",
        "This is the normal state before the first grant; it counts as an empty document.",
        _GRANT,
        (("RepositoryPolicyNotFoundException",), ("repository policy does not exist",)),
        action="ecr:GetRepositoryPolicy",
    ),
    Row(
        "name-unknown",
        11,
        "push",
        REPOSITORY_STATE,
        "There is no such repository in this registry",
        "Another region, another registry id, or the full URI used as the repository's name. Docker may say so only "
        "after several retries.",
        "aws ecr describe-repositories --repository-names {repository}   # as account A, in the region of the host",
        (
            (r"name unknown", "repository"),
            (r"NAME_UNKNOWN",),
            ("name invalid",),
            # The same sentence without the API's exception name in front.
            (r"^(?!.*RepositoryNotFoundException).*repository with name .* does not exist in the registry",),
        ),
    ),
    Row(
        "repository-not-found",
        12,
        "api",
        REPOSITORY_STATE,
        "There is no such repository in that registry",
        "Without registryId a call means the caller's own registry; else another region or a misspelt name.",
        "aws ecr describe-repositories --registry-id {account} --repository-names {repository}",
        (("RepositoryNotFoundException",),),
    ),
    Row(
        "tag-immutable",
        16,
        "push",
        REPOSITORY_STATE,
        "The tag exists already and the repository is immutable",
        "The push was authorised up to the last step (ecr:PutImage); only the tag is taken.",
        "Push under a tag that does not exist yet.",
        (("ImageTagAlreadyExistsException",), ("tag invalid",), ("already exists in", "immutable")),
        action="ecr:PutImage",
        proves_access=True,
    ),
    Row(
        "image-exists",
        17,
        "push",
        REPOSITORY_STATE,
        "This image is already there under this tag",
        "Same manifest and same tag: nothing to do. The push was authorised.",
        "Nothing: it counts as pushed.",
        (("ImageAlreadyExistsException",),),
        action="ecr:PutImage",
        proves_access=True,
    ),
    Row(
        "quota",
        None,
        "push",
        REPOSITORY_STATE,
        "A quota of the registry is reached",
        "The number of images in the repository, of tags on the image, or another quota of A's account is exhausted.",
        "aws service-quotas list-service-quotas --service-code ecr   # in account A; a lifecycle policy frees images",
        (("LimitExceededException",), ("limit exceeded",), ("quota",), ("size invalid",)),
    ),
    Row(
        "throttled",
        18,
        "push",
        NETWORK,
        "AWS throttles the requests",
        "The account's rate for this API is used up, by anybody in it. PutImage has one of the lowest rates.",
        "Wait, then try again with fewer requests at once.",
        (("toomanyrequests",), ("rate exceeded",), ("Throttl(ed|ing)Exception",), (r"\b429\b", "too many requests")),
    ),
    Row(
        "organisation",
        27,
        "api",
        OTHER_POLICY,
        "An organisation policy blocks this",
        "A policy of A's or B's organisation forbids it; neither side's own policies can change that.",
        "Ask the organisation's administrator.",
        (("BlockedByOrganizationPolicyException",), ("blocked by organization policy",)),
        denied=True,
    ),
    Row(
        "upstream",
        26,
        "pull",
        REPOSITORY_STATE,
        "The upstream registry of the pull-through cache refuses",
        "The cache rule's credentials in A's Secrets Manager do not work upstream; this is no question of the grant.",
        "aws ecr validate-pull-through-cache-rule --ecr-repository-prefix PREFIX   # in account A",
        (("UnableToGetUpstream",), ("upstream (registry|image)",)),
    ),
    Row(
        "layers-missing",
        25,
        "push",
        REPOSITORY_STATE,
        "Layers of the image are not available in this repository",
        "A cross-repository mount, a lifecycle rule or archiving took them away before the manifest arrived.",
        "Push again without mounting, so that every layer is uploaded.",
        (
            ("LayersNotFoundException",),
            ("LayerInaccessibleException",),
            ("ImageArchivedException",),
            ("manifest blob unknown",),
            ("MANIFEST_BLOB_UNKNOWN",),
            ("references content that is not in this repository",),
        ),
    ),
    Row(
        "manifest-unknown",
        None,
        "pull",
        REPOSITORY_STATE,
        "There is no such image in the repository",
        "The tag or digest does not exist (any more); the request itself was authorised.",
        "aws ecr list-images --repository-name {repository}   # as account A",
        (("manifest unknown",), ("MANIFEST_UNKNOWN",), ("requested image not found",), ("ImageNotFoundException",)),
        proves_access=True,
    ),
    Row(
        "credential-store",
        20,
        "login",
        DOCKER,
        "The credential helper cannot store a login",
        "credsStore names docker-credential-ecr-login, which fetches tokens itself and stores none.",
        "DOCKER_CONFIG=$(mktemp -d) docker login ...   # or AWS_ECR_IGNORE_CREDS_STORAGE=true",
        (("error (saving|storing) credentials",),),
    ),
    Row(
        "login-without-password",
        21,
        "login",
        CREDENTIALS,
        "docker login was given no password",
        "`aws ecr get-login-password` printed nothing because it failed itself: its own error is the real one.",
        "aws ecr get-login-password --profile PROFILE_OF_B --region {region}   # alone, and read what it says",
        (("cannot perform an interactive login",),),
    ),
    Row(
        "docker-stalled",
        None,
        "docker",
        DOCKER,
        "The Docker engine stopped answering",
        "The engine was stopped, is hung, or the registry keeps it waiting: it does not tell which.",
        "ecr-tui verify {repository} --engine direct   # shows whether it is the registry",
        (("docker engine", "told nothing|went away|ended the"),),
    ),
    Row(
        "no-docker",
        29,
        "docker",
        DOCKER,
        "The Docker engine does not answer",
        "No engine is running, or this user may not use its socket.",
        "Start Docker, or verify without it: --engine direct",
        (
            ("error while fetching server API version",),
            ("cannot connect to the docker daemon",),
            ("docker daemon", "running"),
            (r"docker\.sock",),
            ("docker engine", "does not answer"),
        ),
    ),
    Row(
        "pull-access-denied",
        22,
        "pull",
        EITHER_POLICY,
        "The pull was denied, or went to another registry",
        "Either the reference names no ECR host and Docker Hub answered, or the registry refused to show the image.",
        "docker pull {host}/{repository}:TAG   # with the full host",
        (("pull access denied",), ("insufficient_scope",)),
        action="ecr:BatchGetImage",
        denied=True,
    ),
    Row(
        "hub-denied",
        23,
        "push",
        DOCKER,
        "The image reference has no ECR host",
        "A name without a registry host goes to Docker Hub, which refuses the push.",
        "docker tag IMAGE {host}/{repository}:TAG",
        (("requested access to the resource is denied",),),
    ),
    Row(
        "proxy",
        None,
        "login",
        NETWORK,
        "The proxy refuses or cannot be reached",
        "HTTPS_PROXY names a proxy that does not let this request through.",
        "Check HTTPS_PROXY; NO_PROXY lists the hosts to reach without it.",
        ((r"\bproxy\b", "error|refused|unable|cannot|failed|407|403"), ("proxyconnect",)),
    ),
    Row(
        "head-without-body",
        9,
        "push",
        EITHER_POLICY,
        "{action} is denied (the refusal has no text)",
        "The registry refused a HEAD request, whose answer has no body to say why. Docker asks so whether a layer "
        "is there (ecr:BatchCheckLayerAvailability).",
        _GRANT,
        (
            ("error parsing HTTP 403 response body",),
            ("HEAD blob: HTTP 403",),
            ("failed to read from destination repository", r"\b403\b"),
        ),
        action="ecr:BatchCheckLayerAvailability",
        denied=True,
    ),
    Row(
        "status-403",
        10,
        "push",
        EITHER_POLICY,
        "{action} is denied (the refusal has no text)",
        "A request was refused without a reason: the action is missing on one side, the token is stale, or the "
        "repository has reached its number of images.",
        _GRANT,
        (
            ("unexpected status", r"\b403\b"),
            (r"\b403 \(?forbidden",),
            (r"\bstatus[: ]+403\b",),
            # podman and skopeo, which drop the registry's own words here
            ("invalid status code from registry 403",),
        ),
        denied=True,
    ),
    Row(
        "manifest-refused",
        24,
        "push",
        REPOSITORY_STATE,
        "The registry does not accept the manifest",
        "Its media type or an attestation in it is refused, or the tag exists already.",
        "docker buildx build --provenance=false --sbom=false --output type=image,oci-mediatypes=false,push=true ...",
        (("manifest invalid",), ("MANIFEST_INVALID",), (r"\b400\b", "manifest"), (r"\b400 bad request",)),
    ),
    Row(
        "http-on-https",
        None,
        "push",
        DOCKER,
        "The engine speaks https to a registry that speaks http",
        "Docker allows plain http for loopback hosts only, Podman for none, unless configured.",
        'Docker: "insecure-registries": ["{host}"] in daemon.json. '
        "Podman: insecure = true for {host} in registries.conf.",
        (("server gave HTTP response to HTTPS client",), ("first record does not look like a TLS handshake",)),
    ),
    Row(
        "tls",
        None,
        "login",
        NETWORK,
        "The registry's TLS certificate is not trusted",
        "A proxy that inspects TLS, or a certificate authority that this machine does not know.",
        "export AWS_CA_BUNDLE=/path/to/ca.pem   # SSL_CERT_FILE and REQUESTS_CA_BUNDLE are honoured too",
        (("certificate", "verify failed"), (r"x509:",), ("certificate", "unknown authority"), ("tls", "handshake")),
    ),
    Row(
        "dns",
        None,
        "login",
        NETWORK,
        "The registry's host name is not known",
        "Name resolution failed: no network, no VPN, or another region's host.",
        "getent hosts {host}",
        (
            ("no such host",),
            ("name or service not known",),
            ("failed to resolve",),
            ("temporary failure in name resolution",),
            ("nodename nor servname",),
        ),
    ),
    Row(
        "timeout",
        None,
        "push",
        NETWORK,
        "The registry did not answer in time",
        "The connection stalled: a firewall that drops packets, a VPN, or an overloaded proxy.",
        "curl --max-time 10 -i {url}/v2/   # answers 401 where the registry can be reached",
        (("timed? ?out",), ("deadline exceeded",), ("no answer within",), ("client\\.timeout",)),
    ),
    Row(
        "unreachable",
        None,
        "login",
        NETWORK,
        "The registry cannot be reached",
        "Nothing listens there, or a firewall refuses the connection.",
        "curl --max-time 10 -i {url}/v2/   # answers 401 where the registry can be reached",
        (("connection refused",), ("network is unreachable",), ("no route to host",), ("host is down",)),
    ),
    Row(
        "retrying",
        8,
        "push",
        EITHER_POLICY,
        "The upload breaks off and the engine retries without a reason",
        "A registry that refuses ecr:InitiateLayerUpload or ecr:UploadLayerPart in the middle of an upload often shows "
        "only as EOF; a broken network looks the same. A malformed ARN in a policy has had this effect too.",
        "ecr-tui verify {repository} --engine direct   # shows each request's own answer",
        ((r"retrying in \d+ second",), ("blobs/uploads", r"\bEOF\b"), (r"\bEOF\b",)),
        action="ecr:InitiateLayerUpload",
    ),
    Row(
        "broken-connection",
        None,
        "push",
        NETWORK,
        "The connection broke",
        "The registry, or something between, closed the connection in the middle of a request.",
        "Try again; if it persists, look for a proxy, a VPN or an MTU problem.",
        (
            ("connection reset",),
            ("connection aborted",),
            ("broken pipe",),
            ("remote end closed",),
            ("incomplete ?read",),
            ("protocol ?error",),
        ),
    ),
    Row(
        "garbage",
        None,
        "push",
        NETWORK,
        "What answered is no registry",
        "The answer is not what a registry says: a captive portal, a proxy's page, or another service at this address.",
        "curl --max-time 10 -i {url}/v2/   # answers 401 where the registry can be reached",
        (("no registry answer",), ("invalid character", "looking for beginning of value")),
    ),
    Row(
        "content-changed",
        None,
        "pull",
        NETWORK,
        "What arrived is not what was asked for",
        "The bytes do not have the digest they should have: something on the way rewrites them.",
        "Pull once more without the proxy; the image itself is named by its digest.",
        (("digest mismatch",), ("digest verification failed",), ("filesystem layer verification failed",)),
    ),
    Row(
        "registry-failure",
        None,
        "push",
        NETWORK,
        "The registry itself failed",
        "A server error, on AWS's side or in a proxy before it; no statement about access.",
        "Try again in a minute; https://health.aws.amazon.com/health/status tells of outages.",
        ((r"\b50[0234]\b", "error|unavailable|gateway|timeout|status"), ("ServerException",)),
    ),
)
