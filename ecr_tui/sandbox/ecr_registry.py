"""ECR: the registry itself: its policy and that policy's scope, account settings, repository creation templates."""

from __future__ import annotations

import re
from typing import Any

from ecr_tui.policy.document import PolicyDocument, PolicyError
from ecr_tui.sandbox import paging
from ecr_tui.sandbox.aws_errors import ServiceError, invalid
from ecr_tui.sandbox.ecr_access import V1_ACTIONS, RepositoryAccess
from ecr_tui.sandbox.policy_check import checked_policy
from ecr_tui.sandbox.registry_settings import SCOPE, SETTINGS
from ecr_tui.sandbox.world import AwsCall, World

_PREFIX = re.compile(r"ROOT|(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*/?")
_APPLIED_FOR = {"REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH"}
_KEPT = (
    "description",
    "encryptionConfiguration",
    "resourceTags",
    "imageTagMutability",
    "imageTagMutabilityExclusionFilters",
    "repositoryPolicy",
    "lifecyclePolicy",
    "appliedFor",
    "customRoleArn",
)
_POLICY_LIMIT = 10_240
_PAGE, _PAGE_MAX = 100, 1000


class Registry:
    """Operations on the caller's own registry: none of them takes a registryId."""

    def __init__(self, world: World, access: RepositoryAccess) -> None:
        self._world = world
        self._access = access
        self.operations = {
            "PutRegistryPolicy": self.put_policy,
            "GetRegistryPolicy": self.get_policy,
            "DeleteRegistryPolicy": self.delete_policy,
            "GetAccountSetting": self.get_setting,
            "PutAccountSetting": self.put_setting,
            "CreateRepositoryCreationTemplate": self.create_template,
            "UpdateRepositoryCreationTemplate": self.update_template,
            "DeleteRepositoryCreationTemplate": self.delete_template,
            "DescribeRepositoryCreationTemplates": self.describe_templates,
        }

    def put_policy(self, call: AwsCall) -> dict[str, Any]:
        account = self._access.require_registry(call)
        text = call.params.get("policyText")
        if not isinstance(text, str) or len(text) > _POLICY_LIMIT:
            raise invalid("policyText", f"Member must have length less than or equal to {_POLICY_LIMIT}")
        try:
            statements = PolicyDocument.parse(text).statements
        except PolicyError:
            statements = ()
        narrow = self._world.registries.of(account, call.region).value(SCOPE) == "V1"
        good = bool(statements) and all(
            one.effect and one.actions and one.principals and (not narrow or set(one.actions) <= V1_ACTIONS)
            for one in statements
        )
        if not good:
            raise invalid("PolicyText", "Invalid registry policy provided")
        self._world.records.backend(account, call.region).registry_policy = text
        return {"registryId": account, "policyText": text}

    def get_policy(self, call: AwsCall) -> dict[str, Any]:
        account = self._access.require_registry(call)
        return {"registryId": account, "policyText": self._policy(account, call.region)}

    def delete_policy(self, call: AwsCall) -> dict[str, Any]:
        account = self._access.require_registry(call)
        text = self._policy(account, call.region)
        self._world.records.backend(account, call.region).registry_policy = None
        return {"registryId": account, "policyText": text}

    def _policy(self, account: str, region: str) -> str:
        text = self._world.records.backend(account, region).registry_policy
        if not text:
            raise ServiceError(
                "RegistryPolicyNotFoundException", f"Registry policy does not exist in the registry with id '{account}'"
            )
        return text

    def get_setting(self, call: AwsCall) -> dict[str, Any]:
        account = self._access.require_registry(call)
        name = _setting(call)
        return {"name": name, "value": self._world.registries.of(account, call.region).value(name)}

    def put_setting(self, call: AwsCall) -> dict[str, Any]:
        account = self._access.require_registry(call)
        name, value = _setting(call), str(call.params.get("value", ""))
        if value not in SETTINGS[name]:
            raise invalid("value", f"Member must satisfy enum value set: [{', '.join(SETTINGS[name])}]")
        self._world.registries.of(account, call.region).values[name] = value
        return {"name": name, "value": value}

    def create_template(self, call: AwsCall) -> dict[str, Any]:
        account = self._access.require_registry(call)
        prefix = str(call.params.get("prefix", ""))
        templates = self._world.registries.of(account, call.region).templates
        if not _PREFIX.fullmatch(prefix):
            raise invalid("prefix", "Member must satisfy regular expression pattern")
        if prefix in templates:
            raise ServiceError(
                "TemplateAlreadyExistsException",
                f"A repository creation template with prefix '{prefix}' already exists in the registry with id "
                f"'{account}'",
            )
        now = self._world.clock().timestamp()
        made = {"prefix": prefix, "imageTagMutability": "MUTABLE", "createdAt": now, "updatedAt": now}
        templates[prefix] = made | self._settings(call)
        return {"registryId": account, "repositoryCreationTemplate": templates[prefix]}

    def update_template(self, call: AwsCall) -> dict[str, Any]:
        account = self._access.require_registry(call)
        found = self._template(account, call)
        settings = self._settings(call)
        if "imageTagMutability" not in settings:
            # "If this parameter is omitted, the default setting of MUTABLE will be used" (API reference).
            found.pop("imageTagMutabilityExclusionFilters", None)
            found["imageTagMutability"] = "MUTABLE"
        found |= settings | {"updatedAt": self._world.clock().timestamp()}
        for name in ("repositoryPolicy", "lifecyclePolicy"):
            if not found.get(name, "-"):  # an empty text removes it
                del found[name]
        return {"registryId": account, "repositoryCreationTemplate": found}

    def delete_template(self, call: AwsCall) -> dict[str, Any]:
        account = self._access.require_registry(call)
        found = self._template(account, call)
        del self._world.registries.of(account, call.region).templates[found["prefix"]]
        return {"registryId": account, "repositoryCreationTemplate": found}

    def describe_templates(self, call: AwsCall) -> dict[str, Any]:
        account = self._access.require_registry(call)
        wanted = call.params.get("prefixes")
        size = paging.page_size(call.params, _PAGE, _PAGE_MAX)
        marker = paging.marker_of(call.params.get("nextToken"), "templates")
        templates = self._world.registries.of(account, call.region).templates
        names = [name for name in sorted(templates) if name > marker and (not wanted or name in _texts(wanted))]
        page, token = paging.take(names, size, "templates", str)
        found: dict[str, Any] = {
            "registryId": account,
            "repositoryCreationTemplates": [templates[name] for name in page],
        }
        return found | ({"nextToken": token} if token else {})

    def _template(self, account: str, call: AwsCall) -> dict[str, Any]:
        prefix = str(call.params.get("prefix", ""))
        found = self._world.registries.of(account, call.region).templates.get(prefix)
        if found is None:
            raise ServiceError(
                "TemplateNotFoundException",
                f"The repository creation template with prefix '{prefix}' does not exist in the registry with id "
                f"'{account}'",
            )
        return found

    def _settings(self, call: AwsCall) -> dict[str, Any]:
        found = {name: call.params[name] for name in _KEPT if call.params.get(name) is not None}
        if not set(_texts(found.get("appliedFor", []))) <= _APPLIED_FOR:
            raise invalid("appliedFor", f"Member must satisfy enum value set: [{', '.join(sorted(_APPLIED_FOR))}]")
        if found.get("repositoryPolicy"):
            checked_policy(found["repositoryPolicy"], self._world.directory)
        paging.checked_tags(found.get("resourceTags"))
        return found


def _setting(call: AwsCall) -> str:
    name = str(call.params.get("name", ""))
    if name not in SETTINGS:
        raise invalid("name", f"Member must satisfy enum value set: [{', '.join(SETTINGS)}]")
    return name


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
