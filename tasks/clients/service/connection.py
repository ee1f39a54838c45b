"""Connect to a gateway and send nothing: it tells whether anybody listens, and disturbs no FIX session."""

import asyncio
import ssl
import time

from tasks.clients.service.access import access_of, tls_words
from tasks.clients.service.event_loop_lag import event_loop_lag
from tasks.clients.service.http import HELD_UP_RATIO, connect_fault, fault_words
from tasks.model.errors import CannotObserve
from tasks.model.probes.probes import Exchange, Fault
from tasks.model.service.gateway_settings import Gateway, ProbeKind, address_of


async def connect_once(gateway: Gateway, deadline_s: float) -> Exchange:
    """Connect once, with a TLS handshake where the gateway is probed so.

    Errors: none; every end is a value, as of an exchange over HTTP. TLS that is not agreed is blind.
    """
    started, fault, detail, held_up = time.monotonic(), Fault.NONE, "", False
    with event_loop_lag() as delay:
        try:
            async with asyncio.timeout(deadline_s):
                await _connect(gateway)
        except TimeoutError:
            fault, detail = Fault.TIMED_OUT, f"no connection in deadline_s={deadline_s:g}"
        except CannotObserve as error:
            fault, detail = Fault.CLIENT, str(error)
        except (OSError, ValueError) as error:
            fault, detail = _fault_of(error)
        seconds_s = time.monotonic() - started
        held_up = fault is Fault.TIMED_OUT and delay.seconds_s >= HELD_UP_RATIO * seconds_s
    return Exchange(
        method="CONNECT",
        url=f"{gateway.probe}://{gateway.address}",
        fault=fault,
        detail=detail,
        seconds_s=round(seconds_s, 4),
        held_up=held_up,
    )


async def _connect(gateway: Gateway) -> None:
    host, port = address_of(gateway.address or "")
    access = access_of(gateway.http) if gateway.probe is ProbeKind.TLS else None
    if access is not None:
        access.check(gateway.probe)
    named = (access.server_name or host) if access else None
    _, writer = await asyncio.open_connection(host, port, ssl=access.tls if access else None, server_hostname=named)
    # A goodbye of TLS may wait for the other side, and nobody waits for it.
    writer.transport.abort()


def _fault_of(error: Exception) -> tuple[Fault, str]:
    if isinstance(error, ssl.SSLError) and (words := tls_words(error)):
        return Fault.TLS, words
    fault = connect_fault(error) if isinstance(error, OSError) else Fault.CLIENT
    return fault, fault_words(fault, error)
