"""No path to a write is open where writing is refused: each command, each method, each key; and production asks.

What "nothing was written" means is counted at the sandbox's two doors: no AWS call and no registry request but reads.
"""

from __future__ import annotations

import ast
import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import CliRunner

from ecr_tui.changes.bulk import Intent
from ecr_tui.cli import cli
from ecr_tui.cli.asking import Asking
from ecr_tui.config import read, resolve
from ecr_tui.errors import EcrTuiError, InputError
from ecr_tui.policy.actions import Access
from ecr_tui.policy.change import Grant
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.workspace import Workspace
from ecr_tui.workspace.access import AccessReview
from ecr_tui.workspace.accounts import Accounts
from ecr_tui.workspace.changes import Changes
from ecr_tui.workspace.listing import Listing
from ecr_tui.workspace.verification import VerificationRuns

pytestmark = pytest.mark.thorough

REPOSITORY = "my-first-repo"
CONSUMER = "arn:aws:iam::222222222222:user/devusr2"
ACCOUNT = "111111111111"
READS = ("Get", "Describe", "List", "BatchGet", "BatchCheck")
PULLS = ("GET", "HEAD")


class Doors:
    """What came in that could change something."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.writes: list[str] = []
        sandbox.fault = self._aws
        sandbox.registry_fault = self._registry

    def _aws(self, call: Any) -> None:
        if not call.operation.startswith(READS):
            self.writes.append(call.operation)

    def _registry(self, account: str, request: Any) -> None:
        if request.method not in PULLS:
            self.writes.append(f"{request.method} {request.path}")


@pytest.fixture
def doors(sandbox: Sandbox) -> Iterator[Doors]:
    _history()
    yield Doors(sandbox)
    sandbox.fault = sandbox.registry_fault = None


def _history() -> None:
    """Something to undo, to redo, to resume and to clean up."""
    space = _space()
    first, other = space.listing.repository(REPOSITORY), _neighbour(space)
    space.changes.apply(space.changes.plan(first, Grant((CONSUMER,), Access.PULL, ())))
    space.changes.apply(space.changes.plan(other, Grant((CONSUMER,), Access.PULL, ())))
    space.changes.undo()
    targets = [(one.name, one.arn, one.region) for one in (first, other)]
    for intent in (Intent.to_grant(Grant((CONSUMER,), Access.PUSH_PULL, ())), Intent.to_revoke((CONSUMER,))):
        run = space.changes.journal.begin_run(intent.kind, ACCOUNT, "tests", intent.to_json(), targets)
        space.changes.journal.end_run(run, "stopped")
    space.verification.record.leave(space.verification.record.untagging(first, "Team", "Payments"), "killed")


def _neighbour(space: Workspace) -> Any:
    return space.listing.repository("search/indexer")


def _space(file: Path | None = None, **flags: Any) -> Workspace:
    flags = {"profile_a": "account-a", "profile_b": "dev-acc", **flags}
    return Workspace(resolve(flags, file=None if file is None else read(file)))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text('# mine\n[profiles."account-*"]\nread-only = true\n')
    return file


# -- the command line ------------------------------------------------------------------------------------------------

COMMANDS = {
    "grant": ("grant", REPOSITORY, "--to", CONSUMER, "--access", "push"),
    "grant many": ("grant", "--tag", "Team=Payments", "--to", CONSUMER),
    "grant --resume": ("grant", "--resume"),
    "revoke": ("revoke", REPOSITORY, "--to", CONSUMER),
    "revoke --resume": ("revoke", "--resume"),
    "repair": ("repair", "payments/reports"),
    "tag": ("tag", REPOSITORY, "--set", "Team=Web"),
    "undo": ("undo",),
    "undo ID": ("undo", "GRANT"),
    "redo": ("redo",),
    "redo ID": ("redo", "UNDONE"),
    "verify": ("verify", REPOSITORY, "--engine", "direct"),
    "verify --access push": ("verify", REPOSITORY, "--engine", "direct", "--access", "push"),
    "verify many": ("verify", "--tag", "Team=Payments", "--engine", "direct"),
    "verify --tag-switch": ("verify", REPOSITORY, "--engine", "direct", "--access", "pull", "--tag-switch"),
    "cleanup": ("cleanup",),
    "apply": ("apply", "FILE"),
}
GRANTS = f"""[[grants]]
repositories = ["{REPOSITORY}"]
to = ["{CONSUMER}"]
access = "push"
"""


def _arguments(name: str) -> list[str]:
    found = [*COMMANDS[name]]
    if found[-1] in ("GRANT", "UNDONE"):
        rows, undone = _space().changes.past_writes().rows, found[-1] == "UNDONE"
        found[-1] = next(
            row.id for row in rows if row.entry.record.kind == "grant" and (row.undone_by is not None) is undone
        )
    if found[-1] == "FILE":
        file = Path(os.environ["ECR_TUI_STATE_DIR"]) / "grants.toml"
        file.write_text(GRANTS)
        found[-1] = str(file)
    return [*found, "--profile-a", "account-a", "--profile-b", "dev-acc"]


def _run(*arguments: str, answers: str | None = None) -> tuple[EcrTuiError | None, Any]:
    """In this process: the error that ends it, if any, and click's result."""
    result = CliRunner().invoke(cli, list(arguments), input=answers)
    if result.exception is not None and not isinstance(result.exception, EcrTuiError | SystemExit):
        raise result.exception
    return (result.exception if isinstance(result.exception, EcrTuiError) else None), result


def test_every_command_that_writes_is_in_this_test() -> None:
    """Those that take --yes; a new one must be named here."""
    asking = {
        name for name, command in cli.all_commands().items() if any("--yes" in option.opts for option in command.params)
    }
    assert asking == {arguments[0] for arguments in COMMANDS.values()}


def test_no_command_writes_with_a_read_only_profile(doors: Doors, config: Path) -> None:
    wrong = {}
    for name in COMMANDS:
        error, _ = _run(*_arguments(name), "--yes", "--config", str(config))
        told = error is not None and (error.exit_code, error.title[:11]) == (2, "read-only: ")
        if not told or f"Profile account-a is read-only ({config}:3)." not in error.hint or doors.writes:
            wrong[name] = (error, [*doors.writes])
        doors.writes.clear()
    assert wrong == {}


def test_the_same_commands_do_write_otherwise(doors: Doors) -> None:
    """So that the test above can fail: each kind of write comes to the doors."""
    for name in ("undo", "redo", "cleanup", "verify"):
        doors.writes.clear()
        error, result = _run(*_arguments(name), "--yes")
        assert error is None, error
        assert doors.writes, (name, result.output)
    error, _ = _run(*_arguments("grant"), "--yes", "--read-only")
    assert error is not None
    assert error.hint == "Start without --read-only to write."


def test_what_only_reads_still_works(doors: Doors, config: Path) -> None:
    profiles = ("--profile-a", "account-a", "--profile-b", "dev-acc", "--config", str(config))
    for arguments in (("list",), ("plan", REPOSITORY, "--to", CONSUMER), ("audit",), ("history",)):
        error, result = _run(*arguments, *profiles)
        assert (error, result.exit_code) == (None, 0), arguments
    assert doors.writes == []


# -- the workspace ---------------------------------------------------------------------------------------------------

Write = Callable[[Workspace, Any], Any]
METHODS: dict[str, Write] = {
    "apply": lambda space, repository: space.changes.apply(
        space.changes.plan(repository, Grant((CONSUMER,), Access.PUSH, ()))
    ),
    "bulk": lambda space, repository: _bulk(space, repository),
    "apply_tags": lambda space, repository: space.changes.apply_tags(
        space.changes.plan_tags(repository, {"Team": "Web"})
    ),
    "undo": lambda space, repository: space.changes.undo(),
    "redo": lambda space, repository: space.changes.redo(),
    "run": lambda space, repository: space.verification.run(repository, on_event=lambda _: None, cancel=Event()),
    "run_many": lambda space, repository: space.verification.run_many([repository], cancel=Event()),
    "clean_leftovers": lambda space, repository: space.verification.clean_leftovers(),
}
NO_WRITES = {
    "callers", "consumer_principals", "organization", "sessions_of",
    "both_sides", "copies", "copies_of", "matrix", "proofs", "replication",
    "check_names", "desired", "forget_registry", "in_force", "plan_in_template", "template", "template_plan",
    "consumer_session", "forget", "fresh", "history", "is_current", "known", "latest", "registry_known", "remember",
    "since_grant", "store", "to_write",
    "former_names", "fresh_tags", "plan_repairs", "plan_tags", "plan_tags_back",
    "assumed", "audit", "busy", "cached_repositories", "close", "consumer", "consumer_principal",
    "expires_at", "identity_policies", "images", "leftovers", "live_text",
    "new_repositories", "owner", "past_writes", "plan", "plan_document", "plan_revoke", "policy_text", "preview",
    "principal", "profiles", "readers", "region_names", "regions", "registry_facts", "renew",
    "choose", "plan_edit", "principals", "repositories", "repository", "session", "use", "verdicts",
    "with_opinion", "workloads", "workloads_known",
}  # fmt: skip


def _bulk(space: Workspace, repository: Any) -> Any:
    bulk, grant = space.changes.bulk(), Grant((CONSUMER,), Access.PUSH, ())
    return bulk.run([space.changes.plan(repository, grant)], Intent.to_grant(grant))


def test_every_method_of_the_workspace_is_either_a_read_or_in_this_test() -> None:
    parts = (Workspace, Accounts, Listing, AccessReview, Changes, VerificationRuns)
    public = {name for part in parts for name, _ in inspect.getmembers(part, callable) if not name.startswith("_")}
    assert public - NO_WRITES == set(METHODS)


def test_no_method_writes_after_a_switch_to_a_read_only_profile(doors: Doors, config: Path) -> None:
    space = _space(config, profile_a="other")
    assert space.settings.read_only_reason == ""
    space.use(profile_a="account-a")
    repository = space.listing.repository(REPOSITORY)
    wrong = {}
    for name, write in METHODS.items():
        try:
            wrong[name] = write(space, repository)
        except InputError as error:
            if "read-only: " not in error.title or "account-a is read-only" not in error.hint or doors.writes:
                wrong[name] = (error, [*doors.writes])
    assert wrong == {}


def test_a_read_only_profile_b_pushes_nothing_and_lets_a_grant(doors: Doors, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[profiles.dev-acc]\nread-only = true\n")
    space = _space(file)
    repository = space.listing.repository(REPOSITORY)
    for name in ("run", "run_many"):
        with pytest.raises(InputError, match="read-only: a verification pushes"):
            METHODS[name](space, repository)
    assert doors.writes == []
    METHODS["apply"](space, repository)
    assert doors.writes == ["SetRepositoryPolicy"]


def test_only_the_settings_decide() -> None:
    """Their field ``read_only`` is one layer of several: whoever asks it alone forgets the profiles' rules."""
    root = Path(inspect.getfile(Workspace)).parents[1]
    asked = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in root.rglob("*.py")
        if path.parent.name != "config"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "read_only" and "settings" in ast.unparse(node.value)
    ]
    assert asked == []


# -- production ------------------------------------------------------------------------------------------------------

PRODUCTION = ("--production", "account-a")


@pytest.fixture
def production(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text('production = ["account-*"]\n')
    return file


def test_in_production_yes_alone_is_not_enough(doors: Doors, production: Path) -> None:
    wrong = {}
    for name in COMMANDS:
        arguments = [*_arguments(name), "--config", str(production)]
        for flags in ((), ("--yes",), PRODUCTION)[: 3 if name == "undo" else 2]:
            error, _ = _run(*arguments, *flags)
            if error is None or "is a production profile" not in error.title or doors.writes:
                wrong[name, flags] = (error, [*doors.writes])
            elif error.hint != "Add --yes --production account-a.":
                wrong[name, flags] = (error.hint, [])
    assert wrong == {}
    error, _ = _run(*_arguments("undo"), "--config", str(production), "--yes", "--production", "dev-acc")
    assert error is not None
    assert "--production dev-acc" in error.title
    assert doors.writes == []


def test_in_production_the_profiles_name_is_the_answer(
    doors: Doors, production: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [*_arguments("undo"), "--config", str(production)]
    monkeypatch.setattr(Asking, "_somebody", True)
    for answer in ("y\n", "\n", "Account-A\n"):
        _, result = _run(*arguments, answers=answer)
        assert (result.exit_code, "Aborted" in result.output) == (1, True)
    assert doors.writes == []
    error, result = _run(*arguments, answers="account-a\n")
    assert (error, result.exit_code) == (None, 0)
    assert "PRODUCTION: Profile account-a is a production profile" in result.output
    assert doors.writes
    doors.writes.clear()
    error, _ = _run(*_arguments("redo"), "--config", str(production), "--yes", *PRODUCTION)
    assert error is None
    assert doors.writes
    error, _ = _run(*_arguments("undo"), "--yes", *PRODUCTION)
    assert error is not None
    assert "is not the production profile in use" in error.title
