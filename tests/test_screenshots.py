"""The script behind ``make screenshots`` takes a picture of the real app on the real sandbox."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parent.parent
_TAKE = "import sys; from pathlib import Path; from tools.screenshots import take; take(['main'], Path(sys.argv[1]))"


def words(picture: Path) -> str:
    root = ElementTree.parse(picture).getroot()
    return " ".join("".join(node.itertext()).replace("\xa0", " ") for node in root.iter() if node.tag.endswith("text"))


def test_one_picture(tmp_path: Path) -> None:
    """In a process of its own, as make starts it, and in an environment that must not show."""
    environment = {**os.environ, "ECR_TUI_PROFILE_A": "somebody", "AWS_PROFILE": "somebody", "NO_COLOR": "1"}
    subprocess.run([sys.executable, "-c", _TAKE, str(tmp_path)], cwd=ROOT, env=environment, check=True, timeout=150)
    (picture,) = tmp_path.iterdir()
    assert picture.name == "main.svg"
    text = words(picture)
    for shown in ("account-a", "user devusr2", "my-first-repo", "payments/ledger", "creates the policy", "2025-09-08"):
        assert shown in text, text
    assert "somebody" not in text


def test_nothing_of_one_run_is_in_the_pictures() -> None:
    for picture in (ROOT / "screenshots").iterdir():
        text = picture.read_text(encoding="utf-8")
        assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) <= {"50000"}, picture
        assert re.findall(r"AKIA\w{16}|ASIA\w{16}|https?://(?!www\.w3\.org|www\.textualize\.io)", text) == [], picture
