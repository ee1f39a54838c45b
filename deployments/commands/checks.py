"""`runbook checks`: the checks that past incidents drafted, and which of them are on."""

import getpass
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter

from deployments.commands.looking import Answer, JsonOutput, give
from deployments.views.checks import list_lines, show_lines
from tasks.clients.accepted_checks import change_check, list_checks, load_check
from tasks.model.checks import Check, CheckStatus
from tasks.model.errors import Code, RunbookError
from tasks.rules.checks import decided
from tasks.settings import load_settings

app = App(name="checks", help="List the checks that incidents drafted; show, accept or reject one.")
FINE, BROKEN = 0, 3
CheckId = Annotated[str, Parameter(show_default=False)]


@app.default
@app.command(name="list")
def list_all(*, service: str | None = None, json_output: JsonOutput = False) -> None:
    """List every check; exit 0, or 3 where a file of one cannot be read.

    Parameters
    ----------
    service
        Only the checks of this watched service.
    json_output
        Print one JSON document.
    """
    give(lambda: list_answer(service), json_output=json_output)


@app.command
def show(check_id: CheckId, /, *, json_output: JsonOutput = False) -> None:
    """Show one check: what it watches, and the numbers that drafted it.

    Parameters
    ----------
    check_id
        Its name, as `runbook checks` lists it.
    json_output
        Print one JSON document.
    """
    give(lambda: one_answer(load_check(load_settings().state_dir, check_id)), json_output=json_output)


@app.command
def accept(check_id: CheckId, /, *, reason: str = "", by: str | None = None, json_output: JsonOutput = False) -> None:
    """Switch a check on, from the next triage on; it makes notes, and leads to no action.

    Parameters
    ----------
    check_id
        Its name, as `runbook checks` lists it.
    reason
        Why.
    by
        Your name; default the user's.
    json_output
        Print one JSON document.
    """
    answer = decision_answer(check_id, CheckStatus.ACCEPTED, by, reason)
    give(lambda: answer, json_output=json_output)


@app.command
def reject(check_id: CheckId, /, *, reason: str = "", by: str | None = None, json_output: JsonOutput = False) -> None:
    """Switch a check off, or leave a draft off for good: no later incident drafts it again.

    Parameters
    ----------
    check_id
        Its name, as `runbook checks` lists it.
    reason
        Why.
    by
        Your name; default the user's.
    json_output
        Print one JSON document.
    """
    answer = decision_answer(check_id, CheckStatus.REJECTED, by, reason)
    give(lambda: answer, json_output=json_output)


def list_answer(service: str | None) -> Answer:
    """Lay out every check, and every file that is none.

    Errors: `UNKNOWN_SERVICE`.
    """
    settings = load_settings()
    if service is not None:
        settings.service(service)
    found, broken = list_checks(settings.state_dir)
    wanted = tuple(one for one in found if service in {None, one.service})
    document = {"checks": [one.model_dump(mode="json") for one in wanted], "unreadable": list(broken)}
    return Answer(document, list_lines(wanted, broken), BROKEN if broken else FINE)


def decision_answer(check_id: str, status: CheckStatus, by: str | None, reason: str) -> Answer:
    """Write the decision down and show the check.

    Errors: `BAD_ARGUMENT`, `FILE_UNREADABLE`, `SINK_UNWRITABLE`.
    """
    who = (getpass.getuser() if by is None else by).strip()
    if not who:
        raise RunbookError(Code.BAD_ARGUMENT, "expected a name was blank; say who decides with --by")
    now = datetime.now(UTC)
    changed = change_check(
        load_settings().state_dir, check_id, lambda check: decided(check, status, who, reason.strip(), now)
    )
    return one_answer(changed)


def one_answer(check: Check) -> Answer:
    """Lay out one check."""
    return Answer(check.model_dump(mode="json"), show_lines(check))
