"""What prefect.yaml promises to a server, the code keeps."""

import inspect
from importlib import import_module
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.server.schemas.schedules import CronSchedule
from prefect.utilities.schema_tools.validation import validate

from tasks.model.evidence.evidence import TriageRequest
from tasks.model.fleet.sweep import SweepRequest
from tasks.model.incidents.incident import AlertType
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass
from tasks.settings import RunbookSettings
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
def test_every_parameter_that_is_given_exists_and_what_starts_by_itself_needs_no_other(
    deployment: dict[str, Any],
) -> None:
    """A scheduled run that lacks a parameter fails every minute; a form asks a person for what it needs."""
    accepted = inspect.signature(entrypoint(deployment).fn).parameters
    required = {name for name, parameter in accepted.items() if parameter.default is parameter.empty}
    starts_itself = {"schedules", "triggers"} & set(deployment)

    assert set(deployment["parameters"]) <= set(accepted)
    assert required <= set(deployment["parameters"]) or not starts_itself
    assert deployment.get("enforce_parameter_schema") or starts_itself


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["name"])
def test_every_field_of_every_form_says_what_it_asks_for(deployment: dict[str, Any]) -> None:
    """In an incident nobody looks up what a field means; the server gets the words with the deployment."""
    fields = entrypoint(deployment).parameters.properties

    assert [name for name, field in fields.items() if not field.get("description")] == []


def test_a_run_is_let_live_as_long_as_the_settings_count_on() -> None:
    """A wait for an answer that fits the settings must not be cut off by the worker in the middle of what follows."""
    limits = {one["work_pool"]["job_variables"]["run_limit_s"] for one in DEPLOYMENTS}

    assert limits == {RunbookSettings.model_fields["run_limit_s"].default}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["name"])
def test_no_field_of_a_form_is_a_choice_of_types_or_raw_json(deployment: dict[str, Any]) -> None:
    """A person in an incident sees words and drop-downs; what a program alone fills in is no field."""
    fields = entrypoint(deployment).parameters.properties

    assert [name for name, field in fields.items() if "anyOf" in field or field.get("type") == "object"] == []


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["name"])
def test_an_untouched_form_is_one_that_the_server_takes(deployment: dict[str, Any]) -> None:
    """The UI sends every default; one that its own schema refuses would stop a person at the last click."""
    schema = entrypoint(deployment).parameters.model_dump_for_openapi()
    untouched = {name: field["default"] for name, field in schema["properties"].items() if "default" in field}

    assert not [str(one) for one in validate(untouched, schema, ignore_required=True)]


def test_every_action_that_a_person_may_order_has_its_form() -> None:
    """At three in the morning the way by hand is a click, with a reason and a name that the ledger keeps."""
    forms = {one["name"]: entrypoint(one) for one in DEPLOYMENTS if "remediation" in one["tags"]}

    actions = {"restart", "roll-back", "disable-feature", "reroute", "pause", "resume", "mark-degraded"}
    assert forms.keys() == {f"do-{action}" for action in actions}
    assert {flow.name for flow in forms.values()} == {"remediation"}
    assert all({"reason", "by"} <= set(flow.parameters.required) for flow in forms.values())


def test_what_a_person_starts_in_an_incident_stands_together_on_the_first_page_of_the_list() -> None:
    """Prefect lists deployments by name, ten on a page: nobody pages or searches at three in the morning."""
    page = sorted(one["name"] for one in DEPLOYMENTS)[:10]
    for_people = {"manual", "acknowledge", "remediation"}

    assert set(page) == {one["name"] for one in DEPLOYMENTS if for_people & set(one["tags"])}
    assert all(name.startswith("do-") for name in page)


async def test_prefect_finds_the_minutes_of_the_schedule() -> None:
    """Prefect 3.9 with whenever below 0.11 fails here on every schedule, and no triage would ever start by itself."""
    schedule = next(one for one in DEPLOYMENTS if one["name"] == "every-minute")["schedules"][0]

    minutes = await CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"]).get_dates(2)

    assert (minutes[1] - minutes[0]).total_seconds() == 60


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
    manual = next(one for one in DEPLOYMENTS if one["name"] == "do-triage")

    assert {"alert", "asset_class", "note", "mode"} <= set(inspect.signature(entrypoint(manual).fn).parameters)


def test_what_a_round_asks_of_one_service_is_what_its_form_takes() -> None:
    """Prefect refuses a parameter that its form does not know, and the service that hangs would get no triage."""
    deployment = next(one for one in DEPLOYMENTS if one["name"] == "one-service")
    schema = entrypoint(deployment).parameters.model_dump()
    routine = SweepRequest(services=("a", "b"), asked=TriageRequest(service=""))
    alerted = TriageRequest(service="", alert=AlertType.OTHER, asset_class=AssetClass.FX, note="n", mode=Mode.OBSERVE)

    for request in (routine, SweepRequest(services=("a", "b"), asked=alerted, payload={"alerts": []})):
        validate(request.parameters("a"), schema, raise_on_error=True)
