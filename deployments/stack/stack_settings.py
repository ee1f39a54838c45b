"""Write the settings that the stack's flows and its order service read: runbook.toml, gateways.json, the token."""

import json
import secrets
import sys
from collections.abc import Mapping

from pydantic import SecretStr

from deployments.stack.environment import api_url
from deployments.stack.ports import GATEWAYS, HOST, MONITORING, ORDER_SERVICE
from deployments.stack.private_files import write_private
from deployments.stack.state_dir import REPOSITORY, StateDir

TRADED = {
    "XNAS": ["equity"],
    "XNYS": ["equity"],
    "XCME": ["future", "fx"],
    "FXALL": ["fx"],
    "CRYP": ["crypto"],
}
# A drill need not wait as long as a trading day for its proof; 120 s is the default elsewhere.
CONFIRM_FOR_S = 30
# The bundled service needs a tenth of this; one that leaks is ended long before the machine is short of memory.
MEMORY_LIMIT_BYTES = 768 * 1024 * 1024
# Starts again what a drill has killed.
MEND_COMMAND = [sys.executable, "-m", "deployments.cli", "up", "--detach"]
TEST_SYMBOLS = {"equity": "ZVZZT", "future": "TESTF", "fx": "TST/USD", "crypto": "TST-USD"}


def write_settings(state: StateDir, ports: Mapping[str, int], login: SecretStr | None = None) -> None:
    """Write all files that the parts read at start."""
    state.order_service.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(32)
    write_private(state.token_file, token + "\n")
    alert_token = secrets.token_urlsafe(32)
    state.alert_token_file.parent.mkdir(parents=True, exist_ok=True)
    write_private(state.alert_token_file, alert_token + "\n")
    state.events_login_file.unlink(missing_ok=True)
    if login is not None:
        write_private(state.events_login_file, login.get_secret_value() + "\n")
    urls = {name: {"base_url": gateway_url(ports, name)} for name in GATEWAYS}
    state.gateways_file.write_text(json.dumps(urls, indent=2) + "\n", "utf-8")
    write_private(state.settings_file, settings_text(state, ports, token, alert_token))


def settings_text(state: StateDir, ports: Mapping[str, int], token: str, alert_token: str) -> str:
    """Write the local stack's runbook.toml, all paths absolute."""
    service: dict[str, object] = {
        "base_url": f"http://{HOST}:{ports[ORDER_SERVICE]}",
        "control_token": token,
        "log_files": [str(state.service_log), str(state.log(ORDER_SERVICE))],
        "incidents_file": str(state.incidents_file),
        "pid_file": str(state.pid_file),
        "process_pattern": "-m order_service( |$)",
        "supervisor": "psutil",
        "start_command": [sys.executable, "-m", "order_service.releases", "run", "--root", str(state.releases)],
        "roll_back_command": roll_back_command(state),
        "working_directory": str(REPOSITORY),
        "start_log": str(state.log(ORDER_SERVICE)),
    }
    tables: dict[str, Mapping[str, object]] = {
        "services.order-service": service,
        "services.order-service.restart": {"confirm_for_s": CONFIRM_FOR_S, "confirm_timeout_s": 90},
        "services.order-service.limits": {"memory_limit_bytes": MEMORY_LIMIT_BYTES},
        "services.order-service.start_environment": service_environment(state, ports),
        **{f"services.order-service.gateways.{name}": _gateway(ports, name) for name in GATEWAYS},
        **{f"services.order-service.synthetic_orders.{kind}": _order(kind) for kind in TEST_SYMBOLS},
        "drill": {"stack_file": str(state.stack_file), "mend_command": MEND_COMMAND},
    }
    stack: dict[str, object] = {
        "mode": "act",
        "state_dir": str(state.root),
        "monitoring_port": ports[MONITORING],
        "alert_token": alert_token,
    }
    head = "# Written by `runbook up`; every start writes it again.\n" + _keys(stack)
    return head + "".join(_table(name, values) for name, values in tables.items())


def roll_back_command(state: StateDir) -> list[str]:
    """Give the command that makes another release current."""
    tool = [sys.executable, "-m", "order_service.releases", "roll-back", "--root", str(state.releases)]
    return [*tool, "--to", "{release}", "--by", "{by}", "--reason", "{reason}"]


def service_environment(state: StateDir, ports: Mapping[str, int]) -> dict[str, str]:
    """Give what the order service reads at start; secrets it reads from files."""
    login = {"ORDER_SERVICE_EVENTS_CREDENTIALS_FILE": str(state.events_login_file)}
    return {
        **(login if state.events_login_file.exists() else {}),
        "ORDER_SERVICE_HOST": HOST,
        "ORDER_SERVICE_PORT": str(ports[ORDER_SERVICE]),
        "ORDER_SERVICE_STATE_DIR": str(state.order_service),
        "ORDER_SERVICE_GATEWAYS_FILE": str(state.gateways_file),
        "ORDER_SERVICE_CONTROL_TOKEN_FILE": str(state.token_file),
        "ORDER_SERVICE_INCIDENTS_FILE": str(state.incidents_file),
        "ORDER_SERVICE_LOG_FILE": str(state.service_log),
        "ORDER_SERVICE_PID_FILE": str(state.pid_file),
        "ORDER_SERVICE_EVENTS_URL": f"{api_url(dict(ports))}/events",
    }


def gateway_url(ports: Mapping[str, int], name: str) -> str:
    return f"http://{HOST}:{ports[name]}"


def _gateway(ports: Mapping[str, int], name: str) -> dict[str, object]:
    admin_url = f"http://{HOST}:{ports[f'{name}-admin']}"
    return {"base_url": gateway_url(ports, name), "admin_url": admin_url, "asset_classes": TRADED[name]}


def _order(asset_class: str) -> dict[str, object]:
    return {
        "symbol": TEST_SYMBOLS[asset_class],
        "side": "buy",
        "quantity": "1",
        "limit_price": "10.00",
        "order_type": "limit",
        "time_in_force": "day",
    }


def _table(name: str, values: Mapping[str, object]) -> str:
    return f"\n[{name}]\n{_keys(values)}"


def _keys(values: Mapping[str, object]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())


def _toml(value: object) -> str:
    # A JSON string or list of strings is a TOML one; DEL is the only character that JSON leaves bare.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
