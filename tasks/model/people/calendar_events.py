"""What an on-call calendar says, before it is known whom it names."""

from datetime import datetime

from tasks.model.values import Value


class CalendarEvent(Value):
    """One event. A time without a zone is one of the clock on the wall; whole days begin and end at the hand-over."""

    summary: str
    attendees: tuple[str, ...] = ()
    starts: datetime
    ends: datetime
    whole_days: bool = False


class CalendarRead(Value):
    """The events that were read, and in one line what is wrong with the others."""

    events: tuple[CalendarEvent, ...] = ()
    fault: str = ""
