"""What decides beside the repository policies, in one region: the registry policy, its scope, creation templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ecr_tui.aws.identity_policies import reason_of
from ecr_tui.aws.model import CreationTemplate, RegistryFacts
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import Cancelled, EcrTuiError

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import RepositoryCreationTemplateTypeDef

T = TypeVar("T")

DEFAULT_SCOPE = "V2"
"""The scope of a registry that nobody changed (ECR User Guide, "Private registry permissions")."""


def registry_facts(session: AwsSession, region: str) -> RegistryFacts:
    """Read as account A. Whatever cannot be read is told by its reason; nothing is raised for it."""
    no_templates: tuple[CreationTemplate, ...] = ()
    policy, policy_unreadable = _or_reason(lambda: registry_policy(session, region), None)
    scope, scope_unreadable = _or_reason(lambda: registry_policy_scope(session, region), "")
    templates, templates_unreadable = _or_reason(lambda: creation_templates(session, region), no_templates)
    return RegistryFacts(region, policy, policy_unreadable, scope, scope_unreadable, templates, templates_unreadable)


def registry_policy(session: AwsSession, region: str) -> str | None:
    """The text as ECR keeps it; None when there is none."""
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


def creation_templates(session: AwsSession, region: str) -> tuple[CreationTemplate, ...]:
    pages = session.client("ecr", region).get_paginator("describe_repository_creation_templates")
    with session.calling("ecr:DescribeRepositoryCreationTemplates"):
        return tuple(
            _template(item)
            for page in pages.paginate(PaginationConfig={"PageSize": 100})
            for item in page["repositoryCreationTemplates"]
        )


def _template(item: RepositoryCreationTemplateTypeDef) -> CreationTemplate:
    return CreationTemplate(
        prefix=item["prefix"],
        applied_for=tuple(item.get("appliedFor", ())),
        tags=tuple((tag["Key"], tag["Value"]) for tag in item.get("resourceTags", ())),
        policy_text=item.get("repositoryPolicy") or None,
        mutability=item.get("imageTagMutability", ""),
    )


def _or_reason(read: Callable[[], T], instead: T) -> tuple[T, str]:
    try:
        return read(), ""
    except Cancelled:
        raise
    except EcrTuiError as error:
        return instead, reason_of(error)
