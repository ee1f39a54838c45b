"""The dashboard of Grafana: every panel asks for what exists, and leads back to the page."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deployments.monitoring.expressions import selected
from tests.deployments.monitoring.known import FOLDER, TARGET_LABELS, exposed, is_known, known
from tests.house.test_sections import page_sections

DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
PANELS = [one for one in DASHBOARD["panels"] if one["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
EXPRESSIONS += [one["expr"] for one in DASHBOARD["annotations"]["list"]]


@pytest.mark.parametrize("panel", PANELS, ids=lambda one: one["title"])
def test_every_panel_leads_back_to_the_page(panel: dict[str, Any]) -> None:
    """Who sees a line go up reads which section says what to do."""
    found = re.match(r"§(\d(?:\.\d)?) ", panel["description"])

    assert found
    assert found.group(1) in page_sections()
    assert panel["targets"]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_panel_asks_for_metrics_and_labels_that_exist(expression: str) -> None:
    """An empty panel looks like a quiet night."""
    asked = list(selected(expression))

    assert asked
    assert [one.name for one in asked if not is_known(one.name)] == []
    of_scrapes = [one for one in asked if one.name in exposed()]
    unknown = {one.name: one.labels - known()[one.name] - TARGET_LABELS for one in of_scrapes}
    assert {metric: labels for metric, labels in unknown.items() if labels} == {}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool of Debian's prometheus is not here")
def test_prometheus_understands_every_panel(tmp_path: Path) -> None:
    """Grafana shows a bad expression as an error in a corner, to whoever looks at three in the morning."""
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(EXPRESSIONS)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    done = subprocess.run(
        ["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(EXPRESSIONS)} rules found" in done.stdout


def test_everything_that_we_measure_is_on_the_dashboard() -> None:
    """A number that nobody shows is one that nobody misses when it breaks."""
    recording = (FOLDER / "recording_rules.yml").read_text("utf-8") + (FOLDER / "alert_rules.yml").read_text("utf-8")
    shown = " ".join(EXPRESSIONS) + recording
    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exposed() if name.startswith("runbook_")}

    assert {name for name in ours if name not in shown} <= {
        "runbook_last_observation_timestamp_seconds",
        "runbook_ledger_lines_skipped_total",
        "runbook_oldest_message_timestamp_seconds",
    }


def test_no_two_panels_lie_upon_each_other() -> None:
    """A layout that overlaps is shuffled by Grafana at each load."""
    cells = [
        (column, line)
        for place in (one["gridPos"] for one in DASHBOARD["panels"])
        for column in range(place["x"], place["x"] + place["w"])
        for line in range(place["y"], place["y"] + place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < 24
    assert len({one["id"] for one in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
