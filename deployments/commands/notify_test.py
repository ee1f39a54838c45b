"""`runbook notify-test`: send a test message through every channel to an audience, and show which arrived."""

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from deployments.commands.answer import FAILED, OK, Answer, end_with
from deployments.commands.options import SWITCH, JsonOutput
from tasks.clients.messages.channel_test import try_audience
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import Code, RunbookError
from tasks.model.messages.delivery import Trial, TrialStep
from tasks.settings import load_settings

TIERS = {1: Audience.TIER_1, 2: Audience.TIER_2, 3: Audience.TIER_3}


def notify_test(
    *,
    tier: Annotated[int | None, Parameter(help="Only this tier: 1, 2 or 3.")] = None,
    desk: Annotated[bool, SWITCH, Parameter(help="Only the desk; with --tier, that tier as well.")] = False,
    json_output: JsonOutput = False,
) -> None:
    """Send a test message through every channel of each audience; its user groups are notified as by a page."""
    settings, now = load_settings(), datetime.now(UTC)
    trials = [trial for audience in _wanted(tier, desk=desk) for trial in try_audience(settings, audience, now)]
    ways = [{**trial.model_dump(mode="json"), "delivered": trial.delivered} for trial in trials]
    passed = all(trial.passed for trial in trials)
    answer = Answer({"passed": passed, "ways": ways}, map(_line, trials), OK if passed else FAILED)
    end_with(answer, json_output=json_output)


def _wanted(tier: int | None, *, desk: bool) -> list[Audience]:
    if tier is not None and tier not in TIERS:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected 1, 2 or 3, found {tier}; correct --tier")
    return [*([Audience.DESK] if desk else []), *([TIERS[tier]] if tier else [])] or list(Audience)


def _line(trial: Trial) -> str:
    word = "ok" if trial.passed else "would arrive, but" if trial.delivered else "would NOT arrive:"
    steps = ", ".join(map(_step, trial.steps))
    return f"{trial.audience.value.replace('_', ' '):<7} {trial.channel:<20} {word} {steps}"


def _step(step: TrialStep) -> str:
    if not step.passed:
        return f"{step.name} FAILED: {step.detail}"
    return f"{step.name} ({step.detail})" if step.detail else step.name
