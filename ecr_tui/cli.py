"""The command line: the same use cases as the screens, for scripts, CI and screen readers.

With ``--json`` stdout carries exactly one document; everything else goes to stderr. Exit codes are DESIGN's:
0 done, 1 denied or verification failed, 2 bad input, 3 environment, 4 the policy changed meanwhile.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from ecr_tui import __version__
from ecr_tui.errors import EcrTuiError, InputError

if TYPE_CHECKING:
    from ecr_tui.aws.model import Repository
    from ecr_tui.grants import Plan
    from ecr_tui.report import Event
    from ecr_tui.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])

ACCESS = click.Choice(["pull", "push", "push-pull"])
ENGINES = click.Choice(["auto", "docker", "direct"])


def main() -> NoReturn:
    """The entry point: a failure becomes one clear message and its exit code, never a traceback."""
    try:
        result = cli.main(standalone_mode=False)
        # Outside standalone mode click hands back what a command passed to Context.exit.
        code = result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        code = 130
    except BrokenPipeError:
        # The reader left; Python would complain again while flushing at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except EcrTuiError as error:
        click.echo(f"Error: {error.text()}", err=True)
        code = error.exit_code
    sys.exit(code)


def _account_options(command: F) -> F:
    """Which accounts and regions; accepted before and after the command's name."""
    options = [
        click.option("--profile-a", metavar="P", help="AWS profile of the owner, account A."),
        click.option("--profile-b", metavar="P", help="AWS profile of the consumer, account B."),
        click.option("--region", "regions", multiple=True, metavar="R", help="Region; may be repeated."),
        click.option("--read-only", is_flag=True, help="Refuse every write."),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
_yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
_tag_option = click.option(
    "--tag", "tags", multiple=True, metavar="K=V", help="Repositories with this tag; may be repeated."
)


def _grant_options(command: F) -> F:
    options = [
        click.argument("repositories", nargs=-1, metavar="[REPO]..."),
        _tag_option,
        click.option(
            "--to",
            "principal",
            metavar="PRINCIPAL",
            help="An ARN, a 12-digit account id, user/NAME or role/NAME of account B. Default: who profile B is.",
        ),
        click.option("--access", type=ACCESS, default="push-pull", show_default=True),
        click.option("--if-tag", "conditions", multiple=True, metavar="K=V", help="Only while the repository has it."),
        click.option(
            "--from",
            "document",
            type=click.Path(path_type=Path, allow_dash=True),
            metavar="FILE",
            help="Merge the statements of a policy file (- for stdin) instead of --to, --access and --if-tag.",
        ),
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ecr-tui")
@_account_options
@click.option("--tag", "tags", multiple=True, metavar="K=V", help="Start with this tag filter; may be repeated.")
@click.option("--engine", type=ENGINES, help="How to verify: docker, the registry protocol itself, or whichever works.")
@click.pass_context
def cli(context: click.Context, **flags: Any) -> None:
    """Let another AWS account push to and pull from your ECR repositories, by tag, and prove it live.

    Without a command it opens the terminal interface.
    """
    context.obj = flags
    if context.invoked_subcommand is None:
        with _workspace(context) as workspace:
            _run_interface(workspace)


@cli.command()
@click.option("--serve", is_flag=True, help="The sandbox alone, for other tools, until interrupted.")
@click.option("--repositories", type=click.IntRange(0, 200_000), default=0, metavar="N", help="Seed N more.")
@click.option("--engine", type=ENGINES, help="As for the interface.")
@click.pass_context
def demo(context: click.Context, serve: bool, repositories: int, engine: str | None) -> None:
    """Two embedded AWS accounts with an ECR that enforces its policies, and the interface on them."""
    import importlib.util

    if not all(importlib.util.find_spec(name) for name in ("moto", "flask", "flask_cors")):
        raise InputError("the demo needs its extra packages", hint="pip install 'ecr-tui[demo]'")
    if serve:
        from ecr_tui.sandbox.serve import serve as serve_sandbox

        serve_sandbox(repositories, sys.stdout)
        return
    with _demo(repositories) as prepare:
        flags = {**context.obj, "profile_a": "account-a", "profile_b": "dev-acc", "engine": engine}
        with _workspace(context, flags, prepare) as workspace:
            _run_interface(workspace)


@contextlib.contextmanager
def _demo(repositories: int) -> Iterator[Callable[[], None]]:
    """Start the sandbox beside the interface, so that the first frame does not wait for it; yields what does wait."""
    from tempfile import TemporaryDirectory

    started: list[Any] = []
    failed: list[BaseException] = []
    ready = threading.Event()

    def start() -> None:
        try:
            from ecr_tui.sandbox.sandbox import Sandbox

            started.append(Sandbox().start(repositories))
        except BaseException as error:
            failed.append(error)
        finally:
            ready.set()

    def prepare() -> None:
        ready.wait()
        if failed:
            raise EcrTuiError("the sandbox did not start", detail=f"{type(failed[0]).__name__}: {failed[0]}")
        os.environ.update(started[0].env())

    with TemporaryDirectory(prefix="ecr-tui-demo-") as state:
        os.environ["ECR_TUI_STATE_DIR"] = state
        thread = threading.Thread(target=start, name="sandbox", daemon=True)
        thread.start()
        try:
            yield prepare
        finally:
            ready.wait(5.0)
            for sandbox in started:
                sandbox.stop()


@cli.command("list")
@_account_options
@_tag_option
@_json_option
@click.pass_context
def list_command(context: click.Context, as_json: bool, **flags: Any) -> None:
    """The repositories, their tags, and what account A's policies let account B do."""
    from ecr_tui import present

    with _workspace(context, flags) as workspace:
        rows = _listed(workspace)
        access = _access(workspace, rows)
        if as_json:
            _print_json([present.repository_json(r, access.get(r.arn)) for r in rows])
        else:
            click.echo(present.repository_table(rows, access))


@cli.command()
@_grant_options
@_account_options
@_json_option
@click.pass_context
def plan(context: click.Context, as_json: bool, **flags: Any) -> None:
    """Show what a grant would write. Writes nothing."""
    from ecr_tui import present

    with _workspace(context, flags) as workspace:
        plans = _grant_plans(workspace, flags)
        if as_json:
            _print_json([p.to_json() for p in plans])
        else:
            for item in plans:
                click.echo(present.plan_text(item))


@cli.command()
@_grant_options
@_account_options
@_yes_option
@_json_option
@click.pass_context
def grant(context: click.Context, yes: bool, as_json: bool, **flags: Any) -> None:
    """Grant access: merge one statement into each repository's policy, and read it back."""
    with _workspace(context, flags) as workspace:
        _write(workspace, _grant_plans(workspace, flags), yes=yes, as_json=as_json)


@cli.command()
@click.argument("repositories", nargs=-1, metavar="[REPO]...")
@_tag_option
@click.option("--to", "principal", required=True, metavar="PRINCIPAL", help="Whose access ends.")
@_account_options
@_yes_option
@_json_option
@click.pass_context
def revoke(context: click.Context, yes: bool, as_json: bool, **flags: Any) -> None:
    """Take back what ecr-tui granted a principal; statements of others are left alone, and said."""
    with _workspace(context, flags) as workspace:
        principal = workspace.principal(flags["principal"])
        plans = [workspace.plan_revoke(r, principal) for r in _chosen(workspace, flags)]
        _write(workspace, plans, yes=yes, as_json=as_json)


@cli.command()
@_account_options
@_yes_option
@_json_option
@click.pass_context
def undo(context: click.Context, yes: bool, as_json: bool, **flags: Any) -> None:
    """Take back the last write: restore the exact previous policy, unless someone else has written since."""
    from ecr_tui import present

    with _workspace(context, flags) as workspace:
        outcome = workspace.undo()
        if as_json:
            _print_json([outcome.plan.to_json(written=outcome.written)])
        else:
            click.echo(present.outcome_text(outcome))


@cli.command()
@click.argument("repositories", nargs=-1, metavar="[REPO]...")
@_tag_option
@_account_options
@click.option("--engine", type=ENGINES, help="docker, the registry protocol itself, or whichever works.")
@click.option(
    "--isolation", default="auto", show_default=True, metavar="REPO|auto|none", help="Where B must be denied."
)
@_json_option
@click.pass_context
def verify(context: click.Context, isolation: str, as_json: bool, **flags: Any) -> None:
    """Push and pull a tiny image as account B, prove B is denied elsewhere, and clean up."""
    from ecr_tui import present

    with _workspace(context, flags) as workspace:
        chosen = _chosen(workspace, flags)
        other = isolation if isolation in ("auto", "none") else workspace.repository(isolation)
        cancel = threading.Event()
        reports = []

        def tell(event: Event) -> None:
            line = present.event_line(event)
            if line:
                click.echo(line, err=as_json)

        for repository in chosen:
            click.echo(f"{repository.name}:", err=as_json)
            with _interruptible(cancel):
                report = workspace.verify(repository, isolation=other, on_event=tell, cancel=cancel)
            reports.append(report)
            click.echo(present.report_text(report), err=as_json)
            if cancel.is_set():
                break
        if as_json:
            documents = [r.to_json() for r in reports]
            _print_json(documents[0] if len(chosen) == 1 else documents)
        context.exit(130 if cancel.is_set() else max(r.exit_code for r in reports))


# -- helpers -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _workspace(
    context: click.Context, flags: dict[str, Any] | None = None, prepare: Callable[[], None] | None = None
) -> Iterator[Workspace]:
    """The workspace of this run: flags of the command over flags of the program over the environment."""
    from ecr_tui.config import resolve
    from ecr_tui.workspace import Workspace

    known = ("profile_a", "profile_b", "regions", "tags", "read_only", "engine")
    merged = {name: (flags or {}).get(name) or context.obj.get(name) for name in known}
    workspace = Workspace(resolve(merged), prepare=prepare)
    try:
        yield workspace
    finally:
        if workspace.busy():
            click.echo("Removing the probe image ...", err=True)
        if not workspace.close():
            click.echo("The probe image could not be removed in time; look for the tag ecr-tui-verify-*.", err=True)


def _run_interface(workspace: Workspace) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "the interface needs a terminal", hint="For scripts there are commands: ecr-tui --help lists them."
        )
    from ecr_tui.ui.app import EcrTuiApp

    EcrTuiApp(workspace).run()


def _listed(workspace: Workspace) -> list[Repository]:
    def failed(region: str, error: EcrTuiError) -> None:
        click.echo(f"{region}: {error.text()}", err=True)

    return workspace.repositories(dict(workspace.settings.tags) or None, on_failure=failed)


def _chosen(workspace: Workspace, flags: dict[str, Any]) -> list[Repository]:
    """The repositories named, or all with the tags; each once, in the order given."""
    names: Sequence[str] = tuple(dict.fromkeys(flags["repositories"]))
    if bool(names) == bool(workspace.settings.tags):
        raise InputError(
            "name the repositories or give --tag, not both" if names else "no repository was named",
            hint="ecr-tui list shows them; --tag Team=Payments takes all with that tag.",
        )
    if names:
        return [workspace.repository(name) for name in names]
    found = _listed(workspace)
    if not found:
        wanted = ", ".join(f"{k}={v}" for k, v in workspace.settings.tags)
        raise InputError(f"no repository is tagged {wanted}", hint="Tag keys and values are case-sensitive.")
    return found


def _access(workspace: Workspace, rows: Sequence[Repository]) -> dict[str, Any]:
    """A's side of B's access for each ARN; empty where there is no account B to ask for."""
    from concurrent.futures import ThreadPoolExecutor

    if workspace.settings.profile_b is None:
        return {}
    try:
        principal = workspace.consumer().arn
    except EcrTuiError as error:
        click.echo(f"Account B's access is not shown: {error.text()}", err=True)
        return {}

    def one(repository: Repository) -> Any:
        try:
            return workspace.access(repository, principal)
        except EcrTuiError:
            return None

    with ThreadPoolExecutor(8) as pool:
        return {r.arn: found for r, found in zip(rows, pool.map(one, rows), strict=True) if found is not None}


def _grant_plans(workspace: Workspace, flags: dict[str, Any]) -> list[Plan]:
    from ecr_tui.config import parse_tags
    from ecr_tui.policy.actions import Access
    from ecr_tui.policy.change import Grant
    from ecr_tui.policy.document import PolicyDocument

    source: Path | None = flags["document"]
    if source is not None:
        if flags["principal"] or flags["conditions"]:
            raise InputError("--from brings its own principals and conditions", hint="Leave out --to and --if-tag.")
        incoming = PolicyDocument.parse(_read(source))
        return [workspace.plan_document(r, incoming) for r in _chosen(workspace, flags)]
    chosen = _chosen(workspace, flags)
    given = flags["principal"]
    principal = workspace.principal(given) if given else workspace.consumer_principal()
    wanted = Grant(principal, Access(flags["access"]), parse_tags(flags["conditions"], origin="--if-tag"))
    return [workspace.plan(r, wanted) for r in chosen]


def _read(source: Path) -> str:
    try:
        return sys.stdin.read() if str(source) == "-" else source.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {source}", detail=str(error)) from error


def _write(workspace: Workspace, plans: Sequence[Plan], *, yes: bool, as_json: bool) -> None:
    """Ask once for all, then write one by one. A failure stops there: what was written is told, and undoable."""
    from ecr_tui import present

    if not as_json:
        for item in plans:
            click.echo(present.plan_text(item))
    changing = [p for p in plans if p.changed]
    if changing and not yes:
        if as_json or not sys.stdin.isatty():
            raise InputError("nobody is here to confirm", hint="Add --yes to write without asking.")
        noun = "policy" if len(changing) == 1 else "policies"
        if not click.confirm(f"Write {len(changing)} {noun}?", default=False):
            raise click.Abort
    written: set[str] = set()
    try:
        for item in changing:
            outcome = workspace.apply(item)
            if outcome.written:
                written.add(item.repository.arn)
            if not as_json:
                click.echo(present.outcome_text(outcome))
    finally:
        if as_json:
            _print_json([p.to_json(written=p.repository.arn in written) for p in plans])
        elif len(written) < len(changing):
            click.echo(f"Written: {len(written)} of {len(changing)}.", err=True)


@contextlib.contextmanager
def _interruptible(cancel: threading.Event) -> Iterator[None]:
    """The first Ctrl-C cancels and lets the cleanup run; a second one stops at once."""
    import signal

    def stop(*_: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        click.echo("Cancelling; the probe image is being removed ...", err=True)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
