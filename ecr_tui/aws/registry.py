"""The registry of account A in one region: its policy and scope, creation templates, replication rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ecr_tui.aws.model import CreationTemplate, RegistryFacts, Replication, ReplicationRule
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import Cancelled, EcrTuiError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import RepositoryCreationTemplateTypeDef

T = TypeVar("T")

_NO_TEMPLATES: tuple[CreationTemplate, ...] = ()
_NO_RULES: tuple[ReplicationRule, ...] = ()
DEFAULT_SCOPE = "V2"
"""The default scope of a registry (ECR User Guide, "Private registry permissions")."""


def registry_facts(session: AwsSession, region: str) -> RegistryFacts:
    """Read as account A. Failures are recorded as reasons and not raised."""
    policy, policy_unreadable = _or_reason(lambda: registry_policy(session, region), None)
    scope, scope_unreadable = _or_reason(lambda: registry_policy_scope(session, region), "")
    templates, templates_unreadable = _or_reason(lambda: _templates(session, region), _NO_TEMPLATES)
    return RegistryFacts(region, policy, policy_unreadable, scope, scope_unreadable, templates, templates_unreadable)


def registry_policy(session: AwsSession, region: str) -> str | None:
    """The exact text, or None."""
    client = session.client("ecr", region)
    with session.calling("ecr:GetRegistryPolicy"):
        try:
            return client.get_registry_policy()["policyText"]
        except client.exceptions.RegistryPolicyNotFoundException:
            return None


def registry_policy_scope(session: AwsSession, region: str) -> str:
    """ "V2" or "V1"."""
    client = session.client("ecr", region)
    with session.calling("ecr:GetAccountSetting"):
        return client.get_account_setting(name="REGISTRY_POLICY_SCOPE").get("value") or DEFAULT_SCOPE


def creation_templates(session: AwsSession, client: ECRClient) -> list[RepositoryCreationTemplateTypeDef]:
    """All of the client's region."""
    pages = client.get_paginator("describe_repository_creation_templates")
    with session.calling("ecr:DescribeRepositoryCreationTemplates"):
        answers = pages.paginate(PaginationConfig={"PageSize": 100})
        return [item for page in answers for item in page["repositoryCreationTemplates"]]


def replication(session: AwsSession, region: str) -> Replication:
    """One call. A failure is returned with its reason; only Cancelled is raised."""
    rules, unreadable = _or_reason(lambda: _replication_rules(session, region), _NO_RULES)
    return Replication(region, rules, unreadable)


def _replication_rules(session: AwsSession, region: str) -> tuple[ReplicationRule, ...]:
    client = session.client("ecr", region)
    with session.calling("ecr:DescribeRegistry"):
        return tuple(
            ReplicationRule(
                tuple((one["region"], one["registryId"]) for one in rule["destinations"]),
                tuple(one["filter"] for one in rule.get("repositoryFilters", ())),
            )
            for rule in client.describe_registry()["replicationConfiguration"]["rules"]
        )


def _templates(session: AwsSession, region: str) -> tuple[CreationTemplate, ...]:
    return tuple(
        CreationTemplate(
            prefix=item["prefix"],
            applied_for=tuple(item.get("appliedFor", ())),
            tags=tuple((tag["Key"], tag["Value"]) for tag in item.get("resourceTags", ())),
            policy_text=item.get("repositoryPolicy") or None,
            mutability=item.get("imageTagMutability", ""),
        )
        for item in creation_templates(session, session.client("ecr", region))
    )


def _or_reason(read: Callable[[], T], instead: T) -> tuple[T, str]:
    try:
        return read(), ""
    except Cancelled:
        raise
    except EcrTuiError as error:
        return instead, error.reason
