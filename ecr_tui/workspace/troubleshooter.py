"""AWS's evaluation of a denial, requested as the denied side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from threading import Event

from ecr_tui.aws.model import Identity, Repository, Role
from ecr_tui.aws.sessions import AwsSession
from ecr_tui.aws.troubleshooter import ACTION, NotTold, details_of
from ecr_tui.diagnosis.denial import Denial, parse_denial
from ecr_tui.diagnosis.opinion import Keys, Opinion, opinion
from ecr_tui.diagnosis.troubleshooter import Details, region_of
from ecr_tui.diagnosis.unwrap import one_line
from ecr_tui.errors import Cancelled, DeniedError, EcrTuiError
from ecr_tui.policy.compiled import caller_of
from ecr_tui.policy.known import before_call
from ecr_tui.verification.ports import interruptible
from ecr_tui.workspace.accounts import Accounts


class Troubleshooter:
    """Thread-safe. Never raises an EcrTuiError: failures become the opinion's reason."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def ask(
        self,
        text: str,
        side: str,
        *,
        repository: Repository | None = None,
        consumer: AwsSession | None = None,
        cancel: Event,
    ) -> Opinion:
        """Opinion on the denial in an error's ``text`` with ``side`` from the diagnosis. ``repository``: of the
        diagnosis, with the tags used there. ``consumer``: of account B's session, by default the current one. Takes
        some seconds if AWS has no details yet."""
        denial = parse_denial(one_line(text))
        if denial is None or not denial.authorization_id:
            return Opinion("No authorization id in the error.")
        try:
            details = interruptible(lambda: self._details(denial, consumer, cancel), cancel)
        except Cancelled:
            return Opinion("Access Troubleshooter was not called: cancelled.")
        except NotTold as error:
            return Opinion(f"Access Troubleshooter: {error.title}.")
        except DeniedError as error:
            return Opinion(f"Access Troubleshooter did not answer: {error.side} needs {ACTION}.")
        except EcrTuiError as error:
            return Opinion(f"Access Troubleshooter did not answer: {error.title}.")
        return opinion(details, denial, side, _ours(denial, repository))

    def _details(self, denial: Denial, consumer: AwsSession | None, cancel: Event) -> Details:
        session, identity = self._denied(denial, consumer)
        region = region_of(denial.details_url) or _region_in(denial.resource) or session.region or ""
        return details_of(session, denial.authorization_id, region, identity.partition, cancel)

    def _denied(self, denial: Denial, consumer: AwsSession | None) -> tuple[AwsSession, Identity]:
        """The denied side. Raises NotTold if it is neither, and errors of identifying the sides."""
        account = caller_of(denial.user).account if denial.user else None
        if account is None:
            raise NotTold("the error does not name the denied principal")
        failure: EcrTuiError | None = None
        for session in self._sides(consumer):
            try:
                identity = session.identity()
            except EcrTuiError as error:
                failure = failure or error
                continue
            if identity.account == account:
                return session, identity
        raise failure or NotTold(f"the denied principal is in account {account}, which no profile here is in")

    def _sides(self, consumer: AwsSession | None) -> Iterator[AwsSession]:
        if consumer is not None or self._accounts.settings.consumer is not None:
            yield consumer or self._accounts.consumer_session()
        yield self._accounts.session(Role.OWNER)


def _ours(denial: Denial, repository: Repository | None) -> Keys:
    """The condition keys that are certain for a request on the repository."""
    if repository is None or denial.resource != repository.arn:
        return {}
    now = datetime.now(UTC)
    return before_call(denial.user, repository_arn=repository.arn, tags=repository.tags, now=now).keys


def _region_in(resource: str) -> str:
    parts: Sequence[str] = resource.split(":", 5)
    return parts[3] if len(parts) == 6 else ""
