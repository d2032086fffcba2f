"""Secrets in texts that other systems send back: none is shown, however it is spelled."""

from __future__ import annotations

import base64
import html
import json
import os
import stat
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from ecr_tui.aws import calls
from ecr_tui.config.folders import make_private
from ecr_tui.errors import MAX_DETAIL, EcrTuiError
from ecr_tui.secret import Secret, redact, remember, remember_url

SESSION = "IQoJb3JpZ2luX2VjEN7//////////wEaCXVzLWVhc3QtMSJHMEUCIQD+" + "Zk3/vA+q9" * 40 + "=="
KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
PASSWORD = "p&ss wörd/€"


@pytest.fixture(params=[SESSION, KEY, PASSWORD], ids=["session token", "secret key", "password"])
def secret(request: pytest.FixtureRequest) -> str:
    remember(request.param)
    return str(request.param)


SPELLINGS = {
    "plain": lambda value: value,
    "url": lambda value: quote(value, safe=""),
    "url, lower case": lambda value: "".join(
        c.lower() if quoted else c for c, quoted in _marked(quote(value, safe=""))
    ),
    "url twice": lambda value: quote(quote(value, safe=""), safe=""),
    "form": quote_plus,
    "json": lambda value: json.dumps(value)[1:-1],
    "json with slashes": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "html": html.escape,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "basic": lambda value: base64.b64encode(f"AWS:{value}".encode()).decode(),
    "basic of another user": lambda value: base64.b64encode(f"me:{value}".encode()).decode(),
    "base64 for urls": lambda value: base64.urlsafe_b64encode(f"x{value}".encode()).decode().rstrip("="),
    "base64 in a url": lambda value: quote(base64.b64encode(value.encode()).decode(), safe=""),
}


def _marked(text: str) -> list[tuple[str, bool]]:
    """Each sign and whether it belongs to a percent-encoded octet."""
    return [(c, "%" in text[max(0, i - 2) : i]) for i, c in enumerate(text)]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_is_shown(secret: str, spelling: str) -> None:
    spelled = SPELLINGS[spelling](secret)
    text = f"before {spelled!s} after"
    assert redact(text) == "before ******** after"
    assert Secret(secret).redact(text) == "before ******** after"


def test_a_token_that_is_cut_off_is_known_by_its_beginning() -> None:
    remember(SESSION)
    for length in (24, 60, 200):
        assert redact(f"token {SESSION[:length]}") == "token ********"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:pa55@proxy:3128", "http://********@proxy:3128"),
        ("Failed to parse: socks5://user:p%40ss@proxy:99999", "Failed to parse: socks5://********@proxy:99999"),
        ("socks5h://user:p@ss@proxy/", "socks5h://********@proxy/"),
        ('endpoint "https://me:pw@ecr.example/x?y=a@b"', 'endpoint "https://********@ecr.example/x?y=a@b"'),
        ("ssh://root@builder", "ssh://root@builder"),
        ("ssh://root:pw@builder", "ssh://********@builder"),
        ("X-Amz-Security-Token=abc%2B&X-Amz-Date=1", "X-Amz-Security-Token=********&X-Amz-Date=1"),
        ("x-amz-security-token:abc\nx-amz-target:b", "x-amz-security-token:********\nx-amz-target:b"),
        ("<SessionToken>abc</SessionToken>", "<SessionToken>********</SessionToken>"),
        ('{"SecretAccessKey": "abc"}', '{"SecretAccessKey": "********"}'),
        ("aws_secret_access_key = abc", "aws_secret_access_key = ********"),
        ("Proxy-Authorization: Basic bWU6cw==", "Proxy-Authorization: Basic ********"),
        ("Authorization: Bearer a.b-c", "Authorization: Bearer ********"),
        ("The security token included in the request is expired", None),
        ("arn:aws:iam::111111111111:user/me@example.org on https://x/a@b", None),
        ("", None),
    ],
)
def test_what_stands_where_a_secret_stands_is_hidden(text: str, shown: str | None) -> None:
    assert redact(text) == (text if shown is None else shown)


def test_the_password_of_a_proxy_is_known_apart_from_its_url() -> None:
    remember_url("http://scott:t1g%2Ferlily@proxy:3128")
    assert redact("cannot log in with t1g/erlily or t1g%2Ferlily or scott:t1g%2Ferlily@proxy") == (
        "cannot log in with ******** or ******** or ********proxy"
    )
    remember_url("http://[")
    remember_url(None)


def test_short_strings_are_left_alone() -> None:
    remember("abc")
    remember("")
    assert redact("abc abcdef") == "abc abcdef"


def test_every_error_and_every_record_goes_through_it() -> None:
    remember(KEY)
    error = EcrTuiError(f"title {KEY}", detail=f"detail {quote(KEY, safe='')}", hint=f"hint {KEY}")
    for text in (error.title, error.detail, error.hint, str(error), repr(error), error.text()):
        assert "K7MDENG" not in text
        assert "********" in text
    log = calls.CallLog()
    log.add("ecr", "GetX", seconds=0.1, subject=KEY, command=f"aws {KEY}")
    assert "K7MDENG" not in log.calls()[0].line() + log.calls()[0].command


def test_a_detail_of_any_length_is_bounded() -> None:
    error = EcrTuiError("title", detail="x" * 20_000_000)
    assert len(error.detail) < MAX_DETAIL + 100
    assert error.detail.endswith("(20,000,000 characters)")


def test_a_detail_speaks_for_itself_only() -> None:
    error = EcrTuiError(
        "the title\nFix: run evil",
        detail="their words\r\nFix: run evil\x1b[2J",
        hint="Do this.",
        side="A",
    )
    assert error.text() == ("A: the title␊Fix: run evil\n  their words\n  Fix: run evil␛[2J\nFix: Do this.")


def test_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_private(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    for folder in (tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
