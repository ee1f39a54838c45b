"""Keep the checkpoint of a log in one small file, replaced whole, so that a crash leaves the old one or the new one."""

import contextlib
import hashlib
import os
from pathlib import Path

from pydantic import ValidationError

from tasks.clients.regular_file import read_regular
from tasks.clients.state_files import open_private, private_folder
from tasks.model.errors import CannotLook, Code
from tasks.model.log_checkpoint import LogCheckpoint

CHECKPOINT_FOLDER = "log-checkpoints"
SIZE_LIMIT_BYTES = 16 * 1_048_576


def checkpoint_path(state_dir: Path, log: Path) -> Path:
    """Name the checkpoint file of a log: its name for people, a hash of its whole path for uniqueness."""
    return (
        state_dir
        / CHECKPOINT_FOLDER
        / f"{log.name[:60]}-{hashlib.sha256(os.fsencode(log.absolute())).hexdigest()[:16]}.json"
    )


def load_checkpoint(path: Path) -> LogCheckpoint | None:
    """Load a checkpoint; None when there is none, or it is damaged: the log is then read from its beginning.

    Errors: `CannotLook` when there is one and it may not be read.
    """
    try:
        return LogCheckpoint.model_validate_json(read_regular(path, SIZE_LIMIT_BYTES))
    except FileNotFoundError:
        return None
    except ValidationError:
        return None
    except OSError as error:
        raise _cannot(path, error) from error


def save_checkpoint(path: Path, checkpoint: LogCheckpoint) -> None:
    """Replace the checkpoint as one step.

    Errors: `CannotLook` when the state directory cannot be written; the same lines are then reported again.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        private_folder(path.parent)
        with open_private(fresh, "wb") as file:
            file.write(checkpoint.model_dump_json().encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise _cannot(path, error) from error


def _cannot(path: Path, error: OSError) -> CannotLook:
    return CannotLook(
        Code.FILE_UNREADABLE,
        f"expected a checkpoint that can be kept was {error.strerror} path={path}; check the state directory",
        retryable=True,
    )
