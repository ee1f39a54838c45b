"""`runbook checks`: the checks that past incidents drafted, and which of them are on."""

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter

from deployments.commands.answer import OK, UNKNOWN, Answer, end_with, give
from deployments.commands.operators import operator
from deployments.commands.options import By, JsonOutput, Service
from deployments.views.columns import Rows, View, laid_out
from tasks.model.checks.checks import Check, CheckStatus
from tasks.model.errors import Code, RunbookError
from tasks.model.people.person import Right
from tasks.rules.checks.checks import decided, rule_words
from tasks.rules.incidents.tiers import TIER_NAMES
from tasks.settings import load_settings
from tasks.work.postmortem.accepted_checks import change_check, list_checks, load_check

app = App(name="checks", help="List the checks that incidents drafted; show, accept or reject one.")
CheckId = Annotated[str, Parameter(show_default=False, help="Its name, as `runbook checks` lists it.")]
Why = Annotated[str, Parameter(help="Why.")]
NEXT = {
    CheckStatus.DRAFT: "accept or reject it: runbook checks accept ID",
    CheckStatus.ACCEPTED: "it is on; runbook checks reject ID switches it off",
    CheckStatus.REJECTED: "it is off; runbook checks accept ID switches it on",
}
COMPUTED = {
    "watches": lambda check: rule_words(check.rule),
    "owner": lambda check: TIER_NAMES[check.owner],
    "next": lambda check: [NEXT[check.status].replace("ID", check.check_id)],
    "none": lambda found: [] if found["checks"] else ["No checks yet; each incident that is over drafts some."],
}
ONE = View(
    "{check_id!b}  {status!s}",
    "watches service owner incident=incident_id drafted=drafted_at decided_by decided=decided_at reason",
    (Rows("because", "  because    {}"), Rows("next", "{!d}")),
    COMPUTED,
)
ALL = View(
    rows=(
        Rows("checks", "{check_id!b}  {status!s}  {watches}"),
        Rows("none", "{}"),
        Rows("broken", "could not read {!w}"),
    ),
    computed=COMPUTED,
)


@app.default
@app.command(name="list")
def list_all(*, service: Service = None, json_output: JsonOutput = False) -> None:
    """List every check; exit 0, or 3 where a file of one cannot be read."""
    give(lambda: _all(service), json_output=json_output)


@app.command
def show(check_id: CheckId, /, *, json_output: JsonOutput = False) -> None:
    """Show one check: what it watches, and the numbers that drafted it."""
    give(lambda: _one(load_check(load_settings().state_dir, check_id)), json_output=json_output)


@app.command
def accept(check_id: CheckId, /, *, reason: Why = "", by: By = None, json_output: JsonOutput = False) -> None:
    """Switch a check on, from the next triage on; it makes notes, and leads to no action."""
    end_with(_decided(check_id, CheckStatus.ACCEPTED, by, reason), json_output=json_output)


@app.command
def reject(check_id: CheckId, /, *, reason: Why = "", by: By = None, json_output: JsonOutput = False) -> None:
    """Switch a check off, or leave a draft off for good: no later incident drafts it again."""
    end_with(_decided(check_id, CheckStatus.REJECTED, by, reason), json_output=json_output)


def _all(service: str | None) -> Answer:
    settings = load_settings()
    if service is not None:
        settings.service(service)
    found, broken = list_checks(settings.state_dir)
    wanted = [one for one in found if service in {None, one.service}]
    document = {"checks": [one.model_dump(mode="json") for one in wanted], "unreadable": list(broken)}
    return Answer(document, laid_out(ALL, {"checks": wanted, "broken": broken}), UNKNOWN if broken else OK)


def _decided(check_id: str, status: CheckStatus, by: str | None, reason: str) -> Answer:
    settings = load_settings()
    who, now = operator(settings, Right.DECIDE_CHECK, by).strip(), datetime.now(UTC)
    if not who:
        raise RunbookError(Code.BAD_ARGUMENT, "expected a name, found none; say who decides with --by")
    return _one(
        change_check(settings.state_dir, check_id, lambda check: decided(check, status, who, reason.strip(), now))
    )


def _one(check: Check) -> Answer:
    return Answer(check.model_dump(mode="json"), laid_out(ONE, check))
