"""No regular expression of the product costs more than the length of the text that it is held against."""

import re

import pytest

from tasks.clients.logs.engine import RegexEngine
from tasks.rules.logs.traces.gather import PREFIX_CHARACTERS, prefix_pattern
from tests.house.patterns import Expression, calls, expressions, slow_shape

# Put together from parts where they are used; each is tried below, or is made of our own settings alone.
BUILT = {
    "tasks.clients.logs.engine": "the engine's own patterns",
    "tasks.rules.logs.words": "kept by the module, and tried with all others",
    "tasks.rules.logs.traces.gather": "the prefix of a trace",
    "tasks.rules.postmortem.merge_edits": "a marker with a name of ours in it",
    "tasks.work.postmortem.accepted_checks": "held against the name of a check",
    "tasks.clients.service.instances": "the process_pattern of the settings, with an instance's own port in it",
    "tasks.model.messages.channels": "kept by the module, and tried with all others",
}


def test_no_expression_costs_more_than_the_length_of_its_text() -> None:
    """One line of 120 KiB once held up every triage for minutes: an expression went back over it at each letter."""
    slow = {name: slow_shape(expression) for name, expression in expressions().items()}

    assert {name: shape for name, shape in slow.items() if shape} == {}


def test_no_pattern_of_the_log_engine_costs_more_than_the_length_of_its_text() -> None:
    """Where hyperscan has no wheel, these expressions see every byte of every log."""
    engine = [Expression("engine", pattern, "search") for pattern in RegexEngine().expressions]

    assert [one.pattern.pattern for one in engine if slow_shape(one)] == []


@pytest.mark.parametrize("letter", ["0", "1:", "00:00:00.", " ", "(", "\\", "a"])
def test_the_prefix_of_a_trace_makes_no_costly_expression(letter: str) -> None:
    """What stands before a trace is foreign text, and becomes an expression of its own."""
    prefix = (letter * PREFIX_CHARACTERS)[:PREFIX_CHARACTERS]

    assert slow_shape(Expression("prefix", prefix_pattern(prefix), "match")) is None


def test_every_expression_is_tried() -> None:
    """A new expression that is put together where it is used would not be found, and so not be tried."""
    built = {call.place for call in calls() if call.expression is None and not call.is_kept}

    assert built <= set(BUILT), "write the expression out, or keep it in the module"


@pytest.mark.parametrize(
    "expression", [r"(?:a+)+$", r"\S+:\d+", r"[ \t]*at", r"(a|a)*b", r'"(?:[^"\\]|\\.)*"', r"\w+(?:::\w+)*Error"]
)
def test_a_careless_expression_is_found(expression: str) -> None:
    """The search for slow texts is worth nothing where it finds none."""
    assert slow_shape(Expression("test", re.compile(expression), "search"))
