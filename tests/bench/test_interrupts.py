"""A bench that a person stops: it cleans up, and one line says so."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import REPOSITORY

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that asks another process to stop"),
]

BENCH = """
import os, signal, sys, time
from bench.machine import to_its_end

def work():
    try:
        print(os.getpid(), flush=True)
        time.sleep(60)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        print("stopped", flush=True)

sys.exit(to_its_end("this bench", work))
"""
ALL = f"""
import sys
from pathlib import Path
from bench.machine import run_child, to_its_end

sys.exit(to_its_end("the benches", lambda: run_child([sys.executable, "-c", {BENCH!r}], Path("."))))
"""


@pytest.mark.parametrize(("script", "names"), [(BENCH, ["this bench"]), (ALL, ["this bench", "the benches"])])
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_bench_that_is_stopped_cleans_up_and_says_so(script: str, names: list[str], asked: signal.Signals) -> None:
    """A stack that an interrupted bench leaves behind takes its core from the next measurement, and nobody knows."""
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=Path(REPOSITORY), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(asked)
        out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert out == "stopped\n"
    assert [line.split(" was ")[0] for line in err.splitlines()] == [
        f"INTERRUPTED: expected the end of {name}" for name in names
    ]
