"""What a postmortem is made of, and what is made of it; kept beside it, so that it can be written again years later."""

from typing import Literal

from pydantic import AwareDatetime, Field

from tasks.model.checks.checks import Check
from tasks.model.evidence.stored_run import StoredRun
from tasks.model.incidents.incident import IncidentState, LedgerRecord
from tasks.model.messages.messages import Delivery
from tasks.model.postmortem.follow_up import FollowUp
from tasks.model.probes.history import PastObservation
from tasks.model.values import Value


class NumberedRecord(Value):
    """A ledger record with its line, which a kept file must not lose."""

    line: int
    record: LedgerRecord


class PostmortemCase(Value):
    """Everything that is known of one incident.

    `records` are its own, `around` those of its service beside it; `looks` the runs from an hour before it to its end,
    oldest first. `first_run` is the whole evidence of the first run that saw it. `gaps` say what could not be read.
    `follow_ups` are kept by themselves, and not with these facts.
    """

    version: Literal[1] = 1
    incident: IncidentState
    records: tuple[NumberedRecord, ...] = ()
    around: tuple[NumberedRecord, ...] = ()
    looks: tuple[PastObservation, ...] = ()
    first_run: StoredRun | None = None
    messages: tuple[Delivery, ...] = ()
    evidence_files: tuple[str, ...] = ()
    regression: str | None = None
    checks: tuple[Check, ...] = ()
    gaps: tuple[str, ...] = ()
    follow_ups: tuple[FollowUp, ...] = Field(default=(), exclude=True)


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
    """One that was written: the file, its picture (SVG), what of it a person has edited, and what was saved with it."""

    incident_id: str
    path: str
    text: str
    picture: str = ""
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
