"""External programs: which one is started, what it gets, what is left behind."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, SuspendNotSupported

from ecr_tui.errors import EnvironmentFailure
from ecr_tui.ui import terminal


def test_the_first_variable_that_is_set_is_taken_with_its_arguments() -> None:
    assert terminal.program_of(terminal.EDITOR, environ={"VISUAL": "code --wait", "EDITOR": "vi"}) == ["code", "--wait"]
    assert terminal.program_of(terminal.EDITOR, environ={"VISUAL": " ", "EDITOR": "'/opt/my vim' -n"}) == [
        "/opt/my vim",
        "-n",
    ]


def test_without_one_it_says_so() -> None:
    with pytest.raises(EnvironmentFailure, match=r"\$VISUAL or \$EDITOR is not set") as caught:
        terminal.program_of(terminal.EDITOR, environ={})
    assert "export EDITOR=vim" in caught.value.hint
    with pytest.raises(EnvironmentFailure, match="is not a command line"):
        terminal.program_of(terminal.EDITOR, environ={"EDITOR": "vi 'x"})


def test_a_pager_has_fallbacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "more", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert terminal.program_of(terminal.PAGER, terminal.PAGERS, environ={}) == ["more"]
    (tmp_path / "more").unlink()
    with pytest.raises(EnvironmentFailure, match=r"\$PAGER is not set and less and more are not on the PATH"):
        terminal.program_of(terminal.PAGER, terminal.PAGERS, environ={})


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


class Suspended(App[None]):
    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        yield


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(body: str) -> None:
        monkeypatch.setenv("VISUAL", f"'{script(tmp_path / 'my editor', body)}' --flag")

    return use


def test_the_editors_text_comes_back_and_its_file_goes(tmp_path: Path, editor: Any) -> None:
    seen = tmp_path / "seen"
    editor(f'test "$1" = --flag && ls -ld "$2" "${{2%/*}}" > {seen} && cat "$2" >> {seen} && echo new > "$2"')
    assert terminal.edit(Suspended(), "old", "app.json") == "new\n"
    folder, file, text = seen.read_text().splitlines()
    assert (file[:10], folder[:10], text) == ("-rw-------", "drwx------", "old")
    assert not Path(folder.split()[-1]).exists()
    assert file.endswith("/app.json")


def test_an_editor_that_fails_gives_nothing(editor: Any) -> None:
    editor('echo new > "$2"; exit 1')
    assert terminal.edit(Suspended(), "old", "app.json") is None
    editor('rm "$2"')
    with pytest.raises(EnvironmentFailure, match="cannot be used"):
        terminal.edit(Suspended(), "old", "app.json")
    editor("printf '\\377' > \"$2\"")
    with pytest.raises(EnvironmentFailure, match="cannot be used"):
        terminal.edit(Suspended(), "old", "app.json")


def test_a_terminal_that_cannot_be_handed_over(editor: Any) -> None:
    class Fixed(App[None]):
        def suspend(self) -> Iterator[None]:  # type: ignore[override]
            raise SuspendNotSupported

    editor("exit 0")
    with pytest.raises(EnvironmentFailure, match="cannot be handed over"):
        terminal.edit(Fixed(), "old", "app.json")


def test_a_pager_reads_the_text_without_control_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    monkeypatch.setenv("PAGER", f"{script(tmp_path / 'pager', f'cat > {seen}')}")
    terminal.page(Suspended(), "one\nesc\x1b[31m two")
    assert seen.read_text() == "one\nesc␛[31m two"
    script(tmp_path / "pager", "exit 0")
    terminal.page(Suspended(), "long\n" * 100_000)


def test_the_file_is_private_whatever_the_umask(tmp_path: Path, editor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept"
    editor(f'cp -p "$2" {kept}')
    terminal.edit(Suspended(), "old", "app.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
