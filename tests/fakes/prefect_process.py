"""A Prefect server of one test alone, which it may end and start again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployments.local_http import answers
from tests.fakes.polling import eventually


@contextmanager
def server(home: Path, port: int) -> Iterator[str]:
    """Run a Prefect server on a database that outlives it."""
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.prefect_server", "127.0.0.1", str(port)],
            env={**kept, "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"},
            stdout=log,
            stderr=log,
        )
    try:
        api = f"http://127.0.0.1:{port}/api"
        eventually(lambda: answers(f"{api}/health"), within_s=90, every_s=0.2)
        yield api
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            # It waits for calls that nobody will end; to those who need it, it is gone either way.
            process.kill()
            process.wait(10)
