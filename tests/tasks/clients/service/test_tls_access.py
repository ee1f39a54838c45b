"""TLS of a firm: its private CA and its client certificates; and what is said of those that do not fit."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.clients.service.access import tls_of
from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.probes.liveness import Liveness
from tasks.model.probes.probes import Fault
from tasks.model.service.http_settings import HttpSettings
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.settings import ServiceSettings
from tasks.work.triage.probe_pass import observe
from tests.fakes.incident.observations import three
from tests.fakes.service.asking import asked, asked_barely, healthy
from tests.fakes.service.private_ca import DAY, PrivateCa
from tests.fakes.service.scripted import replied, scripted
from tests.fakes.service.wire import answering, exactly

TLS_VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.fixture
def ca(tmp_path: Path) -> PrivateCa:
    """Give the CA of a firm."""
    return PrivateCa(tmp_path / "ca")


async def test_a_service_behind_a_private_ca_is_asked_once_its_ca_is_named(ca: PrivateCa) -> None:
    """The firm's CA is in no public list."""
    async with scripted(healthy, ca.served()) as (url, _):
        answer = await asked(url, HttpSettings(ca_file=ca.ca_file))
        unknown = await asked(url, HttpSettings())

    assert (answer.fault, answer.http_status) == (Fault.NONE, 200)
    assert (unknown.fault, unknown.blind) == (Fault.TLS, True)
    assert "http.ca_file" in unknown.detail


async def test_the_variable_of_openssl_names_the_ca_where_no_setting_does(
    ca: PrivateCa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Hosts of a firm have it set already; what is set for one service goes before it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.ca_file))
    async with scripted(healthy, ca.served()) as (url, _):
        assert (await asked(url, HttpSettings())).http_status == 200
        other = PrivateCa(tmp_path / "other")
        assert (await asked(url, HttpSettings(ca_file=other.ca_file))).fault is Fault.TLS


@contextmanager
def refusing_aloud(ca: PrivateCa) -> Iterator[str]:
    """Serve clients with a certificate alone, and say so in an alert, as most servers do."""
    served = ca.served(asks_for_client=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    accepted = listener.accept()[0]
                    accepted.settimeout(5)
                    connection = served.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
                    with suppress(ssl.SSLError):
                        connection.do_handshake()
                    # What is not read when the connection ends would take the alert with it.
                    with socket.socket(fileno=connection.detach()) as below:
                        below.shutdown(socket.SHUT_WR)
                        while below.recv(4096):
                            pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


async def test_a_refusal_that_is_said_in_an_alert_is_given_with_its_word(ca: PrivateCa) -> None:
    """The word tells a missing certificate from an expired one."""
    with refusing_aloud(ca) as url:
        answer = await asked(url, HttpSettings(ca_file=ca.ca_file))

    assert (answer.fault, "refused our client certificate" in answer.detail) == (Fault.TLS, True), answer.detail


async def test_a_service_that_cuts_the_connection_is_no_matter_of_certificates(ca: PrivateCa) -> None:
    """It took our certificate, and died of the request."""
    mine = ca.issue("triage.desk")
    http = HttpSettings(ca_file=ca.ca_file, cert_file=mine.cert_file, key_file=mine.key_file)
    async with answering(exactly(b""), tls=ca.served(asks_for_client=True)) as url:
        answer = await asked(url, http)

    assert (answer.fault, answer.blind) == (Fault.CUT_OFF, False)


async def test_roots_of_the_environment_that_cannot_be_read_concern_calls_over_tls_alone(
    ca: PrivateCa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Many an environment names a file that is gone, and a service on this host is asked without TLS."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    async with scripted(healthy) as (url, _), scripted(healthy, ca.served()) as (safe_url, _):
        plain, safe = await asked(url, HttpSettings()), await asked(safe_url, HttpSettings())
        alive, unsure = await asked_barely(url, HttpSettings()), await asked_barely(safe_url, HttpSettings())

    assert (plain.http_status, alive.liveness) == (200, Liveness.ANSWERS)
    assert (safe.blind, "correct SSL_CERT_FILE" in safe.detail) == (True, True)
    assert (unsure.liveness, "correct SSL_CERT_FILE" in unsure.detail) == (Liveness.UNREACHABLE, True)


@pytest.mark.parametrize("version", TLS_VERSIONS)
async def test_a_client_certificate_is_shown_and_one_that_is_missing_is_no_fault_of_the_service(
    ca: PrivateCa, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    """In TLS 1.3 the refusal comes after the handshake, when the request is sent already."""
    served = ca.served(asks_for_client=True)
    served.minimum_version = served.maximum_version = version
    mine, others = ca.issue("triage.desk"), PrivateCa(tmp_path / "other").issue("triage.desk")
    async with scripted(healthy, served) as (url, kept):
        shown = await asked(url, HttpSettings(ca_file=ca.ca_file, cert_file=mine.cert_file, key_file=mine.key_file))
        assert (shown.fault, len(kept)) == (Fault.NONE, 1)
        for wrong in ({}, {"cert_file": others.cert_file, "key_file": others.key_file}):
            refused = await asked(url, HttpSettings(ca_file=ca.ca_file, **wrong))
            assert (refused.fault, "http.cert_file" in refused.detail) == (Fault.TLS, True), refused.detail


async def test_a_certificate_of_another_name_is_asked_for_by_that_name(ca: PrivateCa) -> None:
    """A service is often asked by its address, and its certificate has its name."""
    async with scripted(healthy, ca.served("oms.desk.internal")) as (url, _):
        wrong = await asked(url, HttpSettings(ca_file=ca.ca_file))
        named = HttpSettings(ca_file=ca.ca_file, server_name="oms.desk.internal")
        right = await asked(url, named)
        alive = await asked_barely(url, named)

    assert (wrong.fault, "http.server_name" in wrong.detail) == (Fault.TLS, True)
    assert (right.http_status, alive.liveness) == (200, Liveness.ANSWERS)


async def test_an_expired_certificate_is_named_and_no_key_is_blamed(ca: PrivateCa) -> None:
    """A person then renews it, and does not search in our settings."""
    async with scripted(healthy, ca.served(valid_for=timedelta(0) - DAY)) as (url, _):
        answer = await asked(url, HttpSettings(ca_file=ca.ca_file))

    assert (answer.fault, "has expired" in answer.detail) == (Fault.TLS, True)


async def test_a_service_without_tls_at_an_https_address_is_not_called_down() -> None:
    """It answers; it is our address that is wrong."""
    async with answering(exactly(replied(400)), reads_head=False) as url:
        answer = await asked(url.replace("http://", "https://"), HttpSettings())

    assert (answer.fault, "does not speak TLS" in answer.detail) == (Fault.TLS, True), answer.detail


async def test_the_bare_question_of_each_second_says_why_tls_was_not_agreed(ca: PrivateCa) -> None:
    """It is no hang, and no service that is down."""
    async with scripted(healthy, ca.served()) as (url, _):
        untrusted = await asked_barely(url, HttpSettings())
    with refusing_aloud(ca) as url:
        refused = await asked_barely(url, HttpSettings(ca_file=ca.ca_file))

    assert (untrusted.liveness, "http.ca_file" in untrusted.detail) == (Liveness.UNREACHABLE, True)
    assert (refused.liveness, "http.cert_file" in refused.detail) == (Liveness.UNREACHABLE, True)


async def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(ca: PrivateCa) -> None:
    """OpenSSL would ask on the terminal, and wait for ever."""
    mine = ca.issue("triage.desk", passphrase=b"secret")
    answer = await asked("https://127.0.0.1:1", HttpSettings(cert_file=mine.cert_file, key_file=mine.key_file))

    assert "expected a key without a passphrase found an encrypted one" in answer.detail


def test_tls_is_loaded_once_and_again_when_a_file_changes(ca: PrivateCa) -> None:
    """Loading takes longer than a check; a renewed CA is heeded all the same."""
    http = HttpSettings(ca_file=ca.ca_file)
    first = tls_of(http)
    assert tls_of(HttpSettings(ca_file=ca.ca_file)) is first
    ca.ca_file.write_bytes(ca.ca_file.read_bytes() + b"\n")
    assert tls_of(http) is not first


@pytest.mark.parametrize("asks_for_client", [False, True])
async def test_a_triage_of_a_service_that_we_may_not_see_is_blind_and_calls_nothing_down(
    ca: PrivateCa, asks_for_client: bool
) -> None:
    """A certificate that ended at night restarts no order service."""
    table = {"http": {"ca_file": ca.ca_file}} if asks_for_client else {}
    async with scripted(healthy, ca.served(asks_for_client=asks_for_client)) as (url, kept):
        service = ServiceSettings.model_validate(
            {
                "base_url": url,
                "synthetic_orders": {"equity": {"symbol": "ZVZZT"}},
                "process": {"seen_by": "none"},
                **table,
            }
        )
        seen = await observe(service)
    diagnosis = name_cause(three(health=seen.health, process=seen.process, orders=seen.orders, metrics=seen.metrics))

    assert kept == []
    assert [one.cause for one in diagnosis.findings] == [Cause.MONITOR_BLIND]
    assert ("http.cert_file" if asks_for_client else "http.ca_file") in diagnosis.findings[0].because[0]
