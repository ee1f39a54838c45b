"""How each asset class stands: whether it takes and fills orders now, and what is known where it does not."""

from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value


class ClassStanding(Value):
    """One asset class. It trades where nothing holds it back and a test order filled; `words` say how it stands."""

    asset_class: AssetClass
    trades: bool
    words: str
