"""The switch of a fault, and how it is put around the code that it breaks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Switch:
    """Say whether the fault is in force, and tell those who act at the moment when it comes."""

    on: bool = False
    _actions: list[Callable[[], None]] = field(default_factory=list)

    def when_on(self, action: Callable[[], None]) -> None:
        """Do something each time the fault comes into force, on the event loop."""
        self._actions.append(action)

    def turn_on(self) -> None:
        """Put the fault in force."""
        self.on = True
        for action in self._actions:
            action()

    def toggle(self) -> None:
        """Put the fault in force, or end it."""
        if self.on:
            self.on = False
        else:
            self.turn_on()


def wrap(owner: type, name: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace a method by one that is put around it.

    Errors: AttributeError when there is no such method any more; the drill release then does not start.
    """
    setattr(owner, name, around(getattr(owner, name)))
