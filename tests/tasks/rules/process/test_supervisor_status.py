"""What a status command says is believed where it says it plainly."""

import pytest

from tasks.rules.process.supervisor_status import StatusPatterns, Supervised, supervised_state

BOTH = StatusPatterns(running_when="RUNNING", stopped_when="STOPPED|EXITED")
RUNNING, STOPPED, UNKNOWN = Supervised.RUNNING, Supervised.STOPPED, Supervised.UNKNOWN


@pytest.mark.parametrize(
    ("exit_code", "text", "patterns", "state"),
    [
        (None, "RUNNING", BOTH, UNKNOWN),
        (0, "", StatusPatterns(), RUNNING),
        (3, "", StatusPatterns(), STOPPED),
        (0, "oms RUNNING", BOTH, RUNNING),
        (3, "oms STOPPED", BOTH, STOPPED),
        (0, "was RUNNING, now STOPPED", BOTH, UNKNOWN),
        (1, "cannot connect", BOTH, UNKNOWN),
        (0, "STARTING", BOTH, UNKNOWN),
        (0, "exited", StatusPatterns(running_when="^running$"), STOPPED),
        (1, "no such object", StatusPatterns(running_when="^running$"), UNKNOWN),
        (0, "running\n", StatusPatterns(running_when="^running$"), RUNNING),
        (0, "up", StatusPatterns(stopped_when="^down$"), RUNNING),
        (1, "timeout", StatusPatterns(stopped_when="^down$"), UNKNOWN),
        (1, "down", StatusPatterns(stopped_when="^down$"), STOPPED),
    ],
)
def test_a_state_is_what_the_command_plainly_says(
    exit_code: int | None, text: str, patterns: StatusPatterns, state: Supervised
) -> None:
    """A command that could not reach its supervisor must not make a service look stopped."""
    assert supervised_state(exit_code, text, patterns) is state
