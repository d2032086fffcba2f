"""Second opinions from IAM Access Analyzer. They never block a write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event as CancelEvent

from ecr_tui.access.second_opinion import SecondOpinion, compare
from ecr_tui.aws import access_analyzer
from ecr_tui.aws.access_analyzer import ACCOUNT, ACTIVE, Analyzer, Finding, OnWait, Preview
from ecr_tui.aws.model import Role, TemplatePlace
from ecr_tui.aws.parallel import each
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.changes.disagreements import Disagreements
from ecr_tui.changes.plans import Plan
from ecr_tui.errors import Cancelled, DeniedError, EcrTuiError, EnvironmentFailure, Throttled
from ecr_tui.policy.operators import Operator
from ecr_tui.workspace.accounts import Accounts

ASKED = 20
"""Maximum repositories of one command: an analyzer allows 1,000 previews per hour in the account."""
AT_ONCE = 4
_QUOTED = 200
"""Maximum characters of AWS's message."""


class SecondOpinions:
    """Thread-safe."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self.records = Disagreements(accounts.settings.state_folder / "disagreements.jsonl")

    def ask(self, plan: Plan, *, on_wait: OnWait = lambda _: None, cancel: CancelEvent | None = None) -> SecondOpinion:
        """Second opinion on the current policy and the plan's. Takes some seconds, and creates an access preview in
        account A unless in read-only mode. Disagreements are recorded. Raises only Cancelled."""
        repository = plan.repository
        if isinstance(repository, TemplatePlace):
            return _none("Access Analyzer previews repositories, not creation templates.")
        try:
            session = self._accounts.session(Role.OWNER)
            found = access_analyzer.analyzers(session, repository.region)
        except EcrTuiError as error:
            return _none(_reason(error, repository.region))
        active = [one for one in found if one.status == ACTIVE]
        analyzer = next((one for one in active if one.kind == ACCOUNT), active[0] if active else None)
        if analyzer is None:
            return _none(_missing(found, repository.region))
        opinion = self._opinion(session, analyzer, plan, on_wait, cancel)
        try:
            self.records.add(repository, opinion)
        except EcrTuiError as error:
            failed = f"The disagreement was not recorded: {error.title}."
            return replace(opinion, unavailable=(*opinion.unavailable, failed))
        return opinion

    def ask_all(
        self, plans: Sequence[Plan], *, on_progress: Callable[[int, int, str], None] = lambda *_: None
    ) -> list[SecondOpinion]:
        """Second opinions on the first :data:`ASKED` plans. ``on_progress``: (done, total, state), from several
        threads."""
        asked, done = plans[:ASKED], list[Plan]()

        def ask(plan: Plan) -> SecondOpinion | Exception:
            try:
                return self.ask(
                    plan, on_wait=lambda passed: on_progress(len(done), len(asked), f", waiting for {passed:.0f} s")
                )
            except Exception as fault:  # a dead thread would block the caller
                return fault
            finally:
                done.append(plan)

        found = []
        for one in each(ask, asked, workers=AT_ONCE):
            if isinstance(one, Exception):
                raise one
            found.append(one)
        left = len(plans) - len(asked)
        return found + [_none(f"Access Analyzer checks the first {ASKED} repositories only.")] * left

    def _opinion(
        self, session: AwsSession, analyzer: Analyzer, plan: Plan, on_wait: OnWait, cancel: CancelEvent | None
    ) -> SecondOpinion:
        repository, now = plan.repository, datetime.now(UTC)
        unavailable: list[str] = []
        existing: tuple[Finding, ...] | None = None
        preview: Preview | None = None
        try:
            existing = access_analyzer.findings(session, analyzer, repository)
        except EcrTuiError as error:
            unavailable.append(_reason(error, repository.region))
        if analyzer.kind != ACCOUNT:
            unavailable.append(f"No preview: {analyzer.name} is of type {analyzer.kind}. {_create(repository.region)}")
        elif reason := self._accounts.settings.read_only_reason:
            unavailable.append(f"No preview in read-only mode, because it creates one in account A ({reason}).")
        else:
            try:
                preview = access_analyzer.preview(
                    session, analyzer, repository, plan.after_text, on_wait=on_wait, cancel=cancel
                )
            except Cancelled:
                raise
            except EcrTuiError as error:
                unavailable.append(_reason(error, repository.region))
        return SecondOpinion(
            analyzer,
            preview,
            existing,
            None
            if preview is None
            else compare(plan.after, preview.findings, repository=repository, analyzer=analyzer, now=now),
            None
            if existing is None
            else compare(plan.before, existing, repository=repository, analyzer=analyzer, now=now),
            tuple(unavailable),
        )


def _none(why: str) -> SecondOpinion:
    return SecondOpinion(unavailable=(why,))


def _missing(found: Sequence[Analyzer], region: str) -> str:
    if found:
        return f"The analyzer {found[0].name} in {region} is {found[0].status}. See IAM's console, Access Analyzer."
    return f"No analyzer of external access in {region}. {_create(region)}"


def _create(region: str) -> str:
    return (
        f"Create one: aws accessanalyzer create-analyzer --analyzer-name external-access --type {ACCOUNT} "
        f"--region {region}"
    )


def _reason(error: EcrTuiError, region: str) -> str:
    """The missing permission or service, and the fix, on one line."""
    said = error.title if ":" in error.title.split()[0] else error.title[:1].upper() + error.title[1:]
    if isinstance(error, DeniedError):
        return f"{said}. Allow it: ecr-tui operator-policy {Operator.ANALYZER.value}"
    if isinstance(error, Throttled):
        return f"{said}. Retry later."
    if "service quota" in error.title:
        return f"{said}. An analyzer allows 1,000 previews per hour: retry later."
    if isinstance(error, EnvironmentFailure) and "host of" in error.title:
        return f"{said}. AWS may not offer Access Analyzer in {region}."
    if error.hint:
        return f"{said}. {error.hint}"
    words = error.detail.partition("\n")[0][:_QUOTED].rstrip(".")
    return f"{said}{f': {words}' if words else ''}. Retry, or see the call with --log-calls -"
