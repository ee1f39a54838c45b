"""Secrets in foreign text."""

from typing import Any

import orjson
import pytest

from tasks.model.probes.probes import Exchange
from tasks.rules.messages.redaction import PUT_IN, cleaned, without_secrets

SECRET = "hunter2-Xy9!"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"authorization=Basic {SECRET}==",
        f'{{"Authorization": "Bearer {SECRET}"}}',
        f"headers={{'authorization': 'Token {SECRET}'}}",
        f"401 for bearer {SECRET}",
        f"login failed password={SECRET} user=a",
        f'{{"level":"error","password":"{SECRET}","msg":"x"}}',
        f'{{"detail":"{{\\"password\\": \\"{SECRET}\\"}}"}}',
        f"RUNBOOK_CONTROL_TOKEN={SECRET}",
        f"client_secret: '{SECRET}'",
        f"x-api-key: {SECRET}",
        f"apiKey={SECRET}&page=2",
        f"redis://default:{SECRET}@cache:6379/0 refused",
        f"https://{SECRET}@host/path",
        f"oms --password {SECRET} --port 8600",
        f"Set-Cookie: sid={SECRET}; Path=/",
        f"8=FIX.4.4\x0135=A\x01553=desk\x01554={SECRET}\x0110=001\x01",
        f"8=FIX.4.4|35=A|554={SECRET}|10=001|",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\nabc\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\\n{SECRET}\\n",
        f"Password = '{SECRET} with words'",
    ],
)
def test_what_has_the_shape_of_a_secret_is_taken_out(text: str) -> None:
    """A token in a log line once stood in Prefect's database and in its UI."""
    assert SECRET not in without_secrets(text)
    assert PUT_IN in without_secrets(text)


@pytest.mark.parametrize(
    "token",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "xoxb-123456789-abcdefgh",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "AKIAIOSFODNN7EXAMPLE",
    ],
)
def test_a_token_with_a_form_of_its_own_is_known_by_it(token: str) -> None:
    """Nobody writes what it is beside it."""
    assert without_secrets(f"cannot use {token} any more") == f"cannot use {PUT_IN} any more"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30 12:00:00 ERROR token expired for desk",
        "password=null, retry",
        '{"token": null, "api_key": false}',
        "basic authentication failed",
        "GET http://127.0.0.1:8600/health timed out",
        "KeyError: 'gateway'",
        "the keyboard was reset by peer",
        "session closed by XNAS",
        "8=FIX.4.4|35=8|55=ZVZZT|54=1|10=001|",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """A report full of holes helps nobody."""
    assert without_secrets(text) == text


def test_json_is_json_afterwards() -> None:
    """An answer is read by rules after this."""
    body = orjson.dumps(
        {"status": "ok", "password": "a b", "url": "amqp://u:p@h/", "token": "t-1", "n": {"secret": 'x"y', "k": [1]}}
    ).decode()
    found = orjson.loads(without_secrets(body))

    assert found["status"] == "ok"
    assert found["n"]["k"] == [1]
    assert (found["password"], found["token"]) == (PUT_IN, PUT_IN)


def test_a_known_secret_is_taken_out_of_every_text_of_a_value() -> None:
    """Our own control token may come back in any field of an answer."""
    seen = Exchange(method="GET", url="http://s/", body="said abcdef-1", headers=(("x", "abcdef-1"),), http_status=200)
    clean = cleaned(seen, ("abcdef-1", "abc"))

    assert clean.body == f"said {PUT_IN}"
    assert clean.headers == (("x", PUT_IN),)
    assert cleaned(clean, ("abcdef-1",)) is clean


@pytest.mark.parametrize(
    "thing",
    [
        {"password": "Hunter"},
        {"labels": {"db_token": "Hunter"}},
        {"api-key": ["Hunter", "Hunter"]},
        {"Authorization": "Hunter"},
        {"headers": (("set-cookie", "sid=Hunter"), ("x-api-key", "Hunter"))},
        ["oms", "--db-password", "Hunter", "--port", "1"],
    ],
)
def test_what_stands_by_itself_behind_the_name_of_a_secret_is_one(thing: Any) -> None:
    """An alert's label, a header, a word of a command line: the name is in one text and the secret in another."""
    assert "Hunter" not in str(cleaned(thing))
    assert str(cleaned(thing)).count("[secret]") >= 1


@pytest.mark.parametrize(
    "text",
    [
        '{"cmdline": ["oms", "--token", "Hunter"]}',
        '"cmdline": [\n    "oms",\n    "--db-password",\n    "Hunter"\n  ]',
        '[["set-cookie", "sid=Hunter"], ["x-api-key", "Hunter"]]',
        '{"password": ["Hunter"]}',
        "oms --api-token 'Hunter x'",
    ],
)
def test_a_secret_in_a_list_of_a_text_is_taken_out(text: str) -> None:
    """A snapshot holds the command line of the process as it was started."""
    assert "Hunter" not in without_secrets(text)
    assert without_secrets(without_secrets(text)) == without_secrets(text)


def test_what_only_looks_like_it_stays() -> None:
    """Holes in everything would hide what went wrong."""
    for thing in (
        {"tokens_left": "12", "status": "token"},
        ["token", "bucket", "empty"],
        {"password": None},
        ["a", "-b"],
    ):
        assert cleaned(thing) == thing
