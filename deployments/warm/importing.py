"""Import the flows into the fork server, each by itself, so that a broken one costs the others nothing."""

import gc
import importlib
import threading
import time
import traceback
from collections.abc import Iterable, Sequence

from deployments.warm.protocol import Ready, Unready
from deployments.warm.readying import make_ready
from deployments.warm.sources import imported_sources

# What every run needs, whatever its flow: the engine, and what Prefect itself imports late.
ENGINE = (
    "prefect.engine",
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.runner._hook_runner",
    "prefect.utilities.visualization",
    "anyio._backends._asyncio",
    "anyio.streams.memory",
    "anyio.streams.tls",
    "rich._emoji_codes",
    "runpy",
    "websockets.asyncio.client",
)
LINES_COUNT = 3


def import_all(modules: Sequence[str]) -> Ready | Unready:
    """Import the engine, then the flows; then keep the collector's hands off them, so that all runs share the pages.

    Errors: `Unready` where a module has started a thread: a fork would copy its locks and not its work.
    """
    started_at_ns = time.time_ns()
    failures: dict[str, str] = {}
    touched: set[str] = set()
    for name in (*ENGINE, *modules):
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a flow's module raises is told, never fatal
            failures[name] = "".join(traceback.format_exception(error, limit=-LINES_COUNT))
            touched |= _files_of(error)
        if threading.active_count() > 1:
            return Unready(module=name, reason=f"importing it has started {_threads()}")
    make_ready()
    gc.collect()
    gc.freeze()
    sources = imported_sources(modules, touched, (started_at_ns, time.time_ns()))
    return Ready(modules=_without(modules, failures), failures=failures, sources=sources)


def _without(modules: Iterable[str], failures: Iterable[str]) -> tuple[str, ...]:
    failed = set(failures)
    return tuple(name for name in modules if name not in failed)


def _files_of(error: BaseException) -> set[str]:
    """Find the files that an import went through before it failed: mending one of them is a reason to try again."""
    frames = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
    if isinstance(error, SyntaxError) and error.filename:
        frames.add(error.filename)
    return {name for name in frames if name.endswith(".py")}


def _threads() -> str:
    return ", ".join(sorted(one.name for one in threading.enumerate() if one is not threading.main_thread()))
