"""The service as a process of its own, started, killed and asked over its socket."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def service_process(state_dir: Path, port: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m order_service`; whatever happens, it is gone afterwards."""
    state_dir.mkdir(parents=True, exist_ok=True)
    ours = {
        "STATE_DIR": str(state_dir),
        "PORT": str(port),
        "CONTROL_TOKEN": "test-token",
        "RELEASE": "9.9.9",
        **settings,
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORDER_SERVICE_")}
    environment |= {f"ORDER_SERVICE_{name}": value for name, value in ours.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "order_service"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
