"""Texts of each command's ``--help`` besides the options: summary, reads, writes, arguments, examples, exit codes."""

from __future__ import annotations

from typing import NamedTuple

Rows = tuple[tuple[str, str], ...]


class Page(NamedTuple):
    """``summary`` fits on one line of the command list; ``examples`` are (purpose, command line); ``codes`` are the
    exit codes with a meaning specific to this command."""

    summary: str
    reads: str
    writes: str
    examples: Rows
    codes: tuple[tuple[int, str], ...] = ()
    arguments: Rows = ()


_REPO = ("REPO", "Repository names. Omit them and use --tag to select by tag.")
_POLICIES = "repositories, tags and policies in account A; identity policies in account B, if profile B can read them"
_JOURNAL = "the journal before and after each write"
_STOPPED = (130, "Ctrl+C: writes in progress were finished; resume the rest with --resume")
_CHANGED = (4, "a policy changed after it was read and was not written")
_SINCE = (4, "the live policy or tags changed after that write")
_FINISHED = (130, "Ctrl+C: writes in progress were finished")
_REFUSED = (1, "AWS refused the write")

PAGES: dict[str, Page] = {
    "list": Page(
        "List repositories, their tags, and the access of account B",
        "repositories and tags in account A; with a profile B, each policy too",
        "nothing in AWS; the listing in the cache folder",
        (
            (
                "one team's repositories that account B cannot pull from",
                "ecr-tui list --filter 'tag:Team=Payments !access:pull'",
            ),
            ("names only, for scripts", "ecr-tui list --tag Team=Payments --json | jq -r '.[].repository'"),
        ),
    ),
    "matrix": Page(
        "Show which grantees can read, pull and push which repositories",
        "repositories, tags, policies and registry policies in account A; past verifications and the journal",
        "nothing",
        (
            ("every principal that a policy names, on all repositories", "ecr-tui matrix"),
            (
                "two grantees, on one team's repositories",
                "ecr-tui matrix --tag Team=Payments --to user/devusr2 --to 333333333333",
            ),
            ("for a spreadsheet", "ecr-tui matrix --csv > access.csv"),
        ),
        (),
        (("REPO", "Repository names. Omit them for all repositories, or use --tag."),),
    ),
    "audit": Page(
        "Audit who has access to which repositories",
        "all repositories, tags and policies, registry policies, creation templates and replication rules",
        "nothing",
        (
            (
                "nightly check that fails on errors",
                "ecr-tui audit --fail-on error --json > audit.json",
            ),
            ("access of one user, with both accounts' policies", "ecr-tui audit --principal user/devusr2"),
            ("findings for a code scanning dashboard", "ecr-tui audit --format sarif > audit.sarif"),
            ("two owners in one report", "ecr-tui audit --profile-a payments --profile-a search"),
        ),
        ((1, "with --fail-on: such a finding, or an unreadable policy"),),
    ),
    "usage": Page(
        "Show who used which repositories, and grants without use",
        "CloudTrail's event history, repositories, policies and last recorded pulls in account A; events read before, "
        "in the state folder",
        "nothing in AWS; sums of the events, in the state folder",
        (
            ("who pulled, who pushed, who was denied", "ecr-tui usage my-first-repo"),
            (
                "grants without an event in 30 days, for scripts",
                "ecr-tui usage --unused 30 --json | jq -r '.grants[] | [.principal, .answer]'",
            ),
        ),
        (
            (1, "account A's operator may not call cloudtrail:LookupEvents"),
            (3, "a region could not be read"),
            (130, "Ctrl+C: the events read so far are kept; the next call continues"),
        ),
        (("REPO", "Repository names. Omit them for all repositories, or use --tag."),),
    ),
    "workloads": Page(
        "Show which Lambda functions and ECS task definitions use an image",
        "repositories in account A; Lambda functions and ECS task definitions in account A, and in account B if "
        "profile B is set",
        "nothing",
        (
            ("workloads that a revoke would affect", "ecr-tui workloads payments/api"),
            (
                "by name, of every repository with a tag",
                "ecr-tui workloads --tag Team=Payments --json | jq -r '.[].workloads[].name'",
            ),
        ),
        ((130, "Ctrl+C"),),
        (("REPO", "Repository names."),),
    ),
    "history": Page(
        "List past writes and their state",
        "the journal, or the record of disagreements; makes no AWS calls",
        "nothing",
        (
            ("last five writes to one repository", "ecr-tui history --repository my-first-repo --limit 5"),
            ("who wrote what, for scripts", "ecr-tui history --json | jq -r '.[] | [.at, .kind, .operator] | @tsv'"),
        ),
    ),
    "plan": Page(
        "Preview a grant, and whether both accounts would allow it",
        _POLICIES,
        "nothing; with --aws-preview, an access preview in account A and the record of disagreements",
        (
            ("push and pull for one user of account B", "ecr-tui plan my-first-repo --to user/devusr2"),
            (
                "pull for a whole account, by tag",
                "ecr-tui plan --tag Team=Payments --to 222222222222 --access pull",
            ),
            ("merge your own policy document", "ecr-tui plan my-first-repo --from policy.json --json"),
            ("with a second opinion of AWS", "ecr-tui plan my-first-repo --to user/devusr2 --aws-preview"),
        ),
        ((1, "ECR would refuse the policy"),),
        (_REPO,),
    ),
    "grant": Page(
        "Grant access to repositories",
        "as plan; each policy again before and after the write",
        f"policies of repositories and creation templates in account A (only the statement of ecr-tui), {_JOURNAL}",
        (
            ("confirm, then write", "ecr-tui grant my-first-repo --to user/devusr2 --if-tag Team=Payments"),
            ("two principals in one statement", "ecr-tui grant my-first-repo --to user/devusr2 --to role/EcrDeveloper"),
            (
                "all with the tag, unattended, with an end date",
                "ecr-tui grant --tag Team=Payments --to 222222222222 --until 2030-01-31 --yes",
            ),
            ("with its copies in other regions", "ecr-tui grant search/indexer --to user/devusr2 --replicas"),
            (
                "for repositories that ECR creates later below payments/",
                "ecr-tui grant --template payments --to user/devusr2 --if-tag Team=Payments",
            ),
            ("resume an interrupted run", "ecr-tui grant --resume --yes"),
        ),
        (_REFUSED, _CHANGED, _STOPPED),
        (_REPO,),
    ),
    "revoke": Page(
        "Revoke access that ecr-tui granted",
        "each policy, and again before and after the write",
        f"repository policies in account A (deleted when no statement is left), {_JOURNAL}",
        (
            ("one repository", "ecr-tui revoke my-first-repo --to user/devusr2"),
            ("all with the tag, unattended", "ecr-tui revoke --tag Team=Payments --to user/devusr2 --yes"),
            (
                "also from statements that ecr-tui did not write",
                "ecr-tui revoke my-first-repo --to user/devusr2 --foreign",
            ),
        ),
        ((1, "access remains, or may remain, through the statement printed"), _REFUSED, _CHANGED, _STOPPED),
        (_REPO,),
    ),
    "apply": Page(
        "Apply a file of grants, or check for drift",
        "repositories with their tags, and each policy, in account A; the policies that differ again around the write",
        f"repository policies in account A that differ (only the statements of ecr-tui), {_JOURNAL}",
        (
            ("in CI: fails when the access differs", "ecr-tui apply grants.toml --check --prune"),
            ("the changes by repository", "ecr-tui apply grants.toml --plan"),
            ("confirm, then write", "ecr-tui apply grants.toml --reason OPS-123"),
            ("also revoke what is not in the file, unattended", "ecr-tui apply grants.toml --prune --yes"),
            ("resume an interrupted run", "ecr-tui apply --resume --yes"),
        ),
        ((1, "with --check: the access differs from the file; or AWS refused the write"), _CHANGED, _STOPPED),
        (("FILE", "The grants, in TOML (docs/guide.md, Grants as code); - reads stdin."),),
    ),
    "repair": Page(
        "Repair policies that ECR rejects, without changing access",
        "each policy, and again before and after the write; as account B, whether deleted principals were recreated",
        f"repository policies in account A (deleted when no statement is left), {_JOURNAL}",
        (
            ("preview the exact change", "ecr-tui repair payments/reports --dry-run"),
            ("all with the tag, unattended", "ecr-tui repair --tag Team=Payments --yes"),
            ("restore access of recreated roles", "ecr-tui repair payments/reports --repin known"),
        ),
        (_REFUSED, _CHANGED, _STOPPED),
        (_REPO,),
    ),
    "tag": Page(
        "Edit repository tags, and preview which access changes",
        "tags and policies in account A; tags again just before and after the write",
        f"tags of repositories in account A, {_JOURNAL}",
        (
            ("preview who loses access, then confirm", "ecr-tui tag my-first-repo --set Team=Platform"),
            ("remove a tag, unattended", "ecr-tui tag my-first-repo --unset Stage --yes"),
        ),
        ((1, "AWS refused the write"), (4, "the tags changed after they were read and were not written")),
        (_REPO,),
    ),
    "undo": Page(
        "Undo the last write, or any write that is still live",
        "the journal; the policy or tags just before and after the write",
        f"the exact previous policies or tags, {_JOURNAL}",
        (
            ("undo the last write, or the whole last run", "ecr-tui undo"),
            ("undo one write from history", "ecr-tui undo 20300131T120000-1a2b3c4d"),
        ),
        (
            _REFUSED,
            _SINCE,
            _FINISHED,
        ),
        (("ID", "ID of a write or a run, from history. Default: the last one not undone."),),
    ),
    "redo": Page(
        "Redo an undone write",
        "the journal; the policy or tags just before and after the write",
        f"the exact policies or tags that the undo replaced, {_JOURNAL}",
        (("redo the last undo", "ecr-tui redo"),),
        (_REFUSED, _SINCE, _FINISHED),
        (("ID", "ID of a write or a run, from history. Default: the last undo."),),
    ),
    "verify": Page(
        "Verify access live as account B, and denial elsewhere",
        "account B's identity and registry token; with --access pull, an existing image",
        "one 2 kB probe image tagged ecr-tui-verify-..., removed afterwards; with --tag-switch a tag, "
        "restored afterwards; with --access pull the image's last-pull time, which lifecycle rules may use; "
        "a record of the result in the state folder",
        (
            ("without a container engine", "ecr-tui verify my-first-repo --engine direct"),
            (
                "one team's repositories, with a report for a ticket",
                "ecr-tui verify --tag Team=Payments --report access.md",
            ),
            ("without pushing an image", "ecr-tui verify my-first-repo --access pull --isolation none"),
            (
                "wait until access works",
                "until ecr-tui verify my-first-repo --json > last.json; do sleep 60; done",
            ),
        ),
        (
            (1, "denied, a leak, or an isolation check or tag switch that did not run"),
            (3, "nothing was verified: credentials, network or Docker"),
            (130, "Ctrl+C: the probe image was removed"),
        ),
        (_REPO,),
    ),
    "cleanup": Page(
        "Remove what an interrupted verification left behind",
        "the record of verifications in the state folder",
        "removes probe images in account A and in Docker; restores removed tags",
        (("preview, then confirm", "ecr-tui cleanup"), ("unattended", "ecr-tui cleanup --yes --json")),
        ((1, "AWS refused the cleanup"),),
    ),
    "explain": Page(
        "Explain a Docker or AWS error and suggest a fix",
        "the text; makes AWS calls with --aws only",
        "nothing",
        (
            ("an error message", 'ecr-tui explain "denied: Your authorization token has expired."'),
            ("the output of docker", "docker push $REPO:v1 2>&1 | ecr-tui explain -"),
            (
                "with AWS's own evaluation of the denial",
                "docker push $REPO:v1 2>&1 | ecr-tui explain --aws --profile-b dev-acc -",
            ),
        ),
        arguments=(("TEXT", "The error as printed; - reads stdin."),),
    ),
    "simulate": Page(
        "Test policies offline against expected decisions",
        "case files (format: docs/guide.md, Policy tests); makes no AWS calls",
        "nothing",
        (
            ("in CI", "ecr-tui simulate cases.json"),
            ("from another program", "generate-cases | ecr-tui simulate - --json"),
        ),
        ((1, "a decision differs from the expected one"),),
        (("FILE", "A JSON file with one case or a list of cases; - reads stdin."),),
    ),
    "export": Page(
        "Export a grant as AWS CLI, Terraform, CloudFormation or JSON",
        "repositories, tags and policies in account A",
        "nothing",
        (
            ("both accounts' policies as AWS CLI commands", "ecr-tui export my-first-repo --to user/devusr2"),
            (
                "account B's policy as Terraform",
                "ecr-tui export my-first-repo --to user/devusr2 --side b --format terraform",
            ),
            ("all grants, to keep as code", "ecr-tui export --grants > grants.toml"),
        ),
        arguments=(_REPO,),
    ),
    "operator-policy": Page(
        "Print the minimum IAM policy for account A's operator",
        "nothing",
        "nothing",
        (
            ("grant, revoke and undo, in one account", "ecr-tui operator-policy grant --account 111111111111"),
            ("in a China region", "ecr-tui operator-policy full --partition aws-cn --region cn-north-1"),
        ),
        arguments=(
            (
                "LEVEL",
                "read-only: list, preview, audit. usage, workloads, troubleshooter, analyzer: as read-only, and "
                "CloudTrail's events, Lambda and ECS, AWS's evaluation of denials, Access Analyzer's answers. grant: "
                "as read-only, and grant, revoke, undo. full: as grant, and remove probe images, edit tags. registry: "
                "as full, and replication, creation templates.",
            ),
        ),
    ),
    "demo": Page(
        "Open the interface on two embedded AWS accounts",
        "no AWS account, profile or journal of yours",
        "memory and a temporary folder only",
        (
            ("try the interface", "ecr-tui demo"),
            ("a large registry", "ecr-tui demo --repositories 10000"),
            ("serve the accounts to the AWS CLI, docker and skopeo", "ecr-tui demo --serve"),
        ),
        ((3, "the extra packages are missing: pip install 'ecr-tui[demo]'"),),
    ),
    "config": Page("Show the effective settings and their origin", "", "", ()),
    "config show": Page(
        "Show every setting, its value and its origin",
        "the configuration file and the environment",
        "nothing",
        (("which profile is used, and why", "ecr-tui config show"), ("for scripts", "ecr-tui config show --json")),
    ),
    "config path": Page(
        "Print the path of the configuration file",
        "whether the file exists",
        "nothing",
        (("edit it", '${EDITOR:-vi} "$(ecr-tui config path)"'),),
    ),
    "config keys": Page(
        "List the action ids for [keys] and their keys",
        "the configuration file",
        "nothing",
        (("all actions", "ecr-tui config keys"),),
    ),
    "config example": Page(
        "Print an example configuration file with every setting",
        "nothing",
        "nothing",
        (("create your configuration file", 'ecr-tui config example > "$(ecr-tui config path)"'),),
    ),
    "schema": Page(
        "Print the JSON Schema of a --json document",
        "nothing",
        "nothing",
        (("list the schemas", "ecr-tui schema"), ("print one", "ecr-tui schema verify > verify.schema.json")),
        arguments=(("COMMAND", "A command such as verify, config show or verify-history. Default: list all."),),
    ),
    "completion": Page(
        "Print the completion script for bash, zsh or fish",
        "nothing; completion reads the AWS configuration, the cached listing and the journal, and makes no AWS calls",
        "nothing",
        (
            ("bash, in ~/.bashrc", 'eval "$(ecr-tui completion bash)"'),
            ("zsh, in ~/.zshrc after compinit", 'eval "$(ecr-tui completion zsh)"'),
            ("fish", "ecr-tui completion fish > ~/.config/fish/completions/ecr-tui.fish"),
        ),
    ),
}
