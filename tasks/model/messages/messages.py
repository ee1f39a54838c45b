"""A message: to whom, about what, in which words, and whether it was delivered."""

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.values import Value


class Attachment(Value):
    """A text that is too long to be read in a thread: a request with its answer, the lines of a log."""

    name: str
    text: str


class Message(Value):
    """One message. `key` is sent once for each incident, so that fifty failing runs send it once.

    `also` are the keys of other messages that this one says as well, each with its incident.
    `as_of` is the moment that it speaks of; without it, that at which it was queued.
    `detail` follows the text, in a thread where the channel has threads: a notice to the desk stays its own words.
    `until` is when the next message says what this one says: not sent by then, it is not sent any more.
    `run_url` leads to the run that says it; where none does, to the page of the Prefect UI that shows why.
    """

    key: str
    incident_id: str
    audience: Audience
    text: str
    detail: str = ""
    also: dict[str, str] = Field(default_factory=dict)
    run_url: str | None = None
    files: tuple[Attachment, ...] = ()
    as_of: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @property
    def stands_for(self) -> dict[str, str]:
        """Give every key that it is sent for, each with its incident."""
        return {self.key: self.incident_id, **self.also}


class Delivery(Value):
    """One line of `notifications.jsonl`."""

    timestamp: AwareDatetime
    incident_id: str
    audience: Audience
    channel: str
    text: str
    delivered: bool
    key: str = ""
    detail: str = ""
    run_url: str | None = None
