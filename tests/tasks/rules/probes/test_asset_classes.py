"""The asset classes are an open set: whatever a description or an answer names is a class like any other."""

from pathlib import Path

import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from tasks.model.errors import Code, RunbookError
from tasks.model.probes.orders import AssetClass, classes_in
from tasks.model.remediation.plan import Target
from tasks.rules.messages.recovered import notified_class
from tasks.settings import ServiceSettings, load_settings

OPTION = AssetClass("option")


@pytest.mark.parametrize("name", ["", "Equity", "1st", "a-b", "a b", "x" * 33, "équité", "equity\n"])
def test_a_word_that_is_no_name_is_refused_where_it_is_written_and_left_out_where_it_is_read(name: str) -> None:
    """A name goes into paths, keys of messages and metrics: what could be read as something else is none."""
    with pytest.raises(ValidationError, match="an asset class is expected"):
        TypeAdapter(AssetClass).validate_python(name)
    assert AssetClass.read(name) is None
    assert classes_in([name, "fx"]) == (AssetClass.FX,)


def test_classes_stand_in_one_order_whoever_lists_them() -> None:
    """A person reads the same line in every message: the well-known first, then by name."""
    assert classes_in({"swap": 1, "crypto": 2}, ["option", None, 7], ("equity", "option")) == (
        AssetClass.EQUITY,
        AssetClass.CRYPTO,
        OPTION,
        AssetClass("swap"),
    )


def test_a_class_is_stored_and_read_back_as_its_name() -> None:
    """Evidence that was written before this set was open reads as it did."""
    target = Target(asset_class=OPTION, routes={AssetClass.EQUITY: "XNAS"})

    assert orjson.loads(target.model_dump_json())["asset_class"] == "option"
    assert Target.model_validate_json(target.model_dump_json()) == target
    assert orjson.dumps({"class": OPTION}) == b'{"class":"option"}'


def test_what_the_description_names_is_known() -> None:
    """A pause of everything pauses these, with whatever the answers name besides."""
    service = ServiceSettings.model_validate(
        {
            "synthetic_orders": {"swap": {"symbol": "TST-1"}},
            "gateways": {"XCBO": {"base_url": "http://127.0.0.1:1", "asset_classes": ["equity", "option"]}},
            "asset_classes": {"bond": {"calendar": "24/7"}},
            "calendars": {"fx": "FX"},
        }
    )

    assert service.known_classes == ("equity", "fx", "bond", "option", "swap")


def test_a_calendar_that_is_written_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody guesses which of them holds."""
    config = tmp_path / "runbook.toml"
    config.write_text('[services.oms]\ncalendars = { fx = "FX" }\n[services.oms.asset_classes.fx]\ncalendar = "24/7"\n')
    monkeypatch.setenv("RUNBOOK_CONFIG", str(config))

    with pytest.raises(RunbookError, match="one calendar of fx was two") as caught:
        load_settings()

    assert caught.value.code is Code.BAD_SETTING


@pytest.mark.parametrize(
    ("about", "expected"),
    [("desk-option", OPTION), ("option", None), ("desk-restore_routing", None), ("desk-pause_strategies-fx", None)],
)
def test_only_a_notice_about_a_class_names_one(about: str, expected: AssetClass | None) -> None:
    """Any word might be a class: the end of an incident speaks of those that were named to the desk."""
    assert notified_class(about) == expected
