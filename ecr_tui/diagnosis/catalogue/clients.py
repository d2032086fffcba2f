"""The local machine: container engines, credential stores, disks, image references and command lines."""

from __future__ import annotations

from ecr_tui.diagnosis.failure import CREDENTIALS, DOCKER, REPOSITORY_STATE, Failure

LOGIN = (
    "aws ecr get-login-password --profile PROFILE_OF_B --region {region} "
    "| docker login --username AWS --password-stdin {host}"
)
_STORE = (
    r"(?:error (?:saving|storing|getting|erasing|listing)|(?:failed to|could not|cannot) (?:save|store|"
    r"erase)) credentials"
)
_ELSEWHERE = "Use another store: remove credsStore from ~/.docker/config.json, or set DOCKER_CONFIG to an empty folder."

STORES: tuple[Failure, ...] = (
    Failure(
        "credential-store",
        20,
        "login",
        DOCKER,
        "The credential helper cannot store a login",
        "credsStore names docker-credential-ecr-login, which fetches tokens itself and stores none.",
        "DOCKER_CONFIG=$(mktemp -d) docker login ...   # or AWS_ECR_IGNORE_CREDS_STORAGE=true",
        ("error storing credentials - err: exit status 1, out: `not implemented`",),
        ((_STORE, "not implemented"), (_STORE, "ecr-login")),
    ),
    Failure(
        "credential-store-windows",
        None,
        "login",
        DOCKER,
        "The Windows credential store rejected the login",
        "An ECR token exceeds the 2,560 bytes of the Windows store (wincred), or there is no logon session with a "
        "store, as over SSH and in services.",
        "Use the ECR credential helper (credHelpers in ~/.docker/config.json). " + _ELSEWHERE,
        ("error storing credentials - err: exit status 1, out: `The stub received bad data.`",),
        (
            ("stub received bad data",),
            ("specified logon session",),
            (_STORE, "wincred|not enough memory resources|data area passed|element not found"),
        ),
    ),
    Failure(
        "credential-store-keychain",
        None,
        "login",
        DOCKER,
        "The macOS keychain rejected the login",
        "The keychain (osxkeychain) is locked, its password is wrong, or no desktop session can open it, as over SSH "
        "and in CI.",
        "security unlock-keychain   # then log in again. " + _ELSEWHERE,
        ("error storing credentials - err: exit status 1, out: `User interaction is not allowed.`",),
        (
            ("user interaction is not allowed",),
            ("user name or passphrase you entered",),
            (_STORE, "keychain|specified item|-25\\d{3}|-50\\b"),
            ("keychain", "error|locked|cannot|denied"),
        ),
    ),
    Failure(
        "credential-store-pass",
        None,
        "login",
        DOCKER,
        "The password store (pass) is not set up",
        "credsStore names pass. It is not installed, has no GPG key, or cannot unlock it without a terminal.",
        "pass init GPG_KEY_ID   # once, with a key of your own. " + _ELSEWHERE,
        ("error storing credentials - err: exit status 1, out: `pass not initialized`",),
        (
            (r"\bpass\b (?:not |store is un)initialized",),
            ("password store is empty",),
            (_STORE, r"\bgpg\b|exec: \"pass\"|password-store"),
        ),
    ),
    Failure(
        "credential-store-desktop",
        None,
        "login",
        DOCKER,
        "The desktop's secret service is not reachable",
        "credsStore names secretservice or Docker Desktop's store, but neither a desktop session nor Docker Desktop is "
        "running.",
        "Start Docker Desktop or a desktop session. " + _ELSEWHERE,
        ("error storing credentials - err: exit status 1, out: `Cannot autolaunch D-Bus without X11 $DISPLAY`",),
        (
            (_STORE, r"d-?bus|secrets?\b.{0,40}\bservice|org\.freedesktop|unlock|collection|exhausted all available"),
            (_STORE, "<engine-socket>|http://ipc|//ipc"),
        ),
    ),
    Failure(
        "credential-helper-missing",
        None,
        "login",
        DOCKER,
        "The credential helper is not installed",
        "credsStore or credHelpers in Docker's configuration names a program that this machine does not have or cannot "
        "run.",
        "Install the helper, put it on PATH, or remove its name. " + _ELSEWHERE,
        ('error getting credentials - err: exec: "docker-credential-desktop": executable file not found in $PATH',),
        (
            (
                "docker-credential-[\\w.-]+|credential helper|credential provider",
                "not found|no such file|exec format|permission denied",
            ),
            ("error getting credentials", "executable file not found|no such file"),
        ),
    ),
    Failure(
        "docker-config",
        None,
        "login",
        DOCKER,
        "Docker's configuration file is not readable or not writable",
        "~/.docker/config.json belongs to another user, is on a read-only file system, or is not JSON.",
        "ls -l ~/.docker/config.json   # owner and mode; DOCKER_CONFIG sets another folder",
        ("Error loading config file: config.json: permission denied",),
        (
            (
                "loading config file|saving credentials|storing credentials|docker config",
                "permission denied|read-only|is a directory|invalid character|no such file",
            ),
        ),
    ),
    Failure(
        "credential-store-other",
        None,
        "login",
        DOCKER,
        "The credential helper failed",
        "The program that stores or fetches Docker logins on this machine failed; the text has its error. The registry "
        "was not contacted.",
        "Run the helper by hand to see why it fails. " + _ELSEWHERE,
        ("Error saving credentials: error storing credentials - err: exit status 1",),
        (
            (_STORE + r"(?! from custom)", "err: |exit status|out: `|error "),
            ("credential (?:helper|provider plugin)", "error|failed|exit status"),
        ),
    ),
)

CLIENTS: tuple[Failure, ...] = (
    Failure(
        "disk-full",
        None,
        "docker",
        DOCKER,
        "The engine's disk is full: no space left",
        "No space is left for layers or build data. The registry is not involved.",
        "docker system df   # then docker system prune, or a larger disk",
        ("no space left on device",),
        (
            ("no space left",),
            ("disk quota exceeded",),
            ("not enough (?:disk )?space",),
            ("insufficient (?:disk|storage)",),
        ),
    ),
    Failure(
        "no-registry-auth",
        None,
        "login",
        CREDENTIALS,
        "The client sent the engine no login for this registry",
        "The client has no credentials for exactly this host in its configuration: registry_auth or docker login is "
        "for another user, host or account.",
        LOGIN,
        ("Bad parameters and missing X-Registry-Auth: EOF", "no auth config found for registry"),
        (
            ("x-registry-auth",),
            ("no auth ?config found",),
            ("unable to get auth ?config",),
            ("credential required for basic auth",),
            ("basic credential not found",),
            ("no (?:registry )?credentials? found for",),
        ),
    ),
    Failure(
        "get-login-removed",
        None,
        "login",
        CREDENTIALS,
        "This version of the AWS CLI has no such command",
        "AWS CLI version 2 replaced `aws ecr get-login` with get-login-password.",
        LOGIN,
        (
            "aws: error: argument operation: Invalid choice",
            "aws: error: argument operation: Invalid choice: 'get-login'",
        ),
        (
            ("argument (?:operation|command|subcommand): invalid choice",),
            ("invalid choice: '?get-login",),
            ("unknown options?:.*no-include-email",),
            ("unknown shorthand flag: 'e' in -e",),
        ),
    ),
    Failure(
        "login-without-password",
        21,
        "login",
        CREDENTIALS,
        "docker login got no password",
        "`aws ecr get-login-password` failed and printed nothing. Its own error is the cause.",
        "aws ecr get-login-password --profile PROFILE_OF_B --region {region}   # on its own, to see its error",
        ("cannot perform an interactive login from a non TTY device",),
        (
            ("cannot perform an interactive login",),
            ("password is empty|must provide.*password-stdin|flag needs an argument: -?-?p(?:assword)?\\b",),
            ("the input device is not a tty",),
        ),
        consequence=True,
    ),
    Failure(
        "docker-stalled",
        None,
        "docker",
        DOCKER,
        "The Docker engine stopped answering",
        "The engine was stopped, hangs, or waits for the registry; it does not say which.",
        "ecr-tui verify {repository} --engine direct   # shows whether the registry answers",
        ("the Docker engine sent nothing for 30 s",),
        (("docker engine", "sent nothing|disconnected|ended the"),),
    ),
    Failure(
        "no-docker",
        29,
        "docker",
        DOCKER,
        "The Docker engine does not answer",
        "No engine is running, or this user has no permission for its socket.",
        "Start Docker, or verify without it with --engine direct",
        ("Error while fetching server API version", "Cannot connect to the Docker daemon"),
        (
            ("error while fetching server API version",),
            ("cannot connect to (?:the docker daemon|podman)",),
            ("unable to connect to podman",),
            ("docker daemon", "is (?:not|the docker daemon) running|is the docker daemon running|not running"),
            ("error during connect",),
            ("docker desktop", "not running|is starting|unable to start|paused|stopped|start it"),
            ("<engine-socket>", "denied|refused|no such file|cannot find|connect|not found|in use|closed|reset|eof"),
            ("docker engine", "does not answer"),
            ("failed to connect to the docker api",),
            ("containerd", "is not running|connection refused"),
        ),
    ),
    Failure(
        "reference-invalid",
        None,
        "docker",
        DOCKER,
        "The image reference is malformed",
        "A repository name has only lowercase letters, digits and . _ - /, a tag has no slash, and a reference has no "
        "scheme such as https://.",
        "docker tag IMAGE {host}/{repository}:TAG   # with the repository name in lower case",
        ("invalid reference format: repository name must be lowercase",),
        (
            ("invalid reference format",),
            ("must be lower ?case",),
            ("invalid (?:image|repository) (?:name|reference)",),
            ("could not parse reference",),
            ("invalid tag format|not a valid repository/tag",),
        ),
    ),
    Failure(
        "short-name",
        None,
        "pull",
        DOCKER,
        "The image reference has no registry",
        "Without a host Podman uses the registries of its configuration, but it lists none, or Podman cannot ask "
        "which.",
        "podman pull {host}/{repository}:TAG   # with the full host",
        ("short-name did not resolve to an alias",),
        (("short-?name",), ("unqualified-search",)),
    ),
    Failure(
        "image-not-local",
        None,
        "push",
        DOCKER,
        "The image does not exist on this machine",
        "No local image has exactly this reference, so nothing was pushed. The registry was not asked.",
        "docker tag IMAGE {host}/{repository}:TAG   # docker images lists local images",
        ("An image does not exist locally with the tag", "No such image"),
        (
            ("does not exist locally",),
            ("no such image",),
            ("tag does not exist",),
            ("image not known",),
            ("pushing image .{0,40}: no such file",),
        ),
    ),
    Failure(
        "platform",
        None,
        "pull",
        REPOSITORY_STATE,
        "The image was not built for this platform",
        "The repository has the image, but not for the operating system and architecture of this machine.",
        "docker buildx build --platform linux/amd64,linux/arm64 --push -t {host}/{repository}:TAG .",
        ("no match for platform in manifest", "exec format error"),
        (
            ("no match(?:ing)? .{0,60}(?:platform|manifest for (?:linux|windows|darwin))",),
            ("descriptor matching platform",),
            ("platform .{0,60}does not match|(?:match|wanted) .{0,40}platform",),
            ("no image found in .{0,40}for (?:architecture|platform)",),
            ("exec format error",),
            ("choosing (?:an )?image(?: instance)? from manifest list",),
        ),
    ),
    Failure(
        "http-on-https",
        None,
        "push",
        DOCKER,
        "The engine uses https, but the registry uses http",
        "By default, Docker allows plain http only for loopback hosts, and Podman for none.",
        'Docker: "insecure-registries": ["{host}"] in daemon.json. '
        "Podman: insecure = true for {host} in registries.conf.",
        ("server gave HTTP response to HTTPS client",),
        (
            ("server gave HTTP response to HTTPS client",),
            ("first record does not look like a TLS handshake",),
            ("wrong version number", "ssl|tls"),
        ),
    ),
)
