"""``list``, and what changes access: ``plan`` to ``history``, and ``export``."""

from __future__ import annotations

from ecr_tui.cli.schemas.parts import SHARED, Schema, listed, made_of, maybe, ref, text, time, where, word

LIST: Schema = listed(
    made_of(
        {
            **where(),
            "uri": text("what docker push and pull take"),
            "tags": ref("tags"),
            "access": maybe(ref("can"), "what account A's policy lets account B do; null where it is not known"),
            "mutability": text("MUTABLE, IMMUTABLE, or one of these with exclusions"),
        }
    )
)
CHANGED: Schema = listed(ref("plan"), "in the order asked for")
TAGGED: Schema = listed(ref("tagged"), "in the order asked for")
TAKEN_BACK: Schema = listed({"anyOf": [ref("plan"), ref("tagged")]}, "of policies, or of tags")
_STATE: Schema = {
    "type": ["object", "string", "null"],
    "description": "the policy, or the tags; null for none, the text itself where it is no policy",
}
PLAN: Schema = listed(
    made_of(
        {
            **SHARED["plan"]["properties"],
            "verdicts": listed(ref("two_sided"), "a principal each: whether both sides would then allow it"),
            "identity_policy": maybe(ref("document"), "what account B's principal needs in its own policy"),
            "identity_size": listed(
                ref("identity_size"), "a principal each: what that takes of IAM's limits for all repositories together"
            ),
            "creation_template": maybe(ref("template")),
        }
    ),
    "in the order asked for; nothing is written",
)
HISTORY: Schema = listed(
    made_of(
        {
            "id": text("what undo and redo take"),
            "at": time(),
            "kind": word("grant", "revoke", "repair", "edit", "tag", "undo", "redo"),
            **where(),
            "account": text("account A"),
            "principal": maybe(text(), "whose access changed"),
            "operator": maybe(text(), "who wrote"),
            "outcome": word("written", "failed", "unknown", description="failed: nothing was written"),
            "detail": maybe(text()),
            "run": maybe(text(), "the run over several repositories that it is a part of"),
            "undoes": maybe(text(), "the id of the write that it takes back"),
            "undone_by": maybe(text()),
            "subject": word("policy", "tags"),
            "before": _STATE,
            "after": _STATE,
            "diff": listed(ref("difference"), "of policies"),
        }
    ),
    "newest first",
)
_PARTS = {
    "account_a": listed(
        made_of({"repository": text(), "arn": text(), "document": maybe({"type": "object"})}),
        "repository policies, or CloudFormation templates with them",
    ),
    "account_b": listed(
        made_of({"principal": text(), "document": maybe({"type": "object"}), "size": ref("identity_size")}),
        "identity policies, or CloudFormation templates with them",
    ),
}
EXPORT: Schema = made_of(_PARTS, "with --format json or cloudformation, and both sides; one side alone is bare")
