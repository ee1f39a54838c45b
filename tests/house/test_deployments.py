"""What prefect.yaml promises to a server, the code keeps."""

import inspect
from importlib import import_module
from typing import Any

import pytest
import yaml
from prefect import Flow

from tests.house.source import REPOSITORY

DOCUMENT: dict[str, Any] = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text("utf-8"))
DEPLOYMENTS: list[dict[str, Any]] = DOCUMENT["deployments"]


def entrypoint(deployment: dict[str, Any]) -> Flow[Any, Any]:
    """Import the flow of a deployment, by its module path."""
    module, flow = deployment["entrypoint"].rsplit(".", 1)
    found: Flow[Any, Any] = getattr(import_module(module), flow)
    return found


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["name"])
def test_every_entrypoint_is_a_flow_found_by_module_path(deployment: dict[str, Any]) -> None:
    """A file path would put the file's folder first on the path, and `tasks` would be another package."""
    assert ":" not in deployment["entrypoint"]
    assert isinstance(entrypoint(deployment), Flow)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["name"])
def test_every_parameter_that_is_given_exists_and_every_other_has_a_default(deployment: dict[str, Any]) -> None:
    """A scheduled run that lacks a parameter fails every minute."""
    accepted = inspect.signature(entrypoint(deployment).fn).parameters
    required = {name for name, parameter in accepted.items() if parameter.default is parameter.empty}

    assert set(deployment["parameters"]) <= set(accepted)
    assert required <= set(deployment["parameters"])


def test_the_scheduled_triage_is_one_at_a_time_and_never_piles_up() -> None:
    """A triage that took too long must not be followed by a queue of late ones."""
    scheduled = next(one for one in DEPLOYMENTS if one["name"] == "every-minute")

    assert scheduled["schedules"] == [{"cron": "* * * * *", "timezone": "UTC", "active": True}]
    assert scheduled["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_no_deployment_names_a_place_on_a_machine() -> None:
    """The same file deploys to any server; the code comes with the worker."""
    assert DOCUMENT["pull"] == []
    assert all("pull" not in one for one in DEPLOYMENTS)


def test_the_manual_form_offers_what_a_person_knows_in_an_incident() -> None:
    """Alert, asset class, note and mode are the form's fields."""
    manual = next(one for one in DEPLOYMENTS if one["name"] == "manual")

    assert {"alert", "asset_class", "note", "mode"} <= set(inspect.signature(entrypoint(manual).fn).parameters)
