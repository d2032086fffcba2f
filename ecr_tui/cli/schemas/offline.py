"""``explain``, ``simulate`` and ``config``."""

from __future__ import annotations

from ecr_tui.cli.schemas.parts import TRACES, Schema, listed, made_of, mapped, maybe, ref, text, truth, word

_RESPONSES = ("Allowed", "ImplicitlyDenied", "ExplicitlyDenied", "Unknown")

EXPLAIN: Schema = made_of(
    {
        "pattern": maybe(text(), "the failure in the catalogue, or unknown"),
        "title": maybe(text()),
        "stage": maybe(text()),
        "action": maybe(text(), "the denied IAM action"),
        "side": maybe(text()),
        "cause": maybe(text()),
        "fix": maybe(text()),
        "principal": maybe(text()),
        "resource": maybe(text()),
        **TRACES,
        "denied": truth("whether permissions are missing, as opposed to another failure"),
        "text": text("the text to explain"),
        "troubleshooter": maybe(ref("troubleshooter"), "with --aws"),
    },
    "null if not in the text",
)
SIMULATE: Schema = listed(
    made_of(
        {
            "file": text(),
            "name": text("name of the case"),
            "response": word(*_RESPONSES),
            "expected": maybe(word(*_RESPONSES)),
            "matches": maybe(truth(), "null without an expectation"),
            "reasons": listed(
                made_of(
                    {
                        "where": word("identity", "resource", "registry", "boundary", "session", "scp", "rcp"),
                        "kind": word("allow", "deny", "near", "missing", "unreadable", "root"),
                        "text": text(),
                        "statement": text("its Sid, or statement 1"),
                        "element": text("of a statement that nearly matches: the element that failed"),
                        "key": text("the condition key, if a condition failed"),
                    },
                    optional=("statement", "element", "key"),
                )
            ),
            "notes": listed(text(), "missing parts of the case, and parts of its policies that never match"),
        },
        optional=("notes",),
    ),
    "one item per case, in the order of the files",
)
CONFIG_SHOW: Schema = made_of(
    {
        "file": maybe(text(), "the configuration file"),
        "exists": truth(),
        "settings": mapped(
            made_of(
                {
                    "value": {"type": ["string", "boolean", "array", "null"], "items": {"type": "string"}},
                    "origin": text("default, a file and line, a variable or a flag"),
                }
            ),
            "settings by their name in the file",
        ),
        "read_only": maybe(text(), "why writes are blocked"),
        "production": maybe(text(), "why every write needs confirmation"),
    }
)
CONFIG_PATH: Schema = made_of({"file": text(), "exists": truth(), "named_by": text("default, a variable or a flag")})
CONFIG_KEYS: Schema = listed(
    made_of({"id": text("action id for [keys]"), "keys": text("the current keys"), "action": text()})
)
