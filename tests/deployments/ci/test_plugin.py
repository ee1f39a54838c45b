"""The plugin as a firm's CI runs it: a pytest of its own, its exit code, and its JUnit file."""

import os
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from importlib import import_module
from pathlib import Path

import pytest

from deployments.ci.plugin import CACHE
from tests.fakes.prefect.prefect_process import migrated_in
from tests.foreign.shops import SPRING, open_shop
from tests.house.source import REPOSITORY

# Once, whether or not the package was installed since it has the plugin.
PLUGIN = ("-p", "no:trading_runbook", "-p", "deployments.ci.plugin")
TESTS = """
import pytest

@pytest.mark.scenario("healthy")
def test_healthy(triaged):
    assert triaged.shows(cause=(), plan=(), says=())

@pytest.mark.scenario("hung", mode="act")
def test_hung(triaged):
    assert triaged.shows(cause="service_hung", plan="restart service", says="has been hung", never="gateway")

@pytest.mark.scenario("degraded")
def test_wrong(triaged):
    assert triaged.shows(cause="service_down")

@pytest.mark.scenario("accepted_but_rejected_downstream", service="oms")
def test_in_the_firm_s_words(triaged):
    assert triaged.shows(cause="gateway_failing", plan="pause", says="RISK_LIMIT", never="GET /health")

def test_our_own_service(triage_now):
    assert triage_now("oms").shows(cause=(), plan=(), says=())
"""


@pytest.mark.live
@pytest.mark.prefect
@pytest.mark.timeout(300)
def test_a_firm_s_ci_sees_each_scenario_an_exit_code_and_a_junit_file(tmp_path: Path, kept: Path) -> None:
    """One wrong expectation is exit 1, and the report names what was found instead."""
    if (migrated := migrated_in(kept)).exists():
        shutil.copytree(migrated, migrated_in(tmp_path / ".pytest_cache" / "d" / CACHE))
    (tmp_path / "test_triages.py").write_text(TESTS, "utf-8")
    with open_shop(SPRING, tmp_path) as shop:
        (tmp_path / "runbook.toml").write_text(shop.description(), "utf-8")
        ended = pytest_in(tmp_path)
    cases = {case.get("name"): case for case in ET.parse(tmp_path / "triages.xml").iter("testcase")}  # noqa: S314
    failed = [name for name, case in cases.items() if case.find("failure") is not None]

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert failed == ["test_wrong"], ended.stdout
    assert len(cases) == TESTS.count("def test_")
    assert "dependency_unreachable" in ended.stdout
    assert "order-service is healthy" in (tmp_path / "triages.xml").read_text("utf-8")


def pytest_in(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a firm's tests as its CI does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *PLUGIN, "--junitxml=triages.xml"],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def test_pytest_finds_the_plugin_where_the_product_is_installed() -> None:
    """A firm installs one package, and its fixtures are there."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    module = import_module(project["entry-points"]["pytest11"]["trading_runbook"])

    assert {"triaged", "triage_now", "pytest_configure"} <= set(vars(module))
