"""``ecr-tui audit``."""

from __future__ import annotations

from typing import Any

import click

from ecr_tui.access.audit_json import audit_json
from ecr_tui.access.audit_result import Audit
from ecr_tui.cli import output
from ecr_tui.cli.common import settings_of, working
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.cli.options import json_option, owners_account_options, principals_option, tags_option
from ecr_tui.config import Settings
from ecr_tui.errors import EcrTuiError
from ecr_tui.render.audit import audit_text
from ecr_tui.render.audit_findings import findings_csv, findings_markdown
from ecr_tui.render.audit_owners import OwnerAudit, owners_json, owners_reported, owners_text
from ecr_tui.render.sarif import sarif_json

OF_FINDINGS = ("sarif", "csv", "markdown")
FORMATS = ("text", "json", *OF_FINDINGS)


@command()
@owners_account_options
@tags_option("Report drift against this tag; repeatable. Default: the most used condition. Does not limit the audit.")
@principals_option(
    "--principal",
    "--to",
    words="Principal to check on every repository and in both accounts; repeatable. Default: the caller of profile B.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    help="Exit with 1 on findings of this severity or worse, and on unreadable policies.",
)
@click.option(
    "--not-pulled",
    type=click.IntRange(1),
    metavar="DAYS",
    help="Report access of others to repositories without a recorded pull for DAYS days. Reads their images.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Output format. sarif, csv and markdown list the findings, and what could not be read. Default: text.",
)
@json_option
@click.pass_context
def audit(
    context: click.Context,
    /,
    principals: tuple[str, ...],
    fail_on: str | None,
    not_pulled: int | None,
    form: str | None,
    as_json: bool,
    profiles_a: tuple[str, ...],
    **flags: Any,
) -> None:
    """Audit who has access to which repositories: other accounts, public access, drift, findings and unknowns.

    With several --profile-a, one report covers all of these accounts. It names an account that cannot be audited. The
    exit code is the highest of all.
    """
    form = _format(context, form, as_json)
    if not_pulled is not None and form in OF_FINDINGS:
        raise click.UsageError(f"--not-pulled has no place in --format {form}; use text or json", context)
    settings = settings_of(context, flags | {"profiles_a": profiles_a})
    profiles = tuple(dict.fromkeys(profiles_a))
    owners = []
    for profile in profiles or (settings.profile("a"),):
        result: Audit | EcrTuiError
        try:
            chosen = settings.changed("--profile-a", profile_a=profile) if profiles else settings
            result = _audit(chosen, principals, not_pulled)
        except EcrTuiError as error:
            if len(profiles) < 2:
                raise
            output.failure(error, f"Profile {profile}")
            result = error
        owners.append(OwnerAudit(profile, result))
    _print(owners, form)
    context.exit(max(one.exit_code(fail_on) for one in owners))


def _audit(settings: Settings, principals: tuple[str, ...], not_pulled: int | None) -> Audit:
    with (
        working(settings) as workspace,
        Meter("Listing repositories") as listing,
        Meter("Reading policies", after=listing) as reading,
        Meter("Reading images", after=reading) as images,
    ):
        return workspace.access.audit(
            tags=settings.tags,
            principals=[workspace.accounts.principal(one) for one in principals],
            on_listed=listing,
            on_progress=reading,
            not_pulled_days=not_pulled,
            on_images=images,
        )


def _format(context: click.Context, form: str | None, as_json: bool) -> str:
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} exclude each other", context)
    return "json" if as_json else form or "text"


def _print(owners: list[OwnerAudit], form: str) -> None:
    only = owners[0].result if len(owners) == 1 else None
    if form == "json":
        output.document(audit_json(only) if isinstance(only, Audit) else owners_json(owners))
    elif form == "sarif":
        output.document(sarif_json(owners_reported(owners)))
    elif form == "csv":
        output.block(findings_csv(owners_reported(owners)))
    elif form == "markdown":
        output.block(findings_markdown(owners_reported(owners)))
    else:
        output.block(audit_text(only) if isinstance(only, Audit) else owners_text(owners))
