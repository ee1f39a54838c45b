"""Let a process stand still until one look of a triage has waited for it in vain, then go on."""

import threading
import time

import psutil

from tasks.clients.drills.order_flow import SYMBOLS
from tasks.clients.drills.own_stack import still_ours
from tasks.model.processes import ProcessIdentity
from tasks.settings import ServiceSettings

POLL_S = 0.1
# Each sender of a drill's orders waits on one connection; a round of looks opens one for each of its questions.
LOOKS_COUNT = 3
SLACK_S = 0.3


def blink(service: ServiceSettings, identity: ProcessIdentity, mark: str, longest_s: float) -> None:
    """Wait in the background for a look to come and to give up, then let the stopped process go on.

    Units: `longest_s` is when it goes on although no look came; the score then says that nothing was felt.
    """
    threading.Thread(target=_go_on_after_look, args=(service, identity, mark, longest_s), daemon=True).start()


def _go_on_after_look(service: ServiceSettings, identity: ProcessIdentity, mark: str, longest_s: float) -> None:
    deadline = time.monotonic() + longest_s
    while _waiting_count(service.port) < len(SYMBOLS) + LOOKS_COUNT and time.monotonic() < deadline:
        time.sleep(POLL_S)
    time.sleep(service.look.health_timeout_s + SLACK_S)
    process = still_ours(identity, mark)
    if process is not None:
        process.resume()


def _waiting_count(port: int) -> int:
    try:
        found = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return 0
    # Both ends are listed; the far port is the service's on the side of who waits.
    waiting = (one for one in found if one.status == psutil.CONN_ESTABLISHED)
    return sum(getattr(one.raddr, "port", None) == port for one in waiting)
