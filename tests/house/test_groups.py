"""Tests that share a server or a stack stay in one of the processes that share the work."""

import pytest

from tests.fakes.sharing import scope

ONCE = ("stack", "prefect_api")


def test_whoever_shares_is_in_a_group(request: pytest.FixtureRequest) -> None:
    """Outside of it each process starts a stack of its own, they take each other's ports, and nobody is told why."""
    sharing = [one for one in request.session.items if set(ONCE) & set(getattr(one, "fixturenames", ()))]

    assert [one.nodeid for one in sharing if scope(one.nodeid) == one.nodeid and "drill" not in one.keywords] == []


def test_most_tests_are_alone() -> None:
    """A group is one process's work: what need not be in one makes the whole slower."""
    assert scope("tests/house/test_groups.py::test_most_tests_are_alone") == (
        "tests/house/test_groups.py::test_most_tests_are_alone"
    )
    assert scope("tests/e2e/test_stack.py::test_one") == scope("tests/e2e/test_forms.py::test_two") == "stack"
