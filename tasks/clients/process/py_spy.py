"""Read the stacks of a Python process from outside, without stopping it and without its help (py-spy)."""

import shutil
import subprocess
import sys
from pathlib import Path


def read_stacks(pid: int, timeout_s: float) -> str | None:
    """Read the stacks of every thread, or None where the tool is missing, forbidden or too slow.

    Source: py-spy, a sampling profiler that reads another process's memory; `--nonblocking` never pauses it.
    """
    tool = _tool()
    if tool is None:
        return None
    try:
        done = subprocess.run(
            [tool, "dump", "--nonblocking", "--pid", str(pid)],
            capture_output=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (subprocess.TimeoutExpired, OSError):
        return None
    return done.stdout.decode("utf-8", errors="replace") if done.returncode == 0 else None


def _tool() -> str | None:
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else shutil.which("py-spy")
