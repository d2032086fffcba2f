"""The small parts: clipboard, keys, words, jobs, style sheets."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.geometry import Offset
from textual.selection import Selection

from ecr_tui.errors import InputError
from ecr_tui.policy.ours import tag_words
from ecr_tui.ui import jobs, text
from ecr_tui.ui.choice import Choice, condition_choices, parse_condition
from ecr_tui.ui.clipboard import Clipboard
from ecr_tui.ui.keys import CATALOGUE, GROUPS, MAIN, TABLE, bindings
from ecr_tui.ui.resources import style_sheets
from ecr_tui.ui.text import status
from ecr_tui.ui.text.preview import condition_text, principal_words
from ecr_tui.ui.widgets.words import Hanging, hang
from tests.ui.fake_workspace import repository

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


LEAVING = """
import sys, threading, time
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.ui.fake_workspace import FakeWorkspace
from ecr_tui.ui.app import EcrTuiApp
workspace = FakeWorkspace(Path({folder!r}))
stuck = threading.Event()
workspace.policy_text = lambda repo: stuck.wait(60)      # an endpoint that never answers
workspace.images = lambda repo: stuck.wait(60)
workspace.verify = lambda repo, **options: stuck.wait(60)

async def drive(pilot):
    while not all(reader._threads for reader in workspace.listing.readers()):
        await pilot.pause(0.01)
    await pilot.press("v")
    await pilot.press("q")
    workspace.left = time.monotonic()

EcrTuiApp(workspace).run(headless=True, auto_pilot=drive)
assert time.monotonic() - workspace.left < 5, "it waited"
print("left")
"""


def test_the_program_ends_although_calls_are_stuck(tmp_path, pytestconfig) -> None:
    code = LEAVING.format(root=str(pytestconfig.rootpath), folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=40)
    assert "left" in done.stdout, done.stdout + done.stderr


CRASH = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.ui.fake_workspace import FakeWorkspace
from ecr_tui.ui.app import EcrTuiApp
workspace = FakeWorkspace(Path({folder!r}))

def bug(*args):
    password = "TOP" + "SECRET"
    token = {{"password": password}}
    raise RuntimeError("a fault in the interface")

async def drive(pilot):
    await pilot.pause()
    {how}
    await pilot.pause(0.1)
    await pilot.pause(0.1)

app = EcrTuiApp(workspace)
app.run(headless=True, auto_pilot=drive)
raise SystemExit(app.return_code)
"""


@pytest.mark.parametrize(
    "how",
    ["pilot.app.call_later(bug)", "pilot.app.run_worker(bug, thread=True)", "pilot.app.main.set_timer(0.01, bug)"],
)
def test_a_crash_prints_no_values(tmp_path, pytestconfig, how: str) -> None:
    code = CRASH.format(root=str(pytestconfig.rootpath), folder=str(tmp_path), how=how)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    output = done.stdout + done.stderr
    assert "a fault in the interface" in output
    assert "TOPSECRET" not in output
    assert done.returncode == 1


# -- jobs ------------------------------------------------------------------------------------------------------------


def test_a_bug_keeps_its_stack_and_loses_its_values() -> None:
    def bug() -> None:
        password = "TOP" + "SECRET"
        raise RuntimeError("x" if password else "")

    with pytest.raises(RuntimeError) as caught:
        bug()
    error = jobs.as_error(caught.value)
    assert "in bug" in error.detail
    assert "TOPSECRET" not in error.text()


# -- wrapping --------------------------------------------------------------------------------------------------------

WRAPPED = {
    "  v     Verify: log in, push, pull it": ["  v     Verify: log in,", "        push, pull it"],
    '+       "Sid": "EcrTuiPushPull"': ['+       "Sid":', '        "EcrTuiPushPull"'],
    "    ! ecr:Put is not an ECR action": ["    ! ecr:Put is not an", "      ECR action"],
    "A sentence begins at the left": ["A sentence begins at the", "left"],
    "far behind the middle   it is": ["far behind the middle   ", "it is"],
}


@pytest.mark.parametrize("line", WRAPPED)
def test_a_wrapped_line_goes_on_below_its_text(line: str) -> None:
    found = hang(Content.styled(line, "bold"), 24)
    assert [one.rstrip() for one in found.content.plain.split("\n")] == [one.rstrip() for one in WRAPPED[line]]
    assert all(one.cell_length <= 24 for one in found.content.split("\n"))


class Page(App[None]):
    def compose(self) -> ComposeResult:
        yield Hanging(Content("  where  a place that is far away\nnext"), id="page")


async def test_what_is_marked_is_copied_as_it_was_before_it_was_wrapped() -> None:
    app = Page()
    async with app.run_test(size=(20, 6)):
        page = app.query_one("#page", Hanging)
        assert page.size.height == 4
        marked = Selection(Offset(9, 1), Offset(4, 3))  # from the second line of the wrapped one into the last
        assert page.get_selection(marked) == ("that is far away\nnext", "\n")


def test_a_region_that_failed_is_not_called_unknown_as_well() -> None:
    table = SimpleNamespace(rows=[], model=SimpleNamespace(result=None), shown=0, filter="", marks=0)
    listing = SimpleNamespace(stale=False, failures={}, tags=(), one_by_one=False, accounts={})
    assert status.left(listing, table, (), NOW).plain == "region unknown · 0 repositories"
    listing.failures["eu-central-1"] = InputError("no")
    assert status.left(listing, table, (), NOW).plain == "✗ not read: eu-central-1 · 0 repositories"


# -- clipboard -------------------------------------------------------------------------------------------------------


class Terminal:
    def __init__(self) -> None:
        self.sent: list[str] = []

    def copy_to_clipboard(self, text: str) -> None:
        self.sent.append(text)


async def test_locally_the_systems_clipboard_is_used_and_named() -> None:
    terminal, copied = Terminal(), []
    result = await Clipboard({}, lambda t: copied.append(t) or "xclip").copy(terminal, "x")
    assert (copied, terminal.sent) == (["x"], [])
    assert result.how == "to the clipboard (xclip)"


@pytest.mark.parametrize("name", ["SSH_CONNECTION", "SSH_TTY"])
async def test_over_ssh_only_the_terminal_is_asked(name: str) -> None:
    terminal, copied = Terminal(), []
    result = await Clipboard({name: "1"}, lambda t: copied.append(t) or "xclip").copy(terminal, "x")
    assert (copied, terminal.sent) == ([], ["x"])
    assert "OSC 52" in result.how
    assert result.sentence("it") == "Sent it to the terminal (OSC 52), unconfirmed."


@pytest.mark.parametrize("error", [FileNotFoundError("clip.exe"), RuntimeError("no clipboard mechanism")])
async def test_without_a_clipboard_program_the_terminal_is_asked(error: Exception) -> None:
    def broken(text: str) -> str:
        raise error

    terminal = Terminal()
    result = await Clipboard({}, broken).copy(terminal, "x")
    assert terminal.sent == ["x"]
    assert "OSC 52" in result.how


async def test_a_clipboard_program_that_hangs_is_left_behind(monkeypatch) -> None:
    stuck = threading.Event()
    monkeypatch.setattr(Clipboard, "TIMEOUT", 0.05)
    terminal = Terminal()
    way = lambda t: stuck.wait(20) and "x"  # noqa: E731
    result = await Clipboard({"TMUX": "/tmp/tmux,1,0"}, way, tmux=way).copy(terminal, "x")
    assert terminal.sent == ["x"]
    said = result.sentence("the ARN")
    assert said == "Sent the ARN to the terminal (OSC 52), unconfirmed."
    stuck.set()


@pytest.mark.parametrize("environ", [{}, {"SSH_TTY": "/dev/pts/1"}])
async def test_in_tmux_its_buffer_comes_before_the_terminal(environ: dict[str, str]) -> None:
    terminal, copied = Terminal(), []

    def system(text: str) -> str:
        raise FileNotFoundError("xclip")

    clipboard = Clipboard({"TMUX": "/tmp/tmux,1,0", **environ}, system, tmux=lambda text: copied.append(text) or "tmux")
    result = await clipboard.copy(terminal, "x" * 200_000)  # of any length
    assert (len(copied), terminal.sent) == (1, [])
    assert result.sentence("the ARN") == "Copied the ARN to the tmux buffer: prefix ] pastes it."


@pytest.mark.parametrize(
    ("environ", "text", "why"),
    [
        ({"SSH_TTY": "1"}, "é" * 40_000, "40,000 characters are too many"),
        ({"SSH_TTY": "1", "TERM": "linux"}, "x", "the console has no clipboard"),
        ({"SSH_TTY": "1", "TERM_PROGRAM": "Apple_Terminal"}, "x", "this terminal does not support OSC 52"),
    ],
)
async def test_what_the_terminal_cannot_take_is_written_to_a_file_of_ones_own(
    tmp_path: Path, environ: dict[str, str], text: str, why: str
) -> None:
    terminal, file = Terminal(), tmp_path / "state" / "copied.txt"
    clipboard = Clipboard(environ, lambda t: "x", file=lambda: file)
    file.parent.mkdir()
    (tmp_path / "elsewhere").write_text("kept")
    file.symlink_to(tmp_path / "elsewhere")
    result = await clipboard.copy(terminal, text)
    assert terminal.sent == []
    assert file.read_text(encoding="utf-8") == text
    assert (tmp_path / "elsewhere").read_text() == "kept"
    assert file.stat().st_mode & 0o777 == 0o600
    assert result.sentence("the report") == f"Written the report to {file}: {result.how.partition(': ')[2]}."
    assert why in result.how


async def test_where_nothing_takes_it_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    clipboard = Clipboard({"SSH_TTY": "1", "TERM": "linux"}, file=lambda: tmp_path / "file" / "copied.txt")
    result = await clipboard.copy(Terminal(), "x")
    assert result.failed
    assert result.sentence("it").startswith("Could not copy it anywhere: the console has no clipboard, and ")


# -- keys ------------------------------------------------------------------------------------------------------------


def test_every_key_is_described_once() -> None:
    ids = [key.id for key in CATALOGUE]
    assert len(ids) == len(set(ids))
    bound = [part for key in MAIN + TABLE for part in key.keys.split(",")]
    assert len(bound) == len(set(bound))
    for key in CATALOGUE:
        assert key.label
        assert key.tooltip
        assert key.shown
        assert key.group in GROUPS
        assert "[" not in key.label + key.tooltip  # the palette reads them as markup


def test_every_binding_has_an_id_for_the_keymap() -> None:
    assert all(binding.id and binding.description and binding.tooltip for binding in bindings(*MAIN))


def test_every_write_is_gated() -> None:
    assert {key.id for key in CATALOGUE if key.writes} == {
        "change.edit",
        "change.grant",
        "change.revoke",
        "change.repair",
        "change.undo",
        "change.tags",
        "prove.verify",
        "prove.many",
    }


# -- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("passed", "words"),
    [(30, "now"), (120, "2m ago"), (7200, "2h ago"), (86400 * 3, "3d ago"), (86400 * 60, "2026-09-25")],
)
def test_ago(passed: int, words: str) -> None:
    assert text.ago(NOW - timedelta(seconds=passed), NOW) == words
    assert text.ago(None, NOW) == "–"


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (-5, "expired"),
        (20, "expires in 20 s"),
        (600, "expires in 10 min"),
        (11520, "expires in 3 h 12 min"),
        (86400 * 5, "expires in 5 days"),
    ],
)
def test_time_left(left: int, words: str) -> None:
    assert text.left(NOW + timedelta(seconds=left), NOW) == words
    assert text.left(None, NOW) == ""


@pytest.mark.parametrize(
    ("number", "words"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1432, "1.4 kB"), (3_200_000, "3.2 MB"), (5e12, "5000.0 GB")],
)
def test_size(number: int | None, words: str) -> None:
    assert text.size(number) == words


@pytest.mark.parametrize(("value", "words"), [(None, ""), (0.123, "0.12 s"), (12.34, "12.3 s"), (125, "2 min 05 s")])
def test_seconds(value: float | None, words: str) -> None:
    assert text.seconds(value) == words


def test_conditions_in_words_and_back() -> None:
    tags = parse_condition(" Team=Payments , Env = a=b ")
    assert tags == (("Team", "Payments"), ("Env", "a=b"))
    assert tag_words(tags) == "Team=Payments and Env=a=b"
    assert tag_words((("E", "1"), ("E", "2"))) == "E=1 or 2"
    assert parse_condition("  ") == ()
    for bad in ("Team", "=x", "T" * 129 + "=x", "a=${b}", "a=1,a=2"):
        with pytest.raises(InputError):
            parse_condition(bad)


def test_what_the_condition_can_be() -> None:
    repo = repository("r", {"B": "2", "A": "1"})
    assert condition_choices(repo, (("T", "x"),), (("C", "y"),)) == [
        (), (("A", "1"),), (("B", "2"),), (("T", "x"),), (("C", "y"),)
    ]  # fmt: skip
    assert condition_choices(None, (), ()) == [()]


def test_the_condition_is_the_repositorys_own_scope_tag_until_one_is_chosen() -> None:
    tagged, bare = repository("r", {"Team": "Payments", "Env": "prod"}), repository("r", {"Env": "prod"})
    choice = Choice(("arn:aws:iam::222222222222:user/x",), scope="Team")
    assert choice.grant((), tagged).tags == (("Team", "Payments"),)  # type: ignore[union-attr]
    assert (choice.grant((), bare).tags, choice.lacks(bare)) == ((), "no Team tag")  # type: ignore[union-attr]
    assert choice.lacks(tagged) == ""
    chosen = choice._replace(condition=())
    assert (chosen.grant((), tagged).tags, chosen.lacks(bare)) == ((), "")  # type: ignore[union-attr]
    assert Choice().grant((), tagged) is None


def test_a_condition_of_any_operator_in_words() -> None:
    condition = {"StringLike": {"aws:ResourceTag/T": ["a", "b"]}, "StringEquals": {"k": "v"}, "Bool": True}
    assert condition_text(condition) == "aws:ResourceTag/T StringLike a or b and k = v and  Bool True"
    assert condition_text(None) == ""


def test_a_principal_of_b_is_named_short_and_any_other_in_full() -> None:
    assert principal_words(["arn:aws:iam::222222222222:user/x"], "222222222222") == "user x in B"
    assert principal_words(["arn:aws:iam::333333333333:user/x"], "222222222222") == "user x in 333333333333"
    assert principal_words(["arn:aws:iam::222222222222:root"], "222222222222") == "account 222222222222"


def test_style_sheets_are_found_and_a_missing_one_is_said() -> None:
    assert style_sheets("app.tcss")[0].is_absolute()
    with pytest.raises(FileNotFoundError, match="install it again"):
        style_sheets("none.tcss")
