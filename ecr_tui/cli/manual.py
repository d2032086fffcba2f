"""What ``--help`` tells beside the options: summaries, what is read and written, arguments, examples, exit codes."""

from __future__ import annotations

from dataclasses import dataclass

import click

Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Page:
    """``summary`` fits on a line of the list of commands; ``examples`` are (what for, command line); ``codes`` those
    exit codes that mean something of their own here."""

    summary: str
    reads: str
    writes: str
    examples: Rows
    codes: tuple[tuple[int, str], ...] = ()
    arguments: Rows = ()


def key_of(context: click.Context) -> str:
    """The command without the program's name: "config show", "" for the program."""
    return context.command_path.partition(" ")[2]


def page_of(context: click.Context) -> Page | None:
    return PAGES.get(key_of(context))


SECTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "": {
        "Look": ("list", "audit", "history"),
        "Change": ("plan", "grant", "revoke", "repair", "tag", "undo", "redo"),
        "Prove": ("verify", "cleanup", "explain"),
        "Policies": ("simulate", "export", "operator-policy"),
        "Other": ("demo", "config", "schema", "completion"),
    },
    "config": {"Commands": ("show", "path", "keys", "example")},
}

EXAMPLES: Rows = (
    ("the interface, on the profiles of both accounts", "ecr-tui --profile-a account-a --profile-b dev-acc"),
    ("the same on two embedded accounts, to try it out", "ecr-tui demo"),
    (
        "let a user of account B in, by tag",
        "ecr-tui grant my-first-repo --to user/devusr2 --if-tag Team=Payments",
    ),
    ("and prove it", "ecr-tui verify my-first-repo"),
)
CODES: Rows = (
    ("0", "done"),
    ("1", "denied, or a verification or check that failed"),
    ("2", "bad input: an unknown profile, repository or option, or nobody there to confirm; nothing was done"),
    ("3", "environment: credentials, network, Docker, a file that cannot be used"),
    ("4", "the policy changed since it was read; it was not written"),
    ("130", "interrupted with Ctrl+C"),
    ("", "Of several repositories the worst counts."),
)
ENVIRONMENT: Rows = (
    ("ECR_TUI_PROFILE_A", "as --profile-a; likewise ECR_TUI_PROFILE_B"),
    ("ECR_TUI_REGIONS", "as --region, several with commas; ECR_TUI_REGION for one"),
    ("ECR_TUI_TAG", "as --tag"),
    ("ECR_TUI_ENGINE", "as --engine"),
    ("ECR_TUI_ACCESS", "as --access"),
    ("ECR_TUI_SCOPE_TAG", "the tag whose own value is a grant's condition in the interface; Team unless set"),
    ("ECR_TUI_READ_ONLY", "1 refuses every write"),
    ("ECR_TUI_THEME", "the interface's theme"),
    ("ECR_TUI_CONFIG", "as --config"),
    ("ECR_TUI_STATE_DIR", "the folder of the journal and of past verifications"),
    ("ECR_TUI_CACHE_DIR", "the folder of the last listing"),
    ("AWS_...", "AWS_CONFIG_FILE, AWS_PROFILE and others as for the AWS CLI"),
    ("DOCKER_HOST", "the engine for --engine docker; docker contexts count, too"),
    ("NO_COLOR", "the interface without colour"),
)
FILES: Rows = (
    ("configuration", "ecr-tui config path tells where; only read"),
    ("journal", "journal.jsonl in the state folder: every write, before and after; for undo"),
    ("listing", "in the cache folder: for a quick start and for completion; may be deleted"),
)

_REPO = ("REPO", "Names of repositories. Or none, and --tag for all with that tag.")
_POLICIES = "repositories, their tags and policies in account A, account B's own policies where it may read them"
_JOURNAL = "the journal before and after each write"
_STOPPED = (130, "Ctrl+C: what had begun was finished; --resume does the rest")
_CHANGED = (4, "a policy changed since it was read, and was not written")
_SINCE = (4, "somebody wrote since: it is no longer the live state")
_FINISHED = (130, "Ctrl+C: what had begun was finished")
_REFUSED = (1, "AWS refused the write")

PAGES: dict[str, Page] = {
    "list": Page(
        "Repositories, their tags, and what account B may do",
        "repositories and tags in account A; with a profile B also each policy",
        "nothing (it keeps the listing in the cache folder)",
        (
            (
                "the team's that account B cannot pull from",
                "ecr-tui list --filter 'tag:Team=Payments !access:pull'",
            ),
            ("names only, for a script", "ecr-tui list --tag Team=Payments --json | jq -r '.[].repository'"),
        ),
    ),
    "audit": Page(
        "Who has access to what, over all repositories, and what is odd",
        "all repositories, tags and policies, registry policies and creation templates",
        "nothing",
        (
            (
                "a nightly check that fails for errors",
                "ecr-tui audit --fail-on error --json > audit.json",
            ),
            ("what one user can do, on both sides", "ecr-tui audit --principal user/devusr2"),
        ),
        ((1, "with --fail-on: there are such findings, or a policy could not be read"),),
    ),
    "history": Page(
        "What was written with this journal, and what became of it",
        "the journal; AWS is not asked",
        "nothing",
        (
            ("the last five writes to one repository", "ecr-tui history --repository my-first-repo --limit 5"),
            ("who wrote, for a script", "ecr-tui history --json | jq -r '.[] | [.at, .kind, .operator] | @tsv'"),
        ),
    ),
    "plan": Page(
        "What a grant would write, and whether both sides would allow it",
        _POLICIES,
        "nothing",
        (
            ("push and pull for a user of account B", "ecr-tui plan my-first-repo --to user/devusr2"),
            (
                "pull, for a whole account, by tag",
                "ecr-tui plan --tag Team=Payments --to 222222222222 --access pull",
            ),
            ("a document of your own, merged", "ecr-tui plan my-first-repo --from policy.json --json"),
        ),
        ((1, "ECR would refuse the policy"),),
        (_REPO,),
    ),
    "grant": Page(
        "Let a principal of account B push and pull",
        "as plan; each policy again just before it is written, and after",
        f"repository policies in account A (its own statement alone), {_JOURNAL}",
        (
            ("asks, then writes", "ecr-tui grant my-first-repo --to user/devusr2 --if-tag Team=Payments"),
            ("two principals, one statement", "ecr-tui grant my-first-repo --to user/devusr2 --to role/EcrDeveloper"),
            (
                "all with the tag, unattended, for a time",
                "ecr-tui grant --tag Team=Payments --to 222222222222 --until 2030-01-31 --yes",
            ),
            ("what an interrupted run left", "ecr-tui grant --resume --yes"),
        ),
        (_REFUSED, _CHANGED, _STOPPED),
        (_REPO,),
    ),
    "revoke": Page(
        "Take back what ecr-tui granted a principal",
        "each policy, and again just before it is written, and after",
        f"repository policies in account A; one of which nothing is left is deleted; {_JOURNAL}",
        (
            ("one repository", "ecr-tui revoke my-first-repo --to user/devusr2"),
            ("everywhere by tag, unattended", "ecr-tui revoke --tag Team=Payments --to user/devusr2 --yes"),
            ("out of statements of others, too", "ecr-tui revoke my-first-repo --to user/devusr2 --foreign"),
        ),
        ((1, "access remains, or may remain, through a statement that is named"), _REFUSED, _CHANGED, _STOPPED),
        (_REPO,),
    ),
    "repair": Page(
        "Make a policy that ECR refuses writable again, without changing who has access",
        "each policy, and again before and after it is written; as account B, whether deleted principals exist again",
        f"repository policies in account A; one of which nothing is left is deleted; {_JOURNAL}",
        (
            ("the exact change, without writing it", "ecr-tui repair payments/reports --dry-run"),
            ("everywhere by tag, unattended", "ecr-tui repair --tag Team=Payments --yes"),
            ("with the access of roles that were made again", "ecr-tui repair payments/reports --repin known"),
        ),
        (_REFUSED, _CHANGED, _STOPPED),
        (_REPO,),
    ),
    "tag": Page(
        "Change tags of repositories; access by tag changes with them",
        "tags and policies in account A, tags again just before they are written, and after",
        f"tags of repositories in account A, {_JOURNAL}",
        (
            ("shows who loses access, and asks", "ecr-tui tag my-first-repo --set Team=Platform"),
            ("another tag, unattended", "ecr-tui tag my-first-repo --unset Stage --yes"),
        ),
        ((1, "AWS refused the write"), (4, "the tags changed since they were read, and were not written")),
        (_REPO,),
    ),
    "undo": Page(
        "Take back the last write, or any that is still the live state",
        "the journal, and the policy just before it is written, and after",
        f"the exact former policy (or tags) of the repositories concerned, {_JOURNAL}",
        (
            ("the last write, or all of the last run", "ecr-tui undo"),
            ("one of history", "ecr-tui undo 20300131T120000-1a2b3c4d"),
        ),
        (
            _REFUSED,
            _SINCE,
            _FINISHED,
        ),
        (("ID", "Of a write or of a run, as history tells. Default: the last not yet undone."),),
    ),
    "redo": Page(
        "Write again what an undo took back",
        "the journal, and the policy just before it is written, and after",
        f"the exact policy (or tags) that was taken back, {_JOURNAL}",
        (("what the last undo took back", "ecr-tui redo"),),
        (_REFUSED, _SINCE, _FINISHED),
        (("ID", "Of a write or of a run, as history tells. Default: what was last undone."),),
    ),
    "verify": Page(
        "Push and pull as account B, and prove it is denied elsewhere",
        "account B's identity and registry token; with --access pull an image that is there",
        "one tiny probe image, tagged ecr-tui-verify-..., which is removed; with --tag-switch a tag, "
        "which is put back; with --access pull the image's last-pull time, which lifecycle rules may go by; "
        "a record of the result in the state folder",
        (
            ("one repository, without a container engine", "ecr-tui verify my-first-repo --engine direct"),
            ("all of a team, with a report for a ticket", "ecr-tui verify --tag Team=Payments --report access.md"),
            ("without pushing anything", "ecr-tui verify my-first-repo --access pull --isolation none"),
            (
                "wait for access",
                "until ecr-tui verify my-first-repo --json > last.json; do sleep 60; done",
            ),
        ),
        (
            (1, "denied, a leak, or an isolation check or tag switch that could not be made"),
            (3, "nothing was proved: credentials, network or Docker"),
            (130, "Ctrl+C: the probe image was removed"),
        ),
        (_REPO,),
    ),
    "cleanup": Page(
        "Remove what a verification that was killed has left behind",
        "the record of verifications in the state folder",
        "removes probe images in account A and in Docker, puts tags back that were taken away",
        (("show it and ask", "ecr-tui cleanup"), ("unattended", "ecr-tui cleanup --yes --json")),
        ((1, "AWS refused it"),),
    ),
    "explain": Page(
        "What an error text of docker or AWS means, and the fix",
        "the text; AWS is not asked",
        "nothing",
        (
            ("a text", 'ecr-tui explain "denied: Your authorization token has expired."'),
            ("what docker says", "docker push $REPO:v1 2>&1 | ecr-tui explain -"),
        ),
        arguments=(("TEXT", "The error as it was printed; - reads it from stdin."),),
    ),
    "simulate": Page(
        "Unit tests for policies: requests decided offline",
        "files of cases (their form: README, Unit tests for policies); AWS is not asked",
        "nothing",
        (
            ("in CI", "ecr-tui simulate cases.json"),
            ("from another program", "generate-cases | ecr-tui simulate - --json"),
        ),
        ((1, "a decision is not the expected one"),),
        (("FILE", "A JSON file with a list of cases, or one case; - is stdin."),),
    ),
    "export": Page(
        "A grant for AWS CLI, Terraform, CloudFormation, as JSON",
        "repositories, their tags and policies in account A",
        "nothing",
        (
            ("both sides as commands", "ecr-tui export my-first-repo --to user/devusr2"),
            (
                "account B's half, for its own infrastructure code",
                "ecr-tui export my-first-repo --to user/devusr2 --side b --format terraform",
            ),
        ),
        arguments=(_REPO,),
    ),
    "operator-policy": Page(
        "The least that account A's operator must be allowed",
        "nothing",
        "nothing",
        (
            ("for somebody who may grant, in one account", "ecr-tui operator-policy grant --account 111111111111"),
            ("in a region of China", "ecr-tui operator-policy full --partition aws-cn --region cn-north-1"),
        ),
        arguments=(("LEVEL", "read-only, grant (and revoke, undo), or full (and remove probe images, change tags)."),),
    ),
    "demo": Page(
        "Two embedded AWS accounts, and the interface on them",
        "nothing of yours",
        "nothing of yours: all is in memory and in a temporary folder",
        (
            ("try it out", "ecr-tui demo"),
            ("a large registry", "ecr-tui demo --repositories 10000"),
            ("for the AWS CLI, docker and skopeo", "ecr-tui demo --serve"),
        ),
        ((3, "the extra packages are missing: pip install 'ecr-tui[demo]'"),),
    ),
    "config": Page("The settings in force, and where each comes from", "", "", ()),
    "config show": Page(
        "Every setting, its value and its origin",
        "the configuration file and the environment",
        "nothing",
        (("which profile, and why", "ecr-tui config show"), ("for a script", "ecr-tui config show --json")),
    ),
    "config path": Page(
        "Where the configuration file is looked for",
        "whether the file is there",
        "nothing",
        (("edit it", '${EDITOR:-vi} "$(ecr-tui config path)"'),),
    ),
    "config keys": Page(
        "The ids for [keys], and the keys in force",
        "the configuration file",
        "nothing",
        (("all of them", "ecr-tui config keys"),),
    ),
    "config example": Page(
        "A configuration file with everything that may be in it",
        "nothing",
        "nothing",
        (("start from it", 'ecr-tui config example > "$(ecr-tui config path)"'),),
    ),
    "schema": Page(
        "JSON Schemas of the documents of --json",
        "nothing",
        "nothing",
        (("all there are", "ecr-tui schema"), ("one of them", "ecr-tui schema verify > verify.schema.json")),
        arguments=(("COMMAND", "Such as verify, config show or verify-history. Default: a list of all."),),
    ),
    "completion": Page(
        "The script for completion in bash, zsh or fish",
        "nothing; completing reads AWS's configuration, the last listing and the journal, and never asks AWS",
        "nothing",
        (
            ("bash, in ~/.bashrc", 'eval "$(ecr-tui completion bash)"'),
            ("zsh, in ~/.zshrc behind compinit", 'eval "$(ecr-tui completion zsh)"'),
            ("fish", "ecr-tui completion fish > ~/.config/fish/completions/ecr-tui.fish"),
        ),
    ),
}
