"""The figures of the benches: what is called met was met, and nothing false is quoted."""

import json
from pathlib import Path

import pytest

from bench.measuring import machine as measured_machine
from bench.measuring.figures import Alternative, Figure, Judged, at_least, at_most
from bench.measuring.machine import QUIET_CORES, Machine, NotQuiet, machine_at_rest
from bench.measuring.readme import write_readme
from bench.measuring.report import Measured, document, results
from bench.measuring.summary import budget_rows, figure_of
from bench.measuring.table import rows, table_lines

QUIET = Machine(
    platform="Linux",
    python="3.11.7",
    cores=2,
    memory_bytes=8_000_000_000,
    load_1m=0.1,
    other_cores_before=0.1,
    versions={"prefect": "3.8.8"},
)


def seconds(*values: float, **more: object) -> Figure:
    """Give a row in seconds."""
    return Figure.model_validate({"what": "a run", "unit": "s", "values": values, **more})


def test_a_budget_is_held_against_the_middle_unless_it_is_one_for_the_slow_end() -> None:
    """One slow round in ten misses no median, and does miss a p95."""
    rounds = (1.0,) * 9 + (9.0,)

    assert seconds(*rounds, budget=at_most(1.2)).met
    assert not seconds(*rounds, budget=at_most(1.2, Judged.P95)).met
    assert seconds(1.3, budget=at_most(1.2)).met is False
    assert seconds(1.3).met is None


def test_where_more_is_better_the_slow_end_is_the_small_one() -> None:
    """Else the best of all rounds would be told as what nearly all reach."""
    speed = Figure(what="scan", unit="GB/s", values=(1.0, 1.4, 1.5), more_is_better=True, budget=at_least(1.2))

    assert speed.p95 == 1.0
    assert speed.met
    assert not speed.model_copy(update={"budget": at_least(1.45)}).met


def test_the_ratio_says_how_many_times_as_good_we_are() -> None:
    """More than one is better, whichever way the unit goes."""
    assert seconds(2.0).ratio(Alternative(name="stock", values=(10.0,))) == 5.0
    orders = Figure(what="orders", unit="1/s", values=(1000.0,), more_is_better=True)
    assert orders.ratio(Alternative(name="bare", values=(4000.0,))) == 0.25
    assert seconds(0.0).ratio(Alternative(name="stock", values=(1.0,))) is None


def test_a_missed_budget_stands_out_in_the_table() -> None:
    """Nobody has to compare numbers to see it."""
    missed = seconds(1.3, budget=at_most(1.2), alternatives=(Alternative(name="stock", values=(11.4,)),))
    (row,) = rows(missed)

    assert row == ("a run", "1.30 s", "", "stock", "11.40 s", "8.77", "≤ 1.2 s", "NO")


def test_a_machine_that_works_for_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures taken beside a compiler are false; who wants them all the same is told so in the table."""
    monkeypatch.setattr(measured_machine, "busy_cores", lambda: QUIET_CORES + 1)
    monkeypatch.setattr(measured_machine, "CALMS_DOWN_WITHIN_S", 0.0)

    with pytest.raises(NotQuiet, match="MACHINE_BUSY"):
        machine_at_rest(also_busy=False)
    busy = machine_at_rest(also_busy=True)

    assert not busy.was_quiet
    assert "BUSY" in "\n".join(table_lines("runs", busy, ()))
    assert "BUSY" not in "\n".join(table_lines("runs", QUIET, ()))


def test_other_work_during_a_bench_makes_its_figures_false_too() -> None:
    """A machine may be quiet before, and busy a minute later."""
    assert QUIET.model_copy(update={"other_cores_during": 0.2}).was_quiet
    assert not QUIET.model_copy(update={"other_cores_during": 1.5}).was_quiet


def test_the_summary_reads_back_what_a_bench_wrote() -> None:
    """The one table of all budgets is made from the files, and says the same."""
    budgeted = seconds(1.0, 1.1, budget=at_most(1.2), alternatives=(Alternative(name="stock", values=(11.4,)),))
    written = document(QUIET, Measured((budgeted, seconds(3.0)), 0.1, {}), quick=False)

    assert figure_of(written["figures"][0]) == budgeted
    (row,) = budget_rows("runs-sqlite", written)
    assert row[0] == "runs-sqlite: a run (2)"
    assert row[-1] == "yes"


def test_the_readme_gets_the_budgets_and_keeps_what_stands_around_them(tmp_path: Path) -> None:
    """The figures that people read are those of the files, with their day and their machine."""
    found = document(QUIET, Measured((seconds(1.0, budget=at_most(1.2)), seconds(3.0)), 0.1, {}), quick=False)
    (tmp_path / "runs-sqlite.json").write_text(json.dumps(found), "utf-8")
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n", "utf-8")
    write_readme(path, tmp_path)
    text = path.read_text("utf-8")

    assert text.startswith("before\n<!-- speed -->\n| bench |")
    assert text.endswith("<!-- /speed -->\nafter\n")
    assert "| runs-sqlite | a run | 1.00 s |  |  |  |  | ≤ 1.2 s | yes |" in text
    assert "2 cores, Python 3.11.7, Linux" in text
    assert "old" not in text
    assert "3.00 s" not in text


def test_a_file_of_another_shape_is_left_out_of_the_summary(tmp_path: Path) -> None:
    """What an older version wrote breaks no summary."""
    (tmp_path / "old.json").write_text('{"median_s": 1.0}', "utf-8")
    (tmp_path / "list.json").write_text("[]", "utf-8")

    assert list(results(tmp_path)) == []
