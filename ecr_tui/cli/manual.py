"""The parts of ``--help`` that are about the program as a whole: sections, examples, exit codes, environment, files."""

from __future__ import annotations

import click

from ecr_tui.cli.pages import PAGES, Page, Rows


def key_of(context: click.Context) -> str:
    """The command path without the program name: "config show", "" for the program."""
    return context.command_path.partition(" ")[2]


def page_of(context: click.Context) -> Page | None:
    return PAGES.get(key_of(context))


SECTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "": {
        "Inspect": ("list", "matrix", "audit", "usage", "workloads", "history"),
        "Change": ("plan", "grant", "revoke", "apply", "repair", "tag", "undo", "redo"),
        "Verify": ("verify", "cleanup", "explain"),
        "Policies": ("simulate", "export", "operator-policy"),
        "Other": ("demo", "config", "schema", "completion"),
    },
    "config": {"Commands": ("show", "path", "keys", "example")},
}

EXAMPLES: Rows = (
    ("open the interface with a profile for each account", "ecr-tui --profile-a account-a --profile-b dev-acc"),
    ("try it on two embedded accounts", "ecr-tui demo"),
    (
        "grant a user of account B access, limited to a tag",
        "ecr-tui grant my-first-repo --to user/devusr2 --if-tag Team=Payments",
    ),
    ("verify the access", "ecr-tui verify my-first-repo"),
)
CODES: Rows = (
    ("0", "done"),
    ("1", "denied, or a verification or check failed"),
    (
        "2",
        "usage error: unknown profile, repository or option, or confirmation required without a terminal. No changes "
        "made.",
    ),
    ("3", "environment: credentials, network, Docker, or an unusable file"),
    ("4", "the policy changed after it was read; it was not written"),
    ("130", "interrupted with Ctrl+C"),
    ("", "With several repositories, the worst result decides."),
)
ENVIRONMENT: Rows = (
    ("ECR_TUI_PROFILE_A", "as --profile-a; ECR_TUI_PROFILE_B as --profile-b"),
    ("ECR_TUI_REGIONS", "as --region, comma-separated; ECR_TUI_REGION for one"),
    ("ECR_TUI_TAG", "as --tag"),
    ("ECR_TUI_ENGINE", "as --engine"),
    ("ECR_TUI_ACCESS", "as --access"),
    ("ECR_TUI_SCOPE_TAG", "tag whose value is the default condition of a grant in the interface. Default: Team"),
    ("ECR_TUI_READ_ONLY", "1 refuses every write"),
    ("ECR_TUI_THEME", "theme of the interface"),
    ("ECR_TUI_PLAIN", "1 is as --plain"),
    ("ECR_TUI_REDUCED_MOTION", "1 redraws the interface at most once a second while waiting"),
    ("ECR_TUI_CONFIG", "as --config"),
    ("ECR_TUI_STATE_DIR", "folder of the journal and of past verifications"),
    ("ECR_TUI_CACHE_DIR", "folder of the cached listing"),
    ("AWS_...", "AWS_CONFIG_FILE, AWS_PROFILE and others, as in the AWS CLI"),
    ("DOCKER_HOST", "engine for --engine docker. Default: the current docker context"),
    ("NO_COLOR", "turn off colour in the interface"),
    ("TEXTUAL_ANIMATIONS", "none is as ECR_TUI_REDUCED_MOTION=1"),
)
FILES: Rows = (
    ("configuration", "read only; ecr-tui config path prints its path"),
    ("journal", "journal.jsonl in the state folder: every write with the policy before and after, used by undo"),
    ("usage", "usage-ACCOUNT-REGION.json in the state folder: sums of CloudTrail's events; safe to delete"),
    ("listing", "in the cache folder, used at start and for completion; safe to delete"),
)
