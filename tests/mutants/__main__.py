"""Draw mutants of the deciding rules and let the fast tests try to kill each: `python -m tests.mutants --seed 7`.

Nothing is written into the working tree: a mutant lives in the memory of a forked process, and what hypothesis keeps in
a directory of its own. A mutant is killed where a test fails, nothing can be imported, or the time runs out.
"""

import argparse
import contextlib
import importlib
import itertools
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tests.mutants.forked import run_tests, silenced, trace
from tests.mutants.mutant import REPOSITORY, Mutant, deciding_files, drawn

TESTS = (
    "tests/tasks/test_*.py",
    "tests/tasks/rules/**/test_*.py",
    "tests/tasks/regression/test_*.py",
    "tests/tasks/counters/test_*.py",
    "tests/flows/test_*.py",
)
BAR_RATIO = 0.95
# A mutant that hangs is ended after what its tests take several times over, on a machine that does other work as well.
LIMIT_S, LIMIT_TIMES = 60.0, 20.0
LONGEST_TEST_S = 3.0
FIRST_FILES_COUNT, FIRST_TESTS_COUNT = 4, 60
PASSED = 0
# What pytest ends with: all passed or none ran; one failed, nothing could be imported, or the time was up.
SAID = {0: "S", 5: "S", 1: ".", 2: ".", -signal.SIGKILL: "t"}
SURVIVED = frozenset({0, 5})


@dataclass(slots=True)
class Known:
    """Hold which tests run which lines of which module, and what CPU time each takes under the tracer."""

    lines: dict[str, dict[int, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    seconds: dict[str, float] = field(default_factory=dict)
    libraries: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    slow: set[str] = field(default_factory=set)

    def add(self, place: Path) -> None:
        """Take what one traced run has written down.

        A test that does not bear being traced, or is not fast, is left out: it would be run against each survivor.
        """
        story = json.loads(place.read_text("utf-8"))
        self.left_out |= set(story["failed"])
        self.seconds |= story["seconds"]
        self.slow |= {test for test, took_s in story["seconds"].items() if took_s > LONGEST_TEST_S}
        self.libraries |= set(story["libraries"])
        for path, lines in story["lines"].items():
            for line, tests in lines.items():
                self.lines[path][int(line)] |= set(tests) - {""}

    def tests_for(self, mutant: Mutant) -> list[str]:
        """Name the tests that run the changed lines, the quickest first; what runs at import concerns every test."""
        of_module = self.lines.get(mutant.path, {})
        if mutant.is_at_top:
            first = set().union(*of_module.values()) if of_module else set()
            return [*self._quickest(first), *self._quickest(set(self.seconds) - first)]
        # A statement over several lines is known by the line that it begins with.
        begins = [line for line in of_module if line <= mutant.line and of_module[line]]
        near = range(max(begins, default=mutant.line), mutant.last_line + 1)
        return self._quickest(set().union(*(of_module.get(line, set()) for line in near)))

    def _quickest(self, tests: set[str]) -> list[str]:
        return sorted(tests - self.left_out - self.slow, key=lambda test: (self.seconds.get(test, 0.0), test))


def main() -> int:
    """Say which mutants survive; 1 where fewer than 95 of 100 are killed."""
    given = _arguments()
    started = time.monotonic()
    files = [path for path in deciding_files() if given.only in path.as_posix()]
    mutants = list(itertools.islice(drawn(files, given.seed), given.count))
    with _away_from_the_tree() as directory:
        known = _traced(files, directory, given.processes)
        _say(f"{len(known.seconds)} fast tests, {len(mutants)} mutants of {len(files)} modules, seed {given.seed}")
        _import_libraries(known.libraries)
        survivors = _survivors(mutants, known, given.processes)
    for mutant in survivors:
        _say(f"\nSURVIVES {mutant.path}:{mutant.line}\n{mutant.diff()}")
        _say(f"  before = {json.dumps(mutant.before)}\n  after = {json.dumps(mutant.after)}")
    killed = len(mutants) - len(survivors)
    _say(f"\n{time.monotonic() - started:.0f} s; {killed} of {len(mutants)} mutants killed")
    return 0 if mutants and killed >= BAR_RATIO * len(mutants) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="which mutants are drawn")
    parser.add_argument("--count", type=int, default=100, help="how many")
    parser.add_argument("--only", default="", help="of modules whose path holds this alone, for instance guards/")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


@contextlib.contextmanager
def _away_from_the_tree() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = f"{name}/hypothesis"
        os.chdir(REPOSITORY)
        yield Path(name)


def _traced(files: Sequence[Path], directory: Path, processes: int) -> Known:
    """Run every fast test once without a mutant, in several processes, each its share of the files."""
    tests = sorted(path.relative_to(REPOSITORY).as_posix() for name in TESTS for path in REPOSITORY.glob(name))
    running = {}
    for share in range(processes):
        place = directory / f"traced-{share}.json"
        running[_forked(lambda s=share, p=place: trace(tests[s::processes], files, p))] = place
    known = Known()
    for pid, place in running.items():
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if not place.exists():
            sys.exit(f"TESTS_FAIL: expected a traced run of the fast tests, was exit code {code}; run `make test-fast`")
        known.add(place)
    _pass_as_they_are(known.left_out)
    return known


def _pass_as_they_are(tests: set[str]) -> None:
    """Prove that what failed under the tracer fails for its slowness alone: a red test would kill every mutant.

    Errors: SystemExit where one fails.
    """
    if not tests:
        return
    pid = _forked(lambda: run_tests(None, sorted(tests)))
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != PASSED:
        sys.exit(f"TESTS_FAIL: expected every fast test to pass without a mutant, was {sorted(tests)}; fix them first")


def _import_libraries(names: set[str]) -> None:
    """Import once what each child would import again; nothing of ours, since a mutant must be seen by all of it."""
    for name in sorted(names):
        with contextlib.suppress(Exception):
            importlib.import_module(name)


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant and the tests that may kill it: a few quick ones first, then all of them."""

    mutant: Mutant
    stages: tuple[tuple[str, ...], ...]
    limit_s: float

    def after_the_first(self) -> "Trial | None":
        """Give what is left to try."""
        return replace(self, stages=self.stages[1:]) if len(self.stages) > 1 else None


def _trial(mutant: Mutant, known: Known) -> Trial:
    tests = known.tests_for(mutant)
    files = [name for name, _ in Counter(test.partition("::")[0] for test in tests).most_common(FIRST_FILES_COUNT)]
    first = [test for test in tests if test.partition("::")[0] in files][:FIRST_TESTS_COUNT]
    stages = [stage for stage in (first, tests) if stage]
    limit_s = LIMIT_S + LIMIT_TIMES * sum(known.seconds.get(test, 0.0) for test in tests)
    return Trial(mutant, tuple(map(tuple, stages if len(first) < len(tests) else stages[:1])), limit_s)


def _survivors(mutants: Sequence[Mutant], known: Known, processes: int) -> list[Mutant]:
    """Try every mutant, several at a time."""
    waiting = [_trial(mutant, known) for mutant in mutants]
    survivors = [trial.mutant for trial in waiting if not trial.stages]
    waiting = [trial for trial in waiting if trial.stages]
    running: dict[int, tuple[Trial, float]] = {}
    while waiting or running:
        while waiting and len(running) < processes:
            trial = waiting.pop()
            running[_forked(partial(run_tests, trial.mutant, trial.stages[0]))] = (trial, time.monotonic())
        for pid, code in _ended(running):
            trial, _ = running.pop(pid)
            left = trial.after_the_first() if code in SURVIVED else None
            if left is not None:
                waiting.append(left)
                continue
            if code not in SAID:
                where = f"{trial.mutant.path}:{trial.mutant.line}"
                sys.exit(f"MUTANT_RUN_BROKEN: expected an exit code of pytest, was {code} at {where}")
            _say(SAID[code], end="")
            survivors += [trial.mutant] if code in SURVIVED else []
    return sorted(survivors, key=lambda one: (one.path, one.line))


def _ended(running: Mapping[int, tuple[Trial, float]]) -> list[tuple[int, int]]:
    """Wait for those that end, and end those that take too long: a mutant that hangs was noticed."""
    while True:
        ended = [os.waitpid(pid, os.WNOHANG) for pid in running]
        if found := [(pid, os.waitstatus_to_exitcode(status)) for pid, status in ended if pid]:
            return found
        for pid, (trial, since) in running.items():
            if time.monotonic() - since > trial.limit_s:
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _forked(run: Callable[[], int]) -> int:
    """Run something in a child that says nothing; its exit code is the answer."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            silenced()
            code = run()
        finally:
            os._exit(code)
    return pid


def _say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
