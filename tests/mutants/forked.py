"""Run the fast tests in a process forked for it, with one mutant imported in place of its module."""

import importlib.util
import json
import os
import sys
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest
from coverage import Coverage

from tests.mutants.mutant import REPOSITORY, Mutant

FAST = "not e2e and not live and not prefect and not drill and not browser"
OURS = frozenset({"bench", "deployments", "flows", "order_service", "tasks", "tests"})
# The libraries are imported before the processes are forked, pytest's plugins among them.
EARLY = "ignore::pytest.PytestAssertRewriteWarning"
PLAIN = ("-q", "-m", FAST, "-W", EARLY, *("-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:xdist"))


class Loader(SourceFileLoader):
    """Load the mutant's source in place of what stands in the file."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(REPOSITORY / mutant.path))
        self._source = mutant.source

    def get_code(self, fullname: str) -> CodeType:
        """Compile the mutant; no bytecode of it is kept."""
        return compile(self._source, self.get_filename(fullname), "exec")


class Finder(MetaPathFinder):
    """Find the mutant before the file."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the one module that is mutated."""
        del path, target
        if fullname != self._mutant.module:
            return None
        return importlib.util.spec_from_loader(fullname, Loader(self._mutant), origin=self._mutant.path)


class Chosen:
    """Keep the tests that matter, the quickest first."""

    def __init__(self, order: Sequence[str]) -> None:
        self._places = {node: place for place, node in enumerate(order)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the rest out; this hook comes after those that mark."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self._places), key=lambda item: self._places[item.nodeid]
        )


class Traced:
    """Note which test runs which lines, what CPU time each takes, and which of them fail without any mutant."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []
        self._began_s = 0.0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin a test's own lines, those of its fixtures included."""
        self._coverage.switch_context(nodeid)
        self._began_s = time.process_time()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note what a test took, on a machine that may do other work as well."""
        self.seconds[nodeid] = time.process_time() - self._began_s

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that fails."""
        if report.failed:
            self.failed.append(report.nodeid)


def run_tests(mutant: Mutant | None, tests: Sequence[str]) -> int:
    """Run tests against a mutant, in a process that is forked for it; give pytest's exit code."""
    if mutant is not None:
        sys.meta_path.insert(0, Finder(mutant))
    files = sorted({test.partition("::")[0] for test in tests})
    return int(pytest.main([*PLAIN, "-x", *files], plugins=[Chosen(tests)]))


def trace(files: Sequence[str], measured: Sequence[Path], place: Path) -> int:
    """Run tests as they are and write down what each runs; give pytest's exit code."""
    coverage = Coverage(data_file=None, include=[str(path) for path in measured], config_file=False)
    traced = Traced(coverage)
    coverage.start()
    code = int(pytest.main([*PLAIN, *files], plugins=[traced]))
    coverage.stop()
    data = coverage.get_data()
    lines = {
        Path(name).relative_to(REPOSITORY).as_posix(): {
            str(line): contexts for line, contexts in data.contexts_by_lineno(name).items()
        }
        for name in data.measured_files()
    }
    libraries = sorted(name for name in sys.modules if name.partition(".")[0] not in OURS and not name.startswith("_"))
    story: dict[str, Any] = {"lines": lines, "seconds": traced.seconds, "failed": traced.failed, "libraries": libraries}
    place.write_text(json.dumps(story), "utf-8")
    return code


def silenced() -> None:
    """Let a child say nothing: what it finds is its exit code."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
