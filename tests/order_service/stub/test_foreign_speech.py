"""The stub speaks as a firm's own service does: by its description, and by nothing else."""

import json
from pathlib import Path
from typing import Any

import jmespath
import pytest

from order_service.stub.description import Description, described, read_description
from order_service.stub.foreign_speech import ForeignSpeech, check
from order_service.stub.foreign_words import CannotSpeak, holding, listed, not_holding, placed
from order_service.stub.http import Reply, Request
from order_service.stub.server import parse_arguments

ORDERS = {
    "path": "/fix",
    "execution": "report.fills[0]",
    "status": 'report."39"',
    "order_id": "report.id",
    "filled": ["2"],
    "rejected": ["8"],
    "reject_code": "report.code",
    "poll": {"path": "/fix/${order_id}"},
    "accepted": ["0"],
    "unproven": {"path": "/fix?open=1", "items": "orders", "id": "clOrdId", "status": "st", "unknown": ["E"]},
}
METRICS = {
    "path": "/stats",
    "names": {
        "orders_total": {"name": "shop_orders", "labels": {"outcome": "how"}, "values": {"outcome": {"ok": "filled"}}}
    },
}
HEALTH = {
    "path": "/state",
    "healthy_when": "engine.state == 'RUN' && ready",
    "degraded_when": "engine.state == 'SLOW'",
    "dependencies": "links[].{name: id, status: up}",
}
SHOP = described(
    {"orders": ORDERS, "metrics": METRICS, "health": HEALTH, "synthetic_orders": {"fx": {"symbol": "TST/A"}}}
)


def request(method: str, path: str, query: str = "", body: str = "") -> Request:
    """One request as it comes in."""
    return Request(method, path, query, {}, body.encode())


def said(shop: Description, heard: Request, document: dict[str, Any]) -> Any:
    """One answer in the firm's words."""
    reply = ForeignSpeech(shop).said(heard, Reply(200, json.dumps(document).encode()))
    return json.loads(reply.body)


@pytest.mark.parametrize(
    "condition",
    [
        "status == 'UP'",
        "a.b[0] == 'x' && c == `true`",
        "ok",
        "@ == 'OK'",
        "s == 'run' && !(l[?up == `false`])",
        "a || b",
    ],
)
def test_an_answer_is_made_for_which_a_condition_is_true_and_another_for_which_it_is_not(condition: str) -> None:
    """A stub that could not be unhealthy would test nothing."""
    assert jmespath.search(condition, holding(condition)) is True
    assert jmespath.search(condition, not_holding(condition)) is not True


@pytest.mark.parametrize("path", ["data.order.fills[0]", "@", '"39"', "a.*.b[]"])
def test_a_value_stands_where_an_expression_looks(path: str) -> None:
    """Also at FIX tags, which are no names."""
    assert jmespath.search(path, placed(path, "x")) in ("x", ["x"])


@pytest.mark.parametrize(
    "expression", ["components", "a.b[].{name: n, status: s}", "checks.*[].{name: id, status: status}"]
)
def test_dependencies_stand_where_they_are_looked_for(expression: str) -> None:
    """As an object by name, or as a list of names and statuses."""
    found = jmespath.search(expression, listed(expression, {"XNAS": "UP"}))

    assert found in ({"XNAS": {"status": "UP"}}, [{"name": "XNAS", "status": "UP"}])


@pytest.mark.parametrize("condition", ["contains(a, 'b')", "length(items) > `3`"])
def test_what_it_cannot_speak_is_one_line_at_the_start(condition: str) -> None:
    """Not an answer that is quietly another one's."""
    with pytest.raises(CannotSpeak):
        check(described({"health": {"healthy_when": condition}}))


def test_health_is_said_by_the_firm_s_conditions() -> None:
    """Healthy, degraded and neither."""
    health = {"dependencies": {"XNAS": {"status": "error"}}}
    answers = [said(SHOP, request("GET", "/health"), {"status": one, **health}) for one in ("ok", "degraded", "error")]

    assert [jmespath.search(HEALTH["healthy_when"], one) is True for one in answers] == [True, False, False]
    assert [jmespath.search(HEALTH["degraded_when"], one) for one in answers] == [False, True, False]
    assert jmespath.search(HEALTH["dependencies"], answers[0]) == [{"name": "XNAS", "status": "FAULT"}]


def test_plain_text_is_said_as_text() -> None:
    """A pattern without its anchors is the word that it matches."""
    plain = ForeignSpeech(described({"health": {"body_matches": r"^(?i:ok)\s*$"}}))
    bodies = [
        plain.said(request("GET", "/health"), Reply(200, json.dumps({"status": one}).encode()))
        for one in ("ok", "error")
    ]

    assert [reply.body for reply in bodies] == [b"ok", b"FAULT"]


def test_an_order_is_accepted_first_and_filled_where_it_is_polled() -> None:
    """An answer now, the fill later; each at its path, in its words."""
    speech = ForeignSpeech(SHOP)
    heard = speech.heard(request("POST", "/fix", body=f'{{"55": "TST/A", "11": "synthetic-{"a" * 32}"}}'))
    assert heard
    sent = json.loads(heard.body)
    filled = {"status": "filled", "order_id": "7", "execution": {"last_qty": "1"}}
    first = json.loads(speech.said(heard, Reply(201, json.dumps(filled).encode())).body)
    polled = speech.heard(request("GET", "/fix/7"))
    assert polled
    last = speech.said(polled, Reply(404, b"{}"))

    assert (sent["asset_class"], sent["client_order_id"]) == ("fx", f"synthetic-{'a' * 32}")
    assert first == {"report": {"id": "7", "39": "0"}}
    assert (last.status, json.loads(last.body)) == (
        200,
        {"report": {"id": "7", "39": "2", "fills": [{"last_qty": "1"}]}},
    )


def test_a_reject_and_an_unproven_order_are_in_the_firm_s_words() -> None:
    """A reject carries its code; an order that is not proven its status."""
    alone = described({"orders": {**ORDERS, "poll": None}})
    reject = {"status": "rejected", "execution": {"reject": {"code": "R1", "text": "no"}}}

    assert said(alone, request("POST", "/orders"), reject) == {"report": {"39": "8", "code": "R1"}}
    heard = ForeignSpeech(SHOP).heard(request("GET", "/fix", "open=1"))
    assert heard
    assert said(SHOP, heard, {"orders": [{"client_order_id": "c"}]}) == {"orders": [{"st": "E", "clOrdId": "c"}]}


def test_metrics_have_the_firm_s_names_labels_and_values() -> None:
    """What is not described stays as it is."""
    text = b'# TYPE orders_total counter\norders_total{asset_class="fx",outcome="filled"} 3\nup 1\n'
    reply = ForeignSpeech(SHOP).said(request("GET", "/metrics"), Reply(200, text))

    assert reply.body.decode().splitlines()[1:] == ['shop_orders{asset_class="fx",how="ok"} 3', "up 1"]


def test_a_path_that_is_not_described_is_not_there() -> None:
    """A triage that asks the bundled service's paths of a foreign one is found out."""
    speech = ForeignSpeech(SHOP)

    assert [speech.heard(request("GET", path)) for path in ("/health", "/metrics", "/routing")] == [None, None, None]


@pytest.mark.parametrize(
    ("text", "service"), [("[services.a]\n[services.b]\n", None), ("[services.a]\n", "b"), ("services = [", None)]
)
def test_a_service_that_is_not_described_is_one_line(
    text: str, service: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever starts it reads what was expected."""
    file = tmp_path / "runbook.toml"
    file.write_text(text, "utf-8")
    words = ["--scenario", "healthy", "--port", "0", "--description", str(file)]
    with pytest.raises(ValueError, match="expected"):
        read_description(file, service)
    with pytest.raises(SystemExit):
        parse_arguments(words + (["--service", service] if service else []))

    assert capsys.readouterr().err.startswith("BAD_ARGUMENTS: argument --description: expected")
