"""The file `runbook.toml`: what it holds, and whether it is still the one that was read."""

import os
import tomllib
from pathlib import Path
from typing import Any

from tasks.clients.files.regular_file import read_regular
from tasks.model.errors import Code, RunbookError

READ_LIMIT_BYTES = 4 * 1_048_576


def stamp_of(path: Path | None) -> tuple[object, ...]:
    """Tell one content of a settings file from another; one that cannot be read is reported of when it is read."""
    try:
        found = path.stat() if path else None
    except OSError:
        return (path,)
    return (path.absolute(), found.st_ino, found.st_mtime_ns, found.st_size) if path and found else ()


def read_table(path: Path, variable: str) -> dict[str, Any]:
    """Read the file as TOML; the null device says that there are no settings but those of the environment.

    Errors: `BAD_SETTING`; `variable` is the one that names the file.
    """
    if str(path) == os.devnull:
        return {}
    try:
        return tomllib.loads(read_regular(path, READ_LIMIT_BYTES).decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise RunbookError(
            Code.BAD_SETTING,
            f"expected a readable file, found {reason} path={path}; correct {variable} or the file",
        ) from None
    except (ValueError, RecursionError) as error:
        raise RunbookError(Code.BAD_SETTING, f"expected TOML, found {error} path={path}; correct the file") from None
