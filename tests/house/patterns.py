"""Find every regular expression of the product, and write the texts that would make a careless one slow.

The texts come from the expression itself: for each repetition in it, what leads to it, a long run of what it repeats,
and a character that ends the match in vain. One that goes back over the run costs the square of its length.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from re import _constants as c  # type: ignore[attr-defined] # the parse tree of an expression has no public name
from re import _parser as parser  # type: ignore[attr-defined]
from time import thread_time
from typing import Any, NamedTuple

from tests.house.source import REPOSITORY, python_files, tree

PACKAGES = ("deployments", "flows", "order_service", "tasks")
FUNCTIONS = frozenset({"compile", "match", "search", "fullmatch", "sub", "subn", "split", "finditer", "findall"})
MANY_COUNT = 10
ANYTHING = "a0 :."
SHAPES_LIMIT = 250
LENGTHS = (16, 120, 600, 2500)
SUSPECT_S, HOPELESS_S, NOISE_S = 5e-7, 5e-5, 2e-4
LINEAR_GROWTH = 9


class Call(NamedTuple):
    """One call of `re` in the source; `expression` is None where it is put together, and not written out.

    `is_kept` says that the module holds what comes of it.
    """

    place: str
    function: str
    expression: str | bytes | None
    is_kept: bool


class Expression(NamedTuple):
    """One expression of the product, and how it is used: `match` where it is never searched for."""

    place: str
    pattern: re.Pattern[Any]
    use: str


class Shape(NamedTuple):
    """A text of any length: what leads to the run, and what is repeated."""

    lead: str
    unit: str

    def text(self, length: int) -> str:
        """Write the text so long; what comes last ends a match in vain."""
        return (self.lead + self.unit * (length // len(self.unit) + 1))[: length + len(self.lead)] + "\x01"


@cache
def modules() -> list[tuple[str, Path]]:
    """List the product's modules by their dotted names."""
    names = [(".".join(path.relative_to(REPOSITORY).with_suffix("").parts), path) for path in python_files(*PACKAGES)]
    return [(name.removesuffix(".__init__"), path) for name, path in names]


def expressions() -> dict[str, Expression]:
    """Collect every expression of the product: what its modules hold, also in tables, and what stands in calls."""
    found: dict[str, Expression] = {}
    for name, path in modules():
        for key, value in vars(import_module(name)).items() if "re" in _imports(path) else ():
            for pattern in _patterns_in(value):
                use = "match" if key in _matched_only() and value is pattern else "search"
                found.setdefault(f"{use} {pattern.pattern!r}", Expression(name, pattern, use))
    for call in calls():
        if isinstance(call.expression, str | bytes) and not call.is_kept:
            pattern = re.compile(call.expression)
            use = call.function if call.function in ("match", "fullmatch") else "search"
            found.setdefault(f"{use} {pattern.pattern!r}", Expression(call.place, pattern, use))
    return found


def calls() -> list[Call]:
    """List every call of `re` in the product's source."""
    found = []
    for name, path in modules():
        inside = {node for part in ast.walk(tree(path)) if isinstance(part, _FUNCTION) for node in ast.walk(part)}
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_re(node.func):
                text = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
                is_kept = node.func.attr == "compile" and node not in inside
                found.append(Call(name, node.func.attr, text if isinstance(text, str | bytes) else None, is_kept))
    return found


@cache
def _matched_only() -> frozenset[str]:
    """Name the expressions that are never searched for: they are only ever held against the beginning of a text."""
    used: dict[str, set[str]] = {}
    for _, path in modules():
        attributes = {id(node.value): node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                used.setdefault(node.id, set()).add(attributes.get(id(node), "handed on"))
    return frozenset(name for name, uses in used.items() if uses <= {"match", "fullmatch"})


def shapes(pattern: re.Pattern[Any]) -> list[Shape]:
    """Write shapes of texts against an expression: runs, alternations, and what leads to them."""
    repeats = list(_repeats(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG), ""))
    units = list(dict.fromkeys([*(unit for _, unit in repeats), *RUNS]))
    leads = list(dict.fromkeys(lead for lead, _ in repeats))[:12]
    plan = [*repeats, *(("", unit) for unit in units), *(("", lead + unit) for lead, unit in repeats)]
    plan += [("", one + two) for one in units[:8] for two in units[:8] if one != two]
    plan += [(lead, unit) for lead in leads for unit in RUNS[:6]]
    return [Shape(lead, unit) for lead, unit in dict.fromkeys(plan) if unit][:SHAPES_LIMIT]


RUNS = (
    *("a", "0", " ", "\t", '"', "\\", "'", ".", "-", "_", ":", "=", "/", "(", "[", "{", "<", ",", "A", "#"),
    *("\x00", "\x1b[", "e", "é"),
)


def slow_shape(expression: Expression) -> Shape | None:
    """Find a text that costs an expression more than its length; None where none does.

    Steps: 1. short texts first, so that what is exponential is found and never waited for. 2. a text that costs much
    for its length is measured again, four times as long: a straight line costs four times as much, a square sixteen.
    3. what grows like that does so each time; what only met a cold cache does not.
    Units: seconds of this thread's processor time, which a busy machine does not change.
    """
    written = shapes(expression.pattern)
    for length in LENGTHS:
        for shape in written:
            cost_s = _cost_s(expression, shape.text(length))
            if cost_s > SUSPECT_S * length + NOISE_S and all(_grows(expression, shape, length) for _ in range(3)):
                return shape
    return None


def _grows(expression: Expression, shape: Shape, length: int) -> bool:
    cost_s = min(_cost_s(expression, shape.text(length)) for _ in range(3))
    if cost_s > HOPELESS_S * length + NOISE_S:
        return True
    longer_s = min(_cost_s(expression, shape.text(4 * length)) for _ in range(3))
    return longer_s > LINEAR_GROWTH * cost_s and longer_s > NOISE_S


def _cost_s(expression: Expression, text: str) -> float:
    pattern: re.Pattern[Any] = expression.pattern
    subject: Any = text.encode() if isinstance(pattern.pattern, bytes) else text
    started_s = thread_time()
    if expression.use == "search":
        for _ in pattern.finditer(subject):
            pass
    else:
        getattr(pattern, expression.use)(subject)
    return thread_time() - started_s


def _imports(path: Path) -> set[str]:
    return {alias.name for node in ast.walk(tree(path)) if isinstance(node, ast.Import) for alias in node.names}


def _patterns_in(value: object, levels: int = 4) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict) and levels:
        for each in value.values():
            yield from _patterns_in(each, levels - 1)
    elif isinstance(value, tuple | list | frozenset | set) and levels:
        for each in value:
            yield from _patterns_in(each, levels - 1)


_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _is_re(function: ast.Attribute) -> bool:
    return isinstance(function.value, ast.Name) and function.value.id == "re" and function.attr in FUNCTIONS


def _repeats(parsed: Iterable[tuple[Any, Any]], lead: str) -> Iterator[tuple[str, str]]:
    """Give each repetition with a text that leads to it, and texts of what it repeats."""
    for operator, value in parsed:
        if operator in _REPEATS and (value[1] is c.MAXREPEAT or value[1] > MANY_COUNT):
            yield from ((lead, unit) for unit in _units(value[2]))
        for part in _parts(operator, value):
            yield from _repeats(part, lead)
        lead += _sample([(operator, value)])


def _parts(operator: Any, value: Any) -> list[Any]:
    """Give the expressions inside a part of an expression."""
    if operator is c.BRANCH:
        return list(value[1])
    if operator is c.ATOMIC_GROUP:
        return [value]
    if operator in (*_REPEATS, c.SUBPATTERN, c.ASSERT, c.ASSERT_NOT):
        return [value[-1]]
    return []


def _units(body: Any) -> list[str]:
    """Give texts that one turn of a repetition can take: one for each of the characters of a class."""
    if len(body) == 1 and body[0][0] is c.IN:
        return _members(body[0][1])
    if len(body) == 1 and body[0][0] is c.BRANCH:
        return [unit for branch in body[0][1][1] for unit in _units(branch)]
    if len(body) == 1 and body[0][0] is c.SUBPATTERN:
        return _units(body[0][1][-1])
    return [_sample(body) or "a"]


def _sample(parsed: Iterable[tuple[Any, Any]]) -> str:
    return "".join(_SAMPLES.get(operator, lambda _: "")(value) for operator, value in parsed)


def _members(items: list[tuple[Any, Any]]) -> list[str]:
    """Take a few characters of a class."""
    one = re.compile("[" + "".join(map(_class_text, items)) + "]")
    wanted = [letter for letter in 'aAf_0 \t".-:/\\=(<,\x00é' if one.fullmatch(letter)]
    written_out = [chr(value) for operator, value in items if operator is c.LITERAL]
    return list(dict.fromkeys([*wanted[:4], *written_out[:4]])) or ["a"]


def _class_text(item: tuple[Any, Any]) -> str:
    operator, value = item
    if operator is c.NEGATE:
        return "^"
    if operator is c.LITERAL:
        return re.escape(chr(value))
    if operator is c.RANGE:
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    return _CATEGORIES[value]


_CATEGORIES = {
    c.CATEGORY_DIGIT: r"\d", c.CATEGORY_NOT_DIGIT: r"\D", c.CATEGORY_SPACE: r"\s", c.CATEGORY_NOT_SPACE: r"\S",
    c.CATEGORY_WORD: r"\w", c.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_REPEATS = (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT)


def _repeat_sample(value: Any) -> str:
    least, _, body = value
    return _sample(body) * max(1, min(least, MANY_COUNT))


_SAMPLES: dict[Any, Callable[[Any], str]] = {
    c.LITERAL: chr,
    c.NOT_LITERAL: lambda value: next(letter for letter in ANYTHING if ord(letter) != value),
    c.ANY: lambda _: "a",
    c.IN: lambda items: _members(items)[0],
    c.MAX_REPEAT: _repeat_sample,
    c.MIN_REPEAT: _repeat_sample,
    c.POSSESSIVE_REPEAT: _repeat_sample,
    c.BRANCH: lambda value: _sample(value[1][0]),
    c.SUBPATTERN: lambda value: _sample(value[-1]),
    c.ATOMIC_GROUP: lambda value: _sample([*value]),
}
