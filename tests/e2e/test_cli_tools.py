"""The AWS CLI, docker and skopeo against `ecr-tui demo --serve`: what they say on AWS, they must say here."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.served import ServedDemo
from tests.test_docs import shell_blocks

pytestmark = pytest.mark.thorough

pytest_plugins = ["tests.support.engines"]

A, B = "111111111111", "222222222222"
DEVUSR2 = f"arn:aws:iam::{B}:user/devusr2"
REPOSITORY = "my-first-repo"
NO_POLICY = "because no resource-based policy allows"
AWS = Path(sys.executable).with_name("aws")


def needs(tool: str) -> None:
    from tests.support.engines import missing  # pytest wants to load its plugin first

    if shutil.which(tool) is None:
        missing(f"{tool} is not installed")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDemo]:
    served = ServedDemo(tmp_path_factory.mktemp("served"))
    try:
        yield served
    finally:
        served.stop()


def aws(demo: ServedDemo, profile: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return demo.run(AWS, *arguments, "--profile", profile, "--output", "json")


def answer(demo: ServedDemo, profile: str, *arguments: str) -> dict[str, object]:
    result = aws(demo, profile, *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def ecr_tui(demo: ServedDemo, *arguments: str) -> subprocess.CompletedProcess[str]:
    return demo.run(sys.executable, "-m", "ecr_tui", *arguments, "--profile-a", "account-a", "--profile-b", "dev-acc")


def uri(demo: ServedDemo, name: str = REPOSITORY) -> str:
    repositories = answer(demo, "account-a", "ecr", "describe-repositories", "--repository-names", name)["repositories"]
    return str(repositories[0]["repositoryUri"])


def password(demo: ServedDemo, profile: str = "dev-acc") -> str:
    result = demo.run(AWS, "ecr", "get-login-password", "--profile", profile)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def granted(demo: ServedDemo) -> Iterator[None]:
    """devusr2 may push to and pull from the repository, for one test."""
    result = ecr_tui(demo, "grant", REPOSITORY, "--to", "user/devusr2", "--if-tag", "Team=Payments", "--yes", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)[0]["written"] is True
    yield
    result = ecr_tui(demo, "undo", "--json")
    assert result.returncode == 0, result.stderr


# -- the AWS CLI ---------------------------------------------------------------------------------------------------


def test_aws_lists_the_owners_repositories_and_their_tags(demo: ServedDemo) -> None:
    assert uri(demo).startswith("127.0.0.1:")
    arn = f"arn:aws:ecr:eu-central-1:{A}:repository/{REPOSITORY}"
    assert answer(demo, "account-a", "ecr", "list-tags-for-resource", "--resource-arn", arn)["tags"] == [
        {"Key": "Team", "Value": "Payments"}
    ]
    found = answer(
        demo, "account-a", "resourcegroupstaggingapi", "get-resources", "--tag-filters", "Key=Team,Values=Payments",
        "--resource-type-filters", "ecr:repository",
    )  # fmt: skip
    assert arn in {resource["ResourceARN"] for resource in found["ResourceTagMappingList"]}


def test_aws_as_b_means_its_own_registry_unless_it_names_another(demo: ServedDemo) -> None:
    own = answer(demo, "dev-acc", "ecr", "describe-repositories")["repositories"]
    assert {one["registryId"] for one in own} == {B}
    there = ("ecr", "list-images", "--registry-id", A, "--repository-name", REPOSITORY)
    result = aws(demo, "dev-acc", *there)
    assert result.returncode != 0
    assert f"User: {DEVUSR2} is not authorized to perform: ecr:ListImages" in result.stderr


def test_aws_sets_policies_as_strictly_as_ecr(demo: ServedDemo) -> None:
    def put(document: object) -> str:
        result = aws(
            demo, "account-a", "ecr", "set-repository-policy", "--repository-name", REPOSITORY,
            "--policy-text", json.dumps(document),
        )  # fmt: skip
        assert result.returncode != 0
        return result.stderr

    statement = {"Effect": "Allow", "Principal": {"AWS": DEVUSR2}, "Action": "ecr:BatchGetImage"}
    assert "Invalid repository policy provided" in put(
        {"Version": "2012-10-17", "Statement": [{**statement, "Action": ["ecr:GetAuthorizationToken"]}]}
    )
    assert "Principal not found" in put(
        {
            "Version": "2012-10-17",
            "Statement": [{**statement, "Principal": {"AWS": f"arn:aws:iam::{B}:user/nobody"}}],
        }
    )


def test_aws_reads_the_policy_that_ecr_tui_wrote(demo: ServedDemo, granted: None) -> None:
    text = answer(demo, "account-a", "ecr", "get-repository-policy", "--repository-name", REPOSITORY)["policyText"]
    (statement,) = [one for one in json.loads(str(text))["Statement"] if str(one.get("Sid", "")).startswith("EcrTui")]
    assert statement["Principal"] == {"AWS": DEVUSR2}
    assert statement["Condition"] == {"StringEquals": {"aws:ResourceTag/Team": "Payments"}}
    assert "ecr:PutImage" in statement["Action"]


# -- docker ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def docker(demo: ServedDemo, docker_host: str) -> Iterator[str]:
    """The name of a local image in a real engine, with account B logged in at A's registry."""
    needs("docker")
    demo.settings["DOCKER_HOST"] = docker_host
    archive = demo.home / "root.tar"
    with tarfile.open(archive, "w") as tar:
        content = os.urandom(512)
        entry = tarfile.TarInfo("unique")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    image = f"ecr-tui-e2e:{secrets.token_hex(4)}"
    result = demo.run("docker", "import", archive, image)
    assert result.returncode == 0, result.stderr
    host = uri(demo).split("/")[0]
    login = demo.run("docker", "login", "--username", "AWS", "--password-stdin", host, stdin=password(demo))
    assert login.returncode == 0, login.stderr
    assert "Login Succeeded" in login.stdout
    yield image
    demo.run("docker", "rmi", "--force", image)


@pytest.mark.docker
def test_docker_login_with_a_wrong_password_is_refused(demo: ServedDemo, docker: str, tmp_path: Path) -> None:
    host = uri(demo).split("/")[0]
    result = demo.run(
        "docker", "--config", tmp_path, "login", "--username", "AWS", "--password-stdin", host, stdin="wrong"
    )
    assert result.returncode != 0
    assert "Login Succeeded" not in result.stdout


@pytest.mark.docker
def test_docker_push_is_denied_before_the_grant(demo: ServedDemo, docker: str) -> None:
    target = f"{uri(demo)}:denied"
    demo.run("docker", "tag", docker, target)
    result = demo.run("docker", "push", target)
    demo.run("docker", "rmi", target)
    assert result.returncode != 0
    # docker asks HEAD blob first, whose refusal has no body to carry a reason.
    assert "denied" in result.stderr.lower() or "403" in result.stderr or NO_POLICY in result.stderr


@pytest.mark.docker
def test_docker_pushes_and_pulls_after_the_grant(demo: ServedDemo, docker: str, granted: None) -> None:
    target = f"{uri(demo)}:v1"
    demo.run("docker", "tag", docker, target)
    pushed = demo.run("docker", "push", target)
    assert pushed.returncode == 0, pushed.stderr
    (digest,) = {word for word in pushed.stdout.split() if word.startswith("sha256:")}
    for name in (target, docker):
        removed = demo.run("docker", "rmi", name)
        assert removed.returncode == 0, removed.stderr
    pulled = demo.run("docker", "pull", target)
    assert pulled.returncode == 0, pulled.stderr
    assert f"Digest: {digest}" in pulled.stdout
    demo.run("docker", "tag", target, docker)
    demo.run("docker", "rmi", target)
    images = answer(demo, "account-a", "ecr", "describe-images", "--repository-name", REPOSITORY)["imageDetails"]
    assert [image["imageDigest"] for image in images if "v1" in image.get("imageTags", [])] == [digest]


@pytest.mark.docker
def test_docker_is_still_denied_on_a_neighbour(demo: ServedDemo, docker: str, granted: None) -> None:
    target = f"{uri(demo, 'search/indexer')}:v1"
    demo.run("docker", "tag", docker, target)
    result = demo.run("docker", "push", target)
    demo.run("docker", "rmi", target)
    assert result.returncode != 0


# -- skopeo ----------------------------------------------------------------------------------------------------------


def oci_layout(folder: Path) -> tuple[str, str]:
    """An image of one layer as skopeo reads it; its source name and its digest."""

    def blob(content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
        (folder / "blobs/sha256" / digest).write_bytes(content)
        return {"digest": f"sha256:{digest}", "size": len(content)}

    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(os.urandom(8).hex()))
    layer = blob(raw.getvalue())
    config = blob(
        json.dumps(
            {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
        ).encode()
    )
    media = "application/vnd.oci.image"
    manifest = blob(
        json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{media}.manifest.v1+json",
                "config": {"mediaType": f"{media}.config.v1+json", **config},
                "layers": [{"mediaType": f"{media}.layer.v1.tar", **layer}],
            }
        ).encode()
    )
    names = {"annotations": {"org.opencontainers.image.ref.name": "v2"}}
    index = {"schemaVersion": 2, "manifests": [{"mediaType": f"{media}.manifest.v1+json", **manifest, **names}]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return f"oci:{folder}:v2", str(manifest["digest"])


@pytest.fixture
def skopeo(demo: ServedDemo, tmp_path: Path) -> list[str]:
    return logged_in(demo, tmp_path, "dev-acc")


def logged_in(demo: ServedDemo, folder: Path, profile: str) -> list[str]:
    """The start of a skopeo command that is logged in and keeps its credentials in the test's folder."""
    needs("skopeo")
    auth = folder / "auth.json"
    host = uri(demo).split("/")[0]
    login = demo.run(
        "skopeo", "login", "--tls-verify=false", "--authfile", auth, "--username", "AWS", "--password-stdin", host,
        stdin=password(demo, profile),
    )  # fmt: skip
    assert login.returncode == 0, login.stderr
    return ["--insecure-policy", "copy", "--authfile", str(auth), "--src-tls-verify=false", "--dest-tls-verify=false"]


@pytest.mark.docker
def test_skopeo_copies_only_after_the_grant(
    demo: ServedDemo, skopeo: list[str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source, digest = oci_layout(tmp_path / "layout")
    target = f"docker://{uri(demo)}:v2"
    denied = demo.run("skopeo", *skopeo, source, target)
    assert denied.returncode != 0
    assert "denied" in denied.stderr.lower() or "403" in denied.stderr

    request.getfixturevalue("granted")
    pushed = demo.run("skopeo", *skopeo, "--preserve-digests", source, target)
    assert pushed.returncode == 0, pushed.stderr
    pulled = demo.run("skopeo", *skopeo, target, f"dir:{tmp_path / 'back'}")
    assert pulled.returncode == 0, pulled.stderr
    manifest = (tmp_path / "back/manifest.json").read_bytes()
    assert f"sha256:{hashlib.sha256(manifest).hexdigest()}" == digest


def test_account_c_pulls_by_the_aws_cli_and_skopeo_once_its_organization_may(demo: ServedDemo, tmp_path: Path) -> None:
    organization = answer(demo, "partner-c", "organizations", "describe-organization")["Organization"]["Id"]  # type: ignore[index]
    start, host = logged_in(demo, tmp_path, "partner-c"), uri(demo).split("/")[0]
    image = (
        "ecr",
        "batch-get-image",
        "--registry-id",
        A,
        "--repository-name",
        REPOSITORY,
        "--image-ids",
        "imageTag=latest",
    )

    def pulls(name: str) -> tuple[bool, bool]:
        by_aws = aws(demo, "partner-c", *image, "--repository-name", name)
        by_skopeo = demo.run("skopeo", *start, f"docker://{host}/{name}:latest", f"dir:{tmp_path / 'pulled'}")
        return by_aws.returncode == 0, by_skopeo.returncode == 0

    assert pulls(REPOSITORY) == (False, False)
    granted = ecr_tui(demo, "grant", REPOSITORY, "--to", f"org/{organization}", "--access", "pull", "--yes", "--json")
    assert granted.returncode == 0, granted.stderr
    assert pulls(REPOSITORY) == (True, True)
    assert pulls("payments/ledger") == (False, False)
    assert ecr_tui(demo, "revoke", REPOSITORY, "--to", f"org/{organization}", "--yes").returncode == 0
    assert pulls(REPOSITORY) == (False, False)


def test_the_aws_cli_makes_a_function_once_lambda_may_pull(demo: ServedDemo) -> None:
    create = (
        "lambda", "create-function", "--function-name", "pull", "--package-type", "Image",
        "--role", f"arn:aws:iam::{B}:role/EcrDeveloper", "--code", f"ImageUri={uri(demo)}:latest",
    )  # fmt: skip
    denied = aws(demo, "dev-acc", *create)
    assert "(AccessDeniedException) when calling the CreateFunction operation" in denied.stderr
    assert "Lambda does not have permission to access the ECR image. Check the ECR permissions." in denied.stderr
    explained = demo.run(sys.executable, "-m", "ecr_tui", "explain", denied.stderr)
    assert "lambda.amazonaws.com" in explained.stdout
    assert ecr_tui(demo, "grant", REPOSITORY, "--to", "service/lambda.amazonaws.com", "--yes").returncode == 0
    made = aws(demo, "dev-acc", *create)
    undone = ecr_tui(demo, "undo", "--json")
    assert (made.returncode, undone.returncode) == (0, 0), made.stderr


@pytest.mark.docker
def test_the_guides_commands_for_other_tools(demo: ServedDemo, docker: str) -> None:
    """As they stand there, in a shell that has pasted the exports: only the push before the grant is refused."""
    needs("skopeo")
    (commands,) = [block for block in shell_blocks("Demo for other tools") if "docker push" in block]
    home = demo.home
    (home / ".config/containers").mkdir(parents=True, exist_ok=True)
    (home / ".config/containers/policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    (home / "ecr-tui").write_text(f'#!/bin/sh\nexec {sys.executable} -m ecr_tui "$@"\n')
    (home / "ecr-tui").chmod(0o755)
    # One login for docker and skopeo, which looks for docker's only where docker has it by default.
    setup = (
        f'PATH="{home}:{AWS.parent}:$PATH"\nexport DOCKER_CONFIG="$HOME/.docker"\ndocker tag {docker} my-image:latest\n'
    )
    lines = commands.splitlines()
    script = setup + "".join(f'{line}\necho "[line {number}: $?]"\n' for number, line in enumerate(lines))
    result = demo.run("sh", "-c", f'{script}docker rmi --force my-image:latest "$REPO:v1"')
    ecr_tui(demo, "undo", "--json")
    codes = [int(code) for code in re.findall(r"^\[line \d+: (\d+)\]$", result.stdout, re.MULTILINE)]
    said = f"{result.stdout}\n{result.stderr}"
    assert len(codes) == len(lines), said
    assert [line for line, code in zip(lines, codes, strict=True) if code] == [
        line for line in lines if line.endswith("# denied")
    ], said
    assert (home / "image/manifest.json").is_file()


# -- its end ---------------------------------------------------------------------------------------------------------


def test_its_end_leaves_nothing_and_its_secrets_differ_from_start_to_start(demo: ServedDemo, tmp_path: Path) -> None:
    served = ServedDemo(tmp_path)
    told = [Path(value) for value in served.exports.values() if value.startswith("/")]
    assert told
    assert all(path.exists() for path in told)
    secret = password(served)
    code, errors = served.stop()
    assert code == 0
    assert "Traceback" not in errors
    assert not any(path.exists() for path in told)
    assert list(served.temporary.iterdir()) == []
    assert secret != password(demo)
