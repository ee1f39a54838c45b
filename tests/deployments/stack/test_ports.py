"""Ports: the default where it is free, any free one where it is not, and a port asked for by name is never moved."""

import socket

import pytest

from deployments.stack.ports import DEFAULTS, ORDER_SERVICE, choose_ports
from tasks.model.errors import Code, RunbookError


def test_every_part_gets_a_port_of_its_own() -> None:
    """Two parts on one port is one part that does not come up."""
    ports = choose_ports({})

    assert set(ports) == set(DEFAULTS)
    assert len(set(ports.values())) == len(ports)


def test_a_taken_default_is_avoided() -> None:
    """A person with another program on 8600 still gets a stack."""
    with _hold(DEFAULTS[ORDER_SERVICE]):
        port = choose_ports({})[ORDER_SERVICE]

    assert port != DEFAULTS[ORDER_SERVICE]


def test_a_port_asked_for_by_name_is_given() -> None:
    """Who names a port has a reason."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]

    assert choose_ports({ORDER_SERVICE: port})[ORDER_SERVICE] == port


def test_a_taken_port_asked_for_by_name_is_refused() -> None:
    """It is refused in words, not moved in silence."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(RunbookError) as refused:
        choose_ports({ORDER_SERVICE: taken.getsockname()[1]})

    assert refused.value.code is Code.PORT_TAKEN


def _hold(port: int) -> socket.socket:
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        holder.bind(("127.0.0.1", port))
        holder.listen(1)
    except OSError:
        holder.close()
        # Somebody else holds it already, which serves as well.
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    return holder
