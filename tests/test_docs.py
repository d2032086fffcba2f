"""README and docs/ tell the truth: commands parse, options, files and headings exist, generated parts are current."""

from __future__ import annotations

import contextlib
import itertools
import re
import shlex
from pathlib import Path

import click

from tools.docs import PARTS, renewed, without_parts

ROOT = Path(__file__).resolve().parent.parent
PAGES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
WRITTEN = {path: without_parts(text) for path, text in PAGES.items()}
"""Without what ``make docs`` writes: the tests of ``--help`` hold that to the program."""


def section(title: str) -> str:
    """With the sections below it. A title is looked up on all pages, and is on one of them."""
    (text,) = (text for text in WRITTEN.values() if re.search(rf"^##+ {re.escape(title)}$", text, re.MULTILINE))
    found = re.search(rf"^(##+) {re.escape(title)}\n(.*)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return re.split(rf"^##{{1,{len(found[1]) - 1}}} ", found[2], maxsplit=1, flags=re.MULTILINE)[0]


def table(text: str) -> list[tuple[str, ...]]:
    """The cells of the rows below the header."""
    rows = [line.strip().strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in row) for row in rows[2:]]


def test_what_is_made_from_the_code_is_current() -> None:
    assert [path.name for path, text in PAGES.items() if renewed(text) != text] == [], "make docs"
    text = "".join(PAGES.values())
    assert [part for part in PARTS if f"<!-- {part}: written by make docs -->" not in text] == []


def test_a_text_of_every_failure_is_shown_and_known_by_it() -> None:
    from ecr_tui.diagnosis.catalogue import CATALOGUE
    from ecr_tui.diagnosis.diagnose import diagnose

    assert [(row.id, text) for row in CATALOGUE for text in row.seen if diagnose(text).pattern != row.id] == []
    assert [row.id for row in CATALOGUE if not row.seen] == []


def test_the_example_of_a_policy_test_is_right() -> None:
    from ecr_tui.policy.simulate import simulate

    (text,) = re.findall(r"^```json\n(.*?)^```", section("Policy tests"), re.MULTILINE | re.DOTALL)
    assert [(result.response, result.matches) for result in simulate(text)] == [("Allowed", True)]


def test_the_levels_of_the_operators_policy_are_told() -> None:
    from ecr_tui.policy.operators import Operator

    assert {row[0].strip("`") for row in table(section("Levels"))} == set(Operator)


def shell_blocks(title: str = "") -> list[str]:
    """Below a title, or all of them."""
    text = section(title) if title else "\n".join(WRITTEN.values())
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def shell_lines(title: str = "") -> list[str]:
    return [line for block in shell_blocks(title) for line in block.splitlines()]


def words(line: str) -> list[str]:
    return shlex.split(line, comments=True)


def quoted() -> list[str]:
    """Code in running text."""
    text = re.sub(r"^```.*?^```", "", "\n".join(WRITTEN.values()), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`]+)`", text)


def ecr_tui_commands() -> list[list[str]]:
    """The arguments of every `ecr-tui` in shell examples, up to a pipe or a redirection, and in running text.

    There, a name alone speaks of the command; its arguments may be missing.
    """
    found = []
    for line in shell_lines():
        parts = words(line)
        if "ecr-tui" in parts:
            rest = parts[parts.index("ecr-tui") + 1 :]
            found.append(list(itertools.takewhile(lambda part: part not in ("|", ">"), rest)))
    return [*found, *(words(text)[1:] for text in quoted() if re.match(r"ecr-tui (-|\S+ )", text))]


def test_every_command_parses() -> None:
    """By click itself, as far as calling it: unknown options, commands, choices and missing arguments fail here."""
    from ecr_tui.cli import cli

    wrong = []
    for arguments in ecr_tui_commands():
        name = arguments[0] if arguments else ""
        try:
            with contextlib.suppress(click.exceptions.Exit):  # --version and --help are done with that
                if name.startswith("-") or not name:
                    cli.make_context("ecr-tui", list(arguments))
                else:
                    cli.all_commands()[name].make_context(name, arguments[1:], parent=click.Context(cli))
        except (click.ClickException, KeyError) as error:
            wrong.append((" ".join(arguments), str(error)))
    assert wrong == []


def test_every_screen_has_a_command_with_the_same_facts() -> None:
    from ecr_tui.ui.keys import MAIN
    from tests.ui.tour import dialogs

    rows = {screen: (key.strip("`"), command) for screen, key, command in table(section("Screens as commands"))}
    assert [row for row in rows.items() if not re.match(r"`ecr-tui .*--json", row[1][1])] == []
    assert {key for key, _ in rows.values()} <= {key for one in MAIN for key in one.shown.split()}
    titles = {
        "AccountsScreen": "Accounts",
        "AuditScreen": "Audit",
        "BulkPlanScreen": "Run",
        "BulkRunScreen": "Run",
        "CallsScreen": "Session log",
        "ColumnsScreen": "Columns",
        "DriftScreen": "Drift",
        "HelpScreen": "Help",
        "JournalScreen": "Journal",
        "ManyScreen": "Verification of marked ones",
        "MatrixScreen": "Matrix",
        "TagsScreen": "Tags",
    }
    general = {"AskScreen", "ChooseScreen", "ConfirmScreen", "ErrorScreen", "ReadingScreen", "TextScreen"}
    assert titles.keys() == dialogs() - general
    assert set(titles.values()) <= rows.keys()


def test_every_command_named_in_running_text_exists() -> None:
    from ecr_tui.cli import cli

    named = {found[1] for text in quoted() if (found := re.fullmatch(r"ecr-tui ([a-z][a-z-]*)", text))}
    assert named
    assert named - set(cli.list_commands(click.Context(cli))) == set()


def test_the_examples_cover_every_command() -> None:
    from ecr_tui.cli import cli

    shown = {arguments[0] for arguments in ecr_tui_commands()}
    assert set(cli.list_commands(click.Context(cli))) - shown == set()


def test_every_option_in_running_text_exists() -> None:
    from ecr_tui.cli import cli

    known = {"--help"}
    for command in (cli, *cli.all_commands().values()):
        known.update(option for parameter in command.params for option in parameter.opts)
    ours = [text for text in quoted() if not text.startswith(("aws ", "curl ", "docker "))]
    named = {word for text in ours for word in text.split() if word.startswith("--")}
    assert named
    assert named - known == set()


def test_the_table_of_documents_names_every_schema() -> None:
    from ecr_tui.cli.schemas import NAMES, schema_of

    rows = table(section("JSON documents"))
    assert sorted(name for row in rows for name in re.findall(r"`([^`]+)`", row[0])) == sorted(NAMES)
    for names, told in rows:
        name = re.findall(r"`([^`]+)`", names)[0]
        schema = str(schema_of(name))
        wrong = [word for word in re.findall(r"`([a-z_]+)`", told) if f"'{word}'" not in schema and word not in NAMES]
        assert wrong == [], name


def test_the_variables_are_those_that_are_read() -> None:
    from ecr_tui.config import VARIABLES
    from ecr_tui.config.file import VARIABLE

    known = {VARIABLE, *(name for names in VARIABLES.values() for name in names)}
    assert set(re.findall(r"ECR_TUI_[A-Z_]+", "\n".join(WRITTEN.values()))) - known == set()


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {words(line)[1] for line in shell_lines() if line.startswith("make ")}
    assert named
    assert named - targets == set()


def anchors(text: str) -> set[str]:
    """Of the headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r"[^a-z0-9 _-]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^#+ (.*)", text, re.M)}


def test_links_lead_to_files_and_headings() -> None:
    wrong = []
    for page, text in PAGES.items():
        for link in re.findall(r"\]\(([^)]+)\)", text):
            if re.match(r"https?://", link):
                continue
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            if not target.exists() or (anchor and anchor not in anchors(PAGES[target])):
                wrong.append((page.name, link))
    assert wrong == []


def test_every_page_is_linked_from_readme() -> None:
    linked = {(ROOT / link).resolve() for link in re.findall(r"\]\(([^)#:]+)", PAGES[ROOT / "README.md"])}
    assert [page.name for page in PAGES if page not in linked] == ["README.md"]


def test_every_file_that_is_named_exists() -> None:
    """A path begins with a folder of the checkout, or with a room."""
    folders = {folder.name: root for root in (ROOT / "ecr_tui", ROOT) for folder in root.iterdir() if folder.is_dir()}
    named = {text for text in quoted() if re.fullmatch(r"[a-z_.]+/[\w./-]*", text)}
    ours = {text: folders[text.partition("/")[0]] / text for text in named if text.partition("/")[0] in folders}
    assert len(ours) > 30
    assert [text for text, path in ours.items() if not path.exists()] == []


def test_the_architecture_names_every_room() -> None:
    text = PAGES[ROOT / "docs" / "architecture.md"]
    listed = re.findall(r"^    (  )?([a-z_*]+(?:/|\.py)) ", text, re.MULTILINE)
    top = [ROOT / name for inner, name in listed if not inner]
    rooms = [path for inner, name in listed if inner for path in ROOT.glob(f"ecr_tui/{name.rstrip('/')}")]
    assert [path.name for path in top if not path.exists()] == []
    assert len(rooms) == len(set(rooms))
    there = {path for path in (ROOT / "ecr_tui").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {path.name for path in rooms} == {path.name for path in there} - {"__init__.py"}


def test_the_pictures_shown_are_those_that_are_taken() -> None:
    from tools.screenshots import FOLDER, NAMES

    shown = [
        (page.parent / link).resolve()
        for page, text in PAGES.items()
        for link in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    ]
    assert sorted(shown) == sorted(FOLDER / f"{name}.svg" for name in NAMES)
    assert sorted(shown) == sorted(FOLDER.iterdir())
