"""Refusals in AWS's own sentence. The reason that the sentence gives picks the row; see ``diagnose.denied_by``."""

from __future__ import annotations

from ecr_tui.diagnosis.failure import (
    EITHER_POLICY,
    IDENTITY_POLICY,
    OTHER_POLICY,
    OTHER_REGISTRY,
    OTHER_SERVICE,
    REGISTRY_POLICY,
    REPOSITORY_POLICY,
    TRUST_POLICY,
    Failure,
)

GRANT = "ecr-tui grant {repository} --to {principal}"
_IDENTITY_STATEMENT = '{{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}'
_USER = "User: arn:aws:iam::222222222222:user/x is not authorized to perform: "
_REPOSITORY = " on resource: arn:aws:ecr:eu-central-1:111111111111:repository/app"

DENIALS: tuple[Failure, ...] = (
    Failure(
        "explicit-deny",
        6,
        "push",
        OTHER_POLICY,
        "An explicit Deny refuses {action}",
        "A Deny in {policy} matches this request. A Deny wins over every Allow, so no grant can help.",
        "Find the Deny statement in {policy} that matches {user}, and narrow it there.",
        (f"{_USER}ecr:PutImage{_REPOSITORY} with an explicit deny",),
        denied=True,
    ),
    Failure(
        "login-not-allowed",
        3,
        "token",
        IDENTITY_POLICY,
        "B may not ask for a registry token (ecr:GetAuthorizationToken)",
        "B's identity policy lacks ecr:GetAuthorizationToken, or grants it on a repository: it has no resource, "
        'so it needs Resource "*". A repository policy cannot grant it.',
        '{{"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}}',
        (f"{_USER}ecr:GetAuthorizationToken on resource: *",),
        action="ecr:GetAuthorizationToken",
        denied=True,
    ),
    Failure(
        "no-resource-policy",
        4,
        "push",
        REPOSITORY_POLICY,
        "A's repository policy does not allow {action}",
        "No statement of the repository policy allows {action} to {user}, or the one that would has a condition "
        "that does not hold: a repository tag that is missing, misspelt or in another case.",
        GRANT,
        (f"{_USER}ecr:PutImage{_REPOSITORY} because no resource-based policy allows the ecr:PutImage action",),
        denied=True,
    ),
    Failure(
        "no-identity-policy",
        5,
        "push",
        IDENTITY_POLICY,
        "B's identity policy does not allow {action}",
        "{user} has no identity policy that allows {action} on A's repository. Across accounts both sides must allow.",
        _IDENTITY_STATEMENT,
        (f"{_USER}ecr:PutImage{_REPOSITORY} because no identity-based policy allows the ecr:PutImage action",),
        denied=True,
    ),
    Failure(
        "own-repository",
        None,
        "api",
        IDENTITY_POLICY,
        "The caller's identity policy does not allow {action} in its own account",
        "The repository's ARN names the caller's own account {account}. If another account's repository was meant, the "
        "call lacked that account's registry id, or went to the host of the caller's own registry.",
        _IDENTITY_STATEMENT + "   # or name the other account's registry id in the call",
        (
            f"{_USER}ecr:BatchGetImage on resource: arn:aws:ecr:eu-central-1:222222222222:repository/app because no "
            "identity-based policy allows the ecr:BatchGetImage action",
        ),
        denied=True,
    ),
    Failure(
        "no-other-policy",
        None,
        "push",
        OTHER_POLICY,
        "A {policy} does not allow {action}",
        "Besides both sides' own policies, every {policy} that applies to the request must allow it, and one does not.",
        "Ask who administers the {policy} to allow {action} to {user}.",
        (f"{_USER}ecr:PutImage{_REPOSITORY} because no session policy allows the ecr:PutImage action",),
        denied=True,
    ),
    Failure(
        "not-authorized",
        7,
        "push",
        EITHER_POLICY,
        "{action} is not allowed, on one side or the other",
        "This wording does not say which side lacks the permission. Often the call was made as somebody else than "
        "expected: compare {user} with the principal that was granted.",
        GRANT,
        (f"{_USER}ecr:PutImage{_REPOSITORY}",),
        denied=True,
    ),
    Failure(
        "action-not-in-presets",
        None,
        "api",
        REPOSITORY_POLICY,
        "A's repository policy does not allow {action}",
        "Grants of ecr-tui give pull and push. {action} belongs to neither, so it needs a statement of its own.",
        'Add to the policy of {repository}: {{"Effect": "Allow", "Principal": {{"AWS": "{principal}"}}, '
        '"Action": "{action}"}}   # then preview it: ecr-tui plan {repository} --from FILE',
        (
            f"{_USER}ecr:DescribeImages{_REPOSITORY} because no resource-based policy allows the ecr:DescribeImages "
            "action",
        ),
        denied=True,
    ),
    Failure(
        "action-of-either",
        None,
        "api",
        EITHER_POLICY,
        "{action} is not allowed, on one side or the other",
        "This wording does not say which side lacks the permission. Grants of ecr-tui give pull and push; {action} "
        "belongs to neither, so it needs statements of its own.",
        'Add {{"Effect": "Allow", "Action": "{action}"}} to the policy of {repository} (for {principal}) and to B\'s '
        "identity policy (on {resource})",
        (f"{_USER}ecr:DescribeImages{_REPOSITORY}",),
        denied=True,
    ),
    Failure(
        "identity-only",
        None,
        "api",
        IDENTITY_POLICY,
        "B's identity policy does not allow {action}",
        "{action} acts on the registry, not on a repository, so no repository policy can give it.",
        '{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}',
        (f"{_USER}ecr:DescribeRegistry on resource: *",),
        denied=True,
    ),
    Failure(
        "create-on-push",
        30,
        "push",
        REGISTRY_POLICY,
        "The registry tried to create the repository on push",
        "The repository does not exist and a repository creation template (CREATE_ON_PUSH) answers pushes to unknown "
        "names; creating one takes ecr:CreateRepository in the registry policy of account A and in B's "
        "identity policy.",
        "Push only to a repository that `ecr-tui list` shows; remove an empty one that the push has created.",
        (
            f"{_USER}ecr:CreateRepository{_REPOSITORY} because no resource-based policy allows the "
            f"ecr:CreateRepository "
            "action",
            "repository creation template for CREATE_ON_PUSH",
        ),
        (("create_on_push",), ("create on push",), ("repository creation template",)),
        action="ecr:CreateRepository",
        denied=True,
    ),
    Failure(
        "registry-policy",
        None,
        "pull",
        REGISTRY_POLICY,
        "A's registry policy does not allow {action}",
        "The first pull through a cache rule imports the image and may create the repository. The registry policy of "
        "account A (permissions of the whole registry) must allow ecr:BatchImportUpstreamImage and "
        "ecr:CreateRepository to the caller; a repository policy cannot.",
        "aws ecr get-registry-policy   # as account A; add a statement with {action} for {principal}",
        (
            f"{_USER}ecr:BatchImportUpstreamImage{_REPOSITORY} because no resource-based policy allows the "
            "ecr:BatchImportUpstreamImage action",
        ),
        denied=True,
    ),
    Failure(
        "assume-role",
        None,
        "identity",
        TRUST_POLICY,
        "{action} is denied: the role cannot be assumed",
        "Two sides decide: the role's trust policy must name the caller, and the caller's identity policy must allow "
        "{action} on the role. ECR was not asked yet.",
        "aws iam get-role --role-name ROLE --query Role.AssumeRolePolicyDocument   # in the role's account",
        (f"{_USER}sts:AssumeRole on resource: arn:aws:iam::111111111111:role/push",),
        (
            ("not authorized to perform:? ?sts:assumerole",),
            ("assumerole", "access ?denied"),
            ("could not assume role",),
            ("trust relationship",),
        ),
        denied=True,
    ),
    Failure(
        "public-ecr-denied",
        None,
        "login",
        OTHER_REGISTRY,
        "Amazon ECR Public refuses {action}",
        "public.ecr.aws is a service of its own. Its token needs ecr-public:GetAuthorizationToken and "
        "sts:GetServiceBearerToken in the caller's identity policy; pulls work without any login.",
        'docker logout public.ecr.aws   # or allow: {{"Effect": "Allow", "Action": '
        '["ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"], "Resource": "*"}}',
        (f"{_USER}ecr-public:GetAuthorizationToken on resource: *",),
        denied=True,
    ),
    Failure(
        "layer-download-denied",
        None,
        "pull",
        f"{OTHER_POLICY} (S3 endpoint policy)",
        "Amazon S3 refuses the download of a layer",
        "ECR stores layers in buckets of its own and answers a layer's request with a link to S3. A VPC endpoint "
        "policy for S3, a proxy or an organisation policy on the caller's side refuses that link; no grant "
        "in ECR helps.",
        "Allow s3:GetObject on arn:aws:s3:::prod-{region}-starport-layer-bucket/* in the VPC endpoint policy for S3.",
        (
            "error pulling image configuration: error parsing HTTP 403 response body: invalid character '<': "
            '"<?xml … <Code>AccessDenied</Code>"',
            "httpReadSeeker: failed open: unexpected status code 403",
        ),
        (
            ("<s3>", "access ?denied|forbidden|\\b403\\b"),
            ("<code>accessdenied</code>",),
            # S3 alone answers a layer's download in XML.
            (r"\b403\b", r"<\?xml"),
            ("httpreadseeker", r"\b403\b"),
            ("starport-layer-bucket", "denied"),
        ),
        action="s3:GetObject",
        denied=True,
    ),
    Failure(
        "secret-denied",
        None,
        "identity",
        OTHER_SERVICE,
        "A secret of the task cannot be read",
        "Secrets Manager, Systems Manager or the key that encrypts the secret refused; the image was not "
        "asked for yet.",
        "Allow secretsmanager:GetSecretValue or ssm:GetParameters, and kms:Decrypt on the secret's key, to the task's "
        "execution role.",
        ("unable to retrieve secret from asm: AccessDeniedException: Access to KMS is not allowed",),
        (
            (
                r"(?:retrieve|fetch(?:ing)?|get|read) secrets?\b(?!s? or registry)",
                "denied|not allowed|not authorized|exception",
            ),
            (
                "secrets manager|parameter store",
                "denied|not allowed|not authorized|exception|not found|invalid|timeout",
            ),
        ),
        denied=True,
    ),
    Failure(
        "other-service",
        None,
        "api",
        OTHER_SERVICE,
        "{action} is denied; it is no action of ECR",
        "Another AWS service refused this call ({policy}). The access that ecr-tui grants to repositories has no part "
        "in it.",
        "Ask who administers {policy} to allow {action} on {resource} to {user}.",
        (f"{_USER}ecs:RunTask on resource: arn:aws:ecs:eu-central-1:222222222222:task-definition/x",),
        denied=True,
    ),
    Failure(
        "encoded-denial",
        None,
        "api",
        OTHER_SERVICE,
        "An AWS service refused the call, and the reason is encoded",
        "The message holds what was denied to whom, and only a caller with sts:DecodeAuthorizationMessage can read it.",
        "aws sts decode-authorization-message --encoded-message MESSAGE",
        ("You are not authorized to perform this operation. Encoded authorization failure message: …",),
        (("encoded authorization failure message",), ("you are not authorized to perform this operation",)),
        codes=("UnauthorizedOperation",),
        denied=True,
    ),
    Failure(
        "organisation",
        27,
        "api",
        OTHER_POLICY,
        "An organisation policy blocks this",
        "A policy of A's or B's organisation forbids it; neither side's own policies can change that.",
        "Ask the organisation's administrator.",
        ("BlockedByOrganizationPolicyException", "blocked by organization policy"),
        (("blocked by organi[sz]ation policy",),),
        codes=("BlockedByOrganizationPolicyException",),
        denied=True,
    ),
)
