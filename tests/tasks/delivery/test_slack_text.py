"""Text from outside reaches Slack as text: no mention, no markup, nothing longer than Slack takes, in any script."""

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.incidents.incident import IncidentState
from tasks.model.incidents.modes import Mode
from tasks.rules.messages.slack.blocks import (
    BLOCKS_TOTAL_COUNT,
    CALL_LIMIT_COUNT,
    CONTEXT_LIMIT_COUNT,
    both_ends,
    clean,
    cut,
    escape,
    inert,
    link,
    message_blocks,
    notification_text,
    parts,
    plain_message,
    shown_files,
    width,
)
from tasks.rules.messages.slack.thread_head import Head, head_blocks, head_text
from tests.fakes.slack.slack_rules import units, wrong_blocks, wrong_text
from tests.tasks.delivery.telling import message

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(codec=None), max_size=400)
LONG_TEXT = st.builds(lambda part, count: part * count, st.text(max_size=30), st.integers(1, 2000))


def shown(escaped: str) -> str:
    """What a person reads of an escaped text."""
    return escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("\u2060", "")


@pytest.mark.parametrize(
    "hostile",
    ["<!channel>", "<!here|here>", "<@U012>", "<#C012|desk>", "<https://evil|Acknowledge>", "&lt;!channel&gt;"],
)
def test_what_would_call_people_or_lead_away_is_shown_as_letters(hostile: str) -> None:
    """An order id that says <!channel> must not wake the whole desk."""
    (section, *_) = message_blocks(message(text=f"order {hostile} failed"), (), NOW, NOW)

    assert section["text"]["type"] == "plain_text"
    assert "<" not in section["text"]["text"]
    assert shown(section["text"]["text"]) == f"order {hostile} failed"


@pytest.mark.parametrize(
    "hostile", ["<!channel>", "<@U012AB3CD>", "<#C012|desk>", "<https://evil.example|Acknowledge>", "<mailto:a@b|Yes>"]
)
def test_what_goes_to_another_channel_calls_nobody_and_hides_no_link(hostile: str) -> None:
    """A fallback may be Slack, too, by a way that reads markup in what was given as text."""
    assert hostile not in inert(f"text={hostile}")
    assert shown(inert(f"text={hostile}")) == f"text={hostile}"
    assert inert("latency_ms<3000, see https://prefect/runs/1") == "latency_ms<3000, see https://prefect/runs/1"
    assert "@here" not in inert("ask @here")


@pytest.mark.parametrize("everybody", ["@channel", "@here", "@everyone", "@HERE"])
def test_a_bare_word_for_everybody_is_parted(everybody: str) -> None:
    """Some workspaces link bare names."""
    assert everybody not in escape(f"ask {everybody} now")
    assert shown(escape(f"ask {everybody} now")) == f"ask {everybody} now"


def test_markup_stays_letters_because_the_block_is_plain() -> None:
    """A stack trace is full of stars, backticks and underscores."""
    blocks = message_blocks(message(text="*x* _y_ ~z~ `code` ```fence``` > quote :fire:"), (), NOW, NOW)

    assert blocks[0]["text"] == {
        "type": "plain_text",
        "text": "*x* _y_ ~z~ `code` ```fence``` &gt; quote :fire:",
        "emoji": False,
    }


def test_the_desks_sentence_arrives_to_the_letter() -> None:
    """Traders recognise the sentence."""
    sentence = "We are experiencing degraded order routing for equity. Investigating. Orders may be delayed. ETA 15m."

    assert message_blocks(message(text=sentence), (), NOW, NOW)[0]["text"]["text"] == sentence
    assert notification_text(sentence) == sentence


@given(text=st.one_of(ANY_TEXT, LONG_TEXT), detail=LONG_TEXT)
def test_no_text_of_any_length_or_script_breaks_a_limit(text: str, detail: str) -> None:
    """A refused page is a page that nobody gets."""
    blocks = message_blocks(message(text=text, detail=detail), ("S0123",), NOW, NOW + timedelta(minutes=9))

    assert wrong_blocks(list(blocks)) is None
    assert wrong_text(notification_text(text) or "-") is None


def said(blocks: tuple[dict[str, Any], ...]) -> str:
    """What the sections of a message say, put together."""
    return "".join(block["text"]["text"] for block in blocks if block["type"] == "section")


@pytest.mark.parametrize("length", [11_000, 13_200, 40_000, 300_000])
def test_the_longest_page_keeps_its_call_its_beginning_and_what_to_do(length: int) -> None:
    """At 3 a.m. the first line says what is broken, and the last one what to do: neither is ever cut."""
    words = f"Orders fail since 02:59Z. {'x' * length} Approve the rollback: `runbook approve R`."
    page = message(text=words, detail="line of a log\n" * length)
    blocks = message_blocks(page, ("S0123",), NOW, NOW)

    assert wrong_blocks(list(blocks)) is None
    assert said(blocks).startswith("<!subteam^S0123>Orders fail since 02:59Z.")
    assert "Approve the rollback: `runbook approve R`." in said(blocks)
    assert any("whole-message.txt" in one["text"] for one in blocks[-1]["elements"])
    assert [(one.name, words in one.text) for one in shown_files(page)] == [("whole-message.txt", True)]
    plain = plain_message(page, ("S0123",))
    assert wrong_text(plain) is None
    assert plain.startswith("<!subteam^S0123>\nOrders fail since 02:59Z.")
    assert "Approve the rollback: `runbook approve R`." in plain


def test_the_detail_is_cut_before_the_words_of_a_page() -> None:
    """The lines of a log are in a file, too; the words are what a person acts by."""
    words = "w" * 7000
    blocks = message_blocks(message(text=words, detail="d" * 7000), (), NOW, NOW)

    assert said(blocks).count("w") == 7000
    assert 3000 < said(blocks).count("d") < 5000
    assert "characters are cut here" in said(blocks)


@pytest.mark.parametrize(("spare", "is_cut"), [(0, False), (1, True)])
def test_a_message_is_cut_only_where_slack_would_refuse_it(spare: int, *, is_cut: bool) -> None:
    """What fits is shown whole."""
    room = BLOCKS_TOTAL_COUNT - CALL_LIMIT_COUNT - 3 * CONTEXT_LIMIT_COUNT
    page = message(text="w" * 5000, detail="d" * (room - 5000 + spare))

    assert ("are cut here" in said(message_blocks(page, (), NOW, NOW))) is is_cut
    assert bool(shown_files(page)) is is_cut


def test_a_cut_message_that_is_too_old_for_its_file_does_not_promise_it() -> None:
    """After an hour no file is shown any more."""
    page = message(text="w" * 20_000)
    (*_, small) = message_blocks(page, (), NOW, NOW + timedelta(hours=1))

    assert any("is in notifications.jsonl" in one["text"] for one in small["elements"])


@given(text=st.one_of(ANY_TEXT, LONG_TEXT), limit=st.integers(200, 3000))
def test_a_text_that_is_cut_in_its_middle_is_within_its_limit(text: str, limit: int) -> None:
    """Both ends are what was written."""
    short = both_ends(text, limit)

    assert width(short) <= limit
    if width(text) > limit:
        first, _, last = short.partition("\n… ")
        assert clean(text).startswith(first)
        assert clean(text).endswith(last.partition("…\n")[2])


@given(text=st.one_of(ANY_TEXT, LONG_TEXT), name=st.text(max_size=300), by=st.text(max_size=3000))
def test_no_name_of_an_incident_breaks_its_head(text: str, name: str, by: str) -> None:
    """Service names and people's names come from outside, too."""
    incident = IncidentState(
        incident_id=text or "x", service=name, state="opened", opened_at=NOW, acknowledged_by=by or None
    )
    head = Head(service=name, incident_id=text, mode=Mode.ACT, incident=incident, taken=bool(by), button=True)

    assert wrong_blocks(list(head_blocks(head))) is None
    assert wrong_text(head_text(head)) is None


@given(text=st.text(max_size=500), limit=st.integers(10, 60))
def test_parts_put_together_are_the_whole(text: str, limit: int) -> None:
    """Nothing is lost where a text is parted."""
    found = parts(text, limit)

    assert all(units(part) <= limit for part in found)
    assert "".join(found) == escape(text).strip("\n")


@given(text=st.text(max_size=500), limit=st.integers(10, 60))
def test_a_cut_text_is_within_its_limit_and_says_that_it_is_cut(text: str, limit: int) -> None:
    """A reader must know that there is more."""
    short = cut(text, limit)

    assert units(short) <= limit
    assert short == escape(text) or short.endswith(" …")


def test_a_text_is_not_cut_within_a_character_as_people_see_it() -> None:
    """Half of a family, or a letter without its accent, is another word."""
    family, accented = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "e\u0301"
    for text in (family * 40, accented * 40):
        found = parts(text, 25)
        assert all(not unicodedata.combining(part[0]) and part[0] != "\u200d" for part in found)
        assert all(not part.endswith("\u200d") for part in found)


def test_what_turns_writing_around_or_hides_is_left_out() -> None:
    """A log line must not read as another one."""
    assert escape("buy\u202e009\u202c \u0007\x1b[31mred\x00") == "buy009 [31mred"


def test_half_a_pair_does_not_stop_a_page() -> None:
    """Slack refuses a text that is no text."""
    assert escape("ok \ud83d end") == "ok \ufffd end"


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://x/a b", "https://x/<y>", "https://x/a|b", "", None]
)
def test_an_address_that_is_none_makes_no_link(address: str | None) -> None:
    """A link in a page is clicked without a check."""
    assert link(address, "the run") is None


def test_the_run_is_linked_in_the_small_print() -> None:
    """The person paged is one click from the report."""
    (*_, small) = message_blocks(message(run_url="http://127.0.0.1:4200/runs/flow-run/1?a=1&b=2"), (), NOW, NOW)

    assert {"type": "mrkdwn", "text": "<http://127.0.0.1:4200/runs/flow-run/1?a=1&amp;b=2|the run>"} in small[
        "elements"
    ]


def test_a_late_message_says_so() -> None:
    """Yesterday's page must not be taken for today's."""
    (*_, small) = message_blocks(message(), (), NOW - timedelta(minutes=5), NOW)

    assert any("Delivered late; written 2026-11-23T14:55:00.000Z" in one["text"] for one in small["elements"])


def test_a_user_group_is_called_in_a_block_of_its_own() -> None:
    """Only our own settings call people."""
    (called, *_) = message_blocks(message(text="<!subteam^S999>"), ("S0123",), NOW, NOW)

    assert called == {"type": "section", "text": {"type": "mrkdwn", "text": "<!subteam^S0123>"}}
