"""Keep what the hang watch sees of a service that does not answer, where the triage that it asks for reads it."""

from pathlib import Path

from pydantic import ValidationError

from tasks.clients.files.atomic import read_whole, write_whole
from tasks.model.errors import RunbookError
from tasks.model.probes.liveness import Silence
from tasks.rules.incidents.paths import file_stem


def keep_silence(state_dir: Path, service: str, silence: Silence | None) -> None:
    """Keep the open questions of a service as they stand; None lets them go, since it has answered.

    Errors: `SINK_UNWRITABLE`. It is read within seconds or not at all, and need not outlive a loss of power.
    """
    path = _path(state_dir, service)
    if silence is None:
        path.unlink(missing_ok=True)
    else:
        write_whole(path, silence.model_dump_json().encode(), durable=False)


def silence_kept(state_dir: Path, service: str) -> Silence | None:
    """Read what the hang watch saw last. Errors: none; what cannot be read was not seen."""
    try:
        content = read_whole(_path(state_dir, service))
        return None if content is None else Silence.model_validate_json(content)
    except (RunbookError, ValidationError):
        return None


def _path(state_dir: Path, service: str) -> Path:
    return state_dir / "silence" / f"{file_stem(service)}.json"
