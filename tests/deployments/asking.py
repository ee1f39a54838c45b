"""Type a command of `runbook` as a person does, in this process, and keep how it ended."""

import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deployments.cli import main
from tests.fakes.service.monitored_service import Patient

FAST = {"connect_timeout_s": 0.5, "health_timeout_s": 0.5, "metrics_timeout_s": 0.5, "order_timeout_s": 0.5}


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Read stdout as the one JSON document that it must be; JSON has no NaN."""
        return json.loads(self.out, parse_constant=_refused)

    @property
    def one_line(self) -> str:
        """Give the one line of stderr; fails where there is another, or a traceback."""
        (line,) = self.err.splitlines()
        return line


class Terminal:
    """A folder without settings, and the command line in it."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self._patch, self._capture = folder, patch, capture
        patch.chdir(folder)
        for name in [name for name in os.environ if name.upper().startswith("RUNBOOK_")]:
            patch.delenv(name)

    def types(self, *words: str) -> Ended:
        """Run a command here."""
        self._capture.readouterr()
        code = _code_of(self._patch, words)
        said = self._capture.readouterr()
        return Ended(code, said.out, said.err)

    def watches(self, patient: Patient, **more: str) -> None:
        """Write settings that watch a service; further keys are given as TOML."""
        self.settings(settings_of(patient, **more))

    def settings(self, text: str) -> None:
        """Write the settings file."""
        (self.folder / "runbook.toml").write_text(text, "utf-8")


def runbook(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in this process, in an environment with more variables: a process of its own takes a second."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in variables.items():
            patch.setenv(name, value)
        code = _code_of(patch, words)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def _code_of(patch: pytest.MonkeyPatch, words: Sequence[str]) -> int:
    patch.setattr(sys, "argv", ["runbook", *words])
    with warnings.catch_warnings():
        # cyclopts takes a call without words for a mistake of the test; the words are in sys.argv, as in life.
        warnings.filterwarnings("ignore", "Cyclopts application invoked", UserWarning)
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)


def settings_of(patient: Patient, **more: str) -> str:
    """Write the settings of a service as TOML."""
    look = ", ".join(f"{name} = {value}" for name, value in FAST.items())
    keys = {
        "base_url": f'"{patient.service.url}"',
        "process_pattern": rf"'order_service\.stub .*--port {patient.service.port}'",
        "synthetic_orders": '{equity = {symbol = "ZVZZT"}}',
        "look": f"{{{look}}}",
        **more,
    }
    return "[services.order-service]\n" + "\n".join(f"{key} = {value}" for key, value in keys.items()) + "\n"


def started(folder: Path, *words: str, program: str = "", **variables: str) -> Ended:
    """Run a command as a process of its own; `program` runs around it, with `run()` to run it."""
    code = (
        f"import sys\nsys.argv = ['runbook', *{list(words)!r}]\n"
        f"def run():\n    from deployments.cli import main\n    main()\n{program or 'run()'}\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("RUNBOOK_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**kept, **variables},
        capture_output=True,
        check=False,
        timeout=60,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def _refused(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")
