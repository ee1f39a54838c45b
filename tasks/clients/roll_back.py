"""Make another release current, by the command that the settings name; the release's own tools check it."""

import subprocess

from tasks.clients.acting import Done
from tasks.clients.releases_root import current_release_folder
from tasks.model.control import ControlReason
from tasks.model.incident import Outcome
from tasks.model.verdicts import GuardCode
from tasks.settings import ServiceSettings

TIMEOUT_S = 60.0
OUTPUT_LIMIT_COUNT = 500


def moved_back(service: ServiceSettings, release: str, why: ControlReason) -> Done:
    """Run `roll_back_command` with the release, who and why in its places; an argument list, never a shell.

    Runbook: §2.3 Roll back to the previous release.
    Errors: none. A command that fails and left the current release as it was is refused; one that was cut off is
    unknown.
    """
    before = current_release_folder(service)
    words = {"{release}": release, "{by}": why.set_by, "{reason}": why.reason}
    command = [_filled(word, words) for word in service.roll_back_command]
    try:
        run = subprocess.run(
            command, capture_output=True, check=False, timeout=TIMEOUT_S, cwd=service.working_directory
        )
    except subprocess.TimeoutExpired:
        return Done(outcome=Outcome.UNKNOWN, detail=f"expected the rollback within {TIMEOUT_S:g} s was none")
    except OSError as error:
        return Done(outcome=Outcome.REFUSED, detail=f"{error.strerror}: {command[0]}", code=GuardCode.NOT_AVAILABLE)
    if run.returncode == 0:
        return Done(outcome=Outcome.DONE, detail=f"release {release} is current")
    said = " ".join((run.stderr or run.stdout).decode("utf-8", "replace").split())[-OUTPUT_LIMIT_COUNT:]
    moved = current_release_folder(service) != before
    outcome = Outcome.UNKNOWN if moved else Outcome.REFUSED
    return Done(outcome=outcome, detail=f"exit_code={run.returncode}: {said}", code=GuardCode.NO_GOOD_RELEASE)


def _filled(word: str, words: dict[str, str]) -> str:
    for place, text in words.items():
        word = word.replace(place, text)
    return word
