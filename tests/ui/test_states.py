"""States can be told apart by their text alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ecr_tui.render import matrix
from ecr_tui.ui.text import audit, journal, preview, verification
from ecr_tui.ui.text.preview import diff_lines
from tests.ui.conftest import running
from tests.ui.fake_workspace import FakeWorkspace

STATES: dict[str, Sequence[str]] = {
    "stages": [f"{sign} {word}" for sign, word, _ in verification.WORDS.values()],
    "severities of an audit": [f"{sign} {word}" for sign, word, _ in audit.SEVERITIES.values()],
    "access in an audit": [f"{sign} {word}" for sign, word, _ in audit.VERDICTS.values()],
    "access in the matrix": list(matrix.SIGNS.values()),
    "severities of findings": [words for words, _ in preview.SEVERITY.values()],
    "writes": [f"{sign} {state}" for state, sign in journal.SIGNS.items()],
    "lines of a diff": [line.plain for line in diff_lines([("+", "same"), ("-", "same"), (" ", "same")])],
}


@pytest.mark.parametrize("what", STATES)
def test_no_two_states_have_the_same_text(what: str) -> None:
    assert len(set(STATES[what])) == len(STATES[what]) > 1


async def test_the_cursor_of_a_list_of_options_is_a_sign(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("b")
        await ui.see("› user devusr2")
        await ui.press("down")
        await ui.see("› account 222222222222")
        assert "› user devusr2" not in ui.text()
