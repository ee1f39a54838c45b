"""Who gives a command, and whether they may: with `[people]` their login on the host proves who they are."""

from deployments.commands.options import person
from tasks.clients.process.logins import host_login
from tasks.model.people.person import Door, Identity, Right
from tasks.model.remediation.operator_action import ManualAction
from tasks.settings import RunbookSettings
from tasks.work.people.permits import order_permitted, permitted


def operator(settings: RunbookSettings, right: Right, by: str | None, service: str = "") -> str:
    """Let who gives the command do it, and name them; with `[people]` the login on the host proves who it is.

    Errors: `NOT_PERMITTED`.
    """
    return permitted(settings, login(), right, by or "", service).by if settings.people else person(by)


def ordered(settings: RunbookSettings, order: ManualAction) -> ManualAction:
    """Let who gives the command order an action, and name them in it.

    Errors: `NOT_PERMITTED`, `SECOND_PERSON_NEEDED`; never for what tightens.
    """
    if not settings.people:
        return order
    # The user that the process runs as, which stands where `--by` is left out, is nobody's claim.
    typed = "" if order.asked.by == person(None) else order.asked.by
    asked = order.asked.model_copy(update={"by": typed})
    return order_permitted(settings, login(), order.model_copy(update={"asked": asked}))


def login() -> Identity:
    """Name the login that this command comes from, which no variable changes."""
    return Identity(door=Door.LOGIN, name=host_login())
