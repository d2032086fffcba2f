"""Messages with fields."""

from __future__ import annotations

import pytest
from textual.message import Message

from ecr_tui.ui.messages import CopyWanted, Listed
from ecr_tui.ui.said import Said


class Moved(Said):
    row: int
    why: str = ""


class MovedFar(Moved):
    how_far: int = 1


def test_fields_are_given_by_place_or_name_and_have_defaults() -> None:
    moved = MovedFar(3, how_far=9)
    assert (moved.row, moved.why, moved.how_far) == (3, "", 9)
    assert isinstance(moved, Message)
    assert MovedFar(1).how_far == 1
    assert CopyWanted("text", "the ARN").more == ""
    assert Listed(1, []).error is None


@pytest.mark.parametrize(("given", "named"), [((), {}), ((1, "", 2, 3), {}), ((1,), {"row": 2}), ((1,), {"ro": 2})])
def test_what_does_not_fit_the_fields_is_refused(given: tuple[object, ...], named: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="MovedFar"):
        MovedFar(*given, **named)


def test_two_messages_are_two() -> None:
    assert Moved(1) != Moved(1)
