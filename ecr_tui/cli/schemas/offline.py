"""``explain``, ``simulate`` and ``config``."""

from __future__ import annotations

from ecr_tui.cli.schemas.parts import TRACES, Schema, listed, made_of, mapped, maybe, text, truth, word

_RESPONSES = ("Allowed", "ImplicitlyDenied", "ExplicitlyDenied", "Unknown")

EXPLAIN: Schema = made_of(
    {
        "pattern": maybe(text(), "the failure in the catalogue; unknown where none fits"),
        "title": maybe(text()),
        "stage": maybe(text()),
        "action": maybe(text(), "the IAM action that was refused"),
        "side": maybe(text()),
        "cause": maybe(text()),
        "fix": maybe(text()),
        "principal": maybe(text()),
        "resource": maybe(text()),
        **TRACES,
        "denied": truth("a refusal for want of permission, not another failure"),
        "text": text("what was asked about"),
    },
    "null is what the text does not tell",
)
SIMULATE: Schema = listed(
    made_of(
        {
            "file": text(),
            "name": text("the case"),
            "response": word(*_RESPONSES),
            "expected": maybe(word(*_RESPONSES)),
            "matches": maybe(truth(), "null where nothing was expected"),
            "reasons": listed(
                made_of(
                    {
                        "where": word("identity", "resource", "registry", "boundary", "session", "scp", "rcp"),
                        "kind": word("allow", "deny", "near", "missing", "unreadable", "root"),
                        "text": text(),
                        "statement": text("its Sid, or statement 1"),
                        "element": text("of a near one: what failed"),
                        "key": text("of a condition: its key"),
                    },
                    optional=("statement", "element", "key"),
                )
            ),
            "notes": listed(text(), "what the case lacks, and what in its policies never matches"),
        },
        optional=("notes",),
    ),
    "a case each, in the order of the files",
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
            "by the name in the file",
        ),
        "read_only": maybe(text(), "why nothing may be written"),
        "production": maybe(text(), "why every write asks"),
    }
)
CONFIG_PATH: Schema = made_of({"file": text(), "exists": truth(), "named_by": text("default, a variable or a flag")})
CONFIG_KEYS: Schema = listed(made_of({"id": text("for [keys]"), "keys": text("in force"), "action": text()}))
