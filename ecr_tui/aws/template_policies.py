"""Read and write the repository policy of a creation template, as account A.

UpdateRepositoryCreationTemplate takes a whole template. The effect of omitted parameters is documented for only one of
them ("If this parameter is omitted, the default setting of MUTABLE will be used", API reference, imageTagMutability),
so each write sends all other settings back as just read. A template with a custom role therefore needs iam:PassRole;
without it the write is denied, instead of removing the role.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ecr_tui.aws.model import Repository, TemplatePlace
from ecr_tui.aws.policies import RepositoryPolicies
from ecr_tui.aws.registry import creation_templates
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import RepositoryCreationTemplateTypeDef

_SETTINGS = (
    "appliedFor",
    "customRoleArn",
    "description",
    "encryptionConfiguration",
    "imageTagMutability",
    "imageTagMutabilityExclusionFilters",
    "lifecyclePolicy",
    "resourceTags",
)
"""All other settings of an update."""


class TemplatePolicies:
    """A PolicyStore of :mod:`ecr_tui.changes.apply` for creation templates. ``client`` as in RepositoryPolicies."""

    def __init__(self, session: AwsSession, *, client: Callable[[str], ECRClient] | None = None) -> None:
        self._session = session
        self._client = client or (lambda region: session.client("ecr", region))
        self._read: dict[str, RepositoryCreationTemplateTypeDef] = {}
        """By the place's ARN, as last read."""

    def read(self, template: TemplatePlace) -> str | None:
        """The exact live text, None without one. Raises InputError if there is no such template."""
        templates = creation_templates(self._session, self._client(template.region))
        found = [item for item in templates if item["prefix"].rstrip("/") == template.prefix]
        if not found:
            raise InputError(
                f"no creation {template.name} in {template.region}",
                hint="List them with ecr-tui audit.",
                side="account A",
            )
        self._read[template.arn] = found[0]
        return found[0].get("repositoryPolicy") or None

    def write(self, template: TemplatePlace, text: str) -> None:
        """Replace the policy, in one request, with the template's other settings as last read."""
        if template.arn not in self._read:
            self.read(template)
        live: Any = self._read[template.arn]
        kept = {name: live[name] for name in _SETTINGS if live.get(name)}
        with self._session.calling("ecr:UpdateRepositoryCreationTemplate"):
            self._session.ecr_once(template.region).update_repository_creation_template(
                prefix=live["prefix"], repositoryPolicy=text, **kept
            )

    def delete(self, template: TemplatePlace) -> None:
        """Remove the template's policy: the model allows an empty text."""
        self.write(template, "")


class PlacePolicies:
    """A PolicyStore for both repositories and creation templates."""

    def __init__(self, repositories: RepositoryPolicies, templates: TemplatePolicies) -> None:
        self._repositories = repositories
        self._templates = templates

    def read(self, place: Repository) -> str | None:
        if isinstance(place, TemplatePlace):
            return self._templates.read(place)
        return self._repositories.read(place)

    def write(self, place: Repository, text: str) -> None:
        if isinstance(place, TemplatePlace):
            self._templates.write(place, text)
        else:
            self._repositories.write(place, text)

    def delete(self, place: Repository) -> None:
        if isinstance(place, TemplatePlace):
            self._templates.delete(place)
        else:
            self._repositories.delete(place)


def place_policies(
    session: AwsSession,
    *,
    principal_wait: float | None = None,
    background: bool = False,
    client: Callable[[str], ECRClient] | None = None,
) -> PlacePolicies:
    """Arguments as in RepositoryPolicies."""
    repositories = RepositoryPolicies(session, principal_wait=principal_wait, background=background, client=client)
    return PlacePolicies(repositories, TemplatePolicies(session, client=client))
