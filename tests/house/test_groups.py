"""Tests that share a server or a stack stay in one of the processes that share the work."""

import pytest


@pytest.mark.xdist_group("together")
def test_a_group_is_known_to_those_who_hand_out_the_work(request: pytest.FixtureRequest) -> None:
    """Without it each process starts a stack of its own, they take each other's ports, and nobody is told why."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("one process runs all, or files stay together")

    assert request.node.nodeid.endswith("@together")
