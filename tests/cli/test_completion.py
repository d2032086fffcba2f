"""Completing a command line: what is offered, from local files alone, in words that a shell takes for nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ecr_tui.aws.model import Repository
from ecr_tui.changes.entries import Record
from ecr_tui.changes.journal import Journal
from ecr_tui.cli import cli
from ecr_tui.cli.completing import FOLDED_FROM, VARIABLE
from ecr_tui.cli.shells import CLASSES, typed
from ecr_tui.listing.cache import ListingCache, profile_key
from tests.support.cli import ecr_tui
from tests.support.forking import run
from tests.support.terminal import Terminal

REGION, ACCOUNT = "eu-central-1", "111111111111"
BREAKS = " \t\n\"'@><=;|&(:"
"""Bash's own."""
HOSTILE = "$(touch pwned)`x`;"
NAMES = ["my-first-repo", "search/api", "search/indexer"]
TAGS = {"Team": "Payments", "Cost Center": "a b", "Hostile": HOSTILE, "Raw": "a\x1b[31mb", "Comma": "a,b"}


def keep(names: list[str], tags: dict[str, str] | None = None) -> ListingCache:
    """A listing of profile account-a, as an earlier run left it."""
    cache = ListingCache()
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/"
    assert not cache.store(ACCOUNT, REGION, [Repository(n, arn + n, n, REGION, ACCOUNT, tags or {}) for n in names])
    cache.remember(profile_key("account-a"), ACCOUNT, [REGION])
    return cache


@pytest.fixture(autouse=True)
def known(isolated_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files of AWS, a listing and a journal."""
    monkeypatch.setenv("ECR_TUI_CACHE_DIR", str(isolated_environment / "cache"))
    monkeypatch.setenv("ECR_TUI_PROFILE_A", "account-a")
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(
        "# [profile not-this]\n[default]\nregion = us-east-1\n[profile account-a]\nregion=eu-central-1\n"
        '[profile "with blank"]\nregion_set = no\n[sso-session corp]\nregion = xx-sso-1\n[profile "torn]\n'
    )
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text("[dev-acc]\naws_access_key_id = x\n[account-a]\n")
    config = isolated_environment / "consumers.toml"
    config.write_text("".join(f'[[consumers]]\nname = "{one}"\nprofile = "dev-acc"\n' for one in ("bill", "pay")))
    monkeypatch.setenv("ECR_TUI_CONFIG", str(config))
    keep(NAMES, TAGS)
    journal = Journal()
    for principal in ("arn:aws:iam::222222222222:user/devusr2", "arn:aws:iam::222222222222:root"):
        record = Record("grant", "my-first-repo", "arn:r", REGION, ACCOUNT, principal, before_text="x" * 2000)
        journal.finish(journal.begin(record), "written")
    return isolated_environment


def offered(line: str, shell: str = "bash", breaks: str = BREAKS) -> list[str]:
    """By the real protocol of a shell, without the shell."""
    told = {"COMP_LINE": line, "COMP_WORDBREAKS": breaks}
    if shell != "bash":
        words = line.split(" ")
        current = words[-1] if shell == "fish" else str(len(words) - 1)
        told = {"COMP_WORDS": line.removesuffix(" "), "COMP_CWORD": current}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        return CLASSES[shell](cli, {}, "ecr-tui", VARIABLE).complete().splitlines()


def values(line: str, **more: str) -> list[str]:
    return [entry.partition("\t")[2] for entry in offered(line, **more)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ecr-tui gr", ["grant"]),
        ("ecr-tui --profile-a ", ["account-a", "default", "dev-acc", r"with\ blank"]),
        ("ecr-tui plan --profile-b d", ["default", "dev-acc"]),
        ("ecr-tui grant --consumer ", ["bill", "pay"]),
        ("ecr-tui verify --consumer p", ["pay"]),
        ("ecr-tui list --region ", [REGION, "us-east-1"]),
        ("ecr-tui plan s", ["search/api", "search/indexer"]),
        ("ecr-tui plan search/api search/", ["search/indexer"]),
        ("ecr-tui verify my-first-repo --isolation s", ["search/api", "search/indexer"]),
        ("ecr-tui verify --isolation a", ["auto", "all"]),
        ("ecr-tui history --repository my", ["my-first-repo"]),
        ("ecr-tui history --account ", [ACCOUNT]),
        ("ecr-tui list --tag T", ["Team="]),
        ("ecr-tui list --tag Team=P", ["Payments"]),
        ("ecr-tui list --tag=Team=P", ["Payments"]),
        ("ecr-tui grant --if-tag Cost", [r"Cost\ Center="]),
        (r"ecr-tui list --tag Cost\ Center=", [r"a\ b"]),
        ('ecr-tui list --tag "Cost Center=', ["Cost Center=a b"]),
        ("ecr-tui list --tag 'Cost ", ["Cost Center="]),
        ("ecr-tui list --tag Hostile=", [r"\$\(touch\ pwned\)\`x\`\;"]),
        ('ecr-tui list --tag "Hostile=', [r"Hostile=\$(touch pwned)\`x\`;"]),
        ("ecr-tui list --tag Raw=", []),
        ("ecr-tui list --tag Nothing=", []),
        ("ecr-tui grant --to ", ["user/devusr2"]),
        ("ecr-tui grant --to 2", ["222222222222"]),
        ("ecr-tui grant --to arn:aws:iam::222222222222:u", ["user/devusr2"]),
        ("ecr-tui grant --access pu", ["push-pull", "pull", "push"]),
        ("ecr-tui verify --engine d", ["docker", "direct"]),
        ("ecr-tui schema verify-", ["verify-report", "verify-history"]),
        ("ecr-tui completion ", ["bash", "zsh", "fish"]),
        ("ecr-tui list --profile-a dev-acc --tag ", []),
        ("ecr-tui --profile-a dev-acc plan ", []),
    ],
)
def test_what_bash_is_told(line: str, expected: list[str]) -> None:
    assert values(line) == expected


def test_the_whole_word_is_told_where_bash_does_not_split_it() -> None:
    assert values("ecr-tui list --tag=Team=P", breaks=" ") == ["--tag=Team=Payments"]
    assert values("ecr-tui grant --to arn:", breaks=" ")[1] == "arn:aws:iam::222222222222:user/devusr2"


def test_only_a_beginning_gets_no_blank() -> None:
    assert offered("ecr-tui list --tag Te") == ["open\tTeam="]
    assert offered("ecr-tui list --tag Team=P") == ["plain\tPayments"]
    assert offered("ecr-tui --log-calls x") == ["file\t"]


def test_writes_are_told_with_what_they_were() -> None:
    ids = [entry.id for entry in reversed(Journal().read().entries)]
    assert values("ecr-tui undo ") == ids
    told = offered("ecr-tui undo ", "zsh")
    assert told[1] == ids[0]
    assert told[2].startswith("grant my-first-repo 20")


def test_the_other_shells_are_told_whole_words() -> None:
    assert offered("ecr-tui list --tag=Te", "zsh") == ["plain", "--tag=Team=", "_"]
    assert offered("ecr-tui list --tag Comma=", "fish") == ["plain,Comma=a,b"]
    assert offered("ecr-tui verify --isolation al", "fish") == ["plain,all\tup to 25 repositories without a grant"]


def test_the_scripts_differ_from_clicks_where_they_must() -> None:
    assert "-S ''" in ecr_tui("completion", "zsh").out
    assert "split -m 1" in ecr_tui("completion", "fish").out
    assert "COMP_LINE" in ecr_tui("completion", "bash").out


def test_very_many_names_are_offered_like_folders() -> None:
    keep([f"team-{n % 3}/app-{n:03}" for n in range(FOLDED_FROM * 4)] + ["alone"])
    assert values("ecr-tui plan ") == ["team-0/", "team-1/", "team-2/", "alone"]
    assert values("ecr-tui plan team-1/app-39") == ["team-1/app-391", "team-1/app-394", "team-1/app-397"]


def test_tags_that_look_like_the_listing_itself() -> None:
    hostile = {"Odd": 'x],["', "Set": '{"a":1}],["b","M', "Team": "Pay"}
    keep(["one", "two"], hostile)
    assert ListingCache().tags(ACCOUNT, [REGION]) == {key: {value} for key, value in hostile.items()}
    assert ListingCache().names(ACCOUNT, [REGION]) == ["one", "two"]
    assert values("ecr-tui plan t") == ["two"]
    assert values("ecr-tui list --tag Te") == ["Team="]


def test_the_environments_and_the_commands_own_region_and_profile_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert values("ecr-tui --region us-east-1 plan ") == []
    monkeypatch.delenv("ECR_TUI_PROFILE_A")
    assert values("ecr-tui plan ") == []
    assert values("ecr-tui plan --profile-a account-a ") == NAMES


@pytest.mark.parametrize("damage", ["cache", "profiles", "journal", "config", "environment"])
def test_trouble_offers_nothing_and_says_nothing(damage: str, known: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "ecr-tui plan "
    if damage == "cache":
        path = ListingCache().path(ACCOUNT, REGION)
        path.write_text(path.read_text()[:-30])
    elif damage == "profiles":
        (known / "cache" / "profiles.json").write_text("[]")
    elif damage == "journal":
        line = "ecr-tui undo "
        (known / "state" / "journal.jsonl").write_bytes(b'{"event": "begin"}\n\xff\xfe"begin"\n[1, "begin"]\n')
    elif damage == "config":
        line = "ecr-tui --profile-a "
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            Path(os.environ[name]).unlink()
            Path(os.environ[name]).mkdir()
    else:
        monkeypatch.setenv("ECR_TUI_REGIONS", "not a region!")
    asked = {**os.environ, VARIABLE: "bash_complete", "COMP_LINE": line, "COMP_WORDBREAKS": BREAKS}
    done = run([], environment=asked)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


@pytest.mark.parametrize("instruction", ["bash_complete", "zsh_complete", "nonsense", ""])
def test_a_question_that_is_none_is_not_answered(instruction: str) -> None:
    done = run([], environment={**os.environ, VARIABLE: instruction})
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_it_loads_neither_aws_nor_the_interface() -> None:
    code = (
        "import sys, atexit; sys.argv = ['ecr-tui']\n"
        "atexit.register(lambda: print(sorted({'boto3', 'botocore', 'textual', 'docker'} & set(sys.modules))))\n"
        "from ecr_tui.cli import main; main()"
    )
    for line in ("ecr-tui plan my", "ecr-tui grant --to u"):
        asked = {**os.environ, VARIABLE: "bash_complete", "COMP_LINE": line, "COMP_WORDBREAKS": BREAKS}
        done = subprocess.run([sys.executable, "-c", code], env=asked, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[1:] == ["[]"], done


@pytest.mark.parametrize(
    ("line", "words", "quote"),
    [
        ("a b", ["a", "b"], ""),
        ("a ", ["a", ""], ""),
        ("a 'b c", ["a", "b c"], "'"),
        (r"a b\ c", ["a", "b c"], ""),
        ('a x="b', ["a", "x=b"], '"'),
        (r"""a '' "\"" '\'""", ["a", "", '"', "\\"], ""),
    ],
)
def test_a_line_is_taken_apart_as_bash_does(line: str, words: list[str], quote: str) -> None:
    found = typed(line)
    assert (found.words, found.quote) == (words, quote)


@pytest.fixture
def program(tmp_path: Path) -> dict[str, str]:
    """An environment in which ecr-tui is a program."""
    file = tmp_path / "bin" / "ecr-tui"
    file.parent.mkdir()
    file.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ecr_tui "$@"\n')
    file.chmod(0o755)
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PATH": f"{file.parent}:{os.environ['PATH']}", "PYTHONPATH": root}


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_in_bash(program: dict[str, str], tmp_path: Path) -> None:
    bash = ["bash", "--norc", "--noprofile", "-i"]
    terminal = Terminal(bash, {**program, "PS1": "$ ", "INPUTRC": os.devnull}, tmp_path)
    try:
        terminal.send('eval "$(ecr-tui completion bash)"; clear; echo re""ady\n')
        terminal.see("ready")
        terminal.send("ecr-tui list --tag Te\t")
        terminal.see("ecr-tui list --tag Team=")
        terminal.send("P\t")
        terminal.see("--tag Team=Payments")
        terminal.send("--region e\t")
        terminal.see(f"--tag Team=Payments --region {REGION}")
        terminal.send("--tag Ho\t")
        terminal.see("--tag Hostile=")
        terminal.send("\t")
        terminal.see(r"\$\(touch")
        # What was typed for the user means itself.
        terminal.send("\x01printf '<%s>\\n' \x05\n")
        terminal.see(f"<Hostile={HOSTILE}>")
        assert not (tmp_path / "pwned").exists()
    finally:
        terminal.close()


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish")
def test_in_fish(program: dict[str, str]) -> None:
    script = ecr_tui("completion", "fish").out
    for line, expected in (("list --tag Comma=", "Comma=a,b"), ("list --tag=Te", "--tag=Team=")):
        code = f"{script}\ncomplete -C 'ecr-tui {line}'"
        done = subprocess.run(["fish", "--no-config", "-c", code], env=program, capture_output=True, text=True)
        assert done.stdout.splitlines() == [expected], done


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh")
def test_in_zsh(program: dict[str, str], tmp_path: Path) -> None:
    terminal = Terminal(["zsh", "-f", "-i"], {**program, "PS1": "% "}, tmp_path)
    try:
        terminal.send("autoload -U compinit; compinit -u -D; eval \"$(ecr-tui completion zsh)\"; clear; echo re''ady\n")
        terminal.see("ready")
        terminal.send("ecr-tui list --tag=Te\t")
        terminal.see("ecr-tui list --tag=Team=")
        terminal.send("P\t--region e\t")
        terminal.see(f"--tag=Team=Payments --region {REGION}")
    finally:
        terminal.close()
