"""Isolation check on repositories where account B must be denied. Changes nothing in a repository.

Three requests as B for each: an image and a layer that do not exist (through the registry), and completing an upload
that does not exist (through the API, which checks permission before existence). "Not found" means that B has access.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial

from ecr_tui.aws.model import Repository
from ecr_tui.errors import Cancelled, EcrTuiError, EnvironmentFailure
from ecr_tui.registry.engine import Credentials
from ecr_tui.verification.ports import Parties
from ecr_tui.verification.report import Isolation, IsolationStatus, Stage, StageName, Status, worst

ALL = 25
"""Maximum repositories of "all": each costs three requests."""

PUSHING = "ecr:CompleteLayerUpload"

Wanted = str | Repository | Sequence[Repository]
"""Repositories, or "auto" (one that was not granted), "all" (up to :data:`ALL` of these) or "none"."""


class IsolationCheck:
    """For one verified repository."""

    def __init__(self, parties: Parties) -> None:
        self._parties = parties
        self._repository = parties.repository

    def run(self, wanted: Wanted, principal: str, credentials: Credentials) -> tuple[Isolation, ...]:
        """One result for each repository, in order; one without a name if there is none to check.

        Raises EcrTuiError only if no repository could be selected.
        """
        neighbours = self._choose(wanted, principal)
        if not neighbours:
            why = (
                "no repository without a grant to account B in this region"
                if isinstance(wanted, str)
                else "the isolation check needs another repository"
            )
            return (Isolation(None, IsolationStatus.SKIPPED, why),)
        found: list[Isolation] = []
        tokens = {self._repository.region: credentials}
        hopeless: EnvironmentFailure | None = None
        for neighbour in neighbours:
            if self._parties.cancel.is_set():
                found.append(Isolation(neighbour.name, IsolationStatus.SKIPPED, f"{neighbour.name}: cancelled"))
                continue
            if hopeless is not None:
                message = f"{neighbour.name} was not checked: {hopeless.title}"
                found.append(Isolation(neighbour.name, IsolationStatus.FAILED, message))
                continue
            try:
                found.append(self._ask(neighbour, tokens))
            except Cancelled:
                found.append(Isolation(neighbour.name, IsolationStatus.SKIPPED, f"{neighbour.name}: cancelled"))
            except EcrTuiError as error:
                found.append(Isolation(neighbour.name, IsolationStatus.FAILED, f"{neighbour.name}: {error.title}"))
                # Without network or token the others would fail the same way, each after its timeouts.
                hopeless = error if isinstance(error, EnvironmentFailure) else None
        return tuple(found)

    def _choose(self, wanted: Wanted, principal: str) -> list[Repository]:
        if isinstance(wanted, str):
            limit = ALL if wanted == "all" else 1
            return self._parties.ask(lambda: self._parties.owner.ungranted(self._repository, principal, limit))
        asked = [wanted] if isinstance(wanted, Repository) else wanted
        return [one for one in asked if one.arn != self._repository.arn]

    def _ask(self, neighbour: Repository, tokens: dict[str, Credentials]) -> Isolation:
        if neighbour.region not in tokens:
            token = self._parties.ask(lambda: self._parties.consumer.token(neighbour.region))
            tokens[neighbour.region] = Credentials(token.username, token.password)
        answers = dict(
            self._parties.registry_check.check(
                neighbour.host, neighbour.name, tokens[neighbour.region], self._parties.cancel
            )
        )
        answers.setdefault(PUSHING, "unknown")
        allowed = []
        for action, answer in sorted(answers.items()):
            if answer == "unknown":
                denial = self._parties.ask(partial(self._parties.consumer.probe, neighbour, action))
                answer = "denied" if denial else "allowed"
            if answer == "allowed":
                allowed.append(action)
        if not allowed:
            return Isolation(neighbour.name, IsolationStatus.DENIED, f"denied on {neighbour.name}, as expected")
        return Isolation(
            neighbour.name,
            IsolationStatus.LEAKED,
            f"account B is ALLOWED {', '.join(allowed)} on {neighbour.name}, which was not granted",
            tuple(allowed),
            f"aws ecr get-repository-policy --region {neighbour.region} --repository-name "
            f"{shlex.quote(neighbour.name)}   # as account A; look for '*' and account B",
        )


def isolation_stage(found: Sequence[Isolation], seconds: float) -> Stage:
    """The combined result of all checks."""
    first = worst(found)
    status = first.status if first else IsolationStatus.SKIPPED
    chosen = [one for one in found if one.status is status]
    if status is IsolationStatus.LEAKED:
        return Stage(
            StageName.ISOLATION,
            Status.FAILED,
            "; ".join(one.message for one in chosen),
            seconds,
            action=chosen[0].actions[0] if chosen[0].actions else "",
            side="account A",
            cause="Another statement, the registry policy or a wildcard principal allows account B.",
            fix=chosen[0].fix,
        )
    if status is IsolationStatus.FAILED:
        return Stage(
            StageName.ISOLATION,
            Status.FAILED,
            chosen[0].message + (f" (and {len(chosen) - 1} more)" if len(chosen) > 1 else ""),
            seconds,
            cause="A check that did not run proves nothing.",
        )
    if status is IsolationStatus.SKIPPED:
        return Stage(StageName.ISOLATION, Status.SKIPPED, chosen[0].message if chosen else "not reached")
    names = [one.repository or "" for one in chosen]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return Stage(StageName.ISOLATION, Status.OK, f"denied on {shown}, as expected", seconds)
