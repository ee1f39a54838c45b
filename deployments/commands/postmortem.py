"""`runbook postmortem` and `runbook follow-ups`: what comes after an incident; needs no Prefect."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated

from cyclopts import App, Parameter

from deployments.commands.answer import OK, UNKNOWN, Answer, end_with, give
from deployments.commands.operators import operator
from deployments.commands.options import SWITCH, By, JsonOutput, Service, one_of
from deployments.prefect_api.client import any_door
from deployments.views.columns import Rows, View, laid_out
from deployments.views.words import say_lines
from tasks.model.errors import Code, RunbookError
from tasks.model.people.person import Right
from tasks.model.postmortem.follow_up import FollowUp
from tasks.model.postmortem.postmortem import Postmortem
from tasks.rules.incidents.paths import artifact_key
from tasks.rules.postmortem.follow_up_lines import OWNER_LIMIT_COUNT
from tasks.rules.postmortem.template import page_markdown
from tasks.settings import RunbookSettings, load_settings
from tasks.work.postmortem.artifacts import checks_drafted, regression_written
from tasks.work.postmortem.case import found_incident
from tasks.work.postmortem.documents import fresh_document, is_published, mark_written, write_document
from tasks.work.postmortem.kept_follow_ups import change_follow_up, list_follow_ups

follow_ups = App(name="follow-ups", help="List the follow-ups of past incidents; change one.")
FollowUpId = Annotated[str, Parameter(show_default=False, help="Its id, FU-…, as `runbook follow-ups` lists it.")]
FOLLOW_UP = "{follow_up_id!b}  {state:8}  due {due}  {overdue!e}  {owner}  {incident_id!d}\n  {what}\n  {ticket!w}"
STANDING = {
    "overdue": lambda one: "OVERDUE" if one.is_overdue(_today()) else None,
    "ticket": lambda one: f"not handed over: {one.fault}" if one.fault else None,
}
LISTED = View(
    rows=(
        Rows("follow_ups", FOLLOW_UP),
        Rows("none", "{}"),
        Rows("broken", "could not read {!w}"),
    ),
    computed={**STANDING, "none": lambda found: [] if found["follow_ups"] else [f"No {found['which']}follow-ups."]},
)
PUBLISH_TIMEOUT_S = 5.0
WRITTEN = View(
    "Postmortem of {incident_id!b} {state!g}",
    "file=path in_Prefect=in_prefect left_as_edited=edited left_out=removed fixture=regression checks",
    (Rows("faults", "could not be saved {!w}"),),
    {
        "state": lambda document: "written" if document["changed"] else "unchanged",
        "in_prefect": lambda document: "published" if document["published"] else NOT_PUBLISHED,
    },
)
NOT_PUBLISHED = "not published: no Prefect server answers here"


def postmortem(
    incident_id: Annotated[str, Parameter(show_default=False, help="Which incident; without it the newest one.")] = "",
    /,
    *,
    service: Service = None,
    fresh: Annotated[bool, SWITCH, Parameter(help="Print what would be generated without your edits.")] = False,
    json_output: JsonOutput = False,
) -> None:
    """Write the postmortem of an incident, its fixture and its draft checks; what you edited in it stays."""
    settings = load_settings().watching()
    name, asked = _asked_incident(settings, service, incident_id.strip())
    if fresh:
        say_lines(fresh_document(settings, name, asked).splitlines())
        return
    end_with(_written(settings, name, asked), json_output=json_output)


def _written(settings: RunbookSettings, service: str, incident_id: str) -> Answer:
    now = datetime.now(UTC)
    beside = [step(settings, service, incident_id, now) for step in (regression_written, checks_drafted)]
    faults = tuple(one.fault for one in beside if one.fault)
    written = write_document(settings, service, incident_id, faults)
    published = is_published(settings, written) or _publish(written)
    mark_written(settings, written, published=published)
    document = {
        **written.model_dump(mode="json", exclude={"text", "picture"}),
        "published": published,
        "markdown": written.text,
    }
    return Answer(document, laid_out(WRITTEN, document))


def _asked_incident(settings: RunbookSettings, service: str | None, incident_id: str) -> tuple[str, str]:
    if service is not None or not incident_id:
        name = service or settings.only_service()
        return name, found_incident(settings, name, incident_id)
    for name in sorted(settings.services):
        try:
            return name, found_incident(settings, name, incident_id)
        except RunbookError as error:
            if error.code is not Code.BAD_ARGUMENT:
                raise
    detail = f"expected an incident, found {incident_id[:80]!r}; see `runbook incidents`"
    raise RunbookError(Code.BAD_ARGUMENT, detail)


def _publish(written: Postmortem) -> bool:
    """Put the postmortem into the Prefect UI, where a server answers; the file is what counts."""
    door = any_door()
    artifact = {
        "key": artifact_key(written.incident_id),
        "type": "markdown",
        "data": page_markdown(written),
        "description": f"Postmortem of {written.incident_id[:100]}",
    }
    answer = door.ask("/artifacts/", artifact, PUBLISH_TIMEOUT_S) if door else None
    return isinstance(answer, dict) and "id" in answer


@follow_ups.default
@follow_ups.command(name="list")
def list_all(
    *,
    service: Service = None,
    open_: Annotated[bool, SWITCH, Parameter(name="--open", help="Only open ones, which is the default.")] = False,
    all_: Annotated[bool, SWITCH, Parameter(name="--all", help="Done and dropped ones, too.")] = False,
    json_output: JsonOutput = False,
) -> None:
    """List the open follow-ups, the earliest due first; exit 0, or 3 where a file of them cannot be read."""
    one_of(("--open", open_ or None), ("--all", all_ or None))
    give(lambda: _listed(service, with_ended=all_), json_output=json_output)


@follow_ups.command
def done(follow_up_id: FollowUpId, /, *, by: By = None, json_output: JsonOutput = False) -> None:
    """Mark a follow-up as done."""
    now = datetime.now(UTC)
    end_with(_changed(follow_up_id, by, lambda _, who: {"done_at": now, "done_by": who}), json_output=json_output)


@follow_ups.command
def assign(
    follow_up_id: FollowUpId,
    owner: Annotated[str, Parameter(show_default=False, help="Who owns it from now on.")],
    /,
    *,
    by: By = None,
    json_output: JsonOutput = False,
) -> None:
    """Give a follow-up another owner."""
    name = " ".join(owner.split())
    if not name or len(name) > OWNER_LIMIT_COUNT:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected a name, found {owner[:40]!r}; say who owns it")
    end_with(_changed(follow_up_id, by, lambda *_: {"owner": name}), json_output=json_output)


@follow_ups.command
def due(
    follow_up_id: FollowUpId,
    day: Annotated[str, Parameter(show_default=False, help="Until when, as 2026-12-24.")],
    /,
    *,
    by: By = None,
    json_output: JsonOutput = False,
) -> None:
    """Give a follow-up another date."""
    try:
        until = date.fromisoformat(day)
    except ValueError:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected a date as 2026-12-24, found {day[:40]!r}") from None
    end_with(_changed(follow_up_id, by, lambda *_: {"due": until}), json_output=json_output)


def _listed(service: str | None, *, with_ended: bool) -> Answer:
    settings = load_settings()
    if service is not None:
        settings.service(service)
    found, broken = list_follow_ups(settings)
    wanted = [one for one in found if service in {None, one.service} and (with_ended or one.is_open)]
    document = {"follow_ups": [_follow_up_json(one) for one in wanted], "unreadable": list(broken)}
    shown = {"follow_ups": wanted, "broken": broken, "which": "" if with_ended else "open "}
    return Answer(document, laid_out(LISTED, shown), UNKNOWN if broken else OK)


def _changed(follow_up_id: str, by: str | None, change: Callable[[FollowUp, str], dict[str, object]]) -> Answer:
    """Change one, and bring its postmortem up to date where that is possible; the list has the last word."""
    settings = load_settings()
    who = operator(settings, Right.FOLLOW_UP, by).strip()
    if not who:
        raise RunbookError(Code.BAD_ARGUMENT, "expected a name, found none; say who changes it with --by")
    changed = change_follow_up(
        settings, follow_up_id, lambda one: one.model_copy(update={**change(one, who), "edited": True})
    )
    with suppress(RunbookError):
        write_document(settings, changed.service, changed.incident_id)
    shown = {"follow_ups": [changed], "broken": (), "which": ""}
    return Answer(_follow_up_json(changed), laid_out(LISTED, shown))


def _follow_up_json(one: FollowUp) -> dict[str, object]:
    facts = one.model_dump(mode="json", exclude={"line", "edited"})
    return {**facts, "state": one.state, "overdue": one.is_overdue(_today())}


def _today() -> date:
    return datetime.now(UTC).date()
