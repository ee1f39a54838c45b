"""What we use of Prefect's private parts: a newer Prefect that drops or changes one fails here, by its name.

The names are read from our own source, so that no list of them can grow old. One file each may name such a part.
"""

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.workers.base import BaseWorker

from tests.house.source import REPOSITORY, name, python_files, tree

WARM, SERVER = "deployments/warm/prefect_internals.py", "deployments/prefect_server/internals.py"
INTERNALS = (WARM, SERVER)
# Prefect's guide to writing a worker names them.
DOCUMENTED = {"_display_name", "_description", "_documentation_url", "_logo_url"}
MISSING = object()


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Find each name that a file imports from Prefect, with its module; the module alone where it imports that."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "prefect":
            yield from ((node.module or "", one.name) for one in node.names)
        elif isinstance(node, ast.Import):
            yield from ((one.name, "") for one in node.names if one.name.partition(".")[0] == "prefect")


def is_private(dotted: str) -> bool:
    """Say whether a path through Prefect goes through a private part; all of the server is one."""
    return dotted.startswith("prefect.server.") or any(part.startswith("_") for part in dotted.split("."))


def found(module: str, attribute: str) -> Any:
    """Resolve a name, or say that it is missing."""
    try:
        home = importlib.import_module(module)
        return getattr(home, attribute) if attribute else home
    except (ImportError, AttributeError):
        try:
            return importlib.import_module(f"{module}.{attribute}")
        except ImportError:
            return MISSING


def worker_attributes() -> set[str]:
    """Read which private attributes of Prefect's worker our own asks for or replaces."""
    (ours,) = [
        node
        for node in tree(REPOSITORY / WARM).body
        if isinstance(node, ast.ClassDef) and node.name == "WorkerInternals"
    ]
    asked = {node.attr for node in ast.walk(ours) if isinstance(node, ast.Attribute)}
    replaced = {node.name for node in ours.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    return {one for one in asked | replaced if one.startswith("_") and not one.startswith("__")}


def keyword_calls() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Read each call of a private class in the warm worker, with its keywords."""
    private = {one for module, one in imports(REPOSITORY / WARM) if is_private(module)}
    for path in python_files("deployments/warm"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in private:
                yield node.func.id, tuple(sorted(word.arg for word in node.keywords if word.arg))


NAMES = sorted({one for file in INTERNALS for one in imports(REPOSITORY / file)})


@pytest.mark.parametrize(("module", "attribute"), NAMES, ids=[f"{module}.{one}" for module, one in NAMES])
def test_prefect_still_has(module: str, attribute: str) -> None:
    """The name in this test's id is what a newer Prefect has dropped or moved."""
    assert found(module, attribute) is not MISSING


@pytest.mark.parametrize("attribute", sorted(worker_attributes()))
def test_prefects_worker_still_has(attribute: str) -> None:
    """A step that Prefect renames would be overridden by nobody, and its runs lost in silence."""
    source = inspect.getsource(BaseWorker)

    assert hasattr(BaseWorker, attribute) or f"self.{attribute}" in source


@pytest.mark.parametrize("attribute", sorted(one for one in worker_attributes() if hasattr(BaseWorker, one)))
def test_prefects_worker_is_called_as_before(attribute: str) -> None:
    """A parameter more or less is an error at the first run only."""
    from deployments.warm.prefect_internals import WorkerInternals  # noqa: PLC0415 - a missing name fails by its own test

    theirs, ours = (inspect.signature(getattr(kind, attribute)) for kind in (BaseWorker, WorkerInternals))
    assert list(ours.parameters) == list(theirs.parameters)


@pytest.mark.parametrize(("private", "words"), sorted(set(keyword_calls())), ids=str)
def test_what_is_private_takes_the_words_that_we_give_it(private: str, words: tuple[str, ...]) -> None:
    """A renamed parameter is an error at the first run only."""
    (module,) = {module for module, one in imports(REPOSITORY / WARM) if one == private}
    known = inspect.signature(found(module, private)).parameters

    assert set(words) <= known.keys()


@pytest.mark.parametrize(
    ("module", "attribute"),
    [
        ("prefect.client.orchestration", "ssl"),
        ("prefect._internal.version_checking", "ssl"),
        ("prefect.task_engine", "visit_collection"),
        ("prefect.utilities.engine", "visit_collection"),
        ("prefect.server.api.background_workers", "Worker"),
        ("prefect.task_engine", "emit_task_run_state_change_event"),
        ("prefect.flow_engine", "_send_heartbeats"),
        ("prefect.flow_engine", "observe_flow_run_suspension"),
        ("prefect.flow_engine", "load_flow_run"),
        ("prefect.results", "_read_server_default_result_storage_block_id"),
        ("prefect.results", "_aread_server_default_result_storage_block_id"),
    ],
)
def test_what_is_patched_is_still_there(module: str, attribute: str) -> None:
    """The patch would have no effect, and each run would cost three times as much."""
    assert found(module, attribute) is not MISSING


@pytest.mark.parametrize("attribute", ["begin_transaction", "engine"])
def test_the_servers_sqlite_still_has(attribute: str) -> None:
    """Its writers would be refused at once, or hold up the server for a minute."""
    from deployments.prefect_server import internals  # noqa: PLC0415 - a missing name fails by its own test

    ours = {"begin_transaction": internals.begin_immediate, "engine": internals.engine_that_closes}[attribute]
    theirs = inspect.signature(getattr(internals, f"_{attribute}"))
    assert len(inspect.signature(ours).parameters) == len(theirs.parameters)


def test_private_parts_are_named_in_one_file_each() -> None:
    """Whoever moves to a newer Prefect reads two files."""
    named = {
        f"{name(path)}: {module}.{one}"
        for path in python_files("deployments", "flows", "tasks")
        for module, one in imports(path)
        if is_private(f"{module}.{one}") and name(path) not in INTERNALS
    }

    assert named == set()


def test_no_other_class_replaces_a_private_step_of_prefects_worker() -> None:
    """It stands beside the others, where a newer Prefect is looked through."""
    from deployments.warm.worker_type import WarmWorker  # noqa: PLC0415 - a missing name fails by its own test

    private = {one for one in vars(WarmWorker) if one.startswith("_") and not one.startswith("__")}
    assert {one for one in private - DOCUMENTED if hasattr(BaseWorker, one)} - {"_abc_impl"} == set()
