"""The README tells all that a person can set, type or read in the ledger."""

import re
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from deployments.cli import app
from order_service.incidents import IncidentType
from order_service.releases.drills import FAULTS
from order_service.settings import Settings
from tasks.model.channels import SlackAudience, SlackSettings
from tasks.model.diagnosis import Cause
from tasks.model.incident import AlertType
from tasks.model.limits import DiagnosisLimits, EscalationLimits, LookLimits, RemediationLimits, RestartLimits
from tasks.settings import RunbookSettings, ServiceSettings
from tests.house.source import REPOSITORY

README = (REPOSITORY / "README.md").read_text("utf-8")
COMMANDS = sorted(command for command in app if not command.startswith("-"))
RULES = yaml.safe_load((REPOSITORY / "deployments" / "monitoring" / "alert_rules.yml").read_text("utf-8"))
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
PICTURES = re.findall(r"^!\[.+\]\((.+)\)$", README, re.MULTILINE)
TARGETS = re.findall(r"^([a-z-]+):.*## ", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    """A command that nobody reads of is found by nobody at three in the morning."""
    assert f"`runbook {command}" in README


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_is_in_the_readme(target: str) -> None:
    """The README says what `make` alone says."""
    assert f"`make {target}`" in README or target == "help"


@pytest.mark.parametrize("picture", PICTURES)
def test_every_picture_of_the_readme_is_there_and_small(picture: str) -> None:
    """The page shows what it promises, and opens at once on a phone."""
    assert (REPOSITORY / picture).stat().st_size <= 200_000


@pytest.mark.parametrize("field", sorted(RunbookSettings.model_fields))
def test_every_setting_of_the_runbook_is_in_the_readme(field: str) -> None:
    """Whoever sets it up reads every variable there is."""
    assert f"`RUNBOOK_{field.upper()}`" in README


@pytest.mark.parametrize("key", sorted(ServiceSettings.model_fields))
def test_every_key_of_a_watched_service_is_in_the_readme(key: str) -> None:
    """Pointing it at one's own service is a matter of reading one table."""
    assert f"`{key}`" in README


@pytest.mark.parametrize("key", sorted({*SlackSettings.model_fields, *SlackAudience.model_fields}))
def test_every_key_of_a_channel_is_in_the_readme(key: str) -> None:
    """Whoever sets Slack up reads one table."""
    assert f"`{key}`" in README


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_of_the_order_service_is_in_the_readme(field: str) -> None:
    """The patient's settings are told as well as the doctor's."""
    assert f"`ORDER_SERVICE_{field.upper()}`" in README


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_a_drill_release_is_in_the_readme(fault: str) -> None:
    """Whoever practises chooses from one table."""
    assert f"`{fault}`" in README


@pytest.mark.parametrize("word", sorted({*get_args(IncidentType), *AlertType, *Cause}))
def test_every_incident_type_and_cause_is_in_the_readme(word: str) -> None:
    """A word in `incidents.jsonl` is looked up in one place."""
    assert f"`{word}`" in README


@pytest.mark.parametrize("alert", ALERTS, ids=lambda one: one["alert"])
def test_every_alert_is_in_the_readme_with_its_section_and_its_tier(alert: dict[str, Any]) -> None:
    """Whoever is woken by a name that they never saw finds it in one place."""
    labels = alert["labels"]

    assert f"| `{alert['alert']}` | §{labels['section']} | {labels['tier'].replace('_', ' ')} |" in README


@pytest.mark.parametrize("limits", [LookLimits, RestartLimits, RemediationLimits, DiagnosisLimits, EscalationLimits])
def test_every_limit_is_in_the_readme_with_its_default(limits: type[BaseModel]) -> None:
    """A person who tunes a limit reads its name and where it stands."""
    defaults = {name: field.get_default(call_default_factory=True) for name, field in limits.model_fields.items()}
    plain = {name: value for name, value in defaults.items() if not isinstance(value, BaseModel)}

    assert [name for name, value in plain.items() if f"`{name}` {value}" not in README] == []
