"""Where a run works: which process on which machine. Kept by Prefect with the run, so that it outlives the worker."""

import socket

from pydantic import ValidationError

from tasks.clients.process.processes import is_running
from tasks.model.probes.processes import ProcessIdentity
from tasks.model.values import Value


class Place(Value):
    """One process of one machine, for good: a pid alone is given out again."""

    host: str
    process: ProcessIdentity

    def __str__(self) -> str:
        boot = f"@{self.process.boot}" if self.process.boot else ""
        return f"{self.host}:{self.process.pid}:{self.process.created_at_s!r}{boot}"

    @property
    def is_here(self) -> bool:
        return self.host == socket.gethostname()

    @property
    def lives(self) -> bool:
        """Say whether the very process still lives; of another machine nobody here can say."""
        return self.is_here and is_running(self.process)


def place_here(process: ProcessIdentity) -> Place:
    return Place(host=socket.gethostname(), process=process)


def read_place(text: str | None) -> Place | None:
    """Read what Prefect kept; None where it is not ours: the stock worker keeps a bare pid."""
    process, _, created = (text or "").rpartition(":")
    host, _, pid = process.rpartition(":")
    if not host:
        return None
    created_at_s, _, boot = created.partition("@")
    try:
        identity = ProcessIdentity(pid=int(pid), created_at_s=float(created_at_s), boot=boot)
        return Place(host=host, process=identity)
    except (ValueError, ValidationError):
        return None
