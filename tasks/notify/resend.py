"""§4 Communication: send what is still queued, and bring the heads of the threads up to date."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.messages.delivery_thread import sender_of
from tasks.clients.messages.outbox import waiting_count
from tasks.settings import RunbookSettings, load_settings

LONGEST_S = 10.0


@task(name="resend", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def resend() -> int:
    """Send again what did not arrive, of this run and of those before, and say how much is left.

    Runbook: §4.1, §4.2 Communication.
    Errors: none; what is left stays on disk for the next run.
    """
    return resent(load_settings(), LONGEST_S)


def resent(settings: RunbookSettings, limit_s: float) -> int:
    """Let the sender work until it rests, no longer than the limit, and count what is left."""
    sender = sender_of(settings)
    sender.kick()
    sender.wait(limit_s)
    return waiting_count(settings)
