"""What holds for every file: its length, its place, and that it names no machine."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.house.source import PACKAGES, REPOSITORY, name, python_files, text_files

LONGEST_LINES_COUNT = 300
# A home or checkout folder of one person's machine. Assembled, so that this file does not name one.
MACHINE_PATH = re.compile(
    "(?:" + "|".join(("/" + "root/", "/" + "home/[a-z]", "/" + "Users/[A-Za-z]", "/" + "work/")) + ")"
)
LOCK = (REPOSITORY / "requirements" / "lock.txt").read_text("utf-8")


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
    packaging = pytest.importorskip("packaging.requirements")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    wanted = [packaging.Requirement(text) for text in _requirements(project)]
    locked = dict(re.findall(r"^([a-zA-Z0-9._-]+)(?:\[[^\]]*\])?==([^ \\;]+)", LOCK, re.MULTILINE))

    outside = [str(one) for one in wanted if not one.specifier.contains(locked.get(_canonical(one.name), "0"))]
    assert outside == []


def test_every_file_of_the_lock_is_hashed_and_no_host_is_named() -> None:
    """The same bytes are installed everywhere, from whichever index a desk uses."""
    pinned = re.findall(r"^[a-zA-Z0-9._-]+==.*$", LOCK, re.MULTILINE)

    assert pinned
    assert all(line.endswith("\\") for line in pinned)
    assert "://" not in LOCK
    assert "make lock" in LOCK.splitlines()[1]


def _requirements(project: dict[str, dict[str, list[str]]]) -> list[str]:
    return [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]


def _canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _read(path: Path) -> str:
    return str(path.read_text("utf-8", errors="replace"))
