"""Reading what FIX says of an order, in words and in codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.probes.fix_words import EXEC_TYPES, ORD_STATUSES, Meaning, exec_type, ord_status
from tasks.model.probes.probes import Exchange, OrderOutcome
from tasks.rules.probes.synthetic_result import judge_order
from tests.tasks.rules.probes.test_order_answer import answer

FILL = {"last_qty": "1", "cum_qty": "1", "reject": None}


def outcome(first: object, second: object, **rest: object) -> OrderOutcome:
    """What the answer with these two words comes to."""
    execution = {**FILL, "exec_type": first, "ord_status": second, **rest}
    return judge_order(answer(201, {"gateway": "XNAS", "execution": execution})).outcome


@pytest.mark.parametrize("word", ["8", 8, "REJECTED", "Rejected", "rejected", " rejected ", "reject"])
def test_a_reject_is_a_reject_in_any_case_and_as_a_code(word: object) -> None:
    """A venue that rejects everything was once shown as healthy, because it wrote `8`."""
    assert outcome(word, word, last_qty="0", cum_qty="0") is OrderOutcome.REJECTED
    assert outcome("new", word, last_qty="0", cum_qty="0") is OrderOutcome.REJECTED
    assert outcome(word, "new", last_qty="0", cum_qty="0") is OrderOutcome.REJECTED


@pytest.mark.parametrize(
    "first", ["F", "f", "trade", "TRADE", "Trade", "2", "fill", "FILL", "FILLED", "1", "PARTIAL_FILL"]
)
@pytest.mark.parametrize(
    "second", ["2", 2, "filled", "FILLED", "1", "partially_filled", "PARTIALLY FILLED", "PartiallyFilled"]
)
def test_a_fill_is_a_fill_in_any_case_and_as_a_code(first: object, second: object) -> None:
    """A venue of another make is not paged for its capital letters."""
    assert outcome(first, second) is OrderOutcome.EXECUTED


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ExecType=F", "OrdStatus=2"),
        ("150=F", "39=2"),
        ("ExecType.TRADE", "OrdStatus.PartiallyFilled"),
        ("EXEC_TYPE_TRADE", "ORDER_STATUS_FILLED"),
        ("exec type: trade", "ord-status: filled"),
        ("J", "2"),
    ],
)
def test_a_field_that_is_written_before_its_value_is_the_same_word(first: str, second: str) -> None:
    """Enumerations of other languages write themselves so."""
    assert outcome(first, second) is OrderOutcome.EXECUTED


def test_a_value_of_the_other_field_is_no_value() -> None:
    """`39=2` is a fill, and `150=2` is one by another name: neither is read as the other."""
    assert exec_type("39=2") is None
    assert ord_status("150=F") is None
    assert outcome("ExecType=", "39=") is OrderOutcome.UNKNOWN
    assert ord_status("DoneForDay") == ord_status("3") == ("done_for_day", Meaning.ENDED)


@given(first=st.text(max_size=20), second=st.text(max_size=20))
def test_a_word_on_no_list_is_never_a_fill(first: str, second: str) -> None:
    """What is not known to be good is not good."""
    if exec_type(first) is None or ord_status(second) is None:
        assert outcome(first, second) is OrderOutcome.UNKNOWN


@pytest.mark.parametrize(
    "word", ["ok", "done", "executed", "success", "Z", "11", "nak", "KO", "", "not filled", "unfilled"]
)
def test_words_that_sound_good_prove_nothing(word: str) -> None:
    """Nobody reads "every order filled" for a word that nobody knows."""
    assert outcome(word, "filled") is OrderOutcome.UNKNOWN
    assert outcome("trade", word) is OrderOutcome.UNKNOWN


@pytest.mark.parametrize(
    "rest",
    [
        {"last_qty": "0", "cum_qty": "0"},
        {"last_qty": 0, "cum_qty": None},
        {"last_qty": "0.00", "cum_qty": "0"},
        {"last_qty": "-1", "cum_qty": "1"},
        {"last_qty": "NaN", "cum_qty": "1"},
        {"last_qty": "1", "cum_qty": "Infinity"},
        {"last_qty": True, "cum_qty": "1"},
        {"last_qty": "one", "cum_qty": "1"},
        {"reject": {"code": "PRICE_BAND", "text": "no"}},
        {"reject": "no"},
    ],
)
def test_a_fill_that_contradicts_itself_is_no_fill(rest: dict[str, object]) -> None:
    """A fill of nothing, or one with a reject beside it, was counted as proof that trading works."""
    assert outcome("trade", "filled", **rest) is OrderOutcome.UNKNOWN


def test_a_fill_that_only_one_word_tells_of_needs_a_quantity() -> None:
    """`new` with a filled quantity is a fill; `new` and `filled` without one contradict each other."""
    assert outcome("new", "filled") is OrderOutcome.EXECUTED
    assert outcome("new", "filled", last_qty=None, cum_qty=None) is OrderOutcome.UNKNOWN
    assert outcome("trade", "filled", last_qty=None, cum_qty=None) is OrderOutcome.EXECUTED
    assert outcome("trade", "rejected") is OrderOutcome.UNKNOWN


@pytest.mark.parametrize(
    "status", ["canceled", "CANCELLED", "4", "expired", "C", "9", "done_for_day", "pending_cancel"]
)
def test_an_order_that_the_venue_ended_unfilled_did_not_come_back_as_it_should(status: str) -> None:
    """A day order that is canceled at once is a fault of the venue; "now or never" asks for just that."""
    nothing = {**FILL, "last_qty": "0", "cum_qty": "0", "exec_type": status, "ord_status": status}
    day = answer(201, {"gateway": "XNAS", "execution": nothing})
    now: Exchange = day.model_copy(update={"request_body": '{"time_in_force": "IOC"}'})

    assert judge_order(day).outcome is OrderOutcome.REJECTED
    assert judge_order(now).outcome is OrderOutcome.EXECUTED


def test_a_status_report_takes_its_meaning_from_the_order_status() -> None:
    """ExecType I and D repeat what is known already."""
    assert outcome("I", "2") is OrderOutcome.EXECUTED
    assert outcome("order_status", "8", last_qty="0", cum_qty="0") is OrderOutcome.REJECTED
    assert outcome("restated", "0", last_qty="0", cum_qty="0") is OrderOutcome.EXECUTED


def test_the_status_that_is_kept_is_the_word() -> None:
    """Later rules ask for `new`; a code would pass them by."""
    execution = {"exec_type": "0", "ord_status": "0", "reject": None, "last_qty": "0", "cum_qty": "0"}

    assert judge_order(answer(201, {"execution": execution})).ord_status == "new"


@pytest.mark.parametrize(("table", "read"), [(EXEC_TYPES, exec_type), (ORD_STATUSES, ord_status)])
def test_every_code_and_its_name_say_the_same(table: dict[str, tuple[str, Meaning]], read: object) -> None:
    """FIX 5.0, tags 150 and 39."""
    for code, (name, meaning) in table.items():
        for written in (code, code.lower(), name, name.upper(), name.replace("_", " "), name.replace("_", "-")):
            assert read(written) == (name, meaning)  # type: ignore[operator]


def test_what_is_filled_and_what_is_rejected_is_a_closed_list() -> None:
    """A code that is moved to the wrong list would make a reject a fill."""
    assert {code for code, (_, meaning) in EXEC_TYPES.items() if meaning is Meaning.FILLED} == {"1", "2", "F", "G"}
    assert {code for code, (_, meaning) in ORD_STATUSES.items() if meaning is Meaning.FILLED} == {"1", "2"}
    assert {code for code, (_, meaning) in EXEC_TYPES.items() if meaning is Meaning.REJECTED} == {"8"}
    assert {code for code, (_, meaning) in ORD_STATUSES.items() if meaning is Meaning.REJECTED} == {"8"}
    ended = {"3", "4", "6", "9", "C"}
    assert {code for code, (_, meaning) in EXEC_TYPES.items() if meaning is Meaning.ENDED} == {*ended, "H"}
    assert {code for code, (_, meaning) in ORD_STATUSES.items() if meaning is Meaning.ENDED} == ended
