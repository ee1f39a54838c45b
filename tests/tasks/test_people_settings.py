"""A wrong `[people]` is one clear line, and none of it shows whom a page calls."""

from pathlib import Path

import pytest

from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import Action
from tasks.model.people.person import Role
from tasks.settings import load_settings

ADA = '[people.ada]\nrole = "admin"\nslack = "U0ADA"\nlogins = ["ada"]\n'
BOB = '[people.bob]\nname = "Bob"\nrole = "approver"\nlogins = ["bob"]\ncall = "mailto://u:hunter2@h"\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "runbook.toml"
    monkeypatch.setenv("RUNBOOK_CONFIG", str(path))
    return path


def test_people_are_read(config: Path) -> None:
    """As a file has them."""
    config.write_text(f'four_eyes = ["resume"]\n{ADA}{BOB}', "utf-8")
    settings = load_settings()

    assert settings.people["ada"].role is Role.ADMIN
    assert settings.people["bob"].call[0].get_secret_value() == "mailto://u:hunter2@h"
    assert settings.four_eyes == (Action.RESUME,)
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[people.ada]\nrole = "boss"\n', "people.ada.role"),
        ('[people.ada]\nslack = "@ada"\n', "people.ada.slack"),
        ('[people."a b"]\n', "people.a b"),
        ('[people."007"]\n', "people.007"),
        ('[people.ada]\nname = "\u200b1"\n', "a name with a letter"),
        ('[people.ada]\nphone = "1"\n', "people.ada.phone"),
        ('[people.ada]\ncall = "hunter2"\n', "people.ada.call"),
        (f'{ADA}[people.eve]\nlogins = ["ada"]\n', "'login ada'"),
        (f'four_eyes = ["resume"]\n{ADA}', "at least two approvers"),
        (f'four_eyes = ["pause_strategies"]\n{ADA}{BOB}', "tightens"),
        (f'four_eyes = ["everything"]\n{ADA}{BOB}', "four_eyes"),
    ],
)
def test_a_wrong_table_is_one_line(config: Path, text: str, named: str) -> None:
    """The key, what was expected, and no secret."""
    config.write_text(text, "utf-8")

    with pytest.raises(RunbookError) as caught:
        load_settings()

    assert caught.value.code is Code.BAD_SETTING
    assert named in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
