"""The app where nothing is set up yet: it must open, say what is missing on which side, and be left at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecr_tui.config import Settings
from ecr_tui.ui.app import EcrTuiApp
from ecr_tui.workspace import Workspace
from tests.ui.conftest import Session

KEYS = "aws_access_key_id = AKIAEXAMPLEEXAMPLE00\naws_secret_access_key = none\n"


@pytest.mark.parametrize(
    ("config", "settings", "words"),
    [
        ("", Settings(), ["no AWS profiles configured", "ecr-tui demo", "no profile for account B"]),
        (f"[profile a]\n{KEYS}", Settings(profile_a="a"), ["no AWS region configured"]),
        ("", Settings(profile_a="a", regions=("eu-central-1",)), ["no profile 'a'"]),
        ("[profile a\nregion", Settings(profile_a="a", profile_b="a"), ["cannot read the AWS config"]),
        (
            "[profile a]\nrole_arn = arn:aws:iam::111111111111:role/x\nsource_profile = gone\n",
            Settings(profile_a="a", profile_b="a", regions=("eu-central-1",)),
            ["profile 'a' is configured incompletely"],
        ),
    ],
    ids=["nothing", "no region", "no such profile", "broken config", "dead source profile"],
)
async def test_the_app_opens_and_says_what_is_missing(
    isolated_environment: Path, config: str, settings: Settings, words: list[str]
) -> None:
    (isolated_environment / "aws-config").write_text(config)
    workspace = Workspace(settings)
    app = EcrTuiApp(workspace)
    try:
        async with app.run_test(size=(160, 40), notifications=True, tooltips=True) as pilot:
            session = Session(app, pilot, workspace)  # type: ignore[arg-type]
            await session.wait(lambda: not session.main.listing.busy and len(session.main.accounts.reads) == 2)
            await session.see(*words)
            await session.press("g", "x", "v", "u", "V")
            await session.press("A")
            await session.wait(lambda: session.dialog == "AccountsScreen")
            await session.press("escape")
            await session.wait(lambda: not session.dialog)
            await session.press("q")
    finally:
        workspace.close()
    assert app.return_code == 0
