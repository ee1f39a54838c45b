"""A restart from a shell that is killed after a chosen step: `python -m tests.fakes.incident.dying_shell STEP`."""

import sys

import tasks.work.remediation.execute
import tasks.work.remediation.operator_action
import tasks.work.remediation.restart
from deployments.commands import operator_action
from tests.fakes.incident.dying_run import die, die_at_the_second_record

BREAKS = {
    "started": lambda: setattr(tasks.work.remediation.restart, "replaced", die),
    "deed": die_at_the_second_record,
    "finished": lambda: setattr(tasks.work.remediation.operator_action, "proven", die),
}

if __name__ == "__main__":
    BREAKS[sys.argv[1]]()
    operator_action.restart(reason="it hangs", by="ada")
