"""Denials in AWS's access denied sentence. The reason in the sentence selects the row; see ``matching``."""

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
        "An explicit Deny blocks {action}",
        "A Deny in {policy} matches this request. A Deny overrides every Allow, so a grant does not help.",
        "Find the Deny statement in {policy} that matches {user}, and narrow it.",
        (f"{_USER}ecr:PutImage{_REPOSITORY} with an explicit deny",),
        denied=True,
    ),
    Failure(
        "login-not-allowed",
        3,
        "token",
        IDENTITY_POLICY,
        "Account B is not allowed to get a registry token (ecr:GetAuthorizationToken)",
        "B's identity policy lacks ecr:GetAuthorizationToken, or allows it on a repository. The action has no "
        "resource, "
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
        "No statement in the repository policy allows {action} for {user}, or its condition does not match: the "
        "repository tag is missing, misspelled or in another case.",
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
        "{user} has no identity policy that allows {action} on A's repository. Cross-account access needs both "
        "accounts' policies to allow it.",
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
        "The repository ARN has the caller's own account {account}. If you meant another account's repository, the "
        "call lacked its registry id, or went to the caller's own registry host.",
        _IDENTITY_STATEMENT + "   # or pass the other account's registry id in the call",
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
        "Besides both accounts' policies, every {policy} that applies to the request must allow it, and one does not.",
        "Ask the administrator of the {policy} to allow {action} for {user}.",
        (f"{_USER}ecr:PutImage{_REPOSITORY} because no session policy allows the ecr:PutImage action",),
        denied=True,
    ),
    Failure(
        "not-authorized",
        7,
        "push",
        EITHER_POLICY,
        "{action} is not allowed by account A or account B",
        "The error does not say which account lacks the permission. Often the caller is not the expected principal: "
        "compare {user} with the principal of the grant.",
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
        "ecr-tui grants pull and push. {action} belongs to neither, so it needs its own statement.",
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
        "{action} is not allowed by account A or account B",
        "The error does not say which account lacks the permission. ecr-tui grants pull and push; {action} belongs to "
        "neither, so it needs its own statements.",
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
        "{action} acts on the registry, not on a repository, so a repository policy cannot grant it.",
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
        "The repository does not exist, and a creation template (CREATE_ON_PUSH) applies to pushes to unknown names. "
        "Creating a repository needs ecr:CreateRepository in account A's registry policy and in B's identity policy.",
        "Push only to a repository that `ecr-tui list` shows. Remove an empty one that the push has created.",
        (
            f"{_USER}ecr:CreateRepository{_REPOSITORY} because no resource-based policy allows the "
            "ecr:CreateRepository action",
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
        "The first pull through a cache rule imports the image and may create the repository. Account A's registry "
        "policy must allow ecr:BatchImportUpstreamImage and ecr:CreateRepository for the caller; a repository policy "
        "cannot.",
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
        "{action} is denied: the caller cannot assume the role",
        "The role's trust policy must allow the caller, and the caller's identity policy must allow {action} on the "
        "role. ECR was not contacted yet.",
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
        "Amazon ECR Public denies {action}",
        "public.ecr.aws is a separate service. Its token needs ecr-public:GetAuthorizationToken and "
        "sts:GetServiceBearerToken in the caller's identity policy; pulls work without a login.",
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
        "Amazon S3 denies the download of a layer",
        "ECR stores layers in its own buckets and redirects a layer request to S3. A VPC endpoint policy for S3, a "
        "proxy or an organization policy on the caller's side blocks it. A grant in ECR does not help.",
        "Allow s3:GetObject on arn:aws:s3:::prod-{region}-starport-layer-bucket/* in the VPC endpoint policy for S3.",
        (
            "error pulling image configuration: error parsing HTTP 403 response body: invalid character '<': "
            '"<?xml … <Code>AccessDenied</Code>"',
            "httpReadSeeker: failed open: unexpected status code 403",
        ),
        (
            ("<s3>", "access ?denied|forbidden|\\b403\\b"),
            ("<code>accessdenied</code>",),
            # Only S3 answers a layer download with XML.
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
        "The task cannot read a secret",
        "Secrets Manager, Systems Manager or the KMS key of the secret denied access. The image was not requested yet.",
        "Allow secretsmanager:GetSecretValue or ssm:GetParameters, and kms:Decrypt on the secret's key, for the task's "
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
        "{action} is denied; it is not an ECR action",
        "Another AWS service denied this call ({policy}). Access to ECR repositories is not involved.",
        "Ask the administrator of {policy} to allow {action} on {resource} for {user}.",
        (f"{_USER}ecs:RunTask on resource: arn:aws:ecs:eu-central-1:222222222222:task-definition/x",),
        denied=True,
    ),
    Failure(
        "encoded-denial",
        None,
        "api",
        OTHER_SERVICE,
        "An AWS service denied the call, and the reason is encoded",
        "The message has the principal and the action. Decoding it needs sts:DecodeAuthorizationMessage.",
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
        "An organization policy blocks this",
        "A policy of account A's or B's organization denies it. The accounts' own policies cannot change that.",
        "Ask the organization's administrator.",
        ("BlockedByOrganizationPolicyException", "blocked by organization policy"),
        (("blocked by organi[sz]ation policy",),),
        codes=("BlockedByOrganizationPolicyException",),
        denied=True,
    ),
)
