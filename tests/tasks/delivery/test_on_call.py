"""A page names and calls who is on call; whoever they are, the tier's own channels are what they were."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tasks.clients.messages.apprise_ import send_to_url
from tasks.clients.messages.delivery_thread import deliver
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import RunbookError
from tasks.rules.messages.on_call import clock_text
from tasks.settings import load_settings
from tests.fakes.mailbox import Mailbox, mailbox
from tests.fakes.slack.slack_api import FakeSlack
from tests.fakes.slack.slack_rules import ON_CALL
from tests.fakes.slack.slack_server import slack
from tests.tasks.delivery.telling import SERVICE, Telling, message, slack_settings

pytestmark = pytest.mark.live
YESTERDAY, TOMORROW = (datetime.now(UTC).date() + timedelta(days=days) for days in (-1, 1))
ADA_ALONE = {"rotation": ["ada"], "starts": YESTERDAY, "shift": "1d", "hand_over": "00:00"}
NOBODY_YET = {"rotation": ["ada"], "starts": TOMORROW}


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Let Apprise load its hundred plugins before anybody waits for a page."""
    with mailbox() as one:
        send_to_url(SecretStr(one.url), "loads", "plugins", deadline_s=120)


@pytest.fixture
def tier() -> Iterator[Mailbox]:
    """The general fallback of the tier."""
    with mailbox() as one:
        yield one


@pytest.fixture
def ada() -> Iterator[Mailbox]:
    """What reaches Ada alone."""
    with mailbox() as one:
        yield one


def on_call(ada: Mailbox | None = None, rota: dict[str, Any] | None = None) -> dict[str, Any]:
    """The settings of one person, who is on call."""
    person = {"name": "Ada Lovelace", "slack": ON_CALL, "call": [ada.url] if ada else []}
    return {"people": {"ada": person}, "on_call": {"tier_1": rota or ADA_ALONE}}


def paged(tmp_path: Path, tier: Mailbox, more: dict[str, Any], about: str = "opened") -> Telling:
    """One message to tier 1, one round after it was queued."""
    telling = Telling(tmp_path, fallback={"tier_1": [tier.url]}, more=more).opened()
    telling.queue(message(about))
    telling.round()
    return telling


def test_a_page_goes_to_who_is_on_call_before_the_whole_tier(tmp_path: Path, tier: Mailbox, ada: Mailbox) -> None:
    """One person is woken, and not all."""
    telling = paged(tmp_path, tier, on_call(ada))

    assert (len(ada.taken), tier.taken) == (1, [])
    assert telling.told() == [message().key]


def test_a_person_who_cannot_be_reached_holds_no_page_up(tmp_path: Path, tier: Mailbox, ada: Mailbox) -> None:
    """Their channel is one more way, and never instead of the tier's."""
    ada.status = 500
    telling = paged(tmp_path, tier, on_call(ada))

    assert (ada.taken, len(tier.taken)) == ([], 1)
    assert telling.told() == [message().key]


def test_where_nobody_is_on_call_the_tier_is_reached_as_ever(tmp_path: Path, tier: Mailbox, ada: Mailbox) -> None:
    """A gap in the rota is no gap in paging."""
    paged(tmp_path, tier, on_call(ada, NOBODY_YET))

    assert (ada.taken, len(tier.taken)) == ([], 1)


@pytest.mark.parametrize("about", ["recovered", "closed", "restart_service-done"])
def test_what_asks_nobody_to_come_calls_nobody(tmp_path: Path, tier: Mailbox, ada: Mailbox, about: str) -> None:
    """Nobody is woken to read that it is over."""
    telling = Telling(tmp_path, fallback={"tier_1": [tier.url]}, more=on_call(ada))
    telling.queue(message(about))
    telling.round()

    assert (ada.taken, len(tier.taken)) == ([], 1)


def test_slack_mentions_who_is_on_call_beside_the_group(tmp_path: Path) -> None:
    """A phone rings for a mention."""
    with slack() as fake:
        telling = Telling(tmp_path, _slack(fake), more=on_call()).opened()
        telling.queue(message(), message("restart_service-done"))
        telling.round()
        page, note = fake.replies()

    assert page.blocks[0]["text"]["text"] == "<!subteam^S0LEAD> <@U0ADA>"
    assert note.blocks[0]["text"]["text"] == "<!subteam^S0LEAD>"


def _slack(fake: FakeSlack) -> dict[str, Any]:
    return slack_settings(fake, tier_1={"user_group": "S0LEAD"})


def test_a_page_says_who_is_on_call_and_until_when(tmp_path: Path) -> None:
    """Whoever reads it knows who comes; the desk and a note do not name anybody."""
    telling = Telling(tmp_path, more=on_call()).opened()
    settings = telling.settings
    for one in (message(), message("restart_service-done"), message("desk-fx", Audience.DESK)):
        deliver(settings, SERVICE, one)

    until = clock_text(datetime.combine(TOMORROW, datetime.min.time(), UTC), datetime.now(UTC))
    assert [one.text for one in telling.deliveries] == [
        f"about opened\nOn call: Ada Lovelace, until {until}.",
        "about restart_service-done",
        "about desk-fx",
    ]


def test_a_page_says_that_nobody_is_on_call(tmp_path: Path) -> None:
    """Whoever reads it knows that nobody else was called."""
    telling = Telling(tmp_path, more=on_call(rota=NOBODY_YET)).opened()
    deliver(telling.settings, SERVICE, message())

    assert telling.deliveries[0].text == "about opened\nOn call: nobody. See `runbook oncall`."


@pytest.mark.parametrize(
    ("rota", "words"),
    [
        ('rotation = ["eve"]\nstarts = 2026-11-30', "expected a person of [people] was 'eve'; add [people.eve]"),
        ('rotation = ["ada"]', "starts, the day of the first hand-over, is expected beside the rotation"),
        ("", "one of rotation, calendar_file and calendar_url is expected"),
        ('rotation = ["ada"]\nstarts = 2026-11-30\nshift = "1h"', "a length such as 12h, 1d or 1w is expected"),
        ('rotation = ["ada"]\nstarts = 2026-11-30\nends = 2026-11-30', "ends after 2026-11-30 is expected"),
        ('rotation = ["ada"]\nstarts = 2026', "a date such as 2026-11-30 is expected"),
        (
            (
                'rotation = ["ada"]\nstarts = 2026-11-30\noverrides = [\n'
                '{ person = "ada", starts = 2026-12-01T08:00:00, ends = 2026-12-02T08:00:00 },\n'
                '{ person = "sam", starts = 2026-12-02T07:00:00, ends = 2026-12-03T08:00:00 }]'
            ),
            "overrides that do not overlap are expected, those of ada and sam do",
        ),
        (
            (
                'rotation = ["ada"]\nstarts = 2026-11-30\n'
                'overrides = [{ person = "sam", starts = 2026-12-02T08:00:00, ends = 2026-12-02T08:00:00 }]'
            ),
            "an override that ends after it starts is expected, that of sam does not",
        ),
    ],
)
def test_a_bad_rota_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rota: str, words: str) -> None:
    """It is found when it is written, and not at night."""
    path = tmp_path / "runbook.toml"
    path.write_text(f"[people.ada]\n[people.sam]\n[on_call.tier_1]\n{rota}\n", "utf-8")
    monkeypatch.setenv("RUNBOOK_CONFIG", str(path))

    with pytest.raises(RunbookError) as caught:
        load_settings()

    assert str(caught.value).startswith("BAD_SETTING: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
