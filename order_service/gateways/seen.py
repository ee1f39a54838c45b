"""Which executions a gateway has told already, so that a fill told twice is not taken for another order's."""

KEPT = 10_000


class SeenExecutions:
    """Remember the last executions by id, with the order each belongs to."""

    def __init__(self) -> None:
        self._orders: dict[str, str] = {}

    def belongs_to_another(self, exec_id: str | None, client_order_id: str) -> bool:
        """Say whether this execution was told for another order before; remember it otherwise."""
        if exec_id is None:
            return False
        owner = self._orders.setdefault(exec_id, client_order_id)
        if len(self._orders) > KEPT:
            del self._orders[next(iter(self._orders))]
        return owner != client_order_id
