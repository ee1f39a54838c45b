"""Write a first `runbook.toml` out of what a service answered; what only a person knows is a comment to fill in."""

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from tasks.rules.service.health_dialects import HealthDialect, own_part
from tasks.rules.service.metric_dialects import MetricDialect

FILL_IN = "# FILL IN:"
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
ORDERS = """# [services.{name}.orders]
# path = "/orders"                       # where an order is sent to, and its body as your service takes it:
# body = '{{"id": "${{client_order_id}}", "symbol": "${{symbol}}", "side": "${{side}}", "quantity": ${{quantity}}}}'
# status = "status"                      # where its answer says what became of it (JMESPath); FIX words are known
# execution = "execution"                # what must be there where it filled
# filled = ["DONE"]                      # words of your own
# [services.{name}.synthetic_orders.equity]
# symbol = "ZVZZT"                       # a TEST symbol of your venue, never a real one"""


class FirstAnswers(NamedTuple):
    """What a service answered while its description was made, and what is seen of its process."""

    url: str
    health_path: str | None = None
    health: HealthDialect | None = None
    health_said: str = ""
    metrics_path: str | None = None
    metrics: tuple[MetricDialect, ...] = ()
    metrics_said: str = ""
    process_pattern: str | None = None


class FirstDescription(NamedTuple):
    """The text of the file, and the lines of it that a person must fill in."""

    text: str
    fill_in: tuple[str, ...]


def first_description(name: str, answered: FirstAnswers) -> FirstDescription:
    """Write the description of one service.

    Steps: what was recognized is written, with the dialect beside it. What was not is a comment that starts with
    `FILL IN`, and says what was seen. No order is described: only a person knows which order is harmless.
    """
    sections = (
        _service(name, answered),
        _health(name, answered),
        _metrics(name, answered),
        _orders(name),
        _gateways(name, answered.health.dependency_names if answered.health else ()),
        _around(name),
    )
    text = "\n\n".join("\n".join(section) for section in sections) + "\n"
    return FirstDescription(text, tuple(line[2:] for line in text.splitlines() if line.startswith(FILL_IN)))


def _service(name: str, answered: FirstAnswers) -> list[str]:
    pattern = answered.process_pattern
    seen = f" On its port: {_listed([pattern])}." if pattern else ""
    process = [
        f"{FILL_IN} what its command line must match before it is ever signalled, and how it is started.{seen}",
        f"# process_pattern = {_text(pattern or 'orders-server')}",
        '# start_command = ["/opt/orders/bin/orders-server"]',
    ]
    return ['mode = "observe"', "", f"[services.{name}]", f"base_url = {_text(answered.url)}", *process]


def _health(name: str, answered: FirstAnswers) -> list[str]:
    found, path, table = answered.health, answered.health_path, f"[services.{name}.health]"
    if found is None or path is None:
        return [
            f"{FILL_IN} where it says how it is, and by which condition it is healthy. {answered.health_said}".strip(),
            f"# {table}",
            '# path = "/health"',
            "# healthy_when = \"status == 'ok'\"",
        ]
    keys = {
        "path": path,
        "healthy_when": found.healthy_when,
        "degraded_when": found.degraded_when,
        "body_matches": found.body_matches,
        "dependencies": found.dependencies,
    }
    lines = [f"{key} = {_text(value)}" for key, value in keys.items() if value]
    return [f"{table}  # {found.name}", *lines]


def _metrics(name: str, answered: FirstAnswers) -> list[str]:
    table = f"[services.{name}.metrics]"
    if answered.metrics_path is None:
        said = answered.metrics_said
        return [*([f"{FILL_IN} {said}"] if said else []), table, 'path = ""  # none were found, which is no fault']
    lines = [table, f"path = {_text(answered.metrics_path)}"]
    for ours in ("orders_total", "gateway_up"):
        found = [one for one in answered.metrics if one.ours == ours]
        unmapped = [one for one in found if one.unknown_values]
        if len(found) == 1 and found[0].name != ours:
            lines += ["", *_metric(name, found[0])]
        elif len(found) > 1:
            names = ", ".join(one.name for one in found)
            lines += ["", f"{FILL_IN} which of these is {ours}? {names}", f"# [services.{name}.metrics.names.{ours}]"]
        lines += [f"{FILL_IN} what {_listed(one.unknown_values)} means, in `values`" for one in unmapped]
    if not any(one.ours == "orders_total" for one in answered.metrics):
        lines += ["", f"{FILL_IN} which metric counts orders; none is called so.", *_commented(_metric(name, EXAMPLE))]
    return lines


EXAMPLE = MetricDialect("orders_total", "oms_orders_total", {"outcome": "result"}, {"outcome": {"done": "filled"}})


def _metric(name: str, found: MetricDialect) -> list[str]:
    lines = [f"[services.{name}.metrics.names.{found.ours}]", f"name = {_text(found.name)}"]
    lines += [f"labels = {_table(found.labels)}"] if found.labels else []
    values = ", ".join(f"{label} = {_table(words)}" for label, words in found.values.items())
    return lines + ([f"values = {{ {values} }}"] if values else [])


def _orders(name: str) -> list[str]:
    return [
        f"{FILL_IN} one small, harmless test order; until then no order is sent.",
        *ORDERS.format(name=name).splitlines(),
    ]


def _gateways(name: str, dependencies: Iterable[str]) -> list[str]:
    seen = [one for one in dependencies if not own_part(one)]
    lines = [
        line
        for gateway in seen or ["XNAS"]
        for line in (
            f"# [services.{name}.gateways.{_key(gateway)}]",
            '# base_url = "http://…"                 # or probe = "tcp", address = "host:port"',
        )
    ]
    named = f" Its health names: {_listed(seen)}." if seen else ""
    return [f"{FILL_IN} its gateways, so that a dead one is told from a sick service.{named}", *lines]


def _around(name: str) -> list[str]:
    return [
        f"{FILL_IN} its log files, and what it can be asked to do; without them both are *not available*.",
        f"# [services.{name}.logs]",
        '# files = ["/var/log/orders/*.log"]',
        f"# [services.{name}.control]",
        '# pause = { method = "PUT", path = "/halt/${asset_class}", body = \'{"state": "${state}"}\' }',
    ]


def _commented(lines: Iterable[str]) -> list[str]:
    return [f"# {line}" for line in lines]


def _table(pairs: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{_key(key)} = {_text(value)}" for key, value in pairs.items()) + " }"


def _key(text: str) -> str:
    return text if BARE_KEY.fullmatch(text) else _text(text)


def _text(value: str) -> str:
    """Write a TOML string: what JSON escapes, TOML's basic strings read as well, but for the delete character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(json.dumps(word[:60]) for word in list(words)[:20])
