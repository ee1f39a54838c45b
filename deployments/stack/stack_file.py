"""`stack.json`: what `up` started, so that `down` stops that and nothing else."""

import json
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from deployments.prefect_server.server_settings import SQLITE
from deployments.stack.private_files import make_private_folder
from tasks.clients.files.atomic import READ_LIMIT_BYTES, write_whole
from tasks.clients.files.regular_file import read_regular
from tasks.clients.process.processes import is_running
from tasks.model.errors import CannotAct, Code
from tasks.model.probes.processes import ProcessIdentity


class PartRecord(BaseModel):
    """One started process."""

    model_config = ConfigDict(frozen=True)

    name: str
    identity: ProcessIdentity
    base_url: str | None = None
    log: Path

    @property
    def alive(self) -> bool:
        """Say whether this very process still runs."""
        return is_running(self.identity)


class StackRecord(BaseModel):
    """One stack: its mark, which every process of it carries in its environment, its ports, its parts."""

    model_config = ConfigDict(frozen=True)

    mark: str
    started_at: AwareDatetime
    starter: ProcessIdentity | None
    ports: dict[str, int]
    database: str = SQLITE
    parts: dict[str, PartRecord] = {}

    def with_part(self, part: PartRecord) -> "StackRecord":
        """Add a part, or replace it."""
        return self.model_copy(update={"parts": {**self.parts, part.name: part}})


def read_stack(path: Path) -> StackRecord | None:
    """Read the stack file; a missing one is no stack.

    Errors: `FILE_UNREADABLE` for a garbled one: what it named may still run, so it must not pass for no stack.
    """
    try:
        return StackRecord.model_validate_json(read_regular(path, READ_LIMIT_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        found = error.strerror if isinstance(error, OSError) else "garbled"
        raise CannotAct(
            Code.FILE_UNREADABLE,
            f"expected a stack file was {found} path={path}; end its processes, then remove the file",
        ) from None


def write_stack(path: Path, stack: StackRecord) -> None:
    """Write the stack file whole: a reader sees the old one or the new one."""
    make_private_folder(path.parent)
    write_whole(path, json.dumps(stack.model_dump(mode="json"), indent=2).encode() + b"\n")


def remove_stack(path: Path) -> None:
    path.unlink(missing_ok=True)
