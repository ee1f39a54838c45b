"""Put generated parts into a document that a person edits: what a person wrote is never overwritten.

Each generated part stands between two markers, the first with the hash of what was generated. Whatever stands outside
the markers is the person's. A part whose text no longer fits its hash was edited, and is left as it is; so is one that
was taken out. Both are reported.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

from tasks.model.postmortem.postmortem import Block, Composed

_BEGIN = re.compile(r"<!-- runbook:begin (?P<name>[a-z-]+) (?P<hash>[0-9a-f]{16}) -->[ \t]*\r?\n?")
_WRITTEN = re.compile(r"<!-- runbook:written (?P<names>[a-z -]*)-->[ \t]*\r?\n?")
_MARKER = re.compile(r"^<!-- runbook:[^\n]*-->[ \t]*\r?\n?", re.MULTILINE)
_ANY_MARKER = re.compile(r"<!--(?=\s*runbook:)")
ENDING = (
    "\n## Notes\n\nWhat stands outside of the generated parts is yours. A part that you edit is left as you wrote it.\n"
)


class Part(NamedTuple):
    """A piece of a document as it was found: text of a person, or a generated part with its name."""

    text: str
    name: str = ""
    is_edited: bool = False


def composed(title: str, blocks: tuple[Block, ...], standing: str | None) -> Composed:
    """Write a new document, or bring the generated parts of a standing one up to date.

    Runbook: §5.1 Postmortem.
    Errors: none. A document whose markers are gone or damaged is all the person's, and nothing is put into it.
    """
    if standing is None:
        parts = "\n".join(_marked(block) for block in blocks)
        return Composed(text=f"{_one_line(title)}\n\n{parts}{ENDING}\n{_written(blocks, ())}")
    found = tuple(_parts(standing))
    fresh = {block.name: block for block in blocks}
    placed = {part.name for part in found if part.name}
    known = _known(standing)
    new = tuple(block for block in blocks if block.name not in placed | known) if known else ()
    text = "".join(_brought_up(part, fresh) for part in found)
    if new:
        text = _with_new(text, new, blocks, known)
    return Composed(
        text=text,
        edited=tuple(part.name for part in found if part.is_edited),
        removed=tuple(block.name for block in blocks if block.name not in placed and block not in new),
    )


def without_markers(text: str) -> str:
    """Take the markers out, for a page that would show them."""
    return _MARKER.sub("", text)


def _parts(text: str) -> Iterator[Part]:
    """Split a document; a marker without its other half is text, and a name that comes again is text from then on."""
    place, seen = 0, set()
    for begin in _BEGIN.finditer(text):
        end = re.compile(rf"<!-- runbook:end {begin['name']} -->[ \t]*\r?\n?").search(text, begin.end())
        if begin.start() < place or end is None or begin["name"] in seen:
            continue
        body = text[begin.end() : end.start()]
        if _BEGIN.search(body):
            continue
        seen.add(begin["name"])
        yield Part(text[place : begin.start()])
        yield Part(text[begin.start() : end.end()], begin["name"], _hash(body) != begin["hash"])
        place = end.end()
    yield Part(text[place:])


def _brought_up(part: Part, fresh: dict[str, Block]) -> str:
    block = fresh.get(part.name)
    if block is None or part.is_edited:
        return part.text
    marked = _marked(block)
    return part.text if _hash(marked) == _hash(part.text) else marked


def _with_new(text: str, new: tuple[Block, ...], blocks: tuple[Block, ...], known: frozenset[str]) -> str:
    """Put parts that this document never had before its list of parts: a later version writes more than an earlier."""
    parts = "".join(f"{_marked(block)}\n" for block in new)
    return _WRITTEN.sub(lambda _: parts + _written(blocks, known), text, count=1)


def _known(text: str) -> frozenset[str]:
    listed = _WRITTEN.search(text)
    return frozenset(listed["names"].split()) if listed else frozenset()


def _written(blocks: tuple[Block, ...], known: frozenset[str] | tuple[str, ...]) -> str:
    names = dict.fromkeys((*sorted(known), *(block.name for block in blocks)))
    return f"<!-- runbook:written {' '.join(names)} -->\n"


def _marked(block: Block) -> str:
    body = _ANY_MARKER.sub("<\\!--", block.text).strip("\n") + "\n"
    return f"<!-- runbook:begin {block.name} {_hash(body)} -->\n{body}<!-- runbook:end {block.name} -->\n"


def _hash(body: str) -> str:
    # An editor that changes the ends of lines, or the blanks before them, has edited nothing.
    plain = "\n".join(line.rstrip() for line in body.replace("\r\n", "\n").strip().split("\n"))
    return sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _one_line(title: str) -> str:
    return " ".join(title.split())
