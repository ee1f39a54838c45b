"""The house itself: a reader finds the line by folder and file name alone, and reads a file in one sitting."""

import ast
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from tasks.model.incidents.escalation import Audience
from tasks.settings import RunbookSettings
from tests.house.source import PACKAGES, name, python_files, tree

FILES_PER_FOLDER = 25
LAYERS = ("tasks/rules", "tasks/clients", "tasks/model", "tasks/work", "order_service")
PRODUCT = (*PACKAGES, "bench")
LONGEST_FUNCTION, MEDIAN_FUNCTION, LONG_FUNCTION = 45, 7, 16
MEDIAN_FILE = 120
# Entry points of a process are named so by Python.
GIVEN_NAMES = {"__init__.py", "__main__.py"}
# Nobody reads it any more; evidence that was stored before names it, and must still be read.
NOT_READ = {"unknown_lasting_s"}
# Words of our own that the trade has better ones for. "Look at", "told to" and the like are plain English and stay.
RETIRED = re.compile(
    r"\b(?:patients?|doctors?|deeds?|anew|meanwhile|likewise|in vain|made good|mend(?:s|ed|ing)?"
    r"|rounds? of looks|(?:could not|cannot) look(?! up)|Settlement|Gatekeeper|HandStory|carried_out)\b"
)


def test_no_folder_is_a_crowd() -> None:
    """A listing is read at a glance, or nobody reads it."""
    crowds = Counter(name(path.parent) for path in python_files(*PRODUCT, "tests"))

    assert {folder: count for folder, count in crowds.items() if count > FILES_PER_FOLDER} == {}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_file_name_stands_once_in_a_layer(layer: str) -> None:
    """Nobody who searches for a file tells two of one name apart."""
    places = defaultdict(list)
    for path in python_files(layer):
        if path.name not in GIVEN_NAMES:
            places[path.name].append(name(path))

    assert [found for found in places.values() if len(found) > 1] == []


def test_a_class_name_stands_once_in_tasks() -> None:
    """A name in a message, a type or a search leads to one place."""
    places = defaultdict(list)
    for path in python_files("tasks"):
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name(path))

    assert {one: found for one, found in places.items() if len(found) > 1} == {}


def test_functions_and_files_are_read_in_one_sitting() -> None:
    """The sizes of the whole, so that no place grows unseen."""
    lengths = {place: count for path in python_files(*PRODUCT) for place, count in _functions(path)}
    files = [len(path.read_text("utf-8").splitlines()) for path in python_files(*PRODUCT) if path.stem != "__init__"]

    assert {place: count for place, count in lengths.items() if count > LONGEST_FUNCTION} == {}
    ordered = sorted(lengths.values())
    assert statistics.median(ordered) <= MEDIAN_FUNCTION
    assert ordered[int(len(ordered) * 0.9)] <= LONG_FUNCTION
    assert statistics.median(files) <= MEDIAN_FILE


def test_no_retired_word_is_written_again() -> None:
    """Who pages a person uses the words that the person would use."""
    found = {
        f"{name(path)}:{number}": line.strip()
        for path in python_files(*PRODUCT)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if RETIRED.search(line)
    }

    assert found == {}


def test_every_setting_is_read() -> None:
    """A key that nobody reads is a promise that nobody keeps."""
    nodes = (node for path in python_files(*PRODUCT) for node in ast.walk(tree(path)))
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute)}

    by_name = {audience.value for audience in Audience}
    assert sorted({key for key in _keys(RunbookSettings) if key not in read} - by_name - NOT_READ) == []


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name(path)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for key, field in model.model_fields.items():
        yield key
        for part in _models(field.annotation):
            yield from _keys(part)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models(part)
