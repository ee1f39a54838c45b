"""The fields of forms: an asset class that is described, or any other; a decision that nobody presets."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from flows.approval import PlanApproval
from flows.manual_action import ClassToMove, OneClass, pause, resume

USUAL = ["equity", "future", "fx", "crypto"]


@pytest.mark.parametrize(
    ("config", "more"),
    [
        ('[services.oms.asset_classes.option]\ncalendar = "XCBF"\n', ["option"]),
        ("services = 7\n", []),
        ("", []),
    ],
)
def test_a_form_offers_what_the_services_trade(
    config: str, more: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In an incident a person picks a word; settings that cannot be read take no form away."""
    (tmp_path / "runbook.toml").write_text(config)
    monkeypatch.setenv("RUNBOOK_CONFIG", str(tmp_path / "runbook.toml"))

    assert TypeAdapter(ClassToMove).json_schema()["enum"] == [*USUAL, *more]
    assert TypeAdapter(OneClass).json_schema()["enum"] == ["", *USUAL, *more]


def test_a_form_takes_a_class_that_it_did_not_offer() -> None:
    """It was described after the deployment, or a program sends it."""
    one = TypeAdapter(OneClass)

    assert [one.validate_python(word) for word in ("swap", "", None)] == ["swap", "", None]
    with pytest.raises(ValidationError):
        one.validate_python("Swap")


def test_a_plan_is_decided_by_a_person_and_by_no_preset() -> None:
    """Whoever types a name and presses Resume has not rejected the restart of a service that hangs."""
    form = PlanApproval.model_json_schema()

    assert next(iter(form["properties"])) == "decision"
    assert form["required"] == ["decision", "answered_by"]
    assert "default" not in form["properties"]["decision"]
    with pytest.raises(ValidationError):
        PlanApproval.model_validate({"answered_by": "ada"})


def test_everything_is_a_field_of_its_own_that_is_not_ticked() -> None:
    """A class that was left empty by accident halts no market."""
    field = pause.parameters.properties["everything"]

    assert (field["type"], field["default"]) == ("boolean", False)


def test_what_is_wanted_comes_before_why_and_by_whom() -> None:
    """A form in an incident asks first what a person came for."""
    orders = {
        flow.fn.__name__: sorted(
            flow.parameters.properties, key=lambda name: flow.parameters.properties[name]["position"]
        )
        for flow in (pause, resume)
    }

    assert orders["pause"] == ["asset_class", "strategy", "everything", "state", "reason", "by", "service"]
    assert orders["resume"] == ["what", "asset_class", "name", "reason", "by", "service", "override"]
