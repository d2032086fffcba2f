"""``list``, the commands that change access, ``history`` and ``export``."""

from __future__ import annotations

from ecr_tui.access.replicas import ABSENT, FOREIGN, GRANTED, LACKS, UNKNOWN
from ecr_tui.cli.schemas.parts import (
    SHARED,
    Schema,
    count,
    listed,
    made_of,
    mapped,
    maybe,
    ref,
    text,
    time,
    truth,
    where,
    word,
)

LIST: Schema = listed(
    made_of(
        {
            **where(),
            "uri": text("the image name for docker push and pull"),
            "tags": ref("tags"),
            "access": maybe(ref("can"), "account B's access by account A's policies; null if unknown"),
            "mutability": text("MUTABLE, IMMUTABLE, or one of these with exclusions"),
            "images": maybe(
                made_of(
                    {
                        "count": count(),
                        "complete": truth("all images were read; if false, there are more, and the times may be later"),
                        "last_push": maybe(time()),
                        "last_pull": maybe(time(), "last recorded by ECR"),
                    }
                ),
                "null without --images, and if unreadable",
            ),
        }
    )
)
CHANGED: Schema = listed(ref("plan"), "in the order requested")
_DRIFT: Schema = made_of(
    {
        "file": text("its name"),
        "repositories": count("number of repositories compared"),
        "drift": listed(ref("plan"), "the repositories that differ"),
        "unwanted": listed(
            made_of(
                {
                    **where(),
                    "principals": listed(text()),
                    "access": text(),
                    "if_tag": listed(text(), "KEY=VALUE"),
                    "until": maybe(time()),
                }
            ),
            "grants of ecr-tui that are not in the file; revoked only with --prune",
        ),
        "failed": listed(made_of({**where(), "error": text()}), "repositories that could not be compared"),
    }
)
APPLIED: Schema = {"anyOf": [_DRIFT, CHANGED], "description": "with --resume only the changes"}
TAGGED: Schema = listed(ref("tagged"), "in the order requested")
TAKEN_BACK: Schema = listed({"anyOf": [ref("plan"), ref("tagged")]}, "of policies, or of tags")
_STATE: Schema = {
    "type": ["object", "string", "null"],
    "description": "the policy or the tags; null for none; a string if it is not a valid policy",
}
_DIFFERENCE = {
    "principal": text("an ARN, an account, * for everyone, or a grantee such as org/o-ID"),
    "actions": listed(text()),
    "public": truth("about public access"),
    "ecr_tui": word("yes", "no", "depends"),
    "access_analyzer": word("yes", "no"),
    "findings": listed(text(), "ids of Access Analyzer's findings"),
    "statements": listed(text(), "that decide ecr-tui's answer"),
}
_DIFFERENT = made_of({**_DIFFERENCE, "why": maybe(text(), "why the two are not comparable")})
_COMPARED = maybe(
    made_of(
        {
            "agreed": listed(text(), "principals with equal answers"),
            "disagreements": listed(_DIFFERENT),
            "not_comparable": listed(_DIFFERENT),
        }
    )
)
_FINDING = made_of(
    {
        "id": text(),
        "principals": listed(text()),
        "actions": listed(text()),
        "condition": mapped(text()),
        "public": truth(),
        "status": word("ACTIVE", "ARCHIVED", "RESOLVED"),
        "change": maybe(text(), "NEW, CHANGED or UNCHANGED in a preview"),
        "existing_id": maybe(text()),
        "existing_status": maybe(text()),
        "error": maybe(text()),
        "analyzed_at": maybe(time()),
    }
)
_SECOND_OPINION = maybe(
    made_of(
        {
            "analyzer": maybe(made_of({"arn": text(), "name": text(), "type": word("ACCOUNT", "ORGANIZATION")})),
            "preview": maybe(made_of({"id": text(), "findings": listed(_FINDING)}), "of the proposed policy"),
            "existing": maybe(listed(_FINDING), "of the current policy"),
            "after": _COMPARED,
            "now": _COMPARED,
            "unavailable": listed(text(), "missing results of Access Analyzer, and fixes"),
        }
    ),
    "IAM Access Analyzer's opinion; null without --aws-preview",
)
DISAGREEMENTS: Schema = listed(
    made_of(
        {
            "id": text(),
            "at": time(),
            **where(),
            "account": text("account A"),
            "analyzer": text("its ARN"),
            "when": word("after", "now", description="the previewed policy, or the current one"),
            **_DIFFERENCE,
        }
    ),
    "newest first",
)
PLAN: Schema = listed(
    made_of(
        {
            **SHARED["plan"]["properties"],
            "verdicts": listed(
                ref("two_sided"), "one item per principal: whether both accounts would then allow the access"
            ),
            "identity_policy": maybe(ref("document"), "the identity policy that account B's principal needs"),
            "identity_size": listed(
                ref("identity_size"), "one item per principal: size against IAM's limits for all repositories together"
            ),
            "creation_template": maybe(ref("template")),
            "copies": maybe(
                listed(
                    made_of(
                        {
                            "region": text(),
                            "account": text(),
                            "arn": maybe(text(), "null if it was not read"),
                            "state": word(LACKS, GRANTED, ABSENT, UNKNOWN, FOREIGN),
                            "detail": maybe(text(), "why it is unknown, or why the grant has no effect there"),
                        }
                    )
                ),
                "the replicated copies of the repository; null if unknown",
            ),
            "access_analyzer": _SECOND_OPINION,
        }
    ),
    "in the order requested; nothing is written",
)
HISTORY: Schema = listed(
    made_of(
        {
            "id": text("the id for undo and redo"),
            "at": time(),
            "kind": word("grant", "revoke", "repair", "edit", "apply", "tag", "undo", "redo"),
            **where(),
            "account": text("account A"),
            "principal": maybe(text(), "the principal whose access changed"),
            "operator": maybe(text(), "ARN of the writer"),
            "reason": maybe(text(), "why, as given with --reason"),
            "outcome": word("written", "failed", "unknown", description="failed: nothing was written"),
            "detail": maybe(text()),
            "run": maybe(text(), "the bulk run that it belongs to"),
            "undoes": maybe(text(), "the id of the write that it undoes"),
            "undone_by": maybe(text()),
            "subject": word("policy", "tags", "template", description="template: a creation template's policy"),
            "before": _STATE,
            "after": _STATE,
            "diff": listed(ref("difference"), "changes of policies"),
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
EXPORT: Schema = made_of(
    _PARTS, "with --format json or cloudformation and --side both; a single side is the bare document"
)
