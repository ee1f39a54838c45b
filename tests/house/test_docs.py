"""docs/ says all that a person can type, set, see or read in the ledger, and no link of it leads nowhere."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from prometheus_client import Metric

from deployments.cli import app
from docs.generate import order_service_table, runbook_tables, stale, undescribed
from order_service.releases.build import FAULTS
from order_service.telemetry.incidents import IncidentType
from order_service.telemetry.metrics import Metrics
from tasks.model.diagnosis.diagnosis import Cause, Kind
from tasks.model.drills.drills import DrillName
from tasks.model.incidents.incident import Action, AlertType, Event, Outcome, Source
from tasks.model.incidents.modes import Mode
from tasks.model.remediation.verdicts import GuardCode
from tasks.settings import RunbookSettings
from tests.house.source import REPOSITORY, name, python_files

DOCS = REPOSITORY / "docs"
PAGES = {path.stem: path.read_text("utf-8") for path in sorted(DOCS.glob("*.md"))}
OTHERS = {one: (REPOSITORY / one).read_text("utf-8") for one in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")}
ALL = {REPOSITORY / one: text for one, text in OTHERS.items()} | {DOCS / f"{one}.md": PAGES[one] for one in PAGES}
EVERYTHING = "\n".join(PAGES.values())
HEADINGS = {
    "own-service": ["The contract", "Check the contract", "On one laptop", "In your own CI", "In production"],
    "on-call": [
        "Read a page", "Acknowledge, maintenance", "Actions and overrides", "Approvals", "Who may do what", "Re-arm",
        "After the incident", "Causes A to Z",
    ],
    "escalation": ["Tiers and timers", "Slack", "Fallbacks", "Who is on call", "Delivery guarantees"],
    "safety": ["The 16 rules", "Guards by action", "Lock and budget", "Earned trust", "Order-state gate"],
    "cli": ["All commands"],
    "configuration": ["Variables of the runbook", "Tables of `runbook.toml`", "Variables of the order service"],
    "monitoring": ["Metrics", "Alerts", "Dashboard", "Dead man's switches"],
    "deploying": [
        "One host", "Several hosts", "Database", "Retention", "systemd", "Containers", "Upgrade, back up",
    ],
    "architecture": ["Layers", "Evidence → diagnosis → plan → action", "The ledger", "The worker", "Decisions"],
    "order-service": ["Contract", "Control plane", "Releases", "Simulator, stub"],
    "drills": ["Drills", "Score"],
    "performance": [
        "Budgets", "Results", "One recovery",
        "Clicks", "Several services", "Several hosts", "Memory",
        "From the clone to the first triage", "Database",
    ],
}  # fmt: skip
GENERATED = re.compile(r"<!-- (generated|speed)\b.*?<!-- /\1 -->", re.DOTALL)
CODE = re.compile(r"^( *)```.*?^\1```|`[^`\n]+`|\]\([^)]*\)", re.DOTALL | re.MULTILINE)
# Words that the trade does not use for these things; what is typed stands in code and is not meant.
RETIRED = re.compile(
    r"\b(patients?|doctors?|heal(?:s|ed|ing)?|cured?|looks?|tells?|told|hears?|mend(?:s|ed|ing)?|anew|meanwhile|likewise"
    r"|made good|in vain|by hand|leads? (?:new )?orders|pass(?:es|ed)? by a guard|weigh(?:s|ed)?)\b",
    re.IGNORECASE,
)
RULES = yaml.safe_load((REPOSITORY / "deployments" / "monitoring" / "alert_rules.yml").read_text("utf-8"))
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
TARGETS = re.findall(r"^([a-z-]+):.*## ", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)
DEPLOYMENTS = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text("utf-8"))["deployments"]


def commands(within: Any = app, lead: str = "runbook") -> Iterator[str]:
    """Name every command, with those beneath it."""
    for command in (one for one in within if not one.startswith("-")):
        yield f"{lead} {command}"
        yield from commands(within[command], f"{lead} {command}")


def ledger_types() -> set[str]:
    """Find the types that our own side writes beside causes and alerts: the constants that are named so."""
    found: set[str] = set()
    for path in python_files("tasks"):
        text = path.read_text("utf-8")
        found |= {value for key, value in re.findall(r'^(\w+_TYPE) = "(\w+)"$', text, re.MULTILINE) if key in LEDGER}
    return found


# Constants of the ledger's types; that of Slack's metadata, say, is none.
LEDGER = {
    "BY_HAND_TYPE",
    "OPERATOR_TYPE",
    "REARMED_TYPE",
    "APPROVAL_TYPE",
    "ASKED_TYPE",
    "GIVEN_TYPE",
    "STARTED_TYPE",
    "ENDED_TYPE",
    "NOT_PERMITTED_TYPE",
    "TWO_PEOPLE_TYPE",
}


def metric_name(family: Metric) -> str:
    """Name a metric as Prometheus does."""
    return f"{family.name}_total" if family.type == "counter" else family.name


def slug(heading: str) -> str:
    """Name a heading as a link does, on GitHub and in the site."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).strip().replace(" ", "-")


def prose(text: str) -> str:
    """Leave out what is generated from code, and what a person types."""
    return CODE.sub("", GENERATED.sub("", text))


def test_the_generated_parts_are_what_the_code_says() -> None:
    """A command or setting that changed is read as it is now."""
    assert [path.name for path in stale()] == [], "run `python -m docs.generate`"


def test_every_setting_says_what_it_is_for() -> None:
    """A name with a default helps nobody at three in the morning."""
    assert undescribed() == [], "write its line into docs/settings.toml"


def test_every_page_is_planned_and_has_its_sections() -> None:
    """A person who knows one page finds the next; the headings are what other pages link to."""
    written = {page: GENERATED.sub("", text) for page, text in PAGES.items()}

    assert {page: re.findall(r"^## (.+)$", text, re.MULTILINE) for page, text in written.items()} == HEADINGS


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_is_in_the_docs(command: str) -> None:
    """A command that nobody reads of is found by nobody at three in the morning."""
    assert f"# {command}\n" in PAGES["cli"]


@pytest.mark.parametrize("table", [*runbook_tables(), order_service_table()], ids=lambda table: table.path)
def test_every_setting_is_in_the_docs(table: Any) -> None:
    """Pointing it at one's own service is a matter of reading one page."""
    names = [f"{table.prefix}{key.upper()}" if table.prefix else key for key in table.model.model_fields]

    assert [key for key in names if f"| `{key}` |" not in PAGES["configuration"]] == []


def test_every_metric_of_ours_is_in_the_docs(tmp_path: Path) -> None:
    """Whoever writes an alert reads the names in one table."""
    exposition = import_module("deployments.monitoring.exposition").Exposition(RunbookSettings(state_dir=tmp_path))

    assert [one for one in map(metric_name, exposition.collect()) if f"`{one}`" not in PAGES["monitoring"]] == []


def test_every_metric_of_the_order_service_is_in_the_docs() -> None:
    """The contract's metrics, and those that the alerts are made of."""
    families = [one for one in Metrics("1.0.0").registry.collect() if not one.name.startswith(("process_", "python_"))]

    assert [one for one in map(metric_name, families) if f"`{one}`" not in PAGES["order-service"]] == []


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_is_in_the_docs_with_its_section_and_its_tier(alert: dict[str, Any]) -> None:
    """Whoever is woken by a name that they never saw finds it in one place."""
    labels = alert["labels"]

    assert f"| `{alert['alert']}` | §{labels['section']} | {labels['tier'].replace('_', ' ')} |" in PAGES["monitoring"]


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_says_what_the_automation_does_and_what_you_do(cause: Cause) -> None:
    """The cause of a page is looked up by its name; what to do stands beside it."""
    found = re.search(rf"^### {cause}\n(.*?)(?=^### |\Z)", PAGES["on-call"], re.MULTILINE | re.DOTALL)

    assert found
    assert "**You**" in found[1]
    assert "automation" in found[1].lower()


def test_the_causes_stand_from_a_to_z() -> None:
    """A list that is read in a hurry is sorted."""
    named = re.findall(r"^### (\w+)$", PAGES["on-call"].partition("## Causes A to Z")[2], re.MULTILINE)

    assert named == sorted(named) == sorted(Cause)


def test_every_kind_of_a_cause_is_in_the_docs() -> None:
    """`gateway_failing` asks for other things where it rejects than where it is slow."""
    assert [kind for kind in Kind if not re.search(rf"\b{kind}\b", PAGES["on-call"])] == []


@pytest.mark.parametrize(
    "word", sorted({*get_args(IncidentType), *AlertType, *Event, *Source, *Action, *Outcome, *ledger_types()})
)
def test_every_word_of_the_ledger_is_in_the_docs(word: str) -> None:
    """A word in `incidents.jsonl` is looked up in one place."""
    assert f"`{word}`" in PAGES["architecture"]


@pytest.mark.parametrize("code", GuardCode)
def test_every_guard_is_in_the_docs_with_what_to_do(code: GuardCode) -> None:
    """A refusal names its guard; the page says what it means and what goes on from there."""
    assert f"\n| `{code}` |" in PAGES["safety"]


def test_the_safety_rules_are_numbered_as_their_tests_name_them() -> None:
    """A test says which rule it holds."""
    rules = re.findall(r"^(\d+)\. \*\*", PAGES["safety"], re.MULTILINE)

    assert rules == [str(number) for number in range(1, 17)]


@pytest.mark.parametrize("word", sorted({*FAULTS, *Mode}))
def test_every_fault_of_a_drill_release_and_every_mode_is_in_the_docs(word: str) -> None:
    """Whoever practices chooses from one table."""
    assert f"`{word}`" in EVERYTHING


@pytest.mark.parametrize("drill", DrillName)
def test_every_drill_is_in_the_docs(drill: DrillName) -> None:
    """A drill is chosen by what it breaks."""
    assert f"| `{drill}` |" in PAGES["drills"]


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_is_in_the_docs(target: str) -> None:
    """The docs say what `make` alone says."""
    assert f"`make {target}`" in OTHERS["CONTRIBUTING.md"] + PAGES["performance"] or target == "help"


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: f"{one['entrypoint']}-{one['name']}")
def test_every_deployment_is_in_the_docs(deployment: dict[str, Any]) -> None:
    """What stands in the Prefect UI is looked up by its name."""
    module, flow = deployment["entrypoint"].rsplit(".", 1)

    assert f"`{getattr(import_module(module), flow).name}/{deployment['name']}`" in EVERYTHING


def test_the_settings_that_the_docs_show_are_taken() -> None:
    """What is copied from a page works: whole files as they are, parts of a service within one."""
    blocks = re.compile(r"^ *```toml\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
    shown = [block for text in PAGES.values() for block in blocks.findall(text)]
    parsed = [tomllib.loads(re.sub(r"^ {4}", "", block, flags=re.MULTILINE)) for block in shown]
    top = set(RunbookSettings.model_fields)

    assert len(parsed) >= 5
    for values in parsed:
        RunbookSettings(**(values if set(values) <= top else {"services": {"oms": values}}))


@pytest.mark.parametrize("path", ALL, ids=name)
def test_no_link_leads_nowhere(path: Path) -> None:
    """A page, a heading or a picture that is linked to is there, on GitHub as in the site."""
    dead = []
    for target, anchor in re.findall(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]*))?\)", CODE_BLOCKS.sub("", ALL[path])):
        found = (path.parent / target).resolve() if target else path
        if not found.exists():
            dead.append(target)
        elif anchor and anchor not in set(map(slug, re.findall(r"^#+ (.+)$", found.read_text("utf-8"), re.MULTILINE))):
            dead.append(f"{target}#{anchor}")

    assert dead == []


CODE_BLOCKS = re.compile(r"^( *)```.*?^\1```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", [one for one in ALL if one.name != "CHANGELOG.md"], ids=name)
def test_the_docs_speak_the_trade_s_words(path: Path) -> None:
    """A person finds by grep what they already know."""
    assert sorted({word.group() for word in RETIRED.finditer(prose(ALL[path]))}) == []


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """`make docs` makes one site of all pages, strictly: every page is in the menu, every link leads somewhere."""
    pytest.importorskip("material", reason="mkdocs-material is of the dev group; `make setup` installs it")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=100)

    assert built.returncode == 0, built.stdout + built.stderr
    assert {f"{page}.html" for page in PAGES} <= {path.name for path in tmp_path.glob("*.html")}
    foreign = [path.name for path in tmp_path.glob("*.html") if OTHER_HOST.search(path.read_text("utf-8"))]
    assert foreign == []


# What a browser would fetch by itself from another host.
OTHER_HOST = re.compile(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["']?https?://""")
