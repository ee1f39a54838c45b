"""Whose requests are taken: those that name a known host, and none that a web page of another origin sends.

A browser sends a page's form or `fetch` to any address, the loopback of this machine included, and a name that an
attacker owns may lead to that address. Shared by the service, the gateway simulator and the stub.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

READING = frozenset({"GET", "HEAD", "OPTIONS"})
_WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - never a name that a client asks for
_OWN_PAGES = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True)
class Sender:
    """Hold what a request says of where it comes from and whom it asks; one entry for each time a header came."""

    method: str
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    fetch_sites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stranger:
    """Say why a request is not taken. `field` names the header."""

    is_foreign_page: bool
    message: str
    field: str


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """Know under which names this server is asked: the loopback's, the one it is bound to, and those configured."""

    names: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, bound_to: str, others: Iterable[str] = ()) -> "KnownHosts":
        """Take the address the server is bound to, unless that is every address, and the configured names."""
        return cls(frozenset(name.lower().strip("[]") for name in (bound_to, *others)) - _WILDCARDS)

    def stranger(self, sender: Sender) -> Stranger | None:
        """Say why a request is not taken, if it is not.

        Reading stays open to a link in another page: without a header of ours that page reads nothing of the answer.
        """
        if len(sender.hosts) != 1 or not self._knows(sender.hosts[0]):
            found = sender.hosts[0][:100] if sender.hosts else "absent"
            return Stranger(False, f"expected a known host, was {found}; ask under its own name, or allow it", "host")
        if sender.method in READING:
            return None
        return _foreign_page(sender)

    def _knows(self, host: str) -> bool:
        name = _name_of(host)
        return name is not None and (name in self.names or _is_loopback(name))


def _foreign_page(sender: Sender) -> Stranger | None:
    own = (f"http://{sender.hosts[0]}".lower(), f"https://{sender.hosts[0]}".lower())
    expected = "expected no web page of another origin, was"
    if any(origin.strip().lower() not in own for origin in sender.origins):
        return Stranger(True, f"{expected} {sender.origins[0][:100]}; ask without a browser", "origin")
    if any(site.strip().lower() not in _OWN_PAGES for site in sender.fetch_sites):
        return Stranger(True, f"{expected} {sender.fetch_sites[0][:20]}; ask without a browser", "sec-fetch-site")
    return None


def is_json(content_type: str) -> bool:
    """Say whether a body is JSON in UTF-8. Without such a type a browser sends it from any page, and asks nobody."""
    name, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [part.partition("=")[2].strip("\"' ") for part in parameters if part.startswith("charset")]
    return name == "application/json" and all(charset in {"utf-8", "utf8"} for charset in charsets)


@lru_cache(maxsize=64)
def _name_of(host: str) -> str | None:
    """Give the name of a Host header without its port; none where it is no name."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name = host
    elif not (port.isascii() and port.isdecimal()):
        return None
    is_bracketed = name.startswith("[") and name.endswith("]")
    if not is_bracketed and ":" in name:
        return None
    return (name[1:-1] if is_bracketed else name).lower().rstrip(".") or None


@lru_cache(maxsize=64)
def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
