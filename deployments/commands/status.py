"""`runbook status`: every part's pid, address, health and release, the triages, the open incidents."""

from deployments.commands.answer import Answer, end_with
from deployments.commands.options import JsonOutput
from deployments.stack.live_status import gather_status
from deployments.stack.state_dir import find_state_dir
from deployments.views.status import status_lines


def status(*, json_output: JsonOutput = False) -> None:
    """Show the local stack: every part, the triages, the open incidents, the plans that wait."""
    found = gather_status(find_state_dir())
    lines = status_lines(found)
    if found["left_pids"]:
        pids = ", ".join(str(pid) for pid in found["left_pids"])
        gone = f"The files of the stack under {found['state_dir']} are gone, and its processes still run: pid {pids}."
        lines = [f"{gone} `runbook down` ends them."]
    elif not found["running"]:
        none = f"No local stack is running under {found['state_dir']}; `runbook up` starts one."
        lines = [
            f"{none} On a trading host see `runbook check` and `systemctl status runbook-worker runbook-monitoring`."
        ]
    end_with(Answer(found, lines), json_output=json_output)
