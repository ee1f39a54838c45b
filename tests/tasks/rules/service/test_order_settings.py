"""A description of orders that cannot be meant is refused where it is written."""

from typing import Any

import pytest
from pydantic import ValidationError

from tasks.model.service.order_settings import OrderSettings
from tasks.rules.service.filled_template import fill_body
from tasks.settings import ServiceSettings

BODY = '{"id": "${client_order_id}", "sym": "${symbol}", "qty": ${quantity}, "px": "${limit_price}"}'
READ = {"status": "state", "execution": "fill"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"body": BODY.replace("${symbol}", "AAPL")}, "symbol"),
        ({"body": BODY.replace("${quantity}", "1000000")}, "quantity"),
        ({"body": BODY.replace("${client_order_id}", "x")}, "client_order_id"),
        ({"body": BODY[:-1]}, "a template that gives application/json is expected"),
        ({"body": BODY.replace('"${symbol}"', "${symbol}")}, "put words in quotes"),
        ({"body": BODY.replace('"sym', '"${account}')}, "are expected in path and body"),
        ({"body": "<o>${symbol}${quantity}${client_order_id}", "content_type": "text/xml"}, "gives text/xml"),
        ({"content_type": "json"}, "content_type"),
        ({"path": "orders"}, "one slash"),
        ({"path": "//elsewhere/orders"}, "one slash"),
        ({"filled": ["KO"], "rejected": ["ko"]}, "each word on one list"),
        ({"filled": ["PART-DONE"], "accepted": ["part done"]}, "each word on one list"),
        ({"filled": ["Rejected"]}, "which FIX knows as rejected"),
        ({"filled": ["NEW"]}, "which FIX knows as new"),
        ({"accepted": ["PartiallyFilled"]}, "which FIX knows as partially_filled"),
        ({"rejected": ["FILLED"]}, "which FIX knows as filled"),
        ({"partially_filled": ["Expired"]}, "which FIX knows as expired"),
        ({"filled": [" "]}, "a word is expected"),
        ({"status": "a ||"}, "JMESPath"),
        ({**READ, "poll": {"path": "/o/${order_id}"}}, "order_id is expected"),
        ({"words": {"EQUITY": "EQ"}}, "words.EQUITY"),
        ({**READ, "poll": {"path": "/o/${quantity}"}}, "poll.path"),
        ({**READ, "poll": {"path": "/o", "until_s": 60}}, "until_s"),
        ({**READ, "steps": "rest_and_cancel"}, "cancel is expected"),
        ({"unproven": {"path": "/o", "items": "o", "id": "i", "status": "s", "unknown": ["A"], "in_flight": ["a"]}},
         "each word on one list"),
        ({"unproven": {"path": "/o", "items": "o", "id": "i", "status": "s", "next": "n"}}, "are expected together"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(settings: dict[str, Any], words: str) -> None:
    """One line that names what was expected, before anything is sent."""
    with pytest.raises(ValidationError, match=words):
        OrderSettings.model_validate(settings)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"path": ""},
        {"body": BODY},
        {"rejected": ["CANCELED", "EXPIRED"], **READ},
        {"filled": ["4"], "rejected": ["2"], **READ},
        {"filled": ["DONE", "done"], **READ},
        {
            "body": "ref=${client_order_id}&s=${symbol}&q=${quantity}",
            "content_type": "application/x-www-form-urlencoded",
        },
        {"path": "/o/${client_order_id}/${symbol}/${quantity}", "body": ""},
    ],
)
def test_what_can_be_meant_is_taken(settings: dict[str, Any]) -> None:
    """A code may be the service's own, and a reject may be any end that is no fill."""
    assert OrderSettings.model_validate(settings).is_contract is not ("status" in settings or "filled" in settings)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"order_type": "market"}, "a limit order with a price"),
        ({"limit_price": None}, "a limit order with a price"),
        ({"time_in_force": " IOC"}, "lets an order rest"),
    ],
)
def test_an_order_that_is_to_rest_is_one_that_can(order: dict[str, Any], words: str) -> None:
    """A market order would trade."""
    steps = {"steps": "rest_and_cancel", "cancel": {"path": "/o/${client_order_id}", "done_when": "gone"}, **READ}
    table = {"orders": steps, "synthetic_orders": {"equity": {"symbol": "ZVZZT", **order}}}
    with pytest.raises(ValidationError, match=words):
        ServiceSettings.model_validate(table)
    assert ServiceSettings.model_validate({**table, "synthetic_orders": {"equity": {"symbol": "ZVZZT"}}})
    assert ServiceSettings.model_validate({**table, "orders": {}})


def test_a_price_that_there_is_not_is_null_also_in_quotes() -> None:
    """A market order has no price; the text "null" would be one."""
    values = {"client_order_id": "i", "symbol": 'Z"Z', "quantity": "1", "limit_price": None}

    assert fill_body(BODY, values, "application/json") == '{"id": "i", "sym": "Z\\"Z", "qty": 1, "px": null}'
