"""What a process does once at its start, in a copy of itself."""

import os
import subprocess
import sys

import pytest

from deployments.stack.forked import CAN_FORK

PROGRAM = """
import os, sys
from deployments.stack.forked import in_copy
before = os.getpid()
def work():
    print(os.getpid() == before, flush=True)
    {work}
in_copy(work)
print("went on")
"""


def run(work: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", PROGRAM.format(work=work)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ))


@pytest.mark.skipif(not CAN_FORK, reason="this platform cannot fork")
def test_what_a_copy_has_done_is_done_elsewhere() -> None:
    """What the work imports stays out of a process that runs for months."""
    found = run("pass")

    assert found.stdout.split("\n") == ["False", "went on", ""]


@pytest.mark.parametrize(("work", "code"), [("sys.exit(2)", 2), ("raise ValueError('no schema')", 1)])
def test_work_that_fails_ends_the_start(work: str, code: int) -> None:
    """A server on a database that could not be migrated must not serve."""
    found = run(work)

    assert found.returncode == code
    assert "went on" not in found.stdout


@pytest.mark.skipif(not CAN_FORK, reason="this platform cannot fork")
def test_what_a_copy_has_found_comes_back_and_what_it_loaded_does_not() -> None:
    """A fork server without pandas is a third smaller, and so is every run."""
    program = """
import sys
from functools import partial
from deployments.stack.forked import from_copy
def work():
    import calendar
    sys.modules["loaded"] = calendar
    return [calendar.isleap(2024)]
print(from_copy(work), "loaded" in sys.modules)
from_copy(partial(sys.exit, 4))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout, done.returncode) == ("[True] False\n", 4)
