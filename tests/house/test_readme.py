"""The README: short, in its order, and each of its commands, pictures and settings works."""

import re
import tomllib

import pytest

from deployments.cli import app
from tasks.settings import RunbookSettings
from tests.house.source import REPOSITORY

README = (REPOSITORY / "README.md").read_text("utf-8")
LONGEST_LINES_COUNT = 150
HEADINGS = [
    "What it does", "Quick start", "What you see", "Break it", "In an incident", "What it never does",
    "Your own service", "Docs", "License",
]  # fmt: skip
PICTURES = re.findall(r"^!\[.+\]\((.+)\)$", README, re.MULTILINE)
TARGETS = re.findall(r"^([a-z-]+):.*## ", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)
COMMANDS = sorted(
    {*re.findall(r"`runbook ([a-z-]+)", README), *re.findall(r"^runbook ([a-z-]+)", README, re.MULTILINE)}
)


def test_the_readme_is_read_in_five_minutes() -> None:
    """Whoever opens it wants to see it run; everything else is a page of docs/."""
    assert len(README.splitlines()) <= LONGEST_LINES_COUNT


def test_the_readme_has_its_sections_in_their_order() -> None:
    """What it does and how to start it come first, at every visit."""
    assert re.findall(r"^## (.+)$", README, re.MULTILINE) == HEADINGS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_is_one(command: str) -> None:
    """The first thing that a person types must not be refused."""
    assert command in set(app)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)\b", README))))
def test_every_make_target_of_the_readme_is_one(target: str) -> None:
    """Quick start is two commands, and both work."""
    assert target in TARGETS


def test_the_readme_shows_the_report_and_a_waiting_plan() -> None:
    """Two pictures say what it is sooner than any sentence."""
    assert len(PICTURES) == 2


@pytest.mark.parametrize("picture", PICTURES)
def test_every_picture_of_the_readme_is_there_and_small(picture: str) -> None:
    """The page shows what it promises, and opens at once on a phone."""
    assert (REPOSITORY / picture).stat().st_size <= 200_000


def test_the_settings_that_the_readme_shows_are_taken() -> None:
    """Whoever copies them for a service of their own starts from a file that works."""
    (shown,) = re.findall(r"^```toml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

    assert RunbookSettings(**tomllib.loads(shown)).services
