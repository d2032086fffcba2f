"""``usage``."""

from __future__ import annotations

from ecr_tui.cli.schemas.parts import Schema, count, listed, made_of, maybe, text, time, truth, where, word

_CALLER = {
    "principal": maybe(text(), "ARN of the user or role, if known"),
    "principal_id": maybe(text(), "unique id of the principal, if its ARN is unknown"),
    "account": maybe(text()),
    "service": maybe(text(), "the calling AWS service"),
    "title": text(),
    "external": truth("in another account than the repositories"),
}
_SPAN = {"first": time(), "last": time(), "count": count("number of events")}

USAGE: Schema = made_of(
    {
        "account": text(),
        "at": time(),
        "days": count("requested days of events"),
        "unused_days": count("days without an event after which a grant counts as unused"),
        "regions": listed(
            made_of(
                {
                    "region": text(),
                    "complete_from": maybe(time(), "all events from here to until are known; null for none"),
                    "until": time(),
                    "events_read": count("by this call"),
                    "pages_read": count("by this call"),
                    "stopped": maybe(word("limit", "throttled"), "why this call stopped early"),
                    "unreadable": count("number of unreadable events"),
                    "other_accounts": truth("whether any event of another account was found"),
                }
            )
        ),
        "uses": listed(
            made_of(
                {
                    "repository": text(),
                    "region": text(),
                    **_CALLER,
                    "kind": word("pull", "push", "read", "policy", "change"),
                    **_SPAN,
                }
            ),
            "latest first in each region",
        ),
        "grants": listed(
            made_of(
                where(
                    principal=text("as written in the policy"),
                    title=text(),
                    access=word("pull", "push"),
                    answer=word("used", "no event", "unknown"),
                    since=maybe(time(), "since when a missing event is meaningful"),
                    whole_period=truth("whether all of unused_days is known"),
                    last=maybe(time(), "latest event that may be by this principal"),
                    reason=maybe(text(), "why the answer is unknown"),
                    policy_set=maybe(time(), "when the policy was last written, by the events"),
                )
            ),
            "pull and push access of principals outside the account, by account A's policies",
        ),
        "denied": listed(
            made_of(
                {
                    "repository": text(),
                    "region": text(),
                    **_CALLER,
                    "action": text(),
                    "check": truth("made by ecr-tui itself, such as an isolation check"),
                    **_SPAN,
                    "message": text("AWS's message of the last one"),
                    "pattern": text("as in explain"),
                    "side": maybe(text()),
                    "cause": maybe(text()),
                    "fix": maybe(text()),
                }
            )
        ),
        "unreadable": listed(made_of({"arn": text(), "reason": text()}), "repositories whose policy is unknown"),
        "failures": listed(made_of({"region": text(), "reason": text()})),
        "notes": listed(text()),
        "left_out": listed(text(), "limitations of CloudTrail"),
    }
)

WORKLOADS: Schema = listed(
    made_of(
        {
            "repository": text("its name"),
            "arn": text(),
            "workloads": listed(
                made_of(
                    {
                        "kind": word("lambda", "ecs", description="a function, or a task definition"),
                        "name": text("a task definition's with the newest revision that uses the image"),
                        "container": maybe(text(), "of a task definition"),
                        "image": text("as in the workload"),
                        "account": maybe(text()),
                        "region": text(),
                    }
                )
            ),
            "unknown": listed(text(), "unread and unreadable parts"),
        }
    ),
    "in the order requested",
)
