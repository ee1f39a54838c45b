"""Debian's Prometheus and Alertmanager on ports of our own, with the repository's rules at a test's pace."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from deployments.stack.local_http import answers, ask
from tests.fakes.polling import eventually
from tests.fakes.ports import free_port
from tests.fakes.stack.local_stack import Stack
from tests.house.source import REPOSITORY

FOLDER = REPOSITORY / "deployments" / "monitoring"
PROMETHEUS = shutil.which("prometheus")
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


class Monitoring:
    """A Prometheus that scrapes a stack, and what it knows."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expression: str) -> dict[str, float]:
        """Ask for the values of an expression, by the labels of each series."""
        answer = ask(f"{self.url}/api/v1/query?query={quote(expression)}", timeout_s=5.0) or {}
        found = answer.get("data", {}).get("result", [])
        return {" ".join(sorted(one["metric"].values())): float(one["value"][1]) for one in found}

    def firing(self) -> set[str]:
        """Name the alerts that fire."""
        answer = ask(f"{self.url}/api/v1/alerts", timeout_s=5.0) or {}
        alerts = answer.get("data", {}).get("alerts", [])
        return {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}


@contextmanager
def monitoring(stack: Stack, folder: Path) -> Iterator[Monitoring]:
    """Run both tools beside a stack; end both, by their own pids."""
    assert PROMETHEUS
    assert ALERTMANAGER
    ports = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    write_configuration(stack, folder, urls[1])
    commands = [
        [PROMETHEUS, "--config.file=prometheus.yml", "--storage.tsdb.path=series"],
        [ALERTMANAGER, "--config.file=alertmanager.yml", "--storage.path=alerts", "--cluster.listen-address="],
    ]
    running = [
        _start([*command, f"--web.listen-address=127.0.0.1:{port}"], folder)
        for command, port in zip(commands, ports, strict=True)
    ]
    try:
        for url in urls:
            eventually(lambda ready=f"{url}/-/ready": answers(ready), within_s=30)
        yield Monitoring(urls[0])
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


def write_configuration(stack: Stack, folder: Path, alertmanager: str) -> None:
    """Copy the repository's configuration: the stack's ports, and seconds for what takes longer in life."""
    status = stack.status()
    places = {
        "order-service": status["services"]["order-service"]["base_url"].removeprefix("http://"),
        "runbook": status["monitoring"]["base_url"].removeprefix("http://"),
    }
    scrape = _read("prometheus.yml")
    scrape["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    scrape["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager.removeprefix("http://")]
    for job in scrape["scrape_configs"]:
        job["static_configs"][0]["targets"] = [places[job["job_name"]]]
    rules = _read("alert_rules.yml")
    for rule in (rule for group in rules["groups"] for rule in group["rules"] if rule["labels"].get("triage")):
        rule["for"] = "2s"
    route = _read("alertmanager.yml")
    for one in (route["route"], *route["route"]["routes"]):
        one.update(group_wait="1s", group_interval="1s")
    (webhook,) = route["receivers"][0]["webhook_configs"]
    webhook["url"] = f"http://{places['runbook']}/alerts"
    webhook["http_config"]["authorization"]["credentials_file"] = str(stack.state_dir / "monitoring" / "alert-token")
    recorded = _read("recording_rules.yml")
    written = {"prometheus.yml": scrape, "alert_rules.yml": rules, "recording_rules.yml": recorded}
    for name, document in {**written, "alertmanager.yml": route}.items():
        (folder / name).write_text(yaml.safe_dump(document), "utf-8")


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def _start(command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
