"""Log lines: time, level, JSON, groups of alike lines."""
