"""Market hours, with corrections and calendars of a person's own."""
