"""Exchange calendars: the library's and a person's own."""
