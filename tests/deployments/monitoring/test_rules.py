"""The rules of Prometheus and the route of Alertmanager, by the real tools where they are installed."""

import re
import shutil
import subprocess
from typing import Any

import pytest

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import AlertType
from tasks.settings import RunbookSettings
from tests.deployments.monitoring.expressions import selected
from tests.deployments.monitoring.known import FOLDER, TARGET_LABELS, is_known, known, read_yaml, rules
from tests.house.test_sections import page_sections

pytestmark = pytest.mark.live

PROMTOOL = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool of Debian's prometheus is not here")
AMTOOL = pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool of prometheus-alertmanager is not here")
ALERTS = rules("alert_rules.yml")
RECORDED = rules("recording_rules.yml")
EXPRESSIONS = {one.get("alert") or one["record"]: one["expr"] for one in (*ALERTS, *RECORDED)}
TESTED = [one for test in read_yaml("rule_tests.yml")["tests"] for one in test["alert_rule_test"]]


def tool(*words: str) -> str:
    """Run one of the tools in the folder of the monitoring, and hold it to success."""
    done = subprocess.run(words, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@PROMTOOL
def test_prometheus_takes_its_configuration() -> None:
    """A Prometheus that does not start watches nothing."""
    assert "is valid prometheus config" in tool("promtool", "check", "config", "prometheus.yml")


@PROMTOOL
def test_prometheus_takes_every_rule() -> None:
    """One bad expression, and none of the file's rules is loaded."""
    said = tool("promtool", "check", "rules", "recording_rules.yml", "alert_rules.yml")

    assert f"SUCCESS: {len(ALERTS)} rules found" in said
    assert f"SUCCESS: {len(RECORDED)} rules found" in said


@PROMTOOL
def test_every_alert_fires_when_it_must_and_only_then() -> None:
    """The rules are run over made-up series by Prometheus's own engine."""
    assert "SUCCESS" in tool("promtool", "test", "rules", "rule_tests.yml")


@AMTOOL
def test_alertmanager_takes_its_configuration() -> None:
    """An alert that reaches no receiver is none."""
    assert "SUCCESS" in tool("amtool", "check-config", "alertmanager.yml")


@AMTOOL
@pytest.mark.parametrize("alert", ALERTS, ids=lambda one: one["alert"])
def test_what_starts_a_triage_goes_to_the_runbook_and_the_rest_past_it(alert: dict[str, Any]) -> None:
    """A runbook in trouble cannot be the one that tells of it."""
    labels = [f"{name}={value}" for name, value in alert["labels"].items()]
    receiver = tool("amtool", "config", "routes", "test", "--config.file=alertmanager.yml", *labels).strip()

    assert receiver == ("triage" if alert["labels"].get("triage") == "start" else "people")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda one: one["alert"])
def test_every_alert_leads_to_its_section_and_its_tier(alert: dict[str, Any]) -> None:
    """Who is woken by it reads where to go on."""
    labels = alert["labels"]

    assert labels["section"] in page_sections()
    assert f"flows/runbook.md §{labels['section']} " in alert["annotations"]["runbook_url"]
    assert labels["tier"] in set(Audience)
    assert labels["severity"] in {"critical", "warning", "info"}
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["description"]


@pytest.mark.parametrize("alert", [one for one in ALERTS if "triage" in one["labels"]], ids=lambda one: one["alert"])
def test_an_alert_that_starts_a_triage_says_what_it_is_in_the_runbooks_words(alert: dict[str, Any]) -> None:
    """The form of `triage/do-triage` takes the alerts that the runbook names, and no others."""
    assert alert["labels"]["incident_type"] in set(AlertType)


@pytest.mark.parametrize("rule", RECORDED, ids=lambda one: one["record"])
def test_every_recorded_number_names_its_section(rule: dict[str, Any]) -> None:
    """A number on the dashboard leads back to the page."""
    assert rule["labels"]["section"] in page_sections()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_rule_asks_for_metrics_and_labels_that_exist(name: str) -> None:
    """A rule over a metric that nobody exposes never fires, and looks like health."""
    asked = list(selected(EXPRESSIONS[name]))

    assert asked
    assert [one.name for one in asked if not is_known(one.name)] == []
    unknown = {one.name: one.labels - known().get(one.name, one.labels) - TARGET_LABELS for one in asked}
    assert {metric: labels for metric, labels in unknown.items() if labels} == {}


@pytest.mark.parametrize("alert", [one["alert"] for one in ALERTS])
def test_every_alert_is_tested_where_it_fires_and_where_it_does_not(alert: str) -> None:
    """An alert that no test has seen firing may never fire."""
    outcomes = {bool(one["exp_alerts"]) for one in TESTED if one["alertname"] == alert}

    assert outcomes == {True, False}


def test_the_reader_of_expressions_finds_what_it_must() -> None:
    """The two tests above are only as good as what they find."""
    text = 'sum by (service) (rate(a_total{x="y",z!~"or|b"}[5m])) / on (c) (d > 1e3) unless e:f:g5m offset 5m'

    assert [(one.name, one.labels) for one in selected(text)] == [
        ("a_total", {"x", "z"}),
        ("d", set()),
        ("e:f:g5m", set()),
    ]


def test_the_configuration_fits_the_settings() -> None:
    """What `runbook up` listens on by default is what Prometheus scrapes and Alertmanager calls."""
    fields = RunbookSettings.model_fields
    place = f"{fields['monitoring_host'].default}:{fields['monitoring_port'].default}"
    jobs = {one["job_name"]: one["static_configs"][0] for one in read_yaml("prometheus.yml")["scrape_configs"]}
    (webhook,) = read_yaml("alertmanager.yml")["receivers"][0]["webhook_configs"]

    assert jobs["runbook"]["targets"] == [place]
    assert jobs["order-service"]["labels"] == {"service": "order-service"}
    assert webhook["url"] == f"http://{place}/alerts"
    assert webhook["http_config"]["authorization"]["credentials_file"].endswith("var/monitoring/alert-token")


def test_no_alert_waits_longer_than_the_minutes_triage_would() -> None:
    """An alert about the service that comes after two routine looks is of no use; only lasting states may wait."""
    waits = {one["alert"]: _seconds(one.get("for", "0s")) for one in ALERTS if "triage" in one["labels"]}

    assert {alert: wait for alert, wait in waits.items() if wait > 60} == {}


def _seconds(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([smh])", text).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]
