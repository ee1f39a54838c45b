"""Settings are read once while nothing changes, and again as soon as anything does."""

import os
from pathlib import Path

import pytest

from tasks.model.errors import Code, RunbookError
from tasks.settings import RunbookSettings, load_settings


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file of two services that is the only source."""
    for name in [name for name in os.environ if name.startswith("RUNBOOK_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "runbook.toml"
    path.write_text("[services.alpha]\n[services.beta]\n", "utf-8")
    monkeypatch.setenv("RUNBOOK_CONFIG", str(path))
    return path


def test_what_has_not_changed_is_not_read_again(config: Path) -> None:
    """A run asks a dozen times, and a hundred services take a fifth of a second to check."""
    assert config.exists()
    assert load_settings() is load_settings()


def test_an_edited_file_counts_from_the_next_question_on(config: Path) -> None:
    """Who lowers the mode in an incident does not restart anything."""
    assert load_settings().mode == "observe"
    config.write_text('mode = "propose"\n[services.alpha]\n', "utf-8")

    assert load_settings().mode == "propose"


def test_a_changed_variable_counts_from_the_next_question_on(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each forked run has variables of its own."""
    assert load_settings().late_after_s == 30
    monkeypatch.setenv("RUNBOOK_LATE_AFTER_S", "12")

    assert config.exists()
    assert load_settings().late_after_s == 12


def test_a_file_that_became_wrong_is_told_every_time(config: Path) -> None:
    """An old reading must not hide that the file is broken now."""
    load_settings()
    config.write_text("mode = 7\n", "utf-8")

    for _ in range(2):
        with pytest.raises(RunbookError) as error:
            load_settings()
        assert error.value.code is Code.BAD_SETTING


def test_no_name_means_the_only_service_and_else_names_the_ones_there_are(config: Path) -> None:
    """An action goes to one service; which one is never guessed."""
    settings = load_settings()
    assert config.exists()
    assert RunbookSettings.model_validate({"services": {"alpha": {}}}).named(None) == "alpha"
    assert settings.named("beta") == "beta"
    for wrong in (None, "", "gamma"):
        with pytest.raises(RunbookError, match="alpha, beta") as error:
            settings.named(wrong)
        assert error.value.code is Code.UNKNOWN_SERVICE


def test_a_look_without_a_name_is_at_every_service(config: Path) -> None:
    """The scheduled run names none, and leaves none out."""
    assert config.exists()
    assert load_settings().asked(None) == ("alpha", "beta")
    assert load_settings().asked("") == ("alpha", "beta")
    assert load_settings().asked("beta") == ("beta",)


def test_the_null_device_names_no_settings_file() -> None:
    """The usual way to say *only the environment*; the monitoring part of a test or a container would not start."""
    assert load_settings({"RUNBOOK_CONFIG": os.devnull}).services == {}
