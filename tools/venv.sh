#!/bin/sh
# The virtual environment that make works in.
#   tools/venv.sh install DIRECTORY demo|dev|lowest
#                                              make it, or repair it, and install ecr-tui with what `make demo` or `make test`
#                                              needs, or with the lowest versions that pyproject.toml declares
#   tools/venv.sh stale DIRECTORY              prints "stale" where its stamps cannot be believed
# Only an environment made here is ever removed; one that somebody else made is used as it is.
set -eu

command=$1
venv=$2
marker=$venv/.made-by-make   # holds the folder it was made in: a virtual environment cannot be moved
unfinished=$venv/.unfinished # there while an installation runs, so that one which was killed is not trusted

fail() {
  echo "$1" >&2
  exit 1
}

version_ok() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

works() { version_ok "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

moved() { [ -f "$marker" ] && [ "$(cat "$marker")" != "$(pwd -P)" ]; }

find_python() {
  without_venv=
  too_old=
  if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3 python3.14 python3.13 python3.12 python3.11 python; fi
  for candidate in "$@"; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    if ! version_ok "$candidate"; then
      too_old=${too_old:-$("$candidate" --version 2>&1 | head -n 1 || true)}
    elif ! "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
      without_venv=${without_venv:-$candidate}
    else
      python=$candidate
      return
    fi
  done
  if [ -n "$without_venv" ]; then
    fail "$without_venv has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv), or name another Python with make PYTHON=/path/to/python3."
  fi
  fail "ecr-tui needs Python 3.11 or newer${too_old:+ (found: $too_old)}: install it (Debian, Ubuntu: apt-get install python3 python3-venv; Fedora: dnf install python3; macOS: brew install python), or name it with make PYTHON=/path/to/python3."
}

prepare() {
  rmdir "$venv" 2>/dev/null || true
  if [ -f "$marker" ]; then
    if moved || [ -e "$unfinished" ] || ! works; then rm -rf "$venv"; fi
  elif [ -e "$venv" ] || [ -L "$venv" ]; then
    if version_ok "$venv/bin/python" && ! works; then # uv makes environments without pip
      "$venv/bin/python" -m ensurepip >/dev/null 2>&1 || true
    fi
    works || fail "$venv was not made by make and has no working Python 3.11 or newer with pip: remove it, or use another folder with make VENV=other-folder."
  fi
  [ -e "$venv" ] && return
  find_python
  mkdir -p "$venv"
  pwd -P >"$marker"
  : >"$unfinished"
  "$python" -m venv "$venv" || fail "$python could not make a virtual environment in $venv (its message is above)."
}

pip_install() {
  "$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check "$@" && return
  rm -f "$unfinished" # pip ended by itself and has rolled back: what is installed can stay
  fail "pip could not install ecr-tui into $venv (its message is above): check the network and the package index, then run make again."
}

case $command in
stale)
  if moved || [ ! -x "$venv/bin/python" ]; then echo stale; fi
  ;;
install)
  prepare
  rm -f "$venv/.installed" "$venv/.installed-demo" "$venv/.installed-lowest"
  : >"$unfinished"
  case $3 in
  demo)
    echo "Installing ecr-tui into $venv ..."
    pip_install -e '.[demo]'
    ;;
  dev)
    echo "Installing ecr-tui and its development tools into $venv ..."
    pip_install --upgrade 'pip>=25.1' # the first with --group
    pip_install -e '.[demo]' --group dev
    : >"$venv/.installed"
    ;;
  lowest)
    echo "Installing ecr-tui with the lowest declared versions into $venv ..."
    "$venv/bin/python" -m tools.lowest >"$venv/lowest.txt"
    pip_install --upgrade 'pip>=25.1'
    pip_install --constraint "$venv/lowest.txt" -e '.[demo]' --group test
    : >"$venv/.installed-lowest"
    ;;
  esac
  : >"$venv/.installed-demo"
  rm -f "$unfinished"
  ;;
esac
