"""Why a gateway could not be connected to, in words that say where to look."""

import errno

import aiohttp

_BY_ERRNO = {
    errno.ECONNREFUSED: "connection refused",
    errno.EHOSTUNREACH: "no route to its host",
    errno.ENETUNREACH: "its network is unreachable",
    errno.EACCES: "the connection is not permitted here",
    errno.EPERM: "the connection is not permitted here",
    errno.EMFILE: "no file descriptor is left here",
    errno.ENFILE: "no file descriptor is left here",
    errno.EADDRNOTAVAIL: "no local port is left here",
}


def why_no_connection(error: aiohttp.ClientConnectorError) -> str:
    """Tell a name that does not resolve and a certificate that is not accepted from a port where nobody listens."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"its name {error.host} was not resolved"
    if isinstance(error, aiohttp.ClientSSLError):
        return "no TLS connection was agreed on"
    return _BY_ERRNO.get(error.os_error.errno or 0, "cannot be reached")
