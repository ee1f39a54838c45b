"""What holds for every file: its length, its place, and that it names no machine."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from tests.house.source import PACKAGES, REPOSITORY, name, python_files, text_files

LONGEST_LINES_COUNT = 300
# A home or checkout folder of one person's machine. Assembled, so that this file does not name one.
MACHINE_PATH = re.compile(
    "(?:" + "|".join(("/" + "root/", "/" + "home/[a-z]", "/" + "Users/[A-Za-z]", "/" + "work/")) + ")"
)
LOCKS = {path.name: path.read_text("utf-8") for path in (REPOSITORY / "requirements").glob("*.txt")}


def test_no_file_is_too_long_to_read() -> None:
    """A file is read in one sitting, or it is two files."""
    lengths = {name(path): len(_read(path).splitlines()) for path in python_files(*PACKAGES, "bench", "tests")}

    assert {file: count for file, count in lengths.items() if count > LONGEST_LINES_COUNT} == {}


def test_no_file_names_a_place_on_one_machine() -> None:
    """What works in one folder works in any."""
    named = {name(path): found.group() for path in text_files() if (found := MACHINE_PATH.search(_read(path)))}

    assert named == {}


def test_the_lock_holds_every_dependency_within_its_bounds() -> None:
    """`make lock` was run after the last change of pyproject.toml."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    run, redis = LOCKS["lock.txt"], LOCKS["redis.txt"]
    groups, extras = project["dependency-groups"], project["project"]["optional-dependencies"]
    wanted = [
        *((text, run) for text in (*project["project"]["dependencies"], *groups["install"])),
        *((text, run + LOCKS["dev.txt"]) for text in groups["dev"] if isinstance(text, str)),
        *((text, run + redis) for text in extras["redis"]),
    ]

    outside = [text for text, lock in wanted if not _is_locked(Requirement(text), lock)]
    assert outside == []


def test_what_only_tests_need_is_not_installed_to_run() -> None:
    """The first `make run` of a newcomer waits for nothing that it does not use."""
    run, dev = ({package for package, _ in _pinned(LOCKS[file])} for file in ("lock.txt", "dev.txt"))

    assert {"prefect", "uv", "hatchling"} <= run
    assert {"pytest", "mypy", "playwright", "scipy"} <= dev
    assert run & dev == set()


def test_every_file_of_the_lock_is_hashed_and_no_host_is_named() -> None:
    """The same bytes are installed everywhere, from whichever index a desk uses."""
    for lock in LOCKS.values():
        pinned = re.findall(r"^[a-zA-Z0-9._-]+==.*$", lock, re.MULTILINE)

        assert pinned
        assert all(line.endswith("\\") for line in pinned)
        assert "://" not in lock
        assert "make lock" in lock.splitlines()[1]


def _pinned(lock: str) -> list[tuple[str, str]]:
    return re.findall(r"^([a-zA-Z0-9._-]+)(?:\[[^\]]*\])?==([^ \\;]+)", lock, re.MULTILINE)


def _is_locked(wanted: Requirement, lock: str) -> bool:
    return bool(wanted.specifier.contains(dict(_pinned(lock)).get(_canonical(wanted.name), "0")))


def _canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _read(path: Path) -> str:
    return str(path.read_text("utf-8", errors="replace"))
