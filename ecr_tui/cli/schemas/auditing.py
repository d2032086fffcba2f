"""``audit`` and ``matrix``."""

from __future__ import annotations

from ecr_tui.access.replicas import ABSENT, DIFFERS, FOREIGN, OUTSIDE, SAME, UNKNOWN
from ecr_tui.cli.schemas.parts import (
    CAPABILITIES,
    SHARED,
    VERDICTS,
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

_CELL = made_of(
    {
        "verdict": word(*VERDICTS),
        "reason": text(),
        "depends_on": listed(text(), "condition keys and other facts"),
    }
)
_CELLS = dict.fromkeys(CAPABILITIES, _CELL)
_COUNTED = {name: mapped(count(), "number of repositories by verdict", names=VERDICTS) for name in CAPABILITIES}
_NUMBERS = {name: count() for name in CAPABILITIES}
_RESPONSE = word("Allowed", "Denied", "Unknown")
_REGISTRY = {name: part for name, part in SHARED["registry"]["properties"].items() if name != "effects"}
_PEOPLE = listed(text("ARN"))

_AUDIT: Schema = made_of(
    {
        "account": text(),
        "regions": listed(text()),
        "at": time(),
        "summary": made_of(
            {
                "repositories": count(),
                "with_policy": count(),
                "without_policy": count(),
                "unreadable": count(),
                "findings": mapped(count(), "number by severity", names=("error", "warning", "info")),
            }
        ),
        "principals": listed(
            made_of(
                {
                    "principal": text(),
                    "title": text(),
                    "kind": text("account, user, role, session, service, everyone, deleted, ..."),
                    "account": maybe(text()),
                    "external": truth("in another account than the repositories"),
                    "trusted": maybe(
                        truth(), "whether [trusted] of the configuration lists an external one; null without it"
                    ),
                    "repositories": count(),
                    **_COUNTED,
                }
            ),
            "every principal named in a policy, external ones first",
        ),
        "external_accounts": listed(
            made_of(
                {
                    "account": text(),
                    "trusted": maybe(truth(), "whether [trusted] of the configuration lists it; null without it"),
                    "principals": _PEOPLE,
                    "repositories": count(),
                    **_NUMBERS,
                }
            )
        ),
        "public": listed(made_of({**where(), **_CELLS}), "public access"),
        "services": listed(made_of({"principal": text(), **where(), **_CELLS})),
        "stale": listed(made_of({"principal": text(), "repositories": listed(text("ARN"))}), "deleted principals"),
        "drift": made_of(
            {
                "tag": ref("tags", "the tag of the drift check"),
                "origin": maybe(word("given", "most used")),
                "principals": _PEOPLE,
                "tagged_not_granted": listed(made_of(where(principals=_PEOPLE))),
                "granted_not_tagged": listed(made_of(where(statement=text(), principals=_PEOPLE, reason=text()))),
            }
        ),
        "ends": listed(
            made_of(where(statement=text(), principals=_PEOPLE, ends=time(), expired=truth())), "grants that end"
        ),
        "not_pulled": maybe(
            made_of(
                {
                    "days": count(),
                    "repositories": listed(
                        made_of(
                            where(
                                principals=_PEOPLE,
                                last_pull=maybe(time(), "last recorded by ECR; null for none"),
                                images=count(),
                            )
                        )
                    ),
                    "unknown": listed(made_of(where(reason=text()))),
                }
            ),
            "external access to repositories not pulled for that many days; null without --not-pulled",
        ),
        "registry": listed(
            made_of(
                {
                    **_REGISTRY,
                    "policy": maybe(ref("document")),
                    "changes": listed(
                        made_of(
                            {
                                "principal": text(),
                                "capability": word(*CAPABILITIES),
                                "without": word(*VERDICTS),
                                "with": word(*VERDICTS),
                                "repositories": count(),
                            }
                        ),
                        "access that the registry policy changes",
                    ),
                    "templates": listed(ref("template")),
                    "templates_unknown": maybe(text(), "why they are unknown"),
                }
            ),
            "one item per region",
        ),
        "replicas": listed(
            made_of(
                where(
                    copy_region=text(),
                    copy_account=text(),
                    state=word(SAME, DIFFERS, ABSENT, UNKNOWN, FOREIGN, OUTSIDE),
                    reason=maybe(text(), "why it was not compared"),
                    differences=listed(
                        made_of(
                            {
                                "principal": text(),
                                "capability": word(*CAPABILITIES),
                                "original": word(*VERDICTS),
                                "copy": word(*VERDICTS),
                            }
                        )
                    ),
                    others=listed(text(), "differences in further actions"),
                )
            ),
            "the replicated copies of repositories, by the replication rules of the regions",
        ),
        "replication_unknown": listed(made_of({"region": text(), "reason": text()}), "regions with unreadable rules"),
        "asked": listed(
            made_of(
                {
                    "principal": text(),
                    "identity": ref("identity"),
                    "needs": maybe(ref("document"), "the identity policy for all access that account A grants"),
                    "findings": listed(ref("finding"), "findings about that policy, such as its size"),
                }
            ),
            "the requested principals",
        ),
        "unknown": listed(made_of(where(reason=text())), "repositories with an unreadable policy"),
        "failures": listed(made_of({"region": text(), "reason": text()})),
        "notes": listed(text()),
        "repositories": listed(
            made_of(
                where(
                    tags=maybe(ref("tags")),
                    policy=word("yes", "none", "unreadable"),
                    reason=maybe(text(), "why it is unreadable"),
                    access=listed(made_of({"principal": text(), **_CELLS})),
                    asked=listed(
                        made_of(
                            {
                                "principal": text(),
                                **_CELLS,
                                "both_sides": maybe(made_of({"pull": _RESPONSE, "push": _RESPONSE})),
                            }
                        )
                    ),
                    findings=listed(ref("finding")),
                )
            )
        ),
    },
    "read, pull, push, delete and administer are account A's decision: yes, if (depends on the request), void (a tag "
    "or end is not met now), partly, denied or no; both_sides adds account B's",
)
AUDIT: Schema = {
    "anyOf": [
        _AUDIT,
        made_of(
            {
                "owners": listed(
                    made_of(
                        {
                            "profile": text("of account A"),
                            "audit": maybe(_AUDIT, "null where it failed"),
                            "error": maybe(text(), "why it failed"),
                        }
                    )
                )
            }
        ),
    ],
    "description": "of one owner, or with several --profile-a a list of owners",
}

_ANSWER = word("yes", "no", "depends")
_PARTS = ("read", "pull", "push")
_GRANTEE = {
    "principal": text("an ARN, an account, org/o-ID, ou/..., service/NAME@SOURCE or *"),
    "title": text(),
    "kind": text("account, user, role, session, service, organization, unit, everyone, deleted, ..."),
    "account": maybe(text()),
    "external": truth("in another account than the repositories"),
}

MATRIX: Schema = made_of(
    {
        "account": text(),
        "at": time(),
        "grantees": listed(
            made_of({**_GRANTEE, "repositories": count("repositories whose own policy names it")}),
            "the columns, in the order of the cells",
        ),
        "repositories": listed(
            made_of(
                where(
                    tags=maybe(ref("tags")),
                    policy=word("yes", "none", "unreadable"),
                    reason=maybe(text(), "why it is unreadable; there are no cells then"),
                    cells=listed(
                        made_of(
                            {
                                "principal": text(),
                                **dict.fromkeys(_PARTS, _ANSWER),
                                "depends_on": listed(text(), "condition keys and other facts"),
                                "proof": maybe(
                                    made_of(
                                        {
                                            "at": time(),
                                            "can": made_of(dict.fromkeys(_PARTS, maybe(truth()))),
                                            "stale": maybe(text(), "the later change of access"),
                                        }
                                    ),
                                    "the last live verification",
                                ),
                            }
                        )
                    ),
                )
            )
        ),
        "notes": listed(text()),
    },
    "account A's decision for each repository and grantee; account B's policies also decide",
)
