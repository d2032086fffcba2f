"""Findings about access: public, cross-account, current effect, and account B's side."""

from __future__ import annotations

from ecr_tui.policy.rule import API, AUTH, ECR, ERROR, GUIDE, INFO, WARNING, Rule

TABLE = (
    # --- public access ---
    Rule(
        "public",
        ERROR,
        "Public access: every AWS account may {subject}",
        'Principal "*" matches every AWS account, unless a condition requires an organization, an account or ARNs that '
        "others cannot have.",
        "Name principals, or add a condition on aws:PrincipalOrgID with your organization's id.",
        GUIDE + "Principal element, All principals",
    ),
    Rule(
        "network-only",
        WARNING,
        "Only the network limits who may {subject}",
        "Principals of every AWS account that can call from this network have access.",
        "Add a condition on aws:PrincipalOrgID or aws:PrincipalAccount.",
        GUIDE + "Global condition context keys, aws:SourceIp, aws:SourceVpc and aws:SourceVpce",
    ),
    Rule(
        "allow-not-principal",
        ERROR,
        "Allow with NotPrincipal grants access to everyone not listed",
        "That includes every other AWS account.",
        "Name the intended principals in Principal.",
        GUIDE + "NotPrincipal element",
    ),
    Rule(
        "deny-not-principal",
        WARNING,
        "Deny with NotPrincipal denies more than listed",
        "It always denies principals with a permissions boundary, and those whose account root or role is not "
        "listed with them.",
        'Use Principal "*" with a condition ArnNotEquals on aws:PrincipalArn.',
        GUIDE + "NotPrincipal element; Permissions boundaries",
    ),
    Rule(
        "service-without-source",
        WARNING,
        "{subject} may act for any AWS account",
        "Without a condition on the source, the service may use this access on behalf of any customer (confused "
        "deputy).",
        "Add a condition on aws:SourceArn or aws:SourceAccount.",
        GUIDE + "The confused deputy problem",
    ),
    # --- across accounts ---
    Rule(
        "stranger",
        WARNING,
        "Access for a stranger: {subject}",
        "[trusted] in the configuration does not list it.",
        "Revoke it, or add it to [trusted].",
        "ecr-tui",
    ),
    Rule(
        "trusted-partner",
        INFO,
        "Access for a trusted partner: {subject}",
        "[trusted] in the configuration lists it.",
        "Nothing to do.",
        "ecr-tui",
    ),
    Rule(
        "grants-permissions",
        ERROR,
        "External principals may use {subject}",
        "A principal that can change this policy can grant itself and others any access.",
        "Grant it within account A only.",
        ECR + "Security best practices",
    ),
    Rule(
        "grants-tagging",
        ERROR,
        "External principals may use {subject}",
        "Access here depends on the repository's tags. A principal that can change the tags controls its own access.",
        "Grant tagging within account A only.",
        GUIDE + "Controlling access to AWS resources using tags",
    ),
    Rule(
        "grants-deletion",
        WARNING,
        "External principals may use {subject}",
        "It can delete images or settings. Push and pull do not need it.",
        "Grant it within account A only, or to a dedicated role.",
        AUTH,
    ),
    Rule(
        "lock-out",
        ERROR,
        "The policy would lock out account A",
        "It denies account A changes to this policy. ECR rejects that without force, and ecr-tui never uses force.",
        "Exclude account A from the Deny, or remove SetRepositoryPolicy and DeleteRepositoryPolicy from it.",
        API + "SetRepositoryPolicy, force",
    ),
    # --- this repository, now ---
    Rule(
        "tag-not-met",
        WARNING,
        "The grant has no effect now: {subject}",
        "The condition requires a tag that the repository does not have, so the statement grants nothing.",
        "Tag the repository, or change the condition. Values are case-sensitive.",
        GUIDE + "Condition keys, aws:ResourceTag",
    ),
    Rule(
        "deny-hits-untagged",
        WARNING,
        "The Deny applies to this repository: {subject}",
        "A negated condition matches when the tag is missing.",
        'Tag the repository, or add {"Null": {KEY: "false"}} to the Deny.',
        GUIDE + "Condition operators",
    ),
    Rule(
        "grant-expired",
        WARNING,
        "The grant ended on {subject}",
        "Its time condition can no longer match, so the statement only takes space.",
        "Remove it, or grant again with a later date.",
        GUIDE + "Condition keys, aws:CurrentTime",
    ),
    Rule(
        "grant-expires",
        INFO,
        "The grant ends on {subject}",
        "After that the statement grants nothing.",
        "Grant again with a later date if it is still needed.",
        GUIDE + "Condition keys, aws:CurrentTime",
    ),
    Rule(
        "deny-shadows-grant",
        WARNING,
        "A Deny blocks the grant: {subject}",
        "An explicit Deny overrides every Allow.",
        "Exclude the principal from the Deny, or remove the grant.",
        GUIDE + "Policy evaluation logic",
    ),
    Rule(
        "duplicate-statement",
        INFO,
        "The statement duplicates {subject}",
        "It only takes space.",
        "Remove one of them.",
        "ecr-tui",
    ),
    Rule(
        "redundant-statement",
        INFO,
        "The statement is redundant: {subject} already covers it",
        "It adds nothing and only takes space.",
        "Remove it.",
        "ecr-tui",
    ),
    Rule(
        "managed-elsewhere",
        WARNING,
        "The repository is managed by {subject}",
        "Its next deployment overwrites this policy.",
        "Export the grant and add it there instead.",
        "aws-cloudformation/cloudformation-coverage-roadmap issue 2493; terraform-provider-aws PR 7853",
    ),
    # --- account B's side ---
    Rule(
        "no-token",
        ERROR,
        "Account B's policies do not allow ecr:GetAuthorizationToken",
        "Without a token, push and pull fail before they reach the repository.",
        'Add it to the identity policy, with Resource "*".',
        ECR + "Identity-based policy examples",
    ),
    Rule(
        "token-scoped",
        ERROR,
        "Account B's policies allow ecr:GetAuthorizationToken on {subject} only",
        "The token does not belong to a repository, so a repository ARN never matches.",
        'Write Resource "*" for it.',
        ECR + "Identity-based policy examples; awsdocs/amazon-ecr-user-guide PR 19",
    ),
    Rule(
        "identity-lacks",
        ERROR,
        "Account B's policies do not allow {subject} on the repository",
        "Cross-account access needs both accounts' policies to allow it.",
        "Add the identity policy shown for account B.",
        GUIDE + "Cross-account policy evaluation logic",
    ),
    Rule(
        "identity-too-large",
        WARNING,
        "{subject}",
        "IAM's limits, without whitespace: 2,048 characters for all inline policies of a user together, 5,120 for a "
        "group, 10,240 for a role, and 6,144 for each managed policy.",
        "Grant by tag (--if-tag): one pattern then covers all repositories. Or attach the managed policies that export "
        "prints.",
        GUIDE + "IAM and AWS STS quotas",
    ),
)
