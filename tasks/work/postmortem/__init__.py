"""Postmortems and what an incident leaves behind: the case, the document, regression fixtures, accepted checks."""
