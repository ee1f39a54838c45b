#!/bin/sh
# Make .venv and install into it, hashed, what running needs (`run`), or that and what the tests need (`dev`).
# Called by `make setup` and `make setup-dev`; a second run with the same locks does nothing.
# PYTHON names another interpreter, VENV another folder. Where uv cannot be had, pip does it, in a minute in place of seconds.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONPATH PYTHONHOME PIP_USER
VENV=${VENV:-.venv}
BUSY=.setup-running
WANTED=${1:-run}
case $WANTED in
    run) LOCKS=requirements/lock.txt ;;
    dev) LOCKS="requirements/lock.txt requirements/dev.txt" ;;
    *) echo "usage: requirements/install.sh [run|dev]" >&2 && exit 2 ;;
esac

fail() {
    echo "$1" >&2
    exit 1
}

# The folder is part of the stamp: scripts in a virtual environment name it, so a moved copy is made anew.
stamp() {
    pwd
    cksum requirements/lock.txt pyproject.toml requirements/install.sh
    if [ "$1" = dev ]; then cksum requirements/dev.txt; fi
}

installed() {
    [ -f "$VENV/.installed-$1" ] && [ "$(cat "$VENV/.installed-$1")" = "$(stamp "$1")" ]
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        if new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    fail "PYTHON_TOO_OLD: expected Python 3.11 or newer as ${PYTHON:-python3}, was $(${PYTHON:-python3} --version 2>&1 | tail -1); install one or name it: make setup PYTHON=/path/to/python3.11"
}

wait_for_another_setup() {
    while [ -f "$BUSY" ] && kill -0 "$(cat "$BUSY")" 2>/dev/null; do
        echo "Waiting for the set-up that process $(cat "$BUSY") is running"
        sleep 2
    done
}

make_environment() {
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "VENV_MISSING: expected $python to have the modules venv and ensurepip; on Debian and Ubuntu: apt-get install python3-venv"
    echo "Making $VENV with $("$python" --version)"
    "$python" -m venv --clear "$VENV"
}

# Give one of pip's options as pip itself would take it: from the environment, else from its files.
pip_option() {
    for section in :env: install global; do
        value=$(printf '%s\n' "$PIP_OPTIONS" | sed -n "s/^$section\\.$1='\\(.*\\)'\$/\\1/p" | sed 's/\\n/ /g')
        if [ -n "$value" ]; then
            printf '%s' "$value"
            return
        fi
    done
}

# Name what uv is to use as pip would; what the environment says to uv itself goes first.
set_for_uv() {
    value=$(pip_option "$2")
    if [ -n "$value" ] && [ -z "$(printenv "$1")" ]; then export "$1=$value"; fi
}

# uv reads no pip.conf: the indexes, folders and certificates of a desk are named there.
configure_uv() {
    PIP_OPTIONS=$("$VENV/bin/python" -m pip config list)
    set_for_uv UV_DEFAULT_INDEX index-url
    set_for_uv UV_INDEX extra-index-url
    set_for_uv UV_FIND_LINKS find-links
    set_for_uv UV_INSECURE_HOST trusted-host
    set_for_uv UV_NO_INDEX no-index
    set_for_uv UV_HTTP_TIMEOUT timeout
    set_for_uv UV_HTTP_TIMEOUT default-timeout
    set_for_uv ALL_PROXY proxy
    set_for_uv SSL_CERT_FILE cert
    # As pip does: one index beside another, not before it. The hashes say what may come from either.
    export UV_INDEX_STRATEGY="${UV_INDEX_STRATEGY:-unsafe-best-match}" UV_PYTHON="$VENV/bin/python"
}

# Give a uv: the one that is there, or the lock's own; nothing where neither can be had.
find_uv() {
    if uv --version >/dev/null 2>&1; then
        command -v uv
        return
    fi
    block=$(mktemp)
    sed -n '/^uv==/,/^    # via/p' requirements/lock.txt >"$block"
    "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r "$block" >&2 &&
        echo "$VENV/bin/uv"
    rm -f "$block"
}

# Show what the installer is at: on one line of a terminal, every ten seconds elsewhere.
follow() {
    seconds=0
    while kill -0 "$1" 2>/dev/null; do
        at="$seconds s: $(tail -n 1 "$2" | cut -c -60)"
        if [ -t 1 ]; then
            printf '\r\033[K%s' "$at"
        elif [ $((seconds % 10)) = 9 ]; then
            echo "$at"
        fi
        sleep 1
        seconds=$((seconds + 1))
    done
    if [ -t 1 ]; then printf '\r\033[K'; fi
}

# Run an installer, and show its own words where it fails.
run_installer() {
    log=$(mktemp)
    "$@" >"$log" 2>&1 &
    installer=$!
    follow "$installer" "$log"
    ended=0
    wait "$installer" || ended=$?
    if [ "$ended" != 0 ]; then tail -n 20 "$log" >&2; fi
    rm -f "$log"
    return "$ended"
}

# --no-deps: the locks are complete, and the resolver of pip refuses hashed extras.
install_locks() {
    set -- --no-deps --require-hashes
    for lock in $LOCKS; do set -- "$@" -r "$lock"; done
    uv=$(find_uv || true)
    if [ -n "$uv" ] && configure_uv &&
        run_installer "$uv" pip install "$@" &&
        run_installer "$uv" pip install --no-deps --no-build-isolation --editable . &&
        run_installer "$uv" pip check; then
        return
    fi
    echo "Without uv: pip installs, which takes about a minute"
    pip="$VENV/bin/python -m pip --disable-pip-version-check"
    run_installer $pip install "$@"
    run_installer $pip install --no-deps --no-build-isolation --editable .
    run_installer $pip check
}

wait_for_another_setup
if installed "$WANTED" || { [ "$WANTED" = run ] && installed dev; }; then
    exit 0
fi

# A busy file without its process is an interrupted set-up: what it left half-written is thrown away.
made_elsewhere() {
    for made in "$VENV"/.installed*; do
        if [ -f "$made" ] && [ "$(head -1 "$made")" != "$(pwd)" ]; then return 0; fi
    done
    return 1
}
if [ -f "$BUSY" ] || ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || made_elsewhere; then
    echo $$ >"$BUSY"
    make_environment
fi
echo $$ >"$BUSY"
rm -f "$VENV"/.installed*
echo "Installing $(cat $LOCKS | grep -c '^[a-z].*==') packages from $LOCKS"
install_locks
stamp "$WANTED" >"$VENV/.installed-$WANTED"
rm -f "$BUSY"
