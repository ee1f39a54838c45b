"""When a way to an audience that failed is tried again, and what of it is left alone until then."""

from datetime import datetime, timedelta

from tasks.model.messages.delivery import Answer, DeliveryVerdict, Route

# Less than the minute between two runs: every run tries again what did not work.
LEFT_ALONE_FOR = timedelta(seconds=20)
# Slack asks for a pause of a second or two when much is said at once; that is no reason to go to another channel.
WORTH_WAITING = timedelta(seconds=5)
WAITING_AT_MOST = timedelta(seconds=15)


def blocked_until(answer: Answer, now: datetime) -> datetime:
    """Say until when to leave a route alone after what it answered."""
    if answer.verdict is DeliveryVerdict.LIMITED:
        return now + timedelta(seconds=answer.retry_after_s)
    return now + LEFT_ALONE_FOR


def blocked_key(route: Route, answer: Answer) -> str:
    """Say what is to be left alone: one channel, or all of Slack."""
    match answer.verdict:
        case DeliveryVerdict.NO_PLACE | DeliveryVerdict.BAD_CONTENT | DeliveryVerdict.GONE:
            return route.key
        case DeliveryVerdict.DOWN | DeliveryVerdict.LIMITED | DeliveryVerdict.DENIED | DeliveryVerdict.SENT:
            return route.family


def worth_waiting(until: datetime, queued_at: datetime, now: datetime) -> bool:
    """Say whether a route that is free again in a moment is worth that moment, rather than another channel."""
    return until - now <= WORTH_WAITING and now - queued_at < WAITING_AT_MOST
