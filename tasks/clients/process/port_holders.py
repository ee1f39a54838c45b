"""Who answers on a port of ours: the very process that was started there, or a stranger."""

import re
import socket
from collections.abc import Callable
from pathlib import Path

import psutil

from tasks.clients.process.marks import STACK_MARK, carries
from tasks.clients.process.processes import is_within, port_owner, process_name

HOST = "127.0.0.1"
CONNECT_TIMEOUT_S = 0.5
UNSEEN = "a process of another user"
SCRIPTS = (".py", ".jar", ".dll", ".js", ".rb")


def stranger_to(port: int, root_pid: int) -> str | None:
    """Name who listens on a port where it is neither a process nor one that it started; None too where nobody does."""
    return _stranger(port, lambda owner: is_within(owner.pid, root_pid))


def stranger_in(port: int, mark: str) -> str | None:
    """Name who listens on a port where it carries no mark of this stack; None too where nobody does."""
    return _stranger(port, lambda owner: carries(owner, STACK_MARK, mark))


def program_on(port: int) -> str | None:
    """Give a pattern for the program that listens on a port: its script, module or file, and none of its arguments.

    Arguments may be secrets.
    """
    owner = port_owner(port)
    try:
        words = owner.cmdline() if owner else []
    except (psutil.Error, OSError):
        return None
    programs = (Path(word).name for word in words[1:] if not word.startswith("-"))
    named = next((word for word in programs if word.endswith(SCRIPTS)), None)
    return re.escape(named or Path(words[0]).name) if words else None


def _stranger(port: int, belongs: Callable[[psutil.Process], bool]) -> str | None:
    owner = port_owner(port)
    if owner is None and not _is_taken(port):
        return None
    # What is ours we may see, unless it began to listen between both looks.
    owner = owner or port_owner(port)
    if owner is None:
        return UNSEEN
    return None if belongs(owner) else f"pid={owner.pid} name={process_name(owner)}"


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(CONNECT_TIMEOUT_S)
        return probe.connect_ex((HOST, port)) == 0
