"""A run that leaks goes before the services beside it, however protected its worker is."""

from pathlib import Path

import pytest

from deployments.warm import killable as module
from deployments.warm.killable import Killable, killable


class Hearing:
    """Keeps what it is reported."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def started(self, value: object) -> None:
        """Keep it."""
        self.told.append(value)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kernel's files, one a process: its own lets few machines protect a process at all."""
    monkeypatch.setattr(module, "ADJUSTMENT", str(tmp_path / "{}"))
    return tmp_path


@pytest.mark.parametrize(("before", "after"), [("-500\n", "0"), ("0\n", "0\n"), ("300\n", "300\n")])
def test_a_run_has_none_of_its_workers_protection(before: str, after: str, kernel: Path) -> None:
    """The kernel would end an order service first; and a platform that lets its runs go first has its reasons."""
    for process in ("self", "4711"):
        (kernel / process).write_text(before)

    killable()
    Killable(hearing := Hearing()).started("a-host:4711")

    assert [(kernel / process).read_text() for process in ("self", "4711")] == [after, after]
    assert hearing.told == ["a-host:4711"]


def test_a_machine_that_knows_no_protection_is_no_fault(kernel: Path) -> None:
    """A Mac has no such file, and a process may be gone."""
    (kernel / "self").write_text("?")

    killable()
    Killable(hearing := Hearing()).started(None)

    assert hearing.told == [None]
