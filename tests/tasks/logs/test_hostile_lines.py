"""Lines made to keep a regular expression busy: each as long as a line may be, and over in no time.

A pattern whose cost grows with the square of the length takes minutes for one of them, and holds the whole run.
"""

import pytest

from tasks.model.logs.findings import Severity
from tasks.rules.logs.level import level_of
from tasks.rules.logs.traces.go_rust_cpp_ruby import _ruby_name
from tasks.rules.logs.traces.jvm_dotnet_node import named
from tasks.rules.logs.words import sounds_like_an_error

LENGTH = 131_072

pytestmark = pytest.mark.timeout(30)


def filled(start: str, piece: str, end: str = "") -> str:
    """Repeat a piece up to the limit of a line."""
    return start + piece * ((LENGTH - len(start) - len(end)) // len(piece)) + end


@pytest.mark.parametrize("line", [filled("", "a.", " error"), filled("", "write", " failed"), filled("error ", "no ")])
def test_no_line_keeps_the_words_busy(line: str) -> None:
    """What it says is found all the same."""
    assert sounds_like_an_error(line)


@pytest.mark.parametrize("line", [filled("level=zz ", '\\"'), filled("level=zz ", '"\\'), filled("level=zz ", 'a="b')])
def test_no_line_keeps_the_levels_busy(line: str) -> None:
    """It carries none."""
    assert level_of(line) is None


@pytest.mark.parametrize("piece", ["a.", "aB", "a/", "A.a ", "x (y"])
def test_no_line_keeps_the_names_of_exceptions_busy(piece: str) -> None:
    """What stands above the frames of a trace is anybody's."""
    named(filled("", piece))
    _ruby_name(filled("", piece))


def test_a_level_after_a_quote_that_nobody_closed_is_found() -> None:
    """`5" disk` is no quoted value."""
    seen = level_of('msg="it is a 5\\" disk" size=5" level=error')

    assert seen is not None
    assert seen.severity is Severity.ERROR
    assert level_of('msg="level=error" size=5" x=1') is None
