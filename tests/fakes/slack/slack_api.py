"""What Slack holds and answers, by hand: as strict as Slack is, and of no help: two equal posts are two messages."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.fakes.slack.slack_rules import EDIT_LIMIT_COUNT, TEXT_LIMIT_COUNT, wrong_blocks, wrong_text

TOKEN = "xoxb-test-token"
CHANNEL, DESK_CHANNEL, OTHER_CHANNEL = "C0ALL", "C0DESK", "C0OTHER"
HISTORY_LIMIT_COUNT = 1000
Json = dict[str, Any]


class Ill(StrEnum):
    """What is wrong with one answer; `_taken` says that the request was carried out all the same."""

    WELL = "well"
    LIMITED = "limited"
    NOT_OK = "not_ok"
    BROKEN = "broken"
    BROKEN_TAKEN = "broken_taken"
    HTML = "html"
    HTML_TAKEN = "html_taken"
    SILENT = "silent"
    SILENT_TAKEN = "silent_taken"
    DROPPED = "dropped"
    DROPPED_TAKEN = "dropped_taken"
    CUT_TAKEN = "cut_taken"
    DRIPPING = "dripping"

    @property
    def is_taken(self) -> bool:
        """Say whether Slack carries the request out."""
        return self is Ill.WELL or self.value.endswith("_taken")


@dataclass
class Said:
    """One message in a channel."""

    channel: str
    ts: str
    text: str
    blocks: list[Json]
    thread_ts: str | None = None
    broadcast: bool = False
    key: str = ""
    files: list[Json] = field(default_factory=list)
    edits: int = 0


@dataclass(repr=False)
class FakeSlack:
    """What Slack holds, and what it is about to do wrong: one entry of `ills` for each coming request, well after."""

    url: str = ""
    channels: dict[str, list[Said]] = field(default_factory=lambda: {CHANNEL: [], DESK_CHANNEL: [], OTHER_CHANNEL: []})
    files: dict[str, bytes] = field(default_factory=dict)
    hooked: list[Json] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    ills: Iterator[Ill] = field(default_factory=lambda: iter(()))
    retry_after: str | None = "1"
    error: str = "channel_not_found"
    silent_s: float = 0.35
    socket_url: str = ""
    before_answer: Callable[[str], None] = lambda _: None
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        # Hypothesis prints what an example was called with, and this is long.
        printer.text("FakeSlack()")

    @property
    def base_url(self) -> str:
        """Where the Web API answers."""
        return f"{self.url}/api/"

    @property
    def webhook_url(self) -> str:
        """Where an incoming webhook takes messages."""
        return f"{self.url}/services/T0/B0/secret"

    def heads(self, channel: str = CHANNEL) -> list[Said]:
        """The messages that begin a thread."""
        return [one for one in self.channels[channel] if one.thread_ts is None]

    def replies(self, channel: str = CHANNEL) -> list[Said]:
        """The messages within threads, files included."""
        return [one for one in self.channels[channel] if one.thread_ts is not None]

    def texts(self, channel: str = CHANNEL) -> list[str]:
        """The words of the replies."""
        return [one.text for one in self.replies(channel) if not one.files]

    def next_ill(self) -> Ill:
        """Take the next fault."""
        with self._lock:
            return next(self.ills, Ill.WELL)

    def answer(self, method: str, said: Json) -> Json:
        """Carry one call out, as Slack would."""
        with self._lock:
            self.calls.append(method)
            handle = getattr(self, "_" + method.replace(".", "_"), None)
            return handle(said) if handle else {"ok": False, "error": "unknown_method"}

    def _auth_test(self, _: Json) -> Json:
        return {"ok": True, "team": "desk", "user": "runbook", "bot_id": "B0"}

    def _apps_connections_open(self, _: Json) -> Json:
        return {"ok": True, "url": self.socket_url}

    def _chat_postMessage(self, said: Json) -> Json:  # noqa: N802
        channel, thread_ts = str(said.get("channel")), said.get("thread_ts")
        fault = self._fault(channel, said)
        if fault is None and thread_ts and not self._find(channel, thread_ts):
            fault = "thread_not_found"
        if fault:
            return {"ok": False, "error": fault}
        message = Said(channel, self._ts(), str(said["text"]), said.get("blocks") or [], thread_ts)
        message.broadcast = bool(said.get("reply_broadcast"))
        message.key = ((said.get("metadata") or {}).get("event_payload") or {}).get("key", "")
        self.channels[channel].append(message)
        return {"ok": True, "channel": channel, "ts": message.ts}

    def _chat_update(self, said: Json) -> Json:
        channel = str(said.get("channel"))
        found = self._find(channel, str(said.get("ts")))
        fault = self._fault(channel, said, EDIT_LIMIT_COUNT) or (None if found else "message_not_found")
        if fault or found is None:
            return {"ok": False, "error": fault}
        found.text, found.blocks, found.edits = str(said["text"]), said.get("blocks") or [], found.edits + 1
        return {"ok": True, "channel": channel, "ts": found.ts}

    def _conversations_history(self, said: Json) -> Json:
        return self._listed(said, [one for one in self.channels.get(str(said.get("channel")), []) if not one.thread_ts])

    def _conversations_replies(self, said: Json) -> Json:
        ts = said.get("ts")
        if not self._find(str(said.get("channel")), str(ts)):
            return {"ok": False, "error": "thread_not_found"}
        there = self.channels[str(said.get("channel"))]
        return self._listed(said, [one for one in there if ts in {one.ts, one.thread_ts}])

    def _files_getUploadURLExternal(self, said: Json) -> Json:  # noqa: N802
        if int(said.get("length", 0)) < 1:
            return {"ok": False, "error": "invalid_arguments"}
        name = f"F{next(self._numbers):06d}"
        return {"ok": True, "file_id": name, "upload_url": f"{self.url}/upload/{name}"}

    def _files_completeUploadExternal(self, said: Json) -> Json:  # noqa: N802
        files = json.loads(said["files"])
        channel, thread_ts = str(said.get("channel_id")), said.get("thread_ts")
        if any(file["id"] not in self.files for file in files) or not self._find(channel, str(thread_ts)):
            return {"ok": False, "error": "invalid_arguments"}
        self.channels[channel].append(Said(channel, self._ts(), "", [], thread_ts, files=files))
        return {"ok": True, "files": files}

    def _listed(self, said: Json, found: list[Said]) -> Json:
        oldest, whole = float(said.get("oldest", 0)), str(said.get("include_all_metadata")).lower() in {"1", "true"}
        newest = [one for one in reversed(found) if float(one.ts) >= oldest][: int(said.get("limit", 100))]
        return {"ok": True, "messages": [_as_json(one, whole=whole) for one in newest], "has_more": False}

    def _fault(self, channel: str, said: Json, limit_count: int = TEXT_LIMIT_COUNT) -> str | None:
        if channel not in self.channels:
            return "channel_not_found"
        fault = wrong_text(said.get("text"), limit_count) or wrong_blocks(said.get("blocks") or [])
        if fault:
            self.wrong.append(fault)
        return fault

    def _find(self, channel: str, ts: str) -> Said | None:
        return next((one for one in self.channels.get(channel, []) if one.ts == ts), None)

    def _ts(self) -> str:
        return f"{time.time():.0f}.{next(self._numbers):06d}"


def _as_json(said: Said, *, whole: bool) -> Json:
    payload = {"event_payload": {"key": said.key}} if whole else {}
    metadata = {"metadata": {"event_type": "runbook_message", **payload}} if said.key else {}
    return {"type": "message", "ts": said.ts, "text": said.text, "files": said.files, **metadata}
