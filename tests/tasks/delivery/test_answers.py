"""What Slack answers has a name, and what the name means for the next call."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.messages.channels import FallbackSettings, SlackSettings
from tasks.model.messages.delivery import Answer, DeliveryVerdict
from tasks.rules.messages.retry import blocked_until, worth_waiting
from tasks.rules.messages.routes import next_audiences, routes_to
from tasks.rules.messages.slack.errors import RETRY_DEFAULT_S, read_refusal, wait_s

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "error", "verdict"),
    [
        (200, "channel_not_found", DeliveryVerdict.NO_PLACE),
        (200, "not_in_channel", DeliveryVerdict.NO_PLACE),
        (200, "a_word_of_next_year", DeliveryVerdict.NO_PLACE),
        (200, "invalid_auth", DeliveryVerdict.DENIED),
        (200, "missing_scope", DeliveryVerdict.DENIED),
        (200, "invalid_blocks", DeliveryVerdict.BAD_CONTENT),
        (200, "msg_too_long", DeliveryVerdict.BAD_CONTENT),
        (200, "message_not_found", DeliveryVerdict.GONE),
        (200, "ratelimited", DeliveryVerdict.LIMITED),
        (429, None, DeliveryVerdict.LIMITED),
        (200, "internal_error", DeliveryVerdict.DOWN),
        (200, "Received a response in a non-JSON format: <html>", DeliveryVerdict.DOWN),
        (200, None, DeliveryVerdict.DOWN),
        (200, ["x"], DeliveryVerdict.DOWN),
        (500, "channel_not_found", DeliveryVerdict.DOWN),
        (503, "", DeliveryVerdict.DOWN),
    ],
)
def test_each_refusal_has_its_name(status: int, error: object, verdict: DeliveryVerdict) -> None:
    """Only an answer in Slack's own words is certain."""
    assert read_refusal(status, error).verdict is verdict


@given(st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.binary()))
def test_any_retry_after_gives_a_wait_within_a_day(said: object) -> None:
    """A proxy may write anything there."""
    assert 0 <= wait_s(said) <= 86_400


def test_retry_after_is_taken_at_its_word() -> None:
    """Who comes back too soon is limited for longer."""
    answer = read_refusal(429, "ratelimited", "17")

    assert blocked_until(answer, NOW) == NOW + timedelta(seconds=17)
    assert wait_s(None) == wait_s("soon") == wait_s(float("nan")) == RETRY_DEFAULT_S


def test_what_failed_is_tried_again_by_the_next_run() -> None:
    """Runs are a minute apart."""
    for verdict in set(DeliveryVerdict) - {DeliveryVerdict.SENT, DeliveryVerdict.LIMITED}:
        assert blocked_until(Answer(verdict=verdict), NOW) < NOW + timedelta(minutes=1)


def test_a_moment_is_waited_for_and_not_for_ever() -> None:
    """A page that is held for a second must not be held by a second each second."""
    soon = NOW + timedelta(seconds=1)

    assert worth_waiting(soon, NOW, NOW)
    assert not worth_waiting(NOW + timedelta(seconds=30), NOW, NOW)
    assert not worth_waiting(soon, NOW - timedelta(minutes=1), NOW)


@pytest.mark.parametrize("audience", list(Audience))
def test_instead_of_an_audience_others_are_told_and_never_itself_or_the_desk(audience: Audience) -> None:
    """A technical page must not land on the desk."""
    assert next_audiences(audience)
    assert not {audience, Audience.DESK} & set(next_audiences(audience))


def test_the_ways_are_in_order_and_hold_no_secret() -> None:
    """A route is logged; a password must not be."""
    hook, mail = "https://hooks.slack.com/services/T/B/hooksecret", "mailto://user:mailsecret@example.com"
    slack = SlackSettings.model_validate({"token": "xoxb-tokensecret", "channel": "C012", "webhook_url": hook})
    fallback = FallbackSettings.model_validate({"tier_1": mail})

    routes = routes_to(slack, fallback, Audience.TIER_1)

    assert [route.name for route in routes] == ["slack", "slack_webhook", "mailto"]
    assert "secret" not in str(routes)
    assert [route.name for route in routes_to(slack, fallback, Audience.DESK)] == ["slack", "slack_webhook"]
