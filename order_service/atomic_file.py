"""Files that are replaced as a whole: readers see the old bytes or the new ones, also after a crash."""

import os
import stat
import tempfile
from pathlib import Path

NEW_FILE_MODE = 0o644


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file of this service's own, which nobody else reads.

    Errors: OSError; the old file stays.
    """
    _replace(path, content, 0o600)


def replace_shared(path: Path, content: bytes) -> None:
    """Replace a file that others read too; it keeps its permissions, and its folder is made if it is gone.

    Errors: OSError; the old file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else NEW_FILE_MODE
    _replace(path, content, mode)


def _replace(path: Path, content: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
