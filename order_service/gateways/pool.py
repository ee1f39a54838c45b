"""All gateways by name: where they listen, each with a client that follows the table's rules for it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter, ValidationError

from order_service.api.contract import AssetClass
from order_service.gateways.client import GatewayClient
from order_service.gateways.connection import Recheck, no_recheck
from order_service.routing.table import GatewayName, GatewayRules, RoutingTable
from order_service.runtime.codes import CannotStart
from order_service.runtime.validation import first_problem


class Address(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    base_url: HttpUrl


_Addresses = TypeAdapter(Annotated[dict[GatewayName, Address], Field(min_length=1)])


def read_addresses(path: Path) -> dict[str, str]:
    """Read each gateway's base URL, without a trailing slash.

    Errors: CannotStart, exit 2, naming the file and the entry.
    """
    try:
        addresses = _Addresses.validate_json(path.read_bytes())
    except OSError as error:
        raise CannotStart(
            f"GATEWAYS_FILE_REFUSED: cannot read {path}; {error.strerror}; name it with ORDER_SERVICE_GATEWAYS_FILE", 2
        ) from error
    except ValidationError as error:
        place, problem = first_problem(error, "file")
        raise CannotStart(f"GATEWAYS_FILE_REFUSED: {path}: {place}: {problem}", 2) from error
    return {name: str(address.base_url).rstrip("/") for name, address in addresses.items()}


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
