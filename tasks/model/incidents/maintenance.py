"""A maintenance window: a person's word that a service is being worked on, or work that is planned ahead."""

from pydantic import AwareDatetime

from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value

STARTED_TYPE = "maintenance_started"
ENDED_TYPE = "maintenance_ended"
LONGEST_S = 86_400


class Maintenance(Value):
    """A window that is open: checks go on, acting and paging stop, recovery is still reported.

    `name` is that of planned work. `gateways` and `asset_classes` are what it concerns alone; without any, the service.
    """

    started_at: AwareDatetime
    until: AwareDatetime
    reason: str = ""
    by: str = ""
    name: str = ""
    gateways: tuple[str, ...] = ()
    asset_classes: tuple[AssetClass, ...] = ()

    @property
    def concerns(self) -> tuple[str, ...]:
        """Name what it concerns alone; nothing where it is the whole service."""
        return (*self.gateways, *self.asset_classes)
