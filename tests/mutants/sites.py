"""Every place of a module that can be mutated: what stands there, and what would stand there instead."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

COMPARED: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: (r"is", ("is not",)),
    ast.IsNot: (r"is\s+not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: (r"not\s+in", ("in",)),
}
# How much of a foreign text is kept decides nothing.
CUTTING = frozenset({"text_of"})
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
EMPTY = {"tuple": "()", "frozenset": "frozenset()", "bool": "not ({})", "int": "({}) + 1", "float": "({}) + 1"}


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text from `start` to `end` (offsets in the source)."""

    start: int
    end: int
    text: str


class Sites:
    """Find the edits of one module. Words are left out: docstrings, f-strings, annotations, decorators."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line.encode()))
        self._bytes = source.encode()

    def edits(self) -> list[Edit]:
        """Give every edit, in the order of the source."""
        found = set(self._visit(ast.parse(self._source)))
        return sorted(found, key=lambda edit: (edit.start, edit.end, edit.text))

    def _visit(self, node: ast.AST) -> Iterator[Edit]:
        if isinstance(node, ast.JoinedStr):
            return
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from self._returns(node)
        yield from self._edits_at(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CUTTING:
            return
        for child in _deciding_children(node):
            yield from self._visit(child)

    def _edits_at(self, node: ast.AST) -> Iterator[Edit]:
        match node:
            case ast.Compare():
                yield from self._comparisons(node)
            case ast.BoolOp(op=ast.And(), values=values):
                yield from self._between(values, r"\band\b", "or")
            case ast.BoolOp(values=values):
                yield from self._between(values, r"\bor\b", "and")
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield self._edit(node, self._text(operand))
            case ast.Tuple(elts=elements, ctx=ast.Load()) | ast.List(elts=elements, ctx=ast.Load()):
                yield from self._dropped(node, elements)
            case ast.Set(elts=elements):
                yield from self._dropped(node, elements)
            case _:
                yield from self._other_edits_at(node)

    def _other_edits_at(self, node: ast.AST) -> Iterator[Edit]:
        match node:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                yield from self._negated((test,))
            case ast.comprehension(ifs=tests):
                yield from self._negated(tests)
            case ast.Constant(value=bool(value)):
                yield self._edit(node, str(not value))
            case ast.Constant(value=int() | float()):
                yield from (self._edit(node, f"({self._text(node)} {sign} 1)") for sign in "+-")
            case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
                yield self._edit(node.func, SWAPPED[name])

    def _comparisons(self, node: ast.Compare) -> Iterator[Edit]:
        operands = [node.left, *node.comparators]
        for (left, right), op in zip(pairwise(operands), node.ops, strict=True):
            pattern, others = COMPARED[type(op)]
            yield from self._operator(left, right, pattern, others)

    def _between(self, values: list[ast.expr], pattern: str, other: str) -> Iterator[Edit]:
        for left, right in pairwise(values):
            yield from self._operator(left, right, pattern, (other,))

    def _operator(self, left: ast.expr, right: ast.expr, pattern: str, others: Iterable[str]) -> Iterator[Edit]:
        """Replace the operator in the gap between two operands; a comment in that gap could hold its word."""
        start, end = self._span(left)[1], self._span(right)[0]
        gap = re.sub(r"#[^\n]*", lambda comment: " " * len(comment.group()), self._bytes[start:end].decode())
        found = re.search(pattern, gap)
        if found is not None:
            yield from (Edit(start + found.start(), start + found.end(), other) for other in others)

    def _negated(self, tests: Iterable[ast.expr]) -> Iterator[Edit]:
        for test in tests:
            if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.NamedExpr):
                yield self._edit(test, f"not ({self._text(test)})")

    def _dropped(self, node: ast.expr, elements: list[ast.expr]) -> Iterator[Edit]:
        """Leave one element out, with the comma behind or before it."""
        is_bare = isinstance(node, ast.Tuple) and self._bytes[self._span(node)[0]] != ord("(")
        if len(elements) < 2 or is_bare:
            return
        for index, element in enumerate(elements):
            start, end = self._span(element)
            if index + 1 < len(elements):
                end = self._span(elements[index + 1])[0]
            elif len(elements) > 2:
                start = self._span(elements[index - 1])[1]
            else:
                start = self._bytes.rindex(b",", 0, start) + 1
            yield Edit(start, end, "")

    def _returns(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Edit]:
        """Return something else: the opposite, nothing, or one more, as the annotation allows."""
        kind = ast.unparse(function.returns) if function.returns else ""
        for node in _own_nodes(function):
            if not isinstance(node, ast.Return) or node.value is None:
                continue
            other = EMPTY.get(kind.partition("[")[0])
            is_none = isinstance(node.value, ast.Constant)
            if other is not None and not is_none and self._text(node.value) != other:
                yield self._edit(node.value, other.format(self._text(node.value)))
            elif kind.endswith("| None") and not is_none:
                yield self._edit(node.value, "None")

    def _edit(self, node: ast.expr, text: str) -> Edit:
        return Edit(*self._span(node), text)

    def _text(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self._bytes[start:end].decode()

    def _span(self, node: ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[node.end_lineno - 1] + node.end_col_offset


def _deciding_children(node: ast.AST) -> Iterator[ast.AST]:
    """Give the children that decide something."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        if isinstance(node, ast.Subscript) and name == "slice" and isinstance(value, ast.Tuple):
            continue  # a type's arguments, `tuple[int, str]`
        children = value if isinstance(value, list) else [value]
        yield from (child for child in children if isinstance(child, ast.AST))


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Walk a function without the functions in it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from _own_nodes(child)
