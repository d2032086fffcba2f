"""``verify``, its report and its history, and ``cleanup``."""

from __future__ import annotations

from ecr_tui.cli.schemas.parts import (
    Schema,
    listed,
    made_of,
    maybe,
    ref,
    seconds,
    sparse,
    text,
    time,
    truth,
    where,
    word,
)
from ecr_tui.policy.actions import Access

_VERDICT = word("allowed", "denied", "error")
_REPORT = {
    "repository": text("its name"),
    "arn": maybe(text()),
    "region": maybe(text()),
    "principal": text("the principal of account B"),
    "engine": text("docker or direct"),
    "engine_description": text(),
    "access": word(*Access, description="the access to verify"),
    "verdict": _VERDICT,
    "passed": truth("allowed, no leak, and the tag switch worked as expected"),
    "headline": text("the verdict as a sentence"),
    "can": made_of(
        {"read": maybe(truth()), "push": maybe(truth()), "pull": maybe(truth())}, "what was verified; null if unknown"
    ),
    "stages": listed(ref("stage")),
    "isolation": maybe(ref("isolation"), "the worst result of isolations"),
    "isolations": listed(ref("isolation")),
    "tag_switch": maybe(ref("tag_switch")),
    "cleaned_up": truth("whether the probe image was removed"),
    "image": maybe(text(), "the image that was pushed or pulled"),
    "digest": maybe(text()),
    "started_at": time(),
    "seconds": maybe(seconds()),
    "notes": listed(text()),
}
_ONE = made_of(_REPORT, "a verification")
_NOT_STARTED = made_of(
    {
        **where(),
        "principal": text(),
        "engine": text(),
        "verdict": word("error"),
        "passed": truth(),
        "headline": text(),
        "stages": listed(ref("stage")),
        "isolation": {"type": "null"},
        "isolations": listed(ref("isolation")),
        "tag_switch": {"type": "null"},
        "cleaned_up": truth(),
        "error": made_of({"title": text(), "detail": maybe(text()), "hint": maybe(text()), "side": maybe(text())}),
    },
    "a verification that did not start",
)
_RESULT: Schema = {"anyOf": [_ONE, _NOT_STARTED]}

VERIFY: Schema = {
    "anyOf": [_ONE, listed(_RESULT)],
    "description": "an object for one repository, a list in the order requested for several",
}
REPORT: Schema = made_of(
    {
        "started_at": time(),
        "finished_at": time(),
        "passed": truth("whether all passed"),
        "summary": text(),
        "verifications": listed(_RESULT),
    },
    "the file of verify --report FILE.json",
)
PAST: Schema = listed(
    sparse(made_of({"id": text(), "at": time(), **_REPORT}, "as in verify, without nulls")),
    "newest first",
)
CLEANUP: Schema = listed(
    made_of(
        {
            "kind": word("probe", "tag", description="a probe image, or a removed tag"),
            "repository": text(),
            "arn": text(),
            "image": maybe(text(), "the probe image's tag"),
            "tag": maybe(ref("tags")),
            "at": time("time of the interrupted verification"),
            "cleaned": truth(),
            "message": text(),
            "hint": maybe(text()),
        }
    )
)
