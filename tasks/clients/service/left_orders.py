"""Keep every test order that may rest on a book, so that a process that is killed leaves none that nobody cancels."""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from tasks.clients.files.atomic import write_whole
from tasks.clients.files.regular_file import read_regular
from tasks.model.probes.left_orders import LeftOrder
from tasks.model.probes.orders import AssetClass
from tasks.settings import load_settings

FOLDER = "test_orders"
LIMIT_BYTES = 10_000
# Who has sent it may still be at work on it, in another process; after this time it is not.
AT_WORK = timedelta(seconds=90)


def keep(order: LeftOrder) -> None:
    """Write an order down.

    Errors: `SINK_UNWRITABLE`.
    """
    write_whole(place_of(order), order.model_dump_json().encode())


def forget(order: LeftOrder) -> None:
    """Take an order off, once it is proven to be gone, or was never sent."""
    with suppress(OSError):
        place_of(order).unlink(missing_ok=True)


def left_behind(service_url: str, asset_class: AssetClass, now: datetime) -> tuple[LeftOrder, ...]:
    """List the orders of a class that an earlier check left, and that nobody is at work on; the oldest first."""
    found = (_read(path) for path in sorted(_folder().glob("*.json")))
    mine = (one for one in found if one and (one.service_url, one.asset_class) == (service_url, asset_class))
    return tuple(
        sorted((one for one in mine if one.given_up or now - one.sent_at > AT_WORK), key=lambda one: one.sent_at)
    )


def _read(path: Path) -> LeftOrder | None:
    try:
        return LeftOrder.model_validate_json(read_regular(path, LIMIT_BYTES))
    except (OSError, ValidationError):
        return None


def _folder() -> Path:
    return load_settings().state_dir / FOLDER


def place_of(order: LeftOrder) -> Path:
    """Say where an order is written down."""
    return _folder() / f"{order.client_order_id}.json"
