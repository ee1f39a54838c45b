"""Every line of `runbook` that the docs show is taken by the command line, with its options."""

import re
import shlex

import pytest

from deployments.cli import app
from tests.house.test_docs import ALL

SHELL = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
ENDS = {"&", "&&", "|", ">", ";"}


def shown() -> list[str]:
    """Find the lines that a reader copies."""
    blocks = [block for text in ALL.values() for block in SHELL.findall(text)]
    found = [_words(line) for block in blocks for line in block.splitlines() if re.search(r"\brunbook [a-z]", line)]
    return sorted({shlex.join(words) for words in found if words})


def _words(line: str) -> list[str]:
    words = shlex.split(line.replace("…", "X"), comments=True)
    # A pool is called so, too.
    place = next((n for n, word in enumerate(words) if word == "runbook" and words[max(0, n - 1)] != "--pool"), None)
    after = [] if place is None else words[place + 1 :]
    return after[: next((place for place, word in enumerate(after) if word in ENDS), len(after))]


@pytest.mark.parametrize("line", shown())
def test_every_command_line_of_the_docs_is_taken(line: str) -> None:
    """Who copies it at three in the morning gets no usage error."""
    app.parse_args(shlex.split(line), exit_on_error=False, print_error=False)


def test_a_line_with_an_option_that_is_none_is_found() -> None:
    """The test above is worth nothing where everything is taken."""
    with pytest.raises(Exception, match=r"(?i)unknown|unused"):
        app.parse_args(["check", "--no-such-option"], exit_on_error=False, print_error=False)
