"""What the schemas are put together from. An object takes no names but those listed, so a schema is complete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ecr_tui.policy.actions import Access

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
    """An object with names that are data; ``names``: the only possible ones."""
    found: Schema = {"type": "object", "additionalProperties": values}
    if names:
        found["propertyNames"] = {"enum": list(names)}
    return told(found, description)


def made_of(properties: Mapping[str, Schema], description: str = "", *, optional: Iterable[str] = ()) -> Schema:
    """An object with exactly these names, all of them there but the optional ones."""
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
    """Of a document that leaves out whatever would be null."""
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
CAPABILITIES = ("pull", "push", "delete", "administer")

_TEXTS = text()
_WHERE = {"repository": text("its name"), "arn": text(), "region": text()}

TRACES: dict[str, Schema] = {
    "policy_arn": maybe(text(), "of the policy that denied, where AWS names it"),
    "authorization_id": maybe(text(), "of the denied request, where AWS tells it"),
    "details_url": maybe(text(), "AWS's page about the denial"),
}

SHARED: dict[str, Schema] = {
    "document": {"type": "object", "description": "an IAM policy document, as it is"},
    "tags": mapped(_TEXTS, "tags: key to value"),
    "difference": made_of(
        {
            "op": word("add", "remove"),
            "effect": text("Allow or Deny"),
            "principal": text("as the document has it; 'everyone but ...' for a NotPrincipal"),
            "action": text(),
            "condition": maybe({"type": "object"}, "the statement's Condition"),
        },
        "one principal and one action that are added or removed",
    ),
    "identity_size": made_of(
        {
            "principal": text(),
            "repositories": count("that its policies cover"),
            "scope": word("tag", "repositories", description="tag: every repository with the grant's tags"),
            "attached": word("inline-user", "inline-role", "managed"),
            "characters": listed(count(), "of each policy, without white space"),
            "limit": count("what IAM allows: for the inline policies together, or for each managed one"),
            "refused": maybe(text(), "why IAM takes them in no form"),
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
            "pull": maybe(truth(), "null where it depends"),
            "push": maybe(truth(), "null where it depends"),
            "depends_on": listed(_TEXTS, "condition keys, and what else is not known before the call"),
        }
    ),
    "identity": made_of(
        {
            "arn": text(),
            "readable": truth("whether its policies could be read"),
            "reason": maybe(text(), "why they could not"),
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
            "exists": maybe(truth(), "null where it could not be read"),
            "scope": maybe(text(), "V2: all ECR actions are decided with it; V1: replication and caching only"),
            "unknown": maybe(text(), "why its effect is not known"),
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
                "for each principal the actions that it decides",
            ),
        },
        "the registry policy, which is decided beside the repository policy",
    ),
    "template": made_of(
        {
            "prefix": text("ROOT: where no other template fits"),
            "applied_for": listed(_TEXTS, "PULL_THROUGH_CACHE, REPLICATION, CREATE_ON_PUSH"),
            "tags": ref("tags"),
            "tags_match": truth("whether they meet the grant's condition"),
            "lacking": mapped(_TEXTS, "tags of the condition that it does not give"),
            "policy": maybe(ref("document")),
            "access": maybe(ref("can"), "what its policy gives the principal"),
            "text": text("all of it as a sentence"),
        },
        "the creation template that a new repository of this name would be made from",
    ),
    "side": made_of({"allows": maybe(truth(), "null where it is not known"), "reason": text()}),
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
                        "account_a": maybe(ref("side"), "null where account A has no say"),
                        "account_b": ref("side"),
                        "missing": listed(
                            word("account A", "account B"), "the sides that certainly do not let it through"
                        ),
                    }
                )
            ),
            "findings": listed(ref("finding"), "about account B's policies"),
            "notes": listed(_TEXTS),
            "not_considered": listed(_TEXTS, "policies that may still deny"),
        },
        "whether both sides let one principal through",
    ),
    "remaining": made_of(
        {
            "principal": text("who has the access"),
            "policy": word("repository", "registry"),
            "statement": text("its Sid, or its number"),
            "named": text("the statement's principal that means this one, such as its account"),
            "actions": listed(_TEXTS),
            "certain": truth("false where it depends on something"),
            "depends_on": listed(_TEXTS, "condition keys, or what else decides"),
            "fix": text("what would end it"),
        },
        "access through one statement",
    ),
    "plan": made_of(
        {
            "repository": text("its name"),
            "arn": text(),
            "changed": truth("whether there is anything to write"),
            "written": truth("whether it was written, and read back"),
            "before": maybe(ref("document"), "the policy before; null for none"),
            "after": maybe(ref("document"), "the policy afterwards; null where it is deleted"),
            "diff": listed(ref("difference")),
            "findings": listed(ref("finding"), "about the policy afterwards"),
            "risks": listed(_TEXTS, "what made it ask"),
            "notes": listed(_TEXTS),
            "refused": truth("ECR would refuse it, so it is not sent; see refusals"),
            "refusals": listed(
                made_of(
                    {
                        "id": text("that of the finding"),
                        "statement": text('its Sid, or "statement 1"; empty for the document'),
                        "reason": text(),
                        "likely": truth("documented or reported; false: what ECR does is not known, and it is tried"),
                    }
                ),
                "why ECR would, or might, refuse the policy afterwards",
            ),
            "registry_policy": maybe(ref("registry"), "null where it was not looked at"),
            "void": maybe(text(), "of a grant that is not in effect, or not all of it: why"),
            "remaining": listed(
                ref("remaining"),
                "through what the principals have access that a revoke does not end, or beyond a grant",
            ),
        },
        "one repository's policy before and after",
    ),
    "tagged": made_of(
        {
            "repository": text("its name"),
            "arn": text(),
            "changed": truth("whether there is anything to write"),
            "written": truth("whether it was written, and read back"),
            "before": ref("tags"),
            "after": ref("tags"),
            "effects": listed(
                made_of(
                    {
                        "principal": text(),
                        "gains": listed(_TEXTS),
                        "loses": listed(_TEXTS),
                        "may_change": listed(_TEXTS),
                        "depends_on": listed(_TEXTS, "what decides whether it may change"),
                    },
                    "whose access changes: pull, push, delete, administer, or single actions",
                )
            ),
            "doubt": maybe(text(), "why that may not be all"),
        },
        "one repository's tags before and after",
    ),
    "stage": made_of(
        {
            "name": word("identity", "token", "login", "tag", "push", "pull", "digest", "isolation", "cleanup"),
            "status": word("ok", "denied", "failed", "skipped"),
            "action": maybe(text(), "the IAM action that was denied"),
            "seconds": maybe(seconds()),
            "bytes": maybe(count(), "what travelled"),
            "message": text(),
            "side": maybe(text(), "whose side it happened on"),
            "cause": maybe(text()),
            "fix": maybe(text()),
            "detail": maybe(text(), "the other side's own words"),
            "pattern": maybe(text(), "the failure in the catalogue of `explain`"),
            **TRACES,
        }
    ),
    "isolation": made_of(
        {
            "repository": maybe(text(), "null where there was none to take"),
            "status": word("denied", "leaked", "skipped", "failed"),
            "message": text(),
            "actions": listed(_TEXTS, "of a leak: what account B may do there"),
            "fix": text("of a leak: what to look at"),
        },
        "the counter-proof on a repository that was not granted",
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
        "the proof that access hangs on the tag",
    ),
    "where": made_of(_WHERE),
}


def where(**more: Schema) -> dict[str, Schema]:
    """The three names that say which repository, and more."""
    return {**_WHERE, **more}


def document(title: str, schema: Schema) -> Schema:
    """A schema that stands alone: with those of :data:`SHARED` that it uses."""
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
