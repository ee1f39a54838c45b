"""An answer is asked for a value; whatever it is, the end is that value or *not known*."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.service.expression import document_of, holds, matches, value_at, word_at

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abstatus"), inner, max_size=4),
    max_leaves=20,
)
EXPRESSIONS = (
    "status", "a[0].b", "length(a)", "sum(a)", "max_by(a, &b)", "sort(a)", "a.b.c || status", "keys(a)", "to_number(a)",
    "components.*.{name: name, status: status}", "avg(a)", "join('', a)", "a > b", "status == 'ok'",
)  # fmt: skip


@given(JSON, st.sampled_from(EXPRESSIONS))
def test_no_answer_breaks_an_expression(document: object, expression: str) -> None:
    value_at(expression, document)
    assert holds(expression, document) in {True, False, None}
    assert isinstance(word_at(expression, document), str | None)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_document_or_none(raw: bytes) -> None:
    assert holds("status == 'ok'", document_of(raw.decode("utf-8", "replace"))) in {True, False, None}


def test_a_condition_is_true_or_false_or_not_known() -> None:
    up = document_of('\ufeff{"status": "UP"}')

    assert holds("status == 'UP'", up) is True
    assert holds("status == 'DOWN'", up) is False
    assert holds("status", up) is None
    assert holds("status == 'UP'", document_of("<html>")) is None


def test_the_depth_of_an_answer_breaks_nothing() -> None:
    assert value_at("a", document_of("[" * 100_000)) is None


@pytest.mark.parametrize("value", ["true", "1e999", '{"a": 1}', "[1]", "null"])
def test_only_a_word_or_a_number_is_a_word(value: str) -> None:
    assert word_at("status", document_of(f'{{"status": {value}}}')) is None


def test_a_pattern_takes_time_by_the_length_of_the_text() -> None:
    assert not matches("(a+)+$", "a" * 100_000 + "!")
    assert matches("^OK", "OK\n")
