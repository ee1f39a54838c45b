"""How a service takes a test order, how its answer is read, and how its orders without an outcome are listed."""

import json
import re
from collections.abc import Iterator, Mapping
from string import Template
from typing import Annotated, Any, Literal, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from tasks.model.probes.fix_words import Meaning, plain_word, status_word
from tasks.model.probes.orders import NOW_OR_NEVER, AssetClass, SyntheticOrder
from tasks.model.service.expressions import Expression, TextTemplate, names_in
from tasks.model.setting_types import Table

ORDER_VALUES = frozenset(
    {
        *("client_order_id", "symbol", "side", "quantity", "order_type"),
        *("limit_price", "time_in_force", "asset_class", "strategy"),
    }
)
# What is sent is a test order only where these come from us: the quarantine holds them.
QUARANTINED = ("client_order_id", "symbol", "quantity")
AFTERWARDS = frozenset({"client_order_id", "order_id", "asset_class", "symbol"})
NUMBERS = frozenset({"quantity", "limit_price"})
BUNDLED_BODY = (
    '{"client_order_id": "${client_order_id}", "symbol": "${symbol}", "side": "${side}", "quantity": "${quantity}", '
    '"order_type": "${order_type}", "limit_price": "${limit_price}", "time_in_force": "${time_in_force}", '
    '"asset_class": "${asset_class}", "strategy": "${strategy}", "synthetic": true}'
)


# Where the bundled service's answers have what an order came to.
CONTRACT_SHAPE = {
    "exec_type": "execution.exec_type",
    "order_id": "order_id",
    "gateway": "gateway || execution.gateway",
    "reject_code": "execution.reject.code || error.code",
    "reject_text": "execution.reject.text || error.message",
}
# The keys that say how an answer is read; the others say how an order is sent, and where orders are listed.
READING = frozenset(
    {
        *("execution", "status", "exec_type", "filled", "partially_filled", "accepted", "rejected", "order_id"),
        *("client_order_id", "quantity", "gateway", "reject_code", "reject_text", "poll", "cancel", "steps"),
    }
)


def _a_word(word: str) -> str:
    if not plain_word(word):
        raise ValueError("a word is expected")
    return word


def _a_path(path: str) -> str:
    if path and (not path.startswith("/") or path.startswith("//") or re.search(r"[\s\\#]|[^\x20-\x7e]", path)):
        raise ValueError("a path that begins with one slash is expected")
    return path


StatusWord = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(_a_word)]
Words = tuple[StatusWord, ...]
OurWord = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
PathTemplate = Annotated[TextTemplate, AfterValidator(_a_path)]
ContentType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.+*-]+/[A-Za-z0-9.+*-]+(?:\s*;\s*[\x21-\x7e ]+)?$")]


class PollSettings(Table):
    """Where the outcome of an order is asked for that its first answer does not have yet."""

    path: PathTemplate
    method: Literal["GET", "POST"] = "GET"
    every_s: float = Field(default=0.2, ge=0.02, le=5)
    until_s: float = Field(default=3.0, gt=0, le=10)


class CancelSettings(Table):
    """How a test order is taken back. `done_when` is asked of the answer, and of what `poll` shows afterwards."""

    path: PathTemplate
    method: Literal["DELETE", "POST", "PUT"] = "DELETE"
    content_type: ContentType = "application/json"
    body: TextTemplate = ""
    done_when: Expression

    @model_validator(mode="after")
    def _is_valid(self) -> Self:
        _check_names("cancel", {*names_in(self.path), *names_in(self.body)}, AFTERWARDS)
        _check_body(self.body, self.content_type)
        return self


class UnprovenSettings(Table):
    """Where the orders are listed whose outcome is not proven, and what their statuses mean."""

    path: PathTemplate = Field(min_length=1)
    items: Expression
    id: Expression
    status: Expression
    unknown: Words = ()
    in_flight: Words = ()
    asset_class: Expression | None = None
    gateway: Expression | None = None
    time: Expression | None = None
    next: Expression | None = None

    @model_validator(mode="after")
    def _is_valid(self) -> Self:
        _check_names("unproven.path", names_in(self.path), frozenset({"after"}))
        if (self.next is None) != ("after" not in names_in(self.path)):
            raise ValueError("unproven.next and ${after} in unproven.path are expected together was one of them")
        _check_lists({"unknown": self.unknown, "in_flight": self.in_flight})
        return self


class OrderSettings(Table):
    """How an order is sent and what its answer says; where only the sending is described, it is the contract's."""

    path: PathTemplate = "/orders"
    method: Literal["POST", "PUT"] = "POST"
    content_type: ContentType = "application/json"
    body: TextTemplate = BUNDLED_BODY
    words: dict[OurWord, StatusWord] = Field(default_factory=dict)
    execution: Expression = "execution"
    status: Expression = "execution.ord_status"
    exec_type: Expression | None = None
    filled: Words = ()
    partially_filled: Words = ()
    accepted: Words = ()
    rejected: Words = ()
    order_id: Expression | None = None
    client_order_id: Expression | None = None
    quantity: Expression | None = None
    gateway: Expression | None = None
    reject_code: Expression | None = None
    reject_text: Expression | None = None
    poll: PollSettings | None = None
    cancel: CancelSettings | None = None
    steps: Literal["fill", "rest_and_cancel"] = "fill"
    unproven: UnprovenSettings | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_the_contracts_shape(cls, values: Any) -> Any:
        """Read what only has words of its own where the contract has them."""
        is_shaped = isinstance(values, dict) and not {"status", "execution"} & values.keys()
        return CONTRACT_SHAPE | values if is_shaped and READING & values.keys() else values

    @model_validator(mode="after")
    def _is_valid(self) -> Self:
        named = {*names_in(self.path), *names_in(self.body)}
        _check_names("path and body", named, ORDER_VALUES)
        if self.path and (missing := [name for name in QUARANTINED if name not in named]):
            raise ValueError(f"${{{missing[0]}}} is expected in body or path: a test order has our id, symbol and size")
        _check_body(self.body, self.content_type)
        _check_lists(self.own_words)
        if fault := _fault_of_steps(self):
            raise ValueError(fault)
        return self

    @property
    def is_contract(self) -> bool:
        """Whether the answer is read as the bundled service's: nobody said anything of it."""
        return READING.isdisjoint(self.model_fields_set)

    @property
    def lists_as_contract(self) -> bool:
        """Whether its orders are listed as the bundled service's are: it takes them as that does."""
        return self.is_contract and self.path == type(self).model_fields["path"].default

    @property
    def own_words(self) -> dict[str, Words]:
        return {
            "filled": self.filled,
            "partially_filled": self.partially_filled,
            "accepted": self.accepted,
            "rejected": self.rejected,
        }


MEANINGS = {
    "filled": Meaning.FILLED,
    "partially_filled": Meaning.FILLED,
    "accepted": Meaning.WORKING,
    "rejected": Meaning.REJECTED,
}


def rest_fault(orders: OrderSettings, test_orders: Mapping[AssetClass, SyntheticOrder]) -> str | None:
    """Say which test order cannot rest, though it is to: it would trade at once, or end by itself."""
    if orders.steps != "rest_and_cancel":
        return None
    for name, order in test_orders.items():
        if order.order_type != "limit" or order.limit_price is None:
            return f"a limit order with a price is expected for rest_and_cancel was none in synthetic_orders.{name}"
        if order.time_in_force.strip().lower() in NOW_OR_NEVER:
            was = f"{order.time_in_force} in synthetic_orders.{name}"
            return f"a time_in_force that lets an order rest is expected for rest_and_cancel was {was}"
    return None


def _fault_of_steps(orders: OrderSettings) -> str | None:
    later = [one for one in (orders.poll, orders.cancel) if one is not None]
    for one in later:
        _check_names("poll.path and cancel.path", names_in(one.path), AFTERWARDS)
        if "order_id" in names_in(one.path) and orders.order_id is None:
            return "order_id is expected: a path asks for ${order_id}, set order_id to where it stands in the answer"
    if orders.steps == "rest_and_cancel" and orders.cancel is None:
        return "cancel is expected beside steps = rest_and_cancel: an order of ours never stays on a book"
    return None


def _check_names(where: str, named: set[str] | frozenset[str], known: frozenset[str]) -> None:
    if wrong := sorted(named - known):
        expected = ", ".join(sorted(known)) or "no value"
        raise ValueError(f"{expected} are expected in {where} was ${{{wrong[0]}}}")


def _check_lists(lists: dict[str, Words]) -> None:
    """Refuse a word that stands on two lists, also where the other list is FIX's own."""
    seen: dict[str, str] = {}
    for name, word in ((name, word) for name, words in lists.items() for word in words):
        before = seen.setdefault(plain_word(word), name)
        if before != name:
            raise ValueError(f"each word on one list is expected was {word!r} on {before} and {name}")
        if fault := _against_fix(name, word):
            raise ValueError(fault)


def _against_fix(name: str, word: str) -> str | None:
    """Say where a name is one of FIX's and means something else there; a code may be the service's own."""
    known = status_word(word)
    if known is None or len(word.strip()) == 1 or name not in MEANINGS:
        return None
    meaning = known[1]
    is_stricter = name == "rejected" and meaning in {Meaning.ENDED, Meaning.SAYS_NOTHING}
    if meaning is MEANINGS[name] or is_stricter:
        return None
    return f"each word on one list is expected was {word!r} on {name}, which FIX knows as {known[0]}"


def _check_body(body: str, content_type: str) -> None:
    """Refuse a template that does not give a valid body."""
    if not body:
        return
    kind = content_type.partition(";")[0].strip().lower()
    for filled in _samples(body):
        try:
            if kind == "application/json" or kind.endswith("+json"):
                json.loads(filled)
            elif kind.endswith(("/xml", "+xml")):
                ET.fromstring(filled)  # noqa: S314 - our own settings
        except (ValueError, ET.ParseError):
            raise ValueError(
                f"a template that gives {kind} is expected; put words in quotes, and close what opens"
            ) from None


def _samples(body: str) -> Iterator[str]:
    """Fill a template with words and numbers as an order has them."""
    for number in ("1", "0.5"):
        values = {name: number if name in NUMBERS else "x" for name in names_in(body)}
        yield Template(body).substitute(values)
