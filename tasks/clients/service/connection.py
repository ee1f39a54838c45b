"""Connect to a gateway and send nothing: it tells whether anybody listens, and disturbs no FIX session."""

import time

from tasks.clients.service.access import access_of
from tasks.clients.service.event_loop_lag import event_loop_lag
from tasks.clients.service.http import ENDS, HELD_UP_RATIO, fault_of
from tasks.clients.service.wire import connected
from tasks.model.probes.probes import Exchange, Fault
from tasks.model.service.gateway_settings import Gateway, ProbeKind, address_of


async def connect_once(gateway: Gateway, deadline_s: float) -> Exchange:
    """Connect once, with a TLS handshake where the gateway is probed so.

    Errors: none; every end is a value, as of an exchange over HTTP. TLS that is not agreed is blind.
    """
    started, fault, detail, held_up = time.monotonic(), Fault.NONE, "", False
    with event_loop_lag() as delay:
        try:
            await _connect(gateway, deadline_s)
        except TimeoutError:
            fault, detail = Fault.TIMED_OUT, f"no connection in deadline_s={deadline_s:g}"
        except ENDS as error:
            fault, detail = fault_of(error)
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


async def _connect(gateway: Gateway, deadline_s: float) -> None:
    host, port = address_of(gateway.address or "")
    access = access_of(gateway.http) if gateway.probe is ProbeKind.TLS else None
    if access is not None:
        access.check(gateway.probe)
    tls, name = (access.tls, access.server_name) if access else (None, None)
    async with connected(host, port, deadline_s, tls, name):
        pass
