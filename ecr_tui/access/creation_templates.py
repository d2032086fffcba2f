"""ECR's creation templates, and whether they apply a grant to future repositories.

A grant is in one repository's policy, so a new repository has neither the policy nor the condition's tag, unless a
template sets both. Templates apply if ECR creates the repository: create on push, replication, pull through cache; they
do not apply to CreateRepository (ECR User Guide, "Templates to control repositories created during a pull through
cache, create on push, or replication action").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ecr_tui.aws.model import ROOT, CreationTemplate, Repository, TemplatePlace
from ecr_tui.policy.access import AccessSummary, of_every
from ecr_tui.policy.document import PolicyDocument, PolicyError
from ecr_tui.policy.ours import tag_covers
from ecr_tui.policy.who import access_of


class Fit(NamedTuple):
    """A template, and whether its repositories would meet a grant.

    ``lacking``: tags of the grant's condition that it does not set (with the required value). ``access``: access of
    each principal by its policy to a repository with its tags; None without a (readable) policy or without principals.
    """

    template: CreationTemplate
    lacking: tuple[tuple[str, str], ...]
    policy: PolicyDocument | None
    access: AccessSummary | None
    problem: str = ""

    @property
    def tags_match(self) -> bool:
        return not self.lacking

    @property
    def covers(self) -> bool:
        """Whether its policy already gives the principals access, or is invalid so that no grant can be added."""
        return bool(self.problem) or (self.policy is not None and (self.access is None or not self.access.is_none))

    def sentence(self) -> str:
        template = self.template
        where = "elsewhere" if template.prefix == ROOT else f"below {template.prefix.rstrip('/')}/"
        made = f"a new repository {where} ({_words(template.applied_for)})"
        parts = []
        if self.lacking:
            wanted = ", ".join(f"{key}={value}" for key, value in self.lacking)
            parts.append(f"is not tagged {wanted} by its creation template, so the condition does not match")
        if self.problem:
            parts.append(f"gets an invalid policy ({self.problem})")
        elif self.policy is None:
            parts.append("gets no policy, so it has no access until you grant it")
        elif self.access is not None and self.access.is_none:
            parts.append("gets a policy without access for this principal")
        if parts or self.access is None:
            return f"{made} {' and '.join(parts) or 'gets the tags and a policy'}"
        depends = ", ".join(self.access.depends_on)
        return f"{made} gets the tags and a policy for this principal{f', depending on {depends}' if depends else ''}"

    def to_json(self) -> dict[str, Any]:
        return {
            "prefix": self.template.prefix,
            "applied_for": list(self.template.applied_for),
            "tags": dict(self.template.tags),
            "tags_match": self.tags_match,
            "lacking": dict(self.lacking),
            "policy": self.policy.json if self.policy is not None else None,
            "access": None if self.access is None else self.access.to_json(),
            "text": self.sentence(),
        }


def template_for(templates: Sequence[CreationTemplate], name: str) -> CreationTemplate | None:
    """The template for a new repository of this name: the longest prefix, else ROOT, else None.

    A prefix matches up to a slash, written or not (API reference, CreateRepositoryCreationTemplate).
    """
    found: CreationTemplate | None = None
    for template in templates:
        if template.prefix == ROOT:
            found = found or template
        elif name.startswith(template.prefix.rstrip("/") + "/") and (
            found is None or found.prefix == ROOT or len(template.prefix) > len(found.prefix)
        ):
            found = template
    return found


def place(template: CreationTemplate, region: str, account: str, partition: str = "aws") -> TemplatePlace:
    """Where the template's policy is read and written."""
    prefix = template.prefix.rstrip("/")
    below = "*" if prefix == ROOT else f"{prefix}/*"
    arn = f"arn:{partition}:ecr:{region}:{account}:repository/{below}"
    tags, applied_for = dict(template.tags), template.applied_for
    return TemplatePlace(f"template {prefix}", arn, "", region, account, tags, applied_for=applied_for)


def extent(repository: Repository) -> tuple[str, ...]:
    """A sentence on the effect of a write to a creation template; empty for a repository."""
    if not isinstance(repository, TemplatePlace):
        return ()
    where = "that no other template applies to" if repository.prefix == ROOT else f"below {repository.prefix}/"
    made = _words(repository.applied_for)
    return (f"It applies to repositories that ECR creates {where} ({made}). Existing ones keep their policies.",)


def fit(
    template: CreationTemplate,
    repository: Repository,
    principals: Sequence[str],
    conditions: Sequence[tuple[str, str]] = (),
) -> Fit:
    """``repository``: any of the registry, used for its ARN and account. ``conditions``: as a grant's ``tags``: a
    repeated key means either value; keys are case-insensitive, values case-sensitive."""
    tags = dict(template.tags)
    carried = {key.lower(): value for key, value in template.tags}
    wanted: dict[str, list[str]] = {}
    for key, value in conditions:
        wanted.setdefault(key, []).append(value)
    lacking = tuple(
        (key, values[0])
        for key, values in wanted.items()
        if not any(tag_covers(value, carried[key.lower()]) for value in values if key.lower() in carried)
    )
    if not template.policy_text:
        return Fit(template, lacking, None, None)
    try:
        policy = PolicyDocument.parse(template.policy_text)
    except PolicyError as error:
        return Fit(template, lacking, None, None, error.title)
    found = [access_of(policy, one, repository_arn=repository.arn, tags=tags) for one in principals]
    return Fit(template, lacking, policy, of_every(found) if found else None)


def _words(applied_for: Sequence[str]) -> str:
    return ", ".join(item.lower().replace("_", " ") for item in applied_for) or "never applied"
