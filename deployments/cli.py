"""The `runbook` command. Commands are named here and imported when they are called: `--help` must be instant."""

import sys

from cyclopts import App, Group

from deployments.views.words import complain, say_lines
from tasks.model.errors import Code, RunbookError

SENDS_ORDERS = "Sends small TEST ORDERS (--no-orders: none)."
app = App(
    name="runbook",
    help="Automated triage and remediation for a trading order service. In an incident, start with `runbook check`.",
)
# What is needed at 3 a.m. stands first.
COMMANDS = {
    "See what is wrong": {
        "check": ("check:check", f"{SENDS_ORDERS} Diagnose the service; never acts."),
        "status": ("status:status", "Show the local stack: every part, the triages, the open incidents."),
        "incidents": ("incidents:incidents", "List the incidents."),
        "inspect": ("inspect_step:app", "Run one read-only check alone."),
        "oncall": ("oncall:oncall", "Show who is on call, who is next, and the gaps ahead."),
        "plan": ("plan:plan", f"{SENDS_ORDERS} Show what a triage would do now; never acts."),
    },
    "Act": {
        "ack": ("incidents:ack", "Acknowledge an incident: nobody is paged for it for a while."),
        "approve": ("approve:approve", "Approve a plan that is waiting."),
        "reject": ("approve:reject", "Reject a plan that is waiting."),
        "restart": ("operator_action:restart", "Restart the service once, and prove that it helped."),
        "reroute": ("operator_action:reroute", "Send new orders of a class elsewhere, or back."),
        "roll-back": ("operator_action:roll_back", "Make an earlier release current, and prove that it helped."),
        "disable-feature": ("operator_action:disable_feature", "Switch a feature off."),
        "mark-degraded": ("operator_action:mark_degraded", "Mark a gateway for everybody to see."),
        "pause": ("operator_action:pause", "Pause trading at once; it stays paused until someone resumes it."),
        "resume": ("operator_action:resume", "Take back a pause or a mark, under every guard."),
        "triage": ("triage:triage", "Run a triage through Prefect: sends test orders, acts."),
        "mode": ("automation:mode", "Show or set how far the automation may go."),
        "maintenance": ("automation:maintenance", "Open, end or show a maintenance window, and what is planned."),
        "rearm": ("automation:rearm", "Let the automation act again after it stopped itself."),
    },
    "After the incident": {
        "postmortem": ("postmortem:postmortem", "Write an incident's postmortem."),
        "follow-ups": ("postmortem:follow_ups", "List the follow-ups of past incidents; change one."),
        "checks": ("checks:app", "Accept or reject the checks that incidents drafted."),
        "replay": ("replay:replay", "Diagnose past incidents again with the current rules."),
    },
    "Run and set up": {
        "contract": (
            "contract:contract",
            "Ask a service for all that is described; --write: describe it.",
        ),
        "up": ("up:up", "Start the whole local stack; Ctrl-C stops it."),
        "down": ("down:down", "Stop what `up` started."),
        "drill": ("drill:app", "Game day: break the local stack, and score the response."),
        "worker": ("worker:worker", "Register this host's deployments, and work on their runs."),
        "deploy": ("worker:deploy", "Register this host's deployments."),
        "notify-test": ("notify_test:notify_test", "Send a test message through every channel."),
    },
}
for _title, _commands in COMMANDS.items():
    _group = Group.create_ordered(_title)
    for _place, (_name, (_where, _help)) in enumerate(_commands.items()):
        app.command(f"deployments.commands.{_where}", name=_name, help=_help, group=_group, sort_key=_place)

USAGE_ERRORS = {
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

    Errors: exit 2 on a usage error, 1 when it could not be done, 130 when it was interrupted.
    """
    try:
        if sys.argv[1:]:
            app(renamed(sys.argv[1:]))
        else:
            show_first()
    except RunbookError as error:
        complain(str(error))
        sys.exit(2 if error.code in USAGE_ERRORS else 1)
    except OSError as error:
        # The last door: a state directory that cannot be made or written, a full disk.
        where = f" path={error.filename}" if error.filename else ""
        complain(f"{Code.OS_REFUSED}: expected to read and write, found {error.strerror}{where}; fix it or move")
        sys.exit(1)
    except KeyboardInterrupt:
        complain("Interrupted; what was started is stopped.")
        sys.exit(INTERRUPTED)


def show_first() -> None:
    """Say what matters in an incident, then the help; where nothing is configured the help first, then how to begin."""
    from deployments.overview import overview  # noqa: PLC0415 - what a command needs is imported by it alone

    found = overview()
    if found.is_configured:
        say_lines((*found.lines, ""))
    app.help_print([])
    if not found.is_configured:
        say_lines(("", *found.lines))


def renamed(words: list[str]) -> list[str]:
    """Take the old name of `inspect`, which scripts still use, and say so."""
    if words[:1] != ["look"]:
        return words
    complain("`runbook look` is now `runbook inspect`; the old name still works.")
    return ["inspect", *words[1:]]


if __name__ == "__main__":
    main()
