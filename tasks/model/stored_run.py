"""One unhealthy run as it is kept, and what naming its cause again comes to."""

from typing import Literal

from pydantic import AwareDatetime

from tasks.model.diagnosis import Diagnosis
from tasks.model.evidence import Evidence
from tasks.model.log_findings import LogsLook
from tasks.model.values import Value


class StoredRun(Value):
    """The whole evidence of one run, the history and limits that it used among it, and what was made of it then.

    The worst of what the logs said is kept beside it: no rule reads it to name a cause, a drafted check may.
    """

    version: Literal[1] = 1
    stored_at: AwareDatetime
    evidence: Evidence
    diagnosis: Diagnosis
    logs: LogsLook = LogsLook()


class Difference(Value):
    """One place where the diagnosis of now is not that of then."""

    place: str
    then: str
    now: str


class Replay(Value):
    """The diagnosis of then beside that of now; the same bit for bit, or where they differ."""

    then: Diagnosis
    now: Diagnosis
    differences: tuple[Difference, ...] = ()

    @property
    def same(self) -> bool:
        """Say whether the rules of now name the same cause with the same words."""
        return not self.differences
