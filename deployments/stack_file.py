"""`stack.json`: what `up` started, so that `down` stops that and nothing else."""

import json
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from deployments.private_files import make_private_folder
from deployments.server_settings import SQLITE
from tasks.clients.processes import is_running
from tasks.model.errors import CannotAct, Code
from tasks.model.processes import ProcessIdentity


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
        return StackRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise CannotAct(
            Code.FILE_UNREADABLE,
            f"expected a stack file was garbled path={path}; end its processes, then remove the file",
        ) from None


def write_stack(path: Path, stack: StackRecord) -> None:
    """Write the stack file whole: a reader sees the old one or the new one."""
    make_private_folder(path.parent)
    draft = path.with_suffix(".json.draft")
    draft.write_text(json.dumps(stack.model_dump(mode="json"), indent=2) + "\n", "utf-8")
    draft.replace(path)


def remove_stack(path: Path) -> None:
    """Forget the stack."""
    path.unlink(missing_ok=True)
