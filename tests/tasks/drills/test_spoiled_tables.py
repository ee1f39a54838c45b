"""Spoiling the table that ships with the order service, in the ways that people do."""

import tomllib
from pathlib import Path

import pytest

import order_service
from tasks.model.drills.drills import Spoil
from tasks.rules.drills.spoiled_tables import spoiled

SHIPPED = (Path(order_service.__file__).parent / "config" / "routing.toml").read_text("utf-8")


def test_a_wrong_route_is_one_that_the_service_takes() -> None:
    """The gateway claims the class, so that no check of the table refuses it; the venue does."""
    table = tomllib.loads(spoiled(SHIPPED, Spoil.WRONG_GATEWAY))

    assert table["routes"]["equity"]["gateway"] == "FXALL"
    assert "equity" in table["gateways"]["FXALL"]["asset_classes"]


def test_only_one_class_is_missing_from_the_table() -> None:
    """All else stays as it was shipped, or the drill would break more than it says."""
    table, shipped = tomllib.loads(spoiled(SHIPPED, Spoil.CLASS_MISSING)), tomllib.loads(SHIPPED)

    del shipped["routes"]["crypto"]
    assert table == shipped


def test_a_corrupted_table_is_no_table() -> None:
    """A restart would fail on it, which is the point."""
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(spoiled(SHIPPED, Spoil.CORRUPTED))


@pytest.mark.parametrize("how", [Spoil.WRONG_GATEWAY, Spoil.CLASS_MISSING])
@pytest.mark.parametrize("table", ["", SHIPPED.replace("FXALL", "OTHER").replace("crypto", "coins")])
def test_a_table_without_what_would_be_spoiled_is_refused(how: Spoil, table: str) -> None:
    """A drill that changes nothing would score the automation for finding nothing."""
    with pytest.raises(ValueError, match="expected"):
        spoiled(table, how)
