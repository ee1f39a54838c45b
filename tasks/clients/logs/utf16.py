"""Read a file in UTF-16, as Windows writes logs, as the same lines in UTF-8."""

import codecs
import io
from typing import IO

SAMPLE_BYTES = 512
READ_BYTES = 1_048_576
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
# So much of a text without a mark must be letters of one byte, each beside a zero.
LATIN_RATIO = 0.8


def utf_16_of(head: bytes) -> str | None:
    """Name the encoding by its mark, or by the zeros beside plain letters; None for anything else.

    Zeros alone are what truncation under a writer leaves.
    """
    if head[:2] in _MARKS and head[:4] != b"\xff\xfe\x00\x00":
        return _MARKS[head[:2]]
    pairs = len(head) // 2
    if pairs < 8:
        return None
    for name, letters, zeros in (
        ("utf-16-le", head[: 2 * pairs : 2], head[1 : 2 * pairs : 2]),
        ("utf-16-be", head[1 : 2 * pairs : 2], head[: 2 * pairs : 2]),
    ):
        if zeros.count(0) >= LATIN_RATIO * pairs and letters.count(0) == 0:
            return name
    return None


class Utf16File(io.RawIOBase):
    """The file in UTF-8; its places are those of the UTF-8 text, so that it is read from the start to go to one."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        super().__init__()
        self._file = file
        self._encoding = encoding
        self._start()

    def _start(self) -> None:
        self._file.seek(0)
        self._decoder = codecs.getincrementaldecoder(self._encoding)("replace")
        self._ready = b""
        self._at = 0
        self._is_first = True

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place from the start; only that is asked for."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation
        if offset < self._at:
            self._start()
        while self._at < offset and self.read(min(READ_BYTES, offset - self._at)):
            pass
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        if not self._ready:
            self._ready = self._decoded()
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        self._at += count
        return count

    def _decoded(self) -> bytes:
        while raw := self._file.read(READ_BYTES):
            text = self._decoder.decode(raw)
            text, self._is_first = (text.removeprefix("\ufeff") if self._is_first else text), False
            if text:
                return text.encode("utf-8", "replace")
        return b""

    def close(self) -> None:
        self._file.close()
        super().close()
