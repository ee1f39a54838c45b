"""Make documents for expressions: what must stand in an answer so that a firm's JMESPath finds it there."""

from typing import Any, NamedTuple

import jmespath

Node = dict[str, Any]
OTHER_WORD = "FAULT"


class CannotSpeak(ValueError):
    """An expression that the stub cannot make an answer for."""


def placed(expression: str, value: Any) -> Any:
    """Make a document in which a value stands where an expression looks.

    Errors: `CannotSpeak` for what is no path.
    """
    return _placed(_parsed(expression), value)


def holding(condition: str) -> Any:
    """Make a document for which a condition is true.

    Errors: `CannotSpeak` where that takes more than words at paths.
    """
    made = _holding(_parsed(condition))
    if jmespath.search(condition, made) is not True:
        raise CannotSpeak(f"expected words at paths joined by && was {condition[:80]!r}")
    return made


def not_holding(condition: str) -> Any:
    """Make a document of the same shape for which a condition is not true.

    Errors: `CannotSpeak`.
    """
    made = _spoiled(holding(condition))
    if jmespath.search(condition, made) is True:
        raise CannotSpeak(f"expected a condition that a wrong word breaks was {condition[:80]!r}")
    return made


def merged(first: Any, second: Any) -> Any:
    """Put two documents into one; where both say something, the second does."""
    if isinstance(first, dict) and isinstance(second, dict):
        both = {key: merged(first[key], second[key]) for key in first.keys() & second.keys()}
        return {**first, **second, **both}
    if isinstance(first, list) and isinstance(second, list):
        pairs = [merged(*pair) for pair in zip(first, second, strict=False)]
        return pairs + first[len(pairs) :] + second[len(pairs) :]
    return first if second is None else second


class NamedParts(NamedTuple):
    """An expression that lists parts: where the list stands, and the keys of a part's name and status."""

    place: Node
    name: str | None
    status: str


def listed(expression: str, parts: dict[str, str]) -> Any:
    """Make a document in which an expression finds parts with a name and a status: an object, or a list.

    Errors: `CannotSpeak`.
    """
    found = _named_parts(_parsed(expression))
    if found.name is None:
        return _placed(found.place, {name: {found.status: status} for name, status in parts.items()})
    return _placed(found.place, [{found.name: name, found.status: status} for name, status in parts.items()])


def _parsed(expression: str) -> Node:
    parsed: Any = jmespath.compile(expression).parsed
    return dict(parsed)


def _placed(node: Node, value: Any) -> Any:
    match node["type"]:
        case "current" | "identity":
            return value
        case "field":
            return {node["value"]: value}
        case "index":
            return [value]
        case "subexpression" | "index_expression" | "pipe" | "projection":
            made = value if node["type"] != "projection" else [_placed(node["children"][1], value)]
            children = node["children"] if node["type"] != "projection" else node["children"][:1]
            for child in reversed(children):
                made = _placed(child, made)
            return made
        case "flatten":
            return _placed(node["children"][0], value)
        case "value_projection":
            return _placed(node["children"][0], {"part": _placed(node["children"][1], value)})
        case _:
            raise CannotSpeak(f"expected a path like data.orders[0] was {node['type'].replace('_', ' ')}")


def _holding(node: Node) -> Any:
    children = node["children"]
    match node["type"], node.get("value"):
        case "comparator", "eq":
            literal = next((child for child in children if child["type"] == "literal"), None)
            path = next((child for child in children if child["type"] != "literal"), None)
            return _placed(path, literal["value"]) if literal and path else {}
        case "and_expression", _:
            return merged(*map(_holding, children))
        case "or_expression", _:
            return _holding(children[0])
        case "not_expression", _:
            return {}
        case _:
            return _placed(node, True)


def _spoiled(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _spoiled(value) for key, value in document.items()}
    if isinstance(document, list):
        return [_spoiled(value) for value in document]
    return (not document) if isinstance(document, bool) else OTHER_WORD


def _named_parts(node: Node) -> NamedParts:
    if node["type"] not in {"projection", "value_projection"}:
        return NamedParts(node, None, "status")
    place, part = node["children"]
    place = place["children"][0] if place["type"] == "flatten" else place
    if part["type"] != "multi_select_dict":
        raise CannotSpeak("expected dependencies like components or checks[].{name: id, status: state}")
    keys = {pair["value"]: pair["children"][0].get("value") for pair in part["children"]}
    if node["type"] == "value_projection":
        return NamedParts(place, None, str(keys.get("status")))
    return NamedParts(place, str(keys.get("name")), str(keys.get("status")))
