"""Choose the ports of a stack: the default where it is free, any free one where it is not."""

import socket
from collections.abc import Mapping

from tasks.model.errors import Code, RunbookError

HOST = "127.0.0.1"
SERVER, ORDER_SERVICE, MONITORING = "prefect-server", "order-service", "monitoring"
GATEWAYS = ("XNAS", "XNYS", "XCME", "FXALL", "CRYP")
DEFAULTS: dict[str, int] = {
    SERVER: 4200,
    ORDER_SERVICE: 8600,
    MONITORING: 8650,
    **{name: 8701 + place for place, name in enumerate(GATEWAYS)},
    **{f"{name}-admin": 8801 + place for place, name in enumerate(GATEWAYS)},
}


def choose_ports(asked: Mapping[str, int | None]) -> dict[str, int]:
    """Choose one port for each part; a port that was asked for by name is taken or refused.

    Errors: `PORT_TAKEN` when a port that was asked for is in use.
    """
    held: list[socket.socket] = []
    try:
        return {part: _choose(part, default, asked.get(part), held) for part, default in DEFAULTS.items()}
    finally:
        for one in held:
            one.close()


def _choose(part: str, default: int, asked: int | None, held: list[socket.socket]) -> int:
    for port in [asked] if asked else [default, 0]:
        bound = _bind(port)
        if bound is not None:
            # Held until all are chosen, so that no free port is handed out twice.
            held.append(bound)
            return int(bound.getsockname()[1])
    raise RunbookError(
        Code.PORT_TAKEN,
        f"expected port={asked or default} free for {part} was in use; stop what holds it or name another port",
    )


def _bind(port: int) -> socket.socket | None:
    candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        candidate.bind((HOST, port))
        # A listener elsewhere on the wildcard address lets bind succeed and listen fail.
        candidate.listen(1)
    except OSError:
        candidate.close()
        return None
    return candidate
