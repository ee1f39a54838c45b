"""Gateways probed by a connection alone, by TLS, by a path of their own, or not at all."""

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.clients.service.probes import gateway_probe
from tasks.model.probes.probes import Fault, GatewayProbe, Seen
from tasks.model.service.gateway_settings import Gateway, address_of
from tasks.settings import ServiceSettings
from tests.fakes.ports import free_port
from tests.fakes.service.private_ca import PrivateCa
from tests.fakes.service.scripted import replied, scripted
from tests.fakes.service.wire import answering, never


async def probed(**table: object) -> GatewayProbe:
    """Probe one gateway."""
    return await gateway_probe(ServiceSettings(), "XNAS", Gateway.model_validate(table))


async def test_a_connection_is_enough_for_a_fix_session_and_not_one_byte_is_sent() -> None:
    """A logon of ours would end the session of the desk."""
    received: asyncio.Queue[bytes] = asyncio.Queue()

    async def keep(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        try:
            received.put_nowait(await reader.read(100))
        except ConnectionError:
            received.put_nowait(b"")

    async with answering(keep, reads_head=False) as url:
        probe = await probed(probe="tcp", address=url.removeprefix("http://"))
        sent = await asyncio.wait_for(received.get(), 5)

    assert (probe.seen, probe.answers, sent) == (Seen.PASSED, True, b"")
    assert "takes connections" in probe.detail


async def test_a_port_that_refuses_is_a_gateway_that_is_down() -> None:
    """As a gateway that refuses a request."""
    probe = await probed(probe="tcp", address=f"127.0.0.1:{free_port()}")

    assert (probe.seen, probe.fault) == (Seen.FAILED, Fault.REFUSED)


async def test_a_name_that_we_cannot_resolve_is_our_own_failure() -> None:
    """It says nothing of the gateway."""
    assert (await probed(probe="tcp", address="no-such-host.invalid:9823")).seen is Seen.BLIND


async def test_a_tls_gateway_is_trusted_by_its_own_ca_or_blind(tmp_path: Path) -> None:
    """The service's CA, as its credentials, is not the gateway's."""
    ca = PrivateCa(tmp_path)
    async with answering(never, reads_head=False, tls=ca.served()) as url:
        address = url.removeprefix("https://")
        trusted = await probed(probe="tls", address=address, http={"ca_file": ca.ca_file})
        unknown = await probed(probe="tls", address=address)
        missing = await probed(probe="tls", address=address, http={"ca_file": tmp_path / "none.pem"})

    assert trusted.seen is Seen.PASSED
    assert (unknown.seen, "http.ca_file" in unknown.detail) == (Seen.BLIND, True)
    assert (missing.seen, "FILE_UNREADABLE" in missing.detail) == (Seen.BLIND, True)


async def test_a_gateway_that_is_not_to_be_probed_is_not_available_and_never_answers() -> None:
    """Nobody takes it for healthy because nobody asked."""
    probe = await probed(probe="none")

    assert (probe.seen, probe.answers, probe.fault) == (Seen.NOT_CONFIGURED, False, Fault.NONE)
    assert probe.detail.startswith("not available")


async def test_a_gateway_has_a_path_and_headers_of_its_own() -> None:
    """The token of the service is for the service alone."""
    service = ServiceSettings.model_validate({"http": {"bearer_token": "service-token-1"}})
    async with scripted(lambda _: replied(200, {"status": "UP"})) as (url, kept):
        table = {"base_url": url, "path": "/ready", "http": {"headers": {"X-Desk": "equities"}}}
        probe = await gateway_probe(service, "XNAS", Gateway.model_validate(table))

    assert (probe.seen, kept[0].path, kept[0].headers["x-desk"]) == (Seen.PASSED, "/ready", "equities")
    assert "authorization" not in kept[0].headers


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "set base_url"),
        ({"address": "fix:9823"}, 'set probe = "tcp"'),
        ({"probe": "tcp"}, "needs address"),
        ({"probe": "tls", "base_url": "https://h"}, "needs address"),
        ({"probe": "tcp", "address": "http://h:1"}, "HOST:PORT"),
        ({"probe": "tcp", "address": "h:0"}, "HOST:PORT"),
        ({"probe": "udp"}, "'http', 'tcp', 'tls' or 'none'"),
    ],
)
def test_a_gateway_that_cannot_be_probed_so_is_refused(table: dict[str, object], said: str) -> None:
    """At the start, with what to write."""
    with pytest.raises(ValidationError, match=said):
        Gateway.model_validate(table)


def test_addresses_of_both_kinds_are_read() -> None:
    """IPv6 stands in brackets."""
    assert address_of("fix.xnas.example:9823") == ("fix.xnas.example", 9823)
    assert address_of("[::1]:9823") == ("::1", 9823)
