"""Import the flows into the fork server, each by itself, and know the files that their code came from."""

import gc
import importlib
import os
import sys
import sysconfig
import threading
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deployments.warm.prefect_internals import LATE_IMPORTS, make_ready
from deployments.warm.protocol import Ready, Unready

LINES_COUNT = 3
INSTALLED = ("site-packages", "dist-packages")
STANDARD_LIBRARY = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib")})
CHANGED_WHILE_IMPORTED = "changed while it was imported"


def import_all(modules: Sequence[str], since_s: float) -> Ready | Unready:
    """Import the engine, then the flows; then keep the collector's hands off them, so that all runs share the pages.

    A module that cannot be imported costs the others nothing.

    Units: `since_s` in seconds since the epoch: when this process began to import.
    Errors: `Unready` where a module has started a thread: a fork would copy its locks and not its work.
    """
    failures: dict[str, str] = {}
    touched: set[str] = set()
    for name in (*LATE_IMPORTS, *modules):
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a flow's module raises is reported, never fatal
            failures[name] = "".join(traceback.format_exception(error, limit=-LINES_COUNT))
            touched |= _files_of(error)
        if threading.active_count() > 1:
            threads = sorted(one.name for one in threading.enumerate() if one is not threading.main_thread())
            return Unready(module=name, reason=f"importing it has started {', '.join(threads)}")
    make_ready()
    gc.collect()
    gc.freeze()
    sources = imported_sources(modules, touched, (int(since_s * 1e9), time.time_ns()))
    return Ready(modules=tuple(name for name in modules if name not in failures), failures=failures, sources=sources)


def imported_sources(modules: Iterable[str], touched: Iterable[str], during_ns: tuple[int, int]) -> dict[str, str]:
    """Give each file that this process has imported, and each folder of installed packages, with its fingerprint.

    Of installed packages the files of `modules` alone count: an installation that changes, changes its folder.
    Units: nanoseconds since the epoch; `during_ns` is when importing began and ended.
    """
    ours = {name.partition(".")[0] for name in modules}
    files = {
        str(path)
        for name, module in list(sys.modules.items())
        if (path := getattr(module, "__file__", None))
        and (name.partition(".")[0] in ours or not _is_installed(str(path)))
    }
    files |= {path for path in touched if not _is_installed(path)}
    folders = {path for path in sys.path if Path(path).name.endswith(INSTALLED)}
    return {path: _as_imported(path, during_ns) for path in sorted(files | folders)}


def changed(sources: Mapping[str, str]) -> str | None:
    """Name the first file that is no longer what was imported, or None."""
    return next((path for path, known in sources.items() if fingerprint(path) != known), None)


def fingerprint(path: str) -> str:
    """Tell one state of a file from another: its time, its size, its place on disk."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for each of hundreds of files, every second, doubles the cost
    except OSError:
        return "gone"
    return f"{found.st_mtime_ns}:{found.st_size}:{found.st_ino}"


def _as_imported(path: str, during_ns: tuple[int, int]) -> str:
    known = fingerprint(path)
    changed_at = known.partition(":")[0]
    # Changed between its import and now: which of the two was imported nobody knows. A time to come is a wrong clock.
    during = changed_at.isdecimal() and during_ns[0] <= int(changed_at) <= during_ns[1]
    return CHANGED_WHILE_IMPORTED if during else known


def _is_installed(path: str) -> bool:
    return path.startswith(STANDARD_LIBRARY) or any(f"{name}{os.sep}" in path for name in INSTALLED)


def _files_of(error: BaseException) -> set[str]:
    """Find the files that an import went through before it failed: a fix in one of them is a reason to try again."""
    frames = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
    if isinstance(error, SyntaxError) and error.filename:
        frames.add(error.filename)
    return {name for name in frames if name.endswith(".py")}
