"""``usage``."""

from __future__ import annotations

from ecr_tui.cli.schemas.parts import Schema, count, listed, made_of, maybe, text, time, truth, where, word

_CALLER = {
    "principal": maybe(text(), "ARN of the user or role, where AWS tells it"),
    "principal_id": maybe(text(), "unique id of the principal, where AWS tells no ARN"),
    "account": maybe(text()),
    "service": maybe(text(), "the AWS service that called"),
    "title": text(),
    "external": truth("in another account than the repositories"),
}
_SPAN = {"first": time(), "last": time(), "count": count("number of events")}

USAGE: Schema = made_of(
    {
        "account": text(),
        "at": time(),
        "days": count("days of events that were asked for"),
        "unused_days": count("days in which a grant should have an event"),
        "regions": listed(
            made_of(
                {
                    "region": text(),
                    "complete_from": maybe(time(), "all events from here to until are known; null for none"),
                    "until": time(),
                    "events_read": count("by this call"),
                    "pages_read": count("by this call"),
                    "stopped": maybe(word("limit", "throttled"), "why this call read no further back"),
                    "unreadable": count("events that could not be read"),
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
                    since=maybe(time(), "since when the absence of an event can be told"),
                    whole_period=truth("whether all of unused_days is known"),
                    last=maybe(time(), "latest event that may be of this principal"),
                    reason=maybe(text(), "why the answer is unknown"),
                    policy_set=maybe(time(), "when the policy was last written, as far as events tell"),
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
                    "check": truth("asked by ecr-tui itself, such as to check isolation"),
                    **_SPAN,
                    "message": text("AWS's words for the last one"),
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
        "left_out": listed(text(), "what CloudTrail does not tell"),
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
                        "name": text("of a task definition with the newest revision that names the image"),
                        "container": maybe(text(), "of a task definition"),
                        "image": text("as the workload names it"),
                        "account": maybe(text()),
                        "region": text(),
                    }
                )
            ),
            "unknown": listed(text(), "what could not be read, or was not"),
        }
    ),
    "in the order requested",
)
