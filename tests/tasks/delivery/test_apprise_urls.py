"""The door to every channel that is not Slack's own: bounded, honest, and inert."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from tasks.clients.messages.apprise_ import send_to_url
from tasks.model.messages.delivery import DeliveryVerdict
from tests.fakes.mailbox import Mailbox, mailbox

pytestmark = pytest.mark.live


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    """Somewhere that an Apprise URL leads to."""
    with mailbox() as one:
        yield one


def test_a_mail_server_that_hangs_is_given_up(mail: Mailbox) -> None:
    """The second channel must not hang because the first one does."""
    mail.hangs = True
    begun_s = time.monotonic()

    answer = send_to_url(SecretStr(mail.url), "title", "body", deadline_s=0.2)

    assert answer.verdict is DeliveryVerdict.DOWN
    assert time.monotonic() - begun_s < 30


def test_a_fallback_that_reads_markup_is_given_none(mail: Mailbox) -> None:
    """A venue's words of a reject reach it, and a plugin for Slack sends text as markup."""
    assert send_to_url(SecretStr(mail.url), "<!here> title", "text=<!channel>").verdict is DeliveryVerdict.SENT

    assert "<!" not in str(mail.taken)


def test_a_plugin_that_breaks_is_not_taken_for_delivery(mail: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred plugins, each with a library of its own."""

    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("apprise.Apprise.notify", broken)

    assert send_to_url(SecretStr(mail.url), "title", "body").verdict is DeliveryVerdict.DOWN
    assert mail.taken == []
