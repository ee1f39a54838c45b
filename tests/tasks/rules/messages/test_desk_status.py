"""How trading stands, in the desk's words."""

from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, OrderOutcome, RouteStatus, RoutingProbe, Seen
from tasks.model.remediation.in_force import Held, Restriction
from tasks.rules.messages.desk import desk_status, last_fill_at
from tests.fakes.incident.observations import NOW, gateway, health, metrics, observation, order
from tests.fakes.incident.past import ago, counted, counters, past, routing, with_past

EQUITY, FX = AssetClass.EQUITY, AssetClass.FX


def paused(state: str = "halted") -> RoutingProbe:
    """A routing in which somebody took equity out."""
    route = RouteStatus(
        asset_class=EQUITY, gateway="XNAS", trading_state=state, set_by="runbook", reason="XNAS does not answer"
    )
    return RoutingProbe(seen=Seen.PASSED, detail="", looked_at=NOW, routes=(route,))


def test_a_healthy_desk_reads_what_trades_where_that_cancels_arrive_and_the_last_fill() -> None:
    """Three questions that every trader asks first."""
    assert desk_status(with_past((observation(routing=routing()),))) == (
        "Equity: trades at XNAS.",
        "Fx: trades at FXALL.",
        "Gateways that answer: XNAS, FXALL.",
        "Cancels: can be sent for equity, fx. A pause never blocks them.",
        "Last test order of equity that filled: 15:00:00Z.",
        "Last test order of fx that filled: 15:00:00Z.",
    )


def test_a_dead_gateway_is_told_with_what_is_left_and_when_it_last_filled() -> None:
    """The class that is hit stands beside those that are not; a cancel to a dead venue is not promised."""
    seen = observation(
        orders=(order(EQUITY), order(FX, OrderOutcome.TIMED_OUT)),
        gateways=(gateway("XNAS"), gateway("FXALL", Seen.FAILED)),
    )

    assert desk_status(with_past((seen,), history=(past(2), past(1)))) == (
        "Fx: not trading, the test order to FXALL timed out.",
        "Equity: trades at XNAS.",
        "Gateways that answer: XNAS; that do not: FXALL.",
        "Cancels: can be sent for equity; not certain to arrive for fx. A pause never blocks them.",
        "Last test order of fx that filled: 14:59:00Z.",
        "Last test order of equity that filled: 15:00:00Z.",
    )


def test_a_pause_is_told_with_who_and_why_and_that_it_blocks_no_cancel() -> None:
    """A trader who cannot send must read who stopped it, and that he can still pull back."""
    halted = order(EQUITY, OrderOutcome.DENIED).model_copy(update={"code": "TRADING_HALTED"})

    lines = desk_status(with_past((observation(orders=(halted,), routing=paused()),)))

    assert lines[0] == "Equity: halted by runbook: XNAS does not answer."
    assert "Cancels: can be sent for equity. A pause never blocks them." in lines


def test_while_the_service_answers_nothing_no_cancel_is_promised() -> None:
    """The desk must call the venue, and must read it here first."""
    seen = observation(health=health(Fault.TIMED_OUT), orders=(order(EQUITY, OrderOutcome.TIMED_OUT),))

    assert "Cancels: none can be sent, the service answers no order; cancel at the venue." in desk_status(
        with_past((seen,))
    )


def test_a_closed_market_is_no_trouble() -> None:
    """At night the venue says closed, and that is how it should be."""
    lines = desk_status(with_past((observation(orders=(order(EQUITY, OrderOutcome.REJECTED_AS_EXPECTED),)),)))

    assert lines[0] == "Equity: XNAS answers, its market is closed."


def test_what_nobody_saw_is_told_as_not_known() -> None:
    """Missing data is not health."""
    seen = observation(orders=(order(EQUITY, OrderOutcome.BLIND),), routing=routing())

    lines = desk_status(with_past((seen,)))

    assert lines[0] == "Equity: not known, we could not check."
    assert lines[1] == "Fx: not known, no test order is set up."
    assert "Last test order of equity that filled: none seen in the last hour." in lines


def test_the_last_fill_is_the_newest_one_of_this_run_or_of_those_before() -> None:
    """A fill of three rounds ago is worth more than one of yesterday."""
    rounds = (observation(), observation(4.0, orders=(order(EQUITY, OrderOutcome.TIMED_OUT),)))

    assert last_fill_at(with_past(rounds, history=(past(1),)), EQUITY) == NOW
    only_before = with_past((observation(orders=()),), history=(past(2), past(1, orders=())))
    assert last_fill_at(only_before, EQUITY) == ago(2)
    assert last_fill_at(with_past((observation(orders=()),)), EQUITY) is None


def test_the_desk_reads_its_own_clock_beside_utc() -> None:
    """Nobody at the desk counts hours in an incident."""
    evidence = with_past((observation(),), desk_time_zone="America/New_York")

    assert "Last test order of equity that filled: 15:00:00Z (10:00:00 EST)." in desk_status(evidence)


def test_no_cancel_is_promised_where_the_service_itself_cannot_reach_the_gateway() -> None:
    """The venue answers us, and not the service: a cancel goes the service's way."""
    down = observation(
        health=health(status="degraded", dependencies={"FXALL": "error"}),
        orders=(order(EQUITY), order(FX, OrderOutcome.DENIED)),
    )
    unreached = observation(
        metrics=metrics().model_copy(update={"gateways_up": {"FXALL": False}}),
        orders=(order(EQUITY), order(FX, OrderOutcome.DENIED)),
    )

    for seen in (down, unreached):
        assert (
            "Cancels: can be sent for equity; not certain to arrive for fx. A pause never blocks them."
            in desk_status(with_past((seen,)))
        )


def test_a_class_that_fills_in_part_is_not_called_not_trading() -> None:
    """With seven of ten orders filling the desk decides otherwise than with none."""
    earlier = past(1, counters=counters(**{"orders_total|asset_class=fx|gateway=FXALL|outcome=filled": 100.0}))
    now = counters(
        **{
            "orders_total|asset_class=fx|gateway=FXALL|outcome=filled": 170.0,
            "orders_total|asset_class=fx|gateway=FXALL|outcome=error": 30.0,
        }
    )
    fails = observation(orders=(order(EQUITY), order(FX, OrderOutcome.ERROR)), metrics=counted(now))

    line = desk_status(with_past((observation(), fails), history=(earlier,)))[0]

    assert line == (
        "Fx: trading in part, the test order to FXALL failed with an error "
        "(1 of 2 test orders went through; 70 of 100 orders filled since 14:59:00Z)."
    )


def test_what_filled_before_the_gateway_died_does_not_make_a_class_trade_in_part() -> None:
    """The desk read *trading in part, 0 of 3 test orders went through* of a class that no order got through in."""
    filled = "orders_total|asset_class=fx|gateway=FXALL|outcome=filled"
    earlier = past(1, counters=counters(**{filled: 100.0}))
    now = counted(counters(**{filled: 170.0}))
    fails = observation(orders=(order(EQUITY), order(FX, OrderOutcome.ERROR)), metrics=now)

    line = desk_status(with_past((fails, fails), history=(earlier,)))[0]

    assert line == "Fx: not trading, the test order to FXALL failed with an error."


def test_real_orders_without_a_proven_outcome_are_in_the_desks_status() -> None:
    """They are the desk's money, and nobody but the venue knows of them."""
    seen = observation(metrics=metrics().model_copy(update={"orders_unknown_count": 2.0}))

    assert (
        "Outcome not proven: 2 orders have been sent without a proven answer; never resend, ask the venue."
        in desk_status(with_past((seen,)))
    )


def test_a_halt_that_somebody_set_is_said_with_when_and_why() -> None:
    """Who stopped it, and since when, is the first question of a trader."""
    one = Restriction(
        kind=Held.TRADING, name="equity", state="halted", set_by="triage", set_at=NOW, reason="XNAS does not answer"
    )
    seen = observation(routing=routing().model_copy(update={"restrictions": (one,)}))

    assert desk_status(with_past((seen,)))[0] == "Equity: halted by triage, 15:00:00Z: XNAS does not answer."
