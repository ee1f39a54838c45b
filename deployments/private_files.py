"""Files that hold a secret: for their owner alone from the first byte on."""

import contextlib
import os
import stat
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a file anew that nobody else may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner enters; one that was open to others is closed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _close(folder)


def close_to_others(root: Path) -> None:
    """Take every right of others off what is under a folder, as an earlier version left it.

    Errors: none; what belongs to somebody else is left as it is. Links are not followed.
    """
    for folder, _, files in os.walk(root):
        _close(Path(folder))
        for name in files:
            _close(Path(folder, name))


def _close(path: Path) -> None:
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if mode & 0o077 and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & 0o700)
