"""Know the files that imported code came from, and whether they are still what was imported."""

import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path

INSTALLED = ("site-packages", "dist-packages")
STANDARD_LIBRARY = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib")})
CHANGED_WHILE_IMPORTED = "changed while it was imported"


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
