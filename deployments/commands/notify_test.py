"""`runbook notify-test`: send a test message through every way to an audience, and say which arrived."""

import sys
from datetime import UTC, datetime
from typing import Any

from deployments.commands.looking import FAILED, FINE, JsonOutput
from deployments.views.json_document import say_json
from deployments.views.words import say_lines
from tasks.clients.trial import try_audience
from tasks.model.delivery import Trial
from tasks.model.diagnosis import Audience
from tasks.model.errors import Code, RunbookError
from tasks.settings import load_settings

TIERS = {1: Audience.TIER_1, 2: Audience.TIER_2, 3: Audience.TIER_3}


def notify_test(*, tier: int | None = None, desk: bool = False, json_output: JsonOutput = False) -> None:
    """Send a test message through every way to each audience; its user groups are called, as a page calls them.

    Parameters
    ----------
    tier
        Only this tier: 1, 2 or 3.
    desk
        Only the desk; with --tier, that tier as well.
    json_output
        Print one JSON document.
    """
    settings, now = load_settings(), datetime.now(UTC)
    trials = [trial for audience in _wanted(tier, desk=desk) for trial in try_audience(settings, audience, now)]
    if json_output:
        say_json(as_json(trials))
    else:
        say_lines(_line(trial) for trial in trials)
    sys.exit(FINE if all(trial.passed for trial in trials) else FAILED)


def as_json(trials: list[Trial]) -> dict[str, Any]:
    """Lay the trials out: each way with its steps, and whether a page would arrive by it."""
    ways = [{**trial.model_dump(mode="json"), "delivered": trial.delivered} for trial in trials]
    return {"passed": all(trial.passed for trial in trials), "ways": ways}


def _wanted(tier: int | None, *, desk: bool) -> list[Audience]:
    if tier is not None and tier not in TIERS:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected 1, 2 or 3 was {tier}; correct --tier")
    chosen = [Audience.DESK] if desk else []
    chosen += [TIERS[tier]] if tier is not None else []
    return chosen or list(Audience)


def _line(trial: Trial) -> str:
    steps = ", ".join(
        f"{step.name} FAILED: {step.detail}" if not step.passed else _passed(step) for step in trial.steps
    )
    word = "ok" if trial.passed else "would arrive, but" if trial.delivered else "would NOT arrive:"
    return f"{trial.audience.value.replace('_', ' '):<7} {trial.channel:<20} {word} {steps}"


def _passed(step: Any) -> str:
    return f"{step.name} ({step.detail})" if step.detail else str(step.name)
