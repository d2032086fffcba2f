"""``plan``, ``grant`` and ``revoke``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ecr_tui.access.expiry import parse_until
from ecr_tui.access.second_opinion import SecondOpinion
from ecr_tui.aws.model import Repository
from ecr_tui.changes.bulk import Bulk, Intent
from ecr_tui.changes.plans import Plan
from ecr_tui.cli import completing, output
from ecr_tui.cli.asking import Asking
from ecr_tui.cli.common import open_workspace, read_text
from ecr_tui.cli.grantees import named_consumers, named_principals
from ecr_tui.cli.helping import command
from ecr_tui.cli.meter import Meter
from ecr_tui.cli.options import (
    all_of,
    grantee_account_options,
    json_option,
    principals_option,
    repositories_argument,
    run_options,
    tag_option,
)
from ecr_tui.cli.places import chosen_places, copies_of, places_options
from ecr_tui.cli.writing import (
    mention_unfinished,
    plan_all,
    unfinished,
    write,
)
from ecr_tui.config import ACCESSES, parse_tags
from ecr_tui.errors import InputError
from ecr_tui.policy import grantees
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.policy.incoming import read_incoming
from ecr_tui.policy.principal import without_session
from ecr_tui.render import second_opinion
from ecr_tui.render import sides as render_sides
from ecr_tui.workspace import Workspace


class _AccessChoice(click.Choice):  # type: ignore[type-arg]  # generic from click 8.2 on
    """The combinations, with their parts in any order."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return Access.parse(value).value
        except ValueError:
            return super().convert(value, param, ctx)


ACCESS = _AccessChoice(ACCESSES)


grant_options = all_of(
    repositories_argument,
    tag_option,
    principals_option(
        "--to",
        words="An ARN, a 12-digit account id, user/NAME or role/NAME of account B, org/o-ID, "
        "ou/o-ID/r-ID/ou-ID[/*], or service/NAME@SOURCE. Repeatable. Default: the consumer's principals, else profile "
        "B's own caller.",
    ),
    click.option(
        "--access",
        type=ACCESS,
        help="read (metadata), pull, push, or a combination such as read-pull; guide is all three. Default: pull for "
        "Lambda, else the configuration's, else push-pull.",
    ),
    click.option(
        "--if-tag",
        "conditions",
        multiple=True,
        metavar="K=V|none",
        shell_complete=completing.conditions,
        help="Grant only while the repository has this tag; V may contain * and ?; repeatable. none: no condition. "
        "Default: the configuration's if-tag, else no condition.",
    ),
    click.option(
        "--until",
        metavar="WHEN",
        help="End the grant: 2030-01-31 (that day's end in UTC), 2030-01-31T18:00:00Z, or 2w, 30d, 12h from now. "
        "Default: no end.",
    ),
    click.option(
        "--from",
        "document",
        type=click.Path(path_type=Path, allow_dash=True),
        metavar="FILE",
        help="Merge the statements of a policy file (- reads stdin) instead of --to, --access, --if-tag and --until.",
    ),
)


@command()
@grant_options
@places_options
@grantee_account_options
@click.option(
    "--aws-preview",
    "aws_preview",
    is_flag=True,
    help="Also ask IAM Access Analyzer: compare its external access and findings with ecr-tui's answer. Creates an "
    "access preview in account A, which expires by itself.",
)
@json_option
@click.pass_context
def plan(context: click.Context, /, as_json: bool, aws_preview: bool, **flags: Any) -> None:
    """Preview a grant: the policy change, and whether both accounts would then allow the access. Writes nothing.

    Exits with 1 when ECR would reject the policy. Access Analyzer's answer does not change the exit code.
    """
    with open_workspace(context, flags) as workspace:
        seen = render_sides.seen_all(
            [
                (
                    item,
                    workspace.access.verdicts(item),
                    workspace.access.new_repositories(item),
                    copies_of(workspace, item),
                )
                for item in grant_plans(workspace, flags)
            ]
        )
        if not as_json:
            for item in sorted(seen, key=lambda item: not item.plan.refused):
                output.block(render_sides.seen_text(item))
            if seen and seen[0].together:
                output.block(render_sides.needed_text(seen[0].together))
        opinions = _second_opinions(workspace, [item.plan for item in seen]) if aws_preview else [None] * len(seen)
        if as_json:
            output.document([render_sides.seen_json(*item) for item in zip(seen, opinions, strict=True)])
        for item, opinion in zip(seen, opinions, strict=True):
            if opinion is not None and not as_json:
                output.block(second_opinion.opinion_text(item.plan, opinion))
        context.exit(int(any(item.plan.refused for item in seen)))


@command()
@grant_options
@places_options
@grantee_account_options
@run_options
@click.pass_context
def grant(context: click.Context, /, as_json: bool, resume: bool, parallel: int, **flags: Any) -> None:
    """Grant access to repositories: merge one statement into each repository policy and confirm the result.

    A failure on one repository does not stop the others. Resume an interrupted run with --resume.
    """
    with open_workspace(context, flags) as workspace:
        bulk, asking = workspace.changes.bulk(parallel), _asking(workspace, flags, as_json=as_json)
        if resume:
            context.exit(resume_run(bulk, flags, "grant", asking))
        mention_unfinished(bulk)
        rows, intent = _grant_of(workspace, flags)
        intent = replace(intent, reason=flags["reason"])
        plans, failures = plan_all(bulk, rows, intent)
        context.exit(write(bulk, plans, intent, failures=failures, asking=asking))


@command()
@repositories_argument
@tag_option
@principals_option("--to", words="Principal that loses access; repeatable.")
@click.option(
    "--foreign",
    is_flag=True,
    help="Also remove the principal from Allow statements that ecr-tui did not write. Default: keep those.",
)
@places_options
@grantee_account_options
@run_options
@click.pass_context
def revoke(context: click.Context, /, as_json: bool, resume: bool, parallel: int, **flags: Any) -> None:
    """Revoke access that ecr-tui granted. Statements that ecr-tui did not write are kept, and listed."""
    with open_workspace(context, flags) as workspace:
        if not resume and not flags["principals"] and not named_consumers(workspace, flags):
            raise click.UsageError("Missing option '--to' or '--consumer'.", context)
        bulk, asking = workspace.changes.bulk(parallel), _asking(workspace, flags, as_json=as_json)
        if resume:
            context.exit(resume_run(bulk, flags, "revoke", asking))
        mention_unfinished(bulk)
        intent = Intent.to_revoke(named_principals(workspace, flags), foreign=flags["foreign"])
        intent = replace(intent, reason=flags["reason"])
        plans, failures = plan_all(bulk, chosen_places(workspace, flags), intent)
        context.exit(write(bulk, plans, intent, failures=failures, asking=asking))


def resume_run(bulk: Bulk, flags: dict[str, Any], kind: str, asking: Asking) -> int:
    given = (
        "repositories",
        "principals",
        "consumer_names",
        "conditions",
        "document",
        "until",
        "tags",
        "repins",
        "foreign",
        "replicas",
        "templates",
    )
    if any(flags.get(name) for name in given):
        raise InputError(
            "--resume repeats the options of the interrupted run", hint="Remove the repositories and the grant options."
        )
    left = unfinished(bulk, kind)
    intent = Intent.from_json(left.run.intent)
    intent = replace(intent, reason=flags["reason"] or intent.reason)
    with Meter("Reading policies") as meter:
        found = bulk.resume(left, intent, on_progress=meter)
    plans = [one for one in found if isinstance(one, Plan)]
    failures = [one for one in found if not isinstance(one, Plan)]
    for failure in failures:
        output.block(failure.text(), err=True)
    return write(bulk, plans, intent, failures=failures, resumes=left, asking=asking)


def _second_opinions(workspace: Workspace, plans: list[Plan]) -> list[SecondOpinion]:
    with Meter("Asking Access Analyzer") as meter:
        return workspace.second_opinions.ask_all(plans, on_progress=meter)


def grant_plans(workspace: Workspace, flags: dict[str, Any]) -> list[Plan]:
    """Plans for a preview. Raises the error of the first repository that has none."""
    rows, intent = _grant_of(workspace, flags)
    with Meter("Reading policies") as meter:
        found = workspace.changes.bulk().plan(rows, intent, on_progress=meter)
    for one in found:
        if not isinstance(one, Plan):
            raise one
    return [one for one in found if isinstance(one, Plan)]


def _grant_of(workspace: Workspace, flags: dict[str, Any]) -> tuple[list[Repository], Intent]:
    source: Path | None = flags["document"]
    if source is not None:
        if flags["principals"] or flags["conditions"] or flags["until"]:
            raise InputError("--from has its own principals and conditions", hint="Remove --to, --if-tag and --until.")
        if len(flags["consumer_names"]) > 1:
            raise InputError("--from has its own principals", hint="Give one --consumer: the one that is account B.")
        incoming = read_incoming(read_text(source))
        return chosen_places(workspace, flags), Intent.to_merge(incoming.document, incoming.notes)
    until = parse_until(flags["until"]) if flags["until"] else None
    repositories = chosen_places(workspace, flags)
    named = named_principals(workspace, flags) or workspace.accounts.consumer_principals()
    # A session ends within hours: a grant is for its role.
    principals = tuple(dict.fromkeys(map(without_session, named)))
    texts = flags["conditions"]
    preset = workspace.settings.condition or ()
    conditions = parse_tags(() if texts == ("none",) else texts, origin="--if-tag") if texts else preset
    access = _access(flags["access"], workspace.settings.access, principals)
    return repositories, Intent.to_grant(Grant(principals, access, conditions, until))


def _access(given: str | None, preset: str, principals: tuple[str, ...]) -> Access:
    """Lambda pulls and does nothing else, so the configuration's access is not for it."""
    only_pulls = grantees.only_pulls(principals)
    access = Access.parse(given or ("pull" if only_pulls else preset))
    if only_pulls and access.writes:
        raise InputError("Lambda only pulls images", hint="Leave out --access, or give --access pull.")
    return access


def _asking(workspace: Workspace, flags: dict[str, Any], *, as_json: bool) -> Asking:
    """A production profile of any of the consumers counts."""
    settings = workspace.settings
    every = [settings, *(settings.consuming("--consumer", one.name) for one in named_consumers(workspace, flags))]
    return Asking.of(next((one for one in every if one.production_reason), settings), flags, as_json=as_json)
