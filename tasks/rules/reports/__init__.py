"""The report of a run as markdown, and its picture."""
