"""The one switch of safety rule 12, from most careful to least."""

from enum import StrEnum


class Mode(StrEnum):
    """How far the automation may go: observe and report, ask first, or act."""

    OBSERVE = "observe"
    PROPOSE = "propose"
    ACT = "act"

    @property
    def boldness(self) -> int:
        """Rank the mode: 0 observe, 1 propose, 2 act."""
        return list(Mode).index(self)


def more_careful(one: Mode, other: Mode) -> Mode:
    """Choose the more careful of two modes: a run may ask for less than the switch allows, never for more."""
    return one if one.boldness <= other.boldness else other
