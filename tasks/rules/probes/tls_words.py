"""Say why TLS could not be agreed with a peer, with the key to change; it says nothing of how the peer is."""

EXPIRED, NOT_YET_VALID = 10, 9
WRONG_NAME = frozenset({62, 64})
# The peer ended the connection, as one that is stopped or has crashed does: that is no word about TLS.
ENDED = ("EOF", "ZERO_RETURN", "SHUTDOWN")
NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
ASKS_FOR_CERTIFICATE = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "DECRYPT_ERROR")


def not_trusted(verify_code: int, verify_message: str) -> str:
    """Say why the peer's certificate does not satisfy us.

    Source: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
    """
    said = " ".join(verify_message.split())[:200]
    if verify_code in WRONG_NAME:
        return f"its certificate is for another name ({said}); set http.server_name to the name it has"
    if verify_code in {EXPIRED, NOT_YET_VALID}:
        word = "has expired" if verify_code == EXPIRED else "is not valid yet"
        return f"its certificate {word}; renew it, or look at this machine's clock (http.ca_file does not help)"
    return f"its certificate is not trusted ({said}); set http.ca_file to the CA that signed it"


def not_agreed(reason: str) -> str | None:
    """Say why the peer ended the handshake, by OpenSSL's reason; None where it says nothing of TLS."""
    reason = reason.upper()
    if not reason or any(word in reason for word in ENDED):
        return None
    plain = reason.rpartition("ALERT_")[2].replace("_", " ").lower()[:100]
    if "ALERT" in reason and any(word in reason for word in ASKS_FOR_CERTIFICATE):
        return f"it refused our client certificate ({plain}); set http.cert_file and http.key_file to one that it takes"
    if "UNRECOGNIZED_NAME" in reason:
        return "it does not know the name that we ask for; set http.server_name to a name it has"
    if any(word in reason for word in NO_TLS):
        return "it does not speak TLS; set the address to http://, or to where it answers over https"
    if "HANDSHAKE_FAILURE" in reason:
        return (
            "it ended the TLS handshake; it may ask for a client certificate (http.cert_file, http.key_file), "
            "or for another version of TLS"
        )
    return f"no TLS could be agreed ({plain}); look at http.ca_file, http.cert_file and at the peer's TLS"
