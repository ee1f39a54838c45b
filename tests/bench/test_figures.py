"""The figures of the benches: what is called met was met, and nothing false is quoted."""

import json
from pathlib import Path

import pytest

from bench import machine as measured_machine
from bench.__main__ import NAMES, load, parser_of
from bench.figures import Alternative, Budget, Figure
from bench.machine import QUIET_CORES, Machine, machine_at_rest
from bench.report import budget_rows, document_of, results, rows, shown, write_page

QUIET = Machine(other_cores_before=0.1)


def seconds(*values: float, limit: float | None = None, of_p95: bool = False, **more: object) -> Figure:
    """Give a row in seconds."""
    budget = None if limit is None else Budget(limit=limit, of_p95=of_p95)
    return Figure.model_validate({"what": "a run", "unit": "s", "values": values, "budget": budget, **more})


def test_a_budget_is_held_against_the_middle_unless_it_is_one_for_the_slow_end() -> None:
    """One slow round in ten misses no median, and does miss a p95."""
    rounds = (1.0,) * 9 + (9.0,)

    assert seconds(*rounds, limit=1.2).met
    assert not seconds(*rounds, limit=1.2, of_p95=True).met
    assert seconds(1.3, limit=1.2).met is False
    assert seconds(1.3).met is None


def test_where_more_is_better_the_slow_end_is_the_small_one_and_the_budget_has_to_be_reached() -> None:
    """Else the best of all rounds would be shown as what nearly all reach."""
    speed = Figure(what="scan", unit="GB/s", values=(1.0, 1.4, 1.5), more_is_better=True, budget=Budget(limit=1.2))

    assert speed.p95 == 1.0
    assert speed.met
    assert not speed.model_copy(update={"budget": Budget(limit=1.45)}).met


def test_the_speed_up_is_more_than_one_where_ours_is_better() -> None:
    """Whichever way the unit goes."""
    orders = Figure(what="orders", unit="1/s", values=(1000.0,), more_is_better=True)

    assert seconds(2.0).speed_up(Alternative(name="stock", values=(10.0,))) == 5.0
    assert orders.speed_up(Alternative(name="bare", values=(4000.0,))) == 0.25
    assert seconds(0.0).speed_up(Alternative(name="stock", values=(1.0,))) is None


def test_a_missed_budget_stands_out_in_the_table() -> None:
    """Nobody has to compare numbers to see it."""
    (row,) = rows(seconds(1.3, limit=1.2, alternatives=(Alternative(name="stock", values=(11.4,)),)))

    assert row == ("a run", "1.30 s", "", "stock", "11.40 s", "8.77", "≤ 1.2 s", "NO")


def test_a_budget_whose_row_was_not_measured_is_named() -> None:
    """A budget that nothing is held against would look as if it were met."""
    assert "NOT MEASURED in this run: a run of a year" in shown("runs", QUIET, (seconds(1.0),), {"a run of a year"})


def test_a_machine_that_works_for_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures taken beside a compiler are false; who wants them all the same reads so in the table."""
    monkeypatch.setattr(measured_machine, "busy_cores", lambda: QUIET_CORES + 1)
    monkeypatch.setattr(measured_machine, "CALMS_DOWN_WITHIN_S", 0.0)

    with pytest.raises(SystemExit, match="MACHINE_BUSY"):
        machine_at_rest(also_busy=False)
    busy = machine_at_rest(also_busy=True)

    assert not busy.was_quiet
    assert "BUSY" in shown("runs", busy, ())
    assert "BUSY" not in shown("runs", QUIET, ())


def test_other_work_during_a_bench_makes_its_figures_false_too() -> None:
    """A machine may be quiet before, and busy a minute later."""
    assert QUIET.model_copy(update={"other_cores_during": 0.2}).was_quiet
    assert not QUIET.model_copy(update={"other_cores_during": 1.5}).was_quiet


def test_the_summary_reads_back_what_a_bench_wrote() -> None:
    """The one table of all budgets is made from the files, and says the same."""
    budgeted = seconds(1.0, 1.1, limit=1.2, alternatives=(Alternative(name="stock", values=(11.4,)),))
    written = json.loads(json.dumps(document_of(QUIET, (budgeted, seconds(3.0)), {}, quick=False)))

    assert Figure.model_validate(written["figures"][0]) == budgeted
    assert list(budget_rows([("runs-sqlite", written)])) == [("runs-sqlite", rows(budgeted)[0])]


def test_a_page_gets_the_budgets_and_keeps_what_stands_around_them(tmp_path: Path) -> None:
    """The figures that people read are those of the files, with their day and their machine."""
    found = document_of(QUIET, (seconds(1.0, limit=1.2), seconds(3.0)), {}, quick=False)
    (tmp_path / "runs-sqlite.json").write_text(json.dumps(found), "utf-8")
    path = tmp_path / "performance.md"
    path.write_text("before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n", "utf-8")
    write_page(path, tmp_path)
    text = path.read_text("utf-8")

    assert text.startswith("before\n<!-- speed -->\n| bench |")
    assert text.endswith("<!-- /speed -->\nafter\n")
    assert "| runs-sqlite | a run | 1.00 s |  |  |  |  | ≤ 1.2 s | yes |" in text
    assert f"{QUIET.cores} cores, Python {QUIET.python}, " in text
    assert "old" not in text
    assert "3.00 s" not in text


def test_a_file_of_another_shape_is_left_out_of_the_summary(tmp_path: Path) -> None:
    """What an older version wrote breaks no summary."""
    (tmp_path / "old.json").write_text('{"median_s": 1.0}', "utf-8")
    (tmp_path / "list.json").write_text("[]", "utf-8")

    assert list(results(tmp_path)) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_bench_that_has_a_budget_can_be_asked_for_by_its_name(name: str) -> None:
    """A bench that does not even begin would be noticed in the middle of an hour of them."""
    bench = load(name)
    given = parser_of(bench).parse_args(["--quick"])

    assert bench.name == name
    assert given.quick
    assert {*bench.options} <= {*vars(given)}
