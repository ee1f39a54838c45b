"""`runbook status`: every part's pid, address, health and release, the triages, the open incidents."""

from typing import Annotated

from cyclopts import Parameter

from deployments.live_status import gather_status
from deployments.state_dir import find_state_dir
from deployments.views.json_document import say_json
from deployments.views.status import status_lines
from deployments.views.words import say, say_lines


def status(*, json_output: Annotated[bool, Parameter(name="--json", negative=())] = False) -> None:
    """Show how the local stack does.

    Parameters
    ----------
    json_output
        Print one JSON document instead of a table.
    """
    found = gather_status(find_state_dir())
    if json_output:
        say_json(found)
    elif found["left_pids"]:
        pids = ", ".join(str(pid) for pid in found["left_pids"])
        say(
            f"The files of the stack under {found['state_dir']} are gone, and its processes still run: pid {pids}. "
            "`runbook down` ends them."
        )
    elif not found["running"]:
        say(
            f"No local stack runs under {found['state_dir']}; `runbook up` starts one. On a trading host see "
            "`runbook check` and `systemctl status runbook-worker runbook-monitoring`."
        )
    else:
        say_lines(status_lines(found))
