"""A message: to whom, about what, in which words, and whether it arrived."""

from pydantic import AwareDatetime

from tasks.model.diagnosis import Audience
from tasks.model.values import Value


class Attachment(Value):
    """A text that is too long to be read in a thread: a request with its answer, the lines of a log."""

    name: str
    text: str


class Message(Value):
    """One message. `key` is said once for each incident, so that fifty failing runs tell it once.

    `as_of` is the moment that it speaks of; without it, that at which it was queued.
    `detail` follows the text, in a thread where the channel has threads: a notice to the desk stays its own words.
    `run_url` leads to the run that says it; where none does, to the page of the Prefect UI that shows why.
    """

    key: str
    incident_id: str
    audience: Audience
    text: str
    detail: str = ""
    run_url: str | None = None
    files: tuple[Attachment, ...] = ()
    as_of: AwareDatetime | None = None


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
