"""The safety rules, the product's conscience: each has a test whose docstring says which rule it holds."""

import ast
import re
from functools import cache

import pytest

from tests.house.source import python_files, tree

RULES_COUNT = 14
_NAMED = re.compile(r"\brules? (\d+)(?:(?:, | and )(\d+))?", re.IGNORECASE)


@cache
def held() -> dict[int, list[str]]:
    """Find the tests of each rule, by the words of their docstrings."""
    found: dict[int, list[str]] = {}
    for path in python_files("tests"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for number in numbers(ast.get_docstring(node) or ""):
                    found.setdefault(number, []).append(f"{path.name}::{node.name}")
    return found


def numbers(text: str) -> list[int]:
    """Read the rules that a docstring names."""
    return [int(one) for pair in _NAMED.findall(text) for one in pair if one]


@pytest.mark.parametrize("rule", range(1, RULES_COUNT + 1))
def test_every_safety_rule_is_held_by_a_test(rule: int) -> None:
    """A rule that no test holds is a hope."""
    assert held().get(rule), f"no test's docstring names rule {rule}"


def test_a_docstring_may_name_two_rules() -> None:
    """Rules 1 and 2 are often one sentence."""
    assert numbers("Rules 1 and 2: likely is not enough.") == [1, 2]
