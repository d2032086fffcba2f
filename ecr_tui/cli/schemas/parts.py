"""Building blocks of the schemas. An object allows only the names listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ecr_tui.policy.actions import Access
from ecr_tui.verification.report import StageName

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def told(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description} if description else schema


def text(description: str = "") -> Schema:
    return told({"type": "string"}, description)


def truth(description: str = "") -> Schema:
    return told({"type": "boolean"}, description)


def count(description: str = "") -> Schema:
    return told({"type": "integer", "minimum": 0}, description)


def seconds(description: str = "") -> Schema:
    return told({"type": "number", "minimum": 0}, description or "seconds")


def time(description: str = "") -> Schema:
    return told({"type": "string", "format": "date-time"}, description)


def word(*words: str, description: str = "") -> Schema:
    return told({"type": "string", "enum": list(words)}, description)


def listed(items: Schema, description: str = "") -> Schema:
    return told({"type": "array", "items": items}, description)


def mapped(values: Schema, description: str = "", *, names: Iterable[str] = ()) -> Schema:
    """An object whose names are data; ``names``: the allowed ones."""
    found: Schema = {"type": "object", "additionalProperties": values}
    if names:
        found["propertyNames"] = {"enum": list(names)}
    return told(found, description)


def made_of(properties: Mapping[str, Schema], description: str = "", *, optional: Iterable[str] = ()) -> Schema:
    """An object with exactly these names, all required except the optional ones."""
    left_out = set(optional)
    return told(
        {
            "type": "object",
            "properties": dict(properties),
            "required": [name for name in properties if name not in left_out],
            "additionalProperties": False,
        },
        description,
    )


def maybe(schema: Schema, description: str = "") -> Schema:
    """Or null."""
    if set(schema) <= {"type", "description", "format", "minimum"} and isinstance(schema["type"], str):
        return told({**schema, "type": [schema["type"], "null"]}, description)
    return told({"anyOf": [schema, {"type": "null"}]}, description)


def ref(name: str, description: str = "") -> Schema:
    """To one of :data:`SHARED`."""
    return told({"$ref": f"#/$defs/{name}"}, description)


def sparse(schema: Schema) -> Schema:
    """For a document that omits nulls."""
    if "$ref" in schema:
        return sparse(SHARED[str(schema["$ref"]).rpartition("/")[2]])
    found = {name: part for name, part in schema.items() if name != "anyOf"}
    for choice in schema.get("anyOf", ()):
        if choice != {"type": "null"}:
            found = {**sparse(choice), **found}
    if isinstance(found.get("type"), list):
        found["type"] = found["type"][0]
    if "properties" in found:
        properties: dict[str, Schema] = found["properties"]
        found["properties"] = {name: sparse(part) for name, part in properties.items()}
        found["required"] = [name for name in found["required"] if not _may_be_null(properties[name])]
    if isinstance(found.get("items"), dict):
        found["items"] = sparse(found["items"])
    return found


def _may_be_null(schema: Schema) -> bool:
    return isinstance(schema.get("type"), list) or {"type": "null"} in schema.get("anyOf", ())


VERDICTS = ("yes", "if", "void", "partly", "denied", "no")
CAPABILITIES = ("read", "pull", "push", "delete", "administer")

_TEXTS = text()
_WHERE = {"repository": text("its name"), "arn": text(), "region": text()}

TRACES: dict[str, Schema] = {
    "policy_arn": maybe(text(), "ARN of the policy that denied, if AWS names it"),
    "authorization_id": maybe(text(), "of the denied request, if AWS returns it"),
    "details_url": maybe(text(), "AWS's page about the denial"),
}

_MATCHED = listed(
    made_of(
        {
            "uri": text("the ARN of a managed policy, or AWS's identifier of an inline one"),
            "statements": listed(made_of({"sid": maybe(text()), "effect": maybe(text("ALLOW or DENY"))})),
        }
    ),
    "policies with statements that matched",
)
_TROUBLESHOOTER = made_of(
    {
        "reason": maybe(text(), "why AWS's evaluation is missing"),
        "agrees": maybe(truth(), "whether AWS's evaluation and the diagnosis agree, null if they cannot be compared"),
        "disagreements": listed(text()),
        "remarks": listed(text()),
        "evaluations": listed(
            made_of(
                {
                    "action": text(),
                    "resource": text(),
                    "effect": maybe(text("ALLOW, IMPLICIT_DENY or EXPLICIT_DENY")),
                    "checks": maybe(
                        listed(
                            made_of(
                                {
                                    "type": text("AWS's CheckType, such as PRINCIPAL or SERVICE_CONTROL_POLICY"),
                                    "effect": text("AWS's CheckEffect"),
                                    "target": maybe(text(), "ARN of the root, unit or account of an organization"),
                                    "policies": _MATCHED,
                                }
                            )
                        ),
                        "null if AWS returned none",
                    ),
                    "policies": _MATCHED,
                    "context": mapped(text(), "condition keys of this evaluation"),
                }
            )
        ),
        "context": listed(
            made_of(
                {"key": text(), "aws": text("its value"), "ecr_tui": maybe(text(), "ecr-tui's value, if different")}
            ),
            "condition keys of the denied request",
        ),
        "policies": listed(
            made_of(
                {
                    "uri": text(),
                    "type": maybe(text("AWS's PolicyType")),
                    "inline": maybe(truth()),
                    "attached_to": listed(text("an ARN")),
                }
            ),
            "policies that AWS evaluated",
        ),
    },
    "IAM Access Troubleshooter's evaluation of the denial",
)

SHARED: dict[str, Schema] = {
    "document": {"type": "object", "description": "an IAM policy document, unchanged"},
    "tags": mapped(_TEXTS, "tag values by key"),
    "difference": made_of(
        {
            "op": word("add", "remove"),
            "effect": text("Allow or Deny"),
            "principal": text("as written in the document; 'everyone but ...' for a NotPrincipal"),
            "action": text(),
            "condition": maybe({"type": "object"}, "the statement's Condition"),
        },
        "one principal and one action, added or removed",
    ),
    "identity_size": made_of(
        {
            "principal": text(),
            "repositories": count("number of repositories that the policies cover"),
            "scope": word("tag", "repositories", description="tag: every repository with the grant's tags"),
            "attached": word("inline-user", "inline-role", "managed"),
            "characters": listed(count(), "characters of each policy, without whitespace"),
            "limit": count("IAM's limit: for all inline policies together, or for each managed policy"),
            "refused": maybe(text(), "why IAM rejects them in any form"),
        }
    ),
    "finding": made_of(
        {
            "id": text("the rule"),
            "severity": word("error", "warning", "info"),
            "title": text(),
            "where": text("a place such as Statement[0].Action[2]"),
            "fix": text(),
        }
    ),
    "can": made_of(
        {
            "pull": maybe(truth(), "null if it depends"),
            "push": maybe(truth(), "null if it depends"),
            "depends_on": listed(_TEXTS, "condition keys and other facts unknown before the call"),
        }
    ),
    "identity": made_of(
        {
            "arn": text(),
            "readable": truth("whether its policies were readable"),
            "reason": maybe(text(), "why not"),
            "policies": listed(
                made_of({"name": text(), "origin": text("user, group, role, ..."), "arn": maybe(text())})
            ),
            "boundary": maybe(text(), "the permissions boundary's name"),
        },
        "a principal's own policies in account B",
    ),
    "registry": made_of(
        {
            "region": text(),
            "exists": maybe(truth(), "null if unreadable"),
            "scope": maybe(text(), "V2: applies to all ECR actions; V1: to replication and pull through cache only"),
            "unknown": maybe(text(), "why its effect is unknown"),
            "effects": listed(
                made_of(
                    {
                        "principal": text(),
                        "denies": listed(_TEXTS),
                        "may_deny": listed(_TEXTS),
                        "allows": listed(_TEXTS),
                        "statement": maybe(text()),
                    }
                ),
                "its effect on actions, for each principal",
            ),
        },
        "the registry policy, evaluated together with the repository policy",
    ),
    "template": made_of(
        {
            "prefix": text("ROOT applies if no other template does"),
            "applied_for": listed(_TEXTS, "PULL_THROUGH_CACHE, REPLICATION, CREATE_ON_PUSH"),
            "tags": ref("tags"),
            "tags_match": truth("whether they match the grant's condition"),
            "lacking": mapped(_TEXTS, "tags of the condition that it does not set"),
            "policy": maybe(ref("document")),
            "access": maybe(ref("can"), "the principal's access by its policy"),
            "text": text("summary as a sentence"),
        },
        "the creation template for a new repository of this name",
    ),
    "side": made_of({"allows": maybe(truth(), "null if unknown"), "reason": text()}),
    "two_sided": made_of(
        {
            "principal": text(),
            "access": word(*Access),
            "response": word("Allowed", "Denied", "Unknown"),
            "identity": ref("identity"),
            "actions": listed(
                made_of(
                    {
                        "action": text("such as ecr:PutImage"),
                        "resource": text("an ARN, or *"),
                        "response": word("Allowed", "Denied", "Unknown"),
                        "account_a": maybe(ref("side"), "null if account A does not decide"),
                        "account_b": ref("side"),
                        "missing": listed(
                            word("account A", "account B"), "the accounts that certainly do not allow it"
                        ),
                    }
                )
            ),
            "findings": listed(ref("finding"), "about account B's policies"),
            "notes": listed(_TEXTS),
            "not_considered": listed(_TEXTS, "policies not evaluated, which may deny"),
        },
        "whether both accounts allow the access of one principal",
    ),
    "remaining": made_of(
        {
            "principal": text("the principal with access"),
            "policy": word("repository", "registry"),
            "statement": text("its Sid, or its number"),
            "named": text("the statement's principal that includes this one, such as its account"),
            "actions": listed(_TEXTS),
            "certain": truth("false if it depends on something"),
            "depends_on": listed(_TEXTS, "condition keys and other facts that decide"),
            "fix": text("the fix that ends it"),
        },
        "access through one statement",
    ),
    "plan": made_of(
        {
            "repository": text("its name"),
            "arn": text(),
            "changed": truth("whether anything would be written"),
            "written": truth("whether it was written and confirmed by reading it back"),
            "before": maybe(ref("document"), "the policy before; null for none"),
            "after": maybe(ref("document"), "the policy afterwards; null if deleted"),
            "diff": listed(ref("difference")),
            "findings": listed(ref("finding"), "about the policy afterwards"),
            "risks": listed(_TEXTS, "why it needs confirmation"),
            "notes": listed(_TEXTS),
            "refused": truth("ECR would reject it, so it is not sent; see refusals"),
            "refusals": listed(
                made_of(
                    {
                        "id": text("the finding's id"),
                        "statement": text('its Sid, or "statement 1"; empty for the document'),
                        "reason": text(),
                        "likely": truth(
                            "documented or reported; false: ECR's behavior is unknown, and the write is sent"
                        ),
                    }
                ),
                "why ECR would or might reject the policy",
            ),
            "registry_policy": maybe(ref("registry"), "null if not evaluated"),
            "void": maybe(text(), "why a grant is not, or only partly, in effect"),
            "remaining": listed(
                ref("remaining"),
                "access that remains after a revoke, or exceeds a grant, by statement",
            ),
            "affected": listed(
                made_of(
                    {
                        "principal": text(),
                        "loses": listed(_TEXTS, "actions that it had and no longer has"),
                        "may_lose": listed(_TEXTS, "actions that it had or will have only under conditions"),
                        "depends_on": listed(_TEXTS, "facts that decide about may_lose"),
                    }
                ),
                "principals that lose access by the change, by account A's policies",
            ),
            "reason": maybe(text(), "why, as given with --reason"),
        },
        "one repository's policy before and after",
    ),
    "tagged": made_of(
        {
            "repository": text("its name"),
            "arn": text(),
            "changed": truth("whether anything would be written"),
            "written": truth("whether it was written and confirmed by reading it back"),
            "before": ref("tags"),
            "after": ref("tags"),
            "effects": listed(
                made_of(
                    {
                        "principal": text(),
                        "gains": listed(_TEXTS),
                        "loses": listed(_TEXTS),
                        "may_change": listed(_TEXTS),
                        "depends_on": listed(_TEXTS, "facts that decide whether access changes"),
                    },
                    "changed access: pull, push, delete, administer, or single actions",
                )
            ),
            "doubt": maybe(text(), "why the list may be incomplete"),
            "reason": maybe(text(), "why, as given with --reason"),
        },
        "one repository's tags before and after",
    ),
    "troubleshooter": _TROUBLESHOOTER,
    "stage": made_of(
        {
            "name": word(*StageName),
            "status": word("ok", "denied", "failed", "skipped"),
            "action": maybe(text(), "the IAM action that was denied"),
            "seconds": maybe(seconds()),
            "bytes": maybe(count(), "bytes transferred"),
            "message": text(),
            "side": maybe(text(), "the side of the failure"),
            "cause": maybe(text()),
            "fix": maybe(text()),
            "detail": maybe(text(), "the error of the other system, verbatim"),
            "pattern": maybe(text(), "the failure in the catalogue of `explain`"),
            **TRACES,
            "troubleshooter": maybe(ref("troubleshooter"), "of the denied stage"),
        }
    ),
    "isolation": made_of(
        {
            "repository": maybe(text(), "null if there was no repository to check"),
            "status": word("denied", "leaked", "skipped", "failed"),
            "message": text(),
            "actions": listed(_TEXTS, "of a leak: account B's access there"),
            "fix": text("of a leak: what to check"),
        },
        "the check that a repository without a grant is denied",
        optional=("actions", "fix"),
    ),
    "tag_switch": made_of(
        {
            "status": word("ok", "denied", "failed", "skipped"),
            "message": text(),
            "tag": maybe(ref("tags")),
            "steps": listed(
                made_of(
                    {
                        "name": word("remove", "expect denial", "restore", "expect access"),
                        "status": word("ok", "denied", "failed", "skipped"),
                        "message": text(),
                        "seconds": maybe(seconds()),
                    }
                )
            ),
            "restored": truth("false: the tag is missing, and fix is the command that sets it"),
            "fix": maybe(text()),
        },
        "the check that access depends on the tag",
    ),
    "where": made_of(_WHERE),
}


def where(**more: Schema) -> dict[str, Schema]:
    """The three names that identify a repository, and more."""
    return {**_WHERE, **more}


def document(title: str, schema: Schema) -> Schema:
    """A self-contained schema, with the :data:`SHARED` ones that it uses."""
    used: dict[str, Schema] = {}

    def collect(part: Any) -> None:
        if isinstance(part, list):
            for item in part:
                collect(item)
        elif isinstance(part, dict):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in used:
                used[name] = SHARED[name]
                collect(SHARED[name])
            for item in part.values():
                collect(item)

    collect(schema)
    found = {"$schema": DIALECT, "title": title, **schema}
    return {**found, "$defs": dict(sorted(used.items()))} if used else found
