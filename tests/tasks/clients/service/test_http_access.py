"""Who we are to a service: its headers, its tokens and passwords, and the files that hold them."""

import asyncio
from pathlib import Path

import pytest

from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.service.access import access_of
from tasks.clients.service.http import http_client
from tasks.clients.service.probes import health_probe
from tasks.clients.service.readiness import answers_health
from tasks.model.probes.probes import Fault
from tasks.model.service.http_settings import HttpSettings
from tasks.settings import ServiceSettings
from tests.fakes.service.asking import asked, asked_barely, healthy
from tests.fakes.service.private_ca import PrivateCa
from tests.fakes.service.scripted import Asked, replied, scripted


@pytest.fixture
def ca(tmp_path: Path) -> PrivateCa:
    """Give the CA of a firm."""
    return PrivateCa(tmp_path / "ca")


async def test_a_token_that_rotates_is_read_again_and_neither_one_is_ever_shown(tmp_path: Path) -> None:
    """Tokens of an hour are usual; nobody restarts the triage for them."""
    file = tmp_path / "token"
    file.write_text("token-of-the-morning-1\n")
    service = ServiceSettings(http=HttpSettings(bearer_token_file=file))
    async with scripted(healthy) as (url, kept):
        await asked(url, service.http)
        file.write_text("token-of-the-evening-22\n")
        await asked(url, service.http)

    assert [one.headers["authorization"] for one in kept] == [
        "Bearer token-of-the-morning-1",
        "Bearer token-of-the-evening-22",
    ]
    assert {"token-of-the-morning-1", "token-of-the-evening-22"} <= set(secret_values(service))


async def test_a_service_that_repeats_what_it_was_sent_tells_no_secret_to_anybody(tmp_path: Path) -> None:
    """A debugging proxy does; its answer is kept as evidence, and shown."""
    file = tmp_path / "token"
    file.write_text("token-of-the-morning-1")
    http = {"bearer_token_file": file, "headers": {"X-Api-Key": "k3y-of-the-desk", "X-Desk": "equities"}}

    def repeating(asked: Asked) -> bytes:
        return replied(200, {"status": "ok", "release": asked.headers["authorization"], "headers": asked.headers})

    async with scripted(repeating) as (url, kept):
        service = ServiceSettings.model_validate({"base_url": url, "http": http})
        async with http_client(service.http, 1.0) as client:
            probe = await health_probe(client, service)

    told = f"{probe.model_dump_json()} {service!r} {access_of(service.http)!r}"
    assert kept[0].headers["x-api-key"] == "k3y-of-the-desk"
    assert "token-of-the-morning" not in told
    assert "k3y-of-the-desk" not in told
    assert "equities" in probe.model_dump_json()


async def test_headers_and_a_password_go_with_every_call_also_with_the_bare_ones(ca: PrivateCa) -> None:
    """A gateway in front of the service asks for them, and the watch that asks each second is no exception."""
    mine = ca.issue("triage.desk")
    http = HttpSettings.model_validate(
        {
            "headers": {"X-Desk": "equities", "User-Agent": "desk-triage"},
            "basic_auth": "triage:correct-horse",
            "ca_file": ca.ca_file,
            "cert_file": mine.cert_file,
            "key_file": mine.key_file,
        }
    )
    async with scripted(healthy, ca.served(asks_for_client=True)) as (url, kept):
        service = ServiceSettings.model_validate({"base_url": url, "http": http})
        assert (await asked_barely(url, http)).detail == "HTTP 200"
        assert await asyncio.to_thread(answers_health, service)
        await asked(url, http)

    assert {one.headers["authorization"] for one in kept} == {"Basic dHJpYWdlOmNvcnJlY3QtaG9yc2U="}
    assert [one.headers["x-desk"] for one in kept] == ["equities"] * 3
    assert {one.headers["user-agent"] for one in kept} == {"desk-triage"}


@pytest.mark.parametrize(
    ("key", "content", "said"),
    [
        ("ca_file", None, "found No such file"),
        ("ca_file", "no certificate", "expected certificates in PEM found none"),
        ("ca_file", "", "found an empty file"),
        ("cert_file", "no certificate", "expected a certificate and its key in PEM"),
        ("bearer_token_file", "", "expected a token"),
        ("bearer_token_file", "two words", "expected a token"),
        ("bearer_token_file", None, "found No such file"),
    ],
)
async def test_a_file_that_cannot_be_used_is_one_line_with_its_key_and_blind(
    tmp_path: Path, key: str, content: str | None, said: str
) -> None:
    """A missing CA says nothing of the service, and is no traceback."""
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_text(content)
    async with scripted(healthy) as (url, kept):
        answer = await asked(url, HttpSettings.model_validate({key: file}))

    assert (answer.fault, answer.blind, kept) == (Fault.CLIENT, True, [])
    assert answer.detail.startswith("FILE_UNREADABLE: ")
    assert said in answer.detail
    assert f"correct http.{key}" in answer.detail
