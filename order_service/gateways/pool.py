"""All gateways by name, each with a client that follows the table's rules for it."""

import asyncio
from collections.abc import Mapping

from order_service.gateways.client import GatewayClient
from order_service.gateways.last_check import Recheck, no_recheck
from order_service.order import AssetClass
from order_service.routing import GatewayRules, RoutingTable

# An address without rules in the table still answers for orders that were sent there under an earlier table.
_ASK_ONLY = GatewayRules(asset_classes=frozenset(AssetClass))


class Gateways:
    """Give the client of a gateway. A reload that changes a gateway's rules gives it a new client."""

    def __init__(self, addresses: Mapping[str, str], recheck: Recheck = no_recheck) -> None:
        self._addresses = addresses
        self._recheck = recheck
        self._clients: dict[str, GatewayClient] = {}
        self._retiring: set[asyncio.Task[None]] = set()

    def __getitem__(self, name: str) -> GatewayClient:
        return self._clients[name]

    def get(self, name: str | None) -> GatewayClient | None:
        """Give a gateway's client, if the gateway has an address."""
        return None if name is None else self._clients.get(name)

    def follow(self, table: RoutingTable) -> None:
        """Make the clients that the table asks for; those replaced finish what they carry."""
        for name, base_url in self._addresses.items():
            rules = table.gateways.get(name, _ASK_ONLY)
            old = self._clients.get(name)
            if old is not None and old.rules == rules:
                continue
            self._clients[name] = GatewayClient(name, base_url, rules, self._recheck)
            if old is not None:
                self._retire(old)

    async def close(self) -> None:
        """Close every pool."""
        for task in list(self._retiring):
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        for client in self._clients.values():
            await client.close()

    def _retire(self, client: GatewayClient) -> None:
        async def close_later() -> None:
            try:
                await asyncio.sleep(client.rules.total_timeout_s + 1)
            finally:
                await client.close()

        task = asyncio.create_task(close_later())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)
