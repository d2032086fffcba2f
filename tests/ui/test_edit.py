"""Editing a policy in the user's editor, the AWS console's page, and the pager."""

from __future__ import annotations

import contextlib
import json
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecr_tui.config import Settings
from ecr_tui.ui.tasks import console
from tests.ui.conftest import running
from tests.ui.fake_workspace import LAMBDA, PUBLIC, REGION, A, FakeWorkspace, repository

OTHER = LAMBDA.replace("LambdaECRImageRetrievalPolicy", "Renamed")
BROKEN = LAMBDA.replace("{", "", 1)


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """An editor that saves these texts one after the other, and notes what it was given."""
    seen = tmp_path / "seen"

    @contextlib.contextmanager
    def suspend(self: Any) -> Iterator[None]:
        yield

    monkeypatch.setattr("ecr_tui.ui.app.EcrTuiApp.suspend", suspend)

    def saves(*texts: str, code: int = 0) -> Path:
        folder = tmp_path / "texts"
        folder.mkdir()
        for number, text in enumerate(texts):
            (folder / str(number)).write_text(text)
        script = tmp_path / "editor"
        script.write_text(
            f'#!/bin/sh\ncat "$1" >> {seen}\nnext=$(ls {folder} | head -1)\n'
            f'[ -z "$next" ] || mv "{folder}/$next" "$1"\nexit {code}\n'
        )
        script.chmod(0o755)
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", str(script))
        return seen

    return saves


@pytest.fixture
def workspace(tmp_path: Path) -> FakeWorkspace:
    return FakeWorkspace(tmp_path, policies={"web-frontend": LAMBDA})


async def test_what_is_saved_is_shown_and_written_after_a_yes(workspace: FakeWorkspace, editor: Any) -> None:
    seen = editor(PUBLIC)
    async with running(workspace) as ui:
        await ui.select("web-frontend")
        await ui.press("ctrl+e")
        await ui.see("Write the policy of web-frontend?", A, REGION, "It opens the repository to everyone on AWS")
        await ui.see('-       "Sid": "LambdaECRImageRetrievalPolicy"', '+       "Sid": "Everyone"')
        assert json.loads(seen.read_text()) == json.loads(LAMBDA)
        assert workspace.writes == []
        await ui.press("right", "right", "enter")
        await ui.wait(lambda: workspace.writes)
        ((name, text),) = workspace.writes
        assert (name, json.loads(text)) == ("web-frontend", json.loads(PUBLIC))
        await ui.wait(lambda: "Policy written" in ui.told() + ui.text())
        await ui.press("u")
        await ui.wait(lambda: workspace.policies[workspace.by_name("web-frontend").arn] == LAMBDA)


async def test_an_error_can_be_corrected_and_the_edit_taken_up_again(workspace: FakeWorkspace, editor: Any) -> None:
    seen = editor(BROKEN, OTHER, PUBLIC)
    async with running(workspace) as ui:
        await ui.select("web-frontend")
        await ui.press("ctrl+e")
        await ui.see("Edit again", "Discard")
        await ui.press("enter")
        await ui.see("Write the policy of web-frontend?", '"Sid": "Renamed"')
        assert seen.read_text().endswith(BROKEN), "the draft is kept"
        await ui.press("right", "enter")
        await ui.see('"Sid": "Everyone"')
        assert seen.read_text().endswith(OTHER)
        await ui.press("escape")
        await ui.wait(lambda: "No changes made." in ui.toasts())
        assert workspace.writes == []


@pytest.mark.parametrize(
    ("texts", "code", "words"),
    [
        ((), 0, "No changes made."),
        (("",), 0, "No changes made."),
        ((PUBLIC,), 1, "The editor exited with an error. Nothing was written."),
        ((json.dumps(json.loads(LAMBDA)),), 0, "No changes made."),
    ],
)
async def test_nothing_is_written_where_nothing_was_saved(
    workspace: FakeWorkspace, editor: Any, texts: tuple[str, ...], code: int, words: str
) -> None:
    editor(*texts, code=code)
    async with running(workspace) as ui:
        await ui.select("web-frontend")
        await ui.press("ctrl+e")
        await ui.wait(lambda: words in ui.toasts())
        assert (ui.dialog, workspace.writes) == ("", [])


async def test_a_policy_that_changed_meanwhile_is_not_overwritten(workspace: FakeWorkspace, editor: Any) -> None:
    editor(PUBLIC)
    async with running(workspace) as ui:
        await ui.select("web-frontend")
        await ui.press("ctrl+e")
        await ui.see("Write the policy of web-frontend?")
        repository = workspace.by_name("web-frontend")
        workspace.policies[repository.arn] = theirs = PUBLIC.replace("Everyone", "Theirs").replace('"*"', '{"AWS":"3"}')
        await ui.press("right", "right", "enter")
        await ui.wait(lambda: "changed" in ui.text() and "nothing was written" in ui.text())
        assert workspace.policies[repository.arn] == theirs


async def test_without_an_editor_it_says_so_and_read_only_opens_none(
    tmp_path: Path, workspace: FakeWorkspace, editor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    async with running(workspace) as ui:
        await ui.select("web-frontend")
        await ui.press("ctrl+e")
        await ui.see("$VISUAL or $EDITOR is not set")
    seen = editor(PUBLIC)
    settings = Settings(profile_a="account-a", profile_b="dev-acc", read_only=True)
    async with running(FakeWorkspace(tmp_path / "read-only", settings=settings)) as ui:
        await ui.press("ctrl+e")
        await ui.wait(lambda: "Read-only" in ui.toasts())
        assert not seen.exists()


# -- the console ----------------------------------------------------------------------------------------------------


async def test_o_opens_the_consoles_page_or_copies_its_address(
    workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"https://{REGION}.console.aws.amazon.com/ecr/repositories/private/{A}/web-frontend?region={REGION}"
    opened: list[str] = []

    def browser(answer: bool) -> Callable[[str], bool]:
        return lambda url: opened.append(url) is None and answer

    async with running(workspace) as ui:
        await ui.select("web-frontend")
        monkeypatch.setattr(console, "opened", browser(True))
        await ui.press("o")
        await ui.wait(lambda: f"Sign in there to account {A}" in ui.toasts() and opened == [url])
        assert ui.copied == []
        monkeypatch.setattr(console, "opened", browser(False))
        await ui.press("o")
        await ui.wait(lambda: ui.copied == [url])


def test_a_browser_of_the_terminal_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    class Graphical:
        def open(self, url: str) -> bool:
            tried.append(url)
            return True

    monkeypatch.setattr("webbrowser.get", Graphical)
    monkeypatch.setattr("sys.platform", "linux")
    assert not console.opened("x", {"DISPLAY": ":0", "SSH_CONNECTION": "1"})
    assert not console.opened("x", {})
    assert tried == []
    assert console.opened("x", {"WAYLAND_DISPLAY": "wayland-0"})
    assert tried == ["x"]

    monkeypatch.setattr("webbrowser.get", lambda: webbrowser.GenericBrowser("w3m"))
    assert not console.opened("x", {"DISPLAY": ":0"})


# -- the pager, the description, the columns, the engine ------------------------------------------------------------


async def test_what_has_the_focus_opens_in_the_pager(
    workspace: FakeWorkspace, editor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor()
    script, seen = tmp_path / "pager", tmp_path / "paged"
    script.write_text(f"#!/bin/sh\ncat > {seen}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PAGER", str(script))
    async with running(workspace) as ui:
        await ui.select("web-frontend")
        await ui.press("vertical_line")
        await ui.wait(lambda: seen.exists() and "URI         111111111111.dkr.ecr" in seen.read_text())
        ui.main.preview.turn_to("json")
        await ui.press("2")
        await ui.wait(lambda: ui.main.area.current == "preview")
        await ui.press("vertical_line")
        await ui.wait(lambda: "LambdaECRImageRetrievalPolicy" in seen.read_text())
        await ui.press("1", "d")
        await ui.see("| pager")
        await ui.press("vertical_line")
        await ui.wait(lambda: seen.read_text().startswith("web-frontend\n\nName        web-frontend\n"))
        await ui.press("escape")
        monkeypatch.setenv("PATH", "")
        monkeypatch.delenv("PAGER")
        await ui.press("vertical_line")
        await ui.wait(lambda: "$PAGER is not set and less and more are not on the PATH" in ui.toasts())


async def test_d_tells_all_of_a_repository_with_its_tags_in_full(tmp_path: Path) -> None:
    long = {f"aws:cloudformation:stack-{number}": "x" * 80 for number in range(3)}
    async with running(FakeWorkspace(tmp_path, [repository("app", long)])) as ui:
        await ui.press("d")
        await ui.see("Tags", "aws:cloudformation:stack-2=xxx", "ARN", "Last pull", "Verified", "mutable")
        await ui.press("y")
        await ui.wait(lambda: ui.copied and all(f"{key}={value}" in ui.copied[0] for key, value in long.items()))


async def test_columns_are_chosen_for_the_session(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.see("Findings", "Image tags")
        assert "Last pull" not in ui.text(), "no room"
        await ui.press("C")
        await ui.see("Columns", "✓ Tags", "– Region")
        await ui.press("a", "space")  # all but the first, the tags
        await ui.see("– Tags", "✓ Region")
        await ui.press("y")
        await ui.wait(lambda: ui.copied and ui.copied[-1].startswith('columns = ["access"'))
        await ui.press("escape")
        assert workspace.settings.columns == ()
        await ui.press("C")
        await ui.see("Columns")
        for _ in range(5):
            await ui.press("space", "down")
        await ui.press("enter")
        await ui.see("Last pull")
        assert workspace.settings.columns == ("images", "pushed", "pulled")
        assert "Findings" not in next(line for line in ui.text().splitlines() if "Last pull" in line)
        await ui.press("D")
        await ui.wait(lambda: "does not show that column" in ui.toasts())
        await ui.press("O")
        await ui.see("Last pull ▼")


async def test_the_column_that_is_sorted_by_is_never_left_out(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.press("O")
        await ui.see("Last pull ▼")


async def test_columns_of_the_configuration(tmp_path: Path) -> None:
    settings = Settings(profile_a="account-a", profile_b="dev-acc", columns=("verified", "tags"))
    async with running(FakeWorkspace(tmp_path, settings=settings)) as ui:
        header = next(line for line in ui.text().splitlines() if "Verified" in line)
        assert header.index("Repository") < header.index("Verified") < header.index("Tags")
        assert "Access" not in header


async def test_the_engine_is_switched_in_the_palette_and_named_in_the_pane(workspace: FakeWorkspace) -> None:
    async with running(workspace) as ui:
        await ui.see("engine auto")
        await ui.press("colon")
        await ui.type("engine")
        await ui.see("Verify: engine…")
        await ui.press("enter")
        await ui.see("Verification engine", "direct  · registry protocol")
        await ui.press("end", "enter")
        await ui.see("engine direct")
        assert workspace.settings.engine == "direct"
        await ui.press("v")
        await ui.see("Docker Engine 27.3.1")
        assert workspace.engines == ["direct"]
