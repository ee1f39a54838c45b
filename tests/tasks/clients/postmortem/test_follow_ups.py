"""Follow-ups have an owner and a date, keep what people write in the postmortem"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import Code, RunbookError
from tasks.model.postmortem.follow_up import FollowUp
from tasks.settings import RunbookSettings
from tasks.work.postmortem.documents import write_document
from tasks.work.postmortem.kept_follow_ups import change_follow_up, list_follow_ups
from tests.fakes.incident.story import INCIDENT, SERVICE, gateway_story

TODAY = datetime.now(UTC).date()


@pytest.fixture
def settings(tmp_path: Path) -> RunbookSettings:
    """An incident that is over, with its postmortem."""
    found = gateway_story(tmp_path).settings
    write_document(found, SERVICE, INCIDENT)
    return found


def document(settings: RunbookSettings) -> Path:
    """Its postmortem."""
    return settings.state_dir / "postmortems" / f"{INCIDENT}.md"


def edit(settings: RunbookSettings, old: str, new: str) -> None:
    """A person changes some words of it."""
    text = document(settings).read_text("utf-8")
    assert old in text
    document(settings).write_text(text.replace(old, new, 1), "utf-8")


def items(settings: RunbookSettings) -> dict[str, FollowUp]:
    """All follow-ups by id."""
    found, broken = list_follow_ups(settings)
    assert broken == ()
    return {one.follow_up_id: one for one in found}


def first(settings: RunbookSettings, tier: Audience = Audience.TIER_3) -> FollowUp:
    """One of a tier."""
    return next(one for one in list_follow_ups(settings)[0] if one.tier is tier and one.is_open)


def line_of(settings: RunbookSettings, one: FollowUp) -> str:
    """Its line in the postmortem."""
    return next(row for row in document(settings).read_text("utf-8").splitlines() if one.follow_up_id in row)


def test_each_has_an_owner_and_a_date_from_the_settings(settings: RunbookSettings) -> None:
    """What nobody owns until some day is done by nobody."""
    found = first(settings)

    assert found.owner == "Ada", "who acknowledged it"
    assert found.due == TODAY + timedelta(days=14)
    assert line_of(settings, found).startswith(f"- [ ] {found.follow_up_id} **Ada**, due {found.due}: Take it up with")


def test_a_role_owns_them_where_the_settings_say_so(tmp_path: Path) -> None:
    """The on-call of that night is not the developer of the fix."""
    story = gateway_story(tmp_path).settings
    role = story.model_copy(update={"follow_ups": story.follow_ups.model_copy(update={"owner": "tier", "due_days": 3})})
    write_document(role, SERVICE, INCIDENT)

    assert first(role).owner == "tier 3, SRE and platform"
    assert first(role).due == TODAY + timedelta(days=3)


def test_writing_the_postmortem_again_changes_none(settings: RunbookSettings) -> None:
    """The next run, and every later one, writes it again."""
    before = items(settings)
    write_document(settings, SERVICE, INCIDENT)

    assert items(settings) == before
    assert not write_document(settings, SERVICE, INCIDENT).changed


def test_what_a_person_writes_into_the_postmortem_counts_and_stays(settings: RunbookSettings) -> None:
    """The document is where people talk about it."""
    one = first(settings)
    edit(settings, f"{one.follow_up_id} **Ada**, due {one.due}", f"{one.follow_up_id} **lee**, due 2030-01-31")

    assert (items(settings)[one.follow_up_id].owner, items(settings)[one.follow_up_id].due) == (
        "lee",
        date(2030, 1, 31),
    )
    assert "follow-ups" in write_document(settings, SERVICE, INCIDENT).edited
    assert "**lee**, due 2030-01-31" in line_of(settings, one)
    assert items(settings)[one.follow_up_id].owner == "lee"


def test_a_tick_in_the_postmortem_and_done_are_the_same(settings: RunbookSettings) -> None:
    """Whoever does it says so where they are."""
    one, other = first(settings), first(settings, Audience.TIER_2)
    edit(settings, f"[ ] {one.follow_up_id}", f"[x] {one.follow_up_id}")
    done = {"done_at": datetime.now(UTC), "done_by": "Ada"}
    change_follow_up(settings, other.follow_up_id, lambda each: each.model_copy(update=done))

    assert items(settings)[one.follow_up_id].done_by == "Ada"
    assert not items(settings)[other.follow_up_id].is_open


def test_each_field_counts_by_itself(settings: RunbookSettings) -> None:
    """A new owner in the document undoes no *done* of the shell, which the document does not show yet."""
    one = first(settings)
    change_follow_up(
        settings,
        one.follow_up_id,
        lambda each: each.model_copy(update={"done_at": datetime.now(UTC), "done_by": "lee"}),
    )
    edit(settings, f"{one.follow_up_id} **Ada**", f"{one.follow_up_id} **max**")

    found = items(settings)[one.follow_up_id]
    assert (found.owner, found.done_by) == ("max", "lee")


def test_a_line_that_is_deleted_or_struck_out_is_dropped(settings: RunbookSettings) -> None:
    """A person decides; it does not come back with the next run."""
    one, other = first(settings), first(settings, Audience.TIER_2)
    edit(settings, line_of(settings, one) + "\n", "")
    edit(settings, line_of(settings, other), line_of(settings, other).replace(": ", ": ~~") + "~~")
    write_document(settings, SERVICE, INCIDENT)

    assert {items(settings)[each.follow_up_id].state for each in (one, other)} == {"dropped"}


def test_a_document_without_the_section_drops_nothing(settings: RunbookSettings) -> None:
    """Somebody moved the document; that says nothing of the work."""
    before = items(settings)
    document(settings).unlink()
    assert items(settings) == before

    document(settings).write_text("# Ours\n", "utf-8")
    assert items(settings) == before


def test_a_line_of_ones_own_is_a_follow_up(settings: RunbookSettings) -> None:
    """What people find in the meeting is followed up as well."""
    row = line_of(settings, first(settings))
    edit(settings, row, f"{row}\n- [ ] **max**, due 2030-02-01: Buy a second line to XNAS")
    edit(settings, row, f"{row}\n- [ ] Ask the venue")

    own = {one.what: one for one in items(settings).values()}
    assert own["Ask the venue"].owner == "tier 2, developer lead"
    write_document(settings, SERVICE, INCIDENT)
    assert len(items(settings)) == len(own)


def test_a_broken_file_is_named_and_hides_no_other(settings: RunbookSettings) -> None:
    """Somebody edited the store by hand."""
    (settings.state_dir / "follow_ups" / "INC-x.json").write_text("{", "utf-8")

    found, broken = list_follow_ups(settings)
    assert len(found) > 1
    assert "no follow-ups" in broken[0]


def test_one_that_is_not_there_is_refused(settings: RunbookSettings) -> None:
    """A typing error changes nothing."""
    with pytest.raises(RunbookError) as caught:
        change_follow_up(settings, "FU-00000000", lambda one: one)
    assert caught.value.code is Code.BAD_ARGUMENT


def test_a_store_that_is_lost_is_made_again_from_facts_and_document(settings: RunbookSettings) -> None:
    """A run was killed between the two files, or somebody cleaned up: what the document says still counts."""
    one = first(settings)
    edit(settings, f"{one.follow_up_id} **Ada**", f"{one.follow_up_id} **lee**")
    (settings.state_dir / "follow_ups" / f"{INCIDENT}.json").unlink()
    write_document(settings, SERVICE, INCIDENT)

    found = items(settings)[one.follow_up_id]
    assert (found.owner, found.tier, found.what) == ("lee", one.tier, one.what)
