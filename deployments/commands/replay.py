"""`runbook replay`: diagnose again with the current rules, every past incident or one stored run; or plan all again."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from deployments.commands.answer import FAILED, OK, UNKNOWN, Answer, give
from deployments.commands.options import SWITCH, JsonOutput, one_of
from deployments.views.columns import lines
from deployments.views.plan_replays import replay_lines
from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, line
from tasks.clients.evidence.store import load_run, runs_of_incident
from tasks.clients.incidents.ledger import read_everything
from tasks.model.diagnosis.diagnosis import Diagnosis
from tasks.model.errors import Code, RunbookError
from tasks.model.evidence.stored_run import PlanReplay, Replay
from tasks.model.postmortem.regressions import RegressionReplay
from tasks.rules.diagnosis.replay import replayed
from tasks.rules.formats.time import parse_duration_s, parse_time, shifted, utc_text
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.postmortem.regressions import cause_words
from tasks.settings import CONFIG_VARIABLE, load_settings
from tasks.work.postmortem.regressions import list_regressions, replay_regression
from tasks.work.remediation.replayed_plans import replayed_plans, unseen_changes

DIFFERENCE = "  {place!b}  expected {then!d}  now {now}"


def replay(
    file: Annotated[Path | None, Parameter(show_default=False, help="A stored run, from evidence/runs.")] = None,
    /,
    *,
    incident: Annotated[str | None, Parameter(help="Instead of a file: the first stored run of this incident.")] = None,
    plan: Annotated[
        bool, SWITCH, Parameter(help="Every stored run again: causes, plans and actions that differ.")
    ] = False,
    settings: Annotated[
        Path | None, Parameter(help="With --plan: a changed settings file, held against the present one.")
    ] = None,
    since: Annotated[
        str | None, Parameter(help="With --plan: only runs since 7d ago, or since a time such as 2026-11-01.")
    ] = None,
    json_output: JsonOutput = False,
) -> None:
    """Diagnose again from stored evidence; exit 0 the same, 1 it differs, 3 the evidence cannot be read.

    Without a file and an incident, every fixture under regressions in the state directory is replayed, and held to the
    causes that it expects. With --plan: exit 0 nothing differs, 1 something does, 3 no run could be read.
    """
    if plan:
        one_of(("--plan", True), ("a file", file))
        one_of(("--plan", True), ("--incident", incident))
        give(lambda: plans_answer(settings, since_time(since, datetime.now(UTC))), json_output=json_output)
    if settings is not None or since is not None:
        raise RunbookError(Code.BAD_ARGUMENT, "expected --settings and --since beside --plan, found no --plan; add it")
    if file is None and incident is None:
        give(_regressions, json_output=json_output)
    give(lambda: replay_answer(asked_file(file, incident)), json_output=json_output)


def asked_file(file: Path | None, incident: str | None) -> Path:
    """Find the stored run that is asked for.

    Errors: `BAD_ARGUMENT` when both are given, or the incident has none.
    """
    one_of(("a file", file), ("--incident", incident))
    if file is not None:
        return file
    settings = load_settings()
    for service in settings.services:
        states = fold_incidents(read_everything(settings.ledger(service)), service)
        found = next((one for one in states if one.incident_id == incident), None)
        if found and (paths := runs_of_incident(settings.state_dir, found)):
            return paths[0]
    detail = f"expected an incident with stored evidence, found {incident}; see `runbook incidents`"
    raise RunbookError(Code.BAD_ARGUMENT, detail)


def replay_answer(path: Path) -> Answer:
    """Load, diagnose again, and lay both out.

    Errors: `FILE_UNREADABLE`.
    """
    run = load_run(path)
    answer = replayed(run)
    document = {
        "file": str(path),
        "service": run.evidence.context.request.service,
        "looked_at": utc_text(run.evidence.latest.looked_at),
        "same": answer.same,
        **answer.model_dump(mode="json"),
    }
    return Answer(document, _replay_lines(path, answer), OK if answer.same else FAILED)


def _regressions() -> Answer:
    """Replay every fixture; one whose cause changed decides, then one that cannot be read."""
    replays = [replay_regression(path) for path in list_regressions(load_settings().state_dir)]
    changed = sum(bool(one.differences) for one in replays)
    unreadable = sum(bool(one.unreadable) for one in replays)
    document = {
        "regressions": [{**one.model_dump(mode="json"), "same": one.same} for one in replays],
        "count": len(replays),
        "changed_count": changed,
        "unreadable_count": unreadable,
    }
    exit_code = FAILED if changed else UNKNOWN if unreadable else OK
    total = f"{len(replays)} past incidents replayed: {changed} changed, {unreadable} could not be read"
    style = BAD if changed else UNSURE if unreadable else GOOD
    shown = [*(row for one in replays for row in _fixture_lines(one)), line((total, style))]
    shown = shown if replays else [line("No regression fixtures yet; each incident that is over leaves one.")]
    return Answer(document, shown, exit_code)


def _fixture_lines(replay: RegressionReplay) -> Iterable[Text]:
    verdict, words = ("CAUSE CHANGED", BAD), f"expected {cause_words(replay.expected)}, now {cause_words(replay.named)}"
    if replay.unreadable:
        verdict, words = ("could not be read", UNSURE), replay.unreadable
    elif replay.same:
        verdict, words = ("as expected", GOOD), cause_words(replay.expected)
    yield line((replay.incident_id, BOLD), ": ", verdict, f", {words}")
    yield from (row for each in replay.differences for row in lines(DIFFERENCE, each))


def _replay_lines(path: Path, answer: Replay) -> list[Text]:
    verdict = ("the same, bit for bit", GOOD) if answer.same else ("the current rules give another diagnosis", BAD)
    differences = [row for each in answer.differences for row in lines(DIFFERENCE, each)]
    return [line((path.name, DIM)), line(_named(answer.then), ": ", verdict), *differences]


def _named(diagnosis: Diagnosis) -> str:
    causes = ", ".join(f"{finding.cause.value} ({finding.confidence.value})" for finding in diagnosis.findings)
    return f"{diagnosis.status.value}, {causes}" if causes else diagnosis.status.value


def plans_answer(changed_file: Path | None, since: datetime | None) -> Answer:
    """Decide every stored run again, and lay out what differs.

    Errors: `BAD_SETTING` names the file that is wrong, `NOT_CONFIGURED`.
    """
    settings = load_settings().watching()
    changed = load_settings({**os.environ, CONFIG_VARIABLE: str(changed_file)}) if changed_file else None
    replays = tuple(replayed_plans(settings, changed, since))
    unseen = unseen_changes(settings, changed) if changed else ()
    differing = sum(not one.same for one in replays)
    unreadable = sum(bool(one.unreadable) for one in replays)
    document = {
        "runs": [_as_json(one) for one in replays],
        "count": len(replays),
        "differing_count": differing,
        "unreadable_count": unreadable,
        "settings_not_compared": list(unseen),
    }
    is_blind = bool(replays) and unreadable == len(replays)
    exit_code = FAILED if differing else UNKNOWN if is_blind else OK
    return Answer(document, replay_lines(replays, unseen), exit_code)


def since_time(text: str | None, now: datetime) -> datetime | None:
    """Read how long ago, or since when.

    Errors: `BAD_ARGUMENT`.
    """
    if text is None:
        return None
    seconds = parse_duration_s(text)
    at = shifted(now, -timedelta(seconds=seconds)) if seconds is not None else parse_time(text)
    if at is None:
        detail = f"expected 7d, 12h or a time such as 2026-11-01T00:00Z, found {text[:40]!r}; correct --since"
        raise RunbookError(Code.BAD_ARGUMENT, detail)
    return at


def _as_json(one: PlanReplay) -> dict[str, Any]:
    return {**one.model_dump(mode="json"), "same": one.same}
