"""The queue on disk: whole files, one for each key, and nothing lost when one is damaged."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.clients.messages.outbox import Outbox, waiting_count
from tasks.model.messages.delivery import Post, Thread
from tests.tasks.delivery.telling import SERVICE, Telling, message

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def test_a_message_is_queued_once_for_each_key(tmp_path: Path) -> None:
    """Fifty failing runs queue one page."""
    for minutes in range(50):
        Outbox(tmp_path).put(SERVICE, message(text=f"at {minutes}"), NOW + timedelta(minutes=minutes))

    (entry,) = Outbox(tmp_path).waiting()
    assert entry.message.text == "at 0"


def test_a_message_that_is_being_sent_is_not_overwritten_by_the_same_one(tmp_path: Path) -> None:
    """What is known of an unfinished call must outlive a second run."""
    begun = Outbox(tmp_path).put(SERVICE, message(), NOW).model_copy(update={"post": Post(begun_at=NOW)})
    Outbox(tmp_path).save(begun)

    assert Outbox(tmp_path).put(SERVICE, message(), NOW).post.begun_at == NOW


def test_the_oldest_goes_first(tmp_path: Path) -> None:
    """*Opened* is read before *closed*."""
    for about, at in (("closed", 2), ("opened", 0), ("again-1", 1)):
        Outbox(tmp_path).put(SERVICE, message(about), NOW + timedelta(seconds=at))

    assert [one.message.text for one in Outbox(tmp_path).waiting()] == ["about opened", "about again-1", "about closed"]


def test_a_damaged_file_costs_its_own_message_only_until_that_is_told_again(tmp_path: Path) -> None:
    """A disk that was full left half a file behind."""
    Outbox(tmp_path).put(SERVICE, message("opened"), NOW)
    Outbox(tmp_path).put(SERVICE, message("closed"), NOW)
    for path in (tmp_path / "outbox" / "messages").glob("*.json"):
        if "opened" in path.read_text("utf-8"):
            path.write_bytes(b'{"service": "order-')

    assert [one.message.text for one in Outbox(tmp_path).waiting()] == ["about closed"]
    Outbox(tmp_path).put(SERVICE, message("opened"), NOW)
    assert len(Outbox(tmp_path).waiting()) == 2


def test_a_file_that_a_killed_writer_left_is_no_message(tmp_path: Path) -> None:
    """Half written files have another name."""
    Outbox(tmp_path).put(SERVICE, message(), NOW)
    (tmp_path / "outbox" / "messages" / ".0123.new").write_bytes(b"{")

    assert len(Outbox(tmp_path).waiting()) == 1


def test_what_is_pending_is_counted_for_the_next_run(tmp_path: Path) -> None:
    """A healthy minute asks one folder whether there is anything to send."""
    outbox = Outbox(tmp_path)
    assert outbox.pending_count() == 0

    outbox.put(SERVICE, message(), NOW)
    said = Post(place="C0ALL", ts="1795377073.000000")
    outbox.save_thread(Thread(service=SERVICE, incident_id="INC-1", place="C0ALL", head=said))
    outbox.save_thread(Thread(service=SERVICE, incident_id="INC-2", place="C0ALL", head=said, final=True))
    outbox.save_thread(Thread(service=SERVICE, incident_id="INC-3", place="C0ALL"))

    assert outbox.pending_count() == 2
    assert waiting_count(Telling(tmp_path).settings) == 1


def test_one_process_sends_at_a_time(tmp_path: Path) -> None:
    """Two senders would say everything twice."""
    with Outbox(tmp_path).only_sender(0.1) as first, Outbox(tmp_path).only_sender(0.1) as second:
        assert (first, second) == (True, False)
    with Outbox(tmp_path).only_sender(0.1) as again:
        assert again


def test_a_disk_that_cannot_be_written_holds_messages_in_memory(tmp_path: Path) -> None:
    """A page beats its own bookkeeping."""
    (tmp_path / "outbox").write_text("a file where the folder should be")
    outbox = Outbox(tmp_path)

    entry = outbox.put(SERVICE, message(), NOW)
    assert outbox.save(entry.model_copy(update={"shown": True})) is False

    assert [one.shown for one in outbox.waiting()] == [True]
    with outbox.only_sender(0.1) as is_us:
        assert is_us
    outbox.remove(entry)
    assert outbox.waiting() == ()


@pytest.mark.parametrize("about", ["x" * 5000, "a/../../b", "\u0000", "\U0001f4a5"])
def test_no_key_is_a_path(tmp_path: Path, about: str) -> None:
    """Keys hold what comes from outside."""
    Outbox(tmp_path / "state").put(SERVICE, message(about), NOW)

    assert len(Outbox(tmp_path / "state").waiting()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
