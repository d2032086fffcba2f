"""A verification against what one would do by hand, on the same sandbox in the same run. Prints; asserts no time.

Rows whose tool (docker and an engine, skopeo) is missing are left out. Each round runs every row once, in turn, so that
a machine that slows down slows all of them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from ecr_tui.errors import EnvironmentFailure
from ecr_tui.registry.choose import choose_engine
from ecr_tui.registry.engine import Credentials, Engine, Reference
from ecr_tui.registry.probe import make_probe
from ecr_tui.secret import Secret
from tests.benchmarks.measures import Row, Skipped, seconds, times
from tests.support.served import ServedDemo

ROUNDS = 5
REPOSITORY = "my-first-repo"
AWS = Path(sys.executable).with_name("aws")


class Bench:
    def __init__(self, demo: ServedDemo) -> None:
        self.demo = demo
        self.folder = demo.home / "work"
        self.folder.mkdir()
        self.requests: int | None = None
        uri = json.loads(
            self.run(AWS, "ecr", "describe-repositories", "--repository-names", REPOSITORY, "--profile", "account-a")
        )["repositories"][0]["repositoryUri"]
        self.host = str(uri).partition("/")[0]
        self.run(sys.executable, "-m", "ecr_tui", "grant", REPOSITORY, "--to", "user/devusr2", "--yes")
        token = json.loads(self.run(AWS, "ecr", "get-authorization-token", "--profile", "dev-acc"))
        encoded = token["authorizationData"][0]["authorizationToken"]
        self.password = base64.b64decode(encoded).decode().partition(":")[2]
        self.credentials = Credentials("AWS", Secret(self.password))

    def run(self, *command: str | Path, stdin: str = "") -> str:
        done = self.demo.run(*command, stdin=stdin)
        if done.returncode:
            raise SystemExit(f"{command}: {done.stderr or done.stdout}")
        return done.stdout

    def reference(self) -> Reference:
        return Reference(self.host, REPOSITORY, make_probe(datetime.now(UTC)).tag)

    # Each row does the same: log in, push a new image of one small layer, get it back, leave nothing here.

    def by_engine(self, name: str) -> Callable[[], None]:
        def row() -> None:
            with contextlib.closing(choose_engine(name, self.host)) as engine:
                self._by(engine)

        return row

    def _by(self, engine: Engine) -> None:
        image, never = make_probe(datetime.now(UTC)), Event()
        reference = Reference(self.host, REPOSITORY, image.tag)
        engine.login(self.host, self.credentials, never)
        engine.tag(image, reference, never)
        pushed = engine.push(reference, self.credentials, lambda _: None, never)
        pulled = engine.pull(reference, self.credentials, lambda _: None, never)
        if pushed.digest != pulled.digest:
            raise SystemExit("the digests differ")
        engine.remove_local(reference)
        if pushed.requests and pulled.requests:
            self.requests = 1 + pushed.requests + pulled.requests

    def by_docker_cli(self) -> None:
        name = f"{self.host}/{REPOSITORY}:{make_probe(datetime.now(UTC)).tag}"
        archive = self._archive("bench:local")
        self.run("docker", "load", "--quiet", "--input", archive)
        self.run("docker", "login", "--username", "AWS", "--password-stdin", self.host, stdin=self.password)
        self.run("docker", "tag", "bench:local", name)
        self.run("docker", "push", "--quiet", name)
        self.run("docker", "rmi", name, "bench:local")
        self.run("docker", "pull", "--quiet", name)
        self.run("docker", "rmi", name)

    def by_hand(self) -> None:
        self.password = self.run(AWS, "ecr", "get-login-password", "--profile", "dev-acc").strip()
        self.by_docker_cli()

    def by_skopeo(self) -> None:
        reference = self.reference()
        archive, back = self._archive(str(reference)), self.folder / "back"
        shutil.rmtree(back, ignore_errors=True)
        there, creds = f"docker://{reference}", f"AWS:{self.password}"
        self.run(
            "skopeo", "copy", "-q", "--dest-tls-verify=false", "--dest-creds", creds, f"docker-archive:{archive}", there
        )
        self.run("skopeo", "copy", "-q", "--src-tls-verify=false", "--src-creds", creds, there, f"dir:{back}")

    def by_command(self, engine: str) -> Callable[[], None]:
        verify = (sys.executable, "-m", "ecr_tui", "verify", REPOSITORY, "--engine", engine, "--isolation", "none")
        return lambda: self.run(*verify) and None

    def _archive(self, name: str) -> Path:
        """A new image each time, as `docker save` writes it: making it costs a millisecond."""
        path = self.folder / "image.tar"
        path.write_bytes(make_probe(datetime.now(UTC)).docker_archive(name))
        return path


def main(rounds: int = ROUNDS) -> list[Row | Skipped]:
    os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost")
    with tempfile.TemporaryDirectory(prefix="ecr-tui-bench-") as folder:
        demo = ServedDemo(Path(folder))
        try:
            return report(Bench(demo), rounds)
        finally:
            demo.stop()


def report(bench: Bench, rounds: int) -> list[Row | Skipped]:
    try:
        choose_engine("docker", bench.host).close()
        docker = shutil.which("docker") is not None
    except EnvironmentFailure:
        docker = False
    protocol: dict[str, Callable[[], None]] = {"our direct engine": bench.by_engine("direct")}
    whole: dict[str, Callable[[], None]] = {"ecr-tui verify --engine direct": bench.by_command("direct")}
    if docker:
        protocol["our docker engine"] = bench.by_engine("docker")
        protocol[_BY_HAND] = bench.by_docker_cli
        whole["ecr-tui verify --engine docker"] = bench.by_command("docker")
        whole[_SHELL] = bench.by_hand
    if shutil.which("skopeo"):
        protocol[_COPIES] = bench.by_skopeo
    medians: dict[str, float] = {}
    for title, rows, baseline in (
        ("login, push and pull of one small image", protocol, _BY_HAND),
        ("the whole command: who am I, token, login, push, pull, compare, clean up", whole, "aws ecr get-login"),
    ):
        took: dict[str, list[float]] = {name: [] for name in rows}
        for row in rows.values():
            row()
        for _ in range(rounds):
            for name, row in rows.items():
                begun = time.perf_counter()
                row()
                took[name].append(time.perf_counter() - begun)
        here = {name: statistics.median(found) for name, found in took.items()}
        medians |= here
        base = next((median for name, median in here.items() if name.startswith(baseline)), None)
        print(f"{title} (medians of {rounds})")
        for name, median in sorted(here.items(), key=lambda item: item[1]):
            ratio = f"{median / base:6.2f} x" if base else "       -"
            print(f"  {median * 1000:9.1f} ms {ratio}   {name}")
    if bench.requests:
        print(f"requests of the direct engine, login included: {bench.requests}")
    return table(medians)


_BY_HAND = "docker load, login, tag, push, rmi, pull, rmi"
_SHELL = "aws ecr get-login-password, then the same docker commands"
_COPIES = "skopeo copy there, skopeo copy back"


def table(medians: Mapping[str, float]) -> list[Row | Skipped]:
    def row(what: str, ours: str, other: str, words: str) -> Row | Skipped:
        missing = [name for name in (ours, other) if name not in medians]
        if missing:
            return Skipped(what + f", against {words}", "docker with an engine" if "docker" in missing[0] else "skopeo")
        return Row(
            what,
            seconds(medians[ours]),
            f"{words}: {seconds(medians[other])}",
            times(medians[other], medians[ours]),
        )

    push = "Log in, push and pull one small image"
    return [
        row(f"{push}, direct engine", "our direct engine", _BY_HAND, "`docker` by hand"),
        row(f"{push}, direct engine", "our direct engine", _COPIES, "`skopeo copy` there and back"),
        row(f"{push}, docker engine", "our docker engine", _BY_HAND, "`docker` by hand"),
        row(
            "The whole `ecr-tui verify`, direct engine",
            "ecr-tui verify --engine direct",
            _SHELL,
            "`aws` and `docker` by hand",
        ),
        row(
            "The whole `ecr-tui verify`, docker engine",
            "ecr-tui verify --engine docker",
            _SHELL,
            "`aws` and `docker` by hand",
        ),
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
