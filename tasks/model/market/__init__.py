"""Sessions and calendars."""
