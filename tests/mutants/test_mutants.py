"""The mutants are those that are meant, and none is left out but by name and reason."""

from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

from tests.mutants.__main__ import Known
from tests.mutants.mutant import REPOSITORY, deciding_files, drawn, equivalents, mutant_at
from tests.mutants.sites import Sites

NOTHING_EXCUSED = "[[equivalent]]\npath = 'none'\nbefore = ''\nafter = ''\nreason = ''\n"


def mutated(source: str) -> set[str]:
    """Give every mutant of a source."""
    raw = source.encode()
    return {(raw[: edit.start] + edit.text.encode() + raw[edit.end :]).decode() for edit in Sites(source).edits()}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {"a <= b", "a >= b"}),
        ("a < b >= c", {"a <= b >= c", "a >= b >= c", "a < b > c", "a < b < c"}),
        ("a is not b", {"a is b"}),
        ("a not in b", {"a in b"}),
        ("a and b and c", {"a or b and c", "a and b or c"}),
        ("not a", {"a"}),
        ("f(3)", {"f((3 + 1))", "f((3 - 1))"}),
        ("f(True)", {"f(False)"}),
        ("min(a)", {"max(a)"}),
        ("any(a)", {"all(a)"}),
        ("G = (a, b, c)", {"G = (b, c)", "G = (a, c)", "G = (a, b)"}),
        ("G = frozenset({a, b})", {"G = frozenset({b})", "G = frozenset({a,})"}),
        ("x = 'é' == b", {"x = 'é' != b"}),
        ("[a for a in b if a]", {"[a for a in b if not (a)]"}),
        ("a if b else c", {"a if not (b) else c"}),
        ("def f() -> bool:\n    return a", {"def f() -> bool:\n    return not (a)"}),
        ("def f() -> tuple[int, ...]:\n    return a", {"def f() -> tuple[int, ...]:\n    return ()"}),
        ("def f() -> Finding | None:\n    return a", {"def f() -> Finding | None:\n    return None"}),
    ],
)
def test_each_decision_is_turned_around(source: str, expected: set[str]) -> None:
    """A rule that nobody would miss decides nothing; these are the slips that people make."""
    assert mutated(source) == expected


@pytest.mark.parametrize(
    "source", ['f"{a < 3}"', '"""a < b"""', "x: tuple[int, str]", "@d(frozen=True)\nclass A: ...", "a, b = c"]
)
def test_words_and_types_are_left_alone(source: str) -> None:
    """They decide nothing, and would only hide what does."""
    assert mutated(source) == set()


def test_the_same_seed_draws_the_same_mutants_and_another_draws_others(tmp_path: Path) -> None:
    """Whoever fixes a survivor tries the very same one again."""
    files = [path for path in deciding_files() if path.parent.name == "guards"][:2]
    known = tmp_path / "equivalent.toml"
    known.write_text(NOTHING_EXCUSED)

    once, again, other = ([one.diff() for one in drawn(files, seed, known)] for seed in (7, 7, 8))

    assert once == again
    assert once != other
    assert sorted(once) == sorted(other)


def test_what_is_drawn_leaves_out_what_is_known_to_change_nothing(tmp_path: Path) -> None:
    """A mutant that no test can kill is named once, and not counted against the tests for ever."""
    source = tmp_path / "rule.py"
    source.write_text("def f(a: int) -> bool:\n    return a < 3\n")
    known = tmp_path / "equivalent.toml"
    known.write_text(
        "[[equivalent]]\npath = 'rule.py'\nbefore = 'return a < 3'\nafter = 'return a <= 3'\nreason = 'x'\n"
    )

    left = {one.after for one in drawn([source], 7, known)}

    assert "return a <= 3" not in left
    assert {"return a >= 3", "return not (a < 3)"} <= left


def test_every_mutant_that_is_left_out_is_still_one_and_says_why() -> None:
    """An excuse whose line is gone would excuse the next one that happens to look like it."""
    for path, excuses in groupby(sorted(equivalents(), key=itemgetter("path")), itemgetter("path")):
        file, left_out = REPOSITORY / path, list(excuses)
        made = (mutant_at(file, edit) for edit in Sites(file.read_text("utf-8")).edits())

        assert {(one["before"], one["after"]) for one in left_out} <= {(one.before, one.after) for one in made if one}
        assert all(len(one["reason"]) > 20 for one in left_out)


def test_a_mutant_is_met_by_the_tests_that_run_its_lines() -> None:
    """To run all tests against each mutant takes an hour; those that never come by its lines cannot notice it."""
    (rule,) = (path for path in deciding_files() if path.name == "neighbors.py")
    mutant = next(one for one in drawn([rule], 7) if not one.is_at_top)
    known = Known()
    known.seconds |= {"slow": 2.0, "quick": 1.0, "elsewhere": 0.1}
    known.lines[mutant.path][mutant.line] = {"slow", "quick"}
    known.lines[mutant.path][1] = {"elsewhere"}

    assert known.tests_for(mutant) == ["quick", "slow"]
