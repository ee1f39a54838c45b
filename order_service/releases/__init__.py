"""Releases: immutable directories of code and configuration, a pointer to the current one, a history.

Only the standard library and a file lock enter here: what rolls a broken release back must not need the release,
and what starts it must start fast.
"""
