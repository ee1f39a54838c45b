"""Why TLS was not agreed: each reason names the key to change, or that there is none."""

import pytest

from tasks.rules.probes.tls_words import not_agreed, not_trusted


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        (18, "self-signed certificate", "set http.ca_file"),
        (20, "unable to get local issuer certificate", "set http.ca_file"),
        (62, "Hostname mismatch, certificate is not valid for 'oms'.", "set http.server_name"),
        (64, "IP address mismatch, certificate is not valid for '10.0.0.1'.", "set http.server_name"),
        (10, "certificate has expired", "has expired; renew it"),
        (9, "certificate is not yet valid", "is not valid yet; renew it, or look at this machine's clock"),
    ],
)
def test_a_certificate_that_is_not_trusted_names_what_to_change(code: int, message: str, said: str) -> None:
    """At 3 a.m. the key is worth more than OpenSSL's number."""
    assert said in not_trusted(code, message)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "TLSV13_ALERT_CERTIFICATE_REQUIRED",
            "refused our client certificate (certificate required); set http.cert_file",
        ),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "http.cert_file"),
        ("TLSV1_ALERT_UNKNOWN_CA", "http.cert_file"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "may ask for a client certificate (http.cert_file"),
        ("CERTIFICATE_TYPE_UNKNOWN", "no TLS could be agreed (certificate type unknown)"),
        ("TLSV1_UNRECOGNIZED_NAME", "http.server_name"),
        ("WRONG_VERSION_NUMBER", "does not speak TLS"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "protocol version"),
    ],
)
def test_a_handshake_that_the_peer_ended_names_what_to_change(reason: str, said: str) -> None:
    """The peer's alert says which side has to change."""
    assert said in (not_agreed(reason) or "")


@pytest.mark.parametrize("reason", ["UNEXPECTED_EOF_WHILE_READING", "EOF_OCCURRED", "", "SSL_ZERO_RETURN"])
def test_a_connection_that_just_ended_is_no_matter_of_certificates(reason: str) -> None:
    """So ends a service that is killed; that is seen, and not blind."""
    assert not_agreed(reason) is None
