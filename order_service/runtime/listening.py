"""Taking a port, and knowing when to stop: for the service, the gateway simulator and the stub alike."""

import asyncio
import contextlib
import os
import signal
import socket


def bind(host: str, port: int) -> socket.socket:
    """Take a port without listening on it: connects are refused, and nobody else can have it.

    Errors: OSError when the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # on Windows the flag would let another process steal the port
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        taken.setblocking(False)
    except OSError:
        taken.close()
        raise
    return taken


def stop_signal() -> asyncio.Event:
    """Give what is set at SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: SIGINT arrives as KeyboardInterrupt
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
