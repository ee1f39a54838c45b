"""The endpoint tells that the watch has stopped, when the worker that would tell it is dead."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.monitoring.prefect_door import workers_page
from deployments.monitoring.stall_watch import EVERY_S, StallWatch
from tasks.clients.evidence.history import history_path, note_finished, remember_observation
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.locks import host_lock
from tasks.model.incidents.incident import Event, LedgerRecord, Source
from tasks.model.messages.messages import Message
from tasks.model.probes.history import PastObservation
from tasks.model.probes.liveness import Answered, Liveness, SeenAlive
from tasks.rules.incidents.fold import open_incidents
from tasks.settings import RunbookSettings
from tasks.work.fleet.watchdog import stall_now

NAME = "order-service"
START = datetime.now(UTC) - timedelta(hours=1)
STEP = timedelta(seconds=EVERY_S)


class Desk:
    """People who are notified; while `deaf` nothing reaches them."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.deaf = False

    def hear(self, settings: RunbookSettings, service: str, message: Message) -> bool:
        """Take one message."""
        assert settings.services
        assert service == NAME
        if not self.deaf:
            self.heard.append(message)
        return not self.deaf

    @property
    def keys(self) -> list[str]:
        """What the messages were about."""
        return [one.key.rpartition("/")[2] + "/" + one.audience for one in self.heard]


@pytest.fixture
def settings(tmp_path: Path) -> RunbookSettings:
    """Watch one service, last looked at when the test begins."""
    found = RunbookSettings.model_validate({"state_dir": tmp_path, "services": {NAME: {}}})
    look(found, START)
    return found


def look(settings: RunbookSettings, at: datetime) -> None:
    """Let a triage look, and come to its end."""
    assert remember_observation(history_path(settings, NAME), PastObservation(at=at, status="ok"))
    assert note_finished(history_path(settings, NAME), at)


def watch_for(watch: StallWatch, desk: Desk, since: datetime, minutes: float) -> datetime:
    """Check every quarter minute for a while, and say when it ended."""
    now = since
    while now < since + timedelta(minutes=minutes):
        now += STEP
        watch.check(now, desk.hear)
    return now


def test_a_watch_that_stopped_is_told_once_to_both_tiers(settings: RunbookSettings) -> None:
    """However long it lasts: one page each, within the fourth minute."""
    desk, watch = Desk(), StallWatch(settings, START)

    now = watch_for(watch, desk, START, 2.75)
    assert desk.heard == []
    watch_for(watch, desk, now, 30)

    assert desk.keys == ["watch-stopped/tier_3", "watch-stopped/tier_1"]
    (incident,) = open_incidents(read_ledger(settings.ledger_path(NAME)).records, NAME)
    assert incident.incident_id == desk.heard[0].incident_id


def test_triages_that_begin_and_fail_are_no_triages(settings: RunbookSettings) -> None:
    """Each minute one observes, records, and breaks before anybody is notified: that is a stall, not a watch."""
    desk, watch, now = Desk(), StallWatch(settings, START), START
    for _ in range(5):
        now = watch_for(watch, desk, now, 1)
        assert remember_observation(history_path(settings, NAME), PastObservation(at=now, status="critical"))
        record = LedgerRecord(timestamp=now, type="x", service=NAME, event=Event.OBSERVED, source=Source.TRIAGE)
        append(settings.ledger(NAME), [record])

    assert desk.keys == ["watch-stopped/tier_3", "watch-stopped/tier_1"]


def test_triages_that_have_failed_from_the_first_are_no_triages_either(tmp_path: Path) -> None:
    """A stack that was set up wrongly looks each minute, and tells nobody."""
    settings = RunbookSettings.model_validate({"state_dir": tmp_path, "services": {NAME: {}}})
    desk, watch, now = Desk(), StallWatch(settings, START), START
    for _ in range(5):
        assert remember_observation(history_path(settings, NAME), PastObservation(at=now, status="critical"))
        now = watch_for(watch, desk, now, 1)

    assert desk.keys == ["watch-stopped/tier_3", "watch-stopped/tier_1"]


def test_a_service_that_hangs_while_triage_has_stalled_is_told_to_the_desk(settings: RunbookSettings) -> None:
    """The part that asks each second knows it, and there is nobody else to tell."""
    alive: dict[str, SeenAlive] = {}
    desk, watch = Desk(), StallWatch(settings, START, alive.get)
    now = watch_for(watch, desk, START, 4)
    assert desk.keys == ["watch-stopped/tier_3", "watch-stopped/tier_1"]

    hangs = Answered(liveness=Liveness.SILENT)
    alive[NAME] = SeenAlive(answered=hangs, since=now - STEP, asked_at=now + STEP)
    watch_for(watch, desk, now, 0.25)

    about = "watch-stopped-cannot-trade"
    assert desk.keys[2:] == [f"{about}/tier_3", f"{about}/tier_1", f"{about}/desk"]


def test_the_message_leads_to_the_workers_since_no_run_says_it(
    settings: RunbookSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page that shows the dead worker is one click away; behind a proxy it is the address that people use."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    desk = Desk()
    watch_for(StallWatch(settings, START), desk, START, 5)

    assert {one.run_url for one in desk.heard} == {"http://127.0.0.1:4200/work-pools"}
    assert workers_page({"PREFECT_UI_URL": "https://ui/", "PREFECT_API_URL": "http://x/api"}) == "https://ui/work-pools"
    assert workers_page({}) is None


def test_a_triage_a_minute_keeps_it_quiet(settings: RunbookSettings) -> None:
    """A watch on the watch that cries wolf is switched off."""
    desk, watch, now = Desk(), StallWatch(settings, START), START
    for _ in range(10):
        look(settings, now)
        now = watch_for(watch, desk, now, 1)

    assert desk.heard == []


def test_what_did_not_reach_them_is_told_again(settings: RunbookSettings) -> None:
    """Slack and the worker may have died of the same thing."""
    desk, watch = Desk(), StallWatch(settings, START)
    desk.deaf = True
    now = watch_for(watch, desk, START, 5)
    desk.deaf = False
    watch_for(watch, desk, now, 5)

    assert desk.keys == ["watch-stopped/tier_3", "watch-stopped/tier_1"]


def test_a_machine_that_slept_is_given_its_time(settings: RunbookSettings) -> None:
    """A laptop that is opened in the morning pages nobody, unless its triages do not come back."""
    desk, watch = Desk(), StallWatch(settings, START)
    now = watch_for(watch, desk, START, 1)
    awake = now + timedelta(minutes=40)
    now = watch_for(watch, desk, awake, 2.75)
    assert desk.heard == []
    watch_for(watch, desk, now, 1)

    assert len(desk.heard) == 2


def test_a_stop_that_cannot_be_recorded_is_told_once_all_the_same(settings: RunbookSettings) -> None:
    """A full disk stops triages, and the ledger with them."""
    settings.ledger_path(NAME).mkdir()
    desk, watch = Desk(), StallWatch(settings, START)
    watch_for(watch, desk, START, 10)

    assert desk.keys == ["watch-stopped/tier_3", "watch-stopped/tier_1"]


def test_a_service_that_no_triage_ever_looked_at_is_not_missed(tmp_path: Path) -> None:
    """What nobody scheduled cannot stop."""
    settings = RunbookSettings.model_validate({"state_dir": tmp_path, "services": {NAME: {}}})
    desk, watch = Desk(), StallWatch(settings, START)
    watch_for(watch, desk, START, 10)

    assert desk.heard == []


def test_an_action_under_way_and_its_last_word_are_signs(settings: RunbookSettings) -> None:
    """A restart with its proof looks at nothing new for minutes, and is no stop."""
    lease = host_lock.take(settings.state_dir, NAME, "a test")
    under_way = stall_now(settings, NAME, START + timedelta(minutes=5))
    host_lock.release(settings.state_dir, lease)
    left_alone = stall_now(settings, NAME, START + timedelta(minutes=5))
    ended_at = START + timedelta(minutes=4)
    append(
        settings.ledger_path(NAME),
        [LedgerRecord(timestamp=ended_at, type="x", service=NAME, event=Event.ACTION_FINISHED, source=Source.TRIAGE)],
    )
    just_ended = stall_now(settings, NAME, START + timedelta(minutes=5))

    assert under_way is not None
    assert left_alone is not None
    assert just_ended is not None
    assert (under_way.stalled, left_alone.stalled, just_ended.stalled) == (False, True, False)


def many(tmp_path: Path) -> RunbookSettings:
    """Watch four services of one host, each with a ledger of its own."""
    services = {name: {"incidents_file": str(tmp_path / f"{name}.ledger")} for name in ("a", "b", "c", "d")}
    return RunbookSettings.model_validate({"state_dir": tmp_path, "services": services})


def looked_at(settings: RunbookSettings, names: str, at: datetime) -> None:
    """Let a round look at some services, and come to its end."""
    for name in names:
        assert remember_observation(history_path(settings, name), PastObservation(at=at, status="ok"))
        assert note_finished(history_path(settings, name), at)


def heard(
    watch: StallWatch, since: datetime, minutes: float, goes_on: Callable[[datetime], None] = lambda _: None
) -> list[tuple[str, Message]]:
    """Check every quarter minute for a while, where a triage may go on each minute, and say who was notified what."""
    told: list[tuple[str, Message]] = []

    def hear(_: RunbookSettings, service: str, message: Message) -> bool:
        told.append((service, message))
        return True

    for step in range(1, int(minutes * 4) + 1):
        if step % 4 == 0:
            goes_on(since + step * STEP)
        watch.check(since + step * STEP, hear)
    return told


def test_a_stop_of_the_watch_over_many_services_is_one_incident_and_one_page_each(tmp_path: Path) -> None:
    """A hundred services must not mean two hundred pages for one dead worker."""
    settings = many(tmp_path)
    looked_at(settings, "abcd", START)

    told = heard(StallWatch(settings, START), START, 5)

    assert [service for service, _ in told] == ["a", "a"]
    assert "also b, c, d" in told[0][1].text
    opened = [name for name in "abcd" if open_incidents(read_ledger(settings.ledger_path(name)).records, name)]
    assert opened == ["a"]


def test_one_service_that_is_left_out_is_noticed_though_the_others_are_looked_at(tmp_path: Path) -> None:
    """The run completes every minute, so no automation would ever tell."""
    settings = many(tmp_path)
    looked_at(settings, "abcd", START)

    told = heard(StallWatch(settings, START), START, 5, lambda now: looked_at(settings, "abc", now))

    assert [service for service, _ in told] == ["d", "d"]
    assert "; also" not in told[0][1].text


def test_one_that_was_never_looked_at_is_noticed_where_others_are(tmp_path: Path) -> None:
    """A service that was added to runbook.toml, and that no round reaches."""
    settings = many(tmp_path)
    looked_at(settings, "abc", START)

    told = heard(StallWatch(settings, START), START, 5, lambda now: looked_at(settings, "abc", now))

    assert [service for service, _ in told] == ["d", "d"]
    assert "no triage has checked it" in told[0][1].text
    assert heard(StallWatch(settings, START), START, 2.75) == []


def test_a_service_that_falls_silent_later_is_told_too(tmp_path: Path) -> None:
    """The first incident covers those that it names, and nobody else."""
    settings = many(tmp_path)
    looked_at(settings, "ab", START)
    watch = StallWatch(settings, START)
    assert heard(watch, START, 2) == []
    looked_at(settings, "cd", START + timedelta(minutes=2))

    told = heard(watch, START + timedelta(minutes=2), 5)

    assert [service for service, _ in told] == ["a", "a", "c", "c"]
    assert "also d" in told[2][1].text
