"""The foreground of `runbook up`: whatever ends it, nothing is left running."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deployments.stack import watching
from deployments.stack.state_dir import StateDir


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keep what was stopped."""
    stops: list[str] = []
    monkeypatch.setattr(watching, "_stop", lambda _, mark: stops.append(mark))
    return stops


def view_that(end: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the view end so."""
    monkeypatch.setattr(watching, "_show", lambda *_: end())


def hung_up() -> None:
    """End as rich does on a terminal that is gone: it cannot draw its last frame."""
    try:
        raise KeyboardInterrupt
    finally:
        raise OSError(5, "Input/output error")


def unread() -> None:
    """End as a pipe does that nobody reads."""
    raise BrokenPipeError(32, "Broken pipe")


def pressed() -> None:
    """End as Ctrl-C does."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("end", [pressed, hung_up])
def test_a_closed_terminal_stops_the_stack_as_ctrl_c_does(
    end: Callable[[], None], stopped: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A session that is cut off would leave a stack that acts, and nobody who knows of it."""
    view_that(end, monkeypatch)
    monkeypatch.setattr(watching, "say", lambda _: unread() if end is hung_up else None)

    watching.watch(StateDir(tmp_path), "ours")

    assert stopped == ["ours"]


def test_a_view_that_nobody_reads_stops_the_stack_and_says_so(
    stopped: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`runbook up | head` has no foreground any more."""
    view_that(unread, monkeypatch)

    with pytest.raises(BrokenPipeError):
        watching.watch(StateDir(tmp_path), "ours")

    assert stopped == ["ours"]
