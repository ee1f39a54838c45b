"""Report a gap in a rota the day before, once: the ledger holds which were reported."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import LedgerRecord, Source
from tasks.model.incidents.modes import Mode
from tasks.model.messages.messages import Message
from tasks.model.people.rota import GAP_TYPE, Gap, Roster
from tasks.rules.formats.json_values import text_of
from tasks.rules.formats.time import parse_time, utc_text
from tasks.rules.messages.on_call import clock_text
from tasks.rules.people.rota import gaps_of

DAY = timedelta(days=1)
# A gap is looked for so far back and ahead, so that a report says where it begins and ends.
BACK, AHEAD = DAY, 8 * DAY
REPORTED_TO = (Audience.TIER_1, Audience.TIER_3)
ABOUT = "rota-gap"


class TierGap(NamedTuple):
    """A gap in the rota of one tier; `fault` is what is wrong with its calendar."""

    tier: Audience
    gap: Gap
    fault: str = ""


def due_gaps(rosters: Mapping[Audience, Roster], records: Iterable[LedgerRecord], now: datetime) -> tuple[TierGap, ...]:
    """Find the gaps that begin within a day, or have begun, and were not reported yet.

    Errors: none; a time of which a broken calendar says nothing is a gap.
    """
    reported = [one for one in records if one.type == GAP_TYPE]
    return tuple(
        TierGap(tier, gap, roster.fault)
        for tier, roster in rosters.items()
        for gap in gaps_ahead(roster, now, now + AHEAD)
        if gap.starts < now + DAY and not any(_speaks_of(record, tier, gap) for record in reported)
    )


def gaps_ahead(roster: Roster, now: datetime, until: datetime) -> tuple[Gap, ...]:
    """Find the gaps that are not over, with the time that a calendar says nothing of."""
    known = gaps_of(roster, roster.starts, until)
    unknown = (Gap(starts=max(roster.ends, now), ends=until),) if roster.ends < until else ()
    return tuple(one for one in (*known, *unknown) if one.ends > now)


def gap_record(found: TierGap, service: str, now: datetime) -> LedgerRecord:
    """Write that a gap was reported."""
    details: dict[str, object] = {
        "tier": found.tier,
        "starts": utc_text(found.gap.starts),
        "ends": utc_text(found.gap.ends),
    }
    return LedgerRecord(
        timestamp=now,
        type=GAP_TYPE,
        service=service,
        source=Source.TRIAGE,
        summary=gap_words(found, now),
        details=details,
    )


def gap_messages(found: TierGap, mode: Mode, now: datetime) -> tuple[Message, ...]:
    """Write the report of a gap, to on-call and to those who keep the automation.

    Runbook: §3.1 on-call, §3.3 SRE and platform.
    """
    incident_id = f"ROTA-{found.gap.starts:%Y%m%dT%H%MZ}-{found.tier}"
    why = f" The calendar: {found.fault}." if found.fault else ""
    todo = "Pages of that time call nobody by name. To fill it: an override in `on_call`, or the calendar."
    text = f"{gap_words(found, now)}{why} {todo} To see the rota: `runbook oncall`. [{incident_id}] mode={mode}."
    return tuple(
        Message(key=f"{incident_id}/{tier}/{ABOUT}", incident_id=incident_id, audience=tier, text=text)
        for tier in REPORTED_TO
    )


def gap_words(found: TierGap, now: datetime) -> str:
    """Say which tier has nobody, and when."""
    starts, ends = clock_text(found.gap.starts, now), clock_text(found.gap.ends, now)
    until = f"until {ends}" if found.gap.ends < now + AHEAD else f"until {ends} at least"
    verb = "is" if found.gap.starts > now else "has been"
    since = f"from {starts}" if found.gap.starts > now else f"since {starts}"
    if found.gap.starts <= now - BACK:
        # Further back nobody looks.
        since = "for over a day,"
    return f"Nobody {verb} on call for {found.tier.replace('_', ' ')} {since} {until}."


def _speaks_of(record: LedgerRecord, tier: Audience, gap: Gap) -> bool:
    starts, ends = parse_time(record.details.get("starts")), parse_time(record.details.get("ends"))
    if starts is None or ends is None or text_of(record.details, "tier", 20) != tier:
        return False
    return starts <= gap.starts < ends
