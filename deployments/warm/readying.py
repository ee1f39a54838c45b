"""Do once, in the fork server, what every run would do again: two thirds of the CPU of a small run, as measured."""

import functools
import ssl
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import certifi
from prefect import task_engine
from prefect._internal import version_checking
from prefect.client import orchestration
from prefect.settings import PREFECT_API_SSL_CERT_FILE
from prefect.utilities import engine
from pydantic import BaseModel

from tasks.model.values import Value

# Each of them loads the roots of trust (22 ms) for every client that it makes, also where the server speaks plain HTTP.
CLIENTS: tuple[ModuleType, ...] = (orchestration, version_checking)

# Both walk through the arguments of every task.
ENGINES: tuple[ModuleType, ...] = (task_engine, engine)
# A look within an observation within the rounds of the evidence of a story.
LOOKS_DEPTH = 4


def make_ready() -> None:
    """Make what was imported ready to be used, before it is forked."""
    share_trust()
    complete_models()
    walk_no_deeper_than_the_looks()


def share_trust() -> None:
    """Let Prefect's clients share one TLS context for each file of roots; a context that they change is not shared."""
    shared = functools.cache(ssl.create_default_context)

    def create_default_context(*words: Any, **named: Any) -> ssl.SSLContext:
        # Without a file of roots the caller goes on to switch verification off, in a context of its own.
        return shared(*words, **named) if named.get("cafile") else ssl.create_default_context(*words, **named)

    for module in CLIENTS:
        if getattr(module, "ssl", None) is ssl:
            names = {name: getattr(ssl, name) for name in dir(ssl) if not name.startswith("__")}
            module.__dict__["ssl"] = SimpleNamespace(**{**names, "create_default_context": create_default_context})
    create_default_context(cafile=PREFECT_API_SSL_CERT_FILE.value() or certifi.where())


def walk_no_deeper_than_the_looks() -> None:
    """Spare Prefect the walk through thousands of numbers, for each task that is given our evidence.

    It looks in a task's arguments for results of other tasks: to wait for them, and to draw the arrows of its graph. A
    frozen value of ours holds such results near its top (the looks), and never a future; what is deeper is plain data.
    """
    for module in ENGINES:
        walk = getattr(module, "visit_collection", None)
        if walk is not None:
            module.__dict__["visit_collection"] = functools.partial(_walk, walk)


def _walk(walk: Callable[..., Any], expr: Any, *words: Any, **named: Any) -> Any:
    if isinstance(expr, Value) and named.get("max_depth", -1) < 0:
        named["max_depth"] = LOOKS_DEPTH
    return walk(expr, *words, **named)


def complete_models() -> None:
    """Build the validators that pydantic leaves to the first use; one that cannot be built yet is left as it is."""
    for model in _subclasses(BaseModel):
        if not model.__pydantic_complete__:
            model.model_rebuild(raise_errors=False)


def _subclasses(base: type[BaseModel]) -> list[type[BaseModel]]:
    found = base.__subclasses__()
    return [*found, *(deeper for one in found for deeper in _subclasses(one))]
