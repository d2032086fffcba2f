"""`ecr-tui demo --serve` as another program, for tests with real tools."""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support import forking

STARTS_WITHIN = 30.0
_KEPT = ("PATH", "LANG", "DOCKER_HOST", "DOCKER_CONTEXT")


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of the machine's AWS, Docker or ecr-tui settings; temporary files go below ``home``."""
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "DOCKER_CONFIG": str(home / "docker"),
        "ECR_TUI_STATE_DIR": str(home / "state"),
        **more,
    }


class ServedDemo:
    """``exports`` are the variables it told, ``settings`` a test's own, ``environment`` the shell that has both."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self._base = clean_environment(home)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ecr_tui", "demo", "--serve", *arguments],
            cwd=home,
            env=self._base,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.exports: dict[str, str] = {}
        self.settings: dict[str, str] = {}
        try:
            self._read_exports()
        except BaseException:
            self.process.kill()
            self.process.communicate()
            raise

    @property
    def environment(self) -> dict[str, str]:
        return {**self._base, **self.exports, **self.settings}

    @property
    def temporary(self) -> Path:
        return Path(self._base["TMPDIR"])

    def _read_exports(self) -> None:
        """Until AWS_CONFIG_FILE is told, which says that the rest of that write is there too."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + STARTS_WITHIN
        text = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"AWS_CONFIG_FILE" not in text or not text.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise AssertionError(f"no exports within {STARTS_WITHIN:.0f} s: {text!r}")
                chunk = os.read(self.process.stdout.fileno(), 65536)
                text += chunk
                if not chunk:
                    errors = self.process.communicate()[1].decode()
                    raise AssertionError(f"demo --serve ended at once: {errors}")
        for line in text.decode().splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["export"]:
                self.exports.update(word.split("=", 1) for word in words[1:])

    def run(self, *command: str | Path, stdin: str = "", timeout: float = 120) -> subprocess.CompletedProcess[str]:
        if [str(word) for word in command[:3]] == [sys.executable, "-m", "ecr_tui"]:
            arguments = [str(word) for word in command[3:]]
            return forking.run(arguments, environment=self.environment, folder=self.home, stdin=stdin, timeout=timeout)
        return subprocess.run(
            [str(word) for word in command],
            cwd=self.home,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code, and what it said on stderr."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            _, errors = self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode, errors.decode()
