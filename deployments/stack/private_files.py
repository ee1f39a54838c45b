"""Files that hold a secret: for their owner alone from the first byte on."""

import contextlib
import os
import stat
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a file again that nobody else may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner enters; one that is there is left as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def keep_to_ourselves(root: Path) -> None:
    """Let all that this process and its children make be for their owner alone, and close what is there already.

    Orders, evidence and logs lie there. A folder that is not ours alone, as /tmp or a home, is left as it is; what is
    made in it is not.
    """
    os.umask(0o077)
    make_private_folder(root)
    if os.name == "posix" and not _is_shared(root):
        _close_to_others(root)


def _is_shared(root: Path) -> bool:
    found = root.stat()
    is_above = any(place.is_relative_to(root) for place in (Path.cwd(), Path.home()))
    return bool(found.st_mode & stat.S_ISVTX) or found.st_uid != os.geteuid() or is_above


def _close_to_others(root: Path) -> None:
    """Take every right of others off, as an earlier version left it; what is not ours to change stays."""
    for folder, _, files in os.walk(root):
        _close(Path(folder))
        for name in files:
            _close(Path(folder, name))


def _close(path: Path) -> None:
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if mode & 0o077 and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & 0o700)
