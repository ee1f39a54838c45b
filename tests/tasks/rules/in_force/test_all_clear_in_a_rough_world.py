"""No false all-clear, nor *healthy*, where marks, strategies, re-routes, lost lines and clock steps come together."""

from datetime import timedelta

import pytest

from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, OrderProbe, RoutingProbe, Seen
from tasks.model.remediation.in_force import AUTOMATION, Held, Restriction
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.in_force.headline import headline
from tasks.rules.in_force.restrictions import in_force
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.hysteresis import claim_of
from tests.fakes.incident.observations import GATEWAY_OF
from tests.tasks.rules.messages.test_all_clear import ALL_CLEAR, CLASSES, Automation, World

STORIES_COUNT, STEPS_COUNT = 30, 30


class RoughWorld(World):
    """One in which people also mark, re-route, and halt strategies; the routing fails alone, and clocks are set."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.others: dict[tuple[Held, str], Restriction] = {}
        self.is_unreadable = False

    def something_happens(self) -> None:
        """Let one more thing happen beside the usual ones."""
        super().something_happens()
        name = self.dice.choice(CLASSES)
        match self.dice.randrange(10):
            case 0:
                self._set(Held.GATEWAY, GATEWAY_OF[name], self.dice.choice(["degraded", "disabled"]))
            case 1:
                self._set(Held.STRATEGY, "alpha", "halted")
            case 2:
                self._set(Held.ROUTE, name, "XBAK")
            case 3 | 4:
                self.others.clear()
            case 5:
                self.is_unreadable = not self.is_unreadable
            case 6:
                self.records = self.records[: len(self.records) // 2]
            case 7:
                self.now += timedelta(seconds=self.dice.choice([-90, -3600, 7200]))
            case _:
                pass

    def trades(self, name: AssetClass) -> bool:
        """The truth, with marks."""
        return super().trades(name) and not self._is_disabled(name)

    def _set(self, kind: Held, name: str, state: str) -> None:
        by, reason = self.dice.choice([AUTOMATION, "kim"]), f"x, INC-{kind}"
        self.others[kind, name] = Restriction(
            kind=kind, name=name, state=state, set_by=by, reason=reason, set_at=self.now
        )

    def _is_disabled(self, name: AssetClass) -> bool:
        mark = self.others.get((Held.GATEWAY, GATEWAY_OF[name]))
        return mark is not None and mark.state == "disabled"

    def _order(self, name: AssetClass) -> OrderProbe:
        answered = super()._order(name)
        if self._is_disabled(name) and self.service == "ok" and name not in self.halts:
            return answered.model_copy(update={"outcome": OrderOutcome.DENIED, "code": "GATEWAY_DISABLED"})
        return answered

    def _routing(self) -> RoutingProbe:
        found = super()._routing()
        if self.is_unreadable or found.seen is not Seen.PASSED:
            return RoutingProbe(seen=Seen.FAILED, detail="http_status=500", looked_at=self.now)
        return found.model_copy(update={"restrictions": (*found.restrictions, *self.others.values())})


class RoughAutomation(Automation):
    """The same, which says what it would call the service now."""

    def headline(self) -> str:
        """What a person reads first."""
        evidence = self._evidence(self._world.seen())
        return headline("s", name_cause(evidence), evidence)


@pytest.mark.parametrize("seed", range(STORIES_COUNT))
def test_whatever_comes_together_nothing_reads_better_than_it_is(seed: int) -> None:
    """Each of these was right alone; people are paged where several meet."""
    world = RoughWorld(seed)
    automation = RoughAutomation(world)
    for _ in range(STEPS_COUNT):
        world.now += timedelta(minutes=1)
        world.something_happens()
        assert not ("healthy" in automation.headline() and (world.halts or world.others)), (seed, world.now)
        for message in automation.triage():
            found = ALL_CLEAR.search(message.text)
            named = found.group(1).split(", ") if found else []
            assert all(world.trades(AssetClass(name)) for name in named), (seed, world.now, message.text)
        if world.service == "ok" and not world.is_unreadable:
            answering = {one.incident_id for one in fold_incidents(world.records, "s") if one.is_open}
            assert {claim_of(one) for one in in_force(world.seen()).own} <= answering, (seed, world.now)
