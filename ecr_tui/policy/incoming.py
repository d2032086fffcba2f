"""Read a repository policy that is bare or inside the JSON of another tool.

A single unambiguous policy is unwrapped, and ``notes`` says from where. Anything else is rejected with a description of
what it looks like, because a misread document would be merged as an empty or unrelated one.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ecr_tui.policy import _json
from ecr_tui.policy._json import PolicyError
from ecr_tui.policy.compare import equivalent
from ecr_tui.policy.document import DOCUMENT_ELEMENTS, NEW_VERSION, STATEMENT_ELEMENTS, PolicyDocument

_SAVE = "Save the policy with aws ecr get-repository-policy --repository-name NAME."
_RENDER = "Render it to JSON first, for Terraform with terraform show -json."

_REPOSITORY_KEYS = {"RepositoryPolicyText", "RepositoryPolicy", "repositoryPolicyText", "repositoryPolicy"}
_REPOSITORY_OWNERS = {
    "AWS::ECR::Repository",
    "AWS::ECR::RepositoryCreationTemplate",
    "aws_ecr_repository_policy",
    "aws_ecr_repository_creation_template",
    "aws:ecr/repositoryPolicy:RepositoryPolicy",
    "aws-native:ecr:Repository",
}
"""Types of resources whose policy is a repository policy: CloudFormation, Terraform, Pulumi."""
_RENDERED_OWNERS = {"aws_iam_policy_document", "aws:iam/getPolicyDocument:getPolicyDocument"}
"""They only render a document; its purpose is unknown."""
_FOREIGN_KEYS = {
    "AssumeRolePolicyDocument": "a role trust policy",
    "assume_role_policy": "a role trust policy",
    "account_b": "account B's identity policy",
    "identity_policy": "account B's identity policy",
    "registry_policy": "a registry policy, which applies to the whole registry",
}
_PAST_KEYS = {"before", "before_sensitive", "prior_state"}
"""Prior state in a Terraform or ecr-tui plan."""

_LOOKS = (
    ("repositories", "the output of aws ecr describe-repositories", _SAVE),
    ("imageDetails", "the output of aws ecr describe-images", _SAVE),
    ("imageIds", "the output of aws ecr list-images", _SAVE),
    ("lifecyclePolicyText", "an ECR lifecycle policy, which expires images and grants no access", _SAVE),
    ("rules", "an ECR lifecycle policy, which expires images and grants no access", _SAVE),
    ("AWSTemplateFormatVersion", "a CloudFormation template without a RepositoryPolicyText", _SAVE),
    ("Resources", "a CloudFormation template without a RepositoryPolicyText", _SAVE),
    ("planned_values", "a Terraform plan without a known repository policy", _RENDER),
    ("terraform_version", "a Terraform state without a repository policy", _SAVE),
    ("terraform", "Terraform configuration without a rendered repository policy", _RENDER),
    ("resource", "Terraform configuration without a rendered repository policy", _RENDER),
    ("request", "a test case of ecr-tui simulate", "Pass only the policy."),
    ("Policies", "a list of IAM policies", _SAVE),
    ("Version", "a policy without a Statement", "Add the statements to merge."),
)
_ELEMENTS = {name.lower(): name for name in STATEMENT_ELEMENTS}
_DOCUMENT = {name.lower(): name for name in DOCUMENT_ELEMENTS}
_KINDS = {name.lower(): name for name in ("AWS", "Service", "Federated", "CanonicalUser")}
_EFFECTS = {name.lower(): name for name in ("Allow", "Deny")}

_REPOSITORY, _OTHER = "repository", "other"


class Incoming(NamedTuple):
    """``notes``: sentences about where the document was found; empty for a bare one."""

    document: PolicyDocument
    notes: tuple[str, ...] = ()


class _Found(NamedTuple):
    """``kind``: _REPOSITORY, _OTHER, or a description."""

    place: str
    value: Mapping[str, Any]
    kind: str


def decoded(raw: bytes) -> str:
    """Decode a file's text: UTF-8, or UTF-16 as written by PowerShell. Raises UnicodeDecodeError."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16")
    return raw.decode("utf-8-sig")


def read_incoming(text: str) -> Incoming:
    """The single policy in the text. Raises PolicyError, with a hint, if there is none or it is ambiguous."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise PolicyError("the policy is empty", hint=_SAVE)
    try:
        value = _json.loads(text)
    except PolicyError as error:
        raise PolicyError(error.title, hint=error.hint or _text_hint(text)) from None
    lone = _lone_statements(value)
    if lone is not None:
        document = PolicyDocument.from_json({"Version": NEW_VERSION, "Statement": lone})
        if "${" in document.text:
            raise PolicyError(
                "a bare statement has ${...}, whose meaning depends on the document's Version",
                hint='Pass the whole document, with "Version" and "Statement".',
            )
        document, notes = _named(document)
        found = f"{len(lone)} statements" if len(lone) > 1 else "one statement"
        return _checked(document, (f"Read as {found} without a document.", *notes))
    place = _the_one(value)
    document, notes = _named(PolicyDocument.from_json(place.value))
    where = (f"Unwrapped from {place.place}.",) if place.place else ()
    return _checked(document, (*where, *notes))


def _the_one(value: object) -> _Found:
    found = list(_search(value, "", _OTHER))
    mine = [one for one in found if one.kind == _REPOSITORY] or [one for one in found if one.kind == _OTHER]
    different: list[_Found] = []
    for one in mine:
        if not any(_same(one.value, other.value) for other in different):
            different.append(one)
    if len(different) == 1:
        return different[0]
    if different:
        places = ", ".join(one.place for one in different[:4]) + (", …" if len(different) > 4 else "")
        raise PolicyError(
            f"{len(different)} policies found, expected one",
            hint=f"Save the policy to merge in its own file. Found at: {places}",
        )
    if found:
        raise PolicyError(f"this is {found[0].kind}, not a repository policy", hint=_SAVE)
    raise _unknown(value)


def _same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    try:
        return equivalent(PolicyDocument.from_json(a), PolicyDocument.from_json(b))
    except PolicyError:
        return False


def _search(value: object, place: str, kind: str) -> Iterator[_Found]:
    """Every policy in ``value`` with its place. Policy documents are not searched further."""
    if isinstance(value, str):
        if value.lstrip()[:1] in ("{", "[", '"'):
            try:
                inner = _json.loads(value)
            except PolicyError as error:
                if kind == _REPOSITORY:
                    raise PolicyError(f"{place} is not JSON: {error.title}", hint=_RENDER) from None
                return
            yield from _search(inner, place or "a JSON string", kind)
        elif kind == _REPOSITORY and "${" in value:
            raise PolicyError(f"{place} is an unrendered expression: {value[:60]}", hint=_RENDER)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _search(item, f"{place}[{index}]", kind)
    elif isinstance(value, Mapping):
        if _is_document(value):
            yield _Found(place, value, kind)
            return
        own = _owner(value)
        for key, item in value.items():
            if key not in _PAST_KEYS:
                yield from _search(item, f"{place}.{key}" if place else key, _kind(key, value, own or kind))


def _owner(value: Mapping[str, Any]) -> str:
    """The kind of policy in a resource of an IaC tool; "" if it is not such a resource."""
    name = value.get("Type", value.get("type", value.get("TypeName", "")))
    return _kind_of_type(name) if isinstance(name, str) else ""


def _kind_of_type(name: str) -> str:
    if name in _REPOSITORY_OWNERS:
        return _REPOSITORY
    if name in _RENDERED_OWNERS:
        return _OTHER
    return f"the policy of a resource of type {name}" if name.startswith(("aws_", "AWS::", "aws:")) else ""


def _kind(key: str, holder: Mapping[str, Any], kind: str) -> str:
    if key in _FOREIGN_KEYS:
        return _FOREIGN_KEYS[key]
    if key in _REPOSITORY_KEYS or key == "account_a" or (key == "after" and "diff" in holder):
        return _REPOSITORY
    if key == "policyText":
        registry = "registryId" in holder and "repositoryName" not in holder
        return "a registry policy, which applies to the whole registry" if registry else _REPOSITORY
    if key in ("policy", "Policy") and kind == _OTHER and isinstance(holder.get("repository"), str):
        return _REPOSITORY
    # Terraform's own JSON syntax names the type as a key.
    return _kind_of_type(key) or kind


def _is_document(value: Mapping[str, Any]) -> bool:
    """Whether it has a Statement (in any case) that is an object or a list.

    Terraform's aws_iam_policy_document has both its source form, "statement", and its rendered form, "json".
    """
    if isinstance(value.get("json"), str) and "statement" in value:
        return False
    return any(key.lower() == "statement" and isinstance(item, Mapping | list) for key, item in value.items())


def _lone_statements(value: object) -> list[Any] | None:
    """Statements without a document, as a list; None for anything else."""
    items = value if isinstance(value, list) else [value]
    alone = all(
        isinstance(item, Mapping)
        and not _is_document(item)
        and {"effect", "action"} <= {key.lower().removeprefix("not") for key in item}
        for item in items
    )
    return items if items and alone else None


# -- the document's content --------------------------------------------------------------------------------------------


def _named(document: PolicyDocument) -> tuple[PolicyDocument, tuple[str, ...]]:
    """Normalize the case of element names, which IAM requires exactly."""
    statements = document.raw.get(next((key for key in document.raw if key.lower() == "statement"), ""), [])
    items = [statements] if isinstance(statements, Mapping) else statements
    plain = all(key in _DOCUMENT.values() or key.lower() not in _DOCUMENT for key in document.raw) and all(
        key in _ELEMENTS.values() or key.lower() not in _ELEMENTS
        for item in items
        if isinstance(item, Mapping)
        for key in item
    )
    if plain:
        return document, ()
    made = _respelled(document.raw, _DOCUMENT)
    made["Statement"] = [_statement(item) if isinstance(item, Mapping) else item for item in items]
    note = "Element names were changed to IAM's spelling: Statement, Effect, Principal, Action."
    return PolicyDocument.from_json(made), (note,)


def _statement(value: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(key for key in value if key.lower() not in _ELEMENTS)
    if unknown:
        raise PolicyError(
            f"unknown policy elements: {', '.join(unknown[:4])}",
            hint="If this is a Terraform aws_iam_policy_document, pass its rendered attribute json.",
        )
    made = _respelled(value, _ELEMENTS)
    for element in ("Principal", "NotPrincipal"):
        if isinstance(made.get(element), Mapping):
            made[element] = _respelled(made[element], _KINDS)
    effect = made.get("Effect")
    if isinstance(effect, str):
        made["Effect"] = _EFFECTS.get(effect.lower(), effect)
    return made


def _respelled(value: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, item in value.items():
        name = names.get(key.lower(), key)
        if name in made:
            raise PolicyError(f'"{name}" occurs twice in one object, with different case', hint="Keep one of them.")
        made[name] = item
    return made


def _checked(document: PolicyDocument, notes: tuple[str, ...]) -> Incoming:
    if not document.statements:
        raise PolicyError("the policy has no statements", hint=_SAVE)
    function = next((key for key in _keys(document.raw) if key == "Ref" or key.startswith("Fn::")), "")
    if function:
        raise PolicyError(
            f"the policy has {function}, which CloudFormation resolves on deployment",
            hint=f"Deploy it, then save the deployed policy. {_SAVE}",
        )
    for statement in document.statements:
        for _, name in (*statement.principals, *statement.not_principals):
            if "${" in name or "{{" in name:
                raise PolicyError(f"{statement.name} has an unrendered principal: {name}", hint=_RENDER)
    if not any({"Principal", "NotPrincipal"} & set(statement.raw) for statement in document.statements):
        raise PolicyError(
            "no statement has a Principal: this looks like the identity policy of a user or role",
            hint="Use --to with the principal instead of --from, or add a Principal to each statement.",
        )
    actions = [a for s in document.statements for a in (*s.actions, *s.not_actions)]
    if actions and not any(_may_be_ecr(action) for action in actions):
        services = ", ".join(sorted({action.partition(":")[0] for action in actions})[:4])
        what = "a role trust policy" if services == "sts" else f"a policy for {services}"
        raise PolicyError(f"the policy has no ECR actions: this looks like {what}", hint=_SAVE)
    return Incoming(document, notes)


def _may_be_ecr(action: str) -> bool:
    service, colon, _ = action.lower().partition(":")
    return not colon or service == "ecr" or "*" in service or "?" in service


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _keys(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _keys(item)


# -- hints about other formats
# ------------------------------------------------------------------------------------------------


def _unknown(value: object) -> PolicyError:
    if not isinstance(value, Mapping):
        first = value[0] if isinstance(value, list) and value else None
        if isinstance(first, Mapping) and first:
            return _unknown(first)
        what = (
            "an empty JSON list" if isinstance(value, list) and not value else f"JSON without a policy: {value!r:.40}"
        )
        return PolicyError(f"this is {what}", hint=_SAVE)
    if not value:
        return PolicyError("this is an empty JSON object, not a policy", hint=_SAVE)
    for key, looks, hint in _LOOKS:
        if key in value:
            return PolicyError(f"this looks like {looks}", hint=hint)
    if any(key.lower() == "statement" for key in value):
        return PolicyError("Statement must be an object or a list of objects", hint=_SAVE)
    names = ", ".join(list(value)[:5])
    return PolicyError(f"no policy in this JSON: it has {names}, but no Statement", hint=_SAVE)


def _text_hint(text: str) -> str:
    """A hint for text that is not JSON."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = lines[0]
    if any(word in text for word in ("<<EOF", "<<-EOF", "jsonencode(", 'resource "aws_', 'data "aws_')):
        return f"This looks like Terraform configuration. {_RENDER}"
    if re.search(r"(?m)^\s*#|(?:^|\s)//|/\*", text) and "{" in text:
        return "Remove the comments: JSON does not support them."
    if first.startswith(("AWSTemplateFormatVersion:", "Resources:", "Version:", "Statement:", "- ", "---")):
        return "Convert it to JSON first: this looks like YAML."
    if first.startswith("<"):
        return f"This looks like XML or HTML. {_SAVE}"
    return ""
