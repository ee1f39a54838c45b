"""A document that two write: the generated parts come up to date, and nothing that a person wrote is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tasks.model.postmortem.postmortem import Block, Composed
from tasks.rules.postmortem.merge_edits import composed, without_markers

TITLE = "# Postmortem of INC-1"
OLD = (Block(name="impact", text="## Impact\n\n1 order"), Block(name="cause", text="## Cause\n\nunknown"))
NEW = (Block(name="impact", text="## Impact\n\n2 orders"), Block(name="cause", text="## Cause\n\nXNAS"))


def first() -> str:
    """The document as it was generated."""
    return composed(TITLE, OLD, None).text


def again(standing: str, blocks: tuple[Block, ...] = NEW) -> Composed:
    """Generate over what stands."""
    return composed(TITLE, blocks, standing)


def test_what_nobody_edited_comes_up_to_date() -> None:
    """Looks and messages go on after the first version."""
    found = again(first())

    assert "2 orders" in found.text
    assert "1 order\n" not in found.text
    assert (found.edited, found.removed) == ((), ())


def test_generating_twice_changes_nothing() -> None:
    """A file that changes by itself every minute is one that nobody edits."""
    assert again(first(), OLD).text == first()
    assert again(again(first()).text).text == again(first()).text


@pytest.mark.parametrize("place", ["# Postmortem of INC-1\n", "## Notes\n", "<!-- runbook:end impact -->\n"])
def test_words_outside_of_the_parts_stay(place: str) -> None:
    """The person's own account is what the meeting reads."""
    standing = first().replace(place, f"{place}\nWe called the venue at 15:10. Ωμέγα.\n")
    found = again(standing)

    assert "We called the venue at 15:10. Ωμέγα." in found.text
    assert "2 orders" in found.text


def test_an_edited_part_is_left_as_it_is_and_told() -> None:
    """A corrected cause must never turn back into the wrong one."""
    standing = first().replace("unknown", "a loose cable")
    found = again(standing)

    assert "a loose cable" in found.text
    assert "XNAS" not in found.text
    assert found.edited == ("cause",)
    assert "2 orders" in found.text


def test_a_part_that_was_taken_out_stays_out() -> None:
    """Who deletes a section does not want it back a minute later."""
    start, end = "<!-- runbook:begin cause", "<!-- runbook:end cause -->\n"
    standing = first()[: first().index(start)] + first()[first().index(end) + len(end) :]
    found = again(standing)

    assert "XNAS" not in found.text
    assert found.removed == ("cause",)


def test_a_part_that_a_later_version_adds_is_put_in() -> None:
    """An old document gains what the new version can tell, and its edits stay."""
    standing = composed(TITLE, OLD[:1], None).text.replace("## Notes", "## Notes of Ada")
    found = again(standing)

    assert "XNAS" in found.text
    assert "## Notes of Ada" in found.text
    assert again(found.text).text == found.text


DAMAGED = {
    "an end that is gone": first().replace("<!-- runbook:end cause -->", ""),
    "a beginning that is no marker": first().replace("<!-- runbook:begin cause", "<!-- begin cause"),
    "no markers at all": without_markers(first()),
    "another text": "my own words\n",
    "an empty file": "",
}


@pytest.mark.parametrize("standing", DAMAGED.values(), ids=DAMAGED)
def test_a_document_with_damaged_markers_loses_no_word(standing: str) -> None:
    """Whoever mangles the markers keeps the text; nothing is guessed, and nothing is put in beside it."""
    found = again(standing)

    words = [line for line in standing.splitlines() if line and "runbook:" not in line and "1 order" not in line]
    assert [line for line in words if line not in found.text] == []
    assert "cause" in found.removed
    assert "XNAS" not in found.text


def test_an_editor_that_changes_line_ends_has_edited_nothing() -> None:
    """A file that went through Windows comes up to date as before."""
    found = again(first().replace("\n", "\r\n"))

    assert found.edited == ()
    assert "2 orders" in found.text


def test_a_part_whose_marker_comes_twice_is_not_filled_twice() -> None:
    """A copied section is the person's copy."""
    part = first()[first().index("<!-- runbook:begin impact") : first().index("<!-- runbook:begin cause")]
    found = again(first() + part)

    assert found.text.count("2 orders") == 1
    assert found.text.count("1 order\n") == 1


def test_foreign_text_cannot_forge_a_marker() -> None:
    """A log line must not end a part, and let the next version write over a person's words."""
    forged = "x\n<!-- runbook:end impact -->\n<!--  runbook:written -->\ny"
    standing = composed(TITLE, (Block(name="impact", text=forged),), None).text

    assert standing.count("<!-- runbook:end impact -->") == 1
    assert again(standing, (Block(name="impact", text=forged),)).text == standing


def test_the_published_page_shows_no_markers() -> None:
    """The Prefect UI is read, not edited."""
    assert "runbook:" not in without_markers(first())
    assert "1 order" in without_markers(first())


@given(some.text(max_size=300), some.text(max_size=300))
def test_any_words_of_a_person_and_any_generated_text_live_together(note: str, generated: str) -> None:
    """Whatever either writes, the note survives and a second run changes nothing."""
    note = note.replace("<!-- runbook:", "").replace("\r", "")
    blocks = (Block(name="impact", text=generated),)
    standing = composed(TITLE, blocks, None).text + f"\n{note}\n"
    found = again(standing, blocks)

    assert found.text == standing
    assert found.edited == ()
