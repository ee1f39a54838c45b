"""The grammar of one sample line of a Prometheus or OpenMetrics text exposition."""

import re

from tasks.model.probes.metrics import Labels, Sample

# Possessive throughout: no line can make the reader go back.
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*+")
QUOTED = r'"(?:[^"\\]|\\.)*+"'
LABEL_PAIR = re.compile(
    rf"[ \t]*+(?P<key>[a-zA-Z_][a-zA-Z0-9_]*+|{QUOTED})[ \t]*+(?:=[ \t]*+(?P<value>{QUOTED})[ \t]*+)?+(?P<end>[,}}])",
    re.ASCII,
)
CLOSE = re.compile(r"[ \t]*+\}")
NUMBER = r"[+-]?(?:(?:\d{1,400}+(?:\.\d{0,400}+)?+|\.\d{1,400}+)(?:e[+-]?\d{1,9}+)?+|inf(?:inity)?+|nan)"
STAMP = r"[ \t]++-?\d{1,30}+(?:\.\d{0,30}+)?+(?:e[+-]?\d{1,3}+)?+"
EXEMPLAR = r"\#[ \t]*+\{.*+"
TAIL = re.compile(
    rf"[ \t]*+(?P<value>{NUMBER})(?:{STAMP})?+[ \t]*+(?:{EXEMPLAR})?+",
    re.ASCII | re.IGNORECASE,
)
ESCAPE = re.compile(r'\\([\\n"])')


def read_sample(line: str) -> Sample | None:
    """Read `name{label="value",…} value [timestamp] [# exemplar]`; None when the line is anything else.

    Source: https://prometheus.io/docs/instrumenting/exposition_formats/, and the quoted names of Prometheus 3.
    """
    named = NAME.match(line)
    name, position = (named[0], named.end()) if named else ("", 0)
    labels: Labels | None = ()
    opened = position + len(line[position:]) - len(line[position:].lstrip(" \t"))
    if line.startswith("{", opened):
        name, labels, position = _labels(line, opened + 1, name)
    tail = TAIL.fullmatch(line, position)
    if not tail or not name or labels is None or (named and position == named.end() and line[position] not in " \t"):
        return None
    return Sample(name=name, labels=labels, value=float(tail["value"]))


def _labels(line: str, position: int, name: str) -> tuple[str, Labels | None, int]:
    """Read the labels up to the brace; a quoted key without a value is the metric's name. None when they are bad."""
    pairs: dict[str, str] = {}
    while True:
        closed = CLOSE.match(line, position)
        if closed:
            return name, tuple(sorted(pairs.items())), closed.end()
        found = LABEL_PAIR.match(line, position)
        if not found:
            return name, None, position
        key = unquoted(found["key"])
        if found["value"] is None:
            if name or not found["key"].startswith('"'):
                return name, None, position
            name = key
        elif key in pairs:
            return name, None, position
        else:
            pairs[key] = unquoted(found["value"])
        # The closing brace is left for the next round.
        position = found.end() if found["end"] == "," else found.end() - 1


def unquoted(text: str) -> str:
    """Take off the quotes and the escapes of a label value or a quoted name."""
    inner = text[1:-1] if text.startswith('"') else text
    return ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], inner) if "\\" in inner else inner
