"""§4 Communication: tell one audience, once."""

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from tasks.clients.messages.delivery_thread import deliver
from tasks.model.messages.messages import Message
from tasks.settings import load_settings


@task(name="notify", cache_policy=NO_CACHE, timeout_seconds=20, retries=0)
def notify(service: str, message: Message) -> bool:
    """Notify an audience once: queued on disk first, then sent; what was sent is not sent again.

    Runbook: §3.1, §3.2, §3.3 Escalation matrix; §4.1, §4.2 Communication.
    Errors: none; False says that its audience does not have it yet: it stays queued, goes to the next channel and
    tier, and every run sends it again. A run is held up by no more than 1.5 s in any half minute (safety rule 13).
    """
    linked = message if message.run_url else message.model_copy(update={"run_url": runtime.flow_run.ui_url})
    return deliver(load_settings(), service, linked)
