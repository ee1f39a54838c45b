"""`runbook pause`: a person pauses trading from a shell, also while Prefect, the lock or the ledger cannot be had."""

import asyncio
import getpass
import sys

from deployments.commands.looking import FAILED, FINE
from deployments.views.words import say
from tasks.clients.operating import pause_ordered
from tasks.clients.sender import sender_of
from tasks.model.by_hand import Instruction, Paused
from tasks.model.control import TradingState
from tasks.model.incident import Action
from tasks.model.orders import AssetClass
from tasks.rules.by_hand_forms import asked_by, pause_targets
from tasks.rules.by_hand_messages import outcome_line
from tasks.rules.planning.due import GOOD
from tasks.settings import load_settings

# What is not delivered by then is queued, and the next run sends it.
DELIVERED_WITHIN_S = 5.0


def pause(
    asset_class: AssetClass | None = None,
    /,
    *,
    reason: str,
    by: str | None = None,
    strategy: str = "",
    state: Paused = Paused.HALTED,
    service: str | None = None,
) -> None:
    """Pause an asset class, a strategy, or everything, at once: cancels still go through, and a person resumes it.

    Parameters
    ----------
    asset_class
        Which class; without it and without a strategy, all of them.
    reason
        Why; it goes into the ledger and into every message.
    by
        Your name; default the user's.
    strategy
        Which strategy, in every class; a class is paused beside it only if you name one.
    state
        halted takes no new order; reducing takes those that close a position, and never loosens a halt.
    service
        Which watched service; may be left out where there is one.
    """
    settings = load_settings()
    name = settings.named(service)
    asked = asked_by(getpass.getuser() if by is None else by, reason)
    targets = pause_targets(asset_class, strategy, TradingState(state))
    instruction = Instruction(service=name, action=Action.PAUSE_STRATEGIES, asked=asked, targets=targets)
    story, result = asyncio.run(pause_ordered(settings, instruction))
    sender_of(settings).wait(DELIVERED_WITHIN_S)
    say(outcome_line(story, result))
    sys.exit(FINE if result.outcome in GOOD else FAILED)
