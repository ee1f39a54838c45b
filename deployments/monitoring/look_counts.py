"""Count what the runs saw. Their history is let go after a day, so these counts begin with the process that counts."""

from collections import Counter
from datetime import datetime

from pydantic import ValidationError

from tasks.model.past_looks import PastLook


class LookCounts:
    """Take the runs of one service as their history gains them."""

    def __init__(self, latest: PastLook | None = None) -> None:
        self.latest_at: datetime | None = latest.at if latest else None
        self.status: str | None = latest.status if latest else None
        self.runs: Counter[str] = Counter()
        self.rounds_count = 0
        self.health: Counter[str] = Counter()
        self.orders: Counter[tuple[str, ...]] = Counter()
        self.gateways: Counter[tuple[str, ...]] = Counter()
        self.diagnoses: Counter[str] = Counter()

    def take_line(self, line: bytes) -> None:
        """Count one line of the history; one that cannot be read is left out, as the runs themselves do."""
        try:
            self.take(PastLook.model_validate_json(line))
        except ValidationError:
            return

    def take(self, look: PastLook) -> None:
        """Count one run."""
        self.latest_at, self.status = look.at, look.status
        self.runs[look.status] += 1
        self.rounds_count += look.rounds_count
        self.health[look.health] += 1
        self.diagnoses.update(set(look.troubles))
        for order in look.orders:
            for word, count in order.outcomes.items():
                # A refusal is `outcome:CODE`; the codes are the venues' own, and no closed list.
                self.orders[order.asset_class, word.partition(":")[0]] += count
        for gateway in look.gateways:
            self.gateways[gateway.gateway, "failed"] += gateway.failed_count
            self.gateways[gateway.gateway, "passed"] += gateway.looks_count - gateway.failed_count
