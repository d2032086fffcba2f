"""Everything that can be found in a repository policy, as a table: detection (``lint``) only names a rule's id."""

from __future__ import annotations

from dataclasses import dataclass

ERROR = "error"
WARNING = "warning"
INFO = "info"


@dataclass(frozen=True)
class Rule:
    """``title`` may hold ``{subject}``. ``source`` is where the rule is written or was reported."""

    id: str
    severity: str
    title: str
    why: str
    fix: str
    source: str


_GUIDE = "IAM User Guide, "
_ECR = "Amazon ECR User Guide, "
_AUTH = "Service Authorization Reference, Amazon ECR"

_TABLE = (
    # --- the document ---
    Rule(
        "empty-policy",
        ERROR,
        "The policy has no statements",
        "ECR refuses a policy without statements; a repository without access rules has no policy at all.",
        "Delete the policy instead of writing an empty one.",
        "API reference, SetRepositoryPolicy",
    ),
    Rule(
        "bad-version",
        ERROR,
        'Version "{subject}" is not a version of the policy language',
        "Only 2012-10-17 and 2008-10-17 exist; anything else is refused.",
        'Write "Version": "2012-10-17".',
        _GUIDE + "Version element",
    ),
    Rule(
        "variables-are-literal",
        WARNING,
        "{subject} is literal text here, not a variable",
        "Policy variables work in Version 2012-10-17 only; a missing Version means 2008-10-17.",
        'Set "Version": "2012-10-17", after checking that no other statement relies on literal ${...}.',
        _GUIDE + "Policy variables",
    ),
    Rule(
        "too-large",
        ERROR,
        "{subject}: more than a repository policy may have",
        "SetRepositoryPolicy takes at most 10,240 characters.",
        "Gather principals with the same access into one statement, or grant whole accounts.",
        "API model, shape RepositoryPolicyText",
    ),
    Rule(
        "near-limit",
        WARNING,
        "{subject}: little room is left",
        "SetRepositoryPolicy takes at most 10,240 characters, and the next grant may not fit.",
        "Gather principals with the same access into one statement, or prune dead ones.",
        "API model, shape RepositoryPolicyText",
    ),
    Rule(
        "unknown-element",
        WARNING,
        'Nothing is known of an element "{subject}"',
        "ECR may refuse the policy; where it does not, the element has no effect.",
        "Check its spelling: element names are case-sensitive.",
        _GUIDE + "Grammar of the JSON policy language",
    ),
    Rule(
        "duplicate-sid",
        WARNING,
        'Several statements have the Sid "{subject}"',
        "ECR takes it, but people, Terraform and Lambda find statements by their Sid.",
        "Give each statement its own Sid.",
        _GUIDE + "Sid element",
    ),
    Rule(
        "odd-sid",
        INFO,
        'The Sid "{subject}" has characters other than letters and digits',
        "IAM takes only A-Z, a-z and 0-9 in a Sid; what ECR takes is not documented.",
        "Use letters and digits only.",
        _GUIDE + "Sid element",
    ),
    # --- a statement ---
    Rule(
        "bad-effect",
        ERROR,
        'Effect "{subject}" is neither Allow nor Deny',
        "The statement does nothing, and ECR refuses the policy. The value is case-sensitive.",
        'Write "Allow" or "Deny".',
        _GUIDE + "Effect element",
    ),
    Rule(
        "no-action",
        ERROR,
        "The statement names no action",
        "A statement needs exactly one of Action and NotAction.",
        "Add the actions that it is meant for.",
        _GUIDE + "Action element",
    ),
    Rule(
        "element-pair",
        ERROR,
        "{subject} stand in one statement",
        "The two exclude each other, and the policy is refused.",
        "Keep one of them.",
        _GUIDE + "JSON policy element reference",
    ),
    Rule(
        "resource-element",
        ERROR,
        "{subject} does not belong into a repository policy",
        "A repository policy is about its own repository; with this element ECR has answered "
        "'Invalid repository policy provided'.",
        "Remove the element.",
        "awsdocs/amazon-ecr-user-guide issue 20",
    ),
    Rule(
        "unknown-action",
        ERROR,
        "{subject} is no action of ECR",
        "It matches nothing, so a grant with it is not what it seems.",
        "Check the spelling; actions look like ecr:PutImage.",
        _AUTH,
    ),
    Rule(
        "token-action",
        ERROR,
        "{subject} is useless in a repository policy, and ECR rejects it",
        'The token belongs to no repository: only an identity policy with Resource "*" can allow it. '
        "ECR has answered 'Invalid repository policy provided'.",
        'Remove it here, and allow it in the identity policy of account B on Resource "*".',
        _ECR + "Identity-based policy examples; cloudposse/terraform-aws-ecr PR 67",
    ),
    Rule(
        "registry-action",
        WARNING,
        "{subject} acts on a registry, not on a repository",
        "A repository policy cannot allow it; only identity policies can.",
        'Remove it here, and allow it in an identity policy on Resource "*".',
        _AUTH,
    ),
    Rule(
        "no-effect-action",
        WARNING,
        "{subject} is not decided by repository policies",
        "When it is called there is no repository yet, or the registry policy decides.",
        "Allow it in an identity policy or in the registry policy.",
        _ECR + "Private registry permissions",
    ),
    Rule(
        "all-actions",
        WARNING,
        "{subject} gives every action, also those to come",
        "It holds deleting the repository, changing its tags and this very policy.",
        "Name the actions: pull and push need seven.",
        _ECR + "Security best practices",
    ),
    Rule(
        "not-action",
        WARNING,
        "Allow with NotAction gives everything that is not listed",
        "New actions are included as soon as AWS adds them.",
        "Name the actions that are meant.",
        _GUIDE + "NotAction element",
    ),
    # --- principals ---
    Rule(
        "no-principal",
        ERROR,
        "The statement names nobody",
        "A statement of a repository policy needs a Principal; without one ECR refuses the policy.",
        "Add the principals.",
        _GUIDE + "Principal element",
    ),
    Rule(
        "bad-principal",
        ERROR,
        "{subject} is no principal that ECR knows",
        "ECR turns principals into ids when it stores a policy, and refuses the policy when it cannot.",
        "Name an account id, or the ARN of a user, role, session or account root.",
        _GUIDE + "Principal element",
    ),
    Rule(
        "principal-wildcard",
        ERROR,
        "{subject}: a wildcard inside a principal matches nothing",
        'Only "*" alone is a wildcard in a Principal; names are compared as they are.',
        "Name each principal, or name the account and add a condition on aws:PrincipalArn.",
        _GUIDE + "Principal element",
    ),
    Rule(
        "dead-principal",
        ERROR,
        "{subject} was deleted",
        "AWS leaves the unique id of a deleted user or role. It matches nobody, not even a new user of the same "
        "name, and writing the policy again fails because of it.",
        "Take it out.",
        _GUIDE + "Principal element",
    ),
    Rule(
        "public",
        ERROR,
        "Everybody on AWS may {subject}",
        'Principal "*" without a condition on the organisation, account or ARN lets in every AWS account.',
        "Name principals, or add a condition on aws:PrincipalOrgID.",
        _GUIDE + "Principal element, All principals",
    ),
    Rule(
        "allow-not-principal",
        ERROR,
        "Allow with NotPrincipal lets in everybody who is not listed",
        "That includes every other AWS account.",
        "Name the principals that are meant.",
        _GUIDE + "NotPrincipal element",
    ),
    Rule(
        "deny-not-principal",
        WARNING,
        "Deny with NotPrincipal denies more than it seems",
        "It always denies principals with a permissions boundary, and those whose account root or role is not "
        "listed beside them.",
        'Use Principal "*" with a condition ArnNotEquals on aws:PrincipalArn.',
        _GUIDE + "NotPrincipal element; Permissions boundaries",
    ),
    Rule(
        "other-partition",
        ERROR,
        "{subject} is in another partition than the repository",
        "Accounts of one partition (aws, aws-cn, aws-us-gov) do not exist in another.",
        "Name a principal of the repository's own partition.",
        _GUIDE + "Amazon Resource Names",
    ),
    Rule(
        "service-without-source",
        WARNING,
        "{subject} may act for anybody",
        "Without a condition on the source, the service uses this access for every one of its customers that "
        "gets it to (the confused deputy).",
        "Add a condition on aws:SourceArn or aws:SourceAccount.",
        _GUIDE + "The confused deputy problem",
    ),
    # --- what is granted across accounts ---
    Rule(
        "grants-permissions",
        ERROR,
        "{subject} in foreign hands",
        "Whoever may change this policy can give himself and others everything.",
        "Leave it to account A.",
        _ECR + "Security best practices",
    ),
    Rule(
        "grants-tagging",
        ERROR,
        "{subject} in foreign hands",
        "Access here depends on the repository's tags; whoever may change the tags decides on his own access.",
        "Leave tagging to account A.",
        _GUIDE + "Controlling access to AWS resources using tags",
    ),
    Rule(
        "grants-deletion",
        WARNING,
        "{subject} in foreign hands",
        "It can destroy images or settings, which neither push nor pull needs.",
        "Leave it to account A, or give it to a role made for it.",
        _AUTH,
    ),
    Rule(
        "lock-out",
        ERROR,
        "Nobody could change this policy any more",
        "It denies account A itself to set the policy. ECR refuses that without force, and this program never forces.",
        "Except account A from the Deny, or leave SetRepositoryPolicy and DeleteRepositoryPolicy out of it.",
        "API reference, SetRepositoryPolicy, force",
    ),
    # --- conditions ---
    Rule(
        "bad-condition",
        ERROR,
        "The Condition has not the form operator, key, values",
        "It never matches, and ECR refuses the policy.",
        'Write it as {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}.',
        _GUIDE + "Condition element",
    ),
    Rule(
        "unknown-operator",
        ERROR,
        "{subject} is no condition operator",
        "The condition never matches, and ECR refuses the policy.",
        "Check the spelling.",
        _GUIDE + "Condition operators",
    ),
    Rule(
        "key-without-service",
        ERROR,
        "{subject} is no condition key",
        "A key starts with a service, like aws: or ecr:. Without it no request ever carries the key.",
        "Write aws:ResourceTag/KEY for a tag of the repository.",
        _GUIDE + "Condition element",
    ),
    Rule(
        "unknown-key",
        WARNING,
        "{subject} is no condition key of ECR",
        "No request carries it, so the condition is as if the key were missing.",
        "Check the spelling; tags are aws:ResourceTag/KEY.",
        _AUTH + "; IAM User Guide, Global condition keys",
    ),
    Rule(
        "operator-type",
        WARNING,
        "{subject} do not go together",
        "The operator compares another type than the key has, so the condition hardly ever matches.",
        "Use the operator family of the key's type.",
        _GUIDE + "Condition operators",
    ),
    Rule(
        "set-operator-missing",
        ERROR,
        "{subject} holds several values",
        "Without ForAnyValue or ForAllValues such a key never matches.",
        "Put ForAnyValue: before the operator.",
        _GUIDE + "Multivalued context keys",
    ),
    Rule(
        "for-all-values",
        WARNING,
        "{subject} is also true when the key is missing",
        "In an Allow that opens the statement to every request which does not carry the key.",
        'Use ForAnyValue, or add {"Null": {KEY: "false"}}.',
        _GUIDE + "Multivalued context keys",
    ),
    Rule(
        "if-exists-on-tag",
        WARNING,
        "{subject} also lets in untagged repositories",
        "With IfExists the condition is true where the repository has no such tag.",
        "Use the operator without IfExists.",
        _GUIDE + "Condition operators, IfExists",
    ),
    # --- this repository, now ---
    Rule(
        "tag-not-met",
        WARNING,
        "The grant is void now: {subject}",
        "The condition asks for a tag which the repository does not carry, so nobody gets in by this statement.",
        "Tag the repository, or change the condition. Values are case-sensitive.",
        _GUIDE + "Condition keys, aws:ResourceTag",
    ),
    Rule(
        "deny-hits-untagged",
        WARNING,
        "The Deny applies to this repository: {subject}",
        "A negated condition is true where the tag is missing.",
        'Tag the repository, or add {"Null": {KEY: "false"}} to the Deny.',
        _GUIDE + "Condition operators",
    ),
    Rule(
        "grant-expired",
        WARNING,
        "The grant ended on {subject}",
        "Its condition on the time can no longer be met, so the statement only takes up room.",
        "Take it out, or grant again with a later date.",
        _GUIDE + "Condition keys, aws:CurrentTime",
    ),
    Rule(
        "grant-expires",
        INFO,
        "The grant ends on {subject}",
        "After that the statement lets nobody in.",
        "Grant again with a later date if it is still needed.",
        _GUIDE + "Condition keys, aws:CurrentTime",
    ),
    Rule(
        "deny-shadows-grant",
        WARNING,
        "A Deny takes away what {subject}",
        "An explicit Deny beats every Allow.",
        "Except the principal from the Deny, or take the grant out.",
        _GUIDE + "Policy evaluation logic",
    ),
    Rule(
        "duplicate-statement",
        INFO,
        "The statement says the same as {subject}",
        "It only takes up room.",
        "Remove one of them.",
        "this program",
    ),
    Rule(
        "redundant-statement",
        INFO,
        "{subject} says all of it already",
        "The statement adds nothing and only takes up room.",
        "Remove it.",
        "this program",
    ),
    Rule(
        "managed-elsewhere",
        WARNING,
        "The repository is managed by {subject}",
        "Its next deployment writes its own policy over this one.",
        "Export the grant and put it there instead.",
        "aws-cloudformation/cloudformation-coverage-roadmap issue 2493; terraform-provider-aws PR 7853",
    ),
    # --- account B's side ---
    Rule(
        "no-token",
        ERROR,
        "Account B's policies do not allow ecr:GetAuthorizationToken",
        "Without a token neither push nor pull gets as far as the repository.",
        'Add it to the identity policy, with Resource "*".',
        _ECR + "Identity-based policy examples",
    ),
    Rule(
        "token-scoped",
        ERROR,
        "Account B's policies allow ecr:GetAuthorizationToken on {subject} only",
        "The token belongs to no repository, so an ARN never matches.",
        'Write Resource "*" for it.',
        _ECR + "Identity-based policy examples; awsdocs/amazon-ecr-user-guide PR 19",
    ),
    Rule(
        "identity-lacks",
        ERROR,
        "Account B's policies do not allow {subject} on the repository",
        "Across accounts both sides must allow; the repository policy is only one half.",
        "Add the identity policy that is shown for account B.",
        _GUIDE + "Cross-account policy evaluation logic",
    ),
)

RULES = {rule.id: rule for rule in _TABLE}
