from __future__ import annotations

import pytest

from ecr_tui.changes import attempts
from ecr_tui.changes.attempts import Patience
from ecr_tui.errors import (
    ConflictError,
    CredentialsError,
    DeniedError,
    EcrTuiError,
    EnvironmentFailure,
    InputError,
    Throttled,
    UnknownPrincipal,
)


@pytest.fixture(autouse=True)
def no_pauses() -> None:
    """The pauses are what this is about."""


def waits(error: EcrTuiError) -> list[float]:
    """How long is waited before each further attempt that meets ``error``, until none is worth it."""
    waited: list[float] = []
    patience = Patience(waited.append)
    patience.turn()

    def without_end() -> None:
        while len(waited) < 50:
            patience.again(error)

    with pytest.raises(type(error)) as caught:
        without_end()
    assert caught.value is error
    return waited


@pytest.mark.parametrize("error", [Throttled("too fast"), EnvironmentFailure("no answer")])
def test_three_attempts_where_aws_was_busy_or_did_not_answer(error: EcrTuiError) -> None:
    assert waits(error) == [0.3, 1.0]


@pytest.mark.parametrize("error", [DeniedError("no"), InputError("bad"), CredentialsError("expired")])
def test_a_refusal_is_final(error: EcrTuiError) -> None:
    assert waits(error) == []


def test_a_conflict_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waits(ConflictError("changed")) == []


def test_a_principal_that_is_new_is_waited_for_within_bounds() -> None:
    assert waits(UnknownPrincipal("who?", patience=10)) == [1.0, 2.0, 4.0, 3.0]
    assert waits(UnknownPrincipal("who?")) == []


def test_after_a_timeout_the_user_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "LONGEST", -1.0)
    assert waits(EnvironmentFailure("timed out")) == []


def test_each_wait_is_told_with_its_reason() -> None:
    told: list[str] = []
    token = attempts.TOLD.set(told.append)
    try:
        waits(Throttled("too fast"))
        waits(UnknownPrincipal("who?", patience=1))
        waits(DeniedError("no"))
    finally:
        attempts.TOLD.reset(token)
    assert told == ["rate limited", "rate limited", "ECR does not know the principal yet"]
