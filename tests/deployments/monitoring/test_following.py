"""Every line of a growing file once, whatever happens to the file."""

import os
import sys
from pathlib import Path

import pytest

from deployments.monitoring import following
from deployments.monitoring.following import Follower


def lines(follower: Follower) -> list[bytes]:
    """Read what is new."""
    return b"".join(follower.new_lines()).splitlines()


def add(path: Path, text: str) -> None:
    """Append to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_a_line_is_given_once_and_only_when_it_is_whole(tmp_path: Path) -> None:
    """A record counted twice is an incident that was not."""
    path = tmp_path / "a.jsonl"
    follower = Follower(path)

    assert lines(follower) == []
    add(path, "one\ntw")
    assert lines(follower) == [b"one"]
    assert lines(follower) == []
    add(path, "o\nthree\n")
    assert lines(follower) == [b"two", b"three"]


def test_what_was_there_can_be_left_out(tmp_path: Path) -> None:
    """Counts that begin with the process begin at nothing."""
    path = tmp_path / "a.jsonl"
    add(path, "old\n")
    follower = Follower(path)
    follower.skip()
    add(path, "new\n")

    assert lines(follower) == [b"new"]


def test_the_rest_of_a_rotated_file_is_read_before_the_new_one(tmp_path: Path) -> None:
    """The run that was written in the second before midnight counts."""
    path, old = tmp_path / "a.jsonl", tmp_path / "a.jsonl.1"
    add(path, "one\n")
    follower = Follower(path, rotated=old)
    assert lines(follower) == [b"one"]
    add(path, "two\n")
    path.rename(old)
    add(path, "three, a longer line than both of the old file\n")

    assert lines(follower) == [b"two", b"three, a longer line than both of the old file"]
    assert follower.replaced_count == 1


@pytest.mark.parametrize("text", ["two\n", "another line, longer than the first was\n"])
def test_another_file_in_its_place_is_read_from_its_beginning(tmp_path: Path, text: str) -> None:
    """Removed and written again, shorter or longer, under the same inode number or not: it is another file."""
    path = tmp_path / "a.jsonl"
    add(path, "one, which goes\n")
    follower = Follower(path)
    assert lines(follower) == [b"one, which goes"]
    path.unlink()
    add(path, text)

    assert lines(follower) == [text.strip().encode()]
    assert follower.replaced_count == 1


def test_a_file_is_read_in_pieces_that_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger of years does not have to fit into memory; a line longer than a piece is given in pieces."""
    monkeypatch.setattr(following, "CHUNK_BYTES", 10)
    path = tmp_path / "a.jsonl"
    add(path, "short\n" * 3 + "x" * 25 + "\nlast\n")
    pieces = list(Follower(path).new_lines())

    assert max(map(len, pieces)) <= 10
    assert b"".join(pieces) == path.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are POSIX")
def test_a_pipe_is_an_error_and_does_not_block(tmp_path: Path) -> None:
    """A scrape that never answers looks like a machine that is gone."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="not a regular file"):
        lines(Follower(tmp_path / "pipe"))
