"""`runbook resume`: a person takes back a pause, a strategy's halt or a gateway's mark, under every guard."""

import asyncio
import getpass
import sys

from deployments.commands.looking import FAILED, FINE
from deployments.commands.pause import DELIVERED_WITHIN_S
from deployments.views.words import say
from tasks.clients.operating import resume_ordered
from tasks.clients.sender import sender_of
from tasks.model.by_hand import Instruction
from tasks.model.incident import Action
from tasks.model.orders import AssetClass
from tasks.rules.by_hand_forms import asked_by, resume_targets
from tasks.rules.by_hand_messages import outcome_line
from tasks.rules.planning.due import GOOD
from tasks.settings import load_settings


def resume(
    asset_class: AssetClass | None = None,
    /,
    *,
    reason: str,
    by: str | None = None,
    strategy: str = "",
    gateway: str = "",
    service: str | None = None,
) -> None:
    """Let a class or a strategy trade again, or take the mark off a gateway; never by itself, and under every guard.

    A class trades again only once its gateway was seen to answer and a test order was delivered; else it is halted
    again. A re-route is taken back by the form `remediation/resume`.

    Parameters
    ----------
    asset_class
        Which class to resume.
    reason
        Why; it goes into the ledger and into every message.
    by
        Your name; default the user's.
    strategy
        Which halted strategy to resume.
    gateway
        Which gateway to take the mark off.
    service
        Which watched service; may be left out where there is one.
    """
    settings = load_settings()
    name = settings.named(service)
    asked = asked_by(getpass.getuser() if by is None else by, reason)
    targets = resume_targets(asset_class, strategy, gateway)
    instruction = Instruction(service=name, action=Action.RESUME, asked=asked, targets=targets)
    story, result = asyncio.run(resume_ordered(settings, instruction))
    sender_of(settings).wait(DELIVERED_WITHIN_S)
    say(outcome_line(story, result))
    sys.exit(FINE if result.outcome in GOOD else FAILED)
