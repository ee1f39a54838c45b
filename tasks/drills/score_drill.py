"""A game day: hold what was done against what is expected, and every order against the gateways."""

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from tasks.clients.drills.notes import keep_score
from tasks.clients.drills.order_flow import end_orders
from tasks.model.drills.drills import DrillContext, DrillScore
from tasks.rules.drills.catalogue import drill_of
from tasks.rules.drills.drill_markdown import score_line, score_markdown
from tasks.rules.drills.scoring import score_of
from tasks.settings import RunbookSettings, load_settings
from tasks.work.drills.watching import trace_of


@task(name="score_drill", cache_policy=NO_CACHE, timeout_seconds=300, retries=0)
async def score_drill(context: DrillContext) -> DrillScore:
    """Score the drill from the ledger, the messages and the orders; keep the score and show it.

    Runbook: §5.2.
    Errors: `LEDGER_UNREADABLE`, `SINK_UNWRITABLE`.
    """
    score = await scored(load_settings(), context)
    await acreate_markdown_artifact(score_markdown(score), key="drill", description=score_line(score))
    return score


async def scored(settings: RunbookSettings, context: DrillContext) -> DrillScore:
    orders = await end_orders(settings.state_dir, settings.service(context.service))
    score = score_of(drill_of(context.drill), context, await trace_of(settings, context, orders))
    keep_score(settings, score)
    return score
