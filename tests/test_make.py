"""`make` and `.ci/run` on machines that lack things, with stand-ins for Python, pip, Docker and apt: offline and quick.

The real thing is what CI does before it can run this file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tools.lowest import lowest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("sh", "bash", "make", "rm", "rmdir", "mkdir", "cat", "head", "tail", "grep", "tee", "cp", "dirname", "mktemp",
         "sleep", "timeout", "env")  # fmt: skip

PYTHON = """\
#!/bin/sh
echo "$*" >>"$LOG"
here=$(dirname "$0")
case "$*" in
  *version_info*ensurepip*|*ensurepip*version_info*) exit $((OLD + BARE)) ;;
  *version_info*) exit $OLD ;;
  *"import ensurepip"*) exit $BARE ;;
  --version) echo "Python 3.9.2" ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo >"$3/bin/pip" ;;
  "-m ensurepip") [ "${NO_ENSUREPIP:-0}" = 0 ] && echo >"$here/pip" ;;
  "-m pip --version") [ -e "$here/pip" ] ;;
  "-m pip install "*)
    [ "${KILLED:-0}" = 0 ] || kill -9 $PPID
    [ "${OFFLINE:-0}" = 0 ] || { echo "ERROR: no matching distribution" >&2; exit 1; }
    printf '#!/bin/sh\\necho "app $*"\\n' >"$here/ecr-tui"; chmod +x "$here/ecr-tui" ;;
  "-m pytest"*) echo "pytest ran" ;;
esac
"""


class Machine:
    """A checkout and a PATH with nothing but shell tools on it; commands are added one by one."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "a checkout"
        self.checkout.mkdir()
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy2(ROOT / name, self.checkout)
        shutil.copytree(ROOT / "tools", self.checkout / "tools")
        shutil.copytree(ROOT / ".ci", self.checkout / ".ci")
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.log = folder / "log"
        self.log.write_text("")
        for tool in (*TOOLS, "chmod"):
            found = shutil.which(tool)
            assert found, tool
            (self.bin / tool).symlink_to(found)

    @property
    def venv(self) -> Path:
        return self.checkout / ".venv"

    def add(self, name: str, script: str) -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def add_python(self, name: str = "python3", *, old: bool = False, bare: bool = False) -> None:
        switches = f"OLD={int(old)}\nBARE={int(bare)}\n"
        self.add(name, PYTHON.replace("#!/bin/sh\n", "#!/bin/sh\n" + switches))

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": str(self.bin), "LOG": str(self.log), "HOME": str(self.checkout), "LC_ALL": "C", **environment}
        return subprocess.run(
            command, cwd=self.checkout, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
        )

    def make(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("make", *arguments, **environment)

    def calls(self) -> list[str]:
        """What Python was asked for since the last look."""
        text = self.log.read_text()
        self.log.write_text("")
        return text.splitlines()

    def installs(self) -> list[str]:
        return [call for call in self.calls() if call.startswith("-m pip install")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def said(result: subprocess.CompletedProcess[str]) -> str:
    """The one line for the user; make adds its own "*** Error" line to it."""
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.mark.parametrize("target", ["demo", "test", "check"])
def test_without_python_one_line_says_what_to_install(machine: Machine, target: str) -> None:
    result = machine.make(target)
    assert result.returncode != 0
    assert "Python 3.11 or newer" in said(result)
    assert "apt-get install python3 python3-venv" in said(result)
    assert not machine.venv.exists()


def test_an_old_python_is_named(machine: Machine) -> None:
    machine.add_python(old=True)
    result = machine.make("demo")
    assert result.returncode != 0
    assert "Python 3.11 or newer (found: Python 3.9.2)" in said(result)
    assert not machine.venv.exists()


def test_without_venv_one_line_says_what_to_install(machine: Machine) -> None:
    machine.add_python(bare=True)
    result = machine.make("demo")
    assert result.returncode != 0
    assert "python3 has no venv module" in said(result)
    assert "apt-get install python3-venv" in said(result)
    assert not machine.venv.exists()


def test_the_first_python_that_will_do_is_taken(machine: Machine) -> None:
    machine.add_python("python3", old=True)
    machine.add_python("python3.13", bare=True)
    machine.add_python("python3.12")
    result = machine.make("demo")
    assert result.returncode == 0, result.stderr
    assert "app demo" in result.stdout


def test_a_named_python_is_the_only_one_tried(machine: Machine) -> None:
    machine.add_python("python3")
    machine.add_python("ancient", old=True)
    result = machine.make("demo", "PYTHON=ancient")
    assert result.returncode != 0
    assert "found: Python 3.9.2" in said(result)
    assert machine.make("demo", PYTHON="python3").returncode == 0


def test_it_installs_once(machine: Machine) -> None:
    machine.add_python()
    assert "app demo --repositories 9" in machine.make("demo", "ARGS=--repositories 9").stdout
    assert machine.installs() == ["-m pip install --quiet --quiet --disable-pip-version-check -e .[demo]"]
    assert machine.make("demo").stdout == "app demo\n"
    assert machine.calls() == []


def test_the_tests_bring_what_the_demo_needs(machine: Machine) -> None:
    machine.add_python()
    machine.make("demo")
    machine.calls()
    assert "pytest ran" in machine.make("test").stdout
    assert [call for call in machine.installs() if "--group dev" in call]
    machine.make("demo")
    machine.make("test")
    assert machine.installs() == []


def test_changed_dependencies_are_installed(machine: Machine) -> None:
    machine.add_python()
    machine.make("test")
    machine.calls()
    later = (machine.venv / ".installed-demo").stat().st_mtime + 5
    os.utime(machine.checkout / "pyproject.toml", (later, later))
    machine.make("test")
    assert machine.installs()


def test_an_installation_that_was_killed_is_begun_anew(machine: Machine) -> None:
    machine.add_python()
    assert machine.make("demo", KILLED="1").returncode != 0
    (machine.venv / "half-written").write_text("")
    result = machine.make("demo")
    assert result.returncode == 0, result.stderr
    assert not (machine.venv / "half-written").exists()
    assert "app demo" in result.stdout


def test_an_installation_that_failed_says_so_and_is_tried_again(machine: Machine) -> None:
    machine.add_python()
    result = machine.make("demo", OFFLINE="1")
    assert result.returncode != 0
    assert "pip could not install ecr-tui" in result.stderr
    assert "app demo" not in result.stdout
    (machine.venv / "downloaded").write_text("")
    assert "app demo" in machine.make("demo").stdout
    assert (machine.venv / "downloaded").exists()


def test_a_moved_checkout_gets_a_new_environment(machine: Machine) -> None:
    machine.add_python()
    machine.make("demo")
    machine.calls()
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("elsewhere"))
    assert "app demo" in machine.make("demo").stdout
    assert "-m venv .venv" in machine.calls()


def test_a_checkout_reached_through_a_link_has_not_moved(machine: Machine) -> None:
    machine.add_python()
    machine.make("demo")
    machine.calls()
    link = machine.checkout.with_name("link")
    link.symlink_to(machine.checkout)
    assert machine.run("sh", "-c", f"cd '{link}' && make demo").stdout == "app demo\n"
    assert machine.calls() == []


def test_an_environment_whose_python_is_gone_is_made_anew(machine: Machine) -> None:
    machine.add_python()
    machine.make("demo")
    (machine.venv / "bin/python").unlink()
    (machine.venv / "bin/python").symlink_to(machine.bin / "gone")
    assert "app demo" in machine.make("demo").stdout


def foreign_environment(machine: Machine, *, old: bool = False) -> Path:
    """Made by somebody else, without pip, as uv does."""
    machine.add_python(old=old)
    (machine.venv / "bin").mkdir(parents=True)
    shutil.copy2(machine.bin / "python3", machine.venv / "bin/python")
    machine.add_python()
    theirs = machine.venv / "theirs"
    theirs.write_text("")
    return theirs


def test_an_environment_of_somebody_else_is_used_as_it_is(machine: Machine) -> None:
    theirs = foreign_environment(machine)
    assert "app demo" in machine.make("demo").stdout
    assert theirs.exists()
    assert "-m venv .venv" not in machine.calls()


@pytest.mark.parametrize("trouble", ["old", "no pip to be had", "empty of python"])
def test_an_unusable_environment_of_somebody_else_is_left_alone(machine: Machine, trouble: str) -> None:
    theirs = foreign_environment(machine, old=trouble == "old")
    if trouble == "empty of python":
        (machine.venv / "bin/python").unlink()
    result = machine.make("demo", NO_ENSUREPIP="1")
    assert result.returncode != 0
    assert "was not made by make" in said(result)
    assert theirs.exists()
    assert "app demo" in machine.make("demo", "VENV=ours").stdout


def test_check_runs_the_quick_checks_first(machine: Machine) -> None:
    machine.add_python()
    steps = machine.make("-n", "check").stdout
    order = [steps.index(step) for step in ("ruff check", "ruff format --check", "mypy", "lint-imports", "-m pytest")]
    assert order == sorted(order)


def test_the_lowest_versions_have_an_environment_of_their_own(machine: Machine) -> None:
    machine.add_python()
    assert "pytest ran" in machine.make("lowest").stdout
    (installed,) = [call for call in machine.installs() if "--constraint" in call]
    assert installed.endswith("--constraint .venv-lowest/lowest.txt -e .[demo] --group test")
    assert not machine.venv.exists()
    machine.make("lowest")
    assert machine.installs() == []


def test_the_lowest_version_of_each_dependency_is_a_constraint(tmp_path: Path) -> None:
    told = list(lowest(ROOT / "pyproject.toml"))
    for one in ("boto3==1.43.3", "botocore==1.43.3", "textual==8.2.8", "moto==5.2.5", "pytest==8.3"):
        assert one in told
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = (
        project["project"]["dependencies"],
        project["project"]["optional-dependencies"]["demo"],
        project["dependency-groups"]["test"],
    )
    assert len(told) == sum(map(len, groups))
    loose = tmp_path / "pyproject.toml"
    loose.write_text(
        '[project]\ndependencies = ["click"]\n[project.optional-dependencies]\ndemo = []\n'
        "[dependency-groups]\ntest = []\n"
    )
    with pytest.raises(ValueError, match="click declares no lowest version"):
        list(lowest(loose))


CLOSING = "=========== 1 failed, 41 passed in 12.34s ==========="


@pytest.fixture
def ci(machine: Machine) -> Machine:
    """A machine with all that CI needs."""
    machine.add_python()
    machine.add("skopeo", "#!/bin/sh\n")
    machine.add("podman", "#!/bin/sh\n")
    machine.add("docker", '#!/bin/sh\n[ ! -e "$LOG.no-engine" ] && echo 20.10\n')
    machine.add("dockerd", '#!/bin/sh\necho "failed to mount overlay: not permitted"\nexit 1\n')
    machine.add("apt-get", '#!/bin/sh\necho "apt-get $*" >>"$LOG"\n')
    machine.add(
        "make",
        '#!/bin/sh\necho "make $*" >>"$LOG"\n'
        'if [ "$1" = lowest ]; then echo "===== 9 passed in 1.00s ====="; exit ${LOWEST_EXIT:-0}; fi\n'
        f'echo "{CLOSING}"\necho "make: *** [test] Error 1" >&2\nexit ${{MAKE_EXIT:-0}}\n',
    )
    return machine


def test_ci_ends_with_the_exit_code_of_make_and_the_closing_line(ci: Machine) -> None:
    result = ci.run("bash", ".ci/run", MAKE_EXIT="2")
    assert result.returncode == 2
    assert result.stdout.splitlines()[-1] == CLOSING
    assert ci.run("bash", ".ci/run").returncode == 0
    assert not [call for call in ci.calls() if call.startswith("apt-get")]


def test_ci_tests_the_lowest_versions_first_and_tells_check_last(ci: Machine) -> None:
    assert ci.run("bash", ".ci/run").stdout.splitlines()[-1] == "make: *** [test] Error 1"
    assert [call for call in ci.calls() if call.startswith("make")] == ["make lowest", "make check"]
    result = ci.run("bash", ".ci/run", LOWEST_EXIT="2")
    assert result.returncode == 2
    assert "make lowest failed with exit code 2: see above." in result.stdout
    assert result.stdout.splitlines()[-1] == CLOSING
    assert [call for call in ci.calls() if call.startswith("make")] == ["make lowest", "make check"]


def test_ci_installs_what_is_missing_and_nothing_else(ci: Machine) -> None:
    (ci.bin / "skopeo").unlink()
    ci.run("bash", ".ci/run")
    calls = [call for call in ci.calls() if call.startswith("apt-get")]
    assert calls == ["apt-get update", "apt-get install -y --no-install-recommends skopeo"]
    (ci.bin / "dockerd").unlink()
    Path(f"{ci.log}.no-engine").write_text("")
    ci.add_python(bare=True)
    ci.run("bash", ".ci/run")
    assert ci.calls()[-1].endswith("python3 python3-venv skopeo docker.io")


def test_ci_shows_the_log_of_an_engine_that_does_not_start(ci: Machine) -> None:
    Path(f"{ci.log}.no-engine").write_text("")
    result = ci.run("bash", ".ci/run")
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1] == "failed to mount overlay: not permitted"
