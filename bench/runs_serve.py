"""Serve the triage as a person would with stock Prefect: `flow.serve()` with its defaults. Run by `bench.runs`."""

import asyncio

from prefect import aserve
from prefect.deployments.runner import EntrypointType

from flows.triage import triage


async def main() -> None:
    """Serve until stopped."""
    await aserve(await triage.ato_deployment("bench-serve", entrypoint_type=EntrypointType.MODULE_PATH))


if __name__ == "__main__":
    asyncio.run(main())
