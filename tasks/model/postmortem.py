"""What a postmortem is made of, and what is made of it; kept beside it, so that it can be written again years later."""

from typing import Literal

from pydantic import AwareDatetime

from tasks.model.checks import Check
from tasks.model.incident import IncidentState, LedgerRecord
from tasks.model.messages import Delivery
from tasks.model.past_looks import PastLook
from tasks.model.stored_run import StoredRun
from tasks.model.values import Value


class NumberedRecord(Value):
    """A ledger record with its line, which a kept file must not lose."""

    line: int
    record: LedgerRecord


class PostmortemCase(Value):
    """Everything that is known of one incident.

    `records` are its own, `around` those of its service beside it; `looks` the runs from an hour before it to its end,
    oldest first. `first_run` is the whole evidence of the first run that saw it. `gaps` say what could not be read.
    """

    version: Literal[1] = 1
    incident: IncidentState
    records: tuple[NumberedRecord, ...] = ()
    around: tuple[NumberedRecord, ...] = ()
    looks: tuple[PastLook, ...] = ()
    first_run: StoredRun | None = None
    messages: tuple[Delivery, ...] = ()
    evidence_files: tuple[str, ...] = ()
    regression: str | None = None
    checks: tuple[Check, ...] = ()
    gaps: tuple[str, ...] = ()


class Block(Value):
    """One generated part of the document, between markers of its name."""

    name: str
    text: str


class Composed(Value):
    """A document that was put together: which parts a person has edited or taken out, and so were left alone."""

    text: str
    edited: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Postmortem(Value):
    """The end of writing one: the file, what of it a person has edited, and what came beside it."""

    incident_id: str
    path: str
    text: str
    closed_at: AwareDatetime | None = None
    changed: bool = False
    edited: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    regression: str | None = None
    checks: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class KeptBeside(Value):
    """What was kept beside a postmortem, by name; `fault` says why something could not be, which is tried again."""

    names: tuple[str, ...] = ()
    fault: str = ""
