"""The `runbook` command. Commands are named here and imported when they are called: `--help` must be instant."""

import sys

from cyclopts import App

from deployments.views.words import complain
from tasks.model.errors import Code, RunbookError

SENDS_ORDERS = "Sends small TEST ORDERS (--no-orders: none)."
app = App(name="runbook", help="Automated triage and remediation for a trading order service.")
app.command("deployments.commands.up:up", name="up", help="Start the whole local stack; Ctrl-C stops it.")
app.command("deployments.commands.down:down", name="down", help="Stop what `up` started.")
app.command("deployments.commands.status:status", name="status", help="Show every part, the triages, open incidents.")
app.command(
    "deployments.commands.triage:triage",
    name="triage",
    help="Run a triage through Prefect: sends test orders, acts.",
)
app.command(
    "deployments.commands.check:check", name="check", help=f"{SENDS_ORDERS} Look and name the cause; never acts."
)
app.command("deployments.commands.look:app", name="look", help="Make one look alone.")
app.command("deployments.commands.plan:plan", name="plan", help=f"{SENDS_ORDERS} Print what would be done now.")
app.command("deployments.commands.incidents:incidents", name="incidents", help="List the incidents.")
app.command("deployments.commands.ack:ack", name="ack", help="Take an incident: pages stop for a while.")
app.command("deployments.commands.maintenance:app", name="maintenance", help="Open, end or show a maintenance window.")
app.command("deployments.commands.worker:deploy", name="deploy", help="Register this host's deployments.")
app.command("deployments.commands.worker:worker", name="worker", help="Register them, and work on their runs.")
app.command("deployments.commands.notify_test:notify_test", name="notify-test", help="Send a test message everywhere.")
app.command("deployments.commands.replay:replay", name="replay", help="Name the causes of past incidents again.")
app.command("deployments.commands.postmortem:postmortem", name="postmortem", help="Write an incident's postmortem.")
app.command("deployments.commands.checks:app", name="checks", help="Decide on the checks that incidents drafted.")
app.command("deployments.commands.approve:approve", name="approve", help="Let a plan that waits be done.")
app.command("deployments.commands.approve:reject", name="reject", help="Let nothing of a plan that waits be done.")
app.command("deployments.commands.pause:pause", name="pause", help="Pause trading at once; a person resumes it.")
app.command("deployments.commands.resume:resume", name="resume", help="Take back a pause or a mark, under every guard.")
app.command("deployments.commands.drill:app", name="drill", help="Game day: break the local stack, and score.")
app.command("deployments.commands.mode:mode", name="mode", help="Show or set how far the automation may go.")
app.command("deployments.commands.rearm:rearm", name="rearm", help="Let the automation act again.")

WRONG_USE = {
    Code.BAD_SETTING,
    Code.BAD_ARGUMENT,
    Code.NOT_CONFIGURED,
    Code.UNKNOWN_SERVICE,
    Code.UNKNOWN_INCIDENT,
    Code.NOT_OUR_STACK,
    Code.DRILL_UNDER_WAY,
}
INTERRUPTED = 130


def main() -> None:
    """Run one command; our own errors are one line on stderr, with a non-zero exit.

    Errors: exit 2 when it was called wrongly, 1 when it could not be done, 130 when it was interrupted.
    """
    try:
        app()
    except RunbookError as error:
        complain(str(error))
        sys.exit(2 if error.code in WRONG_USE else 1)
    except OSError as error:
        # The last door: a state directory that cannot be made or written, a full disk.
        where = f" path={error.filename}" if error.filename else ""
        complain(f"{Code.OS_REFUSED}: expected to read and write was {error.strerror}{where}; mend it or move")
        sys.exit(1)
    except KeyboardInterrupt:
        complain("Interrupted; what was started is stopped.")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
