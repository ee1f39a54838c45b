#!/bin/sh
# Make .venv and install the lock into it; a second run with the same lock does nothing.
# Called by `make setup`. PYTHON names another interpreter, VENV another folder.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONPATH PYTHONHOME PIP_USER
VENV=${VENV:-.venv}
STAMP=$VENV/.installed
BUSY=.setup-running

fail() {
    echo "$1" >&2
    exit 1
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

# The folder is part of the stamp: scripts in a virtual environment name it, so a moved copy is made anew.
wanted() {
    pwd
    cksum requirements/lock.txt pyproject.toml requirements/install.sh
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

install_lock() {
    pip="$VENV/bin/python -m pip --disable-pip-version-check"
    echo "Installing requirements/lock.txt (about a minute)"
    # --no-deps: the lock is complete, and the resolver of pip refuses hashed extras.
    $pip install -qq --no-deps --require-hashes -r requirements/lock.txt
    $pip install -qq --no-deps --no-build-isolation --editable .
    $pip check
}

wait_for_another_setup
if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(wanted)" ]; then
    exit 0
fi

# A busy file without its process is an interrupted set-up: what it left half-written is thrown away.
if [ -f "$BUSY" ] || ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1 ||
    { [ -f "$STAMP" ] && [ "$(head -1 "$STAMP")" != "$(pwd)" ]; }; then
    echo $$ >"$BUSY"
    make_environment
fi
echo $$ >"$BUSY"
install_lock
wanted >"$STAMP"
rm -f "$BUSY"
