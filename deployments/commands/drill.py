"""`runbook drill`: a game day. Break the local stack on purpose, and score what the automation does about it."""

import asyncio
import getpass
import sys
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Literal, NamedTuple, NoReturn

from cyclopts import App, Parameter, validators

from deployments.commands.looking import JsonOutput, watched_service
from deployments.commands.triage import follow, start
from deployments.prefect_door import open_door
from deployments.views.bars import Bar, progress_bar
from deployments.views.drills import day_lines, drill_lines, drills_document, score_words
from deployments.views.json_document import say_json
from deployments.views.terminal import show
from deployments.views.words import PROMPT_END, complain, say
from tasks.clients.drills.healing import healed
from tasks.clients.drills.notes import end, score_of_run, under_way
from tasks.clients.drills.watching import refuse_unfit
from tasks.model.drills import DrillName, DrillScore
from tasks.model.errors import Code, RunbookError
from tasks.rules.drills.drill_table import DRILLS
from tasks.rules.drills.game_day import game_day
from tasks.rules.times import utc_text
from tasks.settings import RunbookSettings

app = App(name="drill", help="Game day: break the local stack on purpose, and score what the automation does.")
Times = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=100))]
Which = Annotated[DrillName | Literal["all"], Parameter(name_transform=str.lower)]
# The scores, and the drills that came to none with the reason of each.
Kept = tuple[list[DrillScore], list[str]]
SAFE, UNSAFE, INTERRUPTED = 0, 1, 130


class Shown(NamedTuple):
    """How a drill is shown while it goes on: the bar, its place in the day, and whether anything is said."""

    bar: Bar
    place: str
    quiet: bool


@app.command(name="list")
def list_(*, json_output: JsonOutput = False) -> None:
    """List the drills: what each breaks, and what is expected of the automation.

    Parameters
    ----------
    json_output
        Print one JSON document.
    """
    drills = tuple(DRILLS.values())
    say_json(drills_document(drills)) if json_output else show(drill_lines(drills))


@app.command
def run(
    name: Which,
    /,
    *,
    times: Times = 1,
    yes: Annotated[bool, Parameter(negative=())] = False,
    service: str | None = None,
    by: str | None = None,
    json_output: JsonOutput = False,
) -> NoReturn:
    """Run drills on the local stack, one by one; exit 0 only where nothing forbidden was done and no order was lost.

    Parameters
    ----------
    name
        Which drill, or all.
    times
        How often each is run.
    yes
        Do not ask first; needed where nobody can be asked.
    service
        Which watched service; may be left out where there is one.
    by
        Your name; default the user's.
    json_output
        Print one JSON document.
    """
    settings, watched, _ = watched_service(service)
    _refuse_second(settings)
    asyncio.run(refuse_unfit(settings, watched))
    _ask_first(settings, yes=yes)
    names = tuple(DrillName) if name == "all" else (name,)
    who = getpass.getuser() if by is None else by
    parameters = {"service": watched, "by": who}
    _give(
        settings, [{"drill": one.value, **parameters} for one in names for _ in range(times)], json_output=json_output
    )


@app.command
def heal(*, service: str | None = None) -> None:
    """Heal what a drill that was cut off has left broken.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    """
    settings, _, _ = watched_service(service)
    scene = under_way(settings)
    if scene is None:
        say("No drill is under way; nothing to heal.")
        return
    end(settings, asyncio.run(healed(settings, scene)))
    say(f"Healed what drill {scene.drill} of {utc_text(scene.opened_at)} broke.")


def _refuse_second(settings: RunbookSettings) -> None:
    other = under_way(settings)
    if other is not None:
        detail = f"expected no drill was {other.drill} of {utc_text(other.opened_at)}; wait, or `runbook drill heal`"
        raise RunbookError(Code.DRILL_UNDER_WAY, detail)


def _ask_first(settings: RunbookSettings, *, yes: bool) -> None:
    """Let a person say that the stack may be broken, and that its pages may go out."""
    if yes:
        return
    pages = "to Slack and the fallback channels" if _pages_people(settings) else "into its own files"
    words = f"This breaks the stack under {settings.state_dir}, again and again; its pages go {pages}."
    if not sys.stdin.isatty():
        raise RunbookError(Code.BAD_ARGUMENT, f"expected --yes was no terminal to ask at; {words}")
    complain(f"{words} Go on? [y/N]", PROMPT_END)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise RunbookError(Code.BAD_ARGUMENT, "expected y was something else; nothing was broken")


def _pages_people(settings: RunbookSettings) -> bool:
    slack, fallback = settings.slack, settings.fallback
    return bool(slack.token or slack.webhook_url) or fallback != type(fallback)()


def _give(settings: RunbookSettings, runs: list[dict[str, str]], *, json_output: bool) -> NoReturn:
    began_at, kept = datetime.now(UTC), (list[DrillScore](), list[str]())
    try:
        with progress_bar() as bar:
            for count, parameters in enumerate(runs, start=1):
                _run_one(settings, parameters, kept, Shown(bar, f"{count} of {len(runs)}, ", quiet=json_output))
    except KeyboardInterrupt:
        complain("Interrupted; the drill that is under way goes on in Prefect, and heals what it broke.")
        sys.exit(INTERRUPTED)
    finish(settings, kept, began_at, json_output=json_output)


def finish(settings: RunbookSettings, kept: Kept, began_at: datetime, *, json_output: bool) -> NoReturn:
    """Sum the day up, say it, and end; exit 0 only where it was safe."""
    scores, failures = kept
    day = game_day(scores, failures)
    if json_output:
        times = {"started_at": utc_text(began_at), "finished_at": utc_text(datetime.now(UTC))}
        parts = [{**one.model_dump(mode="json"), "safe": one.is_safe} for one in scores]
        say_json({"state_dir": str(settings.state_dir), **times, "score": day.model_dump(mode="json"), "drills": parts})
    else:
        show(day_lines(scores, day))
    sys.exit(SAFE if day.is_safe else UNSAFE)


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
