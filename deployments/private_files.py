"""Files that hold a secret: for their owner alone from the first byte on."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write a file anew that nobody else may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
