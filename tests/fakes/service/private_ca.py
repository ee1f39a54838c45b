"""A private CA of a firm: certificates for servers and clients, and the TLS of a server that may ask for one."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Issued(NamedTuple):
    """A certificate and its key, as files."""

    cert_file: Path
    key_file: Path


class PrivateCa:
    """Signs certificates; its own is in `ca_file`."""

    def __init__(self, folder: Path, name: str = "desk") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} CA")])
        self._key = ec.generate_private_key(ec.SECP256R1())
        basic = x509.BasicConstraints(ca=True, path_length=None)
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        public, identifier = self._key.public_key(), x509.SubjectKeyIdentifier.from_public_key
        signed = _builder(self._name, self._name, public, -DAY, 30 * DAY).add_extension(basic, critical=True)
        signed = signed.add_extension(usage, critical=True).add_extension(identifier(public), critical=False)
        self.ca_file = folder / f"{name}-ca.pem"
        self.ca_file.write_bytes(signed.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str, valid_for: timedelta = 10 * DAY, *, passphrase: bytes | None = None) -> Issued:
        """Sign a certificate for a host or an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        named: x509.GeneralName = x509.DNSName(host)
        if host.replace(".", "").isdigit():
            named = x509.IPAddress(ipaddress.ip_address(host))
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = _builder(self._name, subject, key.public_key(), -2 * DAY, valid_for)
        signed = signed.add_extension(x509.SubjectAlternativeName([named]), critical=False)
        signed = signed.add_extension(authority, critical=False)
        issued = Issued(self._folder / f"{host}.pem", self._folder / f"{host}.key")
        certificate = signed.sign(self._key, hashes.SHA256())
        issued.cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        kept = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        issued.key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, kept))
        return issued

    def served(
        self, host: str = "127.0.0.1", *, asks_for_client: bool = False, valid_for: timedelta = 10 * DAY
    ) -> ssl.SSLContext:
        """Make the TLS of a server; one that asks for it takes only clients whose certificate this CA has signed."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self.issue(host, valid_for))
        if asks_for_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca_file)
        return context


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePublicKey, begins: timedelta, ends: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().issuer_name(issuer).subject_name(subject).public_key(key)
    return made.serial_number(x509.random_serial_number()).not_valid_before(now + begins).not_valid_after(now + ends)
