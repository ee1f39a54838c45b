"""§5.2: remind the owners of what is overdue, and hand to the ticket system what it has not taken yet."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.messages.delivery_thread import deliver
from tasks.clients.messages.ticket_webhook import post_ticket
from tasks.model.errors import CannotAct
from tasks.model.postmortem.follow_up import FollowUp
from tasks.rules.postmortem.follow_up_reminders import (
    not_taken_message,
    quiet_until,
    reminders,
    ticket_of,
    waiting_hand_over,
)
from tasks.settings import RunbookSettings, load_settings
from tasks.work.postmortem.kept_follow_ups import change_all, list_follow_ups, rest_until

AT_ONCE_COUNT = 10
Changes = dict[str, dict[str, Any]]


@task(name="attend_follow_ups", cache_policy=NO_CACHE, timeout_seconds=60, retries=0)
def attend_follow_ups(service: str) -> int:
    """Remind each tier once a day of its overdue follow-ups, hand new ones over, and count both.

    Runbook: §5.2.
    Errors: none; what could not be handed over is tried again, and reported.
    """
    return attended(load_settings(), service, datetime.now(UTC))


def attended(settings: RunbookSettings, service: str, now: datetime) -> int:
    """Do both, and write what became of it; then rest until there may be something to do again."""
    items = _of_service(settings, service)
    changes: Changes = {}
    for reminder in reminders(items, service, now):
        deliver(settings, service, reminder.message)
        for one in reminder.late:
            changes[one.follow_up_id] = {"reminded_on": now.date()}
    for follow_up_id, change in _handed_over(settings, waiting_hand_over(items, settings.follow_ups, now), now):
        changes[follow_up_id] = {**changes.get(follow_up_id, {}), **change}
    try:
        change_all(settings, service, lambda one: one.model_copy(update=changes.get(one.follow_up_id, {})))
        left = _of_service(settings, service)
        for message in not_taken_message(left, service, now):
            deliver(settings, service, message)
        rest_until(settings.state_dir, service, quiet_until(left, settings.follow_ups, now))
    except CannotAct:
        # What was sent is sent once by its key, and what was handed over has its id: the next run does it again.
        return len(changes)
    return len(changes)


def _of_service(settings: RunbookSettings, service: str) -> tuple[FollowUp, ...]:
    return tuple(one for one in list_follow_ups(settings)[0] if one.service == service)


def _handed_over(
    settings: RunbookSettings, waiting: Iterable[FollowUp], now: datetime
) -> Iterable[tuple[str, dict[str, Any]]]:
    """Hand over a few; where no answer comes, the others would only wait for it as long."""
    url, limit_s = settings.follow_ups.webhook_url, settings.follow_ups.timeout_s
    if url is None:
        return
    for one in tuple(waiting)[:AT_ONCE_COUNT]:
        answer = post_ticket(url, one.follow_up_id, ticket_of(one), limit_s)
        taken = {"handed_at": now, "fault": ""} if answer.is_taken else {"fault": answer.fault}
        yield one.follow_up_id, {"tried_at": now, **taken}
        if not answer.is_answered:
            return
