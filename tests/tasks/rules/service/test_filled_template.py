"""Whatever a value holds, it stays a value: in JSON, in a form, in XML, in a path, in an argument."""

import json
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.service.filled_template import fill_body, fill_path, fill_text

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(ANY)
def test_a_value_is_no_way_out_of_the_json(value: str) -> None:
    body = fill_body('{"symbol": "${symbol}", "test": true}', {"symbol": value}, "application/json")

    assert json.loads(body or "") == {"symbol": value, "test": True}


@given(ANY)
def test_a_value_is_one_field_of_a_form(value: str) -> None:
    body = fill_body("symbol=${symbol}&test=1", {"symbol": value}, "application/x-www-form-urlencoded; charset=utf-8")

    assert parse_qs(body, keep_blank_values=True) == {"symbol": [value], "test": ["1"]}


@given(st.text("abc<>&\"' ", max_size=20))
def test_a_value_is_text_in_xml(value: str) -> None:
    body = fill_body('<order symbol="${symbol}">${symbol}</order>', {"symbol": value}, "text/xml")

    read = ET.fromstring(body or "")  # noqa: S314 - our own text
    assert (read.text or "", read.attrib["symbol"]) == (value, value)


@given(ANY)
def test_a_value_is_one_part_of_a_path(value: str) -> None:
    url = urlsplit("http://oms" + fill_path("/orders/${order_id}/fills", {"order_id": value}))

    assert url.path.count("/") == 3
    assert "/.." not in url.path
    assert (url.query, url.fragment, url.netloc) == ("", "", "oms")


@pytest.mark.parametrize("value", ["a\nb", "\x018=FIX.4.4", "a|b;c"])
def test_what_no_rule_escapes_is_not_sent(value: str) -> None:
    assert fill_body("order ${symbol}", {"symbol": value}, "text/plain") is None
    assert fill_body("order ${symbol}", {"symbol": "ZVZZT"}, "text/plain") == "order ZVZZT"


def test_what_is_not_there_is_null_in_json_and_nothing_elsewhere() -> None:
    assert fill_body('{"px": ${px}}', {"px": None}, "application/json") == '{"px": null}'
    assert fill_text("--px=${px}", {"px": None}) == "--px="
