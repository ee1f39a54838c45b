"""`runbook drill`: a game day. Break the local stack on purpose, and score what the automation does about it."""

import asyncio
import sys
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Literal, NamedTuple, NoReturn

from cyclopts import App, Parameter, validators

from deployments.commands.answer import FAILED, OK, Answer, end_with
from deployments.commands.options import SWITCH, By, JsonOutput, Service, monitored_service, person
from deployments.commands.triage import follow, start
from deployments.prefect_api.client import open_door
from deployments.views.bars import Bar, progress_bar
from deployments.views.drills import day_lines, drill_lines, drills_document, score_words
from deployments.views.words import PROMPT_END, complain, say
from tasks.clients.drills.fixing import fixed
from tasks.clients.drills.notes import end, score_of_run, under_way
from tasks.model.drills.drills import DrillName, DrillScore
from tasks.model.errors import Code, RunbookError
from tasks.rules.drills.catalogue import DRILLS
from tasks.rules.drills.game_day import game_day
from tasks.rules.formats.time import utc_text
from tasks.settings import RunbookSettings
from tasks.work.drills.watching import refuse_unfit

app = App(name="drill", help="Game day: break the local stack on purpose, and score what the automation does.")
Times = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=100), help="How often each is run.")]
Which = Annotated[DrillName | Literal["all"], Parameter(name_transform=str.lower, help="Which drill, or all.")]
Yes = Annotated[bool, SWITCH, Parameter(help="Do not ask first; needed where nobody can be asked.")]
# The scores, and the drills that came to none with the reason of each.
Kept = tuple[list[DrillScore], list[str]]
INTERRUPTED = 130


class Shown(NamedTuple):
    """How a drill is shown while it goes on: the bar, its place in the day, and whether anything is said."""

    bar: Bar
    place: str
    quiet: bool


@app.command(name="list")
def list_(*, json_output: JsonOutput = False) -> None:
    """List the drills: what each breaks, and what is expected of the automation."""
    drills = tuple(DRILLS.values())
    end_with(Answer(drills_document(drills), drill_lines(drills)), json_output=json_output)


@app.command
def run(
    name: Which,
    /,
    *,
    times: Times = 1,
    yes: Yes = False,
    service: Service = None,
    by: By = None,
    json_output: JsonOutput = False,
) -> NoReturn:
    """Run drills on the local stack, one by one; exit 0 only where nothing forbidden was done and no order was lost."""
    settings, watched, _ = monitored_service(service)
    if other := under_way(settings):
        found = f"{other.drill} of {utc_text(other.opened_at)}"
        raise RunbookError(Code.DRILL_UNDER_WAY, f"expected no drill, found {found}; wait, or `runbook drill heal`")
    asyncio.run(refuse_unfit(settings, watched))
    if not yes:
        _ask_first(settings)
    names = tuple(DrillName) if name == "all" else (name,)
    runs = [{"drill": one.value, "service": watched, "by": person(by)} for one in names for _ in range(times)]
    began_at, kept = datetime.now(UTC), (list[DrillScore](), list[str]())
    try:
        with progress_bar() as bar:
            for count, parameters in enumerate(runs, start=1):
                _run_one(settings, parameters, kept, Shown(bar, f"{count} of {len(runs)}, ", quiet=json_output))
    except KeyboardInterrupt:
        complain("Interrupted; the drill that is under way goes on in Prefect, and heals what it broke.")
        sys.exit(INTERRUPTED)
    finish(settings, kept, began_at, json_output=json_output)


@app.command
def heal(*, service: Service = None) -> None:
    """Heal what a drill that was cut off has left broken."""
    settings, _, _ = monitored_service(service)
    scene = under_way(settings)
    if scene is None:
        say("No drill is under way; nothing to heal.")
        return
    end(settings, asyncio.run(fixed(settings, scene)))
    say(f"Healed what drill {scene.drill} of {utc_text(scene.opened_at)} broke.")


def finish(settings: RunbookSettings, kept: Kept, began_at: datetime, *, json_output: bool) -> NoReturn:
    """Sum the day up, print it, and exit with 0 only where it was safe."""
    scores, failures = kept
    day = game_day(scores, failures)
    document = {
        "state_dir": str(settings.state_dir),
        "started_at": utc_text(began_at),
        "finished_at": utc_text(datetime.now(UTC)),
        "score": day.model_dump(mode="json"),
        "drills": [{**one.model_dump(mode="json"), "safe": one.is_safe} for one in scores],
    }
    end_with(Answer(document, day_lines(scores, day), OK if day.is_safe else FAILED), json_output=json_output)


def _ask_first(settings: RunbookSettings) -> None:
    """Let a person say that the stack may be broken, and that its pages may go out."""
    slack, fallback = settings.slack, settings.fallback
    pages_people = bool(slack.token or slack.webhook_url) or fallback != type(fallback)()
    pages = "to Slack and the fallback channels" if pages_people else "into its own files"
    words = f"This breaks the stack under {settings.state_dir}, again and again; its pages go {pages}."
    if not sys.stdin.isatty():
        raise RunbookError(Code.BAD_ARGUMENT, f"expected --yes, found no terminal to ask at; {words}")
    complain(f"{words} Go on? [y/N]", PROMPT_END)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise RunbookError(Code.BAD_ARGUMENT, "expected y, found something else; nothing was broken")


def _run_one(settings: RunbookSettings, parameters: dict[str, str], kept: Kept, shown: Shown) -> None:
    """Run one drill through Prefect and keep its score, or why it came to none."""
    door = open_door()
    about = f"{shown.place}{parameters['drill']}: "
    ended = follow(door, start(door, parameters, "drill/manual"), shown.bar, quiet=True, about=about)
    score = score_of_run(settings, ended["id"])
    scores, failures = kept
    if score is not None:
        scores.append(score)
    else:
        failures.append(f"{parameters['drill']}: {ended['state']['name']}: {ended['state'].get('message')}")
    if not shown.quiet:
        shown.bar.hidden(partial(say, score_words(score) if score else failures[-1]))
