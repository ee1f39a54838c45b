"""Which numbers tell of a cause first: for each kind the signals and counters to try, the most telling one first."""

import re
from collections.abc import Callable, Iterable
from hashlib import sha256

from tasks.model.checks import LogTemplateRule, MetricRule, Rule, Side, Signal, ThresholdRule
from tasks.model.diagnosis import Cause, Finding, Kind
from tasks.model.orders import AssetClass

ID_LIMIT_COUNT = 72
Maker = Callable[[Finding], Iterable[Rule]]


def candidates(finding: Finding) -> tuple[Rule, ...]:
    """List the rules to try for a finding; their limits are fitted afterwards.

    Runbook: §5.2.
    """
    kinds = [rule for kind in finding.kinds for rule in _made(_OF_KIND.get(kind, ()), finding)]
    causes = _made(_OF_CAUSE.get(finding.cause, ()), finding)
    return (*kinds, *causes, ThresholdRule(signal=Signal.ORDERS_FAILED_COUNT, limit=1))


def check_id(service: str, rule: Rule) -> str:
    """Name a check after what it watches: two incidents of one kind give one check.

    Errors: none; text from outside that is no plain name adds a hash of itself.
    """
    return _name((service, *_words(rule)))


def _words(rule: Rule) -> tuple[str, ...]:
    match rule:
        case ThresholdRule():
            return rule.signal.value, rule.subject
        case MetricRule():
            return rule.counter, *rule.labels.values()
        case LogTemplateRule():
            return "log", rule.template


def _name(words: tuple[str, ...]) -> str:
    text = " ".join(word for word in words if word)
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if len(plain) <= ID_LIMIT_COUNT and re.fullmatch(r"[a-zA-Z0-9_ -]+", text):
        return plain
    return (
        f"{plain[: ID_LIMIT_COUNT - 7].strip('-') or 'check'}-{sha256(text.encode('utf-8', 'replace')).hexdigest()[:6]}"
    )


def _made(makers: Iterable[Maker], finding: Finding) -> Iterable[Rule]:
    return (rule for maker in makers for rule in maker(finding))


def _of_gateways(signal: Signal) -> Maker:
    return lambda finding: (ThresholdRule(signal=signal, subject=name, limit=1) for name in finding.gateways)


def _of_classes(signal: Signal) -> Maker:
    return lambda finding: (ThresholdRule(signal=signal, subject=one.value, limit=1) for one in finding.asset_classes)


def _of_any_class(signal: Signal) -> Maker:
    """Take the classes that the finding names; where it names none, whichever stands out."""
    return lambda finding: (
        ThresholdRule(signal=signal, subject=one.value, limit=1) for one in finding.asset_classes or tuple(AssetClass)
    )


def _alone(signal: Signal, side: Side = Side.AT_LEAST) -> Maker:
    return lambda _: (ThresholdRule(signal=signal, side=side, limit=1),)


def _orders(outcome: str) -> Maker:
    """Count orders by outcome: at each gateway that the finding names, else all of them."""

    def make(finding: Finding) -> Iterable[Rule]:
        for labels in [{"gateway": name} for name in finding.gateways] or [{}]:
            yield MetricRule(counter="orders_total", labels={**labels, "outcome": outcome}, at_least_per_minute=1)

    return make


def _denied(finding: Finding) -> Iterable[Rule]:
    for one in finding.asset_classes:
        yield MetricRule(counter="orders_denied_total", labels={"asset_class": one.value}, at_least_per_minute=1)


def _strategies(finding: Finding) -> Iterable[Rule]:
    for name in finding.strategies:
        yield MetricRule(counter="strategy_orders_total", labels={"strategy": name}, at_least_per_minute=1)


_FAILED = _of_classes(Signal.ORDERS_FAILED_COUNT)
_ROUTING = (_alone(Signal.ROUTING_FAULTS_COUNT), _FAILED)
_OF_KIND: dict[Kind, tuple[Maker, ...]] = {
    Kind.UNREACHABLE: (_of_gateways(Signal.GATEWAY_FAILED_COUNT), _FAILED),
    Kind.UNSTABLE: (
        _of_gateways(Signal.GATEWAY_TURNS_COUNT),
        _of_gateways(Signal.GATEWAY_FAILED_COUNT),
        _FAILED,
    ),
    Kind.LATENCY: (
        _of_gateways(Signal.GATEWAY_MS),
        _of_any_class(Signal.OWN_MS),
        _of_any_class(Signal.ORDER_MS),
        _alone(Signal.HEALTH_MS),
    ),
    Kind.REJECTS: (_orders("rejected"), _FAILED),
    Kind.NO_EXECUTIONS: (_of_classes(Signal.ORDERS_NOT_FILLED_COUNT),),
    Kind.UNKNOWN_OUTCOMES: (_alone(Signal.ORDERS_UNKNOWN_COUNT), _orders("unknown"), _FAILED),
    Kind.WRONG_RULE: _ROUTING,
    Kind.CLASS_MISSING: _ROUTING,
    Kind.LATENT: _ROUTING,
    Kind.ERRORS: (_orders("error"), _denied, _FAILED),
    Kind.CRASHES: (_alone(Signal.SERVICE_STARTS_COUNT),),
    Kind.MEMORY: (_alone(Signal.MEMORY_BYTES),),
    Kind.DESCRIPTORS: (_alone(Signal.OPEN_FILES_COUNT),),
    Kind.STORAGE: (_alone(Signal.DISK_FREE_RATIO, Side.AT_MOST),),
    Kind.CLOCK: (_alone(Signal.CLOCK_SKEW_S),),
    Kind.HEALTH: (_alone(Signal.HEALTH_MS),),
    Kind.RATE: (_strategies,),
}
_SLOW = (_alone(Signal.HEALTH_MS),)
_OF_CAUSE: dict[Cause, tuple[Maker, ...]] = {
    Cause.SERVICE_HUNG: _SLOW,
    Cause.BAD_FEATURE: (_denied, _orders("error"), _FAILED),
    Cause.INFRASTRUCTURE: _SLOW,
    Cause.UNKNOWN: _SLOW,
    Cause.MONITOR_BLIND: (),
}
