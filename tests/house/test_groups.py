"""Tests that share a server or a stack stay in one of the processes that share the work."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.sharing import ONCE, group
from tests.house.source import REPOSITORY

SHARING = """
from pathlib import Path
import pytest
from tests.fakes.sharing import end_what_is_over

STORY = Path(__file__).with_name("story")

@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    yield
    end_what_is_over(item, nextitem)

def say(word):
    with STORY.open("a") as story:
        story.write(word + "\\n")

@pytest.fixture(scope="session")
def stack():
    say("up")
    yield
    say("down")

@pytest.fixture(autouse=True)
def told(request):
    yield
    say(request.node.name)
"""
TESTS = """
def test_one(stack): pass
def test_two(): pass
def test_three(stack): pass
"""


def test_whoever_shares_is_in_a_group(request: pytest.FixtureRequest) -> None:
    """Outside of it each process starts a stack of its own, they take each other's ports, and nobody knows why."""
    sharing = [one for one in request.session.items if set(ONCE) & set(getattr(one, "fixturenames", ()))]

    assert [one.nodeid for one in sharing if not group(one.nodeid) and "drill" not in one.keywords] == []


def test_most_files_are_alone() -> None:
    """A group is one process's work: what need not be in one makes the whole slower."""
    assert group("tests/bench/test_figures.py::test_one") is None
    assert group("tests/e2e/test_stack.py::test_one") == group("tests/e2e/test_forms.py::test_two") == "stack"


def test_what_is_shared_ends_with_those_who_share_it(tmp_path: Path) -> None:
    """A stack that idles takes a tenth of a core from all other tests; who comes later gets another one."""
    (tmp_path / "tests" / "e2e").mkdir(parents=True)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tmp_path / "conftest.py").write_text(SHARING, "utf-8")
    (tmp_path / "tests" / "e2e" / "test_sharing.py").write_text(TESTS, "utf-8")
    (tmp_path / "tests" / "test_alone.py").write_text("def test_alone(): pass\ndef test_late(stack): pass\n", "utf-8")
    places = [str(tmp_path / "tests" / "e2e"), str(tmp_path / "tests" / "test_alone.py")]
    plain = [
        "-p",
        "no:cacheprovider",
        "-p",
        "no:schemathesis",
        "--rootdir",
        str(tmp_path),
        "-c",
        str(tmp_path / "pytest.ini"),
    ]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plain, *places], cwd=REPOSITORY, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stdout.decode()
    story = (tmp_path / "story").read_text("utf-8").split()
    assert story == ["up", "test_one", "test_two", "test_three", "down", "test_alone", "up", "test_late", "down"]
