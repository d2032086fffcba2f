"""Findings about what a policy gives, to whom, and what becomes of it now."""

from __future__ import annotations

from ecr_tui.policy.rule import API, AUTH, ECR, ERROR, GUIDE, INFO, WARNING, Rule

TABLE = (
    # --- to everybody ---
    Rule(
        "public",
        ERROR,
        "Everybody on AWS may {subject}",
        'Principal "*" lets in every AWS account, unless a condition names an organization, an account or ARNs that '
        "others cannot have.",
        "Name principals, or add a condition on aws:PrincipalOrgID with your organization's id.",
        GUIDE + "Principal element, All principals",
    ),
    Rule(
        "network-only",
        WARNING,
        "Only the network limits who may {subject}",
        "Principals of every AWS account that can call from there are let in.",
        "Add a condition on aws:PrincipalOrgID or aws:PrincipalAccount.",
        GUIDE + "Global condition context keys, aws:SourceIp, aws:SourceVpc and aws:SourceVpce",
    ),
    Rule(
        "allow-not-principal",
        ERROR,
        "Allow with NotPrincipal lets in everybody who is not listed",
        "That includes every other AWS account.",
        "Name the principals that are meant.",
        GUIDE + "NotPrincipal element",
    ),
    Rule(
        "deny-not-principal",
        WARNING,
        "Deny with NotPrincipal denies more than it seems",
        "It always denies principals with a permissions boundary, and those whose account root or role is not "
        "listed beside them.",
        'Use Principal "*" with a condition ArnNotEquals on aws:PrincipalArn.',
        GUIDE + "NotPrincipal element; Permissions boundaries",
    ),
    Rule(
        "service-without-source",
        WARNING,
        "{subject} may act for anybody",
        "Without a condition that limits the source, the service uses this access for any of its customers (the "
        "confused deputy).",
        "Add a condition on aws:SourceArn or aws:SourceAccount.",
        GUIDE + "The confused deputy problem",
    ),
    # --- across accounts ---
    Rule(
        "grants-permissions",
        ERROR,
        "{subject} in foreign hands",
        "Whoever may change this policy can give themselves and others everything.",
        "Leave it to account A.",
        ECR + "Security best practices",
    ),
    Rule(
        "grants-tagging",
        ERROR,
        "{subject} in foreign hands",
        "Access here depends on the repository's tags. Whoever may change the tags decides on their own access.",
        "Leave tagging to account A.",
        GUIDE + "Controlling access to AWS resources using tags",
    ),
    Rule(
        "grants-deletion",
        WARNING,
        "{subject} in foreign hands",
        "It can destroy images or settings, and neither push nor pull needs it.",
        "Leave it to account A, or give it to a role made for it.",
        AUTH,
    ),
    Rule(
        "lock-out",
        ERROR,
        "Nobody could change this policy any more",
        "It denies account A itself to set the policy. ECR refuses that without force, and this program never forces.",
        "Except account A from the Deny, or leave SetRepositoryPolicy and DeleteRepositoryPolicy out of it.",
        API + "SetRepositoryPolicy, force",
    ),
    # --- this repository, now ---
    Rule(
        "tag-not-met",
        WARNING,
        "The grant is void now: {subject}",
        "The condition requires a tag that the repository does not have, so the statement gives nothing.",
        "Tag the repository, or change the condition. Values are case-sensitive.",
        GUIDE + "Condition keys, aws:ResourceTag",
    ),
    Rule(
        "deny-hits-untagged",
        WARNING,
        "The Deny applies to this repository: {subject}",
        "A negated condition is true where the tag is missing.",
        'Tag the repository, or add {"Null": {KEY: "false"}} to the Deny.',
        GUIDE + "Condition operators",
    ),
    Rule(
        "grant-expired",
        WARNING,
        "The grant ended on {subject}",
        "Its condition on the time can no longer be met, so the statement only takes up room.",
        "Remove it, or grant again with a later date.",
        GUIDE + "Condition keys, aws:CurrentTime",
    ),
    Rule(
        "grant-expires",
        INFO,
        "The grant ends on {subject}",
        "After that the statement gives nothing.",
        "Grant again with a later date if it is still needed.",
        GUIDE + "Condition keys, aws:CurrentTime",
    ),
    Rule(
        "deny-shadows-grant",
        WARNING,
        "A Deny takes away what {subject}",
        "An explicit Deny beats every Allow.",
        "Except the principal from the Deny, or remove the grant.",
        GUIDE + "Policy evaluation logic",
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
        ECR + "Identity-based policy examples",
    ),
    Rule(
        "token-scoped",
        ERROR,
        "Account B's policies allow ecr:GetAuthorizationToken on {subject} only",
        "The token belongs to no repository, so an ARN never matches.",
        'Write Resource "*" for it.',
        ECR + "Identity-based policy examples; awsdocs/amazon-ecr-user-guide PR 19",
    ),
    Rule(
        "identity-lacks",
        ERROR,
        "Account B's policies do not allow {subject} on the repository",
        "Across accounts both sides must allow; the repository policy is only one half.",
        "Add the identity policy that is shown for account B.",
        GUIDE + "Cross-account policy evaluation logic",
    ),
    Rule(
        "identity-too-large",
        WARNING,
        "{subject}",
        "IAM counts characters without white space: 2,048 for all inline policies of a user together, 5,120 of a "
        "group, 10,240 of a role, and 6,144 for each managed policy.",
        "Grant by tag (--if-tag): one pattern then covers every repository. Or attach the managed policies that export "
        "prints.",
        GUIDE + "IAM and AWS STS quotas",
    ),
)
