"""Open a line: take off what carries it, layer by layer, down to what the program wrote."""

from tasks.rules.logs.envelopes.carrier import Opened
from tasks.rules.logs.envelopes.heads import opened_head
from tasks.rules.logs.envelopes.json_carriers import opened_json
from tasks.rules.logs.envelopes.telemetry import telemetry_records

# A shipper of containers, the container's own log, syslog within it, and one more.
LAYERS = 4


def open_line(line: str) -> Opened:
    """Take off every carrier of a line; what the innermost says of time and level counts before the outer ones.

    Errors: none; a line that nobody carries is given back as it is.
    """
    opened = Opened(line)
    for _ in range(LAYERS):
        inner = opened_json(opened.text) or opened_head(opened.text)
        if inner is None:
            break
        opened = opened.with_inner(inner)
    return opened


def records_of(opened: Opened) -> tuple[Opened, ...]:
    """Give the records of a line: one, but for telemetry, which is sent in batches."""
    return tuple(opened._replace(text=text, start=-1, in_letters=False) for text in telemetry_records(opened.text)) or (
        opened,
    )


def trace_line(line: str) -> str:
    """Give a line as a stack trace has it: only what writes one record a line as JSON is taken off.

    A text before each line stays: by it the lines of many writers are told apart. Of a record with line ends of its
    own, only the first line is given, since its trace is its own.
    """
    inner = opened_json(line)
    text = inner.text if inner else line
    return text.split("#012", 1)[0].split("\n", 1)[0] if "#012" in text or "\n" in text else text
