"""The renderer of what commands show: what is unknown is left out, a unit is written, nothing acts on a terminal."""

from datetime import UTC, datetime

import pytest

from deployments.views.columns import Rows, View, laid_out, lines, shown
from deployments.views.observations import VIEWS
from deployments.views.terminal import BAD, BOLD, GOOD


def plain(template: str, item: object) -> list[str]:
    """Fill in a template, without its styles."""
    return [row.plain for row in lines(template, item)]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("memory_bytes", 3 * 2**20, "3.0 MiB"),
        ("free_bytes", 3 * 2**30, "3.0 GiB"),
        ("cpu_ratio", 0.25, "25%"),
        ("orders_count", 7.0, "7"),
        ("latency_ms", 1.5, "1.5 ms"),
        ("age_s", 12.0, "12 s"),
        ("listens", False, "no"),
        ("pid", 0, "0"),
        ("at", datetime(2026, 11, 30, tzinfo=UTC), "2026-11-30T00:00:00.000Z"),
        ("gateways_up", {"XNYS": False, "XNAS": True}, "XNAS yes, XNYS no"),
        ("alternates", ("XNYS", "BATS"), "XNYS, BATS"),
        ("release", None, ""),
    ],
)
def test_a_value_is_written_by_its_type_and_by_the_unit_of_its_name(name: str, value: object, words: str) -> None:
    """A person reads 3.0 MiB, and never 3145728."""
    assert shown(name, value) == words


def test_what_is_not_known_is_left_out_with_the_words_before_it() -> None:
    """*at None* says less than nothing; a column keeps its width."""
    assert plain("{a:4}{b} at {c}, {d.e}", {"a": None, "b": "x", "d": {"e": 1}}) == ["    x, 1"]
    assert plain("{a}\nanswered {b}", {"a": "x"}) == ["x"]


def test_rows_beyond_the_limit_are_counted() -> None:
    """The worst come first, and of a ledger the newest; nothing is left out in silence."""
    items = {"rows": [1, 2, 3]}

    assert [row.plain for row in laid_out(View(rows=(Rows("rows", "{}", 2, "lines"),)), items)] == [
        "1",
        "2",
        "  and 1 more lines; --json has all",
    ]
    assert [row.plain for row in laid_out(View(rows=(Rows("rows", "{}", -2, "ones"),)), items)] == [
        "  1 older ones are left out; --json has all",
        "2",
        "3",
    ]


def test_a_style_is_given_or_follows_from_the_word() -> None:
    """Green is what is surely fine; a word that nobody knows is not."""
    (row,) = lines("{a!b}{b!s}{c!s}", {"a": "x", "b": "passed", "c": "gone"})

    assert [span.style for span in row.spans] == [BOLD, GOOD, BAD]


def test_what_a_value_quotes_acts_on_no_terminal() -> None:
    """Every part goes through the one door."""
    assert plain("{a}", {"a": "\x1b[2Jx"}) == ["\\x1b[2Jx"]


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_of_inspect_stands_an_empty_value(name: str) -> None:
    """A field that is missing from an old record must not break the answer about all others."""
    view = VIEWS[name]
    bare = View(view.head, view.facts, view.rows, None)

    assert isinstance(laid_out(bare, {}), list)
